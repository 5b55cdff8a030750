"""What people read on the screen, in Chinese and English, by locale."""

from __future__ import annotations

import os
from collections.abc import Mapping

from formats import Reason, Status

_TEXTS: dict[str, tuple[str, str]] = {
    "journal": ("日志", "journal"),
    "anchor": ("锚点", "anchor"),
    "no_anchor": (
        "未配置: 无法发现日志被截断或还原",
        "none is configured: a cut or restored ledger would not be noticed",
    ),
    "batch": ("批次", "batch"),
    "platform": ("平台", "platform"),
    "state": ("状态", "state"),
    "payments": ("笔数", "payments"),
    "amount": ("金额(元)", "amount (yuan)"),
    "credited": ("实发(元)", "credited (yuan)"),
    "bank": ("银行", "bank"),
    "file": ("文件", "file"),
    "sent": ("发出时间", "sent"),
    "received": ("收到时间", "received"),
    "reason": ("原因", "reason"),
    "outcome": ("结果", "outcome"),
    "payment": ("明细", "payment"),
    "kind": ("种类", "kind"),
    "row": ("行", "row"),
    "column": ("列", "column"),
    "problem": ("问题", "problem"),
    "what": ("对象", "object"),
    "message": ("说明", "message"),
    "ways": ("处理方式", "ways out"),
    "key": ("密钥", "key"),
    "role": ("用途", "role"),
    "owner": ("归属", "owner"),
    "person": ("人员", "person"),
    "title": ("姓名", "title"),
    "fingerprint": ("指纹", "fingerprint"),
    "decisions": ("决定数", "decisions"),
    "in_force_from": ("生效自", "in force from"),
    "person_ended": ("已终止", "ended"),
    "person_later": ("尚未生效", "not yet"),
    "person_no_key": ("无密钥", "no key"),
    "person_no_person": ("配置中无此人", "not in the configuration"),
    "keep_private": ("私钥:本人保管,不得外传", "private: it stays with you"),
    "hand_in": ("公钥:提交登记,并核对指纹", "public: hand it in, and compare the fingerprint"),
    "key_begins": ("密钥生效", "may decide with key"),
    "key_ends_now": ("密钥终止", "decides no more with key"),
    "completed": ("已补全此前中断的登记", "an interrupted enrolment was completed"),
    "written": ("已写入", "written"),
    "may_decide": ("现可决定者", "may decide now"),
    "too_few_persons": (
        "不足两人:需两人复核的事项无法决定",
        "fewer than two: what needs two persons cannot be decided",
    ),
    "open_again": (
        "长期运行的平台进程须重新打开网关才会生效",
        "a process that keeps the gateway open knows of it after it opens it again",
    ),
    "in_force_until": ("有效期至", "in force until"),
    "key_later": ("生效于", "from"),
    "key_ended": ("已失效", "ended"),
    "key_missing": ("缺失", "missing"),
    "key_ends": ("将到期", "ends"),
    "key_replaced": ("将更换", "replaced"),
    "key_unused": ("未使用", "unused"),
    "keys_unit": ("把密钥", "keys"),
    "keys_well": ("无须处理", "nothing to do"),
    "keys_urgent": ("需处理", "something is to be done"),
    "rewrapped": ("{} 个文件、{} 条文字改由 {} 封存", "{} files and {} texts are under {} now"),
    "rewrap_left": ("还有 {} 个文件由 {} 封存", "{} files are left under {}"),
    "rewrap_damaged": ("打不开,或不是封存文件:{}", "does not open, or is no sealed file: {}"),
    "hint": ("提示", "hint"),
    "payments_unit": ("笔", "payments"),
    "again": ("稍后自动重试", "will be tried again"),
    "held_waits": ("有事项待人工处理:bankgate held", "something waits for a person: bankgate held"),
    "not_signed": ("待放行:需平台签名", "not released: needs the platform's signature"),
    "attention": ("需人工处理", "needs a person"),
    "files": ("文件数", "files"),
    "acknowledgements": ("受理回执", "acks"),
    "results": ("回盘文件", "results"),
    "stage": ("环节", "stage"),
    "seconds": ("秒", "seconds"),
    "submitted": ("提交合计", "submitted"),
    "evidence": ("证据", "evidence"),
    "nothing_held": ("没有待人工处理的事项", "nothing waits for a person"),
    "sum_holds": ("账平", "the sum holds"),
    "sum_broken": ("账不平", "the sum does NOT hold"),
    "released": ("已放行", "released"),
    "on_hold": ("已暂停:未发出的暂不发出", "on hold: what has not left stays here"),
    "taken_back": (
        "已撤回:未发出的不再发出,如需发放请另交新批次",
        "withdrawn: what had not left was taken back; what is to be paid goes into a new batch",
    ),
    "stands": ("目前", "as it stands now"),
    "not_released": (
        "待放行:需平台签名或两人复核",
        "not released: needs the platform's signature or two persons",
    ),
}

_STATE_LABELS: dict[str, tuple[str, str]] = {
    "accepted": ("待发", "accepted"),
    "held": ("待定", "held"),
    "set_aside": ("退回核实", "set aside"),
    "withdrawn": ("撤回", "withdrawn"),
    "dispatched": ("已入文件", "dispatched"),
    "credited": ("已入账", "credited"),
    "discrepant": ("账实不符", "discrepant"),
    "failed": ("发放失败", "failed"),
    "unknown": ("结果待查", "unknown"),
    "returned": ("退汇", "returned"),
}


def language(configured: str = "auto", environment: Mapping[str, str] | None = None) -> str:
    """`zh` or `en`: what was configured, else by the locale."""
    if configured in ("zh", "en"):
        return configured
    variables = os.environ if environment is None else environment
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := variables.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


class Words:
    """Texts in one language."""

    def __init__(self, chosen: str) -> None:
        self._index = 0 if chosen == "zh" else 1

    def __getitem__(self, key: str) -> str:
        return _TEXTS[key][self._index]

    def state(self, state: str) -> str:
        return _STATE_LABELS[state][self._index] if state in _STATE_LABELS else state

    def status(self, status: Status) -> str:
        return status.label[self._index]

    def reason(self, reason: Reason) -> str:
        return reason.label[self._index]

"""What people read on the screen, in Chinese and English, by locale."""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct

from formats import Reason, Status
from gateway.money import money, yuan
from gateway.problem_sentences import column_in_chinese, problem_in_chinese
from gateway.rules.rule import rule_of
from gateway.sentences import in_chinese
from gateway.state_words import STATE_LABELS

_TEXTS: dict[str, tuple[str, str]] = {
    "journal": ("日志", "journal"),
    "anchor": ("锚点", "anchor"),
    "anchor_unknown": (
        "  自 {1} 起有 {0} 个事件锚点尚不知道:这些若被截去,无从发现",
        "  {0} events since {1} are not known to the anchor: whoever cut them would not be noticed",
    ),
    "anchor_delivered": ("已存至锚点:{}", "put to the anchor: {}"),
    "anchor_nothing_new": (
        "锚点已知全部:无新事件可存",
        "the anchor knows all: nothing new to put there",
    ),
    "anchor_refused": (
        "不会再自动连接锚点:消除原因后执行 bankgate audit anchor",
        "nobody asks it again by itself: mend the cause, then: bankgate audit anchor",
    ),
    "anchor_again": (
        "下次运行会重试;立即重试:bankgate audit anchor",
        "the next run tries again; now: bankgate audit anchor",
    ),
    "anchor_found": (
        "在逐家银行核对之前不再发出任何文件:bankgate held",
        "nothing leaves until each bank is cleared: bankgate held",
    ),
    "installation": ("本系统标识", "installation"),
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
    "empty_report": (
        "该月没有提交任何批次,报告是空的",
        "no batch was handed over in this month, the report is empty",
    ),
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
    "error": ("错误", "error"),
    "warning": ("警告", "warning"),
    "a_problem": ("问题", "problem"),
    "waits": ("等待", "waits"),
    "next_due": ("下次应运行", "next due"),
    "payments_unit": ("笔", "payments"),
    "again": ("稍后自动重试", "will be tried again"),
    "held_waits": ("有事项待人工处理:bankgate held", "something waits for a person: bankgate held"),
    "not_signed": ("待放行:需平台签名", "not released: needs the platform's signature"),
    "attention": ("需人工处理", "needs a person"),
    "files": ("文件数", "files"),
    "results": ("回盘文件", "results"),
    "account_statements": ("对账单", "statements"),
    "stage": ("环节", "stage"),
    "seconds": ("秒", "seconds"),
    "submitted": ("提交合计", "submitted"),
    "evidence": ("证据", "evidence"),
    "notice": ("银行通知", "notice"),
    "booked_on": ("记账日", "booked on"),
    "debit": ("借(元)", "debit (yuan)"),
    "credit": ("贷(元)", "credit (yuan)"),
    "notice_code": ("通知代码", "notice"),
    "notice_says": ("内容", "says"),
    "held_how": (
        "作出决定:bankgate held 决定 对象 --as 姓名 --key 私钥文件",
        "to decide: bankgate held DECISION OBJECT --as NAME --key FILE",
    ),
    "nothing_held": ("没有待人工处理的事项", "nothing waits for a person"),
    "sum_holds": ("账平", "the sum holds"),
    "sum_broken": ("账不平", "the sum does NOT hold"),
    "released": ("已放行", "released"),
    "on_hold": ("已暂停:未发出的暂不发出", "on hold: what has not left stays here"),
    "taken_back": (
        "已撤回:未发出的不再发出,如需发放请另交新批次",
        "withdrawn: what had not left was taken back; what is to be paid goes into a new batch",
    ),
    "held_batch_not_released": ("待放行:没有平台签名", "not released: no signature of its platform"),
    "held_batch_stopped": ("已暂停:未发出的暂不发出", "held: what has not left stays here"),
    "held_batch_unfit": (
        "{} 笔 {} 元无法装入发往 {} 的任何文件:{};更改银行档案、协议或格式后自动重试",
        "{} payments, {} yuan, fit no file for {}: {}; change the profile, agreement or layout",
    ),
    "point_state": ("{1} 笔 {2} 元:{0}", "{1} payments, {2} yuan: {0}"),
    "point_gap": ("回盘 {} 元,对账单记账 {} 元", "results say {} yuan, statements booked {} yuan"),
    "point_differing": ("{} 笔与对账单不符", "{} payments are booked otherwise than their results"),
    "point_charged": ("银行违规收费 {} 笔 {} 元", "{} charges of banks, {} yuan"),
    "point_recovering": ("追回中 {} 笔,未追回 {} 元", "{} recoveries, {} yuan outstanding"),
    "still_open": ("仍未了结", "open still"),
    "closing_means": (
        "结账表示本人已与银行核对并说明差异:不改变任何一笔,未了结的仍未了结;有新的结果、记账或收费即重开",
        "closing says that a person compared and explained the sums: it changes no payment, what is open"
        " stays open, and a new outcome, booking or charge opens the books again",
    ),
    "held_bank": ("{}", "{}"),
    "held_file": ("{}:{}", "{}: {}"),
    "held_file_looked_for": ("{}:下次运行时查找", "{}: the next run looks for it"),
    "held_received": ("{} {} {}", "{} {} {}"),
    "held_half": (
        "{} {}:是一份回答的一半,另一半 {} 尚未到;自 {} 起已等 {}",
        "{} {}: half of an answer whose other half {} is not here; since {}, for {}",
    ),
    "held_oddity": ("{} {}:{}", "{} {}: {}"),
    "held_payment": ("{} 元 待定:{}", "{} yuan held: {}"),
    "held_funding": (
        "批次 {4} 中 {2} 经 {3} 发放的款项共 {1} 元,其中 {0} 元尚未确认已到付款账户,须待确认方可发出",
        "batch {4}, {2} at {3}: of {1} yuan, {0} yuan are not confirmed on the payer account"
        " and wait for that",
    ),
    "held_card_list": (
        "{0} 于 {1} 导出的卡折对照清单,尚未有人签署采用:{2} 人,其中 {3} 人自相矛盾,{4} 行未收入",
        "card list of {0} drawn on {1}, which nobody has taken yet: {2} persons, {3} contradicting, {4} rows"
        " left out",
    ),
    "held_payment_in_doubt": ("{} 元 {}", "{} yuan {}"),
    "held_begun": ("已有人签署、尚待他人复核:{}", "begun, and wants another person: {}"),
    "stopped_by": ("由 {} 于 {} 暂停,事由:{}", "held by {} since {}, because: {}"),
    "no_reason": ("未说明", "no reason was given"),
    "kept_exhibit": (
        "已留存:bankgate exhibit sha256:{} --output FILE",
        "kept: bankgate exhibit sha256:{} --output FILE",
    ),
    "persons_needed": ("需 {} 人", "{} person(s)"),
    "signed_exhibit": ("已签证据 sha256:{}", "signed evidence sha256:{}"),
    "signed_by": ("{} 已于 {} 签署", "signed by {} on {}"),
    "signed_no_more": (
        "{} 于 {} 的签署已无效(密钥已终止)",
        "signed by {} on {} with a key that may not decide any more: counts no more",
    ),
    "still_needed": ("还需 {} 人", "still needed: {}"),
    "decided_carried_out": ("{}:已执行,签署人:{}", "{}: carried out, signed by {}"),
    "decided_begun": (
        "{}:{} 的签署已记录,还需 {} 人作出相同决定",
        "{} by {}: recorded; another person must decide the same ({} still needed)",
    ),
    "decided_other_letter": (
        "他人签署时依据的是另一份函件 sha256:{}。两人须依据同一份:先用 bankgate exhibit 阅读,再以 --evidence"
        " sha256:摘要 签署",
        "somebody rests the same decision on another letter, sha256:{}. Both must rest it on one: read that"
        " one (bankgate exhibit), then sign with --evidence sha256:DIGEST",
    ),
    "decided_other_terms": (
        "他人已就同一决定签署另一金额或依据({})。两人须签署相同内容",
        "somebody signed the same decision with another amount or ground ({}). Both must sign the same",
    ),
    "places": ("目前", "as it stands"),
    "places_before": ("此前", "before"),
    "places_now": ("现在", "now"),
    "place_sum": ("{} {} 笔 {}", "{} {}, {}"),
    "place_not_released": ("未放行", "not released"),
    "place_may_leave": ("待发", "may leave"),
    "place_stopped": ("已停发", "stopped here"),
    "place_refused": ("银行整批拒收", "in a file that the bank refused"),
    "place_with_bank": ("已发往银行、未有定论", "left, with the bank"),
    "place_paid": ("已入账", "paid"),
    "place_ended": ("失败、退汇、少付或退回核实", "failed, returned, paid short or set aside"),
    "place_taken_back": ("已撤回", "taken back"),
    "ledger_begun": ("已建立空账本:{}", "an empty ledger was made: {}"),
    "ledger_there": ("账本已存在,未作更改:{}", "there is a ledger already, and nothing was changed: {}"),
    "stands": ("目前", "as it stands now"),
    "not_released": (
        "待放行:需平台签名或两人复核",
        "not released: needs the platform's signature or two persons",
    ),
}

_MEANINGS: dict[str, str] = {
    "the sums were compared with the bank's and explained": "已与银行核对汇总并说明差异",
    "the voucher shows that the money is on the payer account": "凭证表明资金已到付款账户",
    "it was wrongly paid, as the exhibit shows: so much is asked back": "书证表明属错发:追回所列金额",
    "so much came back, as the voucher shows": "凭证表明已追回所列金额",
    "the rest is not asked back any more, as the exhibit says": "依书证不再追回余额",
    "the part on this voucher was noted by mistake": "凭此凭证登记的追回款系误记,予以冲销",
    "the platform drew it, and it counts from now on": "系该平台所导出,自即日起采用",
    "it does not count, or no more": "不予采用或不再采用",
    # What decisions mean, by their English sentence in `gateway.ways`.
    "the signatures given so far count no more": "此前的签署不再有效",
    "nothing leaves for it; its answers are still fetched": "不再向其发出任何文件;其回执照常收取",
    "what a person stopped may leave for it again": "由人暂停的可重新发出",
    "the cause is mended: exchange files again": "原因已消除:恢复收发文件",
    "what the bank has from us was compared with this ledger": "已与银行核对其收到的全部文件",
    "its payments may leave": "其各笔可发出",
    "taken back as a whole": "整批撤回",
    "what has not left stays here for now": "未发出的暂不发出",
    "what has not left is taken back": "未发出的予以撤回",
    "its payments may leave again": "其各笔可重新发出",
    "it stays here for now": "暂不发出",
    "the cause is mended: try again": "原因已消除:重试",
    "its payments go into a new file": "其各笔改入新文件",
    "the bank confirms in writing that it has the file": "银行书面确认已收到该文件",
    "the bank confirms in writing that it never had the file: its payments go again": (
        "银行书面确认从未收到该文件:其各笔重新发出"
    ),
    "the bank confirms in writing that it did not and will not pay by it: its payments go again": (
        "银行书面确认未曾且不会据此付款:其各笔重新发出"
    ),
    "the bank confirms in writing that it paid none of its stopped payments: they go again": (
        "银行书面确认其停发的各笔均未付出:重新发出"
    ),
    "looked into, and settled with the bank": "已查明,并与银行了结",
    "its payments are taken back": "其各笔予以撤回",
    "the bank confirms in writing that it took the file after all": "银行书面确认实已受理该文件",
    "it is paid as it stands": "按现状发放",
    "taken back": "撤回",
    "the bank confirms in writing that it did not pay it: it goes again": "银行书面确认未付该笔:重新发出",
    "the bank confirms in writing that it did not pay it by any file: it is set aside, as the rule says": (
        "银行书面确认未通过任何文件付出:按规则退回"
    ),
    "the bank confirms in writing that it did not pay it by any file: it goes again": (
        "银行书面确认未通过任何文件付出该笔:重新发出"
    ),
    "the bank confirms in writing that exactly the instructed amount is with the payee": (
        "银行书面确认应发金额已足额入账"
    ),
    "the bank confirms in writing that nothing was paid": "银行书面确认分文未付",
    "the bank confirms in writing that what it credited is too little, and that it makes up nothing": (
        "银行书面确认实付不足且不予补足"
    ),
    "the bank confirms in writing that all of what it credited came back": "银行书面确认已入账款项全数退回",
    "the bank confirms in writing that it paid it by a file that this ledger does not know": (
        "银行书面确认已由本账本未记载的文件付讫该笔"
    ),
    "believed in spite of the problems shown": "虽有所列问题,仍予采信",
    "the bank confirms in writing that there is no other half: what it says was paid is believed": (
        "银行书面确认没有另一半:其中所列已付的予以采信"
    ),
    "not believed; ask the bank for another": "不予采信;请银行另行提供",
    "the cause is mended: look at it once more": "原因已消除:重新判读",
    "the bank's right certificate is enrolled now": "银行的正确证书现已登记",
    "the bank confirms in writing that it paid nothing by the file that this answers": (
        "银行书面确认未据所答复的文件付款"
    ),
    "the bank has written what it paid, and what was too much comes back": (
        "银行已书面说明所付款项,多付部分将退回"
    ),
}


def state_in_both(state: str) -> str:
    """A payment's state in Chinese and English."""
    return " ".join(STATE_LABELS[state])


def language(configured: str = "auto", environment: Mapping[str, str] | None = None) -> str:
    """`zh` or `en`: what was configured, else by the locale."""
    if configured in ("zh", "en"):
        return configured
    variables = os.environ if environment is None else environment
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := variables.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


class Said(Struct, frozen=True):
    """A sentence of the table of texts, and what stands in it: the same in every language."""

    key: str
    values: list[str] = []


class Words:
    """Texts in one language."""

    def __init__(self, chosen: str) -> None:
        self._index = 0 if chosen == "zh" else 1

    def __getitem__(self, key: str) -> str:
        return _TEXTS[key][self._index]

    def say(self, said: Said) -> str:
        """A sentence; states and sentences that stand in it are said in the language too."""
        return self.say_line(said.key, *(self.told(self.state(value)) for value in said.values))

    def told(self, english: str) -> str:
        """A sentence that is stored in English: why something waits, or what was found."""
        return in_chinese(english) if self._index == 0 else english

    def problem(self, english: str) -> str:
        """What is wrong, or what to do about it."""
        return problem_in_chinese(english) if self._index == 0 else english

    def column(self, name: str) -> str:
        """The name of a column of a batch."""
        return column_in_chinese(name) if self._index == 0 else name

    def say_line(self, key: str, *values: str) -> str:
        return self[key].format(*values)

    def meaning(self, english: str) -> str:
        """What a decision means."""
        return _MEANINGS[english] if self._index == 0 else english

    def money(self, amount_minor: int) -> str:
        return f"{yuan(amount_minor)} 元" if self._index == 0 else money(amount_minor)

    def pick(self, chinese: str, english: str) -> str:
        """The one of two texts that is in this language."""
        return (chinese, english)[self._index]

    def state(self, state: str) -> str:
        return STATE_LABELS[state][self._index] if state in STATE_LABELS else state

    def status(self, status: Status) -> str:
        return status.label[self._index]

    def reason(self, reason: Reason) -> str:
        return reason.label[self._index]

    def reason_by_rule(self, reason: Reason) -> str:
        """The reason, and where a rule of the plan says it which one."""
        told, rule = self.reason(reason), rule_of(reason)
        if rule is None:
            return told
        named = self.pick(f"规则 {rule.name},", f"rule {rule.name}, ") if rule.name else ""
        return self.pick(
            f"{told}({named}方案 {rule.section})", f"{told} ({named}plan section {rule.section})"
        )


ENGLISH = Words("en")

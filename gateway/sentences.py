"""Sentences that ledger, run and journal hold in English, as a person reads them in Chinese.

What waits, and why, is stored in one language: it is evidence, and what persons sign. Here each such
sentence has its Chinese twin, with the same places for names, numbers and times. A sentence may stand
in another's place; several are divided by `; `. What is in no sentence of the table (a library's error, a
bank's word) stays as it is. A test holds the table against the modules that make sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property

SENTENCES: dict[str, str] = {
    # Why a file stays, or is made anew.
    "held by {}": "由 {} 暂停",
    "its batch is on hold": "所属批次已暂停",
    "its batch was withdrawn": "所属批次已撤回",
    "an answer of the bank is just arriving": "银行的一份回答正在到达",
    "a payment in it was withdrawn or set aside": "其中有明细已撤回或退回核实",
    "of a payment in it another may be paid already": "其中有明细的另一笔可能已付",
    "{} speaks of what it would pay a second time, and is not believed yet": (
        "{} 涉及其中将再次支付的明细,且尚未采信"
    ),
    "its bank day {} is over": "其银行日 {} 已过",
    "agreement {} is not configured any more": "协议 {} 已不在配置中",
    "{} exists at the bank before it was sent": "发出之前银行端已有 {}",
    "another file lies under its name at the bank: ask the bank what it took": (
        "银行端同名处是另一份文件:请询问银行收的是哪一份"
    ),
    "its {} cannot be found at the bank: ask the bank whether it took the file": (
        "银行端找不到其{}:请询问银行是否已收该文件"
    ),
    "its data cannot be found at the bank: ask the bank whether it took the file": (
        "银行端找不到其数据:请询问银行是否已收该文件"
    ),
    "its parts cannot be found at the bank: ask the bank whether it took the file": (
        "银行端找不到其部分组成:请询问银行是否已收该文件"
    ),
    "the process ended while it was going up": "上传途中进程中断",
    "the process ended while it was being released": "发布途中进程中断",
    "while it was being released: {}": "发布途中:{}",
    "payments do not fit the layout": "有明细不符合文件格式",
    "file {} is uncertain: {}": "文件 {} 待查证:{}",
    "file {} waits: {}": "文件 {} 等待:{}",
    "file {} voided: {}": "文件 {} 已作废:{}",
    "the next run looks whether it arrived; it is never sent again by itself": (
        "下次运行会查看是否到达;绝不自动重发"
    ),
    # Why payments wait for a file.
    "the bank's profile is a draft": "该银行的档案仍为草案",
    "no agreement entrusts {} of {} today": "今日没有有效协议委托 {}({})",
    "agreement {}: {}": "协议 {}:{}",
    "sending window closed": "不在发送时段内",
    "sending window closed, and the working days to come are not known: enter them in [calendar]": (
        "不在发送时段内,且今后的工作日未知:请在 [calendar] 中录入"
    ),
    "the pilot's number of {} for today is reached": "试点今日的{}数已满",
    "the pilot's number of files for today is reached": "试点今日的文件数已满",
    "the pilot's number of payments for today is reached": "试点今日的明细数已满",
    "{}: the next payment is over the amount of one file": "{}:下一笔超过单个文件限额",
    "{}: the next payment is over the amount left for today": "{}:下一笔超过今日剩余限额",
    "the next payment is over the amount that the pilot leaves for today": "下一笔超过试点今日剩余限额",
    "agreement {}: the next payment is over the amount left for {} today": (
        "协议 {}:下一笔超过 {} 今日剩余限额"
    ),
    "agreement {}: the next payment is over the amount left for {} {}": ("协议 {}:下一笔超过 {} {} 剩余限额"),
    "{}: the money is not confirmed on the payer account (on its voucher: bankgate held fund funding:{})": (
        "{}:款项尚未确认已到付款账户(凭证到后执行 bankgate held fund funding:{})"
    ),
    "{} takes {}, less than one of them": "{}限额 {},单笔已超过",
    "agreement {}: one payment": "协议 {}:单笔",
    "agreement {}: one file": "协议 {}:单个文件",
    "agreement {}: one day": "协议 {}:单日",
    "agreement {}: one day of {}": "协议 {}:{} 单日",
    "one day of the pilot": "试点单日",
    "agreement {}": "协议 {}",
    "{} payments, {}, fit no file: {}": "{} 笔 {} 无法装入任何文件:{}",
    "{}; they are tried again when profile, agreement or layout change": (
        "{};银行档案、协议或格式更改后自动重试"
    ),
    "file of {} payments has {} bytes, the bank takes {}": "{} 笔的文件有 {} 字节,银行只收 {}",
    "file of {} payments: {}": "{} 笔的文件:{}",
    # Why nothing leaves for a bank, or it is not reached.
    "nothing leaves: {}": "不发出任何文件:{}",
    "stage {} without a verdict of conformance": "阶段为 {},但没有合规检查结论",
    "others may write {}": "他人可写 {}",
    "the check of {} found problems in its formats": "{} 的检查发现其格式有问题",
    "the profile is not the one that was checked on {}": "银行档案与 {} 检查时不同",
    "layout {} is not the one that was checked on {}": "格式 {} 与 {} 检查时不同",
    "reconcile with the bank what it has from us, then: {}": "先与银行核对其收到的文件,再执行 {}",
    "when it may go on: {}": "可以继续时执行 {}",
    "mend the cause, then: {}": "消除原因后执行 {}",
    "not reached at the last {} tries": "最近 {} 次均未连上",
    "a run at or after {} tries again by itself": "{} 起的运行会自动重试",
    "the next run goes on where this one stopped": "下次运行从中断处继续",
    "somebody decided about it meanwhile: the next run sees it as it is now": (
        "其间有人对此作出决定:下次运行按现状处理"
    ),
    "restored from the backup of {}: what left since is not known here": (
        "由 {} 的备份还原:此后发出的此处不知"
    ),
    "the spool has file {} of bank {}, which the ledger does not know: the ledger is older than the spool": (
        "文件库中有 {} 号文件(银行 {}),账本不知:账本比文件库旧"
    ),
    "the anchor knows event {}, the ledger ends with event {}": "锚点知道事件 {},账本止于事件 {}",
    "event {} of the ledger is another than the one the anchor knows": "账本的事件 {} 与锚点所知不同",
    "the anchor knows higher sequences than the ledger: {}": "锚点所知序号高于账本:{}",
    "head {} at the anchor cannot be verified: {}": "锚点处的 {} 无法验证:{}",
    "head {} at the anchor belongs to another name or environment": "锚点处的 {} 属于另一名称或环境",
    "another file lies at the anchor under the name {}": "锚点处名为 {} 的是另一份文件",
    "look who writes to the anchor, and move that file away": "查明何人写入锚点,并移走该文件",
    "the journal's head is not signed: {}": "日志首部未签名:{}",
    "the anchor's folder {} is not there": "锚点的文件夹 {} 不在",
    "the anchor cannot be reached: {}": "无法连接锚点:{}",
    "who may decide has changed: {}": "可作决定的人员有变:{}",
    # What a bank put there.
    "not complete yet": "尚不完整",
    "seen before, as {}": "此前已收,名为 {}",
    "waits for {}": "等待 {}",
    "cannot be fetched: {}": "无法取回:{}",
    "it cannot be fetched: {}": "无法取回:{}",
    "no pattern of the profile takes this name": "档案中没有规则认得此名",
    "no pattern of the profile takes this name: it was not read": "档案中没有规则认得此名:未读取",
    "its flag or its signature does not come: ask the bank": "其标志文件或签名迟迟不到:请询问银行",
    "it was taken away before it was complete and fetched: ask the bank for it": (
        "尚未完整取回即被取走:请向银行索取"
    ),
    "other bytes than before lie under this name: both were taken, ask the bank why": (
        "同名之下内容与此前不同:两份均已收下,请询问银行原因"
    ),
    "{}: it was not taken": "{}:未收下",
    "the flag is not of the form that the profile says": "标志文件不是档案所述形式",
    "the flag names another file": "标志文件所指是另一文件",
    "the flag says {} bytes, {} were fetched": "标志文件称 {} 字节,取回 {} 字节",
    "the flag has another SHA-256 than what was fetched": "标志文件的 SHA-256 与取回内容不符",
    "the flag counts {} records, {} were read": "标志文件称 {} 条,读得 {} 条",
    "the flag says another sum of amounts than the records": "标志文件的金额合计与记录不符",
    "{}: refused, see `bankgate held`": "{}:不予采信,见 bankgate held",
    "{} is held: {}": "{} 待定:{}",
    "bankgate held shows all of it": "bankgate held 可见全部",
    "{}: the bank tells {} things that are no outcome": "{}:银行另告知 {} 项,均非结果",
    "bankgate notices; nothing was changed by them": "bankgate notices;未因此作任何更改",
    "the profile has no pattern for this name any more": "档案中已没有规则认得此名",
    "these are our own bytes, sent as {}": "这是我方自己的文件,发出时名为 {}",
    "ask the bank; nothing in the file was believed": "请询问银行;文件内容一概未采信",
    # What a bank said.
    "the bank rejected the file with {}: redispatch it, or withdraw its payments": (
        "银行拒收该文件({}):重新组文件发出,或撤回其各笔"
    ),
    "the bank says that it has this file already: ask which one it took": (
        "银行称已有此文件:请询问其收的是哪一份"
    ),
    "the bank answered about it while it was {}": "文件处于“{}”时银行对其作了回答",
    "not answered for all its payments by {}: ask the bank": "至 {} 仍未答复其全部明细:请询问银行",
    "{} in {} stands for the same money as {}, which was paid after all": (
        "{}(文件 {})与 {} 是同一笔款,而后者实已付讫"
    ),
    "payments of {} were in {} before, about which the bank has spoken now": (
        "{} 中的明细此前在 {} 中,银行现已对后者作了回答"
    ),
    "statements and results differ: {}": "对账单与回盘不一致:{}",
    "booked, and never sent": "已记账而从未发出",
    "booked with more than instructed": "记账多于应发",
    "booked, and reported as failed": "已记账而回盘称失败",
    "came back, and reported as credited": "已退回而回盘称入账",
    "booked with less than instructed, and reported as credited": "记账少于应发而回盘称入账",
    "{} entries have references of ours to items that no file of ours has": (
        "{} 条记账带有我方编号,但我方文件中均无此项"
    ),
    "code {} of the file is not in the layout": "文件返回码 {} 不在格式的码表中",
    "file {} has results already": "文件 {} 已有回盘结果",
    "file {} is not acknowledged: what is not listed may not have been taken": (
        "文件 {} 未获受理回执:未列的明细可能未被受理"
    ),
    "file {} is just being released": "文件 {} 正在发布",
    "finds payments by position only: account and amount must be echoed too": (
        "仅凭位置定位明细:还须回显账号和金额"
    ),
    "line {} echoes another payment than item {}": "第 {} 行回显的不是第 {} 项明细",
    "{} of a record is more than {}: it is no amount": "某条记录的 {} 超过 {}:不是金额",
    (
        "{} records have a blank where the code of success would be,"
        " and nothing else proves that they were paid"
    ): "{} 条记录成功码处为空,且别无凭据证明已付",
    "says that payments failed or came back, and {} may say that they were paid": (
        "其中称有明细失败或退汇,而 {} 可能称其已付"
    ),
}
"""English to Chinese. `{}` is a place; a place in English has its own in Chinese, in the same order."""

NOT_MET_DAILY = frozenset(
    {
        # Events and lines of the log.
        *("bank's turn ended", "file not uploaded", "received file refused", "received file verified"),
        *("received file settled", "ledger behind its anchor", "file given up", "bank hold cleared"),
        *("received file judged again", "received file shown again"),
        "the bank sent the same bytes again, as {}",
        "file {} is acknowledged",
        # Commands, said as they are in every language.
        "bankgate layout check --bank {}",
        "bankgate held {} bank:{} --as NAME --key FILE",
        "chmod go-w {}, then {}",
        # Errors that stop a command.
        "reconcile with the bank before anything is sent",
    }
)
"""Other texts of the modules that make sentences."""

RULE = re.compile(r" \(rule ([a-z_-]{1,40}), plan section ([^\s,:]{1,12})\)\Z")
"""At the end of what a rule of the plan says."""
_YUAN = re.compile(r"(?<=\d) yuan\b")
_BETWEEN = "; "
_LONGEST = 1000
"""Characters. Names in a sentence may be a bank's, and it is searched for many patterns."""


class Twins:
    """A table of English texts and their Chinese twins: `{}` is a place, in Chinese also by its number."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table

    def exact(self, english: str) -> str | None:
        """The twin of a text without places."""
        return self._table.get(english)

    def find(self, english: str, inner: Callable[[str], str]) -> str | None:
        """The twin, with what stands in its places said by `inner`; None where no text of the table fits."""
        if len(english) > _LONGEST:
            return None
        for pattern, chinese in self._patterns:
            if found := pattern.fullmatch(english):
                return chinese.format(*map(inner, found.groups()))
        return None

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """The most particular ones first: a text with more words of its own is meant."""
        ordered = sorted(self._table, key=lambda english: -len(english.replace("{}", "")))
        return [
            (
                re.compile("(.+?)".join(map(re.escape, english.split("{}"))), re.DOTALL),
                self._table[english],
            )
            for english in ordered
        ]


_SENTENCES = Twins(SENTENCES)


def in_chinese(english: str) -> str:
    """The sentence in Chinese, as far as the table knows it."""
    if len(english) > _LONGEST:
        return english
    if ruled := RULE.search(english):
        return f"{in_chinese(english[: ruled.start()])}(规则 {ruled[1]},方案 {ruled[2]})"
    if (said := _SENTENCES.find(english, in_chinese)) is not None:
        return said
    if _BETWEEN in english:
        return ";".join(map(in_chinese, english.split(_BETWEEN)))
    before, colon, rest = english.partition(": ")
    if colon and (said := in_chinese(rest)) != rest:
        return f"{in_chinese(before)}:{said}"
    return _YUAN.sub(" 元", english)

"""Words of reports, in Chinese and English: a page shows both."""

from __future__ import annotations

from enum import Enum

from gateway.rules.fates import SHORT, UNDER_WAY, UNPAID
from gateway.texts import Words as Texts

_CHINESE, _ENGLISH = Texts("zh"), Texts("en")


class Words(Enum):
    """Chinese and English."""

    STATES = ("发放情况", "What became of it")
    INSTRUCTED = ("应发", "To be paid")
    CREDITED = ("已到账", "Credited")
    UNPAID = ("仍未发放", "Not paid, and nothing is under way")
    REISSUED = ("另有补发", "besides, handed over again")
    EARLIER = ("另有补发以往款项", "besides, again what was instructed earlier")
    AGAIN = ("其中补发到账", "of that, paid again and arrived")
    AGAIN_ARRIVED = ("已补发到账", "Paid again and arrived")
    UNDER_WAY = ("补发在途", "Being paid again, not arrived yet")
    ELSEWHERE = ("另笔计列", "Counted as another payment")
    REMAINING = ("尚待处理", "Still to be paid or cleared up")
    REFUSED = ("被拒的重复补发(无须发放)", "Refused repeats (nothing to be paid)")
    DEPARTMENT = ("发放部门", "Department")
    BY_CARD = ("社保卡笔数", "By card")
    BY_PASSBOOK = ("一本通笔数", "By passbook")
    CARD = ("社保卡", "card")
    PASSBOOK = ("一本通", "passbook")
    PERCENT = ("占比", "Share")
    ALL = ("合计", "All")
    UNIT = ("笔", "")
    ON_THE_WAY = ("在途", "On the way")
    DOUBTFUL = ("待查", "In doubt")
    TAKEN_BACK = ("已撤回", "Withdrawn")
    WAITING = ("待人工处理", "Held for a person")
    OPEN = ("结果未定", "Outcome not known yet")
    PROGRAMME = ("补贴项目", "Programme")
    BANK = ("合作银行", "Bank")
    PART_OF_OPEN = ("其中已部分入账", "of that, credited in part")
    ADDS_UP = (
        "应发(及补发的以往款项)= 已到账 + 补发在途 + 结果未定 + 仍未发放 + 已撤回",
        "What is to be paid is credited, being paid again, open, not paid and withdrawn",
    )
    INSTRUCTED_COUNT = ("应发笔数", "To be paid, payments")
    INSTRUCTED_AMOUNT = ("应发(元)", "To be paid, yuan")
    REISSUED_COUNT = ("另有补发笔数", "Besides, again, payments")
    REISSUED_AMOUNT = ("另有补发(元)", "Besides, again, yuan")
    CREDITED_COUNT = ("已到账笔数", "Credited, payments")
    COUNT = ("笔数", "Payments")
    AMOUNT = ("金额(元)", "Yuan")
    CREDITED_AMOUNT = ("已到账(元)", "Credited, yuan")
    KEPT_AMOUNT = ("实发(元),含部分入账", "With payees, yuan, also in part")
    OTHERS = ("其余笔数", "Others, payments")
    OTHERS_AMOUNT = ("其余(元)", "Others, yuan")
    PART_AMOUNT = ("其余中已部分入账(元)", "Of others credited in part, yuan")
    SUMS_NOTE = (
        "每行:应发 + 另有补发 = 已到账 + 其余。部分入账的不算已到账",
        "In each line what is to be paid, and again, is credited and others; what came in part is of others",
    )
    TO_FIRST_PAGE = ("各表合计与首页已到账", "From these totals to what is credited on the first page")
    TABLES_CREDITED = ("各表合计:已到账", "Credited, all lines")
    PLUS_SHORT = ("加:部分入账,余额另行补发或仍未发放", "Plus: credited in part for good, the rest apart")
    PLUS_OUTSIDE = ("加:在本报告以外的批次补发到账", "Plus: paid again by batches outside of this report")
    FIRST_PAGE = ("首页:已到账", "Credited, first page")
    STEP = ("项目", "Step")
    REASONS = ("未到账原因", "Why payments did not arrive")
    REASONS_NOTE = (
        "按交付的每一笔计,同一款项补发再失败的再计一次;首页的“仍未发放”和“结果未定”只是其中“尚待处理”的",
        "Each payment handed over counts, a repeat that failed too; on the first page stand those alone"
        " that are still to be paid or cleared up",
    )
    REASON = ("原因", "Reason")
    STATE = ("状态", "State")
    OPEN_SINCE = ("结果未定的,自何时起", "What is open, and since when")
    SINCE = ("提交日期", "Handed over")
    DAYS = ("天数", "Days")
    BREACHES = ("银行逾期反馈", "Answers that came late or not at all")
    FILE = ("代发文件", "File")
    DUE = ("应反馈时间", "Due")
    HOURS_LATE = ("逾期小时", "Hours late")
    SHARE = ("社保卡发放占比", "Share carried by card")
    TARGET = ("目标", "target")
    EARLIER_TARGETS = ("阶段目标", "earlier targets")
    REACHED = ("已达到", "reached")
    MISSED = ("未达到", "missed")
    RECOVERIES = ("错发资金追回", "Wrong payments that are asked back")
    RECOVERIES_NOTE = (
        "追回不改变发放结果;已到账金额未扣除追回款",
        "A recovery changes no result; no credited amount above has it taken off",
    )
    GROUND = ("依据", "Ground")
    ASKED_BACK = ("应追回(元)", "Asked back, yuan")
    CAME_BACK = ("已追回(元)", "Came back, yuan")
    OUTSTANDING = ("未追回(元)", "Outstanding, yuan")
    OUTSTANDING_SINCE = ("最早立案日", "Outstanding since")
    STATEMENTS = ("回盘与对账单核对", "Results against statements")
    STATEMENTS_NOTE = (
        "均为扣除退汇后的净额;有差额的请向银行核实",
        "Both net of what came back; ask the bank about differences",
    )
    BY_RESULTS = ("回盘(元)", "By results, yuan")
    BY_STATEMENTS = ("对账单(元)", "By statements, yuan")
    DIFFERENCE = ("差额(元)", "Difference, yuan")
    CHARGED = ("违规收费", "Charged by banks")
    CHARGED_NOTE = (
        "银行不得收费。“由收款人承担”的已从收款人的到账金额中扣下,应予补足;其余未动到账金额",
        "Banks may not charge. What payees bore was taken off what they were credited and is to be made good;"
        " the rest changed no credited amount",
    )
    CHARGES = ("收费次数", "Charges")
    PAYEES_BORE = ("由收款人承担(元)", "Borne by payees, yuan")
    TIMES = ("次", "")
    CONTENTS = ("目录", "Contents")
    EMPTY = ("没有任何批次:本报告是空的", "No batch at all: this report is empty")


KINDS_OF_STATES: dict[Words, tuple[str, tuple[str, ...]]] = {
    Words.CREDITED: ("#2e7d32", ("credited",)),
    Words.ON_THE_WAY: ("#1f5fa8", ("accepted", "dispatched")),
    Words.WAITING: ("#8e5bb5", ("held",)),
    Words.DOUBTFUL: ("#e0a100", ("unknown", "discrepant")),
    Words.UNDER_WAY: ("#00838f", (UNDER_WAY,)),
    Words.UNPAID: ("#c62828", UNPAID),
    Words.TAKEN_BACK: ("#777777", ("withdrawn",)),
}
"""Every state of a payment, and of money that is paid again, in one kind, with its colour."""


GROUNDS: dict[str, tuple[str, str]] = {
    "wrong-person": ("付错人", "paid to the wrong person"),
    "too-much": ("多付", "too much was paid"),
    "paid-twice": ("重复发放", "paid twice"),
    "not-entitled": ("不符合享受条件", "not entitled, or no more"),
}
"""Why money is asked back."""


_OF_MONEY: dict[str, tuple[str, str]] = {
    UNDER_WAY: Words.UNDER_WAY.value,
    SHORT: ("少付余额未发放", "Paid short, the rest is not paid"),
}


def state_words(state: str) -> tuple[str, str]:
    """A payment's state, or that of its money, in both languages."""
    if state in _OF_MONEY:
        return _OF_MONEY[state]
    return _CHINESE.state(state), _ENGLISH.state(state)

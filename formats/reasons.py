"""What can become of a payment, and why: two closed lists with labels in Chinese and English.

A bank's own codes are not here; its layout maps them into these words. A code that the
layout does not list is `Reason.UNMAPPED`, hence `Status.UNKNOWN`: a wrong "failed" would
be paid twice, a wrong "unknown" only costs a person's look.
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What became of one payment, as one outcome states it."""

    CREDITED = "credited"
    DISCREPANT = "discrepant"
    FAILED = "failed"
    RETURNED = "returned"
    UNKNOWN = "unknown"
    SET_ASIDE = "set_aside"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> tuple[str, str]:
        """Chinese and English, for people."""
        return _STATUS_LABELS[self]


class Reason(StrEnum):
    """Why. `NONE` stands beside a plain success and nowhere else."""

    NONE = ""
    ACCOUNT_NOT_FOUND = "ACCOUNT_NOT_FOUND"
    NAME_MISMATCH = "NAME_MISMATCH"
    ID_MISMATCH = "ID_MISMATCH"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"
    ACCOUNT_FROZEN = "ACCOUNT_FROZEN"
    ACCOUNT_RESTRICTED = "ACCOUNT_RESTRICTED"
    NOT_ACTIVATED = "NOT_ACTIVATED"
    DORMANT = "DORMANT"
    CARD_LOST = "CARD_LOST"
    WRONG_ACCOUNT_TYPE = "WRONG_ACCOUNT_TYPE"
    BANK_MISMATCH = "BANK_MISMATCH"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    AMOUNT_LIMIT = "AMOUNT_LIMIT"
    DUPLICATE = "DUPLICATE"
    BATCH_REJECTED = "BATCH_REJECTED"
    PAYER_FUNDS = "PAYER_FUNDS"
    RETURNED = "RETURNED"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    PAID_SHORT = "PAID_SHORT"
    PAID_PERHAPS = "PAID_PERHAPS"
    REFUSED_IN_DOUBT = "REFUSED_IN_DOUBT"
    CREDITED_ELSEWHERE = "CREDITED_ELSEWHERE"
    PAID_TWICE = "PAID_TWICE"
    NO_CARD = "NO_CARD"
    NAME_NOT_ENCODABLE = "NAME_NOT_ENCODABLE"
    NAME_TOO_LONG = "NAME_TOO_LONG"
    FIELD_INVALID = "FIELD_INVALID"
    INVALID_ID = "INVALID_ID"
    INVALID_ACCOUNT = "INVALID_ACCOUNT"
    INVALID_PAYEE = "INVALID_PAYEE"
    UNKNOWN_BANK = "UNKNOWN_BANK"
    NOT_ENTRUSTED = "NOT_ENTRUSTED"
    PROGRAMME_NOT_LISTED = "PROGRAMME_NOT_LISTED"
    PROGRAMME_CLASSIFIED = "PROGRAMME_CLASSIFIED"
    DEPARTMENT_NOT_PERMITTED = "DEPARTMENT_NOT_PERMITTED"
    PERIOD_UNUSUAL = "PERIOD_UNUSUAL"
    REPEAT_IN_PERIOD = "REPEAT_IN_PERIOD"
    REISSUE_REFUSED = "REISSUE_REFUSED"
    OTHER_PERSONS_ACCOUNT = "OTHER_PERSONS_ACCOUNT"
    ON_HOLD = "ON_HOLD"
    WITHDRAWN = "WITHDRAWN"
    CONFIRMED_UNPAID = "CONFIRMED_UNPAID"
    SYSTEM = "SYSTEM"
    TIMED_OUT = "TIMED_OUT"
    IN_PROGRESS = "IN_PROGRESS"
    CONTRADICTED = "CONTRADICTED"
    UNMAPPED = "UNMAPPED"

    @property
    def label(self) -> tuple[str, str]:
        """Chinese and English, for people."""
        return _REASON_LABELS[self]


_STATUS_LABELS: dict[Status, tuple[str, str]] = {
    Status.CREDITED: ("已入账", "credited"),
    Status.DISCREPANT: ("账实不符", "discrepant"),
    Status.FAILED: ("发放失败", "failed"),
    Status.RETURNED: ("退汇", "returned"),
    Status.UNKNOWN: ("结果待查", "unknown"),
    Status.SET_ASIDE: ("退回核实", "set aside"),
    Status.WITHDRAWN: ("撤回", "withdrawn"),
}

_REASON_LABELS: dict[Reason, tuple[str, str]] = {
    Reason.NONE: ("成功", "success"),
    Reason.ACCOUNT_NOT_FOUND: ("账号不存在", "account not found"),
    Reason.NAME_MISMATCH: ("户名不符", "name does not match the account"),
    Reason.ID_MISMATCH: ("证件不符", "ID does not match the account"),
    Reason.ACCOUNT_CLOSED: ("已销户", "account closed"),
    Reason.ACCOUNT_FROZEN: ("账户冻结", "account frozen"),
    Reason.ACCOUNT_RESTRICTED: ("账户状态异常", "account restricted"),
    Reason.NOT_ACTIVATED: ("金融账户未激活", "financial account not activated"),
    Reason.DORMANT: ("久悬户", "account dormant"),
    Reason.CARD_LOST: ("卡已挂失", "card reported lost"),
    Reason.WRONG_ACCOUNT_TYPE: ("账户类型不符", "wrong type of account"),
    Reason.BANK_MISMATCH: ("行别不符", "account is at another bank"),
    Reason.AMOUNT_INVALID: ("金额非法", "amount invalid"),
    Reason.AMOUNT_LIMIT: ("金额超限", "amount over a limit"),
    Reason.DUPLICATE: ("批号或明细重复", "bank says duplicate"),
    Reason.BATCH_REJECTED: ("整批被拒", "whole file rejected"),
    Reason.PAYER_FUNDS: ("付款账户余额不足", "payer account lacks funds"),
    Reason.RETURNED: ("成功后退汇", "returned after success"),
    Reason.AMOUNT_DIFFERS: ("实发与应发不符", "credited amount differs from the instructed one"),
    Reason.PAID_PERHAPS: (
        "账本恢复前可能已付",
        "perhaps paid by a file that was lost with the ledger",
    ),
    Reason.REFUSED_IN_DOUBT: (
        "应予退回,但账本恢复前可能已付",
        "to be set aside, and perhaps paid by a file that was lost with the ledger",
    ),
    Reason.PAID_SHORT: ("少付且不补足", "credited too little, and the bank makes up nothing"),
    Reason.CREDITED_ELSEWHERE: ("入账账号或户名与指令不符", "credited to another account or name"),
    Reason.PAID_TWICE: ("重复入账", "credited by two files"),
    Reason.NO_CARD: ("无可用社保卡账户", "no usable card account"),
    Reason.NAME_NOT_ENCODABLE: ("户名含银行无法书写的字", "name has a character the bank cannot write"),
    Reason.NAME_TOO_LONG: ("户名超长", "name too long for the bank"),
    Reason.FIELD_INVALID: ("字段不合规", "a field does not fit the bank's format"),
    Reason.INVALID_ID: ("证件号码错误", "ID number invalid"),
    Reason.INVALID_ACCOUNT: ("账号错误", "account number invalid"),
    Reason.INVALID_PAYEE: ("收款人信息不合规", "payee does not fit the plan's rules"),
    Reason.UNKNOWN_BANK: ("合作银行未登记", "bank has no profile"),
    Reason.NOT_ENTRUSTED: ("未签委托协议", "no agreement entrusts this programme to this bank"),
    Reason.PROGRAMME_NOT_LISTED: ("补贴项目未列入目录", "programme not in the catalogue"),
    Reason.PROGRAMME_CLASSIFIED: ("涉密项目", "classified programme"),
    Reason.DEPARTMENT_NOT_PERMITTED: ("部门无权发放该项目", "department may not pay this programme"),
    Reason.PERIOD_UNUSUAL: ("补贴期间与发放周期不符", "period is not of the programme's form"),
    Reason.REPEAT_IN_PERIOD: ("同期重复", "repeated within the period"),
    Reason.REISSUE_REFUSED: ("补发不合规", "may not replace the payment it names"),
    Reason.OTHER_PERSONS_ACCOUNT: ("他人账户", "another person's account"),
    Reason.ON_HOLD: ("人工暂停", "stopped by a person before it left"),
    Reason.WITHDRAWN: ("发出前撤回", "taken back before it left"),
    Reason.CONFIRMED_UNPAID: ("银行书面确认未入账", "the bank confirmed in writing that nothing was paid"),
    Reason.SYSTEM: ("银行系统错误", "bank system error"),
    Reason.TIMED_OUT: ("处理超时", "bank timed out"),
    Reason.IN_PROGRESS: ("处理中", "in progress at the bank"),
    Reason.CONTRADICTED: ("回盘前后矛盾", "results contradict one another"),
    Reason.UNMAPPED: ("未登记的银行返回码", "bank code not in the layout's table"),
}

_BANK_REFUSES = (Status.FAILED,)
_GATEWAY_REFUSES = (Status.SET_ASIDE,)

PERMITTED: dict[Reason, tuple[Status, ...]] = {
    Reason.NONE: (Status.CREDITED,),
    Reason.ACCOUNT_NOT_FOUND: _BANK_REFUSES,
    Reason.NAME_MISMATCH: _BANK_REFUSES,
    Reason.ID_MISMATCH: _BANK_REFUSES,
    Reason.ACCOUNT_CLOSED: _BANK_REFUSES,
    Reason.ACCOUNT_FROZEN: _BANK_REFUSES,
    Reason.ACCOUNT_RESTRICTED: _BANK_REFUSES,
    Reason.NOT_ACTIVATED: _BANK_REFUSES,
    Reason.DORMANT: _BANK_REFUSES,
    # Many banks credit a lost card all the same.
    Reason.CARD_LOST: (Status.FAILED, Status.CREDITED),
    Reason.WRONG_ACCOUNT_TYPE: _BANK_REFUSES,
    Reason.BANK_MISMATCH: _BANK_REFUSES,
    Reason.AMOUNT_INVALID: (Status.FAILED, Status.SET_ASIDE),
    Reason.AMOUNT_LIMIT: (Status.FAILED, Status.SET_ASIDE),
    # "Failed" only in a layout that cites the bank's word; the layout language checks that.
    Reason.DUPLICATE: (Status.UNKNOWN, Status.FAILED),
    Reason.SYSTEM: (Status.UNKNOWN, Status.FAILED),
    Reason.BATCH_REJECTED: _BANK_REFUSES,
    Reason.PAYER_FUNDS: _BANK_REFUSES,
    # A return that does not say how much came back is unknown until a person knows.
    Reason.RETURNED: (Status.RETURNED, Status.UNKNOWN),
    Reason.AMOUNT_DIFFERS: (Status.DISCREPANT,),
    # Said by two persons: the bank wrote that it stays so.
    Reason.PAID_SHORT: (Status.DISCREPANT,),
    Reason.CREDITED_ELSEWHERE: (Status.DISCREPANT,),
    # A payment that left in two files, the first of which was given up on a wrong word.
    Reason.PAID_TWICE: (Status.DISCREPANT,),
    Reason.NO_CARD: _GATEWAY_REFUSES,
    Reason.NAME_NOT_ENCODABLE: _GATEWAY_REFUSES,
    Reason.NAME_TOO_LONG: _GATEWAY_REFUSES,
    Reason.FIELD_INVALID: _GATEWAY_REFUSES,
    Reason.INVALID_ID: _GATEWAY_REFUSES,
    Reason.INVALID_ACCOUNT: _GATEWAY_REFUSES,
    Reason.INVALID_PAYEE: _GATEWAY_REFUSES,
    Reason.UNKNOWN_BANK: _GATEWAY_REFUSES,
    Reason.NOT_ENTRUSTED: _GATEWAY_REFUSES,
    # Held payments have no outcome yet; a programme that is listed later may set them aside.
    Reason.PROGRAMME_NOT_LISTED: (),
    Reason.PROGRAMME_CLASSIFIED: _GATEWAY_REFUSES,
    Reason.DEPARTMENT_NOT_PERMITTED: _GATEWAY_REFUSES,
    Reason.PERIOD_UNUSUAL: (),
    Reason.REPEAT_IN_PERIOD: (),
    Reason.REISSUE_REFUSED: _GATEWAY_REFUSES,
    Reason.OTHER_PERSONS_ACCOUNT: _GATEWAY_REFUSES,
    # Held payments have no outcome yet.
    Reason.ON_HOLD: (),
    Reason.PAID_PERHAPS: (),
    Reason.REFUSED_IN_DOUBT: (),
    Reason.WITHDRAWN: (Status.WITHDRAWN,),
    # Said by two persons, never by a bank's code.
    Reason.CONFIRMED_UNPAID: (Status.FAILED,),
    Reason.TIMED_OUT: (Status.UNKNOWN,),
    Reason.IN_PROGRESS: (Status.UNKNOWN,),
    Reason.CONTRADICTED: (Status.UNKNOWN, Status.DISCREPANT),
    Reason.UNMAPPED: (Status.UNKNOWN,),
}
"""The statuses that may stand beside each reason; a layout's code table is held to it."""

NEEDS_SOURCE: frozenset[Reason] = frozenset({Reason.DUPLICATE, Reason.SYSTEM})
"""Reasons that may mean "failed" only where the layout cites the bank's written word."""

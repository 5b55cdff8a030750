"""The one table of fields of the standard batch.

Readers, writers, check messages and `docs/standard-batch.md` derive from it. A header may be
the English name or any of the Chinese ones; the first Chinese name is the one we write.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from formats.records import AccountKind, PayeeKind, PayeeRole


class Kind(StrEnum):
    """What a field holds, hence how it is checked."""

    IDENTIFIER = "identifier"
    CODE = "code"
    TEXT = "text"
    NAME = "name"
    ID_NUMBER = "ID number"
    ACCOUNT = "account"
    AMOUNT = "amount"
    BANK_CODE = "bank code"
    CARD_NUMBER = "card number"
    CHOICE = "choice"
    COUNT = "count"


class Presence(StrEnum):
    """Whether a value must be there."""

    REQUIRED = "required"
    ENVELOPE = "row or envelope"
    """In the row, or inherited from the envelope."""
    WITH_CARD = "column required"
    """The column must be there; a payment without card leaves it empty and is set aside."""
    OPTIONAL = "optional"


class Field(Struct, frozen=True, kw_only=True):
    """One field: its attribute in the record, its headers, and its rule.

    `limit` counts characters. `choices` maps what a file may say to the value it means.
    """

    attribute: str
    english: str
    chinese: tuple[str, ...]
    presence: Presence
    kind: Kind
    limit: int
    rule: str
    choices: dict[str, str] = {}
    default: str = ""

    @property
    def text_cell_only(self) -> bool:
        """A spreadsheet must hold it as text: as a number it loses digits or leading zeros."""
        return self.kind in _TEXT_CELL_KINDS


_TEXT_CELL_KINDS = frozenset(
    {Kind.IDENTIFIER, Kind.ID_NUMBER, Kind.ACCOUNT, Kind.BANK_CODE, Kind.CARD_NUMBER, Kind.NAME}
)

ACCOUNT_KINDS = {
    "card": AccountKind.CARD.value,
    "社保卡": AccountKind.CARD.value,
    "卡": AccountKind.CARD.value,
    "passbook": AccountKind.PASSBOOK.value,
    "一本通": AccountKind.PASSBOOK.value,
    "存折": AccountKind.PASSBOOK.value,
    "一本通存折": AccountKind.PASSBOOK.value,
}
PAYEE_KINDS = {
    "person": PayeeKind.PERSON.value,
    "个人": PayeeKind.PERSON.value,
    "household": PayeeKind.HOUSEHOLD.value,
    "家庭": PayeeKind.HOUSEHOLD.value,
    "户": PayeeKind.HOUSEHOLD.value,
    "organisation": PayeeKind.ORGANISATION.value,
    "单位": PayeeKind.ORGANISATION.value,
    "机构": PayeeKind.ORGANISATION.value,
}
PAYEE_ROLES = {
    "self": PayeeRole.SELF.value,
    "本人": PayeeRole.SELF.value,
    "household_head": PayeeRole.HOUSEHOLD_HEAD.value,
    "户主": PayeeRole.HOUSEHOLD_HEAD.value,
    "household_designated": PayeeRole.HOUSEHOLD_DESIGNATED.value,
    "家庭指定": PayeeRole.HOUSEHOLD_DESIGNATED.value,
    "other": PayeeRole.OTHER.value,
    "其他": PayeeRole.OTHER.value,
}


def _field(
    attribute: str,
    chinese: str,
    kind: Kind,
    limit: int,
    rule: str = "",
    presence: Presence = Presence.OPTIONAL,
    choices: dict[str, str] | None = None,
    default: str = "",
) -> Field:
    return Field(
        attribute=attribute,
        english=attribute.removesuffix("_minor"),
        chinese=tuple(chinese.split()),
        presence=presence,
        kind=kind,
        limit=limit,
        rule=rule,
        choices=choices or {},
        default=default,
    )


_REQUIRED, _ENVELOPE, _WITH_CARD = Presence.REQUIRED, Presence.ENVELOPE, Presence.WITH_CARD
_IDENTIFIER = "begins with a letter or digit, no spaces; no name, ID or account number in it"
_CODE = "no spaces around it"
_PERSON = "18 characters by GB 11643, 15 digits of before 1999, or three letters and 12 digits"
_EITHER = "an ID number as above or a credit code"
_YUAN = "yuan, at most two decimals, no separators"

PAYMENT_FIELDS: tuple[Field, ...] = (
    _field("payment_id", "明细编号 发放明细编号 明细号", Kind.IDENTIFIER, 64, _IDENTIFIER, _REQUIRED),
    _field(
        "amount_minor",
        "金额 发放金额 补贴金额 金额(元) 金额（元）",
        Kind.AMOUNT,
        16,
        f"{_YUAN}, more than 0",
        _REQUIRED,
    ),
    _field("bank", "合作银行 发卡银行", Kind.CODE, 64, _CODE, _WITH_CARD),
    _field("account", "账号 收款账号 银行账号", Kind.ACCOUNT, 32, "8 to 32 digits", _WITH_CARD),
    _field("account_kind", "账户类型 账户种类", Kind.CHOICE, 16, "", _WITH_CARD, ACCOUNT_KINDS),
    _field("beneficiary_name", "姓名 享受对象 享受对象姓名", Kind.NAME, 100, "", _REQUIRED),
    _field(
        "beneficiary_id",
        "身份证号 身份证号码 证件号码 享受对象证件号码",
        Kind.ID_NUMBER,
        18,
        f"{_PERSON}; of an organisation its credit code (GB 32100)",
        _REQUIRED,
    ),
    _field("department", "发放部门 主管部门", Kind.CODE, 64, _CODE, _ENVELOPE),
    _field("programme", "补贴项目 项目", Kind.CODE, 64, _CODE, _ENVELOPE),
    _field("period", "补贴期间 发放期间 期次", Kind.CODE, 32, _CODE, _ENVELOPE),
    _field("summary", "摘要", Kind.TEXT, 140, "taken from the envelope where empty"),
    _field("payee_kind", "对象类型 享受对象类型", Kind.CHOICE, 16, "", choices=PAYEE_KINDS, default="person"),
    _field(
        "payee_role",
        "收款人身份 收款人角色",
        Kind.CHOICE,
        24,
        "of a household payment household_head or household_designated, and of no other",
        choices=PAYEE_ROLES,
        default="self",
    ),
    _field(
        "payee_name",
        "收款人 收款人姓名 户名",
        Kind.NAME,
        100,
        "the beneficiary where empty; needed for other",
    ),
    _field("payee_id", "收款人证件号码 收款人身份证号", Kind.ID_NUMBER, 18, _EITHER),
    _field("payee_ground", "他人收款依据", Kind.TEXT, 200, "needed for other"),
    _field("designation_reference", "家庭指定书编号", Kind.CODE, 64, "needed for household_designated"),
    _field("household_id", "户编号", Kind.CODE, 64, _CODE),
    _field("custodian_name", "代管人 代管人姓名", Kind.NAME, 100, "needs a custody_ground"),
    _field("custodian_id", "代管人证件号码 代管人身份证号", Kind.ID_NUMBER, 18, _EITHER),
    _field("custody_ground", "代管依据", Kind.TEXT, 200, "needs a custodian_name"),
    _field("bank_code", "联行号 开户行行号", Kind.BANK_CODE, 12, "12 digits by ISO 7064 MOD 11,10"),
    _field("bank_name", "开户行名称 开户行 开户银行", Kind.TEXT, 140),
    _field("province", "省 省份", Kind.TEXT, 40),
    _field("city", "市 地市", Kind.TEXT, 40),
    _field("region", "区县 地区", Kind.TEXT, 40),
    _field("village", "村 村社区 村(社区) 村（社区）", Kind.TEXT, 100),
    _field(
        "social_card_number",
        "社保卡号 社会保障卡号",
        Kind.CARD_NUMBER,
        20,
        "printed on the card; up to 20 characters",
    ),
    _field(
        "reissue_of",
        "原明细编号 补发原明细编号",
        Kind.IDENTIFIER,
        64,
        "payment_id that this payment replaces",
    ),
    _field("reissue_ground", "补发原因 补发依据", Kind.TEXT, 200),
)

BATCH_FIELDS: tuple[Field, ...] = (
    _field("batch_id", "批次号 批次编号", Kind.IDENTIFIER, 64, _IDENTIFIER, _REQUIRED),
    _field("source_platform", "来源平台", Kind.CODE, 64, _CODE, _REQUIRED),
    _field("department", "发放部门 主管部门", Kind.CODE, 64, "what rows inherit"),
    _field("programme", "补贴项目 项目", Kind.CODE, 64, "what rows inherit"),
    _field("period", "补贴期间 发放期间 期次", Kind.CODE, 32, "what rows inherit"),
    _field("currency", "币种", Kind.CHOICE, 8, "", choices={"CNY": "CNY", "人民币": "CNY"}, default="CNY"),
    _field("declared_count", "总笔数 合计笔数", Kind.COUNT, 8, "every row, good and bad", _REQUIRED),
    _field(
        "declared_total_minor",
        "总金额 合计金额 总金额(元) 总金额（元）",
        Kind.AMOUNT,
        20,
        f"{_YUAN}; every row, good and bad",
        _REQUIRED,
    ),
    _field("summary", "摘要", Kind.TEXT, 140, "what rows inherit"),
    _field(
        "installation",
        "接收系统",
        Kind.CODE,
        64,
        "for which gateway the batch is, by its identity; another one refuses it",
    ),
)

PAYMENT_BY_ATTRIBUTE = {field.attribute: field for field in PAYMENT_FIELDS}


def header_index(fields: tuple[Field, ...]) -> dict[str, Field]:
    """Every accepted spelling of every header, lower case, to its field."""
    return {header.lower(): field for field in fields for header in (field.english, *field.chinese)}


def markdown_table(fields: tuple[Field, ...]) -> str:
    """The table as the documentation shows it."""
    rows = ["| column | 中文列名 | needed | kind | at most | rule |", "|---|---|---|---|---|---|"]
    for field in fields:
        chinese = ", ".join(field.chinese)
        rows.append(
            f"| `{field.english}` | {chinese} | {field.presence.value} | {field.kind.value} "
            f"| {field.limit} | {_rule(field)} |"
        )
    return "\n".join(rows) + "\n"


def _rule(field: Field) -> str:
    parts = [field.rule] if field.rule else []
    if field.choices:
        parts.append(", ".join(f"`{said}`" for said in field.choices))
    if field.default:
        parts.append(f"`{field.default}` where empty")
    return "; ".join(parts)

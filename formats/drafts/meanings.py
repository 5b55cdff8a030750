"""What a field of a paper means to a gateway, guessed from its name; and the codes that a remark lists.

Every meaning is a guess and is marked as one. A name that says nothing known gives `UNKNOWN`. What the
codes may mean is in `codes.py`.
"""

from __future__ import annotations

import re
from enum import StrEnum

from formats.codec import Purpose
from formats.drafts.paper import PaperRow, PaperTable
from formats.language.layout import UNKNOWN


class Part(StrEnum):
    """Which record of a file a table is."""

    HEADER = "header"
    PAYMENT = "payment"
    TRAILER = "trailer"


_PARTS = (
    (Part.TRAILER, re.compile(r"文件尾|尾记录|尾|trailer|footer|\btail\b", re.IGNORECASE)),
    (Part.PAYMENT, re.compile(r"明细|记录体|文件体|交易|detail|\bbody\b|payment|\bitems?\b", re.IGNORECASE)),
    (Part.HEADER, re.compile(r"文件头|头|汇总|总计|\bhead(?:er)?\b|summary|\btotals?\b", re.IGNORECASE)),
)

_TOTALS = (
    (r"成功.*(?:笔数|条数|记录数)|success.*(?:count|number)", "count", "credited"),
    (r"失败.*(?:笔数|条数|记录数)|fail.*(?:count|number)", "count", "not credited"),
    (r"成功.*金额|success.*amount", "sum", "credited"),
    (r"失败.*金额|fail.*amount", "sum", "not credited"),
    (r"笔数|条数|记录数|count|number of", "count", ""),
    (r"总额|金额|amount|total", "sum", ""),
)
_ROWS = (
    (r"手续费|费用|fee|charge", "fee.amount"),
    (r"(?:返回|响应|结果|错误|失败)(?:信息|说明|描述|原因)|message|reason", "outcome.bank_text"),
    (
        r"(?:返回|响应|结果|处理|错误|失败|状态).*(?:码|代码|标志)|处理结果|状态|result|return code|status",
        "outcome.code",
    ),
    (r"(?:入账|记账|处理)日期|value date", "outcome.value_date"),
    (r"银行流水|主机流水|核心流水|bank (?:serial|reference)", "outcome.serial"),
    (r"币种|币别|货币|currency", "profile.currency"),
    (r"付款.*(?:账号|帐号|卡号)|payer.*account", "agreement.payer_account"),
    (r"付款.*(?:户名|名称|姓名)|payer.*name", "agreement.payer_name"),
    (r"单位(?:编号|代码)|企业(?:编号|代码)|客户号|unit|company id", "agreement.unit_no"),
    (r"业务(?:编号|代码|号)|协议(?:编号|号)|合同号|agreement|business no", "agreement.business_no"),
    (r"联行号|行号|bank code|routing", "payment.bank_code"),
    (r"开户行|银行名称|行名|bank name", "payment.bank_name"),
    (r"证件号|身份证|id (?:no|number)|identity", "payment.beneficiary_id"),
    (r"账号|帐号|卡号|账户号|account|card", "payment.account"),
    (r"户名|姓名|收款人|名称|payee|name", "payment.payee_name"),
    (r"金额|amount|\bamt\b", "payment.amount"),
    (r"流水号|明细号|唯一|客户键|业务号|reference|serial", "attempt.reference  key"),
    (r"序号|顺序号|编号|sequence|\bseq\b|item no", "= number  key"),
    (r"摘要|用途|附言|summary|purpose|narrative", "payment.summary"),
    (r"备用|保留|预留|空格|填充|reserved|filler", "blank"),
)
_FILE = (
    (r"批次号|批号|文件序号|file (?:sequence|number)|batch no", "file.sequence"),
    (r"原文件名|original file", "file.original_name"),
    (r"文件名|file name", "file.name"),
    (r"时间|time", "file.created_at"),
    (r"日期|date", "file.bank_day"),
    *(
        (words, meaning)
        for words, meaning in _ROWS
        if not meaning.startswith(("payment.", "attempt.", "= number", "outcome.", "fee."))
    ),
    (r"(?:返回|响应|结果|处理).*(?:码|代码|标志)|处理结果|状态|result|return code|status", "file.code"),
    (r"(?:返回|响应)(?:信息|说明|描述)|message", "file.text"),
    (r"账号|帐号|account", "agreement.payer_account"),
    (r"户名|name", "agreement.payer_name"),
)

_BRACKETS = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]")
"""In names: 收款人账(卡)号 is an account."""

_MARK = re.compile(
    r"记录(?:标志|标识|类型|类别)|数据类型标志|行标志|record (?:type|mark|id)|line type", re.IGNORECASE
)
_VALUE = r"[\"'“‘]?([0-9A-Za-z]{1,12})[\"'”’]?"
_FIXED = re.compile(
    r"(?:固定|恒|\b(?:fixed|constant|always)\b)\s*(?:值|为|填写?|value|to)*\s*[:=]?\s*"
    r"(?!(?:length|width|size|format|point|field|(?-i:by|in|and|at|with|the|an?))\b)"
    rf"{_VALUE}(?!\s*(?:[0-9A-Za-z]|位|字节|个|bytes))",
    re.IGNORECASE,
)
_FILLED = re.compile(rf"(?:填写?|为|=|值)\s*(?:值|为|填)?\s*[:=]?\s*{_VALUE}[。.]?")
"""The whole remark: within a sentence 为 and 填 say lengths, limits and what stands for nothing."""
_ALONE = re.compile(_VALUE)
_WORDS_END = re.compile(r"[\s;,；，、。|/\"'“”‘’]+$")
_CODE = re.compile(
    r"(?<![0-9A-Za-z])[\"'“‘]?([0-9A-Za-z]{1,10})[\"'”’]?\s*(?:[-:=—–~、]|\s|(?=[一-鿿]))\s*"
    r"([一-鿿A-Za-z][^;,；，。|/\n]*?)(?=\s*(?:[;,；，。|/\n]|$|\s[\"'“‘]?[0-9A-Za-z]{1,10}[\"'”’]?\s*[-:=—–~]|\s\d|\s[\"'“‘]?[0-9A-Za-z]{1,10}[\"'”’]?\s*[一-鿿]))"
)


def guess_part(table: PaperTable, place: int, count: int) -> Part:
    """Which record a table is: by its title, else by what stands in it, else by its place."""
    for part, words in _PARTS:
        if words.search(table.title):
            return part
    names = " ".join(row.name for row in table.rows)
    if re.search(r"账号|帐号|卡号|account", names) and re.search(r"金额|amount", names, re.IGNORECASE):
        return Part.PAYMENT
    return Part.HEADER if place == 0 and count > 1 else Part.TRAILER if place else Part.PAYMENT


def guess_meaning(row: PaperRow, part: Part, purpose: Purpose) -> str:
    """The meaning, or `UNKNOWN`; constants come from `guess_constant`."""
    for words in dict.fromkeys((_BRACKETS.sub("", row.name), row.name)):
        name = f"{words} {row.other_name.replace('_', ' ')}".lower()
        if (meaning := _meaning_of(name, part, purpose)) != UNKNOWN:
            return meaning
    return UNKNOWN


def _meaning_of(name: str, part: Part, purpose: Purpose) -> str:
    if part is not Part.PAYMENT:
        total = _total(name, purpose)
        if total:
            return total
    for words, meaning in _ROWS if part is Part.PAYMENT else _FILE:
        if re.search(words, name):
            return _for_purpose(meaning, purpose)
    return UNKNOWN


def _total(name: str, purpose: Purpose) -> str:
    amount = "payment.amount" if purpose is Purpose.REQUEST else "outcome.amount"
    for words, kind, condition in _TOTALS:
        if re.search(words, name):
            counted = "payment" if kind == "count" else amount
            status = (
                "" if not condition else f" where status {'not ' if 'not' in condition else ''}in credited"
            )
            return f"= {kind}({counted}{status})"
    return ""


def _for_purpose(meaning: str, purpose: Purpose) -> str:
    """As an answer has it: our own values come back as echoes, and the amount is the outcome's."""
    family = meaning.partition(".")[0]
    if purpose is Purpose.REQUEST:
        return "blank" if family in ("outcome", "fee") else meaning
    if meaning == "payment.amount":
        return "outcome.amount"
    if meaning == "= number  key":
        return "attempt.item  key"
    return f"<{meaning}" if family == "payment" else meaning


def guess_constant(row: PaperRow, part: Part) -> str:
    """The text of a constant: said to be fixed, or of a record's mark the one for this record.

    Whom a payment pays, how much, and what is counted is never one.
    """
    if is_mark(row):
        for code, words in listed_codes(row.remark):
            if next((known for known, pattern in _PARTS if pattern.search(words)), None) is part:
                return code
    elif guess_meaning(row, part, Purpose.REQUEST).startswith(("payment.", "attempt.", "=")):
        return ""
    match = (
        _FIXED.search(row.remark)
        or _FILLED.fullmatch(row.remark)
        or (_ALONE.fullmatch(row.remark) if is_mark(row) else None)
    )
    return "" if match is None else match[1]


def is_mark(row: PaperRow) -> bool:
    """Whether the field says which record its line is."""
    return bool(_MARK.search(f"{row.name} {row.other_name.replace('_', ' ')}"))


def listed_codes(remark: str) -> list[tuple[str, str]]:
    """`0-成功;1-失败` as codes with their words: all that stands before the next code.

    `0-成功,但未入账` is no success: what goes on behind a comma belongs to the code.
    """
    found = list(_CODE.finditer(remark))
    ends = [*(match.start() for match in found[1:]), len(remark)]
    return [
        (match[1], _WORDS_END.sub("", match[2] + remark[match.end() : end]).strip())
        for match, end in zip(found, ends, strict=False)
    ]

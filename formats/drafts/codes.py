"""The codes that a paper lists, field by field, and what each may mean: proposals, none of them in force.

A wrong "credited" hides a payment that failed, a wrong "failed" is paid twice. So `credited` is proposed
for a plain success alone, with nothing before or behind it; a failure only where no word of success stands
beside it; and the codes of one field are never taken for those of another, since `0` of a header may say
"taken" and `0` of a payment "no such account".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from formats.codec import Purpose
from formats.drafts.meanings import Part, guess_meaning, is_mark, listed_codes
from formats.drafts.paper import PaperRow
from formats.drafts.parts import DraftOrder, Written, one_line
from formats.language.layout import UNKNOWN
from formats.reasons import Reason, Status
from formats.tools.documents import aligned

PROPOSED = "#?"
"""The mark before a code that means nothing yet."""

_PLAIN_SUCCESS = re.compile(
    r"(?:交易|处理|入账|记账|发放|代发)?成功|成功入账|已入账"
    r"|(?:transaction |payment )?(?:success|successful|succeeded)|successfully (?:paid|credited)"
    r"|paid|credited|ok"
)
"""All that the paper says of the code, to the last letter."""

_SUCCESS_WORDS = re.compile(
    r"成功|已入账|已记账|已到账|已付|已扣|success|succeeded|\b(?:paid|credited|booked|ok)\b"
)
_NO_SUCCESS = re.compile(
    r"不成功|未成功|非成功|unsuccess\w*|not (?:be )?(?:successful|succeeded|paid|credited|booked)"
)
_DOUBT = re.compile(r"疑似|可能|或许|待|核实|未知|不明|不确定|\b(?:may|might|perhaps|possibly|suspect)")
_FAILED = re.compile(r"失败|拒绝|\bfail|\breject")
_NOT_AT_ALL = re.compile(r"失败|未|非|\b(?:not|no|fail\w*)\b")

_WRONG = r".{0,6}(?:不符|不一致|不匹配|不相符|有误|错)"
_WRONG_ENGLISH = r"\b.{0,12}\b(?:mismatch|differs?|does not match|not match|wrong)"

_UNKNOWN_OUTCOMES = (
    (r"处理中|待处理|在途|\bprocessing\b|\bpending\b|\bin progress\b", Reason.IN_PROGRESS),
    (r"超时|\btime-?out\b|\btimed out\b", Reason.TIMED_OUT),
    (r"重复|\bduplicate", Reason.DUPLICATE),
    (r"系统|主机|\bsystem\b", Reason.SYSTEM),
)
_FAILURES = (
    (rf"(?:户名|姓名){_WRONG}|\bname{_WRONG_ENGLISH}|\bwrong name\b", Reason.NAME_MISMATCH),
    (rf"(?:证件|身份证){_WRONG}|\bid{_WRONG_ENGLISH}", Reason.ID_MISMATCH),
    (r"销户|\b(?:account|card)\b.*\bclosed\b|\bclosed account\b", Reason.ACCOUNT_CLOSED),
    (r"冻结|\baccount\b.*\bfrozen\b|\bfrozen account\b", Reason.ACCOUNT_FROZEN),
    (r"挂失|\bcard\b.*\blost\b|\blost card\b", Reason.CARD_LOST),
    (r"未激活|\bnot activated\b", Reason.NOT_ACTIVATED),
    (r"睡眠户|久悬|\bdormant\b", Reason.DORMANT),
    (r"余额不足|\binsufficient (?:funds|balance)\b", Reason.PAYER_FUNDS),
    (
        r"(?:账号|帐号|卡号|账户|帐户|账号户)(?:不存在|错|有误)|无此(?:账|帐|卡)|无效(?:账号|帐号|卡号)"
        r"|\baccount\b.*\b(?:not found|not exist|unknown)|\bno such account\b|\binvalid account(?: number)?$",
        Reason.ACCOUNT_NOT_FOUND,
    ),
    (
        r"金额(?:错|有误|非法|无效|不合法)|\b(?:invalid|wrong) amount\b|\bamount invalid\b",
        Reason.AMOUNT_INVALID,
    ),
)


class CodeProposal(Struct, frozen=True):
    """A code that remarks list, what the paper says of it, by which field, and what that may mean."""

    code: str
    words: str
    status: str
    reason: str


class CodeField(Struct, frozen=True):
    """A field whose remark lists codes, and the record it stands in."""

    row: PaperRow
    part: Part


class _CodeTable(Struct):
    name: str
    proposals: list[CodeProposal]


def propose_codes(rows: Sequence[PaperRow]) -> list[CodeProposal]:
    """What remarks list as codes, each once; nothing is proposed where fields say two things of one code."""
    said: dict[str, dict[str, str]] = {}
    for row in rows:
        for code, words in listed_codes(row.remark):
            said.setdefault(code, {})[f"{words} ({row.name})"] = words
    proposals = []
    for code, texts in said.items():
        meanings = {_proposed(words.lower()) for words in texts.values()}
        status, reason = meanings.pop() if len(meanings) == 1 else (UNKNOWN, UNKNOWN)
        proposals.append(CodeProposal(code, one_line("; ".join(texts)), status, reason))
    return proposals


def _proposed(words: str) -> tuple[str, str]:
    """Status and reason that a code's words may mean; `UNKNOWN` for what says two things or nothing."""
    if _PLAIN_SUCCESS.fullmatch(words.strip(" .。!\"'“”")):
        return Status.CREDITED.value, Reason.NONE.value
    for pattern, reason in _UNKNOWN_OUTCOMES:
        if re.search(pattern, words):
            return Status.UNKNOWN.value, reason.value
    if re.search(r"退汇|退票|\breturned\b", words):
        is_plain = not _NOT_AT_ALL.search(words)
        return (Status.RETURNED.value, Reason.RETURNED.value) if is_plain else (UNKNOWN, UNKNOWN)
    if _SUCCESS_WORDS.search(_NO_SUCCESS.sub("", words)) or _DOUBT.search(words):
        return UNKNOWN, UNKNOWN
    reasons = [reason for pattern, reason in _FAILURES if re.search(pattern, words)]
    if len(reasons) == 1:
        return Status.FAILED.value, reasons[0].value
    is_failed = bool(reasons or _FAILED.search(words) or _NO_SUCCESS.search(words))
    return (Status.FAILED.value if is_failed else UNKNOWN), UNKNOWN


def code_lines(fields: Sequence[CodeField], order: DraftOrder, written: Written) -> list[str]:
    """The code tables of an answer, with a proposal for each code that the paper lists."""
    if order.purpose not in (Purpose.RESULT, Purpose.ACKNOWLEDGEMENT):
        return []
    tables = _tables(fields, order.purpose)
    if not any(table.proposals for table in tables):
        written.ask("codes", "which codes does the bank write, and what does each mean?")
    return [line for table in tables for line in _table_lines(table, written)]


def _table_lines(table: _CodeTable, written: Written) -> Iterator[str]:
    cells = []
    for one in table.proposals:
        # What a bank says of a file is its own word: a verdict, and no paper's "success" is one.
        status, reason = (one.status, one.reason) if table.name == "outcome" else (UNKNOWN, UNKNOWN)
        if UNKNOWN in (status, reason):
            written.ask(f"code {one.code}", f'what does "{one.words}" mean?')
        cells.append((f"{PROPOSED} {one.code}", status, reason, f"# paper: {one.words}"))
    written.guesses += len(cells)
    yield ""
    yield f"# A code means nothing before its `{PROPOSED}` is taken away: it is unmapped, hence unknown."
    yield f"[codes.{table.name}]"
    yield "table = '''"
    yield from aligned([("*", "unmapped", "", ""), *cells])
    yield "'''"


def listed_codes_of(fields: Sequence[CodeField], order: DraftOrder) -> str:
    """The paper's codes with its words, a line each, as the conformance kit reads them."""
    if order.purpose is Purpose.REQUEST:
        return ""
    blocks = []
    for table in _tables(fields, order.purpose):
        lines = aligned([(one.code, one.words) for one in table.proposals])
        if lines:
            blocks.append("\n".join([f"[{table.name}]", *lines]) + "\n")
    return "\n".join(blocks)


def _tables(fields: Sequence[CodeField], purpose: Purpose) -> list[_CodeTable]:
    """Codes of payments for outcomes, codes of header and trailer for the file; never one for the other.

    A paper of an acknowledgement with one table has that for the file.
    """
    of_codes = [field for field in fields if _has_codes(field.row)]
    of_payments = propose_codes([field.row for field in of_codes if field.part is Part.PAYMENT])
    of_file = propose_codes([field.row for field in of_codes if field.part is not Part.PAYMENT])
    if purpose is Purpose.RESULT:
        tables = [_CodeTable("outcome", of_payments)]
        return [*tables, _CodeTable("file", of_file)] if of_file else tables
    return [_CodeTable("file", of_file or of_payments)]


def _has_codes(row: PaperRow) -> bool:
    return guess_meaning(row, Part.PAYMENT, Purpose.RESULT) == "outcome.code" and not is_mark(row)

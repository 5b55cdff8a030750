"""Writes outcomes for the platform and for people: CSV, JSON Lines, XLSX.

Labels stand beside codes in both languages. A bank's own words stay sealed and are not
written. In CSV a value that a spreadsheet would run as a formula (a bank code may be `-A1`)
gets an apostrophe in front; JSON Lines and XLSX hold it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from formats.codec import CHUNK_RECORDS
from formats.records import Outcome
from formats.standard.amounts import format_yuan
from formats.standard.jsonl_source import ENCODER
from formats.standard.sheets import SPREADSHEET_ROWS, text_workbook
from formats.standard.write_batch import FileFormat, Language, csv_bytes, harmless, opened


class OutcomeColumn(NamedTuple):
    """One column: both headers, and its text of an outcome."""

    english: str
    chinese: str
    text: Callable[[Outcome], str]


OUTCOME_COLUMNS: tuple[OutcomeColumn, ...] = (
    OutcomeColumn("cursor", "序号", lambda outcome: str(outcome.cursor)),
    OutcomeColumn("source_platform", "来源平台", lambda outcome: outcome.source_platform),
    OutcomeColumn("batch_id", "批次号", lambda outcome: outcome.batch_id),
    OutcomeColumn("payment_id", "明细编号", lambda outcome: outcome.payment_id),
    OutcomeColumn("status", "发放结果代码", lambda outcome: outcome.status.value),
    OutcomeColumn("status_zh", "发放结果", lambda outcome: outcome.status.label[0]),
    OutcomeColumn("status_en", "发放结果(英文)", lambda outcome: outcome.status.label[1]),
    OutcomeColumn("reason", "原因代码", lambda outcome: outcome.reason.value),
    OutcomeColumn("reason_zh", "原因", lambda outcome: outcome.reason.label[0]),
    OutcomeColumn("reason_en", "原因(英文)", lambda outcome: outcome.reason.label[1]),
    OutcomeColumn("amount", "应发金额", lambda outcome: format_yuan(outcome.amount_minor)),
    OutcomeColumn("credited", "实发金额", lambda outcome: _yuan(outcome.credited_minor)),
    OutcomeColumn("returned", "退回金额", lambda outcome: _yuan(outcome.returned_minor)),
    OutcomeColumn("bank", "合作银行", lambda outcome: outcome.bank),
    OutcomeColumn("bank_code", "银行返回码", lambda outcome: outcome.bank_code),
    OutcomeColumn("bank_serial", "银行流水号", lambda outcome: outcome.bank_serial),
    OutcomeColumn("value_date", "入账日期", lambda outcome: _date(outcome)),
    OutcomeColumn("file_name", "代发文件", lambda outcome: outcome.file_name),
    OutcomeColumn("item", "文件内序号", lambda outcome: _number(outcome.item)),
    OutcomeColumn("recorded_at", "登记时间", lambda outcome: outcome.recorded_at.isoformat()),
    OutcomeColumn("evidence_sha256", "回盘文件摘要", lambda outcome: outcome.evidence_sha256),
    OutcomeColumn("evidence_line", "回盘行号", lambda outcome: _number(outcome.evidence_line)),
    OutcomeColumn("stated_status", "回盘原状态", lambda outcome: outcome.stated_status or ""),
)


def write_outcomes(
    target: str | Path | BinaryIO,
    outcomes: Iterable[Outcome],
    file_format: FileFormat | str,
    *,
    language: Language | str = Language.ENGLISH,
    byte_order_mark: bool = False,
) -> int:
    """Write to a path or a binary stream, streaming; the number of outcomes written.

    `byte_order_mark` (CSV only) makes Excel read the file as UTF-8. Keys of JSON Lines are
    always English. Raises `EncodeError` beyond the rows of a workbook.
    """
    chosen, remaining = FileFormat(file_format), iter(outcomes)
    chinese = Language(language) is Language.CHINESE
    headers = [column.chinese if chinese else column.english for column in OUTCOME_COLUMNS]
    with opened(target) as stream:
        if chosen is FileFormat.XLSX:
            return _write_xlsx(stream, headers, remaining, "发放结果" if chinese else "outcomes")
        if chosen is FileFormat.CSV:
            stream.write(b"\xef\xbb\xbf" * byte_order_mark + csv_bytes([headers]))
        encode = _csv_block if chosen is FileFormat.CSV else _json_block
        count = 0
        while block := list(islice(remaining, CHUNK_RECORDS)):
            stream.write(encode(block))
            count += len(block)
    return count


def _write_xlsx(stream: BinaryIO, headers: list[str], outcomes: Iterator[Outcome], sheet_name: str) -> int:
    count = 0
    with text_workbook(stream, sheet_name, SPREADSHEET_ROWS) as write_row:
        write_row(headers)
        for outcome in outcomes:
            write_row(_texts(outcome))
            count += 1
    return count


def _csv_block(outcomes: list[Outcome]) -> bytes:
    return csv_bytes([[harmless(text) for text in _texts(outcome)] for outcome in outcomes])


def _json_block(outcomes: list[Outcome]) -> bytes:
    names = [column.english for column in OUTCOME_COLUMNS]
    return ENCODER.encode_lines([dict(zip(names, _texts(outcome), strict=True)) for outcome in outcomes])


def _texts(outcome: Outcome) -> list[str]:
    return [column.text(outcome) for column in OUTCOME_COLUMNS]


def _yuan(amount_minor: int | None) -> str:
    return "" if amount_minor is None else format_yuan(amount_minor)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _date(outcome: Outcome) -> str:
    return "" if outcome.value_date is None else outcome.value_date.isoformat()

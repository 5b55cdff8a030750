"""Outcome files: every column, labels in both languages, no sealed text, no formulas."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime

import pytest
from python_calamine import load_workbook

from formats.reasons import Reason, Status
from formats.records import Outcome, SealedText
from formats.standard import OUTCOME_COLUMNS, FileFormat, write_outcomes

FAILED = Outcome(
    cursor=7,
    batch_id="B-1",
    payment_id="P-1",
    source_platform="yikatong",
    status=Status.FAILED,
    reason=Reason.NAME_MISMATCH,
    amount_minor=123456,
    credited_minor=None,
    recorded_at=datetime(2026, 9, 1, 8, 30, tzinfo=UTC),
    bank="rural-credit",
    bank_code="-A1",
    bank_serial="0001",
    bank_text=SealedText(b"sealed words"),
    file_name="F0001.txt",
    item=3,
    evidence_sha256="ab" * 32,
    evidence_line=4,
)
CREDITED = Outcome(
    cursor=8,
    batch_id="B-1",
    payment_id="P-2",
    source_platform="yikatong",
    status=Status.CREDITED,
    reason=Reason.NONE,
    amount_minor=5,
    credited_minor=5,
    recorded_at=datetime(2026, 9, 1, 8, 31, tzinfo=UTC),
    value_date=date(2026, 9, 1),
    stated_status=Status.CREDITED,
)
FAILED_TEXTS = {
    "cursor": "7",
    "source_platform": "yikatong",
    "batch_id": "B-1",
    "payment_id": "P-1",
    "status": "failed",
    "status_zh": "发放失败",
    "status_en": "failed",
    "reason": "NAME_MISMATCH",
    "reason_zh": "户名不符",
    "reason_en": "name does not match the account",
    "amount": "1234.56",
    "credited": "",
    "returned": "",
    "bank": "rural-credit",
    "bank_code": "-A1",
    "bank_serial": "0001",
    "value_date": "",
    "file_name": "F0001.txt",
    "item": "3",
    "recorded_at": "2026-09-01T08:30:00+00:00",
    "evidence_sha256": "ab" * 32,
    "evidence_line": "4",
    "stated_status": "",
}
CREDITED_TEXTS = dict.fromkeys(FAILED_TEXTS, "") | {
    "cursor": "8",
    "source_platform": "yikatong",
    "batch_id": "B-1",
    "payment_id": "P-2",
    "status": "credited",
    "status_zh": "已入账",
    "status_en": "credited",
    "reason_zh": "成功",
    "reason_en": "success",
    "amount": "0.05",
    "credited": "0.05",
    "value_date": "2026-09-01",
    "recorded_at": "2026-09-01T08:31:00+00:00",
    "stated_status": "credited",
}


def written(file_format: FileFormat, **options: object) -> bytes:
    stream = io.BytesIO()
    assert write_outcomes(stream, iter([FAILED, CREDITED]), file_format, **options) == 2  # type: ignore[arg-type]
    return stream.getvalue()


def test_json_lines_hold_every_column_as_it_is() -> None:
    lines = written(FileFormat.JSON_LINES).decode().splitlines()
    assert [json.loads(line) for line in lines] == [FAILED_TEXTS, CREDITED_TEXTS]


def test_csv_makes_formulas_harmless() -> None:
    rows = list(csv.reader(io.StringIO(written(FileFormat.CSV).decode("utf-8"), newline="")))
    assert rows == [
        list(FAILED_TEXTS),
        list((FAILED_TEXTS | {"bank_code": "'-A1"}).values()),
        list(CREDITED_TEXTS.values()),
    ]


def test_csv_for_excel_has_a_byte_order_mark_and_chinese_headers() -> None:
    content = written(FileFormat.CSV, language="zh", byte_order_mark=True)
    first_line = content.decode("utf-8-sig").split("\r\n")[0]
    assert content.startswith(b"\xef\xbb\xbf")
    assert first_line == ",".join(column.chinese for column in OUTCOME_COLUMNS)


def test_a_workbook_holds_text_cells() -> None:
    sheet = load_workbook(io.BytesIO(written(FileFormat.XLSX))).get_sheet_by_index(0)
    assert list(sheet.iter_rows()) == [
        list(FAILED_TEXTS),
        list(FAILED_TEXTS.values()),
        list(CREDITED_TEXTS.values()),
    ]


@pytest.mark.parametrize("file_format", FileFormat)
def test_sealed_words_are_not_written_and_the_bytes_are_stable(file_format: FileFormat) -> None:
    content = written(file_format)
    assert b"sealed words" not in content
    assert content == written(file_format)


def test_an_outcome_file_has_no_place_for_a_fee() -> None:
    names = [column.english + column.chinese for column in OUTCOME_COLUMNS]
    assert [name for name in names if "fee" in name or "费" in name] == []


def test_every_field_of_an_outcome_but_the_sealed_text_has_a_column() -> None:
    names = {column.english for column in OUTCOME_COLUMNS}
    renamed = {"amount_minor": "amount", "credited_minor": "credited", "returned_minor": "returned"}
    fields = {renamed.get(name, name) for name in Outcome.__struct_fields__}
    assert fields - names == {"bank_text"}

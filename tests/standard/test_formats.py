"""What is particular to each file format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from formats.errors import BatchError
from formats.records import Severity
from formats.standard import open_batch, write_batch
from tests.standard.samples import CARD, HEADER, PERSON, batch_of, brief, csv_text, payment, read, read_bytes

ROW = f"P1,1.00,rural-credit,{CARD},card,张三,{PERSON}"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_spreadsheets_save_is_read(tmp_path: Path, delimiter: str, line_end: str, mark: str) -> None:
    text = csv_text([ROW, ",,,,,,"], 1, "1.00").replace("\n\n", "\n,,,,,,\n")
    text = mark + text.replace(",", delimiter).replace("\n", line_end)
    columns, problems, lines = read_bytes(tmp_path, text)
    assert (problems, lines) == ([], [10])
    assert columns["payment.account"] == [CARD]


def test_empty_rows_and_empty_cells_beyond_the_header_are_skipped(tmp_path: Path) -> None:
    text = csv_text([ROW + ",,", "", ",,,,,,,,", ROW.replace("P1", "P2"), ""], 2, "2.00", HEADER + ",,")
    _, problems, lines = read_bytes(tmp_path, text)
    assert (problems, lines) == ([], [10, 13])


def test_a_cell_with_a_line_end_makes_no_second_amount(tmp_path: Path) -> None:
    rows = [ROW.replace("1.00", '"1.00\n2.00"'), ROW.replace("P1", "P2")]
    columns, problems, lines = read_bytes(tmp_path, csv_text(rows, 2, "1.00"))
    assert brief(problems) == [(10, "amount", "amount_unreadable")]
    assert (lines, columns["payment.amount"]) == ([11], [100])


def test_a_chinese_header_is_named_as_the_author_wrote_it(tmp_path: Path) -> None:
    header = "发放明细编号,补贴金额,发卡银行,银行账号,账户种类,享受对象,证件号码"
    _, problems, _ = read_bytes(tmp_path, csv_text([ROW.replace(CARD, "12")], 1, "1.00", header))
    assert [(problem.column, problem.message) for problem in problems] == [
        ("银行账号", "row 10 银行账号: found **, wanted 8 to 32 digits")
    ]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    text = csv_text([ROW], 1, "1.00") + "x" * 3_000_000
    path = tmp_path / "batch"
    path.write_text(text, encoding="utf-8")
    reader = open_batch(path)
    _, problems, _ = read(reader)
    assert [problem.code for problem in problems] == ["line_too_long"]


ENVELOPE = {
    "batch_id": "B-1",
    "source_platform": "yikatong",
    "department": "d",
    "programme": "p",
    "period": "2026",
    "declared_count": 1,
    "declared_total": "1.00",
}
LINE = dict(zip(HEADER.split(","), ROW.split(","), strict=True))


def json_lines(*lines: Any, envelope: Any = None) -> str:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in (envelope or ENVELOPE, *lines)]
    return "\n".join(texts) + "\n"


def test_json_with_spaces_escapes_and_another_order_of_keys_is_read(tmp_path: Path) -> None:
    shuffled = dict(sorted(LINE.items()))
    columns, problems, lines = read_bytes(tmp_path, json_lines(shuffled, "", ""))
    assert (problems, lines) == ([], [2])
    assert columns["payment.beneficiary_name"] == ["张三"]


JSON_MISTAKES = [
    (LINE | {"fee": "1"}, "column_unknown"),
    (LINE | {"amount": 1.0}, "value_not_text"),
    (LINE | {"account": None}, "value_not_text"),
    (json.dumps(LINE)[:-1] + ', "account": "60000000123"}', "column_repeated"),
    ("[1]", "line_unreadable"),
    ("1", "line_unreadable"),
    ("[" * 100_000, "line_unreadable"),
    (json.dumps(LINE) + json.dumps(LINE), "line_unreadable"),
    (LINE | {"account": ""}, "account_missing"),
    (LINE | {"beneficiary_name": "张\ud800"}, "control_character"),
]


@pytest.mark.parametrize(("line", "code"), JSON_MISTAKES, ids=range(len(JSON_MISTAKES)))
def test_mistakes_in_json_lines(tmp_path: Path, line: Any, code: str) -> None:
    good = LINE | {"payment_id": "P2"}
    content = json_lines(line, good, envelope=ENVELOPE | {"declared_count": 2, "declared_total": "2.00"})
    columns, problems, lines = read_bytes(tmp_path, content)
    assert [(problem.line, problem.code) for problem in problems] == [(2, code)]
    assert lines[-1] == 3
    assert columns["payment.payment_id"][-1] == "P2"


def test_a_key_twice_with_the_same_value_is_refused_even_in_canonical_writing(tmp_path: Path) -> None:
    line = json.dumps(LINE, separators=(",", ":"), ensure_ascii=False)
    doubled = line[:-1] + f',"account":"{CARD}"' + "}"
    _, problems, _ = read_bytes(tmp_path, json_lines(doubled))
    assert [problem.code for problem in problems] == ["column_repeated"]


def test_json_that_is_cut_or_no_utf_8(tmp_path: Path) -> None:
    content = json_lines(LINE).encode()
    _, problems, _ = read_bytes(tmp_path, content[:-10])
    assert [problem.code for problem in problems] == ["file_cut", "line_end_missing"]
    _, problems, _ = read_bytes(tmp_path, content.replace(b"rural-credit", b"\xff"))
    assert [(problem.code, problem.line) for problem in problems] == [("encoding_invalid", 2)]
    assert {problem.severity for problem in problems} == {Severity.REFUSES}


@pytest.mark.parametrize(
    "envelope",
    ['{"batch_id": "B-1"', '{"batch_id": {"a": 1}}', '{"batch_id": 1}', '{"declared_count": true}', "{}"],
)
def test_a_broken_json_envelope_is_a_batch_error(tmp_path: Path, envelope: str) -> None:
    (tmp_path / "batch").write_text(envelope + "\n", encoding="utf-8")
    with pytest.raises(BatchError):
        open_batch(tmp_path / "batch")


Cell = str | float | bool | None


def workbook(path: Path, rows: list[list[Cell]], sheets: int = 1) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    for number, cells in enumerate(rows):
        sheet.write_row(number, 0, cells)
    for _ in range(sheets - 1):
        book.add_worksheet()
    book.close()
    return path


def sheet_rows(*payments: list[Cell], count: Cell = 1, total: Cell = 1234.56) -> list[list[Cell]]:
    head: list[list[Cell]] = [
        ["批次号", "B-1"],
        ["来源平台", "yikatong"],
        ["发放部门", "d"],
        ["补贴项目", "p"],
        ["补贴期间", 202609],
        ["总笔数", count],
        ["总金额", total],
        [],
    ]
    return [*head, ["明细编号", "金额", "合作银行", "账号", "账户类型", "姓名", "身份证号", "村"], *payments]


def sheet_payment(**changes: Cell) -> list[Cell]:
    values: dict[str, Cell] = {
        "id": "P1",
        "amount": 1234.56,
        "bank": "rural-credit",
        "account": CARD,
        "kind": "社保卡",
        "name": "张三",
        "number": PERSON,
        "village": None,
    }
    return list((values | changes).values())


def test_a_sheet_made_by_hand_is_read_and_its_amounts_are_exact(tmp_path: Path) -> None:
    amounts: list[Cell] = [1234.56, 0.1, "0.20", 70, 4503599627370.49]
    rows = [sheet_payment(id=f"P{place}", amount=amount) for place, amount in enumerate(amounts)]
    rows.insert(2, [])
    path = workbook(tmp_path / "b.xlsx", sheet_rows(*rows, count=5, total="4503599628675.35"))
    columns, problems, lines = read(open_batch(path))
    assert problems == []
    assert columns["payment.amount"] == [123456, 10, 20, 7000, 450359962737049]
    assert lines == [10, 11, 13, 14, 15]
    assert columns["payment.period"] == ["202609"] * 5


SHEET_MISTAKES: list[tuple[dict[str, Cell], str, str, str]] = [
    ({"account": 6231990000001208674.0}, "账号", "cell_is_number", "D 账号"),
    ({"account": 12345678.0}, "账号", "cell_is_number", "D 账号"),
    ({"number": 370902199001011.0}, "身份证号", "cell_is_number", "G 身份证号"),
    ({"id": 17}, "明细编号", "cell_is_number", "A 明细编号"),
    ({"name": 1}, "姓名", "cell_is_number", "F 姓名"),
    ({"village": 1.5}, "村", "cell_is_number", "H 村"),
    ({"village": True}, "村", "cell_not_text", "H 村"),
]


@pytest.mark.parametrize(("cells", "column", "code", "label"), SHEET_MISTAKES)
def test_number_cells_where_text_is_needed_refuse_with_row_and_letter(
    tmp_path: Path, cells: dict[str, Cell], column: str, code: str, label: str
) -> None:
    path = workbook(tmp_path / "b.xlsx", sheet_rows(sheet_payment(**cells)))
    _, problems, _ = read(open_batch(path))
    refusing = [problem for problem in problems if problem.code == code]
    assert [(problem.line, problem.column, problem.severity) for problem in refusing] == [
        (10, column, Severity.REFUSES)
    ]
    assert refusing[0].message.startswith(f"row 10 {label}: found a ")


def test_a_computed_amount_with_a_tail_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", sheet_rows(sheet_payment(amount=0.1 + 0.7)))
    _, problems, _ = read(open_batch(path))
    assert brief(problems) == [(10, "金额", "amount_decimals")]


def test_cells_beyond_the_header_refuse(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", sheet_rows([*sheet_payment(), "more"]))
    _, problems, _ = read(open_batch(path))
    assert brief(problems)[0] == (10, "", "row_too_long")


def test_further_sheets_are_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", sheet_rows(sheet_payment()), sheets=2)
    _, problems, _ = read(open_batch(path))
    assert [(problem.code, problem.severity) for problem in problems] == [("sheets_ignored", Severity.WARNS)]


def test_a_number_as_batch_id_is_refused(tmp_path: Path) -> None:
    rows = sheet_rows(sheet_payment())
    rows[0][1] = 20260901
    with pytest.raises(BatchError, match="row 1 批次号"):
        open_batch(workbook(tmp_path / "b.xlsx", rows))


@pytest.mark.parametrize(("row", "column"), [(1_048_575, 0), (3, 16_383), (150_000, 3)])
def test_a_stray_cell_far_away_is_refused_before_it_fills_the_memory(
    tmp_path: Path, row: int, column: int
) -> None:
    book = xlsxwriter.Workbook(tmp_path / "b.xlsx")
    sheet = book.add_worksheet()
    sheet.write_string(0, 0, "批次号")
    sheet.write_string(row, column, "x")
    book.close()
    with pytest.raises(BatchError) as caught:
        open_batch(tmp_path / "b.xlsx")
    assert [problem.code for problem in caught.value.problems] == ["workbook_too_large"]
    assert "CSV" in caught.value.problems[0].hint


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04nothing", b"\xd0\xcf\x11\xe0old", "批次号,B1".encode("utf-16")]
)
def test_other_kinds_of_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(BatchError):
        open_batch(tmp_path / "b")


def test_a_damaged_workbook_is_a_batch_error_or_a_problem(tmp_path: Path) -> None:
    made = [payment(1)]
    path = tmp_path / "b.xlsx"
    write_batch(path, batch_of(made), made, "xlsx")
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x5A]) + content[place + 1 :])
        try:
            read(open_batch(path))
        except BatchError:
            continue

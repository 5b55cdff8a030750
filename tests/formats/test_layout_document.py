"""Tables to lay beside a paper: the offsets are the bank's, and every form says the same."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import pytest
import python_calamine

from formats.language.layout import parse_layout
from formats.tools.documents import Document, Form, Table, render
from formats.tools.files import all_layouts, find_layouts
from formats.tools.layout_document import layout_document
from tests.formats.test_layouts_page import LAYOUTS as EXAMPLES

SMALL = Document(
    title="a | b",
    facts=(("sort", "<tag> & more"),),
    tables=(
        Table(
            title="record *x*",
            columns=("bytes", "name 名称"),
            rows=(("1-2", "  户名|_"), ("3", "=1+1<b>")),
            note="3 bytes",
            right=(0,),
        ),
    ),
)


def table_of(name: str, title: str) -> Table:
    (layout,) = find_layouts(name)
    return next(table for table in layout_document(layout).tables if table.title == title)


def test_offsets_are_those_of_the_paper() -> None:
    """The request's details as the paper prints them, counted from 1."""
    rows = table_of("rural-credit-request", "record payment").rows
    assert [row[1:6] for row in rows[:5]] == [
        ("1", "1", "text", "记录标志", '!"2"'),
        ("2-21", "20", "text", "客户键", "attempt.reference  key"),
        ("22", "1", "text", "业务种类", '"4"'),
        ("23-45", "23", "text", "账号", "payment.account"),
        ("46-65", "20", "text", "户名", "payment.payee_name"),
    ]


def test_separators_after_fields_are_counted() -> None:
    table = table_of("rural-credit-result", "record payment")
    assert [row[1] for row in table.rows[:3]] == ["1", "3-22", "24"]
    assert table.note == "172 bytes 字节; occurs 次数: 0..150000; | after each field 每域之后"


def test_repeats_and_overlays_are_written_out() -> None:
    layout = parse_layout(EXAMPLES["example-answers"], "example-answers")
    tables = {table.title: table for table in layout_document(layout).tables}
    refusal = [(row[1], row[4]) for row in tables["record refusal"].rows[2:]]
    assert refusal == [("3-4", "Code (1/3)"), ("5-6", "Code (2/3)"), ("7-8", "Code (3/3)"), ("9-30", "Text")]
    variants = ["record correction, where C01", "record correction, where C02 C03", "record correction"]
    assert [[row[1] for row in tables[title].rows[3:]] for title in variants] == [
        ["6-22", "23-30"],
        ["6-14", "15-30"],
        ["6-30"],
    ]


def test_delimited_records_have_columns_and_xml_has_paths() -> None:
    assert [row[:3] for row in table_of("plain-payroll-request", "record payment").rows] == [
        ("1", "text <=32", "账号"),
        ("2", "text <=60", "户名"),
        ("3", "yuan.2", "金额"),
    ]
    rows = {row[3]: row for row in table_of("iso20022-pain001-request", "elements 元素").rows if row[3]}
    assert rows["明细号"][0] == "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/PmtId/EndToEndId"


@pytest.mark.parametrize("layout", all_layouts(), ids=lambda layout: layout.name)
@pytest.mark.parametrize("form", list(Form))
def test_every_shipped_layout_in_every_form(layout: object, form: Form) -> None:
    (found,) = find_layouts(getattr(layout, "name", ""))
    assert render(layout_document(found), form) == render(layout_document(found), form)


def test_text_is_aligned_in_columns_of_a_terminal() -> None:
    assert render(SMALL, Form.TEXT).decode() == (
        "a | b\nsort  <tag> & more\n\nrecord *x*\n3 bytes\n"
        "  bytes  name 名称\n    1-2    户名|_\n      3  =1+1<b>\n"
    )


def test_markdown_escapes_what_it_would_take_for_itself() -> None:
    assert render(SMALL, Form.MARKDOWN).decode().splitlines() == [
        "# a \\| b",
        "",
        "* sort: \\<tag\\> & more",
        "",
        "## record \\*x\\*",
        "",
        "3 bytes",
        "",
        "| bytes | name 名称 |",
        "| ---: | --- |",
        "| 1-2 | &nbsp;&nbsp;户名\\|\\_ |",
        "| 3 | =1+1\\<b\\> |",
    ]


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts += [data] if data.strip() else []


def test_html_is_read_back_as_it_was() -> None:
    reader = _Cells()
    reader.feed(render(SMALL, Form.HTML).decode().partition("</style>")[2])
    assert reader.texts == [
        *("a | b", "sort", "<tag> & more", "record *x*", "3 bytes"),
        *("bytes", "name 名称", "1-2", "\xa0\xa0户名|_", "3", "=1+1<b>"),
    ]


def test_a_workbook_has_texts_and_no_formulas() -> None:
    workbook = python_calamine.load_workbook(io.BytesIO(render(SMALL, Form.XLSX)))
    assert workbook.sheet_names == ["a | b", "record  x"]
    rows = list(workbook.get_sheet_by_index(1).to_python(skip_empty_area=False))
    assert rows == [
        ["record *x*", ""],
        ["3 bytes", ""],
        ["", ""],
        ["bytes", "name 名称"],
        ["1-2", "  户名|_"],
        ["3", "=1+1<b>"],
    ]


def test_sheets_of_one_name_are_told_apart() -> None:
    twice = Document(title="t", facts=(), tables=SMALL.tables * 2)
    workbook = python_calamine.load_workbook(io.BytesIO(render(twice, Form.XLSX)))
    assert workbook.sheet_names == ["t", "record  x", "record  x (2)"]

"""Two versions of a layout: every difference is found, and what changes money is called so."""

from __future__ import annotations

import re

import pytest

from formats.language.layout import parse_layout
from formats.registry import SHIPPED_FOLDER
from formats.tools.compare import Weight, compare_layouts
from tests.formats.test_layouts_page import LAYOUTS as EXAMPLES

RESULT = re.sub(r"record_bytes = .*\n", "", (SHIPPED_FOLDER / "rural-credit-result.toml").read_text("utf-8"))
"""Without the sums that it asserts, so that a width may be changed by itself."""
BOXES = (SHIPPED_FOLDER / "xml-block-pay-result.toml").read_text("utf-8")


def changed(text: str, before: str, after: str) -> list[tuple[str, str]]:
    """Weights and words of the differences after one change."""
    assert text.count(before) >= 1
    one, other = parse_layout(text, "one"), parse_layout(text.replace(before, after), "other")
    return [(difference.weight.value, str(difference)) for difference in compare_layouts(one, other)]


def test_a_layout_does_not_differ_from_itself() -> None:
    assert [compare_layouts(one, one) for one in (parse_layout(RESULT, "a"), parse_layout(BOXES, "b"))] == [
        [],
        [],
    ]


def test_a_wider_field_moves_the_amount_behind_it() -> None:
    """One byte more before the amount: an old reader would read another number."""
    found = changed(RESULT, "20     text     客户键 ", "21     text     客户键 ")
    assert found == [
        ("money", "record payment 客户键: width: 20 -> 21"),
        ("money", "record payment 账号: stands at: byte 26 -> byte 27"),
        ("money", "record payment 户名: stands at: byte 50 -> byte 51"),
        ("money", "record payment 金额: stands at: byte 84 -> byte 85"),
        ("money", "record payment 返回码: stands at: byte 102 -> byte 103"),
        ("money", "record payment 说明: stands at: byte 110 -> byte 111"),
        ("bytes", "record payment 业务种类: stands at: byte 24 -> byte 25"),
        ("bytes", "record payment 状态: stands at: byte 71 -> byte 72"),
        ("bytes", "record payment 笔数: stands at: byte 73 -> byte 74"),
    ]


def test_another_order_of_a_date_is_another_day() -> None:
    text = (SHIPPED_FOLDER / "comment-style-request.toml").read_text("utf-8")
    found = changed(text, "date YYYYMMDD", "date YYYYDDMM")
    assert {weight for weight, _ in found} == {"money"}


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (
            "17>    yuan.2   金额        outcome",
            "17>    money.2  金额        outcome",
            "kind: yuan.2 -> money.2",
        ),
        (
            "44        failed       ACCOUNT_CLOSED\n",
            "",
            "outcome code 44: means: failed ACCOUNT_CLOSED -> unmapped",
        ),
        ("90        unknown      IN_PROGRESS", "90        credited", "unknown IN_PROGRESS -> credited"),
        ("0106      duplicate    DUPLICATE", "0106      rejected     BATCH_REJECTED", "file code 0106"),
        (
            "失败金额    = sum(outcome.amount where status not in",
            "失败金额    = sum(outcome.amount where status in",
            "means",
        ),
        (
            "成功笔数    = count(payment where status in credited)",
            "成功笔数    = count(payment where status not in credited)",
            "means: = count(payment where status in credited)",
        ),
        ('记录标志    !"3"', '记录标志    !"4"', 'means: !"3" -> !"4"'),
        ("payment 0..150000", "payment 1..150000", "structure: order and occurrence"),
        ('encoding = "gb18030"', 'encoding = "utf-8"', "framing encoding: says: gb18030 -> utf-8"),
        ('after_each_field = "|"', 'after_each_field = "^"', "framing after_each_field"),
        (
            "状态        ignored\n10>    number   笔数",
            "状态        outcome.serial  optional\n10>    number   笔数",
            "means",
        ),
        (
            'layout  = "rural-credit-result"',
            'decimals = 0\nlayout  = "rural-credit-result"',
            "decimals: says: 2 -> 0",
        ),
    ],
)
def test_what_changes_money_is_called_so(before: str, after: str, wanted: str) -> None:
    text = RESULT.replace("yuan.2", "yuan.0") if "decimals" in after else RESULT
    found = changed(text, before, after)
    (first, *_), words = found, [line for weight, line in found if weight == "money"]
    assert first[0] == Weight.MONEY
    assert any(wanted in line for line in words), words


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (
            "# personal data",
            "# read by two persons",
            [("words", "remark: personal data -> read by two persons")],
        ),
        ('version = "1"', 'version = "2"', [("words", "version: says: 1 -> 2")]),
        ('eol = "lf"', 'eol = "crlf"', [("bytes", "framing eol: says: lf -> crlf")]),
        ("17>    yuan.2   手续费", "17>    yuan.2   费用", [("words", "name: 手续费 -> 费用")]),
    ],
)
def test_what_changes_no_money(before: str, after: str, wanted: list[tuple[str, str]]) -> None:
    found = changed(RESULT, before, after)
    assert [(weight, words in line) for (weight, line), (_, words) in zip(found, wanted, strict=True)] == [
        (weight, True) for weight, _ in wanted
    ]


def test_a_record_or_field_that_comes_or_goes() -> None:
    found = changed(RESULT, "62     text     说明        fee.label  optional\n", "")
    assert found == [("money", "record fee 说明: the field: byte 21 text fee.label  optional -> nothing")]
    one = parse_layout(EXAMPLES["example-request"], "one")
    other = parse_layout(EXAMPLES["example-lots"], "other")
    words = [str(difference) for difference in compare_layouts(one, other)]
    assert "record header: the record: 5 fields -> nothing" in words
    assert "record lot_trailer: the record: nothing -> 8 fields" in words


def test_in_xml_a_path_and_what_repeats_on_it() -> None:
    text = (SHIPPED_FOLDER / "iso20022-pain002-result.toml").read_text("utf-8")
    found = changed(text, "IntrBkSttlmAmt | Amt/InstdAmt            yuan.2", "Amt/InstdAmt            yuan.2")
    assert [weight for weight, _ in found] == ["money"]
    assert found[0][1].startswith("elements 入账金额: stands at: Document/CstmrPmtStsRpt/")
    assert "TxInfAndSts[payment 0..*]" in found[0][1]


def test_a_frame_that_is_signed_otherwise() -> None:
    found = changed(BOXES, 'signed       = "body"', 'signed       = "header"')
    assert found == [
        (
            "bytes",
            "frame: says: signature line over body, not required -> signature line over header, not required",
        )
    ]


def test_characters() -> None:
    request = EXAMPLES["example-request"]
    text = request + "\n[characters]\npermitted  = \"A-Z 0-9 space * 元\"\nsubstitute = '''\nÄ     AE\n'''\n"
    found = changed(text, "Ä     AE", "Ä     A")
    assert found == [("money", "characters Ä: written as: AE -> A")]

"""What does not fit is refused with the payment named; nothing is cut, replaced or rounded."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from formats.errors import EncodeError
from formats.language.layout import parse_layout
from formats.reasons import Reason, Status
from formats.records import Problem, RecordChunk, Severity
from formats.registry import SHIPPED_FOLDER, Registry, compile_layout
from tests.formats.samples import ACCOUNT_ONE, decode, encode, identity, request_chunk
from tests.formats.test_vectors import FEE_CHUNK, result_chunk

REGISTRY = Registry()
RURAL = REGISTRY.get("rural-credit-request")
COMMENT = REGISTRY.get("comment-style-request")


def one(name: str, value: Any) -> RecordChunk:
    """A chunk whose second payment has that value."""
    chunk = request_chunk()
    columns = {key: list(values) for key, values in chunk.columns.items()}
    columns[name][1] = value
    columns["payment.payment_id"] = ["P1", "P2"]
    return RecordChunk(record="payment", count=2, columns=columns, lines=[11, 12])


@pytest.mark.parametrize(
    ("codec", "name", "value", "code", "reason"),
    [
        (RURAL, "payment.payee_name", "一二三四五六七八九十甲", "too-long", Reason.NAME_TOO_LONG),
        (RURAL, "payment.payee_name", "𠀀𠀁𠀂𠀃𠀄王", "too-long", Reason.NAME_TOO_LONG),
        (RURAL, "payment.payee_name", "王\ud800", "character", Reason.NAME_NOT_ENCODABLE),
        (RURAL, "payment.payee_name", "王\n三", "character", Reason.NAME_NOT_ENCODABLE),
        (RURAL, "payment.payee_name", "王\x00", "character", Reason.NAME_NOT_ENCODABLE),
        (RURAL, "payment.payee_name", "王\u2028", "character", Reason.NAME_NOT_ENCODABLE),
        (RURAL, "payment.payee_name", "王 ", "blank-edge", Reason.FIELD_INVALID),
        (RURAL, "payment.payee_name", "", "empty", Reason.FIELD_INVALID),
        (RURAL, "payment.payee_name", None, "empty", Reason.FIELD_INVALID),
        (RURAL, "payment.account", "", "empty", Reason.INVALID_ACCOUNT),
        (RURAL, "payment.account", " 62", "blank-edge", Reason.INVALID_ACCOUNT),
        (RURAL, "payment.account", "9" * 24, "too-long", Reason.INVALID_ACCOUNT),
        (RURAL, "payment.amount", -1, "number-invalid", Reason.AMOUNT_INVALID),
        (RURAL, "payment.amount", 1.5, "number-invalid", Reason.AMOUNT_INVALID),
        (RURAL, "payment.amount", True, "number-invalid", Reason.AMOUNT_INVALID),
        (RURAL, "payment.amount", None, "number-invalid", Reason.AMOUNT_INVALID),
        (RURAL, "payment.amount", 10**16, "number-too-long", Reason.AMOUNT_LIMIT),
        (COMMENT, "payment.payee_name", "王|三", "character", Reason.NAME_NOT_ENCODABLE),
        (COMMENT, "payment.account", "62|2", "character", Reason.INVALID_ACCOUNT),
        (COMMENT, "payment.account", "62\r2", "character", Reason.INVALID_ACCOUNT),
        (COMMENT, "payment.summary", "一二三四五六七八九十甲", "too-long", Reason.FIELD_INVALID),
        (COMMENT, "payment.bank_name", "行\x85", "character", Reason.FIELD_INVALID),
    ],
)
def test_what_does_not_fit_is_a_problem(codec: Any, name: str, value: Any, code: str, reason: Reason) -> None:
    chunk = one(name, value)
    (problem,) = codec.problems(chunk)
    assert (problem.code, problem.reason, problem.line) == (code, reason, 12)
    assert (problem.payment_id, problem.severity) == ("P2", Severity.SETS_ASIDE)
    with pytest.raises(EncodeError) as caught:
        encode(codec, [chunk])
    assert caught.value.problems == [problem]


def test_every_payment_is_named_over_all_chunks() -> None:
    bad = one("payment.payee_name", "王 ")
    worse = request_chunk(**{"payment.account": ["", "x\t"]})
    with pytest.raises(EncodeError) as caught:
        encode(RURAL, [request_chunk(), bad, worse], count=6)
    assert [(problem.code, problem.line) for problem in caught.value.problems] == [
        ("blank-edge", 12),
        ("empty", 1),
        ("character", 2),
    ]


def test_messages_hide_names_and_accounts() -> None:
    long_name = "欧阳测试一二三四五六七八"
    (problem,) = RURAL.problems(one("payment.payee_name", long_name))
    assert problem.message == (
        "rural-credit-request payment 12 户名: found 欧***********, wanted at most 20 bytes, not 24"
    )


def test_exactly_twenty_bytes_fit() -> None:
    chunk = one("payment.payee_name", "一二三四五六七八九十")
    assert RURAL.problems(chunk) == []
    columns, _, _ = decode(RURAL, encode(RURAL, [chunk]))
    assert columns["payment"]["payment.payee_name"][1] == "一二三四五六七八九十"


@pytest.mark.parametrize(
    "changes",
    [{"count": 3}, {"count": 1}, {"total_minor": 150_051}, {"total_minor": 0}],
)
def test_identity_must_agree_with_the_records(changes: dict[str, int]) -> None:
    for codec in (RURAL, COMMENT):
        with pytest.raises(EncodeError) as caught:
            encode(codec, [request_chunk()], **changes)
        assert {problem.code for problem in caught.value.problems} == {"total-differs"}


def test_identity_values_must_fit() -> None:
    agreement = identity().agreement | {"payer_name": "一二三四五六七八九十甲", "unit_no": ""}
    with pytest.raises(EncodeError) as caught:
        encode(RURAL, [request_chunk()], agreement=agreement)
    assert [(problem.code, problem.column) for problem in caught.value.problems] == [
        ("empty", "单位编号"),
        ("too-long", "付款户名"),
    ]


def test_no_payment_is_no_file() -> None:
    with pytest.raises(EncodeError) as caught:
        encode(RURAL, [], count=0, total_minor=0)
    assert [problem.code for problem in caught.value.problems] == ["too-few"]


def test_a_record_that_the_layout_has_not_is_refused() -> None:
    assert [problem.code for problem in RURAL.problems(FEE_CHUNK)] == ["record-unknown"]


def test_a_reference_that_does_not_fit_is_refused() -> None:
    with pytest.raises(EncodeError) as caught:
        encode(RURAL, [request_chunk()], sequence=10**12)
    assert [problem.code for problem in caught.value.problems] == ["reference-overflow"]


def test_references_follow_the_items_given() -> None:
    raw = encode(RURAL, [request_chunk(**{"attempt.item": [5, 6]})])
    columns, _, _ = decode(RURAL, raw)
    assert columns["payment"]["attempt.reference"] == ["00000000000700000005", "00000000000700000006"]


def test_same_arguments_same_bytes() -> None:
    assert encode(RURAL, [request_chunk()]) == encode(RURAL, [request_chunk()])


def test_one_shot_chunks_are_a_bug_where_two_passes_are_needed() -> None:
    result = REGISTRY.get("rural-credit-result")
    with pytest.raises(TypeError, match="re-iterable"):
        list(result.encode(identity(original_name="F"), iter([result_chunk()])))


def test_a_status_without_code_is_refused_never_blank() -> None:
    chunk = result_chunk()
    chunk.columns["outcome.reason"] = [Reason.NONE, Reason.CONTRADICTED]
    chunk.columns["outcome.status"] = [Status.CREDITED, Status.UNKNOWN]
    result = REGISTRY.get("rural-credit-result")
    assert [problem.code for problem in result.problems(chunk)] == ["no-code"]
    with pytest.raises(EncodeError) as caught:
        encode(result, [chunk])
    assert [problem.code for problem in caught.value.problems] == ["no-code"]


def test_a_code_given_is_written_verbatim() -> None:
    chunk = result_chunk()
    chunk.columns["outcome.code"] = ["ZZ", ""]
    result = REGISTRY.get("rural-credit-result")
    columns, _, problems = decode(result, encode(result, [chunk, FEE_CHUNK]))
    assert columns["payment"]["outcome.code"] == ["ZZ", ""]
    assert columns["payment"]["outcome.status"] == [Status.UNKNOWN, Status.CREDITED]
    assert problems == []


def test_records_go_where_the_structure_says() -> None:
    result = REGISTRY.get("rural-credit-result")
    assert encode(result, [FEE_CHUNK, result_chunk()]) == encode(result, [result_chunk(), FEE_CHUNK])


def test_a_byte_order_mark_is_written_and_read_over() -> None:
    source = (SHIPPED_FOLDER / "comment-style-request.toml").read_text("utf-8")
    marked = source.replace('"gb18030"', '"utf-8", byte_order_mark = true', 1)
    codec = compile_layout(parse_layout(marked, "marked"))
    raw = encode(codec, [request_chunk()])
    assert raw.startswith(b"\xef\xbb\xbf#")
    assert decode(codec, raw)[0] == decode(codec, raw[3:])[0]
    assert "tolerated" not in decode(codec, raw)[1]


def test_a_byte_order_mark_that_the_layout_does_not_say_is_read_over_and_told() -> None:
    source = (SHIPPED_FOLDER / "comment-style-request.toml").read_text("utf-8")
    codec = compile_layout(parse_layout(source.replace('"gb18030"', '"utf-8"', 1), "plain"))
    raw = encode(codec, [request_chunk()])
    columns, facts, _ = decode(codec, b"\xef\xbb\xbf" + raw)
    assert columns == decode(codec, raw)[0]
    assert facts["tolerated"] == {"byte-order-mark": {"count": 1, "line": 1}}


HOSTILE = [
    "%d%s%(x)s%%",
    "{0}{__class__}",
    "'; raise SystemExit('",
    "'+__import__('os').abort()+'",
    "\\x00\\n%",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("syntax", ["rural-credit-request", "comment-style-request"])
def test_hostile_constants_are_only_text(text: str, syntax: str) -> None:
    """No word of a layout is ever run: it comes out as the bytes that it is."""
    source = (SHIPPED_FOLDER / f"{syntax}.toml").read_text("utf-8")
    if syntax.startswith("rural"):
        source = source.replace(
            '1      text     业务种类    "4"                           @22\n23     text     账号',
            f'60  text  x  "{text}"\n23     text     账号',
        )
        for word in ("@23", "@46", "@66", "@67", "@77", "@94", "record_bytes = 100"):
            source = source.replace(word, "")
    else:
        source = source.replace("凭证号    blank", f'{"x"}    "{text}"').replace(
            'line "#明细指令信息"', f'line "#{text}"'
        )
    codec = compile_layout(parse_layout(source.replace("'''\n" + text, text), "hostile"))
    raw = encode(codec, [request_chunk()])
    assert raw.count(text.encode("ascii")) == (2 if syntax.startswith("rural") else 3)
    columns, _, problems = decode(codec, raw)
    assert columns["payment"]["payment.amount"] == [150_000, 50]
    assert problems == []


def test_hostile_values_are_only_text() -> None:
    for text in HOSTILE[:2]:
        chunk = one("payment.payee_name", text)
        columns, _, _ = decode(
            RURAL, encode(RURAL, [chunk], agreement=identity().agreement | {"payer_name": "%s%d%%"})
        )
        assert columns["payment"]["payment.payee_name"][1] == text


SMALL = """
layout = "small"
version = "1"
purpose = "result"
answers = "x"
syntax = "SYNTAX"
framing = { encoding = "ENCODING", eol = "crlf"MORE }
structure = '''
head
payment 0..*
tail
'''
[record.head]
table = '''
PLACE1  text        Mark   !"H"
'''
[record.payment]
table = '''
PLACE1  text        Mark   !"D"
PLACE8  number      Item   attempt.item  key
PLACE9  yuan.0      Whole  outcome.amount
PLACE6  date YYMMDD  Day    outcome.value_date  optional
PLACE4  text        Code   outcome.code
PLACE9  money.2     Fee    fee.amount  optional
'''
[record.tail]
table = '''
PLACE1  text        Mark   !"T"
PLACE9  money.2     Paid   = sum(outcome.amount where code in 00 01)
PLACE9  number      Late   = count(payment where reason in TIMED_OUT SYSTEM)
'''
[codes.outcome]
table = '''
00  credited
01  unknown  TIMED_OUT
'''
"""


@pytest.mark.parametrize(
    ("syntax", "more", "places", "expected"),
    [
        (
            "fixed",
            "",
            {"1": "1", "8": "8>0", "9": "9>", "6": "6", "4": "4"},
            "H\r\nD00000001        5260105" + "00         70\r\nD00000002        0      01" + " " * 11
            + "\r\nT      500        1\r\n",
        ),
        (
            "delimited",
            ', delimiter = ",", after_last = false, final_eol = false',
            dict.fromkeys("18964", "-"),
            "H\r\nD,1,5,260105,00,70\r\nD,2,0,,01,\r\nT,500,1",
        ),
    ],
)  # fmt: skip
def test_other_kinds_trailers_and_line_ends(
    syntax: str, more: str, places: dict[str, str], expected: str
) -> None:
    source = SMALL.replace("SYNTAX", syntax).replace("ENCODING", "latin-1").replace("MORE", more)
    for width, place in places.items():
        source = source.replace(f"PLACE{width}", place)
    codec = compile_layout(parse_layout(source, "small"))
    columns = {
        "attempt.item": [1, 2],
        "outcome.amount": [500, 0],
        "outcome.value_date": [date(2026, 1, 5), None],
        "outcome.code": ["00", "01"],
        "fee.amount": [70, None],
    }
    chunk = RecordChunk(record="payment", count=2, columns=columns)
    assert encode(codec, [chunk]).decode("latin-1") == expected
    read, _, problems = decode(codec, expected.encode("latin-1"))
    assert {name: read["payment"][name] for name in columns} == columns
    assert problems == []
    chunk.columns["outcome.amount"] = [501, 0]
    assert [problem.wanted for problem in codec.problems(chunk)] == ["whole yuan"]


def test_problem_is_complete() -> None:
    (problem,) = RURAL.problems(one("payment.account", ACCOUNT_ONE + "\t"))
    assert problem == Problem(
        code="character",
        message="rural-credit-request payment 12 账号: found ************674?, wanted no control characters",
        severity=Severity.SETS_ASIDE,
        reason=Reason.INVALID_ACCOUNT,
        source="rural-credit-request",
        line=12,
        column="账号",
        record="payment",
        found="************674?",
        wanted="no control characters",
        payment_id="P2",
    )

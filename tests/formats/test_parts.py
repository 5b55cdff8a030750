"""Records of several widths in one file without line ends, whose parts come as often as they are needed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.dump.annotate import dump
from formats.errors import DecodeError, EncodeError, LayoutError
from formats.language.layout import parse_layout
from formats.records import FileIdentity, RecordChunk
from formats.registry import compile_layout
from formats.tools.compare import compare_layouts
from formats.tools.layout_document import layout_document
from tests.formats.dtaus import BLOCK_BYTES, FILE, LAYOUT, file_bytes, payment_values
from tests.formats.samples import decode, identity

MODEL = parse_layout(LAYOUT, "exchange")
CODEC = compile_layout(MODEL)
LONG_NAME = "GESELLSCHAFT MIT BESONDERS-LANGEM NAMEN"
PAYMENTS: list[tuple[str, str, int, list[str]]] = [
    ("1234567", "KRAUSE", 150_000, ["BEIHILFE"]),
    ("7654321", LONG_NAME, 50, ["BEIHILFE JANUAR", "FUER DREI KINDER", "UND EINEN VATER"]),
    ("1", "A", 1, []),
    ("9999999999", LONG_NAME, 2, [f"ZEILE {number}" for number in range(14)]),
]
RAW = file_bytes([payment_values(number, *one) for number, one in enumerate(PAYMENTS, 1)])
SECOND, THIRD = BLOCK_BYTES, 3 * BLOCK_BYTES


def chunk_of(payments: list[tuple[str, str, int, list[str]]]) -> RecordChunk:
    columns: dict[str, list[Any]] = {
        "payment.account": [account for account, *_ in payments],
        "payment.bank_code": ["10000001"] * len(payments),
        "payment.payee_name": [name for _, name, *_ in payments],
        "payment.amount": [amount for *_, amount, _ in payments],
        "payment.summary": ["; ".join(lines) for *_, lines in payments],
        "payment.payment_id": [f"P{number}" for number in range(1, len(payments) + 1)],
    }
    return RecordChunk(
        record="payment", count=len(payments), columns=columns, lines=range(1, len(payments) + 1)
    )


def ours(payments: list[tuple[str, str, int, list[str]]]) -> FileIdentity:
    return identity(
        count=len(payments),
        total_minor=sum(amount for *_, amount, _ in payments),
        agreement={"payer_name": "STADTKASSE", "payer_account": "998877"},
        profile={"bank_code": "20000002"},
    )


def written(payments: list[tuple[str, str, int, list[str]]]) -> bytes:
    return b"".join(CODEC.encode(ours(payments), [chunk_of(payments)]))


def test_what_we_write_is_what_construct_builds() -> None:
    assert written(PAYMENTS) == RAW
    assert len(RAW) == (1 + 2 + 3 + 2 + 5 + 1) * BLOCK_BYTES


def test_what_construct_builds_is_read() -> None:
    columns, facts, problems = decode(CODEC, RAW, ours(PAYMENTS))
    wanted = chunk_of(PAYMENTS).columns
    del wanted["payment.payment_id"]
    assert problems == []
    assert columns["payment"] == wanted | {"attempt.item": [1, 2, 3, 4]}
    assert facts["declared"]["count(payment)"] == 4


_LINES = st.lists(
    st.text("ABC 0", min_size=1, max_size=27).filter(lambda text: text == text.strip()), max_size=14
)
_NAMES = st.text("ABCX", min_size=1, max_size=54)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(1, 10**10 - 1).map(str), _NAMES, st.integers(1, 10**11 - 1), _LINES),
        min_size=1,
        max_size=8,
    )
)
def test_ours_and_the_second_opinion_agree(payments: list[tuple[str, str, int, list[str]]]) -> None:
    raw = written(payments)
    assert raw == file_bytes([payment_values(number, *one) for number, one in enumerate(payments, 1)])
    theirs = FILE.parse(raw).payments
    columns, _, problems = decode(CODEC, raw)
    read = columns["payment"]
    assert problems == []
    assert read["payment.payee_name"] == [
        one.name + "".join(part.text for part in one.parts if part.kind == 1) for one in theirs
    ]
    assert read["payment.summary"] == [
        "; ".join(filter(None, [one.purpose, *(part.text for part in one.parts if part.kind == 2)]))
        for one in theirs
    ]
    assert read["payment.amount"] == [one.amount for one in theirs]
    assert read["attempt.item"] == [one.item for one in theirs]


def test_many_records_of_every_width_are_one_stream() -> None:
    """More than fit into what is looked at at once, so that records are cut by its border in every place."""
    payments = PAYMENTS * 900
    raw = written(payments)
    columns, _, problems = decode(CODEC, raw)
    assert len(raw) > 1 << 20
    assert problems == []
    assert columns["payment"]["payment.summary"] == chunk_of(payments).columns["payment.summary"]
    assert columns["payment"]["attempt.item"] == list(range(1, len(payments) + 1))


@pytest.mark.parametrize(
    ("place", "new", "message"),
    [
        (0, b"0130", "line 1 bytes 1-4 header Length: found '0130', wanted '0128'"),
        (SECOND, b"0216", "line 2 bytes 1-4 payment Length: found '0216', wanted '0187'"),
        (SECOND + 4, b"Q", "line 2 bytes 5-5 payment Mark: found 'Q', wanted 'C'"),
        (SECOND + 185, b"01", "line 2 bytes 186-187 payment Parts: found '01', wanted '00'"),
        (THIRD + 187, b"03", "line 3 bytes 188-189 payment Kind: found '03', wanted '02'"),
        (len(RAW) - BLOCK_BYTES, b"0127", "line 6 bytes 1-4 trailer Length: found '0127', wanted '0128'"),
    ],
)
def test_a_record_that_contradicts_itself_is_no_record(place: int, new: bytes, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(CODEC, RAW[:place] + new + RAW[place + len(new) :])
    assert [problem.message for problem in caught.value.problems] == [f"exchange {message}"]
    assert caught.value.problems[0].code == "record-framing"


def test_what_fills_a_block_is_blank() -> None:
    damaged = bytearray(RAW)
    damaged[SECOND + 250] = ord("7")
    columns, _, problems = decode(CODEC, bytes(damaged))
    assert len(columns["payment"]["payment.amount"]) == 4
    assert [(problem.code, problem.line, problem.column) for problem in problems] == [
        ("not-blank", 2, "(fill)")
    ]


def test_a_file_cut_anywhere_says_so() -> None:
    borders = [border + near for border in range(0, len(RAW), BLOCK_BYTES) for near in (-1, 0, 1, 4, 5)]
    for size in sorted({*range(0, len(RAW), 31), *borders} - {-1}):
        with pytest.raises(DecodeError) as caught:
            decode(CODEC, RAW[:size])
        assert caught.value.problems[0].code == ("file-cut" if size else "file-empty"), size


def test_the_half_of_a_record_behind_the_end_is_told() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(CODEC, RAW + b"0128E")
    assert caught.value.problems[0].code == "file-cut"


@pytest.mark.parametrize(
    ("name", "lines", "title", "wanted"),
    [
        ("N" * 55, [], "Name", "at most 54 characters"),
        ("N", ["Z"] * 15, "Purpose", "at most 14 in one record"),
        ("N", ["A", "", "C"], "Purpose", "a text on both sides of '; '"),
        ("N", ["A", "B", ""], "Purpose", "a text on both sides of '; '"),
        ("N", ["Z" * 28], "Purpose", "at most 27 bytes, not 28"),
        ("N", ["Z", "Z" * 28], "Purpose", "at most 27 bytes, not 28"),
    ],
)
def test_what_the_parts_have_no_room_for_is_refused(
    name: str, lines: list[str], title: str, wanted: str
) -> None:
    payments = [PAYMENTS[0], ("1", name, 1, lines)]
    with pytest.raises(EncodeError) as caught:
        written(payments)
    (problem,) = caught.value.problems
    assert (problem.payment_id, problem.column, problem.wanted) == ("P2", title, wanted)


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("repeat 0..13", "repeat 13..13", "repeat", "not understood"),
        ("repeat 0..13", "repeat 0..99", "case", "too many variants"),
        ('!"0', '"0', "structure-ambiguous", "parts=1 parts=0 cannot be told from parts=0 parts=1"),
        ("2>0    number        Parts", "1      number        Parts", "width", "1 bytes for Parts"),
        ("4>0    number        Length        = length\n1      text          Mark          !\"E\"",
         "4>0    number        Number        = parts\n1      text          Mark          !\"E\"",
         "total", "a number of parts, and no repeat that varies"),
        ("27   text          Purpose       payment.summary\n", '27   text          Purpose       "X"\n',
         "repeat", "payment: nothing says how many parts to write"),
        ('eol = "none"', 'eol = "none", after_each_field = "|"', "eol", "record_multiple, and a separator"),
    ],
)  # fmt: skip
def test_mistakes(old: str, new: str, code: str, words: str) -> None:
    assert old in LAYOUT
    text = LAYOUT.replace(old, new)
    if words.startswith("payment: nothing"):
        text = text.replace("payment.payee_name[28-54]", '"Y"')
    with pytest.raises(LayoutError) as caught:
        parse_layout(text, "exchange")
    found = [(problem.code, problem.message) for problem in caught.value.problems]
    assert any(one == code and words in message for one, message in found), found
    assert all(problem.line for problem in caught.value.problems if problem.code == code)


def test_records_of_several_widths_that_nothing_tells() -> None:
    """Without line ends only a record itself says where it ends: by its length, its parts, or its mark."""
    text = LAYOUT.replace("= length", '"0187"').replace("= parts ", '"00" ')
    with pytest.raises(LayoutError) as caught:
        parse_layout(text, "exchange")
    told = [problem for problem in caught.value.problems if problem.code == "structure-ambiguous"]
    assert "bind = parts or = length" in {problem.hint for problem in told}
    marks = LAYOUT.replace("= length", '"0187"').replace('!"C"', '"C"').replace('!"A"', '"A"')
    with pytest.raises(LayoutError) as caught:
        parse_layout(marks, "exchange")
    assert any("without line ends" in problem.message for problem in caught.value.problems)


def test_a_person_reads_the_record_with_all_its_parts_once() -> None:
    titles = [table.title for table in layout_document(MODEL).tables]
    assert titles.count("record payment") == 1
    table = next(table for table in layout_document(MODEL).tables if table.title == "record payment")
    assert [row[1] for row in table.rows if row[4].startswith("(fill)")] == [
        "246-256",
        "373-384",
        "501-512",
        "629-640",
    ]


def test_two_versions_differ_in_one_number_of_parts() -> None:
    other = parse_layout(LAYOUT.replace("repeat 0..13", "repeat 0..12"), "exchange")
    found = compare_layouts(MODEL, other)
    assert found
    assert {"payment" in difference.place for difference in found} == {True}


def test_the_dump_follows_the_widths() -> None:
    passages = list(dump(io.BytesIO(RAW), MODEL))
    assert [(one.start, one.end) for one in passages] == [
        (0, 128), (128, 384), (384, 768), (768, 1024), (1024, 1664), (1664, 1792),
    ]  # fmt: skip
    assert not [one for one in passages if one.doubts]


def test_parts_behind_a_line_with_a_line_end() -> None:
    """The same in lines: told by the number of parts alone, and in a delimited file by its own field."""
    for syntax, framing, places in (
        ("fixed", 'encoding = "utf-8"', ("1", "10", "8>0", "4", "6")),
        ("delimited", 'encoding = "utf-8", delimiter = "|"', ("-",) * 5),
    ):
        mark, account, amount, parts, line = places
        text = (
            'layout = "x"\nversion = "1"\npurpose = "request"\n'
            f'syntax = "{syntax}"\nframing = {{ {framing} }}\n'
            "structure = '''\npayment 1..*\n'''\n[record.payment]\ntable = '''\n"
            f'{mark}  text  Mark  !"P"\n{account}  text  Account  payment.account\n'
            f"{amount}  money.2  Amount  payment.amount\n{parts}  number  Item  = number  key\n"
            f"{parts}  number  Parts  = parts\n"
            f"repeat 0..3\n  {line}  text  Line  payment.summary\n'''\n"
        )
        codec = compile_layout(parse_layout(text, "x"))
        columns: dict[str, list[Any]] = {
            "payment.account": ["1", "2", "3"],
            "payment.amount": [5, 6, 7],
            "payment.summary": ["A; B", "", "A; B; C"],
        }
        chunk = RecordChunk(record="payment", count=3, columns=columns)
        raw = b"".join(codec.encode(identity(count=3, total_minor=18), [chunk]))
        items = {"attempt.item": [1, 2, 3]}
        assert decode(codec, raw) == ({"payment": columns | items}, {"declared": {}}, [])
        with pytest.raises(DecodeError):
            decode(
                codec, raw.replace(b"2   A", b"1   A") if syntax == "fixed" else raw.replace(b"|2|A", b"|1|A")
            )

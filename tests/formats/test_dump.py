"""Annotated files: exact places, every kind of damage told where it is, and nothing personal shown."""

from __future__ import annotations

import gzip
import io
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

import pytest

from formats.dump.annotate import dump, verdict
from formats.dump.model import Passage
from formats.dump.recognition import recognise
from formats.language.layout import parse_layout
from formats.language.model import Layout
from formats.registry import Registry
from formats.tools.files import all_layouts, find_layouts
from tests.formats.public_files import public_files, raw_of
from tests.formats.samples import ACCOUNT_ONE, encode, request_chunk
from tests.formats.test_frames import encoded as framed
from tests.formats.test_layouts_page import FILES
from tests.formats.test_layouts_page import LAYOUTS as EXAMPLES
from tests.formats.test_vectors import (
    COMMENT_ACKNOWLEDGEMENT,
    COMMENT_RESULT,
    RURAL_ACKNOWLEDGEMENT,
    RURAL_RESULT,
)
from tests.formats.test_vectors_world import (
    CNAB_REQUEST,
    CNAB_RESULT,
    NACHA_REQUEST,
    NACHA_RESULT,
    PAYROLL_REQUEST,
    PAYROLL_RESULT,
)
from tests.fuzz.targets.dumps import check_passages

REQUEST = encode(Registry().get("rural-credit-request"), [request_chunk()])
COMMENTS = encode(Registry().get("comment-style-request"), [request_chunk()])


def layout_of(name: str) -> Layout:
    if name in EXAMPLES:
        return parse_layout(EXAMPLES[name], name)
    (layout,) = find_layouts(name)
    return layout


def annotated(name: str, raw: bytes, *, masked: bool = True) -> list[Passage]:
    passages = list(dump(io.BytesIO(raw), layout_of(name) if name else None, masked=masked))
    check_passages(raw, passages if masked else [Passage(line=1, start=0, end=0, name="")])
    return passages


def doubts(passages: list[Passage]) -> list[tuple[int, str]]:
    return [(passage.line, doubt) for passage in passages for doubt in passage.all_doubts()]


def test_a_file_that_is_right_has_no_doubt_and_every_byte_its_field() -> None:
    header, first, second = annotated("rural-credit-request", REQUEST)
    assert [header.name, first.name, second.name] == ["record header", "record payment", "record payment"]
    assert [(one.start, one.end) for one in (header, first, second)] == [(0, 101), (101, 202), (202, 303)]
    assert doubts([header, first, second]) == []
    assert [(one.start, one.end, one.first) for one in first.pieces][:5] == [
        (101, 102, 1),
        (102, 122, 2),
        (122, 123, 22),
        (123, 146, 23),
        (146, 166, 46),
    ]
    assert sum(piece.end - piece.start for piece in first.pieces) == 100
    assert [(one.title, one.shown, one.meaning) for one in first.pieces][:5] == [
        ("记录标志", "'2'", '!"2"'),
        ("客户键", "************0001", "attempt.reference  key"),
        ("业务种类", "'4'", '"4"'),
        ("账号", "************8674", "payment.account"),
        ("户名", "阿*******", "payment.payee_name"),
    ]


def test_unmasked_it_shows_what_stands_there() -> None:
    _, first, _ = annotated("rural-credit-request", REQUEST, masked=False)
    assert [piece.shown for piece in first.pieces[3:5]] == [repr(ACCOUNT_ONE), "'阿依古丽·买买提'"]


def changed(before: bytes, after: bytes) -> bytes:
    assert REQUEST.count(before) == 1
    return REQUEST.replace(before, after)


DAMAGED: dict[str, tuple[bytes, list[tuple[int, str]]]] = {
    "cut": (
        REQUEST[:-40],
        [
            (3, "61 bytes, wanted 100"),
            (3, "not there: 状态, 笔数, 金额, 返回码"),
            (3, "line end: found none, wanted LF"),
            (3, "户名: cut: 16 of 20 bytes"),
        ],
    ),
    "amount": (
        changed(b"1500.00", b"1500,0O"),
        [(2, "金额: wanted yuan with a point and two decimals")],
    ),
    "no header": (REQUEST[101:], [(1, "out of order: record payment, wanted record header")]),
    "second header": (
        REQUEST + REQUEST[:101],
        [
            (4, "out of order: record header, wanted record payment or the end of the file"),
            (4, "the file ends here, wanted record payment"),
        ],
    ),
    "line ends": (REQUEST.replace(b"\n", b"\r\n"), [(1, "line end: found CRLF, wanted LF")]),
    "stranger": (
        REQUEST + b"total 2\n",
        [(4, "no record begins so, wanted record payment or the end of the file")],
    ),
    "empty": (b"", [(1, "an empty file")]),
    "header only": (REQUEST[:101], [(1, "the file ends here, wanted record payment")]),
    "nul": (changed(b"1500.00", b"1500\x00.0"), [(2, "金额: a control character")]),
    "bytes": (
        changed("阿依".encode("gb18030"), b"\xb0\xff\xd2\xc0"),
        [(2, "户名: bytes that are no characters of gb18030")],
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_each_damage_is_told_where_it_is(name: str) -> None:
    raw, wanted = DAMAGED[name]
    assert doubts(annotated("rural-credit-request", raw)) == wanted


def test_a_line_out_of_order_is_one_doubt_and_the_next_is_in_step() -> None:
    """Trailer first, then header and payments as they should be."""
    raw = FILES["example-lots"].replace("\n", "\r\n").encode()
    *lines, trailer = raw.splitlines(keepends=True)
    found = doubts(annotated("example-lots", b"".join([trailer, *lines])))
    assert found == [
        (1, "out of order: record file_trailer, wanted record file_header"),
        (2, "out of order: record file_header, wanted the end of the file"),
        (10, "the file ends here, wanted record lot_header or record file_trailer"),
    ]


def test_delimited_cells_have_bytes_of_the_file() -> None:
    """`|` is a byte of 東: it separates nothing."""
    lines = COMMENTS.splitlines(keepends=True)
    passages = annotated("comment-style-request", COMMENTS)
    assert doubts(passages) == []
    second = passages[5]
    name = next(piece for piece in second.pieces if piece.meaning == "payment.payee_name")
    assert COMMENTS[name.start : name.end] == "東䶮".encode("gb18030")
    assert name.first == lines[5].index("東".encode("gb18030")) + 1


def test_quotations_and_too_many_or_too_few_cells() -> None:
    raw = FILES["example-kinds"].encode() + b"3;A;1,00;00;0102\n4;A;1,00;77;0102;;9\n"
    passages = annotated("example-kinds", raw, masked=False)
    quoted = passages[2].pieces[1]
    assert quoted.shown == repr('O\'Neil; Ann "A"')
    assert raw[quoted.start : quoted.end] == b'"O\'Neil; Ann ""A"""'
    unlike = "no record begins so, wanted record payment or the end of the file"
    assert doubts(passages) == [
        (4, unlike),
        (4, "4 delimiters, wanted 5"),
        (4, "not there: Fee"),
        (5, unlike),
        (5, "6 delimiters, wanted 5"),
        (5, "Code: not in [codes.outcome]"),
        (5, "-: behind the fields"),
    ]


def test_records_without_line_ends_and_their_padding() -> None:
    raw = FILES["example-blocks"].rstrip("\n").encode()
    passages = annotated("example-blocks", raw)
    assert [(one.name, one.start, one.end) for one in passages] == [
        ("record head", 0, 32),
        ("record payment", 32, 64),
        ("record payment", 64, 96),
    ]
    assert doubts(passages) == []
    assert [one.pieces[-1].title for one in passages] == ["(fill)"] * 3
    assert doubts(annotated("example-blocks", raw[:-1]))[0] == (3, "31 bytes, wanted 32")


def test_overlays_repeats_codes_and_check_digits() -> None:
    raw = FILES["example-answers"].encode().replace(b"790102  NO", b"7901XX  NO")
    passages = annotated("example-answers", raw)
    assert [one.name for one in passages][:4] == [
        "record entry",
        "record refusal",
        "record entry",
        "record correction C01",
    ]
    assert doubts(passages) == [(2, "Code (2/3): not in [codes.outcome]")]
    assert passages[1].pieces[2].shown == "'01'"
    lots = FILES["example-lots"].replace("\n", "\r\n").encode()
    assert doubts(annotated("example-lots", lots)) == []
    assert doubts(annotated("example-lots", lots.replace(b"509   ", b"508   "))) == [
        (6, "Digit: wanted check digit 9")
    ]


def test_a_wide_line_comes_in_parts_and_the_file_goes_on() -> None:
    raw = REQUEST[:101] + b"2" * 200_000 + b"\n" + REQUEST[202:]
    passages = annotated("rural-credit-request", raw)
    parts = [one for one in passages if one.line == 2]
    assert [one.doubts for one in parts] == [("a part of a line of more than 65536 bytes",)] * 4
    assert (passages[-1].line, passages[-1].name, passages[-1].doubts) == (3, "record payment", ())


def test_without_a_layout_cells_are_found_by_what_separates_them() -> None:
    """Two blanks or more, `|`, `;` and tabs; blanks are no cell."""
    passages = annotated("", "A  12|张三 x;\ty\n\n".encode("gb18030"))
    assert [(piece.first, piece.end - piece.start, piece.shown) for piece in passages[0].pieces] == [
        (1, 1, "1 character (letters)"),
        (4, 2, "2 characters (digits)"),
        (7, 6, "4 characters (hanzi, letters, spaces)"),
        (15, 1, "1 character (letters)"),
    ]
    assert passages[1].name == "blank line"


def test_a_byte_order_mark_is_no_part_of_the_first_field() -> None:
    raw = BOM_UTF8 + FILES["example-characters"].encode()
    (line,) = annotated("example-characters", raw)
    assert doubts([line]) == []
    assert (line.pieces[0].start, line.pieces[0].first) == (3, 1)


def test_blocks_before_a_body_and_where_it_begins() -> None:
    header, _, body = framed().partition(b"\r\n")
    block = b"{S:QUJD}\r\n"
    raw = header + b"\r\n" + block + body
    passages = annotated("xml-block-pay-request", raw)
    assert [(one.name, one.start, one.end) for one in passages[:2]] == [
        ("header block", 0, 130),
        ("signature block", 132, 142),
    ]
    assert (passages[2].name, passages[2].start) == ("file", 142)
    assert doubts(passages) == []
    amounts = [piece for one in passages for piece in one.pieces if piece.meaning == "payment.amount"]
    assert [raw[piece.start : piece.end] for piece in amounts] == [b"1500.00", b"0.50"]
    told = doubts(annotated("xml-block-pay-request", raw.replace(b"{S:QUJD}", b"{S:QUJD")))
    assert (2, "a signature block without end") in told
    assert doubts(annotated("xml-block-pay-request", body))[0] == (1, "no header block here")


# XML.

XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.14"><CstmrPmtStsRpt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-01-02T09:30:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M0007</OrgnlMsgId>
<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>G1</OrgnlPmtInfId>
<TxInfAndSts><OrgnlEndToEndId>00000000000700000001</OrgnlEndToEndId>
<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>00000000000700000002</OrgnlEndToEndId>
<TxSts>ACSC</TxSts><OrgnlTxRef><IntrBkSttlmAmt Ccy="CNY">0.50</IntrBkSttlmAmt></OrgnlTxRef></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>
"""
RESULT = "iso20022-pain002-result"


def test_elements_have_their_bytes_paths_and_meanings() -> None:
    passages = annotated(RESULT, XML)
    assert doubts(passages) == []
    names = ["file", "group", "record payment", "record payment", "end of file"]
    assert [one.name for one in passages] == names
    amount = next(piece for piece in passages[3].pieces if piece.meaning.startswith("outcome.amount"))
    assert XML[amount.start : amount.end] == b"0.50"
    path = "Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts/OrgnlTxRef/IntrBkSttlmAmt"
    assert (amount.title, amount.shown) == (f"入账金额 {path}", "'0.50'")
    assert [piece.shown for piece in passages[2].pieces] == ["************0001", "'RJCT'", "'AC01'"]


ENTITY = b"<!DOCTYPE x [<!ENTITY e SYSTEM 'f'>]>"


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (b"</TxSts><StsRsnInf>", b"<StsRsnInf>", "TxSts has no end tag"),
        (b"<TxSts>RJCT</TxSts>", b"<TxSts>RJCT</TxSts></No>", "an end tag No that ends nothing"),
        (
            b"</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>\n",
            b"",
            "the file ends inside Document/CstmrPmt",
        ),
        (b"</Document>\n", b"</Document>more", "-: text outside the root element"),
        (b"<Document ", ENTITY + b"<Document ", "-: a document type declaration: readers refuse it"),
        (b"<MsgId>M1", b"<MsgId>&e;M1", "an entity that XML does not define"),
        (b"0.50", b"0.5x", "wanted an amount"),
        (b">AC01<", b">ZZ99<", "not in a code table"),
        (b"pain.002.001.14", b"pain.002.001.99", "a namespace of another layout"),
        (b"pain.001.001.09<", b"pain.001.001.08<", "wanted 'pain.001.001.09'"),
        (b'encoding="UTF-8"', b'encoding="GB18030"', "the file says gb18030, wanted utf-8"),
        (b"<MsgId>M1", b"<MsgId>\xff", "bytes that are no characters of utf-8"),
        (b"<MsgId>M1", b"<MsgId >" + b"M" * 40, "40 characters, wanted at most 35"),
        (b"<CreDtTm>", b"<CreDtTm", "-: a tag that is none"),
    ],
)
def test_in_xml_each_damage_is_told_and_the_rest_is_read(before: bytes, after: bytes, wanted: str) -> None:
    assert XML.count(before) == 1
    passages = annotated(RESULT, XML.replace(before, after))
    told = [doubt for _, doubt in doubts(passages)]
    assert any(wanted in doubt for doubt in told), told
    assert len([one for one in passages if one.name == "record payment"]) >= 2


def test_deep_nesting_and_endless_texts_keep_it_going() -> None:
    raw = b"<a>" * 5_000 + b"x" * 200_000 + b"</a>" * 5_000 + b"<b>1</b>"
    passages = annotated("", raw)
    told = [doubt for _, doubt in doubts(passages)]
    assert "elements nested too deeply" in told
    assert "an element b behind the root element" in told


@pytest.mark.parametrize(
    "raw",
    [b"<" * 60_000, b"<a " * 30_000, b"<" + b"a" * 1_000_000, b'<a b="' * 20_000, b"&" * 100_000],
)
def test_no_input_is_looked_at_twice_and_again(raw: bytes) -> None:
    """Would take minutes where a tag is searched from every byte anew."""
    assert sum(len(one.pieces) for one in dump(io.BytesIO(b"<r>" + raw), None)) > 0


class _Endless(io.RawIOBase):
    """A file of so many copies of a line, made while it is read."""

    def __init__(self, line: bytes, copies: int) -> None:
        self._line, self._left = line, copies

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        count = min(self._left, max(size // len(self._line), 1))
        self._left -= count
        return self._line * count


@pytest.mark.parametrize("name", ["rural-credit-request", ""])
@pytest.mark.parametrize(
    "line", [REQUEST[101:202], b"\x00" * 4096, b"<a>1</a>"], ids=["lines", "nul", "tags"]
)
def test_passages_come_while_the_file_is_read(name: str, line: bytes) -> None:
    """Ten gigabytes could stand behind: the first passages come after less than two megabytes."""
    source = _Endless(line, 10_000_000_000 // len(line))
    passages = dump(source, layout_of(name) if name else None)  # type: ignore[arg-type]
    assert next(passages).end <= 2_000_000
    for _ in range(3):
        assert next(passages).end <= 2_000_000


def test_the_decoders_word_stands_beside_it() -> None:
    assert verdict(io.BytesIO(REQUEST), layout_of("rural-credit-request")) == []
    wrong = REQUEST.replace(b"1500.50", b"1500.51")
    (problem,) = verdict(io.BytesIO(wrong), layout_of("rural-credit-request"))
    assert problem.code == "total-differs"
    (refused,) = verdict(io.BytesIO(REQUEST[:-1]), layout_of("rural-credit-request"))
    assert refused.code == "file-cut"


# Recognition.

LAYOUTS = all_layouts()
WRITTEN = {
    "rural-credit-request": REQUEST,
    "rural-credit-result": RURAL_RESULT,
    "rural-credit-acknowledgement": RURAL_ACKNOWLEDGEMENT,
    "comment-style-request": COMMENTS,
    "comment-style-result": COMMENT_RESULT,
    "comment-style-acknowledgement": COMMENT_ACKNOWLEDGEMENT,
    "plain-payroll-request": PAYROLL_REQUEST,
    "plain-payroll-result": PAYROLL_RESULT,
    "nacha-request": NACHA_REQUEST,
    "nacha-result": NACHA_RESULT,
    "cnab240-payment-request": CNAB_REQUEST,
    "cnab240-payment-result": CNAB_RESULT,
    "iso20022-pain002-result": XML,
    "xml-block-pay-request": framed(),
}
"""A file of each layout, made by hand or by the codec itself."""


def likely(raw: bytes) -> str:
    guesses = recognise(raw, LAYOUTS)
    return guesses[0].layout.name if guesses else ""


@pytest.mark.parametrize("name", WRITTEN)
def test_files_of_what_ships_are_recognised(name: str) -> None:
    assert likely(WRITTEN[name]) == name


def test_what_no_layout_fits_is_not_recognised() -> None:
    assert [likely(raw) for raw in (b"", b"\x00" * 500, b"hello\n" * 20, b"<html><body/></html>")] == [""] * 4


def test_public_files_are_recognised(samples: Path) -> None:
    """Each by the layout that reads it; a file with nothing of a result in it is a request."""
    wrong = [
        (path.name, layout, found)
        for path, layout in public_files(samples)
        if (found := likely(raw_of(path)[:65536])) != layout
    ]
    assert wrong == []


def every_sample(samples: Path) -> Iterator[Path]:
    return (path for path in sorted(samples.rglob("*")) if path.is_file())


def test_every_public_file_is_annotated_to_its_last_byte(samples: Path) -> None:
    for path in every_sample(samples):
        raw = gzip.decompress(path.read_bytes())[:300_000] if path.suffix == ".gz" else path.read_bytes()
        guesses = recognise(raw, LAYOUTS)
        passages = list(dump(io.BytesIO(raw), guesses[0].layout if guesses else None))
        check_passages(raw, passages)
        covered = max(passage.end for passage in passages)
        assert raw[covered:].strip() == b"", path
        cut = raw[: len(raw) * 2 // 3]
        check_passages(cut, list(dump(io.BytesIO(cut), guesses[0].layout if guesses else None)))

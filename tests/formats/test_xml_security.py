"""Hostile and broken XML: a clear error each, nothing fetched, nothing expanded, little memory."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats import DecodeError
from tests.formats.xml_support import (
    PAIN_002,
    REQUEST,
    RESULT,
    group,
    payments,
    read,
    report,
    transaction,
    written,
)

GOOD = report(group("".join(transaction(item, "<TxSts>ACSC</TxSts>") for item in range(1, 4))))
DECLARATION, BODY = GOOD.split("?>", 1)
DECLARATION += "?>"
ENTITIES = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
NESTED = f'<!DOCTYPE Document [<!ENTITY e0 "{"x" * 100}">{ENTITIES}]>'


def swapped(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new, 1).encode()


CASES: dict[str, tuple[bytes, str]] = {
    "external entity": (
        f'{DECLARATION}<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>{BODY}'.encode(),
        "xml-dtd",
    ),
    "nested entities": (f"{DECLARATION}{NESTED}{BODY}".replace("ACSC", "&e9;", 1).encode(), "xml-dtd"),
    "external subset": (f'{DECLARATION}<!DOCTYPE Document SYSTEM "x.dtd">{BODY}'.encode(), "xml-dtd"),
    "type declaration behind comments": (
        f"{DECLARATION}<!-- c --><?p?>\n<!DOCTYPE Document>{BODY}".encode(),
        "xml-dtd",
    ),
    "type declaration inside the root": (swapped("<GrpHdr>", "<!DOCTYPE x><GrpHdr>"), "xml-syntax"),
    "undeclared entity": (swapped("ACSC", "&secret;"), "xml-entity"),
    "wrong namespace": (swapped(PAIN_002, "urn:other"), "xml-namespace"),
    "no namespace": (swapped(f' xmlns="{PAIN_002}"', ""), "xml-namespace"),
    "wrong root": (GOOD.replace("Document", "Envelope").encode(), "xml-root"),
    "wrong message": (GOOD.replace("CstmrPmtStsRpt", "CstmrCdtTrfInitn").encode(), "xml-structure"),
    "two messages": (swapped("</CstmrPmtStsRpt>", "</CstmrPmtStsRpt><CstmrPmtStsRpt/>"), "xml-structure"),
    "trailing element": (GOOD.encode() + b"<Document/>", "xml-trailing"),
    "trailing text": (GOOD.encode() + b"garbage", "xml-trailing"),
    "trailing zeros": (GOOD.encode() + b"\0\0", "xml-trailing"),
    "two headers": (swapped("</GrpHdr>", "</GrpHdr><GrpHdr><MsgId>B2</MsgId></GrpHdr>"), "xml-repeated"),
    "header after the records": (
        swapped("</OrgnlPmtInfAndSts>", "</OrgnlPmtInfAndSts><OrgnlGrpInfAndSts/>"),
        "xml-structure",
    ),
    "status of the group after its records": (
        swapped("</OrgnlPmtInfAndSts>", "<PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>"),
        "xml-structure",
    ),
    "another declared encoding": (swapped("UTF-8", "GB2312"), "xml-encoding"),
    "unknown declared encoding": (swapped("UTF-8", "x-none"), "xml-encoding"),
    "UTF-16": (GOOD.encode("utf-16"), "xml-encoding"),
    "UTF-16 without mark": (GOOD.encode("utf-16-le"), "xml-encoding"),
    "bytes that are not UTF-8": (GOOD.encode().replace(b"B1", b"\xb0\xa1", 1), "xml-character"),
    "a control character": (swapped("B1", "B\x01"), "xml-character"),
    "a reference to nothing": (swapped("B1", "&#0;"), "xml-character"),
    "a noncharacter that we use": (swapped("ACSC", "ACSC\ufdd0"), "field-invalid"),
    "as many noncharacters as columns": (swapped("ACSC", "\ufdd0" * 17), "field-invalid"),
    "tags that do not match": (swapped("</TxSts>", "</TxStz>"), "xml-tags"),
    "a huge text": (swapped("ACSC", "x" * 11_000_000), "xml-limit"),
    "a huge depth": (swapped("<GrpHdr>", "<a>" * 100_000 + "<GrpHdr>"), "xml-limit"),
    "a huge comment before the root": (
        f"{DECLARATION}<!--{' ' * 100_000}-->{BODY}".encode()[:90_000],
        "xml-limit",
    ),
    "a huge name": (swapped("<GrpHdr>", f"<{'a' * 200_000}/><GrpHdr>"), "xml-limit"),
    "nothing": (b"", "xml-empty"),
    "blanks": (b" \n ", "xml-empty"),
    "only a declaration": (DECLARATION.encode(), "xml-cut"),
    "no XML": (b"2|6231990000001208674|100|", "xml-syntax"),
    "a broken declaration": (b"<?xml version='one'?>" + BODY.encode(), "xml-syntax"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_has_an_error_of_its_own(name: str) -> None:
    raw, code = CASES[name]
    with pytest.raises(DecodeError) as caught:
        read(RESULT, raw)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.message.startswith("iso20022-pain002-result: ") or problem.line is not None


def test_a_file_cut_anywhere_is_refused() -> None:
    raw = GOOD.encode()
    codes = set()
    for end in range(1, len(raw)):
        with pytest.raises(DecodeError) as caught:
            read(RESULT, raw[:end])
        codes.add(caught.value.problems[0].code)
    assert codes == {"xml-cut"}


def test_a_cut_request_is_refused_though_its_records_were_whole() -> None:
    raw = written(REQUEST, [payments(amount=[1] * 2000)])
    with pytest.raises(DecodeError) as caught:
        read(REQUEST, raw[: -len("</PmtInf></CstmrCdtTrfInitn></Document>")])
    assert caught.value.problems[0].code == "xml-cut"


def test_an_error_says_its_line_and_quotes_nothing() -> None:
    raw = report(group("\n\n<TxInfAndSts><Nm>张三</Name></TxInfAndSts>")).encode()
    with pytest.raises(DecodeError) as caught:
        read(RESULT, raw)
    (problem,) = caught.value.problems
    assert (problem.code, problem.line, "张" in problem.message) == ("xml-tags", 3, False)


def test_a_byte_order_mark_and_no_declaration_are_taken() -> None:
    assert read(RESULT, b"\xef\xbb\xbf" + GOOD.encode())[0] == read(RESULT, BODY)[0] == read(RESULT, GOOD)[0]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_records_or_a_decode_error(raw: bytes) -> None:
    _read_or_refuse(raw)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 40))
def test_a_damaged_file_gives_records_or_a_decode_error(at: int, new: bytes, dropped: int) -> None:
    raw = GOOD.encode()
    _read_or_refuse(raw[:at] + new + raw[at + dropped :])


def _read_or_refuse(raw: bytes) -> None:
    """Any other exception, or an error that names nothing, fails the test."""
    with contextlib.suppress(DecodeError):
        columns, _ = read(RESULT, raw)
        assert all(isinstance(text, str) for text in columns.get("outcome.code", []))


class _Endless(io.RawIOBase):
    """Repeats one text between a beginning and an end, without holding it all."""

    def __init__(self, before: str, repeated: str, times: int, after: str) -> None:
        self._blocks = self._make(before.encode(), repeated.encode(), times, after.encode())

    @staticmethod
    def _make(before: bytes, repeated: bytes, times: int, after: bytes) -> Iterator[bytes]:
        yield before
        many = max(1, 60_000 // len(repeated))
        for _ in range(times // many):
            yield repeated * many
        yield after

    def read(self, size: int = -1) -> bytes:
        return next(self._blocks, b"")


def _split_at(marker: str, body: str) -> tuple[str, str]:
    before, after = body.split(marker)
    return before, after


@pytest.mark.parametrize(
    ("place", "repeated"),
    [
        ("in the header", "<GrpSts>x</GrpSts>"),
        ("in the header", "<Other>x</Other>"),
        ("in a record", "<Other>x</Other>"),
        ("between records", "<Other>x</Other>"),
        ("after the group", "<Other>x</Other>"),
        ("after the message", "<Other>x</Other>"),
    ],
)
def test_what_is_no_record_cannot_fill_the_memory(place: str, repeated: str) -> None:
    one = transaction(1, "<TxSts>ACSC</TxSts>@record")
    document = report(group(one + "@between") + "@after", "@header").replace(
        "</CstmrPmtStsRpt>", "</CstmrPmtStsRpt>@end"
    )
    markers = {
        "in the header": "@header",
        "in a record": "@record",
        "between records": "@between",
        "after the group": "@after",
        "after the message": "@end",
    }
    for name, marker in markers.items():
        if name != place:
            document = document.replace(marker, "")
    before, after = _split_at(markers[place], document)
    with pytest.raises(DecodeError) as caught:
        for _ in RESULT.decode(_Endless(before, repeated, 600_000, after)):  # type: ignore[arg-type]
            pass
    assert caught.value.problems[0].code == "xml-limit"


def test_records_and_groups_without_end_take_constant_memory() -> None:
    one = group(transaction(1, "<TxSts>ACSC</TxSts>") + "<Other/>") + "<Other/>"
    before, after = report("@").split("@")
    tracemalloc.start()
    count = sum(chunk.count for chunk in RESULT.decode(_Endless(before, one, 2_000, after)))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2_000 // (60_000 // len(one)) * (60_000 // len(one))
    assert peak < 20_000_000

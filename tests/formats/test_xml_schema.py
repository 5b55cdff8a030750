"""What we write against a schema, while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from formats import EncodeError
from formats.errors import LayoutError
from formats.xml.schema import Schema, read_schema
from tests.formats.xml_support import REQUEST, payments, written

SCHEMA = Path(__file__).parent / "pain001-written.xsd"
"""What we write of pain.001.001.09, in words of our own: the elements in their order, types and widths."""

GOOD = written(
    REQUEST, [payments(amount=[1, 2, 3], payee_name=["王小明", "李&王", "𠮷"], summary=["a", "", "b"])]
)


@pytest.fixture(scope="module")
def schema() -> Schema:
    return read_schema(SCHEMA)


def in_blocks(document: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(document), size):
        yield document[start : start + size]


def refusal(schema: Schema, document: bytes) -> EncodeError:
    with pytest.raises(EncodeError) as caught:
        list(schema.checked([document], "request"))
    return caught.value


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_what_is_valid_goes_through_unchanged(schema: Schema, size: int) -> None:
    blocks = list(in_blocks(GOOD, size))
    assert list(schema.checked(blocks, "request")) == blocks


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        (b"<ChrgBr>DEBT</ChrgBr>", b"<ChrgBr>DEBTS</ChrgBr>", "ChrgBr", "maxLength"),
        (b"<ChrgBr>DEBT</ChrgBr>", b"", "Cdtr", "wanted ChrgBr"),
        (b'Ccy="CNY"', b'Ccy="cny"', "InstdAmt/@Ccy", "pattern"),
        (b'Ccy="CNY"', b'Cur="CNY"', "InstdAmt/@Cur", "cvc_complex_type_3_2_1"),
        (b"0.01</InstdAmt>", b"-0.01</InstdAmt>", "InstdAmt", "minInclusive"),
        (b"0.01</InstdAmt>", b"x</InstdAmt>", "InstdAmt", "cvc_datatype_valid_1_2_1"),
        (b"pain.001.001.09", b"pain.001.001.03", "Document", "namespace"),
        (b"<Nm>", b"<Secret>9</Secret><Nm>", "Secret", "may not stand"),
        ("王小明".encode(), b"x" * 141, "Nm", "maxLength"),
        (b"</PmtInf>", b"</PmtInfo>", "", "not well-formed"),
        (GOOD[-40:], b"", "", "not well-formed"),
    ],
)
def test_what_is_not_valid_is_refused_with_its_element(
    schema: Schema, old: bytes, new: bytes, column: str, words: str
) -> None:
    assert old in GOOD
    problem = refusal(schema, GOOD.replace(old, new, 1)).problems[0]
    assert (problem.code, problem.source, problem.column) == ("schema-differs", "request", column)
    assert words in problem.message
    assert "pain001-written.xsd" in problem.message


def test_a_message_tells_its_lines_and_no_value(schema: Schema) -> None:
    """The library's own message quotes the value, which is a person's."""
    name = "王" * 141
    document = GOOD.replace(b"<PmtInf>", b"\n\n<PmtInf>\n").replace("王小明".encode(), name.encode())
    problem = refusal(schema, document).problems[0]
    assert problem.message.startswith("request lines 1 to ")
    assert "王" not in problem.message


def test_every_fault_of_a_place_is_told_once(schema: Schema) -> None:
    document = GOOD.replace(b"DEBT", b"WRONG").replace(b'"CNY"', b'"C"')
    assert [problem.column for problem in refusal(schema, document).problems] == ["InstdAmt/@Ccy", "ChrgBr"]


def test_it_judges_as_the_library_judges_a_tree(schema: Schema) -> None:
    """Each element of a file taken out, doubled, emptied."""
    judge = etree.XMLSchema(etree.parse(str(SCHEMA)))
    verdicts = set()
    for place in range(len(list(etree.fromstring(GOOD).iter()))):
        for change in (_take_out, _double, _empty):
            tree = etree.fromstring(GOOD)
            change(list(tree.iter())[place])
            valid = judge.validate(tree)
            verdicts.add(valid)
            try:
                list(schema.checked(in_blocks(etree.tostring(tree), 100), "request"))
            except EncodeError:
                assert not valid
            else:
                assert valid
    assert verdicts == {True, False}


@pytest.mark.parametrize("document", [b"", b"<x", b"<x/>", b"<!DOCTYPE x [<!ENTITY e 'e'>]><x>&e;</x>"])
def test_what_is_no_schema_is_refused(document: bytes) -> None:
    with pytest.raises(LayoutError) as caught:
        Schema(document, "bank.xsd")
    assert caught.value.problems[0].code == "schema-invalid"
    assert caught.value.problems[0].message.startswith("bank.xsd: no schema: ")


def test_nothing_written_is_not_valid(schema: Schema) -> None:
    with pytest.raises(EncodeError):
        list(schema.checked([], "request"))


def _take_out(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _double(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.insert(parent.index(element), etree.fromstring(etree.tostring(element)))


def _empty(element: etree._Element) -> None:
    element.clear()

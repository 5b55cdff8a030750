"""The reader of tags, lengths and values, by itself."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import tlv
from keys.errors import SignatureMalformed
from keys.tlv import Element, TlvReader


class Trickle:
    """Gives one byte at a time, as a pipe may."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(1)


OCTETS = [
    ("0403616263", b"abc"),
    ("2405" + "0403616263", b"abc"),
    ("2480" + "040161" + "04026263" + "0000", b"abc"),
    ("2480" + "2480" + "040161" + "0000" + "2404" + "04026263" + "0000", b"abc"),
    ("0400", b""),
    ("2400", b""),
    ("24800000", b""),
    ("048200036162" + "63", b"abc"),
]


@pytest.mark.parametrize(("encoded", "content"), OCTETS)
def test_octet_strings_in_every_form(encoded: str, content: bytes) -> None:
    whole = bytes.fromhex(encoded)
    for source in (io.BytesIO(whole), Trickle(whole)):
        reader = TlvReader(source)
        assert b"".join(reader.octets()) == content
        reader.finish()
    (element,) = tlv.read_elements(whole)
    assert (tlv.join_octets(element), element.raw) == (content, whole)
    assert tlv.to_der(element) == tlv.wrap(tlv.OCTET_STRING, content)


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("", "cut"),
        ("04", "cut"),
        ("0403", "cut"),
        ("048100", ""),
        ("0480", "indefinite length on a primitive"),
        ("0489" + "00" * 9, "more than 8 octets"),
        ("1f810100", "tag number above 30"),
        ("2404" + "0403616263", "beyond the one around"),
        ("2480" + "020100" + "0000", "found tag 02, wanted 04"),
        ("2480" + "040161", "cut"),
    ],
)
def test_what_is_no_octet_string(encoded: str, text: str) -> None:
    reader = TlvReader(io.BytesIO(bytes.fromhex(encoded)))
    if not text:
        assert list(reader.octets()) == []
        return
    with pytest.raises(SignatureMalformed, match=text):
        list(reader.octets())


def test_an_element_ends_where_it_says() -> None:
    reader = TlvReader(io.BytesIO(bytes.fromhex("3006" + "020101" + "020102")))
    reader.enter(tlv.SEQUENCE)
    assert tlv.decode_integer(reader.element(tlv.INTEGER)) == 1
    with pytest.raises(SignatureMalformed, match="more elements than belong here"):
        reader.leave()


def test_an_inner_element_cannot_be_longer_than_the_outer() -> None:
    reader = TlvReader(io.BytesIO(bytes.fromhex("3003" + "3005" + "020101020102")))
    reader.enter(tlv.SEQUENCE)
    with pytest.raises(SignatureMalformed, match="beyond the one around"):
        reader.enter(tlv.SEQUENCE)


def test_sets_are_put_in_order() -> None:
    (element,) = tlv.read_elements(bytes.fromhex("3180" + "020102" + "020101" + "0000"))
    assert tlv.to_der(element) == bytes.fromhex("3106" + "020101" + "020102")


@pytest.mark.parametrize(
    ("encoded", "oid"),
    [("0603551d0f", "2.5.29.15"), ("06092a864886f70d010701", "1.2.840.113549.1.7.1"), ("060100", "0.0"),
     ("060488378f50", "2.999.2000")],
)  # fmt: skip
def test_object_identifiers(encoded: str, oid: str) -> None:
    (element,) = tlv.read_elements(bytes.fromhex(encoded))
    assert tlv.decode_oid(element) == oid


@pytest.mark.parametrize("encoded", ["0600", "060181", "06028001", "040155", "06" + "41" + "81" * 64 + "01"])
def test_what_is_no_object_identifier(encoded: str) -> None:
    (element,) = tlv.read_elements(bytes.fromhex(encoded))
    with pytest.raises(SignatureMalformed):
        tlv.decode_oid(element)


@pytest.mark.parametrize("content", [b"", b"\0\x7f", b"\xff\x80", b"\1" * 65])
def test_what_is_no_integer(content: bytes) -> None:
    with pytest.raises(SignatureMalformed):
        tlv.decode_integer(Element(tlv.INTEGER, content, b""))


@given(st.binary(max_size=300))
def test_any_bytes_are_elements_or_malformed(content: bytes) -> None:
    try:
        elements = tlv.read_elements(content)
    except SignatureMalformed:
        return
    assert b"".join(element.raw for element in elements) == content

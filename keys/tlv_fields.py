"""The children of a sequence, taken one by one, as the readers of CMS structures want them."""

from __future__ import annotations

from keys import tlv
from keys.errors import SignatureMalformed
from keys.tlv import Element


class Fields:
    """Takes fields in order; whatever is missing, in another place or too much is malformed."""

    def __init__(self, sequence: Element) -> None:
        if sequence.identifier != tlv.SEQUENCE:
            raise SignatureMalformed(f"found tag {sequence.identifier:02X} where a sequence is wanted")
        self._elements = sequence.children()
        self._next = 0

    def next_is(self, identifier: int) -> bool:
        rest = self._elements[self._next : self._next + 1]
        return bool(rest) and rest[0].identifier == identifier

    def take(self, identifier: int | None = None) -> Element:
        if self._next == len(self._elements):
            raise SignatureMalformed("a field is missing")
        element = self._elements[self._next]
        if identifier is not None and element.identifier != identifier:
            raise SignatureMalformed(f"found tag {element.identifier:02X}, wanted {identifier:02X}")
        self._next += 1
        return element

    def finish(self) -> None:
        if self._next != len(self._elements):
            raise SignatureMalformed("more fields than belong here")

    def finish_null(self) -> None:
        """The end, after parameters that are NULL or left out."""
        if self.next_is(tlv.NULL) and self.take().content:
            raise SignatureMalformed("NULL parameters with content")
        self.finish()


def only_child(element: Element) -> Element:
    children = element.children()
    if len(children) != 1:
        raise SignatureMalformed(f"{len(children)} elements inside tag {element.identifier:02X}, wanted 1")
    return children[0]


def read_name_and_serial(element: Element) -> tuple[bytes, int]:
    """IssuerAndSerialNumber: the name in DER, and the number."""
    fields = Fields(element)
    issuer = tlv.to_der(fields.take(tlv.SEQUENCE))
    serial = tlv.decode_integer(fields.take())
    fields.finish()
    return issuer, serial

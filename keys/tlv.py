"""Reads tag, length and value from a stream: DER, and BER with indefinite lengths.

Small elements are read whole, with a limit; a large octet string is given out in blocks,
whether it is in one piece or constructed of segments. The bytes come from anybody: every
length, depth and size is bounded, and whatever is wrong is a `SignatureMalformed`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, Protocol, runtime_checkable

from msgspec import Struct

from keys.errors import KeyUnavailable, SignatureMalformed

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0
CONTEXT_1: Final = 0xA1
CONTEXT_2: Final = 0xA2
CONTEXT_3: Final = 0xA3
PRIMITIVE_CONTEXT_0: Final = 0x80

_CONSTRUCTED: Final = 0x20
_HIGH_TAG: Final = 0x1F
_END: Final = b"\0\0"

BLOCK_BYTES: Final = 256 * 1024
"""Large contents are read and given out in blocks of at most this."""
ELEMENT_LIMIT_BYTES: Final = 4 << 20
"""Certificates and signer infos take some kilobytes; this is ample."""
DEPTH_LIMIT: Final = 32
_LENGTH_OCTETS_LIMIT: Final = 8
_OID_LIMIT_BYTES: Final = 64


class ByteSource(Protocol):
    """Anything to read from, in order."""

    def read(self, size: int = -1, /) -> bytes: ...


@runtime_checkable
class SkippingSource(ByteSource, Protocol):
    """A source that can leave bytes out without reading them."""

    def skip(self, count: int, /) -> None: ...


class SeekableSource(ByteSource, Protocol):
    """A source that can be read a second time."""

    def tell(self) -> int: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...


class Element(Struct, frozen=True):
    """One element, whole. `content` excludes header and end-of-contents octets."""

    identifier: int
    content: bytes
    raw: bytes
    """All of it, as it came."""

    def children(self) -> list[Element]:
        """The elements inside; raises `SignatureMalformed`."""
        return read_elements(self.content)


class TlvReader:
    """Walks one structure from front to back: `enter`, read what is inside, `leave`."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._buffer = b""
        self._offset = 0
        self._position = 0
        self._ends: list[int | None] = []

    def enter(self, identifier: int) -> None:
        """Step into the constructed element that must come next."""
        length = self._read_expected_header(identifier)
        self._ends.append(None if length is None else self._position + length)

    def leave(self) -> None:
        """Step out; the element must end here."""
        if not self.at_end():
            raise self._malformed("more elements than belong here")
        if self._ends.pop() is None:
            self._take(2)

    def at_end(self) -> bool:
        """Whether the element that was entered ends here."""
        end = self._ends[-1]
        if end is None:
            return self._peek(2) == _END
        return self._position == end

    def next_identifier(self) -> int | None:
        """The identifier of the next element inside, or None at the end."""
        return None if self.at_end() else self._peek(1)[0]

    def element(self, identifier: int) -> Element:
        """The element that must come next, whole."""
        found = self._read_element(depth=0)
        if found.identifier != identifier:
            raise self._unexpected(found.identifier, identifier)
        return found

    def octets(self, identifier: int = OCTET_STRING) -> Iterator[bytes]:
        """The content of the octet string that must come next, in blocks; exhaust it.

        `identifier`: of its primitive form, where it has a tag of its own.
        """
        if self._peek(1)[0] != identifier | _CONSTRUCTED:
            yield from self._blocks(self._read_expected_header(identifier) or 0)
            return
        base = len(self._ends)
        self.enter(identifier | _CONSTRUCTED)
        while len(self._ends) > base:
            if self.at_end():
                self.leave()
            elif self._peek(1)[0] == OCTET_STRING | _CONSTRUCTED:
                if len(self._ends) - base >= DEPTH_LIMIT:
                    raise self._malformed("octet strings nested too deeply")
                self.enter(OCTET_STRING | _CONSTRUCTED)
            else:
                yield from self._blocks(self._read_expected_header(OCTET_STRING) or 0)

    def skip_octets(self) -> None:
        """Go past the octet string that must come next; without reading it where that can be done."""
        if self._peek(1)[0] == OCTET_STRING and isinstance(self._source, SkippingSource):
            length = self._read_expected_header(OCTET_STRING) or 0
            buffered = min(length, len(self._buffer) - self._offset)
            self._take(buffered)
            self._source.skip(length - buffered)
            self._position += length - buffered
        else:
            for _ in self.octets():
                pass

    def finish(self) -> None:
        """Nothing may follow."""
        if self._offset < len(self._buffer) or self._source.read(1):
            raise self._malformed("bytes follow the structure")

    def rest(self) -> list[Element]:
        """All elements up to the end of the source."""
        elements = []
        while self._offset < len(self._buffer) or self._fill():
            elements.append(self._read_element(depth=0))
        return elements

    def _read_expected_header(self, identifier: int) -> int | None:
        found, length = self._read_header()
        if found != identifier:
            raise self._unexpected(found, identifier)
        return length

    def _read_header(self) -> tuple[int, int | None]:
        """(identifier, length or None for indefinite); the length fits into what surrounds it."""
        identifier = self._take(1)[0]
        if identifier & _HIGH_TAG == _HIGH_TAG:
            raise self._malformed("a tag number above 30")
        length = self._take(1)[0]
        if length == 0x80:
            if not identifier & _CONSTRUCTED:
                raise self._malformed("an indefinite length on a primitive element")
            return identifier, None
        if length > 0x80:
            count = length & 0x7F
            if count > _LENGTH_OCTETS_LIMIT:
                raise self._malformed("a length of more than 8 octets")
            length = int.from_bytes(self._take(count), "big")
        end = self._innermost_end()
        if end is not None and self._position + length > end:
            raise self._malformed("an element reaches beyond the one around it")
        return identifier, length

    def _read_element(self, depth: int) -> Element:
        if depth > DEPTH_LIMIT:
            raise self._malformed("elements nested too deeply")
        start = self._position
        head = bytearray()
        identifier, length = self._recorded_header(head)
        if length is None:
            content = self._collect_indefinite(start, depth)
            return Element(identifier, content, bytes(head) + content + _END)
        if length > ELEMENT_LIMIT_BYTES:
            raise self._malformed(
                f"an element of {length} bytes where at most {ELEMENT_LIMIT_BYTES} are wanted"
            )
        content = self._take(length)
        return Element(identifier, content, bytes(head) + content)

    def _collect_indefinite(self, start: int, depth: int) -> bytes:
        self._ends.append(None)
        content = bytearray()
        while not self.at_end():
            content += self._read_element(depth + 1).raw
            if self._position - start > ELEMENT_LIMIT_BYTES:
                raise self._malformed("an element without length is too long")
        self.leave()
        return bytes(content)

    def _recorded_header(self, head: bytearray) -> tuple[int, int | None]:
        """As `_read_header`; the header's own bytes are added to `head`."""
        head += self._peek(2)
        extra = head[1] & 0x7F if head[1] > 0x80 else 0
        if 0 < extra <= _LENGTH_OCTETS_LIMIT:
            head[:] = self._peek(2 + extra)
        return self._read_header()

    def _innermost_end(self) -> int | None:
        for end in reversed(self._ends):
            if end is not None:
                return end
        return None

    def _blocks(self, length: int) -> Iterator[bytes]:
        while length:
            available = len(self._buffer) - self._offset
            if not available:
                self._fill()
                available = len(self._buffer)
                if not available:
                    raise self._malformed("the structure is cut")
            block = self._take(min(length, available))
            length -= len(block)
            yield block

    def _peek(self, count: int) -> bytes:
        """The next bytes, without taking them; `count` is small."""
        if len(self._buffer) - self._offset < count:
            self._gather(count)
        return self._buffer[self._offset : self._offset + count]

    def _take(self, count: int) -> bytes:
        end = self._innermost_end()
        if end is not None and self._position + count > end:
            raise self._malformed("an element reaches beyond the one around it")
        if len(self._buffer) - self._offset < count:
            self._gather(count)
        taken = self._buffer[self._offset : self._offset + count]
        self._offset += count
        self._position += count
        return taken

    def _gather(self, count: int) -> None:
        parts = [self._buffer[self._offset :]]
        missing = count - len(parts[0])
        while missing > 0:
            block = self._source.read(max(BLOCK_BYTES, missing))
            if not block:
                raise self._malformed("the structure is cut")
            parts.append(block)
            missing -= len(block)
        self._buffer = b"".join(parts)
        self._offset = 0

    def _fill(self) -> bool:
        self._buffer = self._source.read(BLOCK_BYTES)
        self._offset = 0
        return bool(self._buffer)

    def _unexpected(self, found: int, wanted: int) -> SignatureMalformed:
        return self._malformed(f"found tag {found:02X}, wanted {wanted:02X}")

    def _malformed(self, what: str) -> SignatureMalformed:
        return SignatureMalformed(f"not CMS: {what}, at byte {self._position}")


def unwrap_pem(content: bytes, label: bytes) -> bytes:
    """The bytes in the first PEM block of that label; raises `KeyUnavailable`."""
    block = re.search(
        rb"-----BEGIN " + label + rb"-----\s*([A-Za-z0-9+/=\s]*)-----END " + label + rb"-----", content
    )
    try:
        if block is None:
            raise binascii.Error
        return base64.b64decode(b"".join(block[1].split()), validate=True)
    except binascii.Error:
        raise KeyUnavailable(f"there is no PEM block {label.decode()}") from None


def wrap_pem(der: bytes, label: str) -> bytes:
    """One PEM block, lines of 64 characters."""
    text = base64.b64encode(der).decode("ascii")
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()


class BytesSource:
    """A byte string as a source that gives everything at once."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int = -1, /) -> bytes:
        given, self._content = self._content, b""
        return given


def read_elements(content: bytes) -> list[Element]:
    """The elements that make up `content`; raises `SignatureMalformed`."""
    return TlvReader(BytesSource(content)).rest()


def header(identifier: int, length: int) -> bytes:
    """DER identifier and length octets."""
    if length < 0x80:
        return bytes([identifier, length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([identifier, 0x80 | len(octets)]) + octets


def wrap(identifier: int, content: bytes) -> bytes:
    """One DER element around `content`."""
    return header(identifier, len(content)) + content


def to_der(element: Element, depth: int = 0) -> bytes:
    """The element in DER: definite shortest lengths, strings in one piece, sets in order."""
    if depth > DEPTH_LIMIT:
        raise SignatureMalformed("not CMS: elements nested too deeply")
    if not element.identifier & _CONSTRUCTED:
        return wrap(element.identifier, element.content)
    if element.identifier == OCTET_STRING | _CONSTRUCTED:
        return wrap(OCTET_STRING, join_octets(element))
    parts = [to_der(child, depth + 1) for child in element.children()]
    if element.identifier == SET:
        parts.sort()
    return wrap(element.identifier, b"".join(parts))


def join_octets(element: Element, depth: int = 0) -> bytes:
    """Content of an octet string, in one piece or constructed."""
    if element.identifier == OCTET_STRING:
        return element.content
    if element.identifier != OCTET_STRING | _CONSTRUCTED or depth > DEPTH_LIMIT:
        raise SignatureMalformed("not CMS: an octet string is wanted")
    return b"".join(join_octets(child, depth + 1) for child in element.children())


def decode_oid(element: Element) -> str:
    """Dotted form of an object identifier."""
    content = element.content
    if (
        element.identifier != OBJECT_IDENTIFIER
        or not 0 < len(content) <= _OID_LIMIT_BYTES
        or content[-1] & 0x80
    ):
        raise SignatureMalformed("not CMS: an object identifier is wanted")
    numbers, number = [], 0
    for octet in content:
        if octet == 0x80 and number == 0:
            raise SignatureMalformed("not CMS: an object identifier with padding")
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def encode_integer(number: int) -> bytes:
    """DER of a number of at least 0."""
    return wrap(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def encode_oid(dotted: str) -> bytes:
    """DER of an object identifier in dotted form."""
    first, second, *rest = (int(number) for number in dotted.split("."))
    content = bytearray()
    for number in (40 * first + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        content += bytes(reversed(groups))
    return wrap(OBJECT_IDENTIFIER, bytes(content))


def decode_integer(element: Element) -> int:
    """A whole number in its shortest form, at most 64 octets long."""
    content = element.content
    if element.identifier != INTEGER or not 0 < len(content) <= 64:
        raise SignatureMalformed("not CMS: a whole number is wanted")
    if len(content) > 1 and (content[0], content[1] >> 7) in {(0x00, 0), (0xFF, 1)}:
        raise SignatureMalformed("not CMS: a whole number with padding")
    return int.from_bytes(content, "big", signed=True)

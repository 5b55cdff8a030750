"""Bytes into lines and cells with their offsets, whatever the bytes are.

`raw_lines` never fails and holds one line of bounded length: what is longer comes in parts.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO

from msgspec import Struct

from formats.charset import Charset
from formats.flat.lines import MAXIMUM_LINE_BYTES, READ_BYTES

HEAD_BYTES = 1 << 16
"""Looked at to find out how lines end."""


class RawLine(Struct, frozen=True):
    """One line: its number from 1, where it begins in the file, its bytes, and its line end.

    `continues`: it is a part of a line that is too long to be one.
    """

    number: int
    start: int
    body: bytes
    line_end: bytes
    continues: bool = False


class Cut(Struct, frozen=True):
    """A part of a line; `start` and `end` are bytes in it."""

    start: int
    end: int


def read_head(source: BinaryIO) -> bytes:
    """The first `HEAD_BYTES` of a stream, or all there are."""
    head = b""
    while len(head) < HEAD_BYTES and (part := source.read(HEAD_BYTES - len(head))):
        head += part
    return head


def separator_of(head: bytes) -> bytes:
    """What ends lines here: a line feed, else a carriage return, else nothing."""
    return b"\n" if b"\n" in head else b"\r" if b"\r" in head else b""


def raw_lines(
    source: BinaryIO,
    start: int,
    separator: bytes,
    record_bytes: int = 0,
    measure: Callable[[bytes, int], int] | None = None,
) -> Iterator[RawLine]:
    """The lines of a stream that stands at byte `start`.

    A carriage return before a line feed belongs to the line end. Without a separator, records of
    `record_bytes`, or at most so wide and as `measure` tells them, else parts of `MAXIMUM_LINE_BYTES`.
    """
    most = record_bytes if record_bytes and not separator else MAXIMUM_LINE_BYTES
    buffer, position, number, at_end = b"", 0, 1, False
    while True:
        while len(buffer) - position < most + 2 and not at_end:
            part = source.read(READ_BYTES)
            at_end = not part
            buffer, position = buffer[position:] + part, 0
        if position >= len(buffer):
            return
        found = buffer.find(separator, position, position + most + 2) if separator else -1
        if found >= 0:
            body, line_end = buffer[position:found], separator
            if separator == b"\n" and body.endswith(b"\r"):
                body, line_end = body[:-1], b"\r\n"
        else:
            size = measure(buffer, position) if measure is not None and not separator else 0
            body, line_end = buffer[position : position + (size or most)], b""
        size = len(body) + len(line_end)
        continues = found < 0 and bool(separator) and position + size < len(buffer)
        yield RawLine(number, start, body, line_end, continues)
        position += size
        start += size
        number += not continues


def cells_with_places(body: bytes, charset: Charset, delimiter: str, quote: str) -> list[Cut]:
    """Where the cells of a delimited line stand, quotation marks included.

    A delimiter that is a byte of a longer character separates nothing; malformed bytes are skipped.
    """
    cuts = []
    first, in_quotes = 0, False
    for place, character in characters_with_places(body, charset):
        if quote and character == quote:
            in_quotes = not in_quotes
        elif character == delimiter and not in_quotes:
            cuts.append(Cut(first, place))
            first = place + 1
    cuts.append(Cut(first, len(body)))
    return cuts


def characters_with_places(body: bytes, charset: Charset) -> Iterator[tuple[int, str]]:
    """The characters of some bytes, each with the place of its first byte."""
    if body.isascii():
        yield from enumerate(body.decode("ascii"))
        return
    decoder = codecs.getincrementaldecoder(charset.codec)("replace")
    first = 0
    for place in range(len(body)):
        text = decoder.decode(body[place : place + 1])
        for behind, character in zip(range(len(text) - 1, -1, -1), text, strict=True):
            # Malformed bytes are told together with the characters behind them, each of one byte.
            yield (max(first, place - behind) if character.isascii() else first), character
        if text:
            first = place + 1


def unquoted(text: str, quote: str) -> str:
    """A cell without its quotation marks, doubled ones inside made one."""
    if quote and len(text) >= 2 and text.startswith(quote) and text.endswith(quote):
        return text[1:-1].replace(quote * 2, quote)
    return text

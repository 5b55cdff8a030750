"""Cuts an XML file into what the parser reads and runs of plain records that it need not see.

Blocks come in UTF-8, from the root element on. What is handed out between two runs is handed on
unchanged, so that the parser judges all that holds the runs together. Where a block has anything
that could mean something else than it looks like, it goes to the parser whole; after a comment,
a processing instruction or a CDATA section has begun, everything does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from formats.xml.forms import PlainRecords, Row, is_plain_prefix, plain_texts
from formats.xml.plan import Alternative

_HELD_BYTES = 1 << 16
"""An unfinished record is kept for the next block up to here."""

LEAST_ROWS = 8
_MOST_REFUSED = 1000
"""Records and short runs left to the parser, until a file is taken for one that is not plain."""

_BLANKS = b" \t\r\n"
_REFERENCE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)")
_CONTROLS = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r")
_RARE = re.compile("[\ufdd0-\ufddf\ufffe\uffff]")
"""Characters that XML forbids, or by which the reader separates columns."""


class Run(Struct, frozen=True):
    """Plain records that follow each other: a row of values each, and what they were made of."""

    rows: Sequence[Row]
    counts: Sequence[int]
    """How many rows each record has."""
    source: str
    several: bool
    """Whether a column has several values in a record."""
    has_references: bool

    def columns(self) -> list[list[str]]:
        """Its columns; the values as a parser gives them."""
        columns = [list(column) for column in zip(*self.rows, strict=True)]
        return [plain_texts(column) for column in columns] if self.has_references else columns


class RunFinder:
    """One file; see `PlainRecords` for columns and prefix. Without a record's name all is the parser's.

    `least_rows`: fewer plain records are left to the parser, for which a cut costs about as much.
    """

    def __init__(
        self,
        record: str,
        columns: Sequence[Sequence[Alternative]],
        prefix: str = "",
        detail: tuple[str, ...] = (),
        behind: Mapping[int, int] | None = None,
        least_rows: int = LEAST_ROWS,
    ) -> None:
        self._records = PlainRecords(record, columns, prefix, detail, behind)
        self._start = self._records.start.encode()
        self._end = f"</{self._records.start[1:]}>".encode()
        self._is_on = bool(record) and is_plain_prefix(prefix)
        self._least = least_rows
        self._refused = 0
        self._held = b""
        self._last = b""

    def pieces(self, block: bytes) -> Iterator[bytes | Run]:
        """What the block makes, in order; `take_rest` gives what is kept for the next one."""
        raw, self._held = self._held + block, b""
        self._is_on = self._is_on and not self._has_marks(raw)
        first = raw.find(self._start) if self._is_on else -1
        if first < 0:
            yield self._handed(raw)
            return
        last = max(raw.rfind(self._end) + len(self._end), first)
        if first:
            yield self._handed(raw[:first])
        body = raw[first:last]
        text = _text(body)
        if text is None:
            yield self._handed(raw[first:])
            return
        yield from self._runs(text, b"&" in body)
        rest = raw[last:]
        if len(rest) <= _HELD_BYTES:
            self._held = rest
        else:
            yield self._handed(rest)

    def take_rest(self) -> bytes:
        """What was kept of the last block."""
        rest, self._held = self._held, b""
        return rest

    def _handed(self, raw: bytes) -> bytes:
        self._last = raw.rstrip(_BLANKS)[-1:] or self._last
        return raw

    def _has_marks(self, raw: bytes) -> bool:
        """Whether a comment, a section or an instruction begins here."""
        if b"!" not in raw and b"?" not in raw:
            return False
        whole = self._last + raw
        return b"<!" in whole or b"<?" in whole

    def _follows_tag(self, text: str, position: int) -> bool:
        """Whether a tag ends before this place, and not a text or half an attribute."""
        before = text[max(position - 256, 0) : position].rstrip(_BLANKS.decode())
        return before.endswith(">") if before else self._last == b">"

    def _runs(self, text: str, has_references: bool) -> Iterator[bytes | Run]:
        records = self._records
        handed = position = 0
        while 0 <= position < len(text):
            rows, counts, several, end = records.read(text, position)
            if len(rows) >= self._least and self._follows_tag(text, position):
                if position > handed:
                    yield self._handed(text[handed:position].encode("utf-8"))
                yield Run(rows, counts, text[position:end], several, has_references)
                self._last = b">"
                handed = end
            else:
                self._refused += 1
            if self._refused > _MOST_REFUSED:
                self._is_on = False
                break
            position = text.find(records.start, end + (not rows))
        if handed < len(text):
            yield self._handed(text[handed:].encode("utf-8"))


def _text(raw: bytes) -> str | None:
    """The characters, with the line ends that a parser makes (XML 1.0, section 2.11).

    None where not all means what it looks like: an unusual reference, `]]>`, a character that XML forbids,
    a carriage return by itself, which is a line end that the parser does not count.
    """
    if b"]" in raw and b"]]>" in raw:
        return None
    if b"&" in raw and _REFERENCE.search(raw):
        return None
    if len(raw.translate(None, _CONTROLS)) != len(raw):
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if b"\xef" in raw and _RARE.search(text):
        return None
    if "\r" not in text:
        return text
    text = text.replace("\r\n", "\n")
    return None if "\r" in text else text

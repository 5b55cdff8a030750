"""Where a byte of a golden file stands, and whether a change of it provably means nothing.

A proof is one of few: the layout says `ignored`; the line is one that is read over; the byte is a
blank or a zero before a number; in XML it is white space between elements, the declaration, a
comment, or inside an element that the table does not name. For everything else there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from formats.conformance.vectors import Vector
from formats.language.model import Blank, Constant, Field, Kind, Layout, Record, Syntax
from formats.xml.places import XmlPlaces

_NUMBERS = (Kind.NUMBER, Kind.MONEY, Kind.YUAN)
_ANY_LINE_END = re.compile(rb"\r\n|\n|\r")


class Places:
    """The bytes of one golden file. Without a layout only what its JSON says is known."""

    def __init__(self, layout: Layout | None, vector: Vector) -> None:
        self._layout, self._vector = layout, vector
        content = vector.content
        body = 0 if content is None else int(content.facts.get("frame.body_offset", 0))
        self._body = body
        self._xml: XmlPlaces | None = None
        self._lines: list[tuple[int, bytes]] = []
        if layout is not None and layout.syntax is Syntax.XML:
            self._xml = XmlPlaces(layout, vector.raw[body:])
        else:
            self._lines = _lines(layout, vector.raw, body)

    def name(self, place: int) -> str:
        """A byte by line, column and field, as a person looks for it."""
        if self._xml is not None and place >= self._body:
            return self._xml.name(place - self._body)
        number, column, _ = self._line(place)
        record, field = self._field(place)
        where = f"line {number} byte {column + 1}"
        return where if field is None or record is None else f"{where} {record.name} {field.title}"

    def meaningless(self, place: int, byte: int) -> tuple[str, str]:
        """A name for the place and why its change to this byte means nothing; "" where there is no proof."""
        for one in self._vector.expected.meaningless:
            if one.first <= place + 1 <= one.last:
                return f"bytes {one.first}-{one.last} of {self._vector.name}", one.why
        if self._layout is None:
            return f"byte {place + 1}", ""
        if self._xml is not None and place >= self._body:
            return self._xml.meaningless(place - self._body, byte)
        number, _, _ = self._line(place)
        if reason := self._over(number):
            return f"line {number}", reason
        record, field = self._field(place)
        if record is None or field is None:
            return self.name(place), ""
        return self._of_field(place, byte, record, field)

    def read_over(self, number: int) -> bool:
        """Whether a line, from 1, is one that the layout reads over."""
        return self._layout is not None and bool(self._over(number))

    def _of_field(self, place: int, byte: int, record: Record, field: Field) -> tuple[str, str]:
        where = f"{record.name} {field.title}"
        if isinstance(field.meaning, Blank) and field.meaning.ignored:
            return where, "the layout says `ignored`"
        kind = field.kind
        old = self._vector.raw[place]
        if kind is not None and kind.name in _NUMBERS and {old, byte} <= set(b" 0"):
            return where, "a blank or a zero before a number is the same number"
        if kind is not None and field.optional and kind.name is Kind.DATE and {old, byte} <= set(b" 0"):
            return where, "blanks and zeros are both no date"
        return self.name(place), ""

    def _over(self, number: int) -> str:
        """Why a line is read over, "" where it is not."""
        assert self._layout is not None, "only with a layout"
        if not 1 <= number <= len(self._lines):
            return ""
        line = self._lines[number - 1][1]
        comment = self._layout.framing.comment
        if comment and line.startswith(comment.encode()):
            return f"lines that begin with {comment!r} are comments"
        for node in (node for top in self._layout.structure for node in top.walk()):
            if node.literal is not None and node.prefix and line.startswith(node.literal.encode("gb18030")):
                return f"lines that begin with {node.literal!r} are read over"
        return ""

    def _line(self, place: int) -> tuple[int, int, bytes]:
        """Number from 1, column from 0, and bytes of the line that a byte stands in."""
        for number in range(len(self._lines), 0, -1):
            start, line = self._lines[number - 1]
            if start <= place:
                return number, place - start, line
        return 1, place, b""

    def _field(self, place: int) -> tuple[Record | None, Field | None]:
        if self._layout is None or place < self._body:
            return None, None
        _, column, line = self._line(place)
        fixed = self._layout.syntax is Syntax.FIXED
        for record in self._layout.records:
            spans = _fixed_spans(self._layout, record) if fixed else _cell_spans(self._layout, line)
            if not _fits(self._layout, record, spans, line):
                continue
            for field, (start, end) in zip(record.fields, spans, strict=False):
                if start <= column < end:
                    return record, field
            return record, None
        return None, None


def _lines(layout: Layout | None, raw: bytes, body: int) -> list[tuple[int, bytes]]:
    """Where each line begins, and its bytes without line end; a header block is the first."""
    if layout is not None and layout.framing.eol == "none":
        return list(_records(layout, raw, body))
    lines, start = [], 0
    for match in _ANY_LINE_END.finditer(raw):
        lines.append((start, raw[start : match.start()]))
        start = match.end()
    return [*lines, (start, raw[start:])] if start < len(raw) else lines


def _records(layout: Layout, raw: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Records without line ends: each as wide as the one that it fits, else as the widest."""
    widest = max(record.bytes_ for record in layout.records)
    while start < len(raw):
        body = raw[start : start + widest]
        fitting = (
            record.bytes_
            for record in layout.records
            if _fits(layout, record, _fixed_spans(layout, record), body)
        )
        size = next(fitting, widest)
        yield start, raw[start : start + size]
        start += size


def _fixed_spans(layout: Layout, record: Record) -> list[tuple[int, int]]:
    gap = len(layout.framing.after_each_field)
    spans = []
    for index, field in enumerate(record.fields):
        assert field.width is not None, "fields of a fixed record have widths"
        start = field.width.offset + gap * index
        spans.append((start, start + field.width.bytes_))
    return spans


def _cell_spans(layout: Layout, line: bytes) -> list[tuple[int, int]]:
    """Cells of a delimited line: whole characters are looked at, a delimiter may be half of one."""
    encoding = {"gb2312": "gb18030", "gbk": "gb18030", "din-66003": "ascii"}.get(
        layout.framing.encoding, layout.framing.encoding
    )
    spans, start, at, quoted = [], 0, 0, False
    for character in line.decode(encoding, "replace"):
        size = len(character.encode(encoding, "replace"))
        quoted ^= character == layout.framing.quote
        if character == layout.framing.delimiter and not quoted:
            spans.append((start, at))
            start = at + size
        at += size
    return spans if layout.framing.after_last and start == at else [*spans, (start, at)]


def _fits(layout: Layout, record: Record, spans: list[tuple[int, int]], line: bytes) -> bool:
    """Whether a line may be of a record: as many cells or bytes, and what selects it."""
    if layout.syntax is Syntax.DELIMITED and len(spans) != len(record.fields):
        return False
    for field, (start, end) in zip(record.fields, spans, strict=False):
        if not field.selects:
            continue
        cell = line[start:end].decode("latin-1").strip(" ")
        texts = {field.meaning.text} if isinstance(field.meaning, Constant) else set(field.values)
        if cell not in texts:
            return False
    return True

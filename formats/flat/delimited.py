"""Delimited files: a line is decoded first and split then, since `|` (0x7C) is the second
byte of 118 characters of GBK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from formats.charset import UNWRITABLE
from formats.flat.codec import DataCodec
from formats.flat.compiler import Plan, RecordPlan, Role, compile_plan
from formats.flat.decoder import FileDecoder
from formats.flat.faults import FaultMaker
from formats.flat.lines import Window
from formats.flat.record_reader import Block, Raw, Row
from formats.language.model import Layout
from formats.records import FileIdentity

_CONTROLS = bytes([*range(0x20), 0x7F])
_BLOCK_BYTES = 1 << 17
"""About a thousand records of the usual size."""


def compile_delimited(layout: Layout) -> DataCodec:
    """The codec of a layout with `syntax = "delimited"`."""
    plan = compile_plan(layout)
    reader = DelimitedReader(plan)

    def open_decoder(source: BinaryIO, identity: FileIdentity | None) -> FileDecoder:
        return FileDecoder(plan, reader, source, identity)

    return DataCodec(plan, open_decoder)


class DelimitedReader:
    """Takes delimited lines apart; see `record_reader.LineReader`. Immutable."""

    def __init__(self, plan: Plan) -> None:
        framing = plan.layout.framing
        self._charset = plan.charset
        self._delimiter = framing.delimiter
        self._after_last = framing.after_last
        self._line_end = framing.line_end
        self._quote = framing.quote
        self._controls = _CONTROLS.replace(framing.delimiter.encode("ascii"), b"")
        self._selectors = {
            record.label: [
                (column.index, frozenset(self._text(text) for text in column.selecting))
                for column in record.selectors()
            ]
            for variants in plan.records.values()
            for record in variants
        }

    def _text(self, raw: str) -> str:
        return self._charset.decode(raw.encode("latin-1"))

    def matches(self, plan: RecordPlan, body: bytes) -> bool:
        """Whether the selecting constants stand in their fields."""
        cells = self._cells_of(body)
        return all(
            index < len(cells) and cells[index] in texts for index, texts in self._selectors[plan.label]
        )

    def keys(self, plans: Sequence[RecordPlan], lines: Sequence[bytes]) -> Sequence[object]:
        """The cells at the places that select any of these records."""
        places = sorted({index for plan in plans for index, _ in self._selectors[plan.label]})
        keys: list[object] = []
        for line in lines:
            cells = self._cells_of(line.removesuffix(self._line_end))
            keys.append(tuple(cells[place] for place in places) if len(cells) > places[-1] else line)
        return keys

    def _cells_of(self, body: bytes) -> list[str]:
        """The cells of a line; of one that is no text, something that selects what it can.

        Which bytes are wrong is told by whoever takes the line apart.
        """
        try:
            text = self._charset.decode(body)
        except UnicodeDecodeError:
            text = body.decode("latin-1")
        return self._split_text(text) or [text]

    def _split_text(self, text: str) -> list[str] | None:
        """The cells of a line; None where a quotation does not end or is followed by more."""
        if not self._quote or self._quote not in text:
            return text.split(self._delimiter)
        cells: list[str] = []
        place = 0
        while True:
            if text[place : place + 1] == self._quote:
                cell, end = self._quoted(text, place + 1)
                if end is None or text[end : end + 1] not in ("", self._delimiter):
                    return None
                cells.append(cell)
            else:
                found = text.find(self._delimiter, place)
                end = len(text) if found < 0 else found
                cells.append(text[place:end])
            if end >= len(text):
                return cells
            place = end + 1

    def _quoted(self, text: str, place: int) -> tuple[str, int | None]:
        """What is quoted from here on, and where the quotation has ended."""
        quote = self._quote
        parts = []
        while True:
            end = text.find(quote, place)
            if end < 0:
                return "", None
            parts.append(text[place:end])
            if text[end + 1 : end + 2] != quote:
                return quote.join(parts), end + 1
            place = end + 2

    def row(self, plan: RecordPlan, body: bytes, line: int, faults: FaultMaker) -> Row:
        """The fields of one line, decoded as a whole, then split."""
        try:
            text = self._charset.decode(body)
        except UnicodeDecodeError as error:
            found, wanted = f"byte {error.start + 1}", f"characters of {self._charset.label}"
            raise faults.record("encoding", plan.name, line, found, wanted) from error
        if UNWRITABLE.search(text.replace(self._delimiter, "")):
            raise faults.record("character", plan.name, line, "a control character", "none")
        cells = self._split_text(text)
        if cells is None:
            wanted = f"{self._quote} before a delimiter"
            raise faults.record("quotation", plan.name, line, "a quotation that does not end", wanted)
        fields = len(plan.columns)
        wanted_cells = fields + self._after_last
        if len(cells) != wanted_cells or (self._after_last and cells[-1]):
            found = f"{len(cells) - 1} delimiters"
            wanted = f"{fields} fields, {wanted_cells - 1} delimiters"
            raise faults.record("field-count", plan.name, line, found, wanted)
        spans, start = [], 1
        for cell in cells[:fields]:
            size_bytes = self._size_of(cell)
            spans.append((start, start + max(size_bytes, 1) - 1))
            start += size_bytes + 1
        return Row(cells=cells[:fields], spans=spans)

    def _size_of(self, cell: str) -> int:
        """Bytes of a cell that was read, also where it would not be written so."""
        try:
            return len(self._charset.encode(cell))
        except UnicodeEncodeError:
            # Characters that were renewed are read from two bytes, and written with four only.
            return sum(1 if character.isascii() else 2 for character in cell)

    def line(self, plan: RecordPlan, block: Block, row: int, raw: Raw) -> bytes:
        """One line of a block, without its line end."""
        if block.lines:
            return block.lines[row].removesuffix(self._line_end)
        return bytes(raw).split(self._line_end)[row]

    def run(
        self, plan: RecordPlan, window: Window, limit: int, stops: Sequence[bytes], *, leave_last: bool
    ) -> Block | None:
        """Lines while all have the record's fields and selecting constants; none where others may follow."""
        if leave_last:
            return None
        raw = self._whole_lines(window, limit)
        while raw:
            block, good = self._split(plan, raw, stops)
            if block is not None:
                return block
            raw = self._first_lines(raw, good)
        return None

    def take(self, plan: RecordPlan, lines: Sequence[bytes]) -> Block | None:
        """Lines that are known to be of this record."""
        raw = b"".join(lines)
        if not raw.endswith(self._line_end):
            return None
        return self._split(plan, raw, ())[0]

    def _whole_lines(self, window: Window, limit: int) -> bytes:
        window.fill(_BLOCK_BYTES)
        last = window.last
        end = window.buffer.rfind(last, window.position, window.position + _BLOCK_BYTES) + 1
        raw = window.buffer[window.position : max(end, window.position)]
        return raw if raw.count(last) <= limit else self._first_lines(raw, limit)

    def _split(self, plan: RecordPlan, raw: bytes, stops: Sequence[bytes]) -> tuple[Block | None, int]:
        """The block, or None and how many lines from the first may be this record's."""
        count = raw.count(self._line_end)
        ends = count * len(self._line_end)
        text = self._charset.decode_joined(raw)
        if (
            text is None
            or len(raw) - len(raw.translate(None, self._controls)) != ends
            or any(raw.startswith(stop) or self._line_end + stop in raw for stop in stops)
        ):
            return None, self._count_good(plan, raw, stops)
        fields = len(plan.columns)
        if self._quote and self._quote in text:
            return self._split_quoted(plan, raw, text)
        cells = self._cells(text, count)
        first = cells[0 : count * fields : fields]
        starts = "".join([cell[:1] for cell in first])
        if len(cells) != count * fields + 1 or cells[-1] or starts != "\n" * count:
            return None, self._count_good(plan, raw, stops)
        joined = {0: "".join(first)[1:]}
        for column in plan.columns[1:]:
            if column.role is not Role.IGNORED or column.selecting or column.hash_name:
                joined[column.index] = "\n".join(cells[column.index : count * fields : fields])
        for index, wanted in self._selectors[plan.label]:
            if not wanted.issuperset(joined[index].split("\n")):
                return None, self._count_good(plan, raw, stops)
        return Block(count=count, size_bytes=len(raw), joined=joined), count

    def _split_quoted(self, plan: RecordPlan, raw: bytes, text: str) -> tuple[Block | None, int]:
        """The block line by line, since a delimiter may stand inside a quotation."""
        rows: list[list[str]] = []
        wanted = len(plan.columns) + self._after_last
        for line in text.split(self._line_end.decode("ascii"))[:-1]:
            cells = self._split_text(line)
            if cells is None or len(cells) != wanted or (self._after_last and cells[-1]):
                return None, len(rows)
            if any(cells[index] not in texts for index, texts in self._selectors[plan.label]):
                return None, len(rows)
            rows.append(cells)
        joined = {column.index: "\n".join([cells[column.index] for cells in rows]) for column in plan.columns}
        return Block(count=len(rows), size_bytes=len(raw), joined=joined), len(rows)

    def _cells(self, text: str, count: int) -> list[str]:
        """Every cell; the first of each line begins with the line feed of the line before it."""
        if self._line_end != b"\n":
            text = text.replace(self._line_end.decode("ascii"), "\n")
        if not self._after_last:
            text = text.replace("\n", f"{self._delimiter}\n")
        return ("\n" + text[:-1]).split(self._delimiter)

    def _count_good(self, plan: RecordPlan, raw: bytes, stops: Sequence[bytes]) -> int:
        """Lines from the first that are of this record's form; never all of them."""
        for good, part in enumerate(raw.split(self._line_end)[:-1]):
            line = part + self._line_end
            if not self._is_regular(plan, part) or any(line.startswith(stop) for stop in stops):
                return good
        return 0

    def _is_regular(self, plan: RecordPlan, body: bytes) -> bool:
        try:
            text = self._charset.decode(body)
        except UnicodeDecodeError:
            return False
        cells = self._split_text(text) or []
        if len(cells) != len(plan.columns) + self._after_last or (self._after_last and cells[-1]):
            return False
        if UNWRITABLE.search("".join(cells)):
            return False
        return all(cells[index] in texts for index, texts in self._selectors[plan.label])

    def _first_lines(self, raw: bytes, count: int) -> bytes:
        """The first lines of some; b"" for none."""
        end = 0
        for _ in range(count):
            end = raw.index(self._line_end, end) + len(self._line_end)
        return raw[:end]

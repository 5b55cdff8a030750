"""Delimited files: a line is decoded first and split then, since `|` (0x7C) is the second
byte of 118 characters of GBK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from formats.charset import UNWRITABLE
from formats.compiler import Plan, RecordPlan, Role, compile_plan
from formats.data_codec import DataCodec
from formats.decoder import Block, FileDecoder, Row
from formats.faults import FaultMaker
from formats.layout_model import Layout
from formats.lines import Window
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
    """Takes delimited lines apart; see `decoder.LineReader`. Immutable."""

    def __init__(self, plan: Plan) -> None:
        framing = plan.layout.framing
        self._charset = plan.charset
        self._delimiter = framing.delimiter
        self._after_last = framing.after_last
        self._line_end = framing.line_end
        self._controls = _CONTROLS.replace(framing.delimiter.encode("ascii"), b"")
        self._selectors = {
            name: [
                (column.index, plan.charset.decode(column.text.encode("latin-1")))
                for column in record.selectors()
            ]
            for name, record in plan.records.items()
        }

    def matches(self, plan: RecordPlan, body: bytes) -> bool:
        """Whether the selecting constants stand in their fields."""
        try:
            cells = self._charset.decode(body).split(self._delimiter)
        except UnicodeDecodeError:
            # Not this record's business: whoever takes the line apart says which bytes are wrong.
            cells = body.decode("latin-1").split(self._delimiter)
        return all(index < len(cells) and cells[index] == text for index, text in self._selectors[plan.name])

    def row(self, plan: RecordPlan, body: bytes, line: int, faults: FaultMaker) -> Row:
        """The fields of one line, decoded as a whole, then split."""
        try:
            text = self._charset.decode(body)
        except UnicodeDecodeError as error:
            found, wanted = f"byte {error.start + 1}", f"characters of {self._charset.label}"
            raise faults.record("encoding", plan.name, line, found, wanted) from error
        if UNWRITABLE.search(text.replace(self._delimiter, "")):
            raise faults.record("character", plan.name, line, "a control character", "none")
        cells = text.split(self._delimiter)
        fields = len(plan.columns)
        wanted_cells = fields + self._after_last
        if len(cells) != wanted_cells or (self._after_last and cells[-1]):
            found = f"{len(cells) - 1} delimiters"
            wanted = f"{fields} fields, {wanted_cells - 1} delimiters"
            raise faults.record("field-count", plan.name, line, found, wanted)
        spans, start = [], 1
        for cell in cells[:fields]:
            size_bytes = len(self._charset.encode(cell))
            spans.append((start, start + max(size_bytes, 1) - 1))
            start += size_bytes + 1
        return Row(cells=cells[:fields], spans=spans)

    def block(self, plan: RecordPlan, window: Window, limit: int, stops: Sequence[bytes]) -> Block | None:
        """Lines while all have the record's fields and selecting constants."""
        raw = self._whole_lines(window, limit)
        while raw:
            block, good = self._split(plan, raw, stops)
            if block is not None:
                return block
            raw = _first_lines(raw, good)
        return None

    def _whole_lines(self, window: Window, limit: int) -> bytes:
        window.fill(_BLOCK_BYTES)
        end = window.buffer.rfind(b"\n", window.position, window.position + _BLOCK_BYTES) + 1
        raw = window.buffer[window.position : max(end, window.position)]
        return raw if raw.count(b"\n") <= limit else _first_lines(raw, limit)

    def _split(self, plan: RecordPlan, raw: bytes, stops: Sequence[bytes]) -> tuple[Block | None, int]:
        """The block, or None and how many lines from the first may be this record's."""
        count = raw.count(b"\n")
        ends = count * len(self._line_end)
        text = self._charset.decode_joined(raw)
        if (
            text is None
            or len(raw) - len(raw.translate(None, self._controls)) != ends
            or any(raw.startswith(stop) or b"\n" + stop in raw for stop in stops)
        ):
            return None, self._count_good(plan, raw, stops)
        fields = len(plan.columns)
        cells = self._cells(text, count)
        first = cells[0 : count * fields : fields]
        starts = "".join([cell[:1] for cell in first])
        if len(cells) != count * fields + 1 or cells[-1] or starts != "\n" * count:
            return None, self._count_good(plan, raw, stops)
        joined = {0: "".join(first)[1:]}
        for column in plan.columns[1:]:
            if column.role is not Role.IGNORED:
                joined[column.index] = "\n".join(cells[column.index : count * fields : fields])
        for index, wanted in self._selectors[plan.name]:
            if joined[index] != "\n".join([wanted] * count):
                return None, self._count_good(plan, raw, stops)
        return Block(count=count, size_bytes=len(raw), joined=joined), count

    def _cells(self, text: str, count: int) -> list[str]:
        """Every cell; the first of each line begins with the line feed of the line before it."""
        if self._line_end != b"\n":
            text = text.replace("\r\n", "\n")
        if not self._after_last:
            text = text.replace("\n", f"{self._delimiter}\n")
        return ("\n" + text[:-1]).split(self._delimiter)

    def _count_good(self, plan: RecordPlan, raw: bytes, stops: Sequence[bytes]) -> int:
        """Lines from the first that are of this record's form; never all of them."""
        for good, part in enumerate(raw.split(b"\n")[:-1]):
            line = part + b"\n"
            body = line.removesuffix(self._line_end)
            if not self._is_regular(plan, body) or any(line.startswith(stop) for stop in stops):
                return good
        return 0

    def _is_regular(self, plan: RecordPlan, body: bytes) -> bool:
        try:
            cells = self._charset.decode(body).split(self._delimiter)
        except UnicodeDecodeError:
            return False
        if len(cells) != len(plan.columns) + self._after_last or (self._after_last and cells[-1]):
            return False
        if UNWRITABLE.search("".join(cells)):
            return False
        return all(cells[index] == text for index, text in self._selectors[plan.name])


def _first_lines(raw: bytes, count: int) -> bytes:
    """The first lines of some; b"" for none."""
    end = 0
    for _ in range(count):
        end = raw.index(b"\n", end) + 1
    return raw[:end]

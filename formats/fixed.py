"""Fixed-width files: every field at its byte offset, with or without a separator after each."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import BinaryIO

from formats.charset import UNWRITABLE
from formats.compiler import Column, Plan, RecordPlan, Role, compile_plan
from formats.data_codec import DataCodec
from formats.decoder import FileDecoder
from formats.faults import FaultMaker
from formats.layout_model import Layout
from formats.lines import Window
from formats.record_reader import Block, Repeated, Row
from formats.records import FileIdentity

_CONTROLS = bytes([*range(0x20), 0x7F])
_SAMPLE = 32
_FEW = 4
"""A column whose first 32 cells are at most 4 different ones is read once for each, not for each row."""

_SLICED_BYTES = 8
"""Constants up to this width are checked by strided slices, which cost nothing per record."""


def compile_fixed(layout: Layout) -> DataCodec:
    """The codec of a layout with `syntax = "fixed"`."""
    plan = compile_plan(layout)
    reader = FixedReader(plan)

    def open_decoder(source: BinaryIO, identity: FileIdentity | None) -> FileDecoder:
        return FileDecoder(plan, reader, source, identity)

    return DataCodec(plan, open_decoder)


class FixedReader:
    """Takes fixed lines apart; see `record_reader.LineReader`. Immutable."""

    def __init__(self, plan: Plan) -> None:
        self._charset = plan.charset
        self._tolerate = plan.layout.framing.tolerate
        self._separator = plan.layout.framing.after_each_field.encode("ascii")
        self._line_end = plan.layout.framing.line_end
        self._forms = {
            record.label: _RecordForm(record, self._separator, self._line_end)
            for variants in plan.records.values()
            for record in variants
        }

    def matches(self, plan: RecordPlan, body: bytes) -> bool:
        """Whether the selecting constants stand at their offsets."""
        return all(body[start:end] in raws for start, end, raws in self._forms[plan.label].selectors)

    def keys(self, plans: Sequence[RecordPlan], lines: Sequence[bytes]) -> Sequence[object]:
        """The bytes at the places that select any of these records."""
        offsets = sorted(
            {
                offset
                for plan in plans
                for start, end, _ in self._forms[plan.label].selectors
                for offset in range(start, end)
            }
        )
        if not offsets:
            return lines
        pick = itemgetter(*offsets)
        try:
            return list(map(pick, lines))
        except IndexError:
            return [pick(line) if len(line) > offsets[-1] else line for line in lines]

    def row(self, plan: RecordPlan, body: bytes, line: int, faults: FaultMaker) -> Row:
        """The fields of one line, each decoded by itself."""
        body = self._of_right_length(plan, body, line, faults)
        cells, spans = [], []
        for column in plan.columns:
            span = (column.start + 1, column.end)
            raw = body[column.start : column.end]
            if self._separator and body[column.end : column.end + 1] != self._separator:
                wanted = f"{self._separator.decode()} after byte {column.end}"
                raise faults.cell(plan.name, column, "", line, wanted, (column.end + 1, column.end + 1))
            try:
                cells.append(self._charset.decode(raw))
            except UnicodeDecodeError as error:
                wanted = f"characters of {self._charset.label}"
                raise faults.cell(plan.name, column, f"byte {error.start + 1}", line, wanted, span) from error
            if UNWRITABLE.search(cells[-1]):
                raise faults.cell(plan.name, column, cells[-1], line, "no control characters", span)
            spans.append(span)
        return Row(cells=cells, spans=spans)

    def _of_right_length(self, plan: RecordPlan, body: bytes, line: int, faults: FaultMaker) -> bytes:
        """The line padded or cut where the layout tolerates it, which padding alone may make necessary."""
        size_bytes = plan.size_bytes
        if len(body) == size_bytes:
            return body
        if "short" in self._tolerate and plan.least_bytes <= len(body) < size_bytes:
            faults.tolerated("short", line)
            return body.ljust(size_bytes)
        if "long" in self._tolerate and len(body) > size_bytes and not body[size_bytes:].strip(b" "):
            faults.tolerated("long", line)
            return body[:size_bytes]
        wanted = f"{size_bytes} bytes"
        if "short" in self._tolerate and len(body) < size_bytes:
            wanted = f"at least {plan.least_bytes} bytes: no key, amount or code is made of padding"
        raise faults.record("line-length", plan.name, line, f"{len(body)} bytes", wanted)

    def line(self, plan: RecordPlan, block: Block, row: int, raw: bytes) -> bytes:
        """One line of a block, without its line end."""
        if block.lines:
            return block.lines[row].removesuffix(self._line_end)
        stride = self._forms[plan.label].stride
        return raw[row * stride : row * stride + plan.size_bytes]

    def run(
        self, plan: RecordPlan, window: Window, limit: int, stops: Sequence[bytes], *, leave_last: bool
    ) -> Block | None:
        """Records by stride while everything that repeats in them is in its place."""
        form = self._forms[plan.label]
        available = window.fill(form.stride * limit) // form.stride
        count = min(available, limit)
        if not count:
            return None
        raw = window.buffer[window.position : window.position + count * form.stride]
        good = form.count_regular(raw, count, stops) - leave_last
        if good < count:
            count, raw = good, raw[: max(good, 0) * form.stride]
        return self._block(form, raw, count) if count > 0 else None

    def take(self, plan: RecordPlan, lines: Sequence[bytes]) -> Block | None:
        """Lines that are known to be of this record."""
        form = self._forms[plan.label]
        raw = b"".join(lines)
        if len(raw) != form.stride * len(lines) or form.count_regular(raw, len(lines), ()) < len(lines):
            return None
        return self._block(form, raw, len(lines))

    def _block(self, form: _RecordForm, raw: bytes, count: int) -> Block | None:
        if not form.is_clean(raw, count):
            return None
        joined = form.unusual_constants(raw, count)
        repeated: dict[int, Repeated] = {}
        columns = zip(*form.unpacker.iter_unpack(raw), strict=True)
        for (index, strip, edge), cells in zip(form.unpacked, columns, strict=True):
            kinds: Sequence[bytes] = cells
            if index not in form.constants and len(set(cells[:_SAMPLE])) <= _FEW:
                kinds = tuple(set(cells))
                repeated[index] = Repeated(kinds, cells)
            padded = strip is not None and b" " in raw[edge :: form.stride]
            text = self._charset.decode_joined(b"\n".join(map(strip, kinds) if padded and strip else kinds))
            if text is None:
                return None
            joined[index] = text
        return Block(count=count, size_bytes=len(raw), joined=joined, repeated=repeated)


def _strip(column: Column) -> Callable[[bytes], bytes] | None:
    """What takes the padding off; the bytes are known to hold no control characters by then."""
    width = column.field.width
    if width is None or width.fill != " " or column.cells is None:
        return None
    return bytes.lstrip if _is_right(column) else bytes.rstrip


def _is_right(column: Column) -> bool:
    return column.field.width is not None and column.field.width.right


class _RecordForm:
    """What repeats at every stride of a record, and which of its bytes are taken out."""

    def __init__(self, plan: RecordPlan, separator: bytes, line_end: bytes) -> None:
        self.stride = plan.size_bytes + len(line_end)
        self.selectors = [
            (column.start, column.end, frozenset(text.encode("latin-1") for text in column.selecting))
            for column in plan.selectors()
        ]
        regular = {plan.size_bytes + offset: line_end[offset : offset + 1] for offset in range(len(line_end))}
        regular |= {
            start + offset: next(iter(raws))[offset : offset + 1]
            for start, end, raws in self.selectors
            if len(raws) == 1
            for offset in range(end - start)
        }
        if separator:
            regular |= {column.end: separator for column in plan.columns}
        self._regular = sorted(regular.items())
        self._sets = [(start, end, raws) for start, end, raws in self.selectors if len(raws) > 1]
        self._line_end = line_end
        self._constants = {
            column.index: (column.start, column.text.encode("latin-1"))
            for column in plan.columns
            if column.role is Role.FIXED_TEXT
            and not column.selecting
            and column.end - column.start <= _SLICED_BYTES
        }
        taken = [
            column
            for column in plan.columns
            if (column.role is not Role.IGNORED or column.hash_name)
            and not (column.selecting and column.cells is None and not column.hash_name)
            and column.index not in self._constants
        ]
        self.constants = {column.index for column in taken if column.cells is None and not column.hash_name}
        self.unpacked = [
            (column.index, _strip(column), column.start if _is_right(column) else column.end - 1)
            for column in taken
        ]
        self.unpacker = struct.Struct(self._format(plan, taken, len(separator), len(line_end)))

    def _format(
        self, plan: RecordPlan, taken: Sequence[Column], separator_bytes: int, line_end_bytes: int
    ) -> str:
        parts = []
        for column in plan.columns:
            parts.append(f"{column.end - column.start}{'s' if column in taken else 'x'}")
            parts.append(f"{separator_bytes}x")
        fields = sum(column.end - column.start + separator_bytes for column in plan.columns)
        return "".join((*parts, f"{self.stride - line_end_bytes - fields}x{line_end_bytes}x"))

    def unusual_constants(self, raw: bytes, count: int) -> dict[int, str]:
        """Cells of the short constants that are not in all records what the layout says."""
        unusual = {}
        for index, (start, wanted) in self._constants.items():
            if any(
                raw[start + offset :: self.stride] != wanted[offset : offset + 1] * count
                for offset in range(len(wanted))
            ):
                end = start + len(wanted)
                cells = [raw[place + start : place + end] for place in range(0, len(raw), self.stride)]
                unusual[index] = b"\n".join(cells).decode("latin-1")
        return unusual

    def count_regular(self, raw: bytes, count: int, stops: Sequence[bytes]) -> int:
        """How many records from the first have all that repeats in its place."""
        for offset, byte in self._regular:
            column = raw[offset :: self.stride]
            if column != byte * count:
                count = next(index for index, found in enumerate(column) if found != byte[0])
                raw = raw[: count * self.stride]
                if not count:
                    return 0
        for start, end, raws in self._sets:
            for index in range(count):
                place = index * self.stride
                if raw[place + start : place + end] not in raws:
                    count = index
                    break
        for stop in stops:
            for index in range(count):
                if raw.startswith(stop, index * self.stride):
                    count = index
                    break
        return count

    def is_clean(self, raw: bytes, count: int) -> bool:
        """Whether there is no control character besides the line ends."""
        return len(raw) - len(raw.translate(None, _CONTROLS)) == count * len(self._line_end)

"""Fixed-width files: every field at its byte offset, with or without a separator after each."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import BinaryIO

from msgspec import Struct

from formats.charset import UNWRITABLE
from formats.flat.codec import DataCodec
from formats.flat.compiler import Column, Plan, RecordPlan, Role, Spread, compile_plan
from formats.flat.decoder import FileDecoder
from formats.flat.faults import FaultMaker
from formats.flat.lines import Window
from formats.flat.record_reader import Block, Raw, Repeated, Row
from formats.flat.record_widths import widths_of
from formats.language.model import Layout
from formats.records import FileIdentity

_CONTROLS = bytes([*range(0x20), 0x7F])
_SAMPLE = 32
_FEW = 4
"""A column whose first 32 cells are at most 4 different ones is read once for each, not for each row."""

_NARROW_BYTES = 16
_STEP = 128
"""Long runs are cut to a multiple of so many records: what takes them apart is made once for each number."""

_KEPT_UNPACKERS = 16
_SLICED_BYTES = 8
"""Constants up to this width are checked by strided slices, which cost nothing per record."""


def compile_fixed(layout: Layout) -> DataCodec:
    """The codec of a layout with `syntax = "fixed"`."""
    plan = compile_plan(layout)
    reader = FixedReader(plan)
    widths = widths_of(plan)

    def open_decoder(source: BinaryIO, identity: FileIdentity | None) -> FileDecoder:
        return FileDecoder(plan, reader, source, identity, widths)

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
        first, last = offsets[0], offsets[-1] + 1
        if last - first == len(offsets):
            return [line[first:last] for line in lines]
        pick = itemgetter(*offsets)
        stride = self._forms[plans[0].label].stride
        joined = b"".join(lines)
        if last <= stride and len(joined) == stride * len(lines) and len(set(map(len, lines))) == 1:
            # Lines of one width: the bytes of each place by one slice.
            return list(zip(*(joined[offset::stride] for offset in offsets), strict=True))
        # Of a shorter line the places that it has tell as much: with its length they are its key.
        picks: dict[int, tuple[int, ...]] = {}
        keys: list[object] = []
        for line in lines:
            size = len(line)
            if size >= last:
                keys.append(pick(line))
                continue
            there = picks.get(size)
            if there is None:
                there = picks[size] = tuple(offset for offset in offsets if offset < size)
            keys.append((size, *(line[offset] for offset in there)))
        return keys

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

    def line(self, plan: RecordPlan, block: Block, row: int, raw: Raw) -> bytes:
        """One line of a block, without its line end."""
        if block.lines:
            return block.lines[row].removesuffix(self._line_end)
        stride = self._forms[plan.label].stride
        return bytes(raw[row * stride : row * stride + plan.size_bytes])

    def run(
        self, plan: RecordPlan, window: Window, limit: int, stops: Sequence[bytes], *, leave_last: bool
    ) -> Block | None:
        """Records by stride while everything that repeats in them is in its place."""
        form = self._forms[plan.label]
        available = (len(window.buffer) - window.position) // form.stride
        if available < limit // 2:
            # Only then: to put what is left and what comes together copies both.
            available = window.fill(form.stride * limit) // form.stride
        buffer, start = window.buffer, window.position
        count = form.count_regular(buffer, start, min(available, limit + leave_last), stops) - leave_last
        if count <= 0:
            return None
        if count > _STEP:
            count -= count % _STEP
        clean = form.is_clean(buffer, start, count, controls=window.has_controls)
        return self._block(form, buffer, start, count) if clean else None

    def take(self, plan: RecordPlan, lines: Sequence[bytes]) -> Block | None:
        """Lines that are known to be of this record."""
        form = self._forms[plan.label]
        raw, count = b"".join(lines), len(lines)
        if len(raw) != form.stride * count or form.count_regular(raw, 0, count, ()) < count:
            return None
        return self._block(form, raw, 0, count) if form.is_clean(raw, 0, count, controls=True) else None

    def _block(self, form: _RecordForm, buffer: bytes, start: int, count: int) -> Block | None:
        """Records that begin at `start` and are regular and clean."""
        end = start + count * form.stride
        texts = form.unusual_constants(buffer, start, count)
        joined: dict[int, str] = {}
        repeated: dict[int, Repeated] = {}
        alike = form.alike(buffer, start, count)
        units, unpacker = form.unpacker(count, tuple(alike), form.joint(buffer, start, count))
        cells_of_all = unpacker.unpack_from(buffer, start)
        for part, cell in alike.items():
            texts[part.index] = part.strip(cell) if part.strip else cell
            repeated[part.index] = Repeated((cell,), (cell,))
        for place, unit in enumerate(units):
            cells = cells_of_all[place :: len(units)]
            if len(unit) > 1:
                shared = Repeated(tuple(set(cells)), cells)
                texts |= {part.index: _part_of(unit, part, shared.distinct) for part in unit}
                repeated |= {part.index: shared for part in unit}
                continue
            (part,) = unit
            kinds: Sequence[bytes] = cells
            if part.index not in form.constants and (few := len(set(cells[:_SAMPLE]))) <= _FEW:
                # To compare with one cell costs a third of looking up each.
                one = few == 1 and cells.count(cells[0]) == count
                kinds = cells[:1] if one else tuple(set(cells))
                repeated[part.index] = Repeated(kinds, cells)
            padded = part.strip is not None and b" " in buffer[start + part.edge : end : form.stride]
            texts[part.index] = b"\n".join(map(part.strip, kinds) if padded and part.strip else kinds)
        for index, raw in texts.items():
            text = self._charset.decode_joined(raw)
            if text is None:
                return None
            joined[index] = text
        return Block(count=count, size_bytes=end - start, joined=joined, repeated=repeated)


class _Part(Struct, frozen=True):
    """A column that is taken out: its bytes, what takes padding off, and which byte shows if there is any."""

    index: int
    start: int
    end: int
    strip: Callable[[bytes], bytes] | None
    edge: int


_Unit = tuple[_Part, ...]
"""What is taken out as one cell: a column, or some beside each other that make one value."""


def _part_of(unit: _Unit, part: _Part, cells: Sequence[bytes]) -> bytes:
    """One column of several that were taken out together, by line feeds."""
    first, last = part.start - unit[0].start, part.end - unit[0].start
    own = [cell[first:last] for cell in cells]
    return b"\n".join(map(part.strip, own) if part.strip else own)


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
        self._parts = {
            column.index: _Part(
                column.index,
                column.start,
                column.end,
                _strip(column),
                column.start if _is_right(column) else column.end - 1,
            )
            for column in taken
        }
        self._narrow = [
            part
            for part in self._parts.values()
            if part.index not in self.constants and part.end - part.start <= _NARROW_BYTES
        ]
        self._joints = [unit for spread in plan.spreads if (unit := self._joint(spread))]
        self._unpackers: dict[object, tuple[list[_Unit], struct.Struct]] = {}

    def _joint(self, spread: Spread) -> _Unit:
        """The columns of one value if they stand beside each other, else none."""
        parts = [self._parts[index] for index in spread.columns if index in self._parts]
        beside = all(one.end == other.start for one, other in pairwise(parts))
        return tuple(parts) if beside and len(parts) == len(spread.columns) > 1 else ()

    def alike(self, buffer: bytes, start: int, count: int) -> dict[_Part, bytes]:
        """Narrow columns that have one cell in all of these records.

        Bytes at a stride are compared at once; to take out and compare cells costs three times that.
        """
        stride = self.stride
        end = start + count * stride
        found: dict[_Part, bytes] = {}
        for part in self._narrow:
            cell = buffer[start + part.start : start + part.end]
            others = (start + count // 2 * stride, end - stride)
            if any(buffer[other + part.start : other + part.end] != cell for other in others):
                continue
            if all(
                buffer[start + part.start + offset : end : stride] == cell[offset : offset + 1] * count
                for offset in range(len(cell))
            ):
                found[part] = cell
        return found

    def joint(self, buffer: bytes, start: int, count: int) -> tuple[_Unit, ...]:
        """Columns of one value that have few different cells together, by the first records."""
        places = range(start, start + min(count, _SAMPLE) * self.stride, self.stride)
        return tuple(
            unit
            for unit in self._joints
            if len({buffer[place + unit[0].start : place + unit[-1].end] for place in places}) <= _FEW
        )

    def unpacker(
        self, count: int, alike: tuple[_Part, ...], joint: tuple[_Unit, ...]
    ) -> tuple[list[_Unit], struct.Struct]:
        """Takes the cells of so many records at once: a tuple for each record would cost as much again.

        What is `alike` is left out; what is `joint` is one cell, unless a part of it is alike.
        """
        key = count, alike, joint
        known = self._unpackers.get(key)
        if known is None:
            units = [unit for unit in joint if not set(unit) & set(alike)]
            single = set(self._parts.values()) - set(alike) - {part for unit in units for part in unit}
            units = sorted([*units, *((part,) for part in single)], key=lambda unit: unit[0].start)
            known = units, struct.Struct(self._cells_format(units) * count)
            if len(self._unpackers) < _KEPT_UNPACKERS:
                self._unpackers[key] = known
        return known

    def _cells_format(self, units: list[_Unit]) -> str:
        parts = []
        at = 0
        for unit in units:
            parts.append(f"{unit[0].start - at}x{unit[-1].end - unit[0].start}s")
            at = unit[-1].end
        return f"{''.join(parts)}{self.stride - at}x"

    def unusual_constants(self, buffer: bytes, start: int, count: int) -> dict[int, bytes]:
        """Cells of the short constants that are not in all records what the layout says."""
        unusual = {}
        end = start + count * self.stride
        for index, (place, wanted) in self._constants.items():
            first = start + place
            if any(
                buffer[first + offset : end : self.stride] != wanted[offset : offset + 1] * count
                for offset in range(len(wanted))
            ):
                size = len(wanted)
                cells = [buffer[at : at + size] for at in range(first, end, self.stride)]
                unusual[index] = b"\n".join(cells)
        return unusual

    def count_regular(self, buffer: bytes, start: int, count: int, stops: Sequence[bytes]) -> int:
        """How many records from the first have all that repeats in its place."""
        stride = self.stride
        for offset, byte in self._regular:
            if not count:
                return 0
            column = buffer[start + offset : start + count * stride : stride]
            if column != byte * count:
                count = next(index for index, found in enumerate(column) if found != byte[0])
        for first, last, raws in self._sets:
            for index in range(count):
                at = start + index * stride
                if buffer[at + first : at + last] not in raws:
                    count = index
                    break
        for stop in stops:
            for index in range(count):
                if buffer.startswith(stop, start + index * stride):
                    count = index
                    break
        return count

    def is_clean(self, buffer: bytes, start: int, count: int, *, controls: bool) -> bool:
        """Whether there is no control character besides the line ends.

        `controls`: there may be some that no line end has. If not, a line feed within a cell is all that
        is left, and would put the cells below it to the wrong records.
        """
        if not controls and self._line_end == b"\n":
            return buffer.count(b"\n", start, start + count * self.stride) == count
        raw = buffer[start : start + count * self.stride]
        return len(raw) - len(raw.translate(None, _CONTROLS)) == count * len(self._line_end)

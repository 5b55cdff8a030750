"""Where a record ends in a file without line ends whose records have several widths.

Nothing but the record itself says it: its mark, its own length, the number of its parts. Each of these is
a field by which the record is told (`language.table.told_by_numbers`), so that a length that does not agree
with the rest of its record is found before a byte behind it is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from formats.flat.compiler import Column, Plan, RecordPlan

_Place = tuple[int, int]


def widths_of(plan: Plan) -> RecordWidths | None:
    """What tells where a record ends, where neither a line end nor one width of all does."""
    sizes = {record.size_bytes for plans in plan.records.values() for record in plans}
    several = len(sizes) > 1 and plan.layout.framing.eol == "none"
    return RecordWidths(plan) if several else None


class RecordWidths:
    """Tells how wide the record is that begins somewhere. Immutable."""

    def __init__(self, plan: Plan) -> None:
        self._plans = [one for plans in plan.records.values() for one in plans]
        self.most_bytes = max(one.size_bytes for one in self._plans)
        places = [{(column.start, column.end) for column in one.selectors()} for one in self._plans]
        self._common: Sequence[_Place] = sorted(set.intersection(*places))
        self._by_key: dict[tuple[bytes, ...], list[RecordPlan]] = {}
        for one in self._plans:
            for key in product(*(_values(one, place) for place in self._common)):
                self._by_key.setdefault(key, []).append(one)
        self._sizes = {
            key: plans[0].size_bytes if len({one.size_bytes for one in plans}) == 1 else 0
            for key, plans in self._by_key.items()
        }

    def size_at(self, buffer: bytes, position: int) -> int:
        """Bytes of the record that begins at `position`; 0 where none begins so."""
        key = tuple(buffer[position + start : position + end] for start, end in self._common)
        size = self._sizes.get(key, -1)
        if size > 0:
            return size
        if size < 0:
            return 0
        wanted = (one for one in self._by_key[key] if not _differing(one, buffer, position))
        return next((one.size_bytes for one in wanted), 0)

    def odd(self, body: bytes) -> tuple[RecordPlan, Column] | None:
        """Of a beginning that is no record's: the likeliest record, and its first odd field.

        None where it is the beginning of one, cut before all that tells it.
        """
        found: list[tuple[int, int, RecordPlan, Column]] = []
        for one in self._plans:
            there = [column for column in _differing(one, body, 0) if column.end <= len(body)]
            if not there:
                return None
            found.append((len(there), -len(one.selectors()), one, there[0]))
        _, _, plan, column = min(found, key=lambda each: each[:2])
        return plan, column


def _values(plan: RecordPlan, place: _Place) -> list[bytes]:
    column = next(one for one in plan.selectors() if (one.start, one.end) == place)
    return [text.encode("latin-1") for text in sorted(column.selecting)]


def _differing(plan: RecordPlan, buffer: bytes, position: int) -> list[Column]:
    """Fields that tell the record, and hold something else here."""
    return [
        column
        for column in plan.selectors()
        if buffer[position + column.start : position + column.end].decode("latin-1") not in column.selecting
    ]

"""Rows into lines: the record that begins each, and those below it that have something to say.

One `%`-template a record, filled for many rows by one call. What a value must be to fit its places
is in `row_fit.py`; how a cell is written is the business of the cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from formats.flat.compiler import ITEM, Column, Plan, RecordPlan, Role, RowPlan
from formats.flat.record_reader import wanted_digit
from formats.flat.row_fit import RowFit
from formats.flat.running import RunningNumbers
from formats.flat.slots import Columns, Slot, of_rows, slots, spread_values
from formats.flat.totals import Tally
from formats.language.model import Count, Has, Kind, Layout, Number


class RowWriter:
    """Writes the rows of one kind in one scope: scalars are in the templates already."""

    def __init__(
        self,
        plan: Plan,
        row: RowPlan,
        make_template: Callable[[RecordPlan], str],
        numbers: RunningNumbers,
        own: dict[str, int],
        near: Mapping[str, Any],
    ) -> None:
        """`own`: how many records of each name the file has, for those that are numbered by themselves."""
        self.row = row
        self._layout: Layout = plan.layout
        self._make_template = make_template
        self._templates: dict[str, str] = {}
        self._repeated: dict[str, tuple[int, str]] = {}
        self._numbers = numbers
        self._own = own
        self._fit = RowFit(row, near)
        self._end = plan.layout.framing.line_end.decode("ascii")

    def write(
        self, columns: Columns, count: int, written: int, tallies: Sequence[Tally]
    ) -> tuple[str, int] | None:
        """The text of some rows and its number of lines; None where a value does not fit.

        `written` rows of the file came before. Counts and hash totals are added to the tallies.
        """
        found = slots(self.row, columns, count)
        if self._fit.children(found, count):
            return None
        single = len(found) == 1 and len(found[0].rows) == count
        numbers = self._running(found, count)
        texts: list[list[str]] = []
        for slot in found:
            chosen = of_rows(columns, slot.rows, count)
            values = self._values(slot, chosen, found, count, written, numbers)
            cells = self._cells(slot.plan, chosen, values, len(slot.rows))
            if cells is None:
                return None
            for tally in tallies:
                tally.add(slot.plan.name, len(slot.rows))
                for column in slot.plan.columns:
                    if column.hash_name:
                        tally.add_hash(column.hash_name, _digits(column, values, len(slot.rows)))
            text = self._fill(slot.plan, cells, len(slot.rows))
            if single:
                self._count(found)
                return text, count
            texts.append(self._lines(slot.plan, text, len(slot.rows)))
        self._count(found)
        places: list[list[str]] = []
        for slot, lines in zip(found, texts, strict=True):
            if len(lines) == count:
                places.append(lines)
                continue
            place = [""] * count
            for row, line in zip(slot.rows, lines, strict=True):
                place[row] = line
            places.append(place)
        return "".join(chain.from_iterable(zip(*places, strict=True))), sum(map(len, texts))

    def _count(self, found: Sequence[Slot]) -> None:
        for slot in found:
            self._own[slot.plan.name] = self._own.get(slot.plan.name, 0) + len(slot.rows)

    def _values(
        self,
        slot: Slot,
        columns: Columns,
        found: Sequence[Slot],
        count: int,
        written: int,
        numbers: dict[str, dict[str, Any]],
    ) -> dict[int, Sequence[Any]]:
        """What stands in each column that is no constant, by its index."""
        plan = slot.plan
        values = spread_values(plan, columns)
        for column in plan.columns:
            meaning = column.field.meaning
            if column.role is Role.NUMBER and isinstance(meaning, Number):
                if not meaning.of:
                    start = written if column.name == ITEM else self._own.get(plan.name, 0)
                    ranks = _ranks(slot, found)
                    values[column.index] = (
                        range(start + 1, start + len(slot.rows) + 1)
                        if isinstance(ranks, range)
                        else [start + rank + 1 for rank in ranks]
                    )
                else:
                    known = numbers[plan.label][column.name]
                    values[column.index] = [known] * len(slot.rows) if isinstance(known, int) else known
            elif column.role is Role.CHILDREN:
                assert isinstance(meaning, Has | Count), "only these are of the children"
                counts = _counted(meaning, found, count)
                digits = column.field.kind is not None and column.field.kind.name is Kind.DIGITS
                values[column.index] = [str(counts[row]) if digits else counts[row] for row in slot.rows]
        for column in plan.columns:
            if column.role is Role.CHECK:
                known = {index: values[index] for index in column.checked if index in values}
                values[column.index] = [
                    check_value(column, {index: cells[row] for index, cells in known.items()}, plan)
                    for row in range(len(slot.rows))
                ]
        return values

    def _running(self, found: Sequence[Slot], count: int) -> dict[str, dict[str, Any]]:
        """Numbers over records of some names, by label of the record."""
        counts = any(
            isinstance(column.field.meaning, Number) and column.field.meaning.of
            for slot in found
            for column in slot.plan.columns
        )
        if not counts:
            return {}
        rows: list[list[RecordPlan]] = [[] for _ in range(count)]
        for slot in found:
            for row in slot.rows:
                rows[row].append(slot.plan)
        plans = [plan for row in rows for plan in row]
        by_label = self._numbers.of_lines(plans)
        places: dict[str, list[int]] = {}
        for place, plan in enumerate(plans):
            places.setdefault(plan.label, []).append(place)
        return {
            label: {
                name: values if isinstance(values, int) else [values[place] for place in places[label]]
                for name, values in wanted.items()
            }
            for label, wanted in by_label.items()
        }

    def _cells(
        self, plan: RecordPlan, columns: Columns, values: Mapping[int, Sequence[Any]], count: int
    ) -> list[Sequence[Any]] | None:
        if self._fit.values(plan, columns):
            return None
        cells: list[Sequence[Any]] = []
        for column in plan.columns:
            if column.index not in values:
                continue
            assert column.cells is not None, "constants are in the template"
            if column.name == "outcome.code" and None in values[column.index]:
                return None
            written = column.cells.write(values[column.index])
            if written is None:
                return None
            cells += written
        return cells

    def _fill(self, plan: RecordPlan, cells: Sequence[Sequence[Any]], count: int) -> str:
        template = self._templates.get(plan.label)
        if template is None:
            template = self._templates[plan.label] = self._make_template(plan)
        arguments: list[Any] = [None] * (len(cells) * count)
        for index, column in enumerate(cells):
            arguments[index :: len(cells)] = column
        known, repeated = self._repeated.get(plan.label, (0, ""))
        if known != count:
            repeated = template * count
            self._repeated[plan.label] = (count, repeated)
        return repeated % tuple(arguments)

    def _lines(self, plan: RecordPlan, text: str, count: int) -> list[str]:
        """The lines of some records of one form."""
        stride, rest = divmod(len(text), count)
        if plan.size_bytes and not rest and plan.columns[0].field.width is not None:
            return [text[start : start + stride] for start in range(0, len(text), stride)]
        return [f"{line}{self._end}" for line in text.split(self._end)[:-1]]


def _counted(meaning: Has | Count, found: Sequence[Slot], count: int) -> list[int]:
    counts = [0] * count
    for slot in found:
        if slot.plan.name in meaning.records:
            for row in slot.rows:
                counts[row] += 1
    return [int(number > 0) for number in counts] if isinstance(meaning, Has) else counts


def _ranks(slot: Slot, found: Sequence[Slot]) -> Sequence[int]:
    """The place of each record of a slot among all of its name, whatever their form."""
    others = [one for one in found if one.plan.name == slot.plan.name]
    if len(others) == 1:
        return range(len(slot.rows))
    place = {row: rank for rank, row in enumerate(sorted(row for one in others for row in one.rows))}
    return [place[row] for row in slot.rows]


def _digits(column: Column, values: Mapping[int, Sequence[Any]], count: int) -> int:
    if column.index not in values:
        return int(column.text or 0) * count
    return sum(map(int, filter(None, values[column.index])))


def check_value(column: Column, values: Mapping[int, Any], plan: RecordPlan) -> Any:
    """A check digit as a value of its field; 0 or "" where the fields it is made of have not its form."""
    digit = wanted_digit(column, values, plan)
    number = column.field.kind is not None and column.field.kind.name is Kind.NUMBER
    return int(digit or 0) if number else digit or ""

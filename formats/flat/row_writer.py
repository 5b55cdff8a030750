"""Rows into lines: the record that begins each, and those below it that have something to say.

One `%`-template a record, filled for many rows by one call. What a value must be to fit its places
(slices, repeats, check digits, a date without its year) is looked at here; how a cell is written is
the business of the cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Any

from msgspec import Struct

from formats.check_digits import invalid_values
from formats.flat.compiler import ITEM, Column, Plan, RecordPlan, Role, RowPlan, Spread, join_of
from formats.flat.field_cells import Fault
from formats.flat.field_dates import with_year
from formats.flat.record_reader import wanted_digit
from formats.flat.row_reader import RunningNumbers
from formats.flat.totals import Tally
from formats.language.model import Binding, Count, Has, Kind, Layout, Node, Number, Repetition
from formats.reasons import Reason

Columns = dict[str, list[Any]]


class Unfit(Struct, frozen=True):
    """A value that cannot be written, for a reason that its cells do not know."""

    row: int
    column: Column
    value: Any
    fault: Fault


class Slot(Struct, frozen=True):
    """Records of one form among some rows: which rows have it."""

    plan: RecordPlan
    rows: Sequence[int]


class _Limit(Struct, frozen=True):
    """How many of some records a row has; told under the first field that is theirs alone."""

    names: tuple[str, ...]
    minimum: int
    maximum: int | None
    column: Column

    @staticmethod
    def of(row: RowPlan, child: Node) -> _Limit:
        """What `structure` says of a record, or of all records of an `any`."""
        names = tuple(node.name for node in child.children or (child,))
        columns = row.records[names[0]][0].columns
        own = (column for column in columns if column.role is Role.RECORD)
        return _Limit(names, child.minimum, child.maximum, next(own, columns[0]))

    def fault(self, number: int, row: str) -> Fault | None:
        """What is wrong with so many of them."""
        words = f"of {' or '.join(self.names)} in a {row}"
        if number < self.minimum:
            return Fault("too-few", f"at least {self.minimum} {words}", Reason.FIELD_INVALID)
        if self.maximum is not None and number > self.maximum:
            return Fault("too-many", f"at most {self.maximum} {words}", Reason.FIELD_INVALID)
        return None


def _is_limited(child: Node) -> bool:
    """Whether a row can be written that has too few or too many: a record by itself is written once."""
    if child.any_order:
        return child.minimum > 0 or child.maximum is not None
    return child.minimum > 1


def slots(row: RowPlan, columns: Mapping[str, Sequence[Any]], count: int) -> list[Slot]:
    """The records of some rows in the order of the layout; those without a row are left out."""
    every = range(count)
    found = [Slot(plan, rows) for plan, rows in _variants(row.records[row.lead], columns, every)]
    for node in _children(row):
        others = frozenset().union(
            *(plan.names() for name, plans in row.records.items() if name != node.name for plan in plans)
        )
        rows = every if node.minimum else _speaking(row.records[node.name], columns, others, count)
        found += [Slot(plan, chosen) for plan, chosen in _variants(row.records[node.name], columns, rows)]
    return [slot for slot in found if slot.rows]


def _children(row: RowPlan) -> list[Node]:
    return [node for child in row.children for node in child.children or (child,)]


def _speaking(
    plans: Sequence[RecordPlan], columns: Mapping[str, Sequence[Any]], others: frozenset[str], count: int
) -> Sequence[int]:
    """Rows for which a record that may be absent has something to say that no other record of them says."""
    names = {
        name
        for plan in plans
        for name in plan.names() - others
        if not name.startswith(("attempt.", "group.")) and name in columns
    }
    present: set[int] = set()
    for name in names:
        present.update(row for row, value in enumerate(columns[name]) if value not in (None, ""))
    return range(count) if len(present) == count else sorted(present)


def _variants(
    plans: Sequence[RecordPlan], columns: Mapping[str, Sequence[Any]], rows: Sequence[int]
) -> list[tuple[RecordPlan, Sequence[int]]]:
    """The variant of each row, by the value that its overlay depends on; the last one takes the rest."""
    if len(plans) == 1:
        return [(plans[0], rows)]
    if plans[0].repetitions:
        return _by_parts(plans, columns, rows)
    return _by_overlay(plans, columns, rows)


def _by_parts(
    plans: Sequence[RecordPlan], columns: Mapping[str, Sequence[Any]], rows: Sequence[int]
) -> list[tuple[RecordPlan, Sequence[int]]]:
    """Rows by how many parts their values need; the widest takes one that needs more than there may be."""
    by_parts: dict[tuple[int, ...], list[RecordPlan]] = {}
    for plan in plans:
        by_parts.setdefault(tuple(one.parts for one in plan.repetitions), []).append(plan)
    least = next(iter(by_parts))
    most = next(reversed(by_parts))
    chosen: dict[tuple[int, ...], list[int]] = {}
    for row in rows:
        needed = tuple(
            min(max(_parts_needed(plans[0], one, columns, row), lowest), highest)
            for one, lowest, highest in zip(plans[0].repetitions, least, most, strict=True)
        )
        chosen.setdefault(needed, []).append(row)
    return [
        found for needed, wanted in chosen.items() for found in _by_overlay(by_parts[needed], columns, wanted)
    ]


def _parts_needed(
    plan: RecordPlan, repetition: Repetition, columns: Mapping[str, Sequence[Any]], row: int
) -> int:
    """How many parts of a repeat the values of a row take: characters, or texts that stand nowhere else."""
    most = 0
    for field in repetition.fields:
        meaning = field.meaning
        if not isinstance(meaning, Binding) or (value := columns[meaning.name][row]) in (None, ""):
            continue
        parts = 1
        if meaning.is_slice:
            parts = -(-(len(value) - meaning.first + 1) // (meaning.last - meaning.first + 1))
        elif isinstance(value, str):
            before = [one for one in plan.columns if one.name == meaning.name and not one.field.repeat]
            parts = value.count(join_of(meaning.name)) + 1 - len(before)
        most = max(most, parts)
    return most


def _by_overlay(
    plans: Sequence[RecordPlan], columns: Mapping[str, Sequence[Any]], rows: Sequence[int]
) -> list[tuple[RecordPlan, Sequence[int]]]:
    left = list(rows)
    found: list[tuple[RecordPlan, Sequence[int]]] = []
    for plan in plans[:-1]:
        chosen = [row for row in left if _is_variant(plan, columns, row)]
        found.append((plan, chosen))
        taken = set(chosen)
        left = [row for row in left if row not in taken]
    return [*found, (plans[-1], left)]


def _is_variant(plan: RecordPlan, columns: Mapping[str, Sequence[Any]], row: int) -> bool:
    return all(
        columns[column.name][row] in column.field.values
        for column in plan.columns
        if column.field.values and column.role is Role.RECORD and column.name in columns
    )


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
        self._near = near
        self._end = plan.layout.framing.line_end.decode("ascii")
        self._limits = [_Limit.of(row, child) for child in row.children if _is_limited(child)]

    def write(
        self, columns: Columns, count: int, written: int, tallies: Sequence[Tally]
    ) -> tuple[str, int] | None:
        """The text of some rows and its number of lines; None where a value does not fit.

        `written` rows of the file came before. Counts and hash totals are added to the tallies.
        """
        found = slots(self.row, columns, count)
        if self._unfit_children(found, count):
            return None
        single = len(found) == 1 and len(found[0].rows) == count
        numbers = self._running(found, count)
        texts: list[list[str]] = []
        for slot in found:
            chosen = columns if len(slot.rows) == count else _chosen(columns, slot.rows)
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

    def unfit(self, columns: Columns, count: int) -> list[Unfit]:
        """Values that fit their cells and yet cannot be written."""
        found = slots(self.row, columns, count)
        faults = self._unfit_children(found, count)
        for slot in found:
            chosen = columns if len(slot.rows) == count else _chosen(columns, slot.rows)
            for one in self._unfit(slot.plan, chosen):
                faults.append(Unfit(slot.rows[one.row], one.column, one.value, one.fault))
        return faults

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
        if self._unfit(plan, columns):
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

    # What the cells do not know.

    def _unfit_children(self, found: Sequence[Slot], count: int) -> list[Unfit]:
        """Rows whose records below are not as many as the structure says: nobody could read them."""
        faults: list[Unfit] = []
        for limit in self._limits:
            counts = [0] * count
            for slot in found:
                if slot.plan.name in limit.names:
                    for row in slot.rows:
                        counts[row] += 1
            for row, number in enumerate(counts):
                fault = limit.fault(number, self.row.name)
                if fault is not None:
                    faults.append(Unfit(row, limit.column, number, fault))
        return faults

    def _unfit(self, plan: RecordPlan, columns: Columns) -> list[Unfit]:
        faults: list[Unfit] = []
        for spread in plan.spreads:
            faults += _unfit_spread(plan, spread, columns.get(spread.name, []))
        for column in plan.columns:
            kind = column.field.kind
            if kind is None or column.role is not Role.RECORD:
                continue
            if kind.near:
                faults += self._unfit_years(column, columns.get(column.name, []), kind.near)
            if kind.check:
                faults += self._unfit_digits(column, columns.get(column.name, []), kind.check)
        return faults

    def _unfit_digits(self, column: Column, values: Sequence[Any], scheme: str) -> list[Unfit]:
        invalid = invalid_values(scheme, values)
        fault = Fault("check-digit", f"a check digit by {scheme}", _reason(column))
        if not invalid:
            return []
        return [Unfit(row, column, value, fault) for row, value in enumerate(values) if value in invalid]

    def _unfit_years(self, column: Column, values: Sequence[Any], name: str) -> list[Unfit]:
        """Dates whose year would be read back as another one."""
        near = self._near.get(name)
        near = near.date() if isinstance(near, datetime) else near
        faults = []
        for row, value in enumerate(values):
            if not isinstance(value, date) or not isinstance(near, date):
                continue
            try:
                same = with_year(value.replace(year=4), near) == value
            except ValueError:
                same = False
            if not same:
                wanted = f"a day within half a year of {name}"
                faults.append(Unfit(row, column, value, Fault("date-invalid", wanted)))
        return faults


def spread_values(plan: RecordPlan, columns: Mapping[str, Sequence[Any]]) -> dict[int, Sequence[Any]]:
    """Values of a row's meanings by column: whole, cut into slices, or taken apart into parts."""
    values: dict[int, Sequence[Any]] = {
        column.index: columns[column.name] for column in plan.columns if column.role is Role.RECORD
    }
    for spread in plan.spreads:
        whole = columns[spread.name]
        for part, index in enumerate(spread.columns):
            span = plan.columns[index].span
            if span is not None:
                values[index] = [value and value[span[0] : span[1]] for value in whole]
            elif spread.is_amount:
                values[index] = whole if part == 0 else [None] * len(whole)
            else:
                values[index] = [_part(value, part, spread.join) for value in whole]
    return values


def _part(value: str | None, part: int, join: str) -> str | None:
    if not value:
        return value if part == 0 else ""
    parts = value.split(join)
    return parts[part] if part < len(parts) else ""


def _unfit_spread(plan: RecordPlan, spread: Spread, values: Sequence[Any]) -> list[Unfit]:
    first = plan.columns[spread.columns[0]]
    if not spread.is_slices:
        if spread.is_amount:
            return []
        most = len(spread.columns)
        too_many = Fault("too-many", f"at most {most} in one record", _reason(first))
        # Read back, a part that is blank is none: what stands behind it would move up.
        gap = Fault("empty", f"a text on both sides of {spread.join!r}", _reason(first))
        parts = [(row, value, value.split(spread.join)) for row, value in enumerate(values) if value]
        return [
            Unfit(row, first, value, too_many if len(texts) > most else gap)
            for row, value, texts in parts
            if len(texts) > most or "" in texts
        ]
    last = max(plan.columns[index].span[1] for index in spread.columns if plan.columns[index].span)  # type: ignore[index]
    return [
        Unfit(row, first, value, Fault("too-long", f"at most {last} characters", _reason(first)))
        for row, value in enumerate(values)
        if value and len(value) > last
    ]


def _reason(column: Column) -> Reason:
    meaning = column.field.meaning
    account = isinstance(meaning, Binding) and meaning.name == "payment.account"
    return Reason.INVALID_ACCOUNT if account else Reason.FIELD_INVALID


def _chosen(columns: Columns, rows: Sequence[int]) -> Columns:
    return {name: [values[row] for row in rows] for name, values in columns.items()}


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

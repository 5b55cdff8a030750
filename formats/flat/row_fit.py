"""What fits its cells and yet cannot be written: slices, repeats, check digits, years, counts of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from formats.check_digits import invalid_values
from formats.flat.compiler import Column, RecordPlan, Role, RowPlan, Spread
from formats.flat.field_cells import Fault
from formats.flat.field_dates import with_year
from formats.flat.slots import Columns, Slot, of_rows, slots
from formats.language.model import Binding, Node
from formats.reasons import Reason


class Unfit(Struct, frozen=True):
    """A value that cannot be written, for a reason that its cells do not know."""

    row: int
    column: Column
    value: Any
    fault: Fault


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


class RowFit:
    """What rows of one kind must be beyond their cells; `near` are the dates that years are told by."""

    def __init__(self, row: RowPlan, near: Mapping[str, Any]) -> None:
        self._row = row
        self._near = near
        self._limits = [_Limit.of(row, child) for child in row.children if _is_limited(child)]

    def of(self, columns: Columns, count: int) -> list[Unfit]:
        """Everything of some rows that is unfit."""
        found = slots(self._row, columns, count)
        faults = self.children(found, count)
        for slot in found:
            for one in self.values(slot.plan, of_rows(columns, slot.rows, count)):
                faults.append(Unfit(slot.rows[one.row], one.column, one.value, one.fault))
        return faults

    def children(self, found: Sequence[Slot], count: int) -> list[Unfit]:
        """Rows whose records below are not as many as the structure says: nobody could read them."""
        faults: list[Unfit] = []
        for limit in self._limits:
            counts = [0] * count
            for slot in found:
                if slot.plan.name in limit.names:
                    for row in slot.rows:
                        counts[row] += 1
            for row, number in enumerate(counts):
                fault = limit.fault(number, self._row.name)
                if fault is not None:
                    faults.append(Unfit(row, limit.column, number, fault))
        return faults

    def values(self, plan: RecordPlan, columns: Mapping[str, Sequence[Any]]) -> list[Unfit]:
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

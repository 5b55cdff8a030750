"""Counts and sums over the records of a file, with conditions, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Any

from formats.codes import OutcomeCodes
from formats.layout_model import Binding, Condition, Count, Layout, Sum

Total = Count | Sum
_CODE = "outcome.code"


class Tally:
    """Running values of the totals of one file. Amounts in minor units; absent ones count nothing."""

    def __init__(self, totals: Iterable[Total], layout: Layout, codes: OutcomeCodes) -> None:
        self.values: dict[str, int] = {}
        self._steps: dict[str, list[tuple[Total, str, Callable[[Any], bool] | None]]] = {}
        for total in totals:
            if total.text not in self.values:
                self.values[total.text] = 0
                self._add_total(total, layout, codes)

    def _add_total(self, total: Total, layout: Layout, codes: OutcomeCodes) -> None:
        column, accepts = _condition(total.condition, codes)
        for record in layout.records:
            names = {field.meaning.name for field in record.fields if isinstance(field.meaning, Binding)}
            if record.name == total.record if isinstance(total, Count) else total.name in names:
                self._steps.setdefault(record.name, []).append((total, column, accepts))

    def add(self, record: str, columns: dict[str, list[Any]], count: int) -> None:
        """Take in a chunk of one kind of record."""
        known: dict[Condition | None, bool | list[bool]] = {None: True}
        for total, column, accepts in self._steps.get(record, ()):
            if accepts is not None and total.condition not in known:
                known[total.condition] = _choose(columns[column], accepts)
            chosen = known[total.condition]
            if isinstance(total, Count):
                amount = count if chosen is True else sum(chosen or ())
            elif chosen is True:
                amount = sum(filter(None, columns[total.name]))
            else:
                amount = sum(filter(None, compress(columns[total.name], chosen or ())))
            self.values[total.text] += amount


def _condition(condition: Condition | None, codes: OutcomeCodes) -> tuple[str, Callable[[Any], bool] | None]:
    """The column that a condition looks at and whether a value of it is meant."""
    if condition is None:
        return "", None
    values, negated = frozenset(condition.values), condition.negated
    if condition.name == "outcome.status":
        return _CODE, lambda code: (codes.status_by_code[code].value in values) != negated
    if condition.name == "outcome.reason":
        return _CODE, lambda code: (codes.reason_by_code[code].value in values) != negated
    return condition.name, lambda value: (str(value) in values) != negated


def _choose(values: Sequence[Any], accepts: Callable[[Any], bool]) -> bool | list[bool]:
    """True or False where the condition takes all or none, else a flag for each."""
    chosen = {value: accepts(value) for value in set(values)}
    if len(set(chosen.values())) < 2:
        return all(chosen.values())
    return [chosen[value] for value in values]

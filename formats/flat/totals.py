"""Counts and sums over the records of a scope, with conditions, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

from msgspec import Struct

from formats.codes import OutcomeCodes
from formats.language.model import SILENT, Binding, Condition, Count, Layout, Sum
from formats.language.tree import Tree

Summed = Count | Sum
_CODE = "outcome.code"
_FEW_VALUES = 8

Columns = Mapping[str, Sequence[Any]]


def hash_name(record: str, title: str) -> str:
    """The name of a column that is there only to be added up."""
    return f"{record}.{title}"


class _Step(Struct, frozen=True):
    """What a row adds to one total."""

    total: Summed
    column: str
    accepts: Callable[[Any], bool] | None


class TotalsPlan:
    """The totals of one scope, made ready: what each row, record and scope below adds to which. Immutable."""

    def __init__(self, totals: Iterable[Summed], layout: Layout, tree: Tree, codes: OutcomeCodes) -> None:
        self.texts: list[str] = []
        self.steps: dict[str, list[_Step]] = {}
        """By row."""
        self.counts: dict[str, list[str]] = {}
        """By record or scope: the texts of the totals that count it."""
        self.sums: dict[str, list[tuple[str, int]]] = {}
        """By hash column: the texts of the totals that add it up, each with its modulus."""
        self._implied = layout.implied_code
        for total in totals:
            if total.text not in self.texts and total.text not in (f"count({SILENT})", f"sum({SILENT})"):
                self.texts.append(total.text)
                self._add(total, layout, tree, codes)

    def _add(self, total: Summed, layout: Layout, tree: Tree, codes: OutcomeCodes) -> None:
        if isinstance(total, Sum) and total.fields:
            for record, title in total.fields:
                self.sums.setdefault(hash_name(record, title), []).append((total.text, total.modulus))
            return
        column, accepts = self._condition(total.condition, codes)
        if isinstance(total, Count):
            for name in total.records:
                if name in tree.rows:
                    self.steps.setdefault(name, []).append(_Step(total, column, accepts))
                else:
                    self.counts.setdefault(name, []).append(total.text)
            return
        for row in tree.rows:
            names = {node.name for node in tree.row_records(row)}
            if any(_binds(layout, name, total.name) for name in names):
                self.steps.setdefault(row, []).append(_Step(total, column, accepts))

    def _condition(
        self, condition: Condition | None, codes: OutcomeCodes
    ) -> tuple[str, Callable[[Any], bool] | None]:
        """The column that a condition looks at and whether a value of it is meant."""
        if condition is None:
            return "", None
        values, negated = frozenset(condition.values), condition.negated

        def accepts(value: Any) -> bool:
            return (str(value) in values) != negated

        if condition.name in ("outcome.status", "outcome.reason"):
            return _CODE, codes.chooser(condition.name, accepts)
        return condition.name, accepts

    def chosen(self, step: _Step, columns: Columns) -> bool | dict[Any, bool]:
        """True or False where the condition takes all or none of the rows, else whether it takes a value."""
        if step.accepts is None:
            return True
        values = columns.get(step.column)
        if values is None:
            return step.accepts(self._implied)
        accepts = step.accepts
        if len(values) and values.count(values[0]) == len(values):
            # Mostly one object many times, which costs a third of putting them into a set.
            return accepts(values[0])
        known = {value: accepts(value) for value in set(values)}
        return all(known.values()) if len(set(known.values())) < 2 else known


class Tally:
    """Running values of the totals of one scope. Amounts in minor units; absent ones count nothing."""

    def __init__(self, plan: TotalsPlan) -> None:
        self._plan = plan
        self.values: dict[str, int] = dict.fromkeys(plan.texts, 0)

    def add_rows(self, row: str, columns: Columns, count: int) -> None:
        """Take in some rows."""
        known: dict[Condition | None, bool | dict[Any, bool]] = {}
        for step in self._plan.steps.get(row, ()):
            if isinstance(step.total, Sum) and step.total.name not in columns:
                continue
            condition = step.total.condition
            if condition not in known:
                known[condition] = self._plan.chosen(step, columns)
            chosen = known[condition]
            if isinstance(chosen, bool):
                if chosen:
                    amount = count if isinstance(step.total, Count) else _sum(columns[step.total.name])
                    self.values[step.total.text] += amount
                continue
            values = columns[step.column]
            if not isinstance(step.total, Count):
                amounts = compress(columns[step.total.name], map(chosen.__getitem__, values))
                amount = sum(filter(None, amounts))
            elif len(chosen) <= _FEW_VALUES and isinstance(values, list):
                amount = sum(values.count(value) for value, accepted in chosen.items() if accepted)
            else:
                amount = sum(map(chosen.__getitem__, values))
            self.values[step.total.text] += amount

    def add(self, name: str, count: int = 1) -> None:
        """Take in records of a name, or scopes."""
        for text in self._plan.counts.get(name, ()):
            self.values[text] += count

    def add_hash(self, name: str, amount: int) -> None:
        """Take in the sum of some cells of a hash column."""
        for text, modulus in self._plan.sums.get(name, ()):
            value = self.values[text] + amount
            self.values[text] = value % modulus if modulus else value


def _sum(amounts: Sequence[Any]) -> int:
    """Absent amounts count nothing; nearly always there is none."""
    try:
        return sum(amounts)
    except TypeError:
        return sum(filter(None, amounts))


def _binds(layout: Layout, record: str, name: str) -> bool:
    return any(
        isinstance(field.meaning, Binding) and field.meaning.name == name
        for one in layout.records
        if one.name == record
        for field in one.fields
    )

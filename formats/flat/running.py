"""Numbers that count through a file: of scopes, and over records of some names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from msgspec import Struct

from formats.flat.compiler import RecordPlan
from formats.language.model import Number


class ScopeNumbers(Struct, frozen=True):
    """The scopes that are open, each with how many of its kind, and of others beside it, began so far."""

    names: tuple[str, ...] = ()
    counts: dict[str, int] = {}

    def within(self, name: str, beside: Mapping[str, int]) -> ScopeNumbers:
        """Those of a scope that begins now; `beside` counts it already."""
        return ScopeNumbers((*self.names, name), {**self.counts, **beside})

    def number(self, names: tuple[str, ...]) -> int:
        """The number of the open scope that is one of these; 0 where none is."""
        if not any(name in self.names for name in names):
            return 0
        return sum(self.counts.get(name, 0) for name in names)


class RunningNumbers:
    """What the numbers of one scope must be: of the scopes around it, and over records of some names."""

    def __init__(self, scopes: ScopeNumbers) -> None:
        self._scopes = scopes
        self._counted: dict[tuple[str, ...], int] = {}

    def of_run(self, plan: RecordPlan, count: int) -> dict[str, Any]:
        """For records of one kind: by what is counted, one number for all or one for each."""
        found: dict[str, Any] = {}
        for column, names in counting_fields([plan]):
            known = self._scopes.number(names)
            start = self._counted.get(names, 0)
            step = int(plan.name in names)
            found[column] = known or [start + step * (place + 1) for place in range(count)]
        self._count([plan.name] * count, {names for _, names in counting_fields([plan])})
        return found

    def of_lines(self, plans: Sequence[RecordPlan]) -> dict[str, dict[str, Any]]:
        """For records of several kinds in their order: the same by label of the record."""
        kinds = list({plan.label: plan for plan in plans}.values())
        found: dict[str, dict[str, Any]] = {plan.label: {} for plan in kinds}
        for plan in kinds:
            for column, names in counting_fields([plan]):
                start = self._counted.get(names, 0)
                steps = accumulate(int(other.name in names) for other in plans)
                found[plan.label][column] = self._scopes.number(names) or [start + number for number in steps]
        self._count([plan.name for plan in plans], {names for _, names in counting_fields(kinds)})
        return found

    def _count(self, records: Sequence[str], several: set[tuple[str, ...]]) -> None:
        for names in several:
            went_by = sum(name in names for name in records)
            self._counted[names] = self._counted.get(names, 0) + went_by


def own_numbers(plan: RecordPlan) -> Iterator[str]:
    """The fields that count the records of their own kind."""
    for column in plan.columns:
        if isinstance(column.field.meaning, Number) and not column.field.meaning.of:
            yield column.name


def counting_fields(plans: Sequence[RecordPlan]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The fields that count records or scopes by name."""
    for plan in plans:
        for column in plan.columns:
            meaning = column.field.meaning
            if isinstance(meaning, Number) and meaning.of:
                yield column.name, meaning.of

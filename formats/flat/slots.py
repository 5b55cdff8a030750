"""Which records a row is written as, and which of its values stand in which of their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from formats.flat.compiler import RecordPlan, Role, RowPlan, join_of
from formats.language.model import Binding, Node, Repetition

Columns = dict[str, list[Any]]
"""Values by meaning, one a row."""


class Slot(Struct, frozen=True):
    """Records of one form among some rows: which rows have it."""

    plan: RecordPlan
    rows: Sequence[int]


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


def of_rows(columns: Columns, rows: Sequence[int], count: int) -> Columns:
    """The columns of some of `count` rows, in the order of these."""
    if len(rows) == count:
        return columns
    return {name: [values[row] for row in rows] for name, values in columns.items()}

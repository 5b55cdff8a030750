"""What rows add to a declared total of an XML file. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

from formats.language.model import Count, Sum


def amount_of(
    meaning: Count | Sum, columns: Mapping[str, Sequence[Any]], count: int, counted: Sequence[bool] | None
) -> int:
    """The number of the rows, or the sum of their amounts in minor units; absent ones count nothing.

    `counted`: which of them count at all, None for every one.
    """
    chosen = counted
    if meaning.condition is not None:
        values = columns.get(meaning.condition.name, [""] * count)
        wanted, negated = frozenset(meaning.condition.values), meaning.condition.negated
        accepted = [(str(value) in wanted) != negated for value in values]
        if counted is not None:
            accepted = [one and other for one, other in zip(accepted, counted, strict=True)]
        chosen = accepted
    if isinstance(meaning, Count):
        return count if chosen is None else sum(chosen)
    amounts = columns.get(meaning.name, [])
    return sum(filter(None, amounts if chosen is None else compress(amounts, chosen)))

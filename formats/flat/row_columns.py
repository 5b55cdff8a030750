"""Values of records put to their rows: joined, compared, and held against what says how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from formats.codes import CODES_JOIN
from formats.flat.compiler import ITEM, Role, RowPlan
from formats.flat.record_reader import RecordReader, Taken
from formats.language.meanings import Shape, shape_of
from formats.language.model import Count, Has, Kind

_ONE_VALUE = ("payment.", "attempt.", "item.", "group.")
"""Texts of which a row has one, however many records say it."""


class RowColumns:
    """Makes the columns of rows of one kind. Immutable."""

    def __init__(self, row: RowPlan, records: RecordReader) -> None:
        self._row = row
        self._records = records

    def of(self, takens: list[Taken], rows: Sequence[Sequence[int]], count: int) -> dict[str, list[Any]]:
        """Values put to their rows; several of one meaning in one row are joined."""
        columns: dict[str, list[Any]] = {}
        for taken, places in zip(takens, rows, strict=True):
            whole = taken.count == count and len(takens) == 1
            for name, values in taken.columns.items():
                if (
                    taken.plan.name == self._row.lead
                    and (whole or name not in columns)
                    and len(values) == count
                ):
                    columns[name] = values
                    continue
                known = columns.setdefault(name, [_absent(name)] * count)
                odd = _put(known, name, values, places)
                if odd is not None:
                    self._tell_difference(taken, name, odd)
        for taken, places in zip(takens, rows, strict=True):
            self._check_children(taken, places, takens, rows, count)
        for name in self._row.names - columns.keys():
            columns[name] = [_absent(name)] * count
        return columns

    def _tell_difference(self, taken: Taken, name: str, place: int) -> None:
        """Two records of one row that say two things of it."""
        column = next(column for column in taken.plan.columns if column.name == name)
        found, line = str(taken.columns[name][place]), taken.lines[place]
        wanted = f"what another record of the {self._row.name} says"
        self._records.report("record-differs", taken.plan, column, found, line, wanted)

    def _check_children(
        self,
        taken: Taken,
        places: Sequence[int],
        takens: list[Taken],
        rows: Sequence[Sequence[int]],
        count: int,
    ) -> None:
        """Flags and counts of the records below: what is there decides, a difference is told."""
        for column in taken.plan.columns:
            if column.role is not Role.CHILDREN:
                continue
            meaning = column.field.meaning
            assert isinstance(meaning, Has | Count), "only these are of the children"
            found = taken.children[column.index]
            actual = _children(meaning, takens, rows, count)
            if found == (actual if places == range(count) else [actual[row] for row in places]):
                continue
            digits = column.field.kind is not None and column.field.kind.name is Kind.DIGITS
            for value, row, line in zip(found, places, taken.lines, strict=True):
                if (int(value) if digits else value) != actual[row]:
                    self._records.report(
                        "child-differs",
                        taken.plan,
                        column,
                        str(value),
                        line,
                        f"{actual[row]} as {column.name}",
                    )
                    break


def _children(
    meaning: Has | Count, takens: Sequence[Taken], rows: Sequence[Iterable[int]], count: int
) -> list[int]:
    """How many of the named records each row has, or whether it has any."""
    counts = [0] * count
    for taken, places in zip(takens, rows, strict=True):
        if taken.plan.name in meaning.records:
            for row in places:
                counts[row] += 1
    several = isinstance(meaning, Has) and max(counts, default=0) > 1
    return [int(number > 0) for number in counts] if several else counts


def _absent(name: str) -> str | None:
    """What a column holds where a record is absent; a code that is not there is not a blank one."""
    return "" if shape_of(name) is Shape.TEXT and name != "outcome.code" else None


def _put(column: list[Any], name: str, values: list[Any], rows: Sequence[int]) -> int | None:
    """Values of a record that not every row has once; the place of one that contradicts another."""
    odd = None
    for place, (row, value) in enumerate(zip(rows, values, strict=True)):
        known = column[row]
        if known is None or known == "":
            column[row] = value
        elif name.endswith(".code"):
            column[row] = f"{known}{CODES_JOIN}{value}" if value else known
        elif name == "fee.amount" and value is not None:
            column[row] = known + value
        elif value not in (None, "", known):
            joins = isinstance(known, str) and not name.startswith(_ONE_VALUE)
            if joins:
                column[row] = f"{known}; {value}"
                continue
            # No item has this number: a key that is two keys finds nothing.
            column[row] = 0 if name == ITEM else known
            odd = place if odd is None else odd
    return odd

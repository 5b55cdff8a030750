"""Single values, columns and templates of a plan, for whoever writes a file of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from formats.codec import Purpose
from formats.errors import EncodeError
from formats.flat.compiler import ITEM, Column, Plan, RecordPlan, Role, RowPlan
from formats.flat.slots import Columns
from formats.flat.unwritable import CODE, REFERENCE, Unwritable
from formats.records import FileIdentity, Problem, RecordChunk
from formats.reference import make_references

MAXIMUM_PROBLEMS = 10_000
"""Problems that one `EncodeError` carries at most."""

_PROFILE_FAMILIES = ("item", "group")
"""Families whose values come from the profile where a chunk does not bring them."""


class PlanWriter:
    """What a plan makes of values. Immutable."""

    def __init__(self, plan: Plan) -> None:
        self.unwritable = Unwritable(plan)
        self._problem = self.unwritable.of_layout
        self._plan = plan
        self._is_request = plan.layout.purpose is Purpose.REQUEST

    def columns(self, record: str) -> frozenset[str]:
        """Meanings that a chunk must have; of requests those too that it may have.

        A reference that we make ourselves is not among them.
        """
        row = self._plan.row_of(RecordChunk(record=record, count=0, columns={}))
        if row is None:
            return frozenset()
        if self._is_request:
            made = (REFERENCE, *(name for name in row.names if name.startswith(("item.", "group."))))
            return row.names - set(made)
        return frozenset(
            name for name in self._required(row) if name.partition(".")[0] not in _PROFILE_FAMILIES
        )

    def complete(
        self, row: RowPlan, chunk: RecordChunk, identity: FileIdentity | None, written: int | None
    ) -> Columns:
        """The chunk's columns with what is derived: references, codes, what the profile says, absent ones.

        Without `written`, the number of rows before, no references are made. ValueError where
        the caller left out a column or made one of another length.
        """
        columns = dict(chunk.columns)
        for name, values in columns.items():
            if len(values) != chunk.count:
                raise ValueError(f"{chunk.record} {name}: {len(values)} values in a chunk of {chunk.count}")
        required = self._required(row) if chunk.record == row.name else frozenset()
        for name in sorted(row.names - columns.keys()):
            family, _, key = name.partition(".")
            if name == CODE and "outcome.status" in columns:
                reasons = columns.get("outcome.reason", [""] * chunk.count)
                columns[CODE] = list(self._plan.codes.write(columns["outcome.status"], reasons))
            elif name == REFERENCE and self._is_request:
                columns[REFERENCE] = (
                    [None] * chunk.count
                    if identity is None or written is None
                    else self._references(row, chunk, identity, written)
                )
            elif name == ITEM and self._is_request:
                columns[ITEM] = list(range((written or 0) + 1, (written or 0) + chunk.count + 1))
            elif family in _PROFILE_FAMILIES:
                known = None if identity is None else identity.profile.get(key)
                columns[name] = [known] * chunk.count
            elif name in required:
                raise ValueError(f"a chunk of {chunk.record} without {name}")
            else:
                columns[name] = [None] * chunk.count
        return columns

    def template(self, plan: RecordPlan, values: dict[str, Any]) -> str:
        """The `%`-template of a record: what does not change is written into it."""
        parts = []
        for piece, column in zip(plan.pieces, plan.columns, strict=False):
            parts.append(piece)
            if column.cells is None:
                parts.append(column.text.replace("%", "%%"))
            elif column.name in values and column.role not in (Role.RECORD, Role.CHILDREN):
                parts.append(self.scalar(plan, column, values[column.name]).replace("%", "%%"))
            elif column.role in (Role.FILE, Role.GROUP, Role.TOTAL):
                parts.append(self.scalar(plan, column, values.get(column.name)).replace("%", "%%"))
            else:
                parts.append(column.cells.template)
        return "".join((*parts, plan.pieces[-1]))

    def scalar(self, plan: RecordPlan, column: Column, value: Any) -> str:
        """One cell, padding included. Raises `EncodeError` where the value does not fit."""
        assert column.cells is not None, "constants are not written by value"
        cells = column.cells.write([value])
        if cells is None:
            raise EncodeError([self.unwritable.of_value(plan.name, column, value)])
        return column.cells.template % tuple(cell[0] for cell in cells)

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None) -> list[Problem]:
        """Every value of a chunk that cannot be written."""
        found = [] if identity is None else self.unwritable.of_identity(identity)
        row = self._plan.row_of(chunk)
        if row is None:
            wanted = ", ".join(self._plan.tree.rows)
            return [
                *found,
                self._problem("record-unknown", f"record {chunk.record}", wanted or "no records"),
            ]
        columns = self.complete(row, chunk, identity, None)
        return found + self.unwritable.of_chunk(row, chunk, columns, identity)

    def all_problems(
        self,
        row: RowPlan,
        chunks: Iterable[RecordChunk],
        identity: FileIdentity,
        failed: RecordChunk,
        columns: Columns,
    ) -> list[Problem]:
        """Every problem of every chunk, or at least of the one that failed."""
        found: list[Problem] = []
        for chunk in [failed] if iter(chunks) is chunks else chunks:
            found += self.problems(chunk, None)
            if len(found) >= MAXIMUM_PROBLEMS:
                break
        if not found:
            found = self.unwritable.of_chunk(row, failed, columns, identity)
        return found[:MAXIMUM_PROBLEMS]

    def _required(self, row: RowPlan) -> frozenset[str]:
        """Meanings that a record needs which every row has."""
        always = [row.lead, *(node.name for node in row.children if node.minimum and not node.children)]
        return frozenset(name for record in always for plan in row.records[record] for name in plan.needed())

    def _references(
        self, row: RowPlan, chunk: RecordChunk, identity: FileIdentity, written: int
    ) -> list[Any]:
        column = next(
            column
            for plans in row.records.values()
            for plan in plans
            for column in plan.columns
            if column.name == REFERENCE
        )
        items = chunk.columns.get(ITEM) or range(written + 1, written + chunk.count + 1)
        try:
            return list(make_references(identity.sequence, items, column.field.room))
        except OverflowError as error:
            problem = self._problem("reference-overflow", str(error), "a wider field", column=column.title)
            raise EncodeError([problem]) from error

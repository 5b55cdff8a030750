"""Totals that stand before the rows they count: found by a pass that writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from formats.flat.compiler import Plan, RowPlan
from formats.flat.plan_writer import PlanWriter
from formats.flat.slots import of_rows, slots, spread_values
from formats.flat.totals import Tally
from formats.flat.writing_runs import runs_of
from formats.language.model import Node
from formats.language.tree import FILE_SCOPE
from formats.records import FileIdentity, RecordChunk


class DryRun:
    """The totals of every scope, from a pass over the chunks that writes nothing."""

    def __init__(self, writer: PlanWriter, plan: Plan, identity: FileIdentity) -> None:
        self._writer = writer
        self._plan = plan
        self._identity = identity
        self._found: dict[str, list[dict[str, int]]] = {}
        self._open: list[Tally] = []

    def totals(
        self, chunks: Iterable[RecordChunk], structure: Sequence[Node]
    ) -> dict[str, list[dict[str, int]]]:
        """By scope, in their order."""
        self._scope(FILE_SCOPE, structure, chunks)
        return self._found

    def _scope(self, name: str, nodes: Sequence[Node], chunks: Iterable[RecordChunk]) -> None:
        tally = Tally(self._plan.totals[name])
        for outer in self._open:
            outer.add(name)
        self._open.append(tally)
        self._found.setdefault(name, []).append(tally.values)
        for node in nodes:
            self._node(node, chunks)
        self._open.pop()

    def _node(self, node: Node, chunks: Iterable[RecordChunk]) -> None:
        if node.is_row:
            row = self._plan.rows[node.line]
            for chunk in chunks:
                if self._plan.row_of(chunk) is row:
                    self._rows(row, chunk)
        elif node.any_order:
            for child in node.children:
                self._node(child, chunks)
        elif node.children:
            rows = [self._plan.rows[part.line] for part in node.walk() if part.is_row]
            limit = min((row.node.maximum for row in rows if row.node.maximum is not None), default=None)
            for run in runs_of(chunks, rows, self._plan, limit):
                self._scope(node.name, node.children, run)
        elif node.literal is None:
            for tally in self._open:
                tally.add(node.name, node.minimum)

    def _rows(self, row: RowPlan, chunk: RecordChunk) -> None:
        columns = self._writer.complete(row, chunk, self._identity, None)
        for tally in self._open:
            tally.add_rows(row.name, columns, chunk.count)
        for slot in slots(row, columns, chunk.count):
            for tally in self._open:
                tally.add(slot.plan.name, len(slot.rows))
            hashed = [column for column in slot.plan.columns if column.hash_name]
            if hashed:
                values = spread_values(slot.plan, of_rows(columns, slot.rows, chunk.count))
                for column in hashed:
                    amount = sum(int(value) for value in values.get(column.index, ()) if value)
                    for tally in self._open:
                        tally.add_hash(column.hash_name, amount)

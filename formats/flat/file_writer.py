"""One file while it is written: its structure from the first line to the last, scope by scope."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from formats.codec import Purpose
from formats.errors import EncodeError
from formats.flat.compiler import (
    GROUP_ITEM,
    ITEM,
    Column,
    Plan,
    RecordPlan,
    Role,
    RowPlan,
    file_values,
    line_width,
)
from formats.flat.dry_run import DryRun
from formats.flat.plan_writer import PlanWriter
from formats.flat.row_writer import RowWriter, check_value
from formats.flat.running import RunningNumbers, ScopeNumbers
from formats.flat.totals import Tally
from formats.flat.writing_runs import runs_of
from formats.language.model import SILENT, Lines, Node, Number
from formats.language.tree import FILE_SCOPE
from formats.records import FileIdentity, RecordChunk

_COUNT, _SUM = "count(payment)", "sum(payment.amount)"


class _Scope:
    """One scope while it is written: its totals, what stands before its rows, its lines."""

    def __init__(self, name: str, tally: Tally, declared: dict[str, int], numbers: ScopeNumbers) -> None:
        self.name = name
        self.tally = tally
        self.declared = declared
        """Totals that stand before the rows."""
        self.numbers = numbers
        self.running = RunningNumbers(numbers)
        self.values: dict[str, Any] = {}
        self.children: dict[str, int] = {}
        self.lines = 0


class FileWriter:
    """One file being written."""

    def __init__(
        self, writer: PlanWriter, plan: Plan, identity: FileIdentity, chunks: Iterable[RecordChunk]
    ) -> None:
        self._writer = writer
        self._problem = writer.unwritable.of_layout
        self._plan = plan
        self._layout = plan.layout
        self._identity = identity
        self._chunks = chunks
        self._is_request = plan.layout.purpose is Purpose.REQUEST
        self._values = file_values(identity)
        self._scopes: list[_Scope] = []
        self._numbers: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._times: dict[int, int] = {}
        """How often each line of `structure` was written in the scope around it, for what stands in `any`."""
        self._paid_count = self._paid_minor = 0
        self._known = {_COUNT: identity.count, _SUM: identity.total_minor} if self._is_request else {}
        self._foretold = self._foretell()

    def blocks(self) -> Iterator[bytes]:
        """The file's bytes."""
        if self._layout.framing.byte_order_mark:
            yield BOM_UTF8
        self._open(FILE_SCOPE)
        yield from self._nodes(self._layout.structure, self._chunks)
        self._check_file()
        lines = self._scopes[0].lines
        self._close()
        yield from self._fill_lines(lines)

    # Totals that stand before the rows they count.

    def _foretell(self) -> dict[str, list[dict[str, int]]]:
        """By scope, one after the other: what its totals will be; empty where none stands before its rows."""
        early = {scope for scope in self._plan.totals if self._has_early_totals(scope)}
        self._unlisted = self._find_unlisted()
        single = iter(self._chunks) is self._chunks
        passes = len(self._plan.rows) + bool(early) + bool(self._layout.silence)
        if passes > 1 and single:
            raise TypeError("chunks must be re-iterable: this layout takes more than one pass over them")
        if not early:
            return {}
        dry = DryRun(self._writer, self._plan, self._identity)
        return dry.totals(self._chunks, self._layout.structure)

    def _find_unlisted(self) -> dict[str, int]:
        """Count and sum of what the answer does not list: the file that it answers, less what it lists."""
        if not self._layout.silence:
            return {}
        count, total_minor = self._identity.count, self._identity.total_minor
        for chunk in self._chunks:
            if chunk.record == "payment":
                count -= chunk.count
                total_minor -= sum(filter(None, chunk.columns.get("outcome.amount", ())))
        return {f"count({SILENT})": count, f"sum({SILENT})": total_minor}

    def _has_early_totals(self, scope: str) -> bool:
        """Whether a record before the rows of a scope states a total that nobody knows yet."""
        nodes = self._scope_nodes(scope)
        for node in nodes:
            if any(part.is_row for part in node.walk()):
                return False
            for plan in self._plan.records.get(node.name, ()):
                for column in plan.columns:
                    known = self._known if scope == FILE_SCOPE else {}
                    early = column.role is Role.TOTAL and not isinstance(column.field.meaning, Lines)
                    if early and column.name not in known and SILENT not in column.name:
                        return True
        return False

    def _scope_nodes(self, scope: str) -> Sequence[Node]:
        if scope == FILE_SCOPE:
            return self._layout.structure
        return next(
            node.children for top in self._layout.structure for node in top.walk() if node.name == scope
        )

    # Scopes.

    def _open(self, name: str) -> None:
        numbers = ScopeNumbers()
        if self._scopes:
            parent = self._scopes[-1]
            parent.children[name] = parent.children.get(name, 0) + 1
            numbers = parent.numbers.within(name, parent.children)
            for scope in self._scopes:
                scope.tally.add(name)
        foretold = self._foretold.get(name, [])
        declared = foretold.pop(0) if foretold else {}
        if name == FILE_SCOPE:
            declared = declared | self._known
        self._scopes.append(_Scope(name, Tally(self._plan.totals[name]), declared, numbers))

    def _close(self) -> None:
        scope = self._scopes.pop()
        found = [
            self._problem("total-differs", f"{name} {value}", f"{scope.declared[name]} as declared")
            for name, value in scope.tally.values.items()
            if name in scope.declared and value != scope.declared[name]
        ]
        if found:
            raise EncodeError(found)
        if self._scopes:
            self._scopes[-1].lines += scope.lines

    def _check_file(self) -> None:
        """A request has the payments and the sum that its identity says, whether or not it states them."""
        if not self._is_request:
            return
        wanted = {_COUNT: self._identity.count, _SUM: self._identity.total_minor}
        actual = {_COUNT: self._paid_count, _SUM: self._paid_minor}
        found = [
            self._problem("total-differs", f"{name} {actual[name]}", f"{wanted[name]} as declared")
            for name in wanted
            if actual[name] != wanted[name]
        ]
        if found:
            raise EncodeError(found)

    # Nodes.

    def _nodes(self, nodes: Sequence[Node], chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        for place, node in enumerate(nodes):
            if node.literal is not None:
                if not node.prefix:
                    self._scopes[-1].lines += 1
                    yield self._plan.charset.encode(node.literal) + self._layout.framing.line_end
            elif node.is_row:
                yield from self._rows(self._plan.rows[node.line], chunks)
            elif node.any_order:
                yield from self._nodes(node.children, chunks)
                self._check_occurrence(node, sum(self._times.get(child.line, 0) for child in node.children))
            elif node.children:
                yield from self._scope(node, chunks)
            else:
                yield from self._record(node, nodes[place + 1 :])

    def _scope(self, node: Node, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        """A scope as often as there are runs of rows for it; one without rows as often as it must be."""
        rows = [self._plan.rows[part.line] for part in node.walk() if part.is_row]
        if not rows:
            for _ in range(node.minimum):
                self._open(node.name)
                yield from self._nodes(node.children, ())
                self._close()
            self._times[node.line] = node.minimum
            return
        count = 0
        for run in runs_of(chunks, rows, self._plan, self._limit(rows)):
            self._open(node.name)
            self._scopes[-1].values = {
                name: values[0]
                for name, values in run.first.columns.items()
                if name.startswith("group.") and name != GROUP_ITEM
            }
            yield from self._nodes(node.children, run)
            self._close()
            count += 1
        self._check_occurrence(node, count)

    def _limit(self, rows: Sequence[RowPlan]) -> int | None:
        return min((row.node.maximum for row in rows if row.node.maximum is not None), default=None)

    def _check_occurrence(self, node: Node, count: int) -> None:
        self._times[node.line] = count
        words = " or ".join(child.name for child in node.children) if node.any_order else node.name
        name = f"{count} records of {words}"
        if count < node.minimum:
            raise EncodeError([self._problem("too-few", name, f"at least {node.minimum}")])
        if node.maximum is not None and count > node.maximum:
            raise EncodeError([self._problem("too-many", name, f"at most {node.maximum}")])

    def _record(self, node: Node, behind: Sequence[Node]) -> Iterator[bytes]:
        """A record that is no payment's; one that may be absent is written where it has a value."""
        plan = self._plan.records[node.name][0]
        times = node.minimum or int(self._has_value(plan))
        self._times[node.line] = times
        for _ in range(times):
            scope = self._scopes[-1]
            for one in self._scopes:
                one.tally.add(plan.name)
            scope.lines += 1
            values = self._record_values(plan, scope, behind)
            yield (self._writer.template(plan, values) % ()).encode("latin-1")

    def _has_value(self, plan: RecordPlan) -> bool:
        return any(
            self._values.get(column.name) not in (None, "")
            for column in plan.columns
            if column.role is Role.FILE
        )

    def _record_values(self, plan: RecordPlan, scope: _Scope, behind: Sequence[Node]) -> dict[str, Any]:
        values = self._scalars(scope)
        for column in plan.columns:
            meaning = column.field.meaning
            if isinstance(meaning, Lines):
                values[column.name] = self._line_total(meaning, scope, len(behind))
            elif column.role is Role.TOTAL:
                values[column.name] = self._total(scope, column)
            elif column.role is Role.NUMBER and isinstance(meaning, Number):
                values[column.name] = self._number(plan, column, meaning, scope)
        for column in plan.columns:
            if column.role is Role.CHECK:
                known = {index: values.get(plan.columns[index].name) for index in column.checked}
                values[column.name] = check_value(column, known, plan)
        return values

    def _scalars(self, scope: _Scope) -> dict[str, Any]:
        values = dict(self._values)
        values |= {f"group.{name}": value for name, value in self._identity.profile.items()}
        values["group.bank_day"] = self._identity.bank_day
        for one in self._scopes:
            values |= one.values
        return values

    def _total(self, scope: _Scope, column: Column) -> Any:
        name = column.name
        if name in self._unlisted:
            value = self._unlisted[name]
        else:
            value = scope.declared.get(name, scope.tally.values[name])
        digits = column.field.kind is not None and column.field.kind.name.value == "digits"
        width = column.field.width
        return f"{value:0{width.bytes_ if width else 1}d}" if digits else value

    def _line_total(self, meaning: Lines, scope: _Scope, behind: int) -> int:
        lines = scope.lines + behind
        if scope.name == FILE_SCOPE and self._layout.framing.fill_to:
            lines = -(-lines // self._layout.framing.fill_to) * self._layout.framing.fill_to
        return -(-lines // meaning.divisor)

    def _number(self, plan: RecordPlan, column: Column, meaning: Number, scope: _Scope) -> int:
        if meaning.of:
            found = scope.running.of_run(plan, 1)[column.name]
            return found if isinstance(found, int) else found[0]
        self._numbers[plan.name] = self._numbers.get(plan.name, 0) + 1
        return self._numbers[plan.name]

    # Rows.

    def _rows(self, row: RowPlan, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        scope = self._scopes[-1]
        values = self._scalars(scope)

        def make_template(plan: RecordPlan) -> str:
            return self._writer.template(plan, values)

        writer = RowWriter(self._plan, row, make_template, scope.running, self._numbers, self._values)
        count = 0
        for chunk in chunks:
            if self._plan.row_of(chunk) is not row:
                continue
            yield self._chunk(writer, row, chunk)
            count += chunk.count
        self._check_occurrence(row.node, count)

    def _chunk(self, writer: RowWriter, row: RowPlan, chunk: RecordChunk) -> bytes:
        written = self._written.get(row.name, 0)
        columns = self._writer.complete(row, chunk, self._identity, written)
        tallies = [scope.tally for scope in self._scopes]
        made = writer.write(columns, chunk.count, written, tallies)
        if made is None:
            raise EncodeError(self._writer.all_problems(row, self._chunks, self._identity, chunk, columns))
        self._check_items(row, chunk, written)
        text, lines = made
        for tally in tallies:
            tally.add_rows(row.name, columns, chunk.count)
        self._written[row.name] = written + chunk.count
        if row.name == "payment":
            self._paid_count += chunk.count
            self._paid_minor += sum(filter(None, columns.get("payment.amount", ())))
        self._scopes[-1].lines += lines
        return text.encode("latin-1")

    def _check_items(self, row: RowPlan, chunk: RecordChunk, written: int) -> None:
        items = chunk.columns.get(ITEM)
        counted = any(
            column.role is Role.NUMBER and column.name == ITEM
            for plan in row.records[row.lead]
            for column in plan.columns
        )
        if (
            counted
            and items is not None
            and list(items) != list(range(written + 1, written + chunk.count + 1))
        ):
            raise ValueError("attempt.item does not count from 1 through the file")

    def _fill_lines(self, lines: int) -> Iterator[bytes]:
        """Lines up to a multiple, behind everything else."""
        framing = self._layout.framing
        missing = -lines % framing.fill_to if framing.fill_to else 0
        if missing:
            line = self._plan.charset.encode(framing.fill_line * line_width(self._plan))
            yield (line + framing.line_end) * missing

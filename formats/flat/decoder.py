"""Reads a fixed or delimited file: the structure is the state machine, and the end must be reached.

What a line is and how many lines are read at once is the syntax's business (`RunReader`, in
`fixed.py` and `delimited.py`); rows are put together in `row_reader.py`, values read in
`record_reader.py`. Order, scopes, totals and facts are here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from msgspec import Struct

from formats.codec import CHUNK_RECORDS
from formats.flat.chunks import by_record, joined
from formats.flat.compiler import GROUP_ITEM, ITEM, Column, Plan, RecordPlan, Role
from formats.flat.faults import FaultMaker
from formats.flat.record_reader import RecordReader
from formats.flat.record_widths import RecordWidths
from formats.flat.row_reader import RowReader, Rows, RunReader
from formats.flat.running import RunningNumbers, ScopeNumbers
from formats.flat.structure_lines import StructureLines, note_tolerated
from formats.flat.totals import Tally
from formats.flat.walker import Move, Walker
from formats.language.model import Lines, Node, Number
from formats.language.tree import FILE_SCOPE
from formats.records import FileIdentity, Problem, RecordChunk

_CODE = "outcome.code"
_WORDS = (_CODE, "outcome.status", "outcome.reason")
_CTRL_Z = b"\x1a"
_LOOKED_AT_BYTES = 1 << 16
_CHARACTERS_OF_UTF8 = 8
"""So many, and not one that is none, are UTF-8: of GB 18030 not one file in a million is like that."""

_FEW_ROWS = CHUNK_RECORDS // 2
"""Fewer rows wait for those of the next scope, so that chunks stay worth their while."""


class _Declared(Struct, frozen=True):
    """A total that the file states, with its place."""

    column: Column
    record: str
    line: int
    value: int


class _Scope:
    """One open scope: its totals, what it declares, and what it says of its rows."""

    def __init__(self, name: str, lines: StructureLines, tally: Tally, numbers: ScopeNumbers) -> None:
        self.name = name
        self._lines = lines
        self._before = self._others() + lines.window.line
        self.tally = tally
        self.numbers = numbers
        self.running = RunningNumbers(numbers)
        self.declared: list[_Declared] = []
        self.values: dict[str, Any] = {}
        self.children: dict[str, int] = {}
        self.has_rows = False

    def count_lines(self) -> int:
        """Lines of the structure since it began; a file has its fill lines too."""
        return self._lines.window.line + self._others() - self._before

    def _others(self) -> int:
        """Less the lines that are none of its own."""
        return -self._lines.skipped - (0 if self.name == FILE_SCOPE else self._lines.filled)


class FileDecoder:
    """One file being read; see `formats.codec.Decoder`."""

    def __init__(
        self,
        plan: Plan,
        reader: RunReader,
        source: BinaryIO,
        identity: FileIdentity | None,
        widths: RecordWidths | None = None,
    ) -> None:
        """`widths`: what tells where a record ends, where neither a line end nor one width of all does."""
        self.facts: dict[str, Any] = {"declared": {}}
        self.problems: list[Problem] = []
        self._plan = plan
        self._layout = plan.layout
        self._framing = plan.layout.framing
        self._reader = reader
        self._identity = identity
        if plan.layout.silence:
            self.facts["silence"] = plan.layout.silence
        if plan.layout.returns:
            self.facts["returns"] = plan.layout.returns
        self._widths = widths
        file_name = identity.name if identity else ""
        self._faults = FaultMaker(plan.layout.name, file_name, partial(note_tolerated, self.facts))
        self._lines = StructureLines(plan, source, widths, self._faults, self.facts)
        self._window = self._lines.window
        self._records = RecordReader(plan, reader, self._faults, identity, self.facts, self.problems)
        self._rows = {
            line: RowReader(row, reader, self._records, self._faults, self._framing.line_end)
            for line, row in plan.rows.items()
        }
        self._walker = Walker(plan.layout.structure)
        self._scopes: list[_Scope] = []
        self._open(FILE_SCOPE)
        self._waiting: RecordChunk | None = None
        self._groups = 0
        self._records_seen: dict[str, int] = {}
        self._listed_count = self._listed_minor = self._positions = 0
        self._ended = False

    def __iter__(self) -> Iterator[RecordChunk]:
        """The chunks of the file, in order. Raises `DecodeError`."""
        if self._ended:
            return
        self._lines.begin()
        while (line := self._lines.peek()) is not None:
            body = self._lines.body(line)
            move = self._step(body)
            node = move.node
            ended, began = self._walker.make(move)
            self._enter(ended, began)
            if node.is_row:
                yield from self._take_rows(node)
                continue
            if node.literal is None:
                self._once(self._matching(node, body), body)
            self._window.advance(len(line), 1)
        self._finish()
        if self._waiting is not None:
            yield self._waiting

    # The structure.

    def _step(self, body: bytes) -> Move:
        """The move that this line makes."""
        moves = self._walker.candidates()
        for move in moves:
            if self._belongs(move.node, body, catch_all=False):
                return move
        for move in moves:
            if self._belongs(move.node, body, catch_all=True):
                return move
        wanted = " or ".join(dict.fromkeys(_node_name(move.node) for move in moves)) or "the end of the file"
        line = self._window.line
        if not moves:
            raise self._faults.file("trailing-bytes", line, "more lines after the end", wanted)
        known = next((node for node in self._leaves() if self._belongs(node, body, catch_all=False)), None)
        if known is not None:
            raise self._faults.file("record-unexpected", line, _node_name(known), wanted)
        if self._widths is not None:
            raise self._lines.no_record(body)
        raise self._faults.file("record-unknown", line, "a line that no record takes", wanted)

    def _leaves(self) -> Iterator[Node]:
        for top in self._layout.structure:
            for node in top.walk():
                if node.is_row or not node.children:
                    yield node

    def _belongs(self, node: Node, body: bytes, *, catch_all: bool) -> bool:
        if node.literal is not None:
            if catch_all:
                return False
            if node.prefix:
                return body.startswith(self._plan.charset.encode(node.literal[:-1]))
            return body == self._plan.charset.encode(node.literal)
        name = self._plan.rows[node.line].lead if node.is_row else node.name
        return any(
            catch_all if not plan.selectors() else (not catch_all and self._reader.matches(plan, body))
            for plan in self._plan.records[name]
        )

    def _matching(self, node: Node, body: bytes) -> RecordPlan:
        plans = self._plan.records[node.name]
        return next((plan for plan in plans if self._reader.matches(plan, body)), plans[-1])

    def _stops(self) -> list[bytes]:
        """Beginnings of lines that end a run of records: literals that may follow."""
        stops = []
        for node in (move.node for move in self._walker.candidates()):
            if node.literal is not None:
                literal = node.literal[:-1] if node.prefix else node.literal
                end = b"" if node.prefix else self._framing.line_end
                stops.append(self._plan.charset.encode(literal) + end)
        return stops

    # Scopes.

    def _open(self, name: str) -> None:
        parent = self._scopes[-1] if self._scopes else None
        numbers = ScopeNumbers()
        if parent is not None:
            parent.children[name] = parent.children.get(name, 0) + 1
            numbers = parent.numbers.within(name, parent.children)
            for scope in self._scopes:
                scope.tally.add(name)
        tally = Tally(self._plan.totals[name])
        self._scopes.append(_Scope(name, self._lines, tally, numbers))

    def _enter(self, ended: list[str], began: list[str]) -> None:
        for _ in ended:
            self._close()
        for name in began:
            self._open(name)

    def _close(self) -> None:
        """Compare what a scope declares with what stood in it."""
        scope = self._scopes.pop()
        lines = scope.count_lines()
        for one in scope.declared:
            actual = self._actual(scope, one.column, lines)
            if actual is not None and actual != one.value:
                self.problems.append(self._faults.total(one.record, one.column, one.line, one.value, actual))

    def _actual(self, scope: _Scope, column: Column, lines: int) -> int | None:
        """What a declared total should be; None where only the gateway knows."""
        meaning = column.field.meaning
        if isinstance(meaning, Lines):
            return -(-lines // meaning.divisor)
        if column.name not in scope.tally.values:
            return self._silent(column.name)
        return scope.tally.values[column.name]

    def _silent(self, name: str) -> int | None:
        """Count or sum of the payments that are not listed, where we know our file."""
        if self._identity is None:
            return None
        if name.startswith("count"):
            return self._identity.count - self._listed_count
        return self._identity.total_minor - self._listed_minor

    def _once(self, plan: RecordPlan, body: bytes) -> None:
        line = self._window.line
        scope = self._scopes[-1]
        for one in self._scopes:
            one.tally.add(plan.name)
        for column, value in self._records.once(plan, body, line).items():
            if column.role is Role.TOTAL:
                digits = int(value or 0) if isinstance(value, str) else value
                scope.declared.append(_Declared(column, plan.name, line, digits))
                self._note_declared(scope, column.name, digits)
            elif column.role is Role.GROUP:
                if scope.has_rows and column.name not in scope.values:
                    self._note_late(column.name, value)
                if scope.values.setdefault(column.name, value) != value:
                    self._records.report("file-value-varies", plan, column, str(value), line, "one value")
            elif column.role is Role.NUMBER:
                self._check_number(scope, plan, column, value, line)

    def _note_late(self, name: str, value: Any) -> None:
        """What only a trailer says of its scope: the rows are gone by then, so it is a fact of the file."""
        if value not in (None, ""):
            known = self.facts.get(name)
            self.facts[name] = value if known in (None, value) else f"{known}; {value}"

    def _note_declared(self, scope: _Scope, name: str, value: int) -> None:
        """What the file declares; of scopes within it the sum of what they declare."""
        declared = self.facts["declared"]
        if scope.name == FILE_SCOPE:
            declared.setdefault(name, value)
        else:
            within = f"{name} in {scope.name}"
            declared[within] = declared.get(within, 0) + value

    def _check_number(self, scope: _Scope, plan: RecordPlan, column: Column, value: int, line: int) -> None:
        meaning = column.field.meaning
        assert isinstance(meaning, Number), "only running numbers come here"
        if meaning.of:
            found = scope.running.of_run(plan, 1)[column.name]
            wanted = found if isinstance(found, int) else found[0]
        else:
            wanted = self._records_seen[plan.name] = self._records_seen.get(plan.name, 0) + 1
        if value != wanted:
            self._records.report("number-differs", plan, column, str(value), line, str(wanted))

    # Rows.

    def _take_rows(self, node: Node) -> Iterator[RecordChunk]:
        plan = self._plan.rows[node.line]
        scope = self._scopes[-1]
        self._groups += not scope.has_rows
        scope.has_rows = True
        room = self._walker.room()
        lead = self._plan.records[plan.lead]
        stops = self._stops() if any(not one.selectors() for one in lead) else []
        rows = self._rows[node.line].read(
            self._window, None if room is None else room + 1, stops, scope.running
        )
        self._walker.repeat(rows.count - 1)
        self._check_cut(rows)
        self._window.advance(rows.size_bytes, rows.line_count)
        for chunk in self._chunks(plan.name, rows, scope):
            yield from self._emit(chunk)

    def _check_cut(self, rows: Rows) -> None:
        """The last line of a file, read with its row, must have its line end: else it may be half a line."""
        window, framing = self._window, self._framing
        end = window.position + rows.size_bytes
        if not framing.final_eol or not rows.line_count or window.buffer.endswith(window.last, 0, end):
            return
        line = window.line + rows.line_count - 1
        if "final-eol" not in framing.tolerate:
            found = "the end of the file inside a line"
            raise self._faults.file("file-cut", line, found, f"{framing.eol.upper()} after each line")
        # `StructureLines` may have noted it already, where the row is one line: it can happen once only.
        self.facts.setdefault("tolerated", {})["final-eol"] = {"count": 1, "line": line}

    def _chunks(self, name: str, rows: Rows, scope: _Scope) -> Iterator[RecordChunk]:
        columns = rows.columns
        if self._layout.implied_code:
            columns[_CODE] = [self._layout.implied_code] * rows.count
        for one in self._scopes:
            one.tally.add_rows(name, columns, rows.count)
            for record, count in rows.record_counts.items():
                one.tally.add(record, count)
            for hashed, amount in rows.hashes.items():
                one.tally.add_hash(hashed, amount)
        if self._layout.by_position and name == "payment":
            columns[ITEM] = list(range(self._positions + 1, self._positions + rows.count + 1))
            self._positions += rows.count
        if self._layout.silence:
            self._listed_count += rows.count
            self._listed_minor += sum(filter(None, columns.get("outcome.amount", ())))
        for other in self._scopes[1:]:
            columns |= {key: [value] * rows.count for key, value in other.values.items()}
        if len(self._scopes) > 1:
            columns[GROUP_ITEM] = [self._groups] * rows.count
        yield from by_record(name, rows.count, columns, rows.lines, self._plan)

    def _emit(self, chunk: RecordChunk) -> Iterator[RecordChunk]:
        """The chunk, or nothing while it waits for more rows of its kind."""
        waiting = self._waiting
        if waiting is not None:
            if waiting.record != chunk.record or waiting.columns.keys() != chunk.columns.keys():
                yield waiting
            else:
                chunk = joined(waiting, chunk)
            self._waiting = None
        if chunk.count >= _FEW_ROWS or not self._plan.tree.scopes:
            yield chunk
        else:
            self._waiting = chunk

    # The end.

    def _finish(self) -> None:
        self._ended = True
        ended = self._walker.finish()
        if isinstance(ended, Node):
            wanted = _node_name(ended)
            raise self._faults.file("file-cut", self._window.line, "the end of the file", wanted)
        self._enter(ended, [])
        lines = self._scopes[0].count_lines()
        self._close()
        self._lines.end()
        fill_to = self._framing.fill_to
        if fill_to and lines % fill_to:
            self.problems.append(
                self._faults.note("fill-lines", lines, f"{lines} lines", f"a multiple of {fill_to}")
            )


def _node_name(node: Node) -> str:
    return f"line {node.literal}" if node.literal is not None else f"record {node.name}"

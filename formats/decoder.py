"""Reads a fixed or delimited file: the structure is the state machine, and the end must be reached.

What a line is and how many lines are read at once is the syntax's business (`LineReader`,
in `fixed.py` and `delimited.py`); order, occurrence, totals, codes and facts are here.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Protocol

from msgspec import Struct

from formats.codec import CHUNK_RECORDS, Purpose
from formats.codes import FileCodes, OutcomeCodes
from formats.compiler import Column, Plan, RecordPlan, Role, file_values
from formats.errors import DecodeError
from formats.faults import FaultMaker
from formats.field_cells import CellError, Cells
from formats.layout_model import Node
from formats.lines import MAXIMUM_LINE_BYTES, LineTooLong, Window
from formats.records import FileIdentity, Problem, RecordChunk
from formats.totals import Tally

_CODE = "outcome.code"
_ANSWER_CHECKED = (
    "file.count",
    "file.total",
    "file.currency",
    "file.original_name",
    "file.original_message_id",
)
"""Of `file.*`, what an answer must have as we expect it; its own dates and names are the bank's."""


class Row(Struct, frozen=True):
    """One line taken apart: the texts of its fields with padding, and the bytes where they stand."""

    cells: list[str]
    spans: list[tuple[int, int]]


class LineReader(Protocol):
    """What a syntax does with lines. Bodies come without line end."""

    def matches(self, plan: RecordPlan, body: bytes) -> bool:
        """Whether the selecting constants of a record stand in a line."""
        ...

    def row(self, plan: RecordPlan, body: bytes, line: int, faults: FaultMaker) -> Row:
        """Take a line apart. Raises `DecodeError` where it is not of the record's form."""
        ...

    def block(self, plan: RecordPlan, window: Window, limit: int, stops: Sequence[bytes]) -> Block | None:
        """As many records from the window as are plainly of this kind, at most `limit`.

        None where not even the first is: the line is then looked at by itself. `stops` are
        beginnings of lines that end the run.
        """
        ...


class Block(Struct, frozen=True):
    """Some records taken apart by columns: `joined[i]` are the cells of column i, joined by line feeds.

    They hold no characters of `charset.UNWRITABLE`. Padding may be taken off already, and
    constants that are what they should be are left out. Where a column has few different
    cells, `joined[i]` has each of them once, and `repeated[i]` tells them row by row.
    """

    count: int
    size_bytes: int
    joined: dict[int, str]
    repeated: dict[int, Repeated] = {}


class Repeated(Struct, frozen=True):
    """A column with few different cells: the distinct ones in order, and those of all rows."""

    distinct: Sequence[bytes]
    rows: Sequence[bytes]


class FileDecoder:
    """One file being read; see `formats.codec.Decoder`."""

    def __init__(
        self, plan: Plan, reader: LineReader, source: BinaryIO, identity: FileIdentity | None
    ) -> None:
        self.facts: dict[str, Any] = {"declared": {}}
        self.problems: list[Problem] = []
        self._plan = plan
        self._layout = plan.layout
        self._reader = reader
        self._window = Window(source)
        self._faults = FaultMaker(plan.layout.name, identity.name if identity else "")
        self._codes = OutcomeCodes(plan.layout.outcome_codes)
        self._file_codes = FileCodes(plan.layout.file_codes) if plan.layout.file_codes else None
        self._tally = Tally(plan.totals, plan.layout, self._codes)
        self._expected = _expected(identity, plan.layout.purpose)
        self._declared: list[tuple[Column, str, int, int]] = []
        self._reported: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._nodes = plan.layout.structure
        self._place = 0
        self._seen = 0
        self._ended = False

    def __iter__(self) -> Iterator[RecordChunk]:
        """The chunks of the file, in order. Raises `DecodeError`."""
        self._skip_mark()
        while (line := self._peek()) is not None:
            body = self._body(line)
            node = self._step(body)
            if node.literal is not None:
                self._seen += 1
                self._window.advance(len(line), 1)
            elif node.repeats:
                yield self._chunk(self._plan.records[node.record], node, line, body)
            else:
                self._once(self._plan.records[node.record], body)
                self._seen += 1
                self._window.advance(len(line), 1)
        self._finish()

    def _skip_mark(self) -> None:
        if self._window.fill(len(BOM_UTF8)) == 0:
            raise self._faults.file("file-empty", 1, "an empty file", "records")
        utf8 = self._plan.charset.codec == "utf-8"
        if utf8 and self._window.buffer.startswith(BOM_UTF8):
            self._window.advance(len(BOM_UTF8), 0)

    def _peek(self) -> bytes | None:
        try:
            return self._window.peek_line()
        except LineTooLong as error:
            found = f"a line of more than {MAXIMUM_LINE_BYTES} bytes"
            raise self._faults.file("line-too-long", self._window.line, found, "a line end") from error

    def _body(self, line: bytes) -> bytes:
        """The line without its line end, which must be the declared one; missing on the last line only."""
        framing = self._layout.framing
        end = framing.line_end
        if line.endswith(end):
            body = line[: -len(end)]
            if not body.endswith(b"\r"):
                return body
        elif not line.endswith(b"\n") and not framing.final_eol:
            return line
        found = "another line end" if line.endswith(b"\n") else "the end of the file inside a line"
        code = "line-end" if line.endswith(b"\n") else "file-cut"
        raise self._faults.file(code, self._window.line, found, f"{framing.eol.upper()} after each line")

    def _step(self, body: bytes) -> Node:
        """The node that this line belongs to; the state moves there."""
        candidates = self._candidates()
        for place in candidates:
            if self._belongs(self._nodes[place], body, catch_all=False):
                return self._move(place)
        for place in candidates:
            if self._belongs(self._nodes[place], body, catch_all=True):
                return self._move(place)
        wanted = " or ".join(_node_name(self._nodes[place]) for place in candidates) or "the end of the file"
        line = self._window.line
        if not candidates:
            raise self._faults.file("trailing-bytes", line, "more lines after the end", wanted)
        known = next((node for node in self._nodes if self._belongs(node, body, catch_all=False)), None)
        if known is not None:
            raise self._faults.file("record-unexpected", line, _node_name(known), wanted)
        raise self._faults.file("record-unknown", line, "a line that no record takes", wanted)

    def _candidates(self) -> list[int]:
        places = []
        for place in range(self._place, len(self._nodes)):
            node = self._nodes[place]
            seen = self._seen if place == self._place else 0
            if node.maximum is None or seen < node.maximum:
                places.append(place)
            if seen < node.minimum:
                break
        return places

    def _move(self, place: int) -> Node:
        if place != self._place:
            self._place, self._seen = place, 0
        return self._nodes[place]

    def _belongs(self, node: Node, body: bytes, *, catch_all: bool) -> bool:
        if node.literal is not None:
            if catch_all:
                return False
            if node.prefix:
                return body.startswith(self._plan.charset.encode(node.literal[:-1]))
            return body == self._plan.charset.encode(node.literal)
        plan = self._plan.records[node.record]
        return catch_all if not plan.selectors() else (not catch_all and self._reader.matches(plan, body))

    def _stops(self) -> list[bytes]:
        """Beginnings of lines that end a run of records: literals that may follow."""
        stops = []
        for node in self._nodes[self._place + 1 :]:
            if node.literal is not None:
                literal = node.literal[:-1] if node.prefix else node.literal
                end = b"" if node.prefix else self._layout.framing.line_end
                stops.append(self._plan.charset.encode(literal) + end)
        return stops

    def _chunk(self, plan: RecordPlan, node: Node, line: bytes, body: bytes) -> RecordChunk:
        room = CHUNK_RECORDS if node.maximum is None else min(CHUNK_RECORDS, node.maximum - self._seen)
        first = self._window.line
        stops = self._stops() if not plan.selectors() else []
        block = self._reader.block(plan, self._window, room, stops)
        if block is None:
            row = self._reader.row(plan, body, first, self._faults)
            block = Block(count=1, size_bytes=len(line), joined=dict(enumerate(row.cells)))
        columns = self._columns(plan, block, first)
        self._seen += block.count
        self._window.advance(block.size_bytes, block.count)
        if _CODE in columns:
            columns["outcome.status"], columns["outcome.reason"] = self._codes.read(columns[_CODE])
        self._tally.add(plan.name, columns, block.count)
        return RecordChunk(
            record=plan.name, count=block.count, columns=columns, lines=range(first, first + block.count)
        )

    def _columns(self, plan: RecordPlan, block: Block, first: int) -> dict[str, list[Any]]:
        values: dict[int, list[Any]] = {}
        for column in plan.columns:
            if column.cells is None or column.role is Role.TOTAL:
                continue
            values[column.index] = self._column(plan, column, column.cells, block)
        columns = {}
        for column in plan.columns:
            if column.role is Role.FIXED_TEXT and column.index in block.joined and not column.selects:
                self._check_constant(plan, column, block.joined[column.index], block.count, first)
            elif column.role is Role.FILE:
                self._check_repeated_fact(plan, column, values[column.index], first)
            elif column.role is Role.NUMBER:
                self._check_numbers(plan, column, values[column.index], first)
                columns["attempt.item"] = values[column.index]
            elif column.role is Role.RECORD:
                columns[column.name] = values[column.index]
        return columns

    def _column(self, plan: RecordPlan, column: Column, cells: Cells, block: Block) -> list[Any]:
        repeated = block.repeated.get(column.index)
        if repeated is None:
            values = cells.read(block.joined[column.index], block.count)
            return self._column_slowly(plan, column, cells, block) if values is None else values
        values = cells.read(block.joined[column.index], len(repeated.distinct))
        if values is None:
            values = self._column_slowly(plan, column, cells, block)
        by_cell = dict(zip(repeated.distinct, values, strict=True))
        return list(map(by_cell.__getitem__, repeated.rows))

    def _column_slowly(self, plan: RecordPlan, column: Column, cells: Cells, block: Block) -> list[Any]:
        values = []
        repeated = block.repeated.get(column.index)
        for index, cell in enumerate(block.joined[column.index].split("\n")):
            try:
                values.append(cells.parse(cell))
            except CellError as error:
                row = index if repeated is None else repeated.rows.index(repeated.distinct[index])
                raise self._cell_fault(plan, column, block, row, cell, str(error)) from error
        return values

    def _cell_fault(
        self, plan: RecordPlan, column: Column, block: Block, row: int, cell: str, wanted: str
    ) -> DecodeError:
        start, line = self._window.position, self._window.line + row
        raw = self._window.buffer[start : start + block.size_bytes].split(b"\n")[row]
        taken = self._reader.row(plan, raw.removesuffix(b"\r"), line, self._faults)
        return self._faults.cell(plan.name, column, cell, line, wanted, taken.spans[column.index])

    def _once(self, plan: RecordPlan, body: bytes) -> None:
        line = self._window.line
        row = self._reader.row(plan, body, line, self._faults)
        for column, cell in zip(plan.columns, row.cells, strict=True):
            if column.role is Role.FIXED_TEXT:
                self._check_constant(plan, column, cell, 1, line)
            if column.cells is None:
                continue
            try:
                value = column.cells.parse(cell)
            except CellError as error:
                span = row.spans[column.index]
                raise self._faults.cell(plan.name, column, cell, line, str(error), span) from error
            if column.role is Role.TOTAL:
                self.facts["declared"].setdefault(column.name, value)
                self._declared.append((column, plan.name, line, value))
            elif column.role is Role.FILE:
                self._check_fact(plan, column, value, line)

    def _check_constant(self, plan: RecordPlan, column: Column, joined: str, count: int, first: int) -> None:
        """A constant other than the layout's is told once and the record kept."""
        wanted = self._plan.charset.decode(column.text.encode("latin-1"))
        if joined == "\n".join([wanted] * count):
            return
        for row, cell in enumerate(joined.split("\n")):
            if cell.strip(" ") != wanted.strip(" "):
                code, words = (
                    ("constant-differs", repr(wanted.strip(" ")))
                    if wanted.strip(" ")
                    else ("not-blank", "blank")
                )
                self._report(code, plan, column, cell, first + row, words)
                return

    def _check_repeated_fact(self, plan: RecordPlan, column: Column, values: list[Any], first: int) -> None:
        """A value of the file that stands in every record: the same in all, and as we expect it."""
        if values.count(values[0]) != len(values):
            row = next(row for row, value in enumerate(values) if value != values[0])
            self._report(
                "file-value-varies", plan, column, str(values[row]), first + row, "one value in all records"
            )
        self._check_fact(plan, column, values[0], first)

    def _check_fact(self, plan: RecordPlan, column: Column, value: Any, line: int) -> None:
        name = column.name
        known = self.facts.setdefault(name, value)
        if known != value:
            self._report("file-value-varies", plan, column, str(value), line, "one value in all records")
        if name == "file.code" and self._file_codes is not None:
            self.facts |= self._file_codes.facts(value)
        expected = self._expected.get(name)
        if expected not in (None, "") and not _same(expected, value):
            self._report("identity-differs", plan, column, str(value), line, f"{name} of our file")

    def _check_numbers(self, plan: RecordPlan, column: Column, values: list[Any], first: int) -> None:
        start = self._numbers.get(plan.name, 0) + 1
        self._numbers[plan.name] = start + len(values) - 1
        wanted = list(range(start, start + len(values)))
        if values != wanted:
            row = next(row for row, value in enumerate(values) if value != wanted[row])
            self._report("number-differs", plan, column, str(values[row]), first + row, str(wanted[row]))

    def _report(self, code: str, plan: RecordPlan, column: Column, cell: str, line: int, wanted: str) -> None:
        key = f"{code} {plan.name} {column.index}"
        if key not in self._reported:
            self._reported.add(key)
            self.problems.append(self._faults.problem(code, plan.name, column, cell, line, wanted))

    def _finish(self) -> None:
        if self._ended:
            return
        self._ended = True
        missing = [place for place in self._candidates() if self._needed(place)]
        if missing:
            wanted = _node_name(self._nodes[missing[0]])
            raise self._faults.file("file-cut", self._window.line, "the end of the file", wanted)
        for column, record, line, declared in self._declared:
            actual = self._tally.values[column.name]
            if actual != declared:
                problem = self._faults.total(record, column, line, declared, actual)
                self.problems.append(problem)

    def _needed(self, place: int) -> bool:
        seen = self._seen if place == self._place else 0
        return seen < self._nodes[place].minimum


def _node_name(node: Node) -> str:
    return f"record {node.record}" if node.record else f"line {node.literal}"


def _expected(identity: FileIdentity | None, purpose: Purpose) -> dict[str, Any]:
    """What the file's own words must agree with, by meaning."""
    if identity is None:
        return {}
    values = file_values(identity)
    if purpose is Purpose.REQUEST:
        return values
    values["file.original_name"] = identity.original_name or identity.name
    values["file.original_message_id"] = identity.original_message_id or identity.message_id
    return {
        name: value
        for name, value in values.items()
        if not name.startswith("file.") or name in _ANSWER_CHECKED
    }


def _same(expected: Any, value: Any) -> bool:
    if hasattr(expected, "tzinfo") and hasattr(value, "isoformat"):
        # A file writes an instant in the bank's zone, to the second, and maybe its clock only.
        plain = expected.replace(tzinfo=None, microsecond=0)
        return bool(value in (plain, plain.time(), plain.date(), plain.replace(second=0).time()))
    return bool(expected == value)

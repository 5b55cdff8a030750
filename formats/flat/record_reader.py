"""Records of one kind, taken apart, become columns of values; what they say of the file is checked.

One reader serves one file. It knows constants, facts of the file, numbers, check digits and values
that stand in several places; order and scopes are the decoder's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from msgspec import Struct

from formats.check_digits import check_digit, invalid_values
from formats.codec import Purpose
from formats.codes import FileCodes
from formats.errors import DecodeError
from formats.flat.compiler import ITEM, Column, Plan, RecordPlan, Role, Spread, file_values
from formats.flat.faults import FaultMaker
from formats.flat.field_cells import CellError, Cells
from formats.flat.field_dates import with_year
from formats.language.model import Layout, Number
from formats.records import FileIdentity, Problem

_ANSWER_CHECKED = (
    "file.count",
    "file.total",
    "file.currency",
    "file.original_name",
    "file.original_message_id",
)
"""Of `file.*`, what an answer must have as we expect it; its own dates and names are the bank's."""


Raw = bytes | memoryview
"""Bytes of some records, looked at again only where something is wrong with them."""


class Row(Struct, frozen=True):
    """One line taken apart: the texts of its fields with padding, and the bytes where they stand."""

    cells: list[str]
    spans: list[tuple[int, int]]


class Repeated(Struct, frozen=True):
    """A column with few different cells: the distinct ones in order, and those of all records.

    Where there is only one, it alone may stand for all. Columns beside each other may share one, whose
    cells are those of all of them together.
    """

    distinct: Sequence[bytes]
    rows: Sequence[bytes]


class Block(Struct, frozen=True):
    """Some records of one kind taken apart by columns: `joined[i]` are the cells of column i, by line feeds.

    They hold no characters of `charset.UNWRITABLE`. Padding may be taken off already, and
    constants that are what they should be are left out. Where a column has few different
    cells, `joined[i]` has each of them once, and `repeated[i]` tells them record by record.
    `lines` are the records' bytes with line ends, where they are known one by one.
    """

    count: int
    size_bytes: int
    joined: dict[int, str]
    repeated: dict[int, Repeated] = {}
    lines: Sequence[bytes] = ()


class LineReader(Protocol):
    """What a syntax does with lines. Bodies come without line end."""

    def matches(self, plan: RecordPlan, body: bytes) -> bool:
        """Whether what selects a record stands in a line."""
        ...

    def row(self, plan: RecordPlan, body: bytes, line: int, faults: FaultMaker) -> Row:
        """Take a line apart. Raises `DecodeError` where it is not of the record's form."""
        ...

    def take(self, plan: RecordPlan, lines: Sequence[bytes]) -> Block | None:
        """Take apart lines that are all of this record; None where one is unusual."""
        ...

    def line(self, plan: RecordPlan, block: Block, row: int, raw: Raw) -> bytes:
        """One line of a block, without its line end; `raw` begins with the block's bytes."""
        ...


class Taken(Struct, frozen=True):
    """Records of one kind in columns by meaning, with their lines.

    `hashes` are the sums of what is only added up, `children` what is said of the records beside.
    """

    plan: RecordPlan
    count: int
    lines: Sequence[int]
    columns: dict[str, list[Any]]
    hashes: dict[str, int]
    children: dict[int, list[Any]]


class RecordReader:
    """Reads the records of one file. `facts` and `problems` are the decoder's."""

    def __init__(
        self,
        plan: Plan,
        reader: LineReader,
        faults: FaultMaker,
        identity: FileIdentity | None,
        facts: dict[str, Any],
        problems: list[Problem],
    ) -> None:
        self._layout: Layout = plan.layout
        self._charset = plan.charset
        self._reader = reader
        self._faults = faults
        self._facts = facts
        self._problems = problems
        self._expected = _expected(identity, plan.layout.purpose)
        self._near = {} if identity is None else file_values(identity)
        self._file_codes = FileCodes(plan.layout.file_codes) if plan.layout.file_codes else None
        self._reported: set[str] = set()
        self._numbers: dict[str, int] = {}

    def read(
        self, plan: RecordPlan, block: Block, lines: Sequence[int], raw: Raw, numbers: Mapping[str, Any]
    ) -> Taken:
        """The columns of a block. `numbers`: what running numbers must be, by what they count.

        For a number over the records of its own kind these are their ranks among those read together, from 0,
        left out where they stand one behind the other.
        """
        hashes: dict[str, int] = {}
        values = _Values(block)
        for column in plan.columns:
            if column.hash_name:
                hashes[column.hash_name] = self._hash(column, block)
            if column.cells is not None and column.role is not Role.TOTAL:
                values.add(column.index, self._column(plan, column, column.cells, block, lines, raw))
        columns: dict[str, list[Any]] = {}
        children: dict[int, list[Any]] = {}
        spread = {index for spread in plan.spreads for index in spread.columns}
        for column in plan.columns:
            index = column.index
            if column.role is Role.FIXED_TEXT and index in block.joined and not column.selecting:
                self._check_constant(plan, column, block.joined[index], block.count, lines)
            elif index in spread or index not in values:
                continue
            elif column.role is Role.FILE:
                self._check_repeated_fact(plan, column, values[index], lines)
            elif column.role is Role.NUMBER:
                self._check_numbers(plan, column, values[index], lines, numbers)
                if column.name == ITEM:
                    columns[ITEM] = values[index]
            elif column.role is Role.CHECK:
                self._check_digits(plan, column, values[index], values, lines)
            elif column.role is Role.CHILDREN:
                children[index] = values[index]
            else:
                columns.setdefault(column.name, values[index])
        for one in plan.spreads:
            columns[one.name] = values.gathered(one)
        self._check_whole_values(plan, columns, lines)
        return Taken(plan, block.count, lines, columns, hashes, children)

    def once(self, plan: RecordPlan, body: bytes, line: int) -> dict[Column, Any]:
        """The values of a record that is no payment's, by column; constants and facts are checked."""
        row = self._reader.row(plan, body, line, self._faults)
        found: dict[Column, Any] = {}
        values: dict[int, list[Any]] = {}
        for column, cell in zip(plan.columns, row.cells, strict=True):
            if column.role is Role.FIXED_TEXT and not column.selecting:
                self._check_constant(plan, column, cell, 1, (line,))
            if column.cells is None:
                values[column.index] = [cell.strip(" ")]
                continue
            try:
                value = self._in_its_year(column, column.cells.parse(cell))
            except (CellError, ValueError) as error:
                span = row.spans[column.index]
                raise self._faults.cell(plan.name, column, cell, line, str(error), span) from error
            found[column] = value
            values[column.index] = [value]
            if column.role is Role.FILE:
                self._check_fact(plan, column, value, line)
        for column in plan.columns:
            if column.role is Role.CHECK:
                self._check_digits(plan, column, values[column.index], values, (line,))
        return found

    def went_by(self, records: Mapping[str, int]) -> None:
        """So many records of each name have been read: the next ones are numbered on from there."""
        for name, count in records.items():
            self._numbers[name] = self._numbers.get(name, 0) + count

    def report(self, code: str, plan: RecordPlan, column: Column, cell: str, line: int, wanted: str) -> None:
        """Tell a problem of a field, once for each field."""
        key = f"{code} {plan.label} {column.index}"
        if key not in self._reported:
            self._reported.add(key)
            self._problems.append(self._faults.problem(code, plan.name, column, cell, line, wanted))

    # Cells.

    def _column(
        self,
        plan: RecordPlan,
        column: Column,
        cells: Cells,
        block: Block,
        lines: Sequence[int],
        raw: Raw,
    ) -> list[Any]:
        """The values of a column; where few cells repeat, one for each of them."""
        repeated = block.repeated.get(column.index)
        count = block.count if repeated is None else len(repeated.distinct)
        values = cells.read(block.joined[column.index], count)
        if values is None:
            values = self._slowly(plan, column, cells, block, lines, raw)
        kind = column.field.kind
        if kind is not None and kind.near:
            values = self._in_their_years(plan, column, values, block, lines, raw)
        return values

    def _slowly(
        self,
        plan: RecordPlan,
        column: Column,
        cells: Cells,
        block: Block,
        lines: Sequence[int],
        raw: Raw,
    ) -> list[Any]:
        values = []
        for index, cell in enumerate(block.joined[column.index].split("\n")):
            try:
                values.append(cells.parse(cell))
            except CellError as error:
                raise self._fault(plan, column, block, index, cell, str(error), lines, raw) from error
        return values

    def _fault(
        self,
        plan: RecordPlan,
        column: Column,
        block: Block,
        index: int,
        cell: str,
        wanted: str,
        lines: Sequence[int],
        raw: Raw,
    ) -> DecodeError:
        repeated = block.repeated.get(column.index)
        row = index if repeated is None else repeated.rows.index(repeated.distinct[index])
        body = self._reader.line(plan, block, row, raw)
        taken = self._reader.row(plan, body, lines[row], self._faults)
        return self._faults.cell(plan.name, column, cell, lines[row], wanted, taken.spans[column.index])

    def _hash(self, column: Column, block: Block) -> int:
        """The sum of a column's digits; what is none counts nothing, and is told elsewhere."""
        if column.cells is None and column.index not in block.joined:
            return int(column.text) * block.count
        repeated = block.repeated.get(column.index)
        cells = block.joined[column.index].split("\n")
        digits = {cell: int(cell) if cell.strip().isdigit() else 0 for cell in set(cells)}
        if repeated is None:
            return sum(map(digits.__getitem__, cells))
        if len(cells) == 1:
            return digits[cells[0]] * block.count
        return sum(
            digits[cell] * repeated.rows.count(key)
            for cell, key in zip(cells, repeated.distinct, strict=True)
        )

    def _in_its_year(self, column: Column, value: Any) -> Any:
        kind = column.field.kind
        if kind is None or not kind.near or value is None:
            return value
        near = self._facts.get(kind.near) or self._near.get(kind.near)
        if isinstance(near, datetime):
            near = near.date()
        if not isinstance(near, date):
            raise CellError(f"a year: {kind.near} is not known here")
        return with_year(value, near)

    def _in_their_years(
        self,
        plan: RecordPlan,
        column: Column,
        values: list[Any],
        block: Block,
        lines: Sequence[int],
        raw: Raw,
    ) -> list[Any]:
        dated = []
        for index, value in enumerate(values):
            try:
                dated.append(self._in_its_year(column, value))
            except (CellError, ValueError) as error:
                cell = block.joined[column.index].split("\n")[index]
                raise self._fault(plan, column, block, index, cell, str(error), lines, raw) from error
        return dated

    # What cells must say.

    def _check_constant(
        self, plan: RecordPlan, column: Column, joined: str, count: int, lines: Sequence[int]
    ) -> None:
        """A constant other than the layout's is told once and the record kept."""
        wanted = self._charset.decode(column.text.encode("latin-1"))
        if joined == "\n".join([wanted] * count):
            return
        plain = wanted.strip(" ")
        for row, cell in enumerate(joined.split("\n")):
            if cell.strip(" ") != plain:
                code, words = ("constant-differs", repr(plain)) if plain else ("not-blank", "blank")
                self.report(code, plan, column, cell, lines[row], words)
                return

    def _check_repeated_fact(
        self, plan: RecordPlan, column: Column, values: list[Any], lines: Sequence[int]
    ) -> None:
        """A value of the file that stands in every record: the same in all, and as we expect it."""
        if values.count(values[0]) != len(values):
            row = next(row for row, value in enumerate(values) if value != values[0])
            wanted = "one value in all records"
            self.report("file-value-varies", plan, column, str(values[row]), lines[row], wanted)
        self._check_fact(plan, column, values[0], lines[0])

    def _check_fact(self, plan: RecordPlan, column: Column, value: Any, line: int) -> None:
        name = column.name
        known = self._facts.setdefault(name, value)
        if known != value:
            self.report("file-value-varies", plan, column, str(value), line, "one value in all records")
        if name == "file.code" and self._file_codes is not None:
            self._facts |= self._file_codes.facts(value)
        expected = self._expected.get(name)
        if expected not in (None, "") and not _same(expected, value):
            self.report("identity-differs", plan, column, str(value), line, f"{name} of our file")

    def _check_numbers(
        self,
        plan: RecordPlan,
        column: Column,
        values: list[Any],
        lines: Sequence[int],
        numbers: Mapping[str, Any],
    ) -> None:
        meaning = column.field.meaning
        assert isinstance(meaning, Number), "only running numbers come here"
        if meaning.of:
            known = numbers[column.name]
            wanted = [known] * len(values) if isinstance(known, int) else list(known)
        else:
            start = self._numbers.get(plan.name, 0) + 1
            # Records of several forms are read form by form, and counted as they stand in the file.
            wanted = [start + rank for rank in numbers.get(column.name, range(len(values)))]
        if values != wanted:
            row = next(row for row, value in enumerate(values) if value != wanted[row])
            self.report("number-differs", plan, column, str(values[row]), lines[row], str(wanted[row]))

    def _check_digits(
        self,
        plan: RecordPlan,
        column: Column,
        found: list[Any],
        values: _ByColumn,
        lines: Sequence[int],
    ) -> None:
        for row, digit in enumerate(found):
            known = {index: values[index][row] for index in column.checked if index in values}
            wanted = wanted_digit(column, known, plan)
            if wanted is not None and str(digit) != wanted:
                self.report("check-differs", plan, column, str(digit), lines[row], f"check digit {wanted}")
                return

    def _check_whole_values(
        self, plan: RecordPlan, columns: dict[str, list[Any]], lines: Sequence[int]
    ) -> None:
        """Values whose last character is a check digit."""
        for column in plan.columns:
            kind = column.field.kind
            if kind is None or not kind.check or column.name not in columns:
                continue
            values = columns[column.name]
            invalid = invalid_values(kind.check, values)
            if invalid:
                row = next(row for row, value in enumerate(values) if value in invalid)
                wanted = f"a check digit by {kind.check}"
                self.report("check-differs", plan, column, str(values[row]), lines[row], wanted)


def wanted_digit(column: Column, values: Mapping[int, Any], plan: RecordPlan) -> str | None:
    """The check digit over the named fields of a record; None where they are not of its form."""
    meaning = column.field.meaning
    parts = []
    for index in column.checked:
        other = plan.columns[index]
        parts.append(other.text.strip(" ") if other.cells is None else str(values[index] or ""))
    return check_digit(getattr(meaning, "scheme", ""), "".join(parts))


class _ByColumn(Protocol):
    """Values of records by column."""

    def __contains__(self, index: object, /) -> bool: ...

    def __getitem__(self, index: int, /) -> list[Any]: ...


class _Values:
    """The values of a block's columns; those of repeated cells are spread over all records when asked for."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._found: dict[int, list[Any]] = {}
        self._whole: dict[int, list[Any]] = {}

    def add(self, index: int, values: list[Any]) -> None:
        """Values of a column: of each record, or of each distinct cell."""
        self._found[index] = values

    def __contains__(self, index: object) -> bool:
        return index in self._found

    def __getitem__(self, index: int) -> list[Any]:
        """The values of all records."""
        if index not in self._whole:
            self._whole[index] = self._spread(self._block.repeated.get(index), self._found[index])
        return self._whole[index]

    def gathered(self, spread: Spread) -> list[Any]:
        """One column of those over which a meaning is spread."""
        repeated = [self._block.repeated.get(index) for index in spread.columns]
        first = repeated[0]
        few = [self._found[index] for index in spread.columns]
        one_each = all(each is not None for each in repeated) and all(len(values) == 1 for values in few)
        if first is not None and (one_each or all(each is first for each in repeated)):
            return self._spread(first, _gathered(spread, few))
        return _gathered(spread, [self[index] for index in spread.columns])

    def _spread(self, repeated: Repeated | None, values: list[Any]) -> list[Any]:
        if repeated is None:
            return values
        if len(values) == 1:
            return values * self._block.count
        by_cell = dict(zip(repeated.distinct, values, strict=True))
        return list(map(by_cell.__getitem__, repeated.rows))


def _gathered(spread: Spread, parts: list[list[Any]]) -> list[Any]:
    """One column of those over which a meaning is spread."""
    if spread.is_slices:
        return (
            list(map(str.__add__, *parts))
            if len(parts) == 2
            else list(map("".join, zip(*parts, strict=True)))
        )
    if spread.is_amount:
        return [
            None if all(value is None for value in row) else sum(filter(None, row))
            for row in zip(*parts, strict=True)
        ]
    return [spread.join.join(filter(None, row)) for row in zip(*parts, strict=True)]


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

"""A batch as CSV: UTF-8, quoted by RFC 4180, envelope rows, an empty row, the header row, payments.

The delimiter is the character after the first key: a comma, or a semicolon or tab where a
spreadsheet saved the file so. Rows are counted as a spreadsheet shows them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain, islice
from operator import itemgetter

from formats.codec import CHUNK_RECORDS
from formats.errors import BatchError
from formats.records import Batch, Problem, Severity
from formats.standard import bytestream
from formats.standard.envelope import is_envelope_key, read_envelope, read_header
from formats.standard.examine import RowBlock
from formats.standard.findings import Fault, Places

DELIMITERS = (",", ";", "\t")
_LONGEST_ENVELOPE_ROWS = 100
_TOO_FEW = Fault("row_too_short", "as many cells as the header row", Severity.REFUSES)
_TOO_MANY = Fault("row_too_long", "as many cells as the header row", Severity.REFUSES)
_QUOTING = Fault("quoting_invalid", "quotes that open and close a whole cell", Severity.REFUSES)
_CUT = Fault("file_cut", "the quote that closes the last cell", Severity.REFUSES, hint="was the file cut?")

Row = list[str]


class CsvSource:
    """Implements `RowSource` over one file."""

    def __init__(self, path: bytestream.BatchFile) -> None:
        self.problems: list[Problem] = []
        self.whole = False
        self._path = path
        self._raw = bytestream.DigestingFile(bytestream.open_file(path))
        self._text = io.TextIOWrapper(
            io.BufferedReader(self._raw, bytestream.BLOCK_BYTES), encoding="utf-8-sig", newline=""
        )
        self._row = 0
        try:
            self.batch, header = self._read_head()
        except BaseException:
            self.close()
            raise
        self.places = Places(path.name, "row", header)

    def blocks(self) -> Iterator[RowBlock]:
        more = True
        while more:
            rows: list[Row] = []
            faults: list[tuple[int, Fault, str]] = []
            more = self._read_rows(rows, faults)
            first = self._row + 1
            self._row += len(rows)
            if rows:
                yield self._block(rows, first, faults)
        if self._raw.has_nul:
            self.problems.append(bytestream.nul_problem(self._path))
        elif self.whole and self._raw.last_byte != b"\n":
            self.problems.append(bytestream.cut_warning(self._path.name))

    def digest(self) -> str:
        return self._raw.hexdigest()

    def close(self) -> None:
        self._text.close()

    def _read_rows(self, rows: list[Row], faults: list[tuple[int, Fault, str]]) -> bool:
        """Fill `rows` up to a chunk; false at the end. A row that is no CSV becomes an empty one."""
        try:
            while len(rows) < CHUNK_RECORDS:
                try:
                    # On an error the list keeps the rows before it.
                    rows.extend(islice(self._reader, CHUNK_RECORDS - len(rows)))
                except csv.Error as error:
                    cut = "unexpected end of data" in str(error)
                    faults.append((len(rows), _CUT if cut else _QUOTING, "quotes that do not fit"))
                    rows.append([])
                    self.whole = self.whole and not cut
                else:
                    break
        except UnicodeDecodeError:
            self.problems.append(bytestream.encoding_problem(self._path))
            return False
        except bytestream.LineTooLong:
            self.problems.append(bytestream.long_line_problem(self._path.name))
            return False
        if len(rows) == CHUNK_RECORDS:
            return True
        self.whole = not any(fault is _CUT for _, fault, _ in faults)
        return False

    def _block(self, rows: list[Row], first: int, faults: list[tuple[int, Fault, str]]) -> RowBlock:
        width = self._width
        lines: list[int] | range = range(first, first + len(rows))
        problems: list[Problem] = []
        # A row of empty cells is no payment; it shows by its empty payment_id.
        if faults or set(map(len, rows)) != {width} or "" in map(self._identifier, rows):
            rows, lines, problems = self._fitting(rows, first, faults)
        cells = list(map(list, zip(*rows, strict=True))) if rows else [[] for _ in range(width)]
        columns = {attribute: cells[place] for attribute, place in self._columns.items()}
        return RowBlock(rows=len(rows) + len(problems), columns=columns, lines=lines, problems=problems)

    def _fitting(
        self, rows: list[Row], first: int, faults: list[tuple[int, Fault, str]]
    ) -> tuple[list[Row], list[int], list[Problem]]:
        """Rows that have the header's width, their lines, and a problem for each other one."""
        broken = {index: (fault, found) for index, fault, found in faults}
        fitting, lines, problems = [], [], []
        for index, row in enumerate(rows):
            fault, found = broken.get(index, (None, ""))
            cells, line = row[: self._width], first + index
            if fault is None and any(row):
                if len(row) < self._width:
                    fault, found = _TOO_FEW, f"{len(row)} cells"
                elif any(row[self._width :]):
                    fault, found = _TOO_MANY, f"{len(row)} cells"
                else:
                    fitting.append(cells)
                    lines.append(line)
            if fault is not None:
                problems.append(self.places.problem(line, "", fault, found))
        return fitting, lines, problems

    def _read_head(self) -> tuple[Batch, dict[str, str]]:
        try:
            first_line = self._text.readline()
            delimiter = _delimiter(first_line, self._path.name)
            self._reader = csv.reader(chain([first_line], self._text), delimiter=delimiter, strict=True)
            entries = self._envelope_rows()
            batch = read_envelope(self._path.name, "row", entries)
            return batch, self._read_header_row()
        except UnicodeDecodeError:
            raise BatchError([bytestream.encoding_problem(self._path)]) from None
        except bytestream.LineTooLong:
            raise BatchError([bytestream.long_line_problem(self._path.name)]) from None
        except csv.Error:
            message = f"row {self._row + 1}: found quotes that do not fit, wanted CSV"
            raise BatchError(
                [Problem(code="quoting_invalid", message=message, source=self._path.name, line=self._row + 1)]
            ) from None

    def _envelope_rows(self) -> list[tuple[int, str, str]]:
        entries = []
        for row in self._reader:
            self._row += 1
            if not any(row):
                break
            if any(row[2:]) or self._row > _LONGEST_ENVELOPE_ROWS:
                raise BatchError([_no_empty_row(self._path.name, self._row)])
            entries.append((self._row, row[0], row[1] if len(row) > 1 else ""))
        return entries

    def _read_header_row(self) -> dict[str, str]:
        for row in self._reader:
            self._row += 1
            while row and not row[-1].strip():
                row.pop()
            if row:
                break
        else:
            row = []
        self._columns = read_header(self._path.name, "row", self._row, row)
        self._width = len(row)
        self._identifier = itemgetter(self._columns["payment_id"])
        return {attribute: row[place].strip() for attribute, place in self._columns.items()}


def _delimiter(first_line: str, source: str) -> str:
    for delimiter in DELIMITERS:
        key = first_line.split(delimiter, 1)[0].strip().strip('"')
        if is_envelope_key(key):
            return delimiter
    message = "row 1: no envelope here, wanted a key such as batch_id or 批次号 and its value"
    hint = "the file begins with the envelope: see docs/standard-batch.md"
    raise BatchError([Problem(code="envelope_missing", message=message, source=source, line=1, hint=hint)])


def _no_empty_row(source: str, row: int) -> Problem:
    return Problem(
        code="envelope_row_invalid",
        message=f"row {row}: found more than a key and a value, wanted the envelope or an empty row",
        source=source,
        line=row,
        hint="an empty row stands between the envelope and the header row",
    )

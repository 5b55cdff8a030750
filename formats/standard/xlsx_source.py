"""A batch as an Excel workbook: the first sheet, laid out like the CSV file.

A number typed into an account, ID, code or id column has lost digits or leading zeros already:
that refuses the batch. Amounts may be numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from formats.codec import CHUNK_RECORDS
from formats.errors import BatchError
from formats.records import Batch, Problem, Severity
from formats.standard import bytestream
from formats.standard.envelope import read_envelope, read_header
from formats.standard.examine import RowBlock
from formats.standard.findings import Fault, Finding, Places
from formats.standard.sheet_reader import (
    Cells,
    SheetReader,
    column_letters,
    is_exact_integer,
    number_text,
)
from formats.standard.table import BATCH_FIELDS, PAYMENT_BY_ATTRIBUTE, Kind, header_index

_LONGEST_ENVELOPE_ROWS = 100

_NUMBER = Fault(
    "cell_is_number",
    "a text cell",
    Severity.REFUSES,
    hint="digits of the number are lost: format the column as text, then paste the values again",
)
_NO_TEXT = Fault(
    "cell_not_text", "a text cell", Severity.REFUSES, hint="format dates and yes/no values as text"
)
_TOO_MANY = Fault("row_too_long", "no cells beyond the header row", Severity.REFUSES)


class XlsxSource:
    """Implements `RowSource` over one workbook."""

    def __init__(self, path: bytestream.BatchFile) -> None:
        self.problems: list[Problem] = []
        self.whole = False
        self._name = path.name
        sheet = SheetReader(path)
        self._digest, self._rows = sheet.digest_sha256, sheet.rows
        self.problems += sheet.problems
        self.batch = self._read_envelope()
        self.places = self._read_header()

    def blocks(self) -> Iterator[RowBlock]:
        while numbered := list(islice(self._rows, CHUNK_RECORDS)):
            yield self._block([(line, row) for line, row in numbered if any(cell != "" for cell in row)])
        self.whole = True

    def digest(self) -> str:
        return self._digest

    def close(self) -> None:
        self._rows = enumerate(iter(()))

    def _block(self, numbered: list[tuple[int, Cells]]) -> RowBlock:
        lines = [line for line, _ in numbered]
        findings: list[Finding] = []
        columns = {
            attribute: [
                self._text(attribute, row[place], index, findings) for index, (_, row) in enumerate(numbered)
            ]
            for attribute, place in self._columns.items()
        }
        problems = [
            self.places.problem(line, "", _TOO_MANY, "cells beyond the header row")
            for line, row in numbered
            if any(cell != "" for cell in row[self._width :])
        ]
        return RowBlock(rows=len(lines), columns=columns, lines=lines, problems=problems, findings=findings)

    def _text(self, attribute: str, cell: Any, index: int, findings: list[Finding]) -> str:
        if isinstance(cell, str):
            return cell
        text = number_text(cell)
        field = PAYMENT_BY_ATTRIBUTE[attribute]
        if text is None:
            findings.append(Finding(index, attribute, _NO_TEXT, f"a {type(cell).__name__} cell"))
            return ""
        if field.kind is Kind.AMOUNT:
            return text
        if field.text_cell_only or not is_exact_integer(cell):
            findings.append(Finding(index, attribute, _NUMBER, "a number cell"))
            return ""
        return str(int(cell))

    def _read_envelope(self) -> Batch:
        entries = []
        for line, row in self._rows:
            if not any(cell != "" for cell in row):
                break
            if any(cell != "" for cell in row[2:]) or line > _LONGEST_ENVELOPE_ROWS:
                message = (
                    f"row {line}: found more than a key and a value, wanted the envelope or an empty row"
                )
                hint = "an empty row stands between the envelope and the header row"
                raise self._refused("envelope_row_invalid", message, hint, line)
            value = row[1] if len(row) > 1 else ""
            entries.append((line, str(row[0]), self._envelope_text(line, str(row[0]), value)))
        if not entries:
            raise self._refused(
                "envelope_missing", "row 1: no envelope here", "see docs/standard-batch.md", 1
            )
        return read_envelope(self._name, "row", entries)

    def _envelope_text(self, line: int, key: str, cell: Any) -> str:
        if isinstance(cell, str):
            return cell
        text = number_text(cell)
        field = _BATCH_HEADERS.get(key.strip().lower())
        if text is None or (field is not None and field.text_cell_only):
            message = f"row {line} {key[:20]} (column B): found a cell that is no text, wanted a text cell"
            raise self._refused("cell_is_number", message, "format the cell as text", line)
        return str(int(cell)) if is_exact_integer(cell) else text

    def _read_header(self) -> Places:
        line, cells = 1, []
        for line, row in self._rows:  # noqa: B007
            cells = [cell if isinstance(cell, str) else "" for cell in row]
            while cells and not cells[-1].strip():
                cells.pop()
            if cells:
                break
        self._columns = read_header(self._name, "row", line, cells)
        self._width = len(cells)
        headers = {attribute: cells[place].strip() for attribute, place in self._columns.items()}
        labels = {
            attribute: f"{column_letters(place)} {headers[attribute]}"
            for attribute, place in self._columns.items()
        }
        return Places(self._name, "row", headers, labels)

    def _refused(self, code: str, message: str, hint: str = "", line: int | None = None) -> BatchError:
        return BatchError([Problem(code=code, message=message, source=self._name, line=line, hint=hint)])


_BATCH_HEADERS = header_index(BATCH_FIELDS)

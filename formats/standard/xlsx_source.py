"""A batch as an Excel workbook: the first sheet, laid out like the CSV file.

calamine holds a whole sheet as a dense table, so the workbook is looked at before: how large
it is unpacked, how far its rows and columns reach. A number typed into an account, ID, code
or id column has lost digits or leading zeros already: that refuses the batch. Amounts may
be numbers; the shortest decimal text of the stored double is what the sheet shows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import Any

import python_calamine

from formats.codec import CHUNK_RECORDS
from formats.errors import BatchError
from formats.records import Batch, Problem, Severity
from formats.standard import bytestream
from formats.standard.envelope import read_envelope, read_header
from formats.standard.examine import RowBlock
from formats.standard.findings import Fault, Finding, Places
from formats.standard.table import BATCH_FIELDS, PAYMENT_BY_ATTRIBUTE, Kind, header_index
from formats.standard.workbook import ARCHIVE_ERRORS, look_before

LARGEST_ROW = 100_000
"""Rows of a sheet, envelope and header included."""
LARGEST_FILE_BYTES = 64 << 20
_FAR_ROW = re.compile(rb'r=["\'][A-Z]{0,2}(?:1[1-9][0-9]{4}|[2-9][0-9]{5}|[1-9][0-9]{6,})["\']')
_LARGEST_EXACT = 10**15
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

Cells = list[Any]


class XlsxSource:
    """Implements `RowSource` over one workbook."""

    def __init__(self, path: bytestream.BatchFile) -> None:
        self.problems: list[Problem] = []
        self.whole = False
        self._name = path.name
        with bytestream.open_file(path) as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
        self._digest = hashlib.sha256(content).hexdigest()
        if len(content) > LARGEST_FILE_BYTES:
            raise self._too_large(f"more than {LARGEST_FILE_BYTES >> 20} MiB")
        self._look_before(content)
        self._rows = enumerate(self._open_sheet(content), start=1)
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
        text = _number_text(cell)
        field = PAYMENT_BY_ATTRIBUTE[attribute]
        if text is None:
            findings.append(Finding(index, attribute, _NO_TEXT, f"a {type(cell).__name__} cell"))
            return ""
        if field.kind is Kind.AMOUNT:
            return text
        if field.text_cell_only or not _exact_integer(cell):
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
        text = _number_text(cell)
        field = _BATCH_HEADERS.get(key.strip().lower())
        if text is None or (field is not None and field.text_cell_only):
            message = f"row {line} {key[:20]} (column B): found a cell that is no text, wanted a text cell"
            raise self._refused("cell_is_number", message, "format the cell as text", line)
        return str(int(cell)) if _exact_integer(cell) else text

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
            attribute: f"{_letters(place)} {headers[attribute]}" for attribute, place in self._columns.items()
        }
        return Places(self._name, "row", headers, labels)

    def _open_sheet(self, content: bytes) -> Iterator[Cells]:
        try:
            workbook = python_calamine.load_workbook(BytesIO(content))
            names = workbook.sheet_names
            if not names:
                raise self._refused("workbook_unreadable", "the workbook has no sheet")
            sheet = workbook.get_sheet_by_index(0)
            rows: Iterator[Cells] = iter(sheet.iter_rows())
        except python_calamine.PasswordError:
            raise self._refused("workbook_locked", "the workbook is protected by a password") from None
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            message = f"no readable workbook: {type(error).__name__}"
            raise self._refused("workbook_unreadable", message) from None
        if sheet.total_height > LARGEST_ROW:
            raise self._too_large(f"{sheet.total_height} rows")
        if len(names) > 1:
            self.problems.append(
                Problem(
                    code="sheets_ignored",
                    message=f"only the first of {len(names)} sheets is read",
                    severity=Severity.WARNS,
                    source=self._name,
                )
            )
        return rows

    def _look_before(self, content: bytes) -> None:
        """Refuses what would fill the memory once calamine unpacks it."""
        try:
            found = look_before(content, _FAR_ROW, LARGEST_ROW)
        except ARCHIVE_ERRORS as error:
            message = f"no readable workbook: {type(error).__name__}"
            raise self._refused("workbook_unreadable", message) from None
        if found:
            raise self._too_large(found)

    def _refused(self, code: str, message: str, hint: str = "", line: int | None = None) -> BatchError:
        return BatchError([Problem(code=code, message=message, source=self._name, line=line, hint=hint)])

    def _too_large(self, found: str) -> BatchError:
        message = f"the workbook is too large: found {found}, wanted at most {LARGEST_ROW} rows"
        return self._refused("workbook_too_large", message, "save it as CSV UTF-8, which has no limit")


_BATCH_HEADERS = header_index(BATCH_FIELDS)


def _exact_integer(cell: Any) -> bool:
    return bool(abs(cell) < _LARGEST_EXACT and cell == int(cell))


def _number_text(cell: Any) -> str | None:
    """The shortest decimal text of a number cell; None where it is no number."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    return repr(cell)


def _letters(place: int) -> str:
    """0 -> A, 26 -> AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters

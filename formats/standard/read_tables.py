"""Tables that people made, read row by row: CSV in UTF-8, or the first sheet of a workbook.

What a table means is the reader's business. Here it is known where each cell is, so that all that is
wrong with one can be said with its place in one pass.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, time
from types import TracebackType
from typing import Any, Self

from formats.errors import BatchError
from formats.records import Problem
from formats.standard import bytestream
from formats.standard.sheet_reader import SheetReader, column_letters, is_exact_integer, number_text

_WORKBOOK = b"PK"
_NO_TABLE = (b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xfe\xff", b"%PDF")
_WANTED = "CSV in UTF-8 or an .xlsx workbook"
_HINT = "save it as CSV UTF-8, or as an .xlsx workbook"


class TypedCell(str):
    """A cell that its sheet has as a number or a day, as its text.

    Where digits count (ids, accounts) it is to be refused: a long number has lost some, another its zeros.
    """

    __slots__ = ()


class TableReader:
    """One table. `rows` gives its rows, numbered as a spreadsheet shows them; it is walked once.

    Raises `BatchError` where the file cannot be read, is neither a workbook of one sheet nor CSV in UTF-8;
    later too, where that shows only later.
    """

    def __init__(self, file: bytestream.BatchFile) -> None:
        self.name = file.name
        self._stream = bytestream.open_file(file)
        head = self._stream.read(8)
        self._is_sheet = head.startswith(_WORKBOOK)
        if self._is_sheet or head.startswith(_NO_TABLE):
            self._stream.close()
        if head.startswith(_NO_TABLE):
            raise self._refused("an old workbook, UTF-16 text or another kind of file")
        if self._is_sheet:
            sheet = SheetReader(file)
            if sheet.problems:
                # Rows of another sheet would be left out in silence.
                raise self._refused("it has several sheets", "one sheet", "keep the one with the table")
            self._rows: Iterator[tuple[int, list[str]]] = (
                (line, list(map(_text, cells))) for line, cells in sheet.rows
            )
        else:
            self._stream.seek(0)
            self._rows = self._csv_rows()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self._rows

    def place(self, line: int, column: int | None = None, header: str = "") -> str:
        """Where a row or a cell is: `row 5`, `row 5 column 金额`; of a sheet `cell C5 金额`.

        Columns count from 0.
        """
        if column is None:
            return f"row {line}"
        if self._is_sheet:
            return f"cell {column_letters(column)}{line} {header}".rstrip()
        return f"row {line} column {header or column + 1}"

    def _csv_rows(self) -> Iterator[tuple[int, list[str]]]:
        raw = bytestream.DigestingFile(self._stream)
        text = io.TextIOWrapper(
            io.BufferedReader(raw, bytestream.BLOCK_BYTES), encoding="utf-8-sig", newline=""
        )
        try:
            for line, cells in enumerate(csv.reader(text, strict=True), 1):
                if raw.has_nul:
                    raise self._refused("it has NUL bytes")
                yield line, [cell.strip() for cell in cells]
        except (UnicodeDecodeError, csv.Error, bytestream.LineTooLong) as error:
            raise self._refused("it is no CSV in UTF-8") from error

    def _refused(self, found: str, wanted: str = _WANTED, hint: str = _HINT) -> BatchError:
        message = f"{self.name}: {found}, wanted {wanted}"
        problem = Problem(
            code="file_kind", message=message, source=self.name, found=found, wanted=wanted, hint=hint
        )
        return BatchError([problem])


def _text(cell: Any) -> str:
    """A cell of a sheet as text; a day as `2026-11-20`."""
    if isinstance(cell, str):
        return cell.strip()
    number = number_text(cell)
    if number is not None:
        return TypedCell(int(cell) if is_exact_integer(cell) else number)
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    return TypedCell(cell.isoformat() if isinstance(cell, date | time) else cell)

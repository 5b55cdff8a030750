"""A workbook of texts and numbers, written row by row, the same bytes each time."""

from __future__ import annotations

import io
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import BinaryIO

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from formats.errors import EncodeError
from formats.records import Problem

SPREADSHEET_ROWS = 1_048_576
LONGEST_CELL = 32_767
_EXACT_DIGITS = 15
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)
"""A fixed time of making, so that the same content gives the same bytes."""
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class NumberText(str):
    """A count, or an amount in yuan, as text: a workbook has it as a number that can be added up.

    For what is computed here only, never for an id: a workbook's numbers have fifteen digits.
    """

    __slots__ = ()

    @property
    def fits(self) -> bool:
        """Whether a workbook holds it exactly to its last digit."""
        return sum(map(str.isdigit, self)) <= _EXACT_DIGITS


@contextmanager
def text_workbook(stream: BinaryIO, sheet_name: str, most_rows: int) -> Iterator[Callable[[list[str]], None]]:
    """A function that writes the next row. Raises `EncodeError` beyond `most_rows`."""
    made = io.BytesIO()
    workbook = xlsxwriter.Workbook(made, dict(_OPTIONS))
    workbook.set_properties({"created": _CREATED})
    sheet = workbook.add_worksheet(sheet_name)
    as_text = workbook.add_format({"num_format": "@"})
    as_count, as_yuan = (workbook.add_format({"num_format": form}) for form in ("#,##0", "#,##0.00"))
    next_row = 0

    def write_row(cells: list[str]) -> None:
        nonlocal next_row
        if next_row >= most_rows:
            message = f"more than {most_rows} rows do not fit a workbook"
            raise EncodeError([Problem(code="workbook_too_large", message=message, hint="write CSV")])
        for place, text in enumerate(cells):
            if len(text) > LONGEST_CELL:
                message = f"row {next_row + 1}: {len(text)} characters do not fit a cell"
                raise EncodeError([Problem(code="cell_too_long", message=message)])
            if isinstance(text, NumberText) and text and text.fits:
                # Never computed with here; the file format has no other numbers.
                sheet.write_number(next_row, place, float(text), as_yuan if "." in text else as_count)
            elif text:
                sheet.write_string(next_row, place, text, as_text)
        next_row += 1

    try:
        yield write_row
    finally:
        try:
            workbook.close()
        except FileCreateError as error:
            # The library hides what the disk said: a full one, as a rule.
            _forget_archive(error)
            raise (error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error))) from None
    stream.write(made.getbuffer())


def _forget_archive(error: Exception) -> None:
    """The library leaves its ZIP archive half written, which would complain of that later, from nowhere."""
    cause = error.__context__ or error
    for frame, _ in traceback.walk_tb(cause.__traceback__):
        for value in frame.f_locals.values():
            if isinstance(value, zipfile.ZipFile):
                value.fp = None

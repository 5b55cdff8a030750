"""The rows of a workbook's first sheet: of a batch, or of another table that somebody made.

calamine holds a whole sheet as a dense table, so the workbook is looked at before: how large
it is unpacked, how far its rows and columns reach. The shortest decimal text of the stored double is
what the sheet shows of a number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import python_calamine

from formats.errors import BatchError
from formats.records import Problem, Severity
from formats.standard import bytestream
from formats.standard.workbook import ARCHIVE_ERRORS, look_before

LARGEST_ROW = 100_000
"""Rows of a sheet, envelope and header included."""
LARGEST_FILE_BYTES = 64 << 20
_FAR_ROW = re.compile(rb'r=["\'][A-Z]{0,2}(?:1[1-9][0-9]{4}|[2-9][0-9]{5}|[1-9][0-9]{6,})["\']')
_LARGEST_EXACT = 10**15

Cells = list[Any]


class SheetReader:
    """One workbook, unpacked. `rows` are numbered as the sheet shows them; they are walked once.

    `problems` are warnings: what of the workbook is not read. Raises `BatchError` where it is none
    that can be read, or too large.
    """

    def __init__(self, file: bytestream.BatchFile) -> None:
        self.problems: list[Problem] = []
        self._name = file.name
        with bytestream.open_file(file) as stream:
            content = stream.read(LARGEST_FILE_BYTES + 1)
        self.digest_sha256 = hashlib.sha256(content).hexdigest()
        if len(content) > LARGEST_FILE_BYTES:
            raise self._too_large(f"more than {LARGEST_FILE_BYTES >> 20} MiB")
        self._look_before(content)
        self.rows: Iterator[tuple[int, Cells]] = enumerate(self._open_sheet(content), start=1)

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

    def _refused(self, code: str, message: str, hint: str = "") -> BatchError:
        return BatchError([Problem(code=code, message=message, source=self._name, hint=hint)])

    def _too_large(self, found: str) -> BatchError:
        message = f"the workbook is too large: found {found}, wanted at most {LARGEST_ROW} rows"
        return self._refused("workbook_too_large", message, "save it as CSV UTF-8, which has no limit")


def is_exact_integer(cell: Any) -> bool:
    """Whether a number cell is a whole number of which no digit is lost."""
    return bool(abs(cell) < _LARGEST_EXACT and cell == int(cell))


def number_text(cell: Any) -> str | None:
    """The shortest decimal text of a number cell; None where it is no number."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    return repr(cell)


def column_letters(place: int) -> str:
    """0 -> A, 26 -> AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters

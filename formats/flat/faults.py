"""Words for what is wrong with bytes: file, line, byte columns, field, found (masked), wanted."""

from __future__ import annotations

import re
from collections.abc import Callable

from formats.errors import DecodeError
from formats.flat.compiler import Column
from formats.language.model import Kind
from formats.masking import mask_account, mask_name, mask_number, mask_text
from formats.records import Problem

_SHOWN = re.compile(r"[0-9A-Za-z.,:+\-_ ]{0,24}")
_LONG_NUMBER = re.compile(r"[0-9]{7}")
_PLAIN_KINDS = (Kind.NUMBER, Kind.MONEY, Kind.YUAN, Kind.DATE, Kind.TIME, Kind.DATETIME)


class FaultMaker:
    """Makes the problems and errors of one file; `file_name` may be empty.

    `tolerated` is told what was read over, by its name in the layout, and the line.
    """

    def __init__(self, layout_name: str, file_name: str, tolerated: Callable[[str, int], None]) -> None:
        self._source = file_name or layout_name
        self.tolerated = tolerated

    def file(self, code: str, line: int, found: str, wanted: str) -> DecodeError:
        """An error of the file's structure at a line."""
        message = f"{self._source} line {line}: found {found}, wanted {wanted}"
        return DecodeError(
            [Problem(code=code, message=message, source=self._source, line=line, found=found, wanted=wanted)]
        )

    def note(self, code: str, line: int, found: str, wanted: str) -> Problem:
        """A problem of the file as a whole."""
        return self.file(code, line, found, wanted).problems[0]

    def record(self, code: str, record: str, line: int, found: str, wanted: str) -> DecodeError:
        """An error of a line as a whole."""
        message = f"{self._source} line {line} {record}: found {found}, wanted {wanted}"
        return DecodeError(
            [
                Problem(
                    code=code,
                    message=message,
                    source=self._source,
                    line=line,
                    record=record,
                    found=found,
                    wanted=wanted,
                )
            ]
        )

    def cell(
        self, record: str, column: Column, cell: str, line: int, wanted: str, span: tuple[int, int] | None
    ) -> DecodeError:
        """An error of one field; `span` are its bytes, 1-based and inclusive."""
        return DecodeError([self.problem("field-invalid", record, column, cell, line, wanted, span)])

    def problem(
        self,
        code: str,
        record: str,
        column: Column,
        cell: str,
        line: int,
        wanted: str,
        span: tuple[int, int] | None = None,
    ) -> Problem:
        """A problem of one field."""
        if span is None and column.end > column.start:
            span = (column.start + 1, column.end)
        place = f" bytes {span[0]}-{span[1]}" if span else ""
        found = mask_cell(column, cell)
        message = f"{self._source} line {line}{place} {record} {column.title}: found {found}, wanted {wanted}"
        return Problem(
            code=code,
            message=message,
            source=self._source,
            line=line,
            column=column.title,
            record=record,
            found=found,
            wanted=wanted,
        )

    def total(self, record: str, column: Column, line: int, declared: int, actual: int) -> Problem:
        """A declared total that is not that of the records."""
        # The currency is not known here: what an amount is of is.
        unit = " minor units" if column.name.startswith("sum(") else ""
        found = f"{mask_number(declared)}{unit} declared"
        wanted = f"{actual}{unit} as {column.name} of the records"
        return Problem(
            code="total-differs",
            message=f"{self._source} line {line} {record} {column.title}: found {found}, wanted {wanted}",
            source=self._source,
            line=line,
            column=column.title,
            record=record,
            found=found,
            wanted=wanted,
        )


def mask_cell(column: Column, cell: str) -> str:
    """What a message may show: plain numbers and dates as they stand, personal data never."""
    text = cell.strip(" ")
    if not text:
        return "blank"
    if "account" in column.name:
        return mask_account(text)
    if column.name.startswith("payment.") and column.name.endswith("name"):
        return mask_name(text)
    kind = column.field.kind
    plain = column.cells is None or (kind is not None and kind.name in _PLAIN_KINDS)
    if plain and _SHOWN.fullmatch(text) and not _LONG_NUMBER.search(text):
        return repr(text)
    return mask_text(text)

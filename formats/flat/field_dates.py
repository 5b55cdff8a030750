"""Dates and times in fields, by a pattern as banks print it: YYYYMMDD, DDMMYY, 0YYDDD, MMDD."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from formats.flat.field_cells import CellError, Fault, pad_template
from formats.language.model import Kind, Width

CENTURY = 20
"""The century of a year with two digits."""

LEAP_YEAR = 4
"""The year of a date whose paper has none, until it gets one."""

_PART = re.compile(r"YYYY|YY|MM|DDD|DD|HH|SS")


def with_year(value: date | None, near: date) -> date | None:
    """A date without year in the year that brings it nearest to another date; ValueError on 29 February."""
    if value is None or value.year != LEAP_YEAR:
        return value
    candidates = []
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            candidates.append(value.replace(year=year))
        except ValueError:
            continue
    return min(candidates, key=lambda day: abs((day - near).days))


class DateCells:
    """`date`, `time` and `datetime` by a pattern; blank or zeros are no date where optional.

    A two-digit year is of this century. A date without year is read as one of year 4, which is a
    leap year, and gets its year by `with_year`.
    """

    def __init__(self, kind: Kind, pattern: str, width: Width | None, optional: bool) -> None:
        self.template = pad_template(width)
        self._kind = kind
        self._pattern = pattern
        self._width = width
        self._optional = optional
        self._format, self._regex, self._parts = _read_pattern(pattern)
        self._fits = width is None or len(pattern) <= width.bytes_
        self._absent = "0" * len(pattern) if width is not None and width.fill == "0" else ""
        self._blank_edges = pattern != pattern.strip(" ")

    def write(self, values: Sequence[Any]) -> list[Sequence[Any]] | None:
        """See `Cells.write`."""
        texts: dict[Any, str] = {}
        for value in set(values):
            if self.fault(value) is not None:
                return None
            texts[value] = self._absent if value is None else self._format_one(value)
        return [[texts[value] for value in values]]

    def _format_one(self, value: Any) -> str:
        parts = {
            "YYYY": f"{getattr(value, 'year', 0):04d}",
            "YY": f"{getattr(value, 'year', 0) % 100:02d}",
            "MM": f"{getattr(value, 'month', 0):02d}",
            "DD": f"{getattr(value, 'day', 0):02d}",
            "DDD": f"{_day_of_year(value):03d}",
            "HH": f"{getattr(value, 'hour', 0):02d}",
            "mm": f"{getattr(value, 'minute', 0):02d}",
            "SS": f"{getattr(value, 'second', 0):02d}",
        }
        return self._format % tuple(parts[part] for part in self._parts)

    def fault(self, value: Any) -> Fault | None:
        """See `Cells.fault`."""
        if value is None and self._optional:
            return None
        wanted = {Kind.DATE: (date,), Kind.TIME: (time, datetime), Kind.DATETIME: (datetime,)}[self._kind]
        if not isinstance(value, wanted):
            return Fault("date-invalid", f"a {self._kind.value}")
        if "YY" in self._parts and isinstance(value, date) and value.year // 100 != CENTURY:
            return Fault("date-invalid", f"a year of this century in {self._pattern}")
        return None if self._fits else Fault("too-long", f"room for {self._pattern}")

    def read(self, joined: str, count: int) -> list[Any] | None:
        """See `Cells.read`."""
        cells = joined.split("\n")
        if len(cells) != count:
            return None
        try:
            values = {cell: self.parse(cell) for cell in set(cells)}
        except CellError:
            return None
        return [values[cell] for cell in cells]

    def parse(self, cell: str) -> Any:
        """See `Cells.parse`."""
        text = cell.strip(" ") if not self._blank_edges else cell[: len(self._pattern)]
        if self._optional and not text.strip("0 "):
            return None
        match = self._regex.fullmatch(text)
        if match is None:
            raise CellError(f"{self._kind.value} {self._pattern}")
        numbers = {part: int(digits) for part, digits in zip(self._parts, match.groups(), strict=True)}
        year = numbers.get("YYYY", 100 * CENTURY + numbers["YY"] if "YY" in numbers else LEAP_YEAR)
        day = (year, numbers.get("MM", 1), numbers.get("DD", 1))
        clock = (numbers.get("HH", 0), numbers.get("mm", 0), numbers.get("SS", 0))
        try:
            if "DDD" in numbers:
                return _from_day_of_year(year, numbers["DDD"])
            if self._kind is Kind.DATE:
                return date(*day)
            return time(*clock) if self._kind is Kind.TIME else datetime(*day, *clock)  # noqa: DTZ001
        except ValueError as error:
            raise CellError(f"{self._kind.value} {self._pattern}") from error


def _read_pattern(pattern: str) -> tuple[str, re.Pattern[str], tuple[str, ...]]:
    """The `%`-format, the expression that reads it, and its parts; MM after HH is minutes."""
    parts: list[str] = []
    for match in _PART.finditer(pattern):
        part = match[0]
        parts.append("mm" if part == "MM" and "HH" in parts else part)
    literals = _PART.split(pattern)
    expression = re.escape(literals[0])
    for part, literal in zip(parts, literals[1:], strict=True):
        expression += f"([0-9]{{{len(part)}}})" + re.escape(literal)
    return _PART.sub("%s", pattern), re.compile(expression), tuple(parts)


def _day_of_year(value: Any) -> int:
    return value.timetuple().tm_yday if isinstance(value, date) else 0


def _from_day_of_year(year: int, number: int) -> date:
    day = date(year, 1, 1) + timedelta(days=number - 1)
    if number < 1 or day.year != year:
        raise ValueError(number)
    return day

"""The periods that payments are for: `2026-09`, `2026-Q3`, `2026-T2`, `2026`.

One form for each frequency, so that the same period is always the same text and a second
payment of it is found. What is paid on request has periods of any form.
"""

from __future__ import annotations

import calendar
import re
from datetime import date
from enum import StrEnum


class Frequency(StrEnum):
    """How often a programme pays. `REQUEST`: whenever somebody applies; its periods are free text."""

    MONTH = "month"
    QUARTER = "quarter"
    TERM = "term"
    YEAR = "year"
    REQUEST = "request"


_FORMS: dict[Frequency, tuple[re.Pattern[str], str]] = {
    Frequency.MONTH: (re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])"), "a month such as 2026-09"),
    Frequency.QUARTER: (re.compile(r"([0-9]{4})-Q([1-4])"), "a quarter such as 2026-Q3"),
    Frequency.TERM: (
        re.compile(r"([0-9]{4})-T([12])"),
        "a term such as 2026-T1 (spring) or 2026-T2 (autumn)",
    ),
    Frequency.YEAR: (re.compile(r"([0-9]{4})"), "a year such as 2026"),
}
_MONTHS_OF = {Frequency.MONTH: 1, Frequency.QUARTER: 3, Frequency.TERM: 6, Frequency.YEAR: 12}


def wanted_form(frequency: Frequency) -> str:
    """How a period of the frequency is written, in words; "" where anything goes."""
    return _FORMS[frequency][1] if frequency in _FORMS else ""


def fits(frequency: Frequency, period: str) -> bool:
    """Whether a period is written as the frequency wants it."""
    return frequency not in _FORMS or _FORMS[frequency][0].fullmatch(period) is not None


def last_day(frequency: Frequency, period: str) -> date | None:
    """The last day of a period; None where it has none that can be told.

    A term counts for due dates as half of the calendar year.
    """
    found = _FORMS[frequency][0].fullmatch(period) if frequency in _FORMS else None
    if found is None:
        return None
    part = 1 if frequency is Frequency.YEAR else int(found[2])
    year, month = int(found[1]), part * _MONTHS_OF[frequency]
    return None if year == 0 else date(year, month, calendar.monthrange(year, month)[1])


def day_after_period(last: date, months: int, day: int) -> date:
    """Day `day` of the month that is `months` after the one of `last`, at most that month's end."""
    year, month = divmod(last.year * 12 + last.month - 1 + months, 12)
    return date(year, month + 1, min(day, calendar.monthrange(year, month + 1)[1]))

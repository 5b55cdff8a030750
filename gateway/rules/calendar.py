"""Working days in China, moved ones included (法定节假日与调休).

A year is known where the State Council's notice for it is in the library `chinesecalendar`, or
where the site has entered its days (`[calendar]`). Of another year nothing is guessed: a Monday
may be a holiday and a Sunday a working day.
"""

from __future__ import annotations

from datetime import date, timedelta

from msgspec import Struct

_SATURDAY = 5
LONGEST_LOOK_DAYS = 30
"""No holiday of China lasts as long."""


class WorkingCalendar(Struct, frozen=True, kw_only=True):
    """`[calendar]`: days of years that the library does not have yet, from the notice named in `source`.

    `holidays` are days off from Monday to Friday, `workdays` Saturdays and Sundays at work.
    """

    holidays: list[date] = []
    workdays: list[date] = []
    source: str = ""

    def knows(self, year: int) -> bool:
        """Whether the year's days are known."""
        return any(day.year == year for day in (*self.holidays, *self.workdays)) or _published(year)

    def is_working(self, day: date) -> bool | None:
        """Whether people work that day; None where its year is not known."""
        if day in self.workdays:
            return True
        if day in self.holidays:
            return False
        if any(own.year == day.year for own in (*self.holidays, *self.workdays)):
            return day.weekday() < _SATURDAY
        if not _published(day.year):
            return None
        from chinese_calendar import is_workday

        working: bool = is_workday(day)
        return working

    def after(self, day: date, count: int) -> date | None:
        """The day that is `count` working days after `day`; None where a year on the way is not known."""
        left = count
        for _ in range(count * LONGEST_LOOK_DAYS):
            day += timedelta(days=1)
            working = self.is_working(day)
            if working is None:
                return None
            left -= working
            if left == 0:
                return day
        return None


def _published(year: int) -> bool:
    # Imported here: only a site that goes by working days pays for it.
    from chinese_calendar import holidays

    first: date = min(holidays)
    last: date = max(holidays)
    return first.year <= year <= last.year

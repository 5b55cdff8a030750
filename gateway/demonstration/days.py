"""The days of the demonstrated month, by the district's clock.

September 2026, a month in the past, so that its days, its holidays (a working Sunday on the 20th) and
its sums are the same whenever somebody looks.
"""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
YEAR, MONTH = 2026, 9


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of the month, by the district's clock."""
    return datetime.combine(date(YEAR, MONTH, day), time(hour, minute), ZONE)


BEGINS = moment(1, 8)

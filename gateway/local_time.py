"""Times for people: what is kept in UTC, by the clock on the wall of the district.

All of China has one time; a profile's zone is for the bank's days and windows.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")


def local(moment: str | datetime | None) -> str:
    """An instant (aware, or ISO 8601 with its offset) as `2026-09-01 09:30:00+08`; "" for none."""
    if not moment:
        return ""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M:%S}+08"


def local_minute(moment: datetime) -> str:
    """An instant (aware) as `2026-09-01 09:30`, where a column has no room for more."""
    return f"{moment.astimezone(LOCAL):%Y-%m-%d %H:%M}"

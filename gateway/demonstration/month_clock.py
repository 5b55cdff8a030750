"""The clock of a demonstrated month: it goes like the machine's, and is put forward from day to day."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_LONGEST_WAIT_SECONDS = 10.0


class MonthClock:
    """Never goes back. Not put beyond the machine's own clock, which everybody else goes by."""

    def __init__(self, begins: datetime) -> None:
        self._base = begins.astimezone(UTC)
        self._set_at = time.monotonic()

    def now(self) -> datetime:
        return self._base + timedelta(seconds=time.monotonic() - self._set_at)

    def go_to(self, instant: datetime) -> None:
        """Be at least so late."""
        self._base = max(self.now(), instant.astimezone(UTC))
        self._set_at = time.monotonic()

    def wait_until(self, instant: datetime) -> None:
        """Go there at once where the machine's clock is beyond; else let some of the time pass."""
        if instant <= datetime.now(UTC):
            self.go_to(instant)
            return
        left = (instant - self.now()).total_seconds()
        time.sleep(max(0.0, min(_LONGEST_WAIT_SECONDS, left)))

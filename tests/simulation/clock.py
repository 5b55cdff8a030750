"""Time and names of a history: both come from its seed, and the time may be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.simulation.faults import Fault, Faults

START = datetime(2026, 9, 7, 1, 0, tzinfo=UTC)
"""A Monday, 9 o'clock at the banks."""

ZONE = ZoneInfo("Asia/Shanghai")
OPENS, CLOSES = 8, 18
"""Hours between which files may leave, where a history has windows."""

EARLIEST, _LATEST = START - timedelta(days=2), START + timedelta(days=40)
"""Agreements and certificates are good for longer than a clock may be wrong."""


class SimulatedClock:
    """Stands still until the history moves it, backwards too; a fault moves it at any look."""

    def __init__(self, faults: Faults) -> None:
        self.instant = START
        self.shown: list[datetime] = []
        """What it showed since the step began."""
        self._faults = faults

    def now(self) -> datetime:
        fault = self._faults.at("clock")
        if fault is not None:
            self.instant = max(EARLIEST, min(self._jump(fault), _LATEST))
        self.shown.append(self.instant)
        return self.instant

    def next_opening(self) -> None:
        """Wait until files may leave again."""
        local = self.instant.astimezone(ZONE)
        if not OPENS <= local.hour < CLOSES:
            opening = local.replace(hour=OPENS, minute=1)
            later = opening if opening > local else opening + timedelta(days=1)
            self.instant = later.astimezone(UTC)

    def _jump(self, fault: Fault) -> datetime:
        dice = self._faults.dice
        local = self.instant.astimezone(ZONE)
        if fault is Fault.JUMP_BACK:
            return self.instant - timedelta(minutes=1 + dice * 1800)
        if fault is Fault.JUMP_FORWARD:
            return self.instant + timedelta(minutes=1 + dice * 1800)
        if fault is Fault.OVER_MIDNIGHT:
            midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=1)
            return midnight.astimezone(UTC)
        closing = local.replace(hour=CLOSES, minute=0, second=0)
        return max(closing, local + timedelta(minutes=1)).astimezone(UTC)


class SimulatedRandomness:
    """Sixteen bytes that differ, step by step from the seed."""

    def __init__(self) -> None:
        self.random = Random(0)

    def token(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

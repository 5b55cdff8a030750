"""Where a history decides that something goes wrong: one seed, one place to ask.

Every I/O of the simulated world asks `Faults.at(point)` and gets at most one fault. What was
asked and what was given is counted, so that a run can say what it visited.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """What can happen to one I/O."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    CRASH_DURING = "crash during"
    LOST_BEFORE = "connection lost before it was done"
    LOST_AFTER = "done, and the answer lost"
    TIMED_OUT = "timed out, and done or not"
    UNREACHABLE = "server not reachable"
    SERVER_FAULT = "server reports a failure"
    NO_SPACE = "disk full"
    REFUSED = "refused"


_DISK = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.NO_SPACE)
_LEDGER = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.NO_SPACE)
_CHANNEL = (
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
    Fault.TIMED_OUT,
    Fault.SERVER_FAULT,
)

POINTS: dict[str, tuple[Fault, ...]] = {
    "disk create": _DISK,
    "disk sync": _DISK,
    "disk publish": _DISK,
    "disk open": (Fault.CRASH_BEFORE, Fault.CRASH_AFTER),
    "disk remove": (Fault.CRASH_BEFORE, Fault.CRASH_AFTER),
    "ledger commit": _LEDGER,
    "channel open": (Fault.CRASH_BEFORE, Fault.UNREACHABLE, Fault.REFUSED),
    "channel list": _CHANNEL,
    "channel stat": _CHANNEL,
    "channel put": (*_CHANNEL, Fault.CRASH_DURING, Fault.NO_SPACE),
    "channel rename": _CHANNEL,
    "channel remove": _CHANNEL,
    "channel get": _CHANNEL,
}
"""Every point of the world and what can happen there; a run reports how much it visited."""


class Crash(BaseException):
    """The process is dead: nothing of it runs any more. Caught by the history only."""


class Faults:
    """Decides by a seed. `rate` is the share of I/Os that go wrong; 0 while the world is calm."""

    def __init__(self, random: Random, rate: float) -> None:
        self.random = random
        self.rate = rate
        self.given: Counter[tuple[str, Fault]] = Counter()
        self.dead = False

    def at(self, point: str) -> Fault | None:
        """The fault of this I/O, or None. Raises `Crash` for every I/O of a dead process."""
        if self.dead:
            raise Crash
        if self.random.random() >= self.rate:
            return None
        fault = self.random.choice(POINTS[point])
        self.given[point, fault] += 1
        if fault is Fault.CRASH_BEFORE:
            self.die()
        return fault

    def die(self) -> None:
        """End the process here."""
        self.dead = True
        raise Crash

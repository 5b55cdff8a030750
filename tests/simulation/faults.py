"""What can go wrong where, and who decides that it does: one place to ask, all of it recorded.

Every I/O of the simulated world asks `Faults.at(point)` and gets at most one fault. In a history
that is played for the first time a step's own seed decides; what was given is recorded, and a
recorded step gives exactly that again, by point and ordinal: take one away and the others stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from random import Random
from typing import NoReturn

from msgspec import Struct


class Fault(StrEnum):
    """What can happen to one I/O, or to one deed of a bank."""

    CRASH_BEFORE = "crash before"
    CRASH_DURING = "crash during"
    CRASH_AFTER = "crash after"
    LOST_BEFORE = "line breaks before it was done"
    LOST_DURING = "line breaks in the middle"
    LOST_AFTER = "done, and the answer lost"
    TIMED_OUT_BEFORE = "timed out, not done"
    TIMED_OUT_AFTER = "timed out, done"
    UNREACHABLE = "not reachable"
    SERVER_FAULT = "the server reports a failure"
    LOGIN_REFUSED = "login refused"
    HOST_KEY_CHANGED = "another host key"
    REFUSED = "permission refused"
    UNSAFE_NAME = "a name that leaves the folder"
    SWEPT = "the bank sweeps its folder"
    MEANWHILE = "somebody else acts meanwhile"
    NO_SPACE = "no space left"
    DISK_FAULT = "the disk reports a failure"
    BUSY = "another process writes"
    JUMP_BACK = "clock jumps back"
    JUMP_FORWARD = "clock jumps forward"
    OVER_MIDNIGHT = "clock jumps over midnight"
    TO_CLOSING = "clock jumps over the window's end"
    LATE = "late"
    TWICE = "twice"
    REORDERED = "after what follows it"
    FORGOTTEN = "never"
    HALF = "half of it first"


_REFUSALS = frozenset(
    {Fault.LOGIN_REFUSED, Fault.HOST_KEY_CHANGED, Fault.REFUSED, Fault.UNSAFE_NAME, Fault.NO_SPACE}
)
_CRASHES = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_DURING, Fault.CRASH_AFTER})

_LINE = (
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
    Fault.TIMED_OUT_BEFORE,
    Fault.TIMED_OUT_AFTER,
    Fault.SERVER_FAULT,
    Fault.REFUSED,
)
_OPEN = (
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Fault.UNREACHABLE,
    Fault.TIMED_OUT_BEFORE,
    Fault.LOGIN_REFUSED,
    Fault.HOST_KEY_CHANGED,
)
_PUT = (*_LINE, Fault.CRASH_DURING, Fault.LOST_DURING, Fault.NO_SPACE)
_GET = (*_LINE, Fault.CRASH_DURING, Fault.LOST_DURING)
_AT_A_BANK = (Fault.MEANWHILE, Fault.SWEPT)
_WHOLE = (Fault.CRASH_BEFORE, Fault.CRASH_DURING, Fault.CRASH_AFTER)

POINTS: dict[str, tuple[Fault, ...]] = {
    "disk create": (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.NO_SPACE, Fault.DISK_FAULT),
    "disk write": (*_WHOLE, Fault.NO_SPACE, Fault.DISK_FAULT),
    "disk sync": (*_WHOLE, Fault.NO_SPACE, Fault.DISK_FAULT),
    "disk publish": (*_WHOLE, Fault.DISK_FAULT),
    "disk open": (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.DISK_FAULT),
    "disk read": (Fault.CRASH_BEFORE, Fault.DISK_FAULT),
    "disk remove": (*_WHOLE, Fault.DISK_FAULT),
    "disk walk": (Fault.CRASH_BEFORE, Fault.DISK_FAULT),
    "ledger read": (Fault.CRASH_BEFORE, Fault.DISK_FAULT),
    "ledger begin": (Fault.CRASH_BEFORE, Fault.BUSY),
    "ledger commit": (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.NO_SPACE, Fault.DISK_FAULT),
    "bank open": _OPEN,
    "bank list": (*_LINE, *_AT_A_BANK, Fault.UNSAFE_NAME),
    "bank stat": (*_LINE, *_AT_A_BANK),
    "bank put": (*_PUT, *_AT_A_BANK),
    "bank rename": (*_LINE, *_AT_A_BANK),
    "bank remove": (*_LINE, *_AT_A_BANK),
    "bank get": (*_GET, *_AT_A_BANK),
    "anchor open": _OPEN,
    "anchor list": (*_LINE, Fault.UNSAFE_NAME),
    "anchor stat": _LINE,
    "anchor put": _PUT,
    "anchor rename": _LINE,
    "anchor remove": _LINE,
    "anchor get": _GET,
    "bank takes": (Fault.LATE, Fault.TWICE),
    "bank posts": (Fault.LATE, Fault.TWICE, Fault.REORDERED, Fault.FORGOTTEN, Fault.HALF),
    "clock": (Fault.JUMP_BACK, Fault.JUMP_FORWARD, Fault.OVER_MIDNIGHT, Fault.TO_CLOSING),
}
"""Every point of the world and what can happen there; a run reports how much it visited."""

_SHARES: dict[str, float] = {
    # How much likelier than others a point is struck: those that are asked all the time less often.
    "disk write": 0.3,
    "disk read": 0.15,
    "disk open": 0.5,
    "ledger read": 0.1,
    "ledger begin": 0.25,
    "ledger commit": 0.7,
    "bank rename": 3.0,
    "bank put": 2.5,
    "bank remove": 1.5,
    "bank takes": 3.0,
    "bank posts": 3.0,
    "clock": 0.3,
    "anchor list": 0.5,
    "anchor open": 0.5,
}
_QUIET_BEGINNINGS = (0, 0, 0, 0, 10, 20, 35)
"""I/Os of a step that go well first: where the first ones fail, the later ones are never tried."""
_HOT = 6.0
"""How much likelier everything goes wrong while the bank may see a file, or not."""
_REFUSAL_SHARE = 0.35
"""A refusal puts a bank on hold until a person comes: rarer, or nothing else would happen."""


class Given(Struct, frozen=True, array_like=True):
    """One fault: at the `ordinal`-th asking (from 1) of a point within its step.

    `dice` (0 to 1) decides what is left open, such as how much of a torn write is there.
    """

    point: str
    ordinal: int
    fault: Fault
    dice: float


class Crash(BaseException):
    """The process is dead: nothing of it runs any more. Caught by the history only."""


class Faults:
    """Decides over every I/O of one history. Calm until a step is begun."""

    def __init__(self, seed: int) -> None:
        self.dead = False
        self.dice = 0.0
        self.given: Counter[tuple[str, Fault]] = Counter()
        self.log: list[Given] = []
        """What the present step met."""
        self.hot = False
        """Whether a file is just being released: what fails now is what must not hurt."""
        self._seed = seed
        self._random: Random | None = None
        self._rate = 0.0
        self._quiet = 0
        self._recorded: dict[tuple[str, int], Given] = {}
        self._asked: Counter[str] = Counter()

    def begin(self, step: int, rate: float, recorded: Iterable[Given] | None) -> None:
        """A step begins: it meets what was recorded, or where nothing was, what its seed draws."""
        self.log = []
        self.hot = False
        self._asked.clear()
        self._rate = rate if recorded is None else 0.0
        self._random = Random(f"{self._seed}/faults/{step}") if self._rate else None
        self._quiet = self._random.choice(_QUIET_BEGINNINGS) if self._random else 0
        self._recorded = {(given.point, given.ordinal): given for given in recorded or ()}

    def calm(self) -> None:
        """From now on nothing goes wrong."""
        self.begin(0, 0.0, ())

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Nothing goes wrong in the block, and nothing is counted: somebody looks on."""
        kept = self._random, self._recorded, self._asked, self.dead
        self._random, self._recorded, self._asked, self.dead = None, {}, Counter(), False
        try:
            yield
        finally:
            self._random, self._recorded, self._asked, self.dead = kept

    def at(self, point: str) -> Fault | None:
        """The fault of this I/O, or None. Raises `Crash` for every I/O of a dead process."""
        if self.dead:
            raise Crash
        if self._random is None and not self._recorded:
            return None
        self._asked[point] += 1
        given = self._draw(point) if self._random else self._recorded.get((point, self._asked[point]))
        if given is None or given.fault not in POINTS[point]:
            return None
        self.log.append(given)
        self.given[point, given.fault] += 1
        self.dice = given.dice
        if given.fault is Fault.CRASH_BEFORE:
            self.die()
        return given.fault

    def die(self) -> NoReturn:
        """End the process here."""
        self.dead = True
        raise Crash

    def _draw(self, point: str) -> Given | None:
        assert self._random is not None
        if not self.hot and self._asked.total() <= self._quiet:
            return None
        heat = _HOT if self.hot else 1.0
        if self._random.random() >= self._rate * _SHARES.get(point, 1.0) * heat:
            return None
        kinds = POINTS[point]
        weights = [_REFUSAL_SHARE if kind in _REFUSALS else 1.0 for kind in kinds]
        fault = self._random.choices(kinds, weights)[0]
        return Given(point, self._asked[point], fault, self._random.random())


def crashes(given: Counter[tuple[str, Fault]]) -> int:
    """How many of the faults ended the process."""
    return sum(count for (_, fault), count in given.items() if fault in _CRASHES)

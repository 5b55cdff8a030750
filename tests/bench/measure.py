"""How every bench measures: baseline and ours by turns, the best of a few short runs.

CPU time of this process says what the code costs, whoever else uses the machine; it still
grows by a third or more where a neighbour takes caches and the other half of a core, which
is why only the ratio to a baseline of the same run means something.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

ROUNDS = 3


class Ratio(Struct, frozen=True, kw_only=True):
    """One comparison. Times are microseconds for one `unit` of work."""

    name: str
    baseline: str
    baseline_microseconds: float
    our_microseconds: float
    unit: str = "record"
    wanted: float | None = None
    """What the ratio should be at least; None where nothing was promised."""
    spread: tuple[float, float] | None = None
    """The lowest and the highest ratio of single turns: how noisy the machine was."""

    @property
    def times(self) -> float:
        """How many times as fast as the baseline."""
        return self.baseline_microseconds / self.our_microseconds

    def line(self) -> str:
        """One line of the table."""
        verdict = ""
        if self.wanted is not None:
            verdict = f"  wanted {self.wanted:g}: " + ("yes" if self.times >= self.wanted else "NO")
        if self.spread is not None:
            verdict += f"  (turns: {self.spread[0]:.2f} to {self.spread[1]:.2f})"
        return (
            f"  {self.name:28} {self.baseline:30} {self.baseline_microseconds:10.2f}"
            f" {self.our_microseconds:10.2f} us/{self.unit:6} {self.times:6.2f} times{verdict}"
        )


def compare(
    baseline: Callable[[], object],
    ours: Callable[[], object],
    clock: Callable[[], float] = time.process_time,
) -> tuple[float, float]:
    """Seconds of the fastest run of each, taken by turns."""
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for place, work in enumerate((baseline, ours)):
            start = clock()
            work()
            best[place] = min(best[place], clock() - start)
    return best[0], best[1]


def peak_bytes() -> int:
    """Most resident memory of this process since it began, or since that was forgotten (Linux).

    Not `ru_maxrss`: that one is inherited from the process that started this one.
    """
    status = Path("/proc/self/status").read_text("ascii")
    kibibytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kibibytes) * 1024

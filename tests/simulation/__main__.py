"""`python -m tests.simulation --seeds 10000`: many histories, and what they visited."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.simulation.auditor import Violation
from tests.simulation.faults import POINTS
from tests.simulation.history import play
from tests.simulation.world import Base


def main() -> int:
    """Play the seeds; every violation is printed with the seed that repeats it."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many histories")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--rate", type=float, default=0.03, help="share of I/Os that go wrong in the storm")
    arguments = parser.parse_args()
    violations = 0
    given: Counter[tuple[str, str]] = Counter()
    states: set[str] = set()
    crashes = 0
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="simulation-") as folder:
        base = Base(Path(folder))
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            try:
                told = play(base, seed, arguments.rate)
            except Violation as violation:
                violations += 1
                print(f"seed {seed}: {violation}")
                continue
            given.update(told.given)
            states |= told.states
            crashes += told.crashes
    kinds = sum(len(faults) for faults in POINTS.values())
    print(
        f"{arguments.seeds} histories, {sum(given.values())} faults, {crashes} crashes,"
        f" {violations} violations, {time.perf_counter() - start:.0f} s"
    )
    print(f"fault kinds visited: {len(given)} of {kinds}; states: {', '.join(sorted(states))}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

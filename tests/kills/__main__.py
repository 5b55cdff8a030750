"""`python -m tests.kills --histories 80`: real kills, and at which kinds of steps they fell."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.kills.histories import KINDS, open_theatre, plans
from tests.simulation.auditor import Violation


def main() -> int:
    """Play histories that are killed again and again; a violation is printed, its folder kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=main.__doc__)
    parser.add_argument("--histories", type=int, default=80, help="how many histories")
    parser.add_argument("--kills", type=int, default=6, help="the most kills in each")
    parser.add_argument("--seed", type=int, help="only this history, of so many")
    arguments = parser.parse_args()
    kills: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    steps = violations = 0
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    with open_theatre(folder) as theatre:
        for plan in plans(arguments.histories, arguments.kills):
            if arguments.seed not in (None, plan.seed):
                continue
            try:
                told = theatre.play(plan)
            except Violation as violation:
                violations += 1
                _say(f"seed {plan.seed}: {violation}")
                continue
            kills.update(told.kills)
            decided.update(told.decided)
            steps += sum(told.seen.values())
            _say(f"seed {plan.seed}: {', '.join(plan.banks)}: {sum(told.kills.values())} kills")
    if not violations:
        shutil.rmtree(folder)
    visited = set(kills) & set(KINDS)
    _say(f"kills by step: {', '.join(f'{kind} {count}' for kind, count in sorted(kills.items()))}")
    _say(f"kinds of steps killed at: {len(visited)} of {len(KINDS)}; persons decided: {dict(decided)}")
    _say(f"{arguments.histories} histories, {steps} steps, {kills.total()} kills, violations: {violations}")
    return 1 if violations else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

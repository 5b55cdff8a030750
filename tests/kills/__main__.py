"""`python -m tests.kills --histories 80`: real kills, and at which kinds of steps they fell."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.kills.histories import KINDS, open_theatre, plans
from tests.kills.mounts import NOBODY_MOUNTS, may_mount
from tests.simulation.auditor import Violation


def main() -> int:
    """Play histories that are killed again and again; a violation is printed, its folder kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=main.__doc__)
    parser.add_argument("--histories", type=int, default=80, help="how many histories")
    parser.add_argument("--kills", type=int, default=6, help="the most kills in each")
    parser.add_argument("--seed", type=int, help="only this history, of so many")
    parser.add_argument(
        "--at-least", type=int, default=0, help="fewer kills, or a kind without, is a failure"
    )
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
    missed = [kind for kind in KINDS if not kills[kind]]
    _say(f"kills by step: {', '.join(f'{kind} {count}' for kind, count in sorted(kills.items()))}")
    _say(f"kinds of steps killed at: {len(KINDS) - len(missed)} of {len(KINDS)}")
    _say(f"persons decided: {dict(decided)}")
    _say(f"{arguments.histories} histories, {steps} steps, {kills.total()} kills, violations: {violations}")
    _say("full disks: on a small tmpfs" if may_mount() else NOBODY_MOUNTS)
    few = arguments.at_least and (kills.total() < arguments.at_least or missed)
    if few:
        _say(
            f"too few: wanted are {arguments.at_least} kills, and one at each of {', '.join(missed) or 'all'}"
        )
    return 1 if violations or few else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

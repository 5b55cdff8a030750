"""`python -m tests.simulation --seeds 10000`: many histories, what they met and what they visited."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.simulation.faults import POINTS
from tests.simulation.history import play
from tests.simulation.laboratory import Tally, play_many, scratch
from tests.simulation.observation import (
    expected_faults,
    expected_moves,
    expected_outcomes,
    expected_ways,
)
from tests.simulation.script import read_script, write_script
from tests.simulation.shrink import shrink
from tests.simulation.world import Base

KEPT = Path(__file__).parent / "kept"

_SHRUNK = 3
"""Violations of one run that are made small and kept: the first ones tell most."""
_LINE_SECONDS = 1.0
_LOG_SECONDS = 30.0
_SHOWN = 12
"""How much of what was not visited is named."""


def main() -> int:
    """Play histories by seeds, or one that was kept. Status 1: a promise was broken, or not all visited."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many histories")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--fresh", action="store_true", help="begin with a seed that nobody had before")
    parser.add_argument("--rate", type=float, default=1.0, help="faults, as a multiple of the usual")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--all", action="store_true", help="fail where anything was not visited")
    parser.add_argument("--kept", type=Path, help="play this file of tests/simulation/kept")
    arguments = parser.parse_args()
    if arguments.kept:
        return _play_kept(arguments.kept)
    first = time.time_ns() // 1_000_000_000 if arguments.fresh else arguments.first
    print(f"simulate: {arguments.seeds} histories from seed {first}", flush=True)
    tally = Tally()
    try:
        _gather(tally, first, arguments)
    except KeyboardInterrupt:
        print(f"\nsimulate: interrupted after {tally.histories} histories")
    complete = _report(tally)
    _keep(tally)
    return 1 if tally.violations or (arguments.all and not complete) else 0


def _gather(tally: Tally, first: int, arguments: argparse.Namespace) -> None:
    start = said = time.monotonic()
    line = sys.stderr.isatty()
    for part in play_many(first, arguments.seeds, arguments.rate, arguments.processes):
        tally.add(part)
        for ended in part.violations:
            print(f"\nseed {ended.script.seed}, step {ended.at_step}: {ended.violation}", flush=True)
        now = time.monotonic()
        if now - said >= (_LINE_SECONDS if line else _LOG_SECONDS) or tally.histories == arguments.seeds:
            said = now
            left = (now - start) / tally.histories * (arguments.seeds - tally.histories) / 60
            text = (
                f"simulate: {tally.histories} of {arguments.seeds} histories, {tally.faults} faults,"
                f" {len(tally.violations)} violations, {left:.0f} min left"
            )
            print(f"\r{text}\x1b[K" if line else text, end="" if line else "\n", file=sys.stderr, flush=True)
    minutes = (time.monotonic() - start) / 60
    print(f"\nsimulate: {minutes:.1f} minutes, {arguments.processes} processes", flush=True)


def _report(tally: Tally) -> bool:
    """Say what was met and visited; True where nothing is missing."""
    print(
        f"{tally.histories} histories, {tally.steps} steps, {tally.faults} faults, {tally.crashes} crashes,"
        f" {len(tally.violations)} violations"
    )
    own = ", ".join(f"{what} {count}" for what, count in sorted(tally.banks_own.items()))
    print(f"explained by a bank's own false statement or deed: {own or 'none'}")
    visited = tally.visited
    shares = [
        _share(f"faults at {len(POINTS)} points", expected_faults(), visited.faults),
        _share("states", {move[::2] for move in expected_moves()}, visited.states()),
        _share("moves", expected_moves(), visited.moves),
        _share("cells of outcomes", expected_outcomes(), visited.outcomes),
        _share("ways of persons", expected_ways(), visited.ways),
    ]
    return all(shares)


def _share(what: str, wanted: set[tuple[str, ...]], found: Iterable[tuple[str, ...]]) -> bool:
    missing = sorted(wanted - set(found))
    share = 100 * (len(wanted) - len(missing)) / len(wanted)
    named = "; ".join(" > ".join(one) for one in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    print(f"{what}: {len(wanted) - len(missing)} of {len(wanted)} visited, {share:.0f} %", end="")
    print(f"; not: {named}{more}" if missing else "")
    return not missing


def _keep(tally: Tally) -> None:
    if not tally.violations:
        return
    with scratch() as folder:
        base = Base(folder / "base")
        for ended in tally.violations[:_SHRUNK]:
            script = shrink(base, ended)
            path = KEPT / f"seed-{script.seed}.json"
            KEPT.mkdir(exist_ok=True)
            write_script(path, script)
            faults = sum(len(step.faults or ()) for step in script.steps)
            print(f"kept with {len(script.steps)} steps and {faults} faults: {path}")
            print(f"  again: python -m tests.simulation --kept {path}")


def _play_kept(path: Path) -> int:
    with scratch() as folder:
        ended = play(Base(folder / "base"), read_script(path))
    print(ended.violation or "keeps the promise")
    return 1 if ended.violation else 0


if __name__ == "__main__":
    sys.exit(main())

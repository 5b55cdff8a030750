"""`python -m tests.fuzz --seconds 60`: fuzz every target, the seconds shared out between them.

A finding is written to `findings/TARGET/` and ends with status 1; the tests replay it from
then on. `--target NAME` (several times) takes only these. Before anything else three targets
with mistakes in them must be found out: a fuzzer that misses those would find nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.hunt import Hunted, hunt, instrumented
from tests.fuzz.planted import PLANTED

_PLANTED_SECONDS = 5
FOLDER = Path(__file__).parents[2] / ".fuzz"


def main() -> int:
    with instrumented():
        from tests.fuzz.targets import TARGETS
    arguments = _arguments(sorted(TARGETS))
    missed = _planted_and_missed()
    if missed:
        print(f"not found out: {', '.join(missed)}")
        return 1
    chosen = [TARGETS[name] for name in arguments.target or TARGETS]
    share = max(1, arguments.seconds // len(chosen))
    print(f"{len(chosen)} targets, {share} s each", flush=True)
    hunted = []
    for target in chosen:
        hunted.append(hunt(target, share, FOLDER))
        print(_line(hunted[-1]), flush=True)
    bad = [each for each in hunted if each.found or not each.executions]
    executions = sum(each.executions for each in hunted)
    print(f"{executions} executions, {len(bad)} findings")
    return 1 if bad else 0


def _planted_and_missed() -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            target.name
            for target in PLANTED
            if hunt(target, _PLANTED_SECONDS, folder, folder / "findings").found is None
        ]


def _arguments(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", action="append", choices=names)
    return parser.parse_args()


def _line(hunted: Hunted) -> str:
    said = f"{hunted.target:22} {hunted.executions:10} executions, {hunted.covered:6} places covered"
    if hunted.found:
        return f"{said}; FOUND {hunted.found}\n{_end_of(hunted.log)}"
    return said if hunted.executions else f"{said}; did not run\n{_end_of(hunted.log)}"


def _end_of(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if not line.startswith("#")]
    return "\n".join(f"    {line[:200]}" for line in lines[-25:])


if __name__ == "__main__":
    sys.exit(main())

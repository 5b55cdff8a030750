"""What safety costs: the whole way as it is, beside the same without journal, seals and syncs.

    python -m tests.bench.bench_safety [PAYMENTS]

Baseline and ours by turns, each over a fresh copy of one site, in a gateway process of its own
(`bench_end`); the baseline's process is stripped first (`bare`). Waiting for banks counts for
neither: CPU time, and the wall time of what the gateway does. Prints ratios, fails never.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from gateway.demonstration.site import Site
from tests.bench.bench_end import EndToEnd, make_site, measure_site
from tests.bench.measure import Ratio

TURNS = 3
WANTED = 0.5
"""At least half the throughput."""


def run(payments: int = 20_000, turns: int = TURNS) -> list[Ratio]:
    """CPU and wall time a payment, over submit, run, outcomes and status."""
    pairs = []
    with tempfile.TemporaryDirectory(prefix="bench-safety-") as name:
        master = Path(name) / "master"
        make_site(master, payments)
        for turn in range(turns):
            bare = _measured(master, Path(name) / f"bare-{turn}", bare=True)
            pairs.append((bare, _measured(master, Path(name) / f"whole-{turn}", bare=False)))
    return [
        _ratio("end to end, CPU", pairs, lambda one: one.cpu_seconds),
        _ratio("end to end, wall time", pairs, lambda one: one.working_seconds),
    ]


def _measured(master: Path, folder: Path, *, bare: bool) -> EndToEnd:
    shutil.copytree(master, folder)
    result = measure_site(Site(folder).folder, bare=bare)
    if not result.whole:
        sys.exit(f"{folder.name}: {result.outcomes} outcomes of {result.payments}, adds up: {result.adds_up}")
    shutil.rmtree(folder)
    return result


def _ratio(name: str, pairs: list[tuple[EndToEnd, EndToEnd]], seconds: Callable[[EndToEnd], float]) -> Ratio:
    times = [seconds(bare) / seconds(whole) for bare, whole in pairs]
    payments = pairs[0][0].payments
    return Ratio(
        name=name,
        baseline="no journal, seals, syncs",
        baseline_microseconds=min(seconds(bare) for bare, _ in pairs) / payments * 1e6,
        our_microseconds=min(seconds(whole) for _, whole in pairs) / payments * 1e6,
        unit="paymt",
        wanted=WANTED,
        spread=(min(times), max(times)),
    )


if __name__ == "__main__":
    for ratio in run(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000):
        print(ratio.line())

"""What the rules of the plan cost at intake: the same batch taken with and without a catalogue.

    python -m tests.bench.bench_rules [PAYMENTS]

Each submission over a fresh copy of one site, in this process, by turns. The second pair is
taken into a ledger that has a batch of as many other persons for the same periods already, so
that every person is looked for among them. Prints ratios, fails never.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gateway import Gateway
from gateway.demonstration.payments import Order
from gateway.demonstration.site import Site, create_site, sign_batch, write_demo_batch
from tests.bench.measure import Ratio

WANTED = 0.5
"""Rules at most double the time of intake."""
_TURNS = 2
_SAME_PERSONS = 1 / 10_000
"""Of a million invented persons some are invented twice: their second payments are held, rightly."""
_KEY = 'catalogue   = "catalogue.toml"\n'


def run(payments: int = 100_000, turns: int = _TURNS) -> list[Ratio]:
    """CPU seconds of `submit`, into an empty ledger and into one with earlier payments."""
    with tempfile.TemporaryDirectory(prefix="bench-rules-") as name:
        master = create_site(Path(name) / "master", datetime.now(UTC), judged=True)
        _write(master, payments, seed=1)
        empty = [_pair(master, Path(name), turn) for turn in range(turns)]
        with _copy(master, Path(name) / "grown") as grown:
            _submit(grown)
            _write(grown, payments, seed=2)
            full = [_pair(grown, Path(name), turn) for turn in range(turns)]
    return [_ratio("rules at intake", empty, payments), _ratio("rules, period paid before", full, payments)]


def _write(site: Site, payments: int, seed: int) -> None:
    site.signature.unlink(missing_ok=True)
    write_demo_batch(site.batch, Order(count=payments, seed=seed))
    sign_batch(site, datetime.now(UTC))


def _pair(master: Site, folder: Path, turn: int) -> tuple[float, float]:
    """(without, with) CPU seconds."""
    seconds = []
    for judged in (False, True):
        with _copy(master, folder / f"{turn}-{judged}") as site:
            if not judged:
                text = site.configuration.read_text("utf-8")
                site.configuration.write_text(text.replace(_KEY, ""), "utf-8")
            seconds.append(_submit(site))
    return seconds[0], seconds[1]


@contextmanager
def _copy(master: Site, folder: Path) -> Iterator[Site]:
    shutil.copytree(master.folder, folder)
    try:
        yield Site(folder)
    finally:
        shutil.rmtree(folder)


def _submit(site: Site) -> float:
    with Gateway.open(site.configuration) as gateway:
        start = time.process_time()
        receipt = gateway.submit(site.batch, signature=site.signature.read_bytes())
        taken = time.process_time() - start
    if receipt.held > receipt.payments * _SAME_PERSONS:
        sys.exit(f"{receipt.held} payments were held")
    return taken


def _ratio(name: str, pairs: list[tuple[float, float]], payments: int) -> Ratio:
    times = [without / judged for without, judged in pairs]
    return Ratio(
        name=name,
        baseline="no catalogue",
        baseline_microseconds=min(without for without, _ in pairs) / payments * 1e6,
        our_microseconds=min(judged for _, judged in pairs) / payments * 1e6,
        unit="paymt",
        wanted=WANTED,
        spread=(min(times), max(times)),
    )


if __name__ == "__main__":
    for ratio in run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000):
        print(ratio.line())

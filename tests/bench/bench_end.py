"""From a CSV batch to outcomes, with real files, signatures and SFTP: time and memory by stage.

    python -m tests.bench.bench_end [PAYMENTS]
    python -m tests.bench.bench_end make FOLDER PAYMENTS    a site with its batch, to be kept
    python -m tests.bench.bench_end site FOLDER             measure over that site

The gateway is a process of its own, so that its peak memory is its own: the batch is
generated in another one, and each of the three simulated banks is `bankgate simulate`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from gateway import Gateway
from gateway.demonstration.payments import Order
from gateway.demonstration.site import Site, create_site, sign_batch, write_demo_batch
from tests.bench.bare import strip
from tests.bench.measure import peak_bytes

MEBIBYTE = 1 << 20
PATIENCE_SECONDS = 120
"""Banks that answer nothing for so long are given up."""
_PAUSE_SECONDS = 0.2
_QUIET_SECONDS = 2.0
"""After so long without news the gateway is asked whether anything is still open."""
_READY = "listens on"

Result = TypeVar("Result")


class Stage(Struct, frozen=True):
    """What one verb cost the gateway's process."""

    name: str
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


class EndToEnd(Struct, frozen=True, kw_only=True):
    """One batch on its whole way. `steps` are wall seconds inside `run`, as it reports them."""

    payments: int
    outcomes: int
    adds_up: bool
    stages: list[Stage]
    steps: dict[str, float]

    @property
    def cpu_seconds(self) -> float:
        """Of the gateway's process, over all stages."""
        return sum(stage.cpu_seconds for stage in self.stages)

    @property
    def working_seconds(self) -> float:
        """Wall time of what the gateway did, without what it waited for banks."""
        return sum(self.steps.values()) + sum(
            stage.wall_seconds for stage in self.stages if stage.name != "run"
        )

    @property
    def peak_bytes(self) -> int:
        return max(stage.peak_bytes for stage in self.stages)

    def microseconds(self, seconds: float) -> float:
        """Per payment."""
        return seconds / self.payments * 1e6

    @property
    def whole(self) -> bool:
        """Whether every payment came to an outcome."""
        return self.adds_up and self.outcomes == self.payments


def measure(payments: int) -> EndToEnd:
    """Generate, start the banks, run the gateway; everything in processes of their own."""
    with tempfile.TemporaryDirectory(prefix="bench-end-") as name:
        folder = Path(name) / "site"
        make_site(folder, payments)
        return measure_site(folder)


def make_site(folder: Path, payments: int) -> None:
    """A site with its batch, made in another process."""
    _python("make", str(folder), str(payments))


def measure_site(folder: Path, *, bare: bool = False) -> EndToEnd:
    """The same over a site made before; `bare`: by a gateway without its safety (`tests.bench.bare`)."""
    with _banks(Site(folder)):
        return msgspec.json.decode(_python("bare" if bare else "gateway", str(folder)), type=EndToEnd)


def report(result: EndToEnd) -> None:
    """Print a table of one measurement."""
    print(f"end to end, {result.payments} payments from CSV to outcomes, 3 banks over SFTP")
    print("  stage        CPU us/payment  wall us/payment  peak MiB")
    for stage in result.stages:
        cpu, wall = result.microseconds(stage.cpu_seconds), result.microseconds(stage.wall_seconds)
        print(f"  {stage.name:12} {cpu:14.1f}  {wall:15.1f}  {stage.peak_bytes / MEBIBYTE:8.0f}")
    steps = ", ".join(f"{name} {result.microseconds(value):.1f}" for name, value in result.steps.items())
    print(f"  inside run, wall us/payment: {steps}")
    print(f"  peak memory of the gateway's process: {result.peak_bytes / MEBIBYTE:.0f} MiB")
    if not result.whole:
        print(f"  NOT WHOLE: {result.outcomes} outcomes, adds up: {result.adds_up}")


def _python(*arguments: str) -> bytes:
    command = [sys.executable, "-m", "tests.bench.bench_end", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


@contextmanager
def _banks(site: Site) -> Iterator[None]:
    """All banks of a site, each in a process of its own, listening."""
    with ExitStack() as stack:
        for bank in site.banks:
            stack.enter_context(_bank(site, bank))
        yield


@contextmanager
def _bank(site: Site, bank: str) -> Iterator[None]:
    path = site.folder / f"{bank}.log"
    start = "from gateway.cli.root import main; main()"
    command = [sys.executable, "-c", start, "simulate", bank, "--folder", str(site.folder)]
    with path.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process:
        try:
            while _READY not in path.read_text("utf-8"):
                if process.poll() is not None:
                    raise RuntimeError(f"bank {bank} did not start: {path.read_text('utf-8')}")
                time.sleep(_PAUSE_SECONDS)
            yield
        finally:
            process.terminate()


def _make(folder: Path, payments: int) -> None:
    now = datetime.now(UTC)
    site = create_site(folder, now)
    write_demo_batch(site.batch, Order(count=payments, seed=7, defects=max(3, payments // 500)))
    sign_batch(site, now)


def _run_gateway(site: Site) -> EndToEnd:
    stages: list[Stage] = []
    with Gateway.open(site.configuration) as gateway:
        signature = site.signature.read_bytes()
        receipt = _stage(stages, "submit", lambda: gateway.submit(site.batch, signature=signature))
        steps = _stage(stages, "run", lambda: _run_to_the_end(gateway, receipt.batch_id))
        count = _stage(stages, "outcomes", lambda: sum(1 for _ in gateway.outcomes(receipt.batch_id)))
        status = _stage(stages, "status", lambda: gateway.status(receipt.batch_id))[0]
    return EndToEnd(
        payments=receipt.payments,
        outcomes=count,
        adds_up=status.adds_up and status.open_count == 0,
        stages=stages,
        steps=steps,
    )


def _run_to_the_end(gateway: Gateway, batch_id: str) -> dict[str, float]:
    """Run until every payment has an outcome; wall seconds by step."""
    steps: dict[str, float] = {}
    last_news = time.monotonic()
    while (quiet := time.monotonic() - last_news) < PATIENCE_SECONDS:
        report = gateway.run()
        for name, seconds in report.seconds.items():
            steps[name] = steps.get(name, 0.0) + seconds
        if report.did_something:
            last_news = time.monotonic()
        elif quiet > _QUIET_SECONDS and not gateway.status(batch_id)[0].open_count:
            break
        else:
            time.sleep(_PAUSE_SECONDS)
    return steps


def _stage(stages: list[Stage], name: str, work: Callable[[], Result]) -> Result:
    _forget_peak()
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    stages.append(Stage(name, cpu, wall, peak_bytes()))
    return result


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def main(arguments: list[str]) -> None:
    match arguments:
        case ["make", folder, payments]:
            _make(Path(folder), int(payments))
        case ["gateway", folder]:
            sys.stdout.buffer.write(msgspec.json.encode(_run_gateway(Site(Path(folder)))))
        case ["bare", folder]:
            strip()
            sys.stdout.buffer.write(msgspec.json.encode(_run_gateway(Site(Path(folder)))))
        case ["site", folder]:
            report(measure_site(Path(folder)))
        case [payments]:
            report(measure(int(payments)))
        case _:
            report(measure(100_000))


if __name__ == "__main__":
    main(sys.argv[1:])

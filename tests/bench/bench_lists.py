"""Memory of a reconciliation and of a public list against credits, of as many payments as wanted.

    python -m tests.bench.bench_lists [PAYMENTS]

The ledger's rows are written beside the gateway, since only their number counts here; the gateway that
reads them is a process of its own, whose peak is printed. Wanted: under 300 MiB at a million.
"""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from gateway import Gateway
from gateway.demonstration.payments import Order
from gateway.demonstration.site import Site, create_site, sign_batch, write_demo_batch

WANTED_MEBIBYTES = 300
_KIBIBYTE = 1 << 10
_FIRST_KEY = 1000
_COLUMNS = (
    "payment_pk, batch_pk, lane_pk, position, source_line, payment_id, amount_minor, subject_pk,"
    " disposition, reason"
)


def make(folder: Path, payments: int) -> None:
    """A site whose one batch has so many credited payments, and the list that was published of them."""
    site = create_site(folder, datetime.now(UTC), judged=True)
    write_demo_batch(site.batch, Order(count=40))
    sign_batch(site, datetime.now(UTC))
    with Gateway.open(site.configuration) as gateway:
        receipt = gateway.submit(site.batch, signature=site.signature.read_bytes())
    with sqlite3.connect(site.configuration.parent / "ledger.sqlite") as ledger:
        first = ledger.execute("SELECT batch_pk, lane_pk, subject_pk FROM payment LIMIT 1").fetchone()
        batch_pk, lane_pk, subject_pk = first
        rows = (
            (key, batch_pk, lane_pk, key, key, _id(key), _minor(key), subject_pk, "accepted", "")
            for key in range(_FIRST_KEY, _FIRST_KEY + payments)
        )
        ledger.executemany(f"INSERT INTO payment ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
        ledger.execute(
            "INSERT INTO outcome (payment_pk, stated, status, reason, credited_minor, code, serial,"
            " recorded_at) SELECT payment_pk, 'credited', 'credited', '', amount_minor, '', '',"
            " '2026-09-01T00:00:00+00:00' FROM payment WHERE payment_pk >= ?",
            (_FIRST_KEY,),
        )
    ledger.close()
    with (folder / "list.csv").open("w", encoding="utf-8") as sink:
        sink.write(f"批次号,{receipt.batch_id}\n\n明细编号,金额(元)\n")
        for key in range(_FIRST_KEY, _FIRST_KEY + payments):
            sink.write(f"{_id(key)},{_minor(key) // 100}.{_minor(key) % 100:02d}\n")


def measure(folder: Path) -> None:
    """Print CPU seconds and peak of each, in this process."""
    site = Site(folder)
    with Gateway.open(site.configuration) as gateway:
        start = time.process_time()
        (book,) = gateway.plan.books()
        _print(f"reconciliation of {book.instructed.count}", start)
        start = time.process_time()
        check = gateway.plan.check_list(book.key.partition("/")[2], folder / "list.csv")
        if not check.agrees:
            sys.exit(f"list and credits differ: {check.counts}")
        _print(f"list of {check.published_count} against {check.credited_count} credits", start)


def _print(what: str, start: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KIBIBYTE
    verdict = "yes" if peak < WANTED_MEBIBYTES else "NO"
    seconds = time.process_time() - start
    print(f"  {what}: {seconds:.1f} s CPU, peak {peak} MiB, wanted {WANTED_MEBIBYTES}: {verdict}", flush=True)


def _id(key: int) -> str:
    return f"X-{key:09d}"


def _minor(key: int) -> int:
    return 10_000 + key % 50


def run(payments: int) -> None:
    """Make and measure, in processes of their own."""
    with tempfile.TemporaryDirectory(prefix="bench-lists-") as name:
        for step in (["make", name + "/site", str(payments)], ["measure", name + "/site"]):
            subprocess.run([sys.executable, "-m", "tests.bench.bench_lists", *step], check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", folder, payments]:
            make(Path(folder), int(payments))
        case ["measure", folder]:
            measure(Path(folder))
        case [payments]:
            run(int(payments))
        case _:
            run(1_000_000)

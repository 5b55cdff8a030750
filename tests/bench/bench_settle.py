"""Settling beside plain `sqlite3`, in one run: `python -m tests.bench.bench_settle [PAYMENTS]`.

A site of the demonstration's three banks is driven to the point where every result lies in the
spool, verified and not settled. Then file by file, by turns: ours settles the file (our file is
found, records are matched with what was written, judged, sealed, appended, digested into the
journal, committed); the baseline appends the very rows that ours wrote to a database with the
same table, indexes and pragmas, with one `executemany` and one commit a file. Rows, and ours'
chunks in the first comparison, are made beforehand. Prints ratios, fails never.
"""

from __future__ import annotations

import gc
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from msgspec import Struct

from formats import RecordChunk
from gateway import Gateway, runner
from gateway.configuration.profile import Profile
from gateway.demonstration.payments import Order
from gateway.demonstration.settings_texts import SCENARIOS
from gateway.demonstration.site import sign_batch, write_demo_batch
from gateway.installation import Installation
from gateway.ledger.received import ReceivedRow, received_in
from gateway.settlement.settle import Settled, settle
from gateway.settlement.verify import VerifiedFile, verify
from gateway.states import ReceivedState
from tests.bench.measure import Ratio
from tests.gateway.sites import Ground, make_master

PASSES = 3
WANTED = 0.5
"""Settling costs at most twice what plain appending of its rows costs."""
_FAILED_PER_MILLE = 20
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16384", "wal_autocheckpoint=4000")
"""Those of our ledger: with the driver's own small cache the baseline would be slower."""


class Cost(Struct):
    """Seconds over all files of one pass, of this process's CPU and of the wall clock."""

    cpu: float = 0.0
    wall: float = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        gc.freeze()  # what lies there beforehand is nobody's cost
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.cpu += time.process_time() - cpu
        self.wall += time.perf_counter() - wall
        gc.unfreeze()


class Pass(Struct):
    """One pass over all results. `decoding` is what was done beforehand and is not in `ours`."""

    outcomes: int
    ours: Cost
    baseline: Cost
    decoding: Cost


class _Decoded:
    """A decoder whose work was done before: the same chunks, facts and problems."""

    def __init__(self, codec: Any, chunks: list[RecordChunk], decoder: Any) -> None:
        self.name, self.digest = codec.name, codec.digest
        self.facts, self.problems = decoder.facts, decoder.problems
        self._chunks = chunks

    def decode(self, _source: BinaryIO) -> _Decoded:
        return self

    def __iter__(self) -> Iterator[RecordChunk]:
        return iter(self._chunks)


class _OneCodec:
    """A registry that gives this codec whatever it is asked for."""

    def __init__(self, codec: _Decoded) -> None:
        self._codec = codec

    def get(self, _name: str) -> _Decoded:
        return self._codec


class Stage:
    """A site whose results are verified and not settled; each pass starts from the same ledger."""

    def __init__(self, folder: Path, payments: int) -> None:
        self._ground = Ground(make_master(folder / "master", every_department=True), folder / "ground")
        self._prepared = folder / "prepared.sqlite"
        self._baseline = folder / "baseline.sqlite"
        order = Order(count=payments, seed=7, defects=max(3, payments // 500))
        write_demo_batch(self._ground.site.batch, order)
        sign_batch(self._ground.site, self._ground.clock.now())
        for bank, scenario in SCENARIOS.items():
            self._ground.bank(bank, scenario, _FAILED_PER_MILLE)
        with self._ground.open() as gateway:
            site = self._ground.site
            gateway.submit(site.batch, signature=site.signature.read_bytes())
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(runner, "settle", _acknowledgements_only)
                self._ground.run_to_the_end(gateway, turns=6)
        # The last connection that closes leaves everything in this one file.
        shutil.copyfile(self._ground.ledger_path, self._prepared)

    def play(self, *, decode: bool) -> Pass:
        """Settle everything, by turns with the baseline."""
        shutil.copyfile(self._prepared, self._ground.ledger_path)
        self._baseline.unlink(missing_ok=True)
        told = Pass(0, Cost(), Cost(), Cost())
        with (
            self._ground.open() as gateway,
            closing(sqlite3.connect(self._ground.ledger_path)) as ledger,
            closing(sqlite3.connect(self._baseline, isolation_level=None)) as plain,
        ):
            columns = _same_table(ledger, plain)
            for profile, received in _waiting(gateway):
                self._turn(gateway, profile, received, told, decode=decode)
                with closing(ledger.cursor()) as cursor:
                    cursor.execute(
                        f"SELECT {', '.join(columns)} FROM outcome WHERE received_pk = ? ORDER BY outcome_pk",
                        (received.received_pk,),
                    )
                    _append(plain, columns, cursor.fetchall(), told.baseline)
        return told

    def _turn(
        self, gateway: Gateway, profile: Profile, received: ReceivedRow, told: Pass, *, decode: bool
    ) -> None:
        installation = gateway.installation
        verified = verify(installation, profile, received)
        assert verified is not None
        with pytest.MonkeyPatch.context() as patch:
            if not decode:
                patch.setattr(installation, "codecs", _decoded(installation, verified, told.decoding))
            with told.ours.measured():
                settled = settle(installation, profile, verified)
        assert not settled.held, settled.problems
        told.outcomes += settled.outcomes


def _acknowledgements_only(installation: Installation, profile: Profile, verified: VerifiedFile) -> Settled:
    received = verified.received
    if received.kind == "acknowledgement":
        return settle(installation, profile, verified)
    return Settled(received_pk=received.received_pk, name=received.name)


def _waiting(gateway: Gateway) -> list[tuple[Profile, ReceivedRow]]:
    """Results to be settled, bank by bank, in the order in which a run takes them."""
    found = []
    with gateway.installation.ledger.read() as transaction:
        for profile in gateway.configuration.profiles.values():
            rows = received_in(transaction, profile.bank, ReceivedState.VERIFIED)
            found += [(profile, row) for row in rows if row.kind == "result"]
    return found


def _decoded(installation: Installation, verified: VerifiedFile, decoding: Cost) -> Any:
    codec = installation.codecs.get(verified.received.layout)
    with installation.spool.open(verified.content_name) as stream, decoding.measured():
        decoder = codec.decode(stream)
        chunks = list(decoder)
    return _OneCodec(_Decoded(codec, chunks, decoder))


def _same_table(ledger: sqlite3.Connection, plain: sqlite3.Connection) -> list[str]:
    """Make the ledger's table of outcomes, with its indexes, in an empty database; its columns."""
    for pragma in _PRAGMAS:
        plain.execute(f"PRAGMA {pragma}")
    statements = ledger.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'outcome' AND sql IS NOT NULL ORDER BY type DESC"
    ).fetchall()
    for (statement,) in statements:
        plain.execute(statement)
    return [row[1] for row in ledger.execute("PRAGMA table_info(outcome)") if row[1] != "outcome_pk"]


def _append(plain: sqlite3.Connection, columns: list[str], rows: list[Any], cost: Cost) -> None:
    statement = f"INSERT INTO outcome ({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})"
    with cost.measured():
        plain.execute("BEGIN IMMEDIATE")
        plain.executemany(statement, rows)
        plain.execute("COMMIT")


def run(payments: int = 200_000, passes: int = PASSES) -> list[Ratio]:
    """From decoded chunks, decoding alone, and both together; each beside plain appending."""
    with tempfile.TemporaryDirectory(prefix="bench-settle-") as name:
        stage = Stage(Path(name), payments)
        apart = [stage.play(decode=False) for _ in range(passes)]
        together = [stage.play(decode=True) for _ in range(passes)]
    return [
        _ratio("settle, chunks given", apart, lambda one: (one.ours.cpu, one.baseline.cpu), WANTED),
        _ratio("settle, wall time", apart, lambda one: (one.ours.wall, one.baseline.wall), WANTED),
        _ratio("decode results", apart, lambda one: (one.decoding.cpu, one.baseline.cpu)),
        _ratio("decode and settle", together, lambda one: (one.ours.cpu, one.baseline.cpu)),
    ]


def _ratio(
    name: str,
    passes: list[Pass],
    seconds: Callable[[Pass], tuple[float, float]],
    wanted: float | None = None,
) -> Ratio:
    """Of the fastest pass of each; `seconds` are ours and the baseline's."""
    turns = [seconds(one) for one in passes]
    times = [baseline / ours for ours, baseline in turns]
    outcomes = passes[0].outcomes
    return Ratio(
        name=name,
        baseline="sqlite3 executemany",
        baseline_microseconds=min(baseline for _, baseline in turns) / outcomes * 1e6,
        our_microseconds=min(ours for ours, _ in turns) / outcomes * 1e6,
        unit="row",
        wanted=wanted,
        spread=(min(times), max(times)),
    )


if __name__ == "__main__":
    for ratio in run(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000):
        print(ratio.line())

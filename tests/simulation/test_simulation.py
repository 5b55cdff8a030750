"""Histories with crashes and faults keep the one promise; a broken gateway is found out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway import transmit
from gateway.installation import Installation
from gateway.ledger import Transaction
from gateway.ledger_files import FileRow
from tests.simulation.auditor import Violation
from tests.simulation.history import play
from tests.simulation.world import Base

QUICK_SEEDS = range(6)
HEAVY_SEEDS = range(1000, 1040)
SEEDS_TO_BREAK = range(200)
"""Histories enough that one of them finds the bug; the first that does ends the test."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    made = Base(tmp_path_factory.mktemp("simulation"))
    yield made
    made.log_file.close()


def _play_all(base: Base) -> None:
    for seed in SEEDS_TO_BREAK:
        play(base, seed, rate=0.06)


@pytest.mark.parametrize("seed", QUICK_SEEDS)
def test_history_keeps_the_promise(base: Base, seed: int) -> None:
    assert play(base, seed).seed == seed


def test_same_seed_gives_the_same_history(base: Base) -> None:
    assert play(base, 3) == play(base, 3)


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_many_histories_keep_the_promise(base: Base) -> None:
    faults = sum(play(base, seed).faults for seed in HEAVY_SEEDS)
    assert faults > len(HEAVY_SEEDS)


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_sending_an_uncertain_file_again_is_found(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    def send_again(_installation: Installation, transaction: Transaction, file: FileRow, _why: str) -> None:
        transaction.run(
            "UPDATE file SET state = 'sealed' WHERE file_pk = :pk AND state = 'releasing'", pk=file.file_pk
        )

    monkeypatch.setattr(transmit, "_make_uncertain", send_again)
    with pytest.raises(Violation):
        _play_all(base)

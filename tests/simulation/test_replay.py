"""The replay of the journal agrees with a ledger that nobody touched, and with no other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.simulation.history import play_seed
from tests.simulation.laboratory import scratch
from tests.simulation.replay import Replay
from tests.simulation.world import Base

SEED = 3

TOUCHED = {
    "a file's state": "UPDATE file SET state = 'voided' WHERE state = 'settled'",
    "a received file's state": "UPDATE received SET state = 'refused' WHERE state = 'settled'",
    "a batch's state": "UPDATE batch SET state = 'held' WHERE state = 'released'",
    "a payment's disposition": "UPDATE payment SET disposition = 'withdrawn' WHERE disposition = 'accepted'",
    "an attempt": "UPDATE attempt SET live = 0 WHERE live = 1",
    "an outcome's status": "UPDATE outcome SET status = 'returned' WHERE status = 'credited'",
    "an outcome's amount": "UPDATE outcome SET credited_minor = 1 WHERE status = 'credited'",
    "an outcome less": "DELETE FROM outcome WHERE received_pk IS NOT NULL",
    "a sequence": "UPDATE bank_sequence SET last = last - 1",
    "a hold": "INSERT INTO bank_hold (bank, cause, message, recorded_at) VALUES ('x', 'operator', '', '')",
    "a decision less": "DELETE FROM decision",
    "an event less": "DELETE FROM event WHERE kind = 'received file settled'",
}


@pytest.fixture(scope="module")
def ended() -> Iterator[tuple[Base, bytes]]:
    """The ledger at the end of a history."""
    with scratch() as folder:
        base = Base(folder / "base")
        assert play_seed(base, SEED).violation == ""
        yield base, base.ledger.copy()


def differences(base: Base) -> list[str]:
    replay = Replay(base.configuration.profiles)
    with base.ledger.read() as transaction:
        for row in transaction.all("SELECT kind, body FROM event ORDER BY event_pk"):
            replay.take(row.kind, json.loads(row.body))
        return replay.differences(transaction)


def test_the_journal_says_what_the_ledger_holds(ended: tuple[Base, bytes]) -> None:
    base, ledger = ended
    base.ledger.put(ledger)
    assert differences(base) == []


@pytest.mark.parametrize("statement", TOUCHED.values(), ids=TOUCHED)
def test_what_was_touched_is_found(ended: tuple[Base, bytes], statement: str) -> None:
    base, ledger = ended
    base.ledger.put(ledger)
    with base.ledger.write() as transaction:
        assert transaction.run(statement) > 0
    assert differences(base) != []


def test_an_event_that_nobody_knows_is_found() -> None:
    replay = Replay([])
    replay.take("something new", {})
    assert replay.mistakes == ["nobody knows what an event 'something new' says"]

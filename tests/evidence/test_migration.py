"""A ledger of the first revision is brought to the chain that may be shown in part."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import gateway
from gateway.errors import JournalBroken
from gateway.evidence import first_broken_event
from gateway.ledger.database import Ledger
from gateway.ledger.identity import identity_of


def first_form(previous: str, *parts: str) -> str:
    running = hashlib.sha256()
    for part in (previous, *parts):
        running.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    return running.hexdigest()


@pytest.fixture
def old_ledger(tmp_path: Path) -> Path:
    """A ledger of revision 0001 with three events and a held bank."""
    path = tmp_path / "ledger.sqlite"
    config = Config()
    config.set_main_option("script_location", str(Path(gateway.__file__).parent / "ledger" / "migrations"))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    previous = hashlib.sha256(b"bankgate journal").hexdigest()
    with sqlite3.connect(path) as database:
        for number in range(3):
            event = (f"2026-01-0{number + 1}T00:00:00+00:00", "kind", f'{{"n":{number}}}')
            previous = first_form(previous, *event)
            database.execute(
                "INSERT INTO event (recorded_at, kind, body, hash) VALUES (?,?,?,?)", (*event, previous)
            )
        database.execute("INSERT INTO bank_hold VALUES ('bank', 'refused', 'login', '2026-01-01')")
    database.close()
    return path


def test_its_chain_is_checked_and_written_anew(old_ledger: Path) -> None:
    ledger = Ledger(old_ledger)
    with ledger.read() as transaction:
        assert first_broken_event(transaction) is None
        assert [row.body for row in transaction.all("SELECT body FROM event")] == [
            '{"n":0}',
            '{"n":1}',
            '{"n":2}',
        ]
        assert [tuple(row) for row in transaction.all("SELECT * FROM bank_hold")] == [
            ("bank", "refused", "login", "2026-01-01")
        ]
    ledger.close()


def test_every_ledger_gets_an_identity_of_its_own(old_ledger: Path, tmp_path: Path) -> None:
    found = []
    for path in (old_ledger, tmp_path / "new.sqlite"):
        for _ in range(2):
            ledger = Ledger(path)
            with ledger.read() as transaction:
                found.append(identity_of(transaction))
            ledger.close()
    assert (found[0], found[2]) == (found[1], found[3])
    assert found[0] != found[2]


def test_a_broken_chain_is_not_mended_by_it(old_ledger: Path) -> None:
    with sqlite3.connect(old_ledger) as database:
        database.execute("UPDATE event SET body = '{}' WHERE event_pk = 2")
    database.close()
    with pytest.raises(JournalBroken, match="event 2 of the journal"):
        Ledger(old_ledger)

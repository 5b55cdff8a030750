"""Signed heads of the journal and what became of them at the anchor, as the ledger has them."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from gateway.ledger.database import Transaction


class HeadRow(Struct, frozen=True, kw_only=True):
    """A signed head; `delivered_at` is None until the anchor has it."""

    head_pk: int
    event_pk: int
    hash: str
    name: str
    statement: bytes
    signature: bytes
    recorded_at: str
    delivered_at: str | None


_COLUMNS = ", ".join(HeadRow.__struct_fields__)


def last_event(transaction: Transaction) -> tuple[int, str] | None:
    """(number, hash) of the journal's last event."""
    row = transaction.one("SELECT event_pk, hash FROM event ORDER BY event_pk DESC LIMIT 1")
    return None if row is None else (int(row.event_pk), str(row.hash))


def last_recorded_at(transaction: Transaction) -> datetime | None:
    """When the journal's last event was recorded; None before the first."""
    row = transaction.one("SELECT recorded_at FROM event ORDER BY event_pk DESC LIMIT 1")
    return None if row is None else datetime.fromisoformat(row.recorded_at)


def event_hash_of(transaction: Transaction, event_pk: int) -> str | None:
    row = transaction.one("SELECT hash FROM event WHERE event_pk = :pk", pk=event_pk)
    return None if row is None else str(row.hash)


def sequences(transaction: Transaction) -> dict[str, int]:
    """Each bank's highest sequence."""
    rows = transaction.all("SELECT bank, last FROM bank_sequence ORDER BY bank")
    return {row.bank: int(row.last) for row in rows}


def last_restored_from(transaction: Transaction) -> str:
    """SHA-256 of the manifest of the backup from which the ledger was put back last; "" for none."""
    row = transaction.one(
        "SELECT body FROM event WHERE kind = 'ledger restored' ORDER BY event_pk DESC LIMIT 1"
    )
    return "" if row is None else str(msgspec.json.decode(row.body)["manifest_sha256"])


def raise_sequence(transaction: Transaction, bank: str, sequence: int) -> None:
    """Never give a bank a number up to `sequence` again."""
    transaction.run(
        "INSERT INTO bank_sequence (bank, last) VALUES (:bank, :sequence)"
        " ON CONFLICT (bank) DO UPDATE SET last = MAX(last, :sequence)",
        bank=bank,
        sequence=sequence,
    )


def last_head(transaction: Transaction, delivered: bool = False) -> HeadRow | None:
    """The newest head, or the newest that the anchor has."""
    row = transaction.one(
        f"SELECT {_COLUMNS} FROM journal_head WHERE NOT :delivered OR delivered_at IS NOT NULL"
        " ORDER BY head_pk DESC LIMIT 1",
        delivered=delivered,
    )
    return None if row is None else HeadRow(**row._mapping)


def head_names(transaction: Transaction) -> set[str]:
    return {row.name for row in transaction.all("SELECT name FROM journal_head")}


def insert_head(
    transaction: Transaction,
    event_pk: int,
    event_hash: str,
    name: str,
    statement: bytes,
    signature: bytes,
    at: str,
) -> None:
    transaction.run(
        "INSERT INTO journal_head (event_pk, hash, name, statement, signature, recorded_at)"
        " VALUES (:event, :hash, :name, :statement, :signature, :at)",
        event=event_pk,
        hash=event_hash,
        name=name,
        statement=statement,
        signature=signature,
        at=at,
    )


def mark_delivered(transaction: Transaction, head_pk: int, at: datetime) -> None:
    transaction.run(
        "UPDATE journal_head SET delivered_at = :at WHERE head_pk = :pk AND delivered_at IS NULL",
        at=at.isoformat(),
        pk=head_pk,
    )


def differences(transaction: Transaction) -> set[str]:
    """Heads at the anchor that were told of already."""
    return {row.name for row in transaction.all("SELECT name FROM anchor_difference")}


def note_difference(transaction: Transaction, name: str, message: str, at: datetime) -> None:
    transaction.run(
        "INSERT INTO anchor_difference (name, message, recorded_at) VALUES (:name, :message, :at)"
        " ON CONFLICT (name) DO NOTHING",
        name=name,
        message=message,
        at=at.isoformat(),
    )


def anchor_fault(transaction: Transaction) -> tuple[str, bool]:
    """(what went wrong at the anchor last, whether it refused us); ("", False) where all is well."""
    row = transaction.one("SELECT fault, refused FROM anchor_state")
    return ("", False) if row is None else (str(row.fault), bool(row.refused))


def fault_noted_at(transaction: Transaction) -> str:
    """When what went wrong at the anchor last was seen first; "" where nothing was ever noted."""
    row = transaction.one("SELECT recorded_at FROM anchor_state")
    return "" if row is None else str(row.recorded_at)


def recorded_at_of(transaction: Transaction, event_pk: int) -> str:
    """When an event was recorded; "" where there is none of that number."""
    row = transaction.one("SELECT recorded_at FROM event WHERE event_pk = :pk", pk=event_pk)
    return "" if row is None else str(row.recorded_at)


def note_fault(transaction: Transaction, fault: str, refused: bool, at: datetime) -> None:
    transaction.run(
        "INSERT INTO anchor_state (one, fault, refused, recorded_at) VALUES (1, :fault, :refused, :at)"
        " ON CONFLICT (one) DO UPDATE SET fault = :fault, refused = :refused, recorded_at = :at",
        fault=fault,
        refused=refused,
        at=at.isoformat(),
    )

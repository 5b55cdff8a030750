"""What the ledger knows of persons: the last event that told who is enrolled, and their decisions."""

from __future__ import annotations

from gateway.ledger.database import Transaction

ENROLLED = "persons enrolled"
"""Kind of the event that tells every person and key that may decide."""


def last_enrolled(transaction: Transaction) -> str | None:
    """Body of the last such event, or None; found by an index of these events alone."""
    row = transaction.one(
        "SELECT body FROM event WHERE kind = 'persons enrolled' ORDER BY event_pk DESC LIMIT 1"
    )
    return None if row is None else str(row.body)


def decisions_by_key(transaction: Transaction) -> dict[tuple[str, str], int]:
    """How many decisions were signed, by (person, key_id)."""
    rows = transaction.all("SELECT person, key_id, COUNT(*) AS number FROM decision GROUP BY person, key_id")
    return {(row.person, row.key_id): int(row.number) for row in rows}

"""Signed heads of the journal, what its anchor said, and holds of a bank by cause.

A ledger of the first revision has no signed heads, so its chain is bound to nothing outside:
it is checked once more and then written in the form whose hashes cover digests of bodies.
"""

import hashlib

from alembic import op
from sqlalchemy import text

from gateway.errors import JournalBroken
from gateway.evidence import FIRST_HASH, event_hash

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # Exactly what was signed, and whether it came to the anchor. A later head covers earlier ones.
    """CREATE TABLE journal_head (
        head_pk INTEGER PRIMARY KEY,
        event_pk INTEGER NOT NULL UNIQUE,
        hash TEXT NOT NULL,
        name TEXT NOT NULL UNIQUE,
        statement BLOB NOT NULL,
        signature BLOB NOT NULL,
        recorded_at TEXT NOT NULL,
        delivered_at TEXT)""",
    # Heads at the anchor that this ledger does not agree with, each told and held for once.
    """CREATE TABLE anchor_difference (
        name TEXT PRIMARY KEY,
        message TEXT NOT NULL,
        recorded_at TEXT NOT NULL) WITHOUT ROWID""",
    # One row: how the last talk with the anchor ended; `fault` is "" where it went
    # well; after a refusal nobody knocks again until a person says so.
    """CREATE TABLE anchor_state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        fault TEXT NOT NULL,
        refused INTEGER NOT NULL,
        recorded_at TEXT NOT NULL)""",
    # A bank may be held for being refused and for the ledger being behind: neither hides the other.
    """CREATE TABLE bank_hold_by_cause (
        bank TEXT NOT NULL,
        cause TEXT NOT NULL,
        message TEXT NOT NULL,
        recorded_at TEXT NOT NULL,
        PRIMARY KEY (bank, cause)) WITHOUT ROWID""",
    "INSERT INTO bank_hold_by_cause (bank, cause, message, recorded_at)"
    " SELECT bank, cause, message, recorded_at FROM bank_hold",
    "DROP TABLE bank_hold",
    "ALTER TABLE bank_hold_by_cause RENAME TO bank_hold",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    _write_chain_anew()


def _write_chain_anew() -> None:
    connection = op.get_bind()
    before, after = FIRST_HASH, FIRST_HASH
    rows = connection.execute(
        text("SELECT event_pk, recorded_at, kind, body, hash FROM event ORDER BY event_pk")
    ).all()
    for row in rows:
        before = _first_form(before, row.recorded_at, row.kind, row.body)
        if before != row.hash:
            raise JournalBroken(
                f"event {row.event_pk} of the journal does not follow from the one before",
                hint="the ledger was changed by other means: restore a backup",
            )
        after = event_hash(after, row.recorded_at, row.kind, row.body)
        connection.execute(
            text("UPDATE event SET hash = :hash WHERE event_pk = :pk"), {"hash": after, "pk": row.event_pk}
        )


def _first_form(previous: str, recorded_at: str, kind: str, body: str) -> str:
    running = hashlib.sha256()
    for part in (previous, recorded_at, kind, body):
        raw = part.encode()
        running.update(len(raw).to_bytes(8, "big") + raw)
    return running.hexdigest()


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")

"""The journal: what happened, in order, each event's hash covering the one before.

An event is written in the transaction of the change that it tells of, so neither can
exist without the other. Bodies hold digests, counts, sums, states and names of files;
never a name, an ID or an account number of a person.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from gateway.ledger import Transaction

FIRST_HASH = hashlib.sha256(b"bankgate journal").hexdigest()
"""What the first event's hash covers."""


def record(transaction: Transaction, at: datetime, kind: str, /, **body: Any) -> str:
    """Append an event; its hash."""
    last = transaction.one("SELECT hash FROM event ORDER BY event_pk DESC LIMIT 1")
    text = msgspec.json.encode(body, order="sorted").decode()
    digest = event_hash(FIRST_HASH if last is None else last.hash, at.isoformat(), kind, text)
    transaction.run(
        "INSERT INTO event (recorded_at, kind, body, hash) VALUES (:at, :kind, :body, :hash)",
        at=at.isoformat(),
        kind=kind,
        body=text,
        hash=digest,
    )
    return digest


def event_hash(previous: str, recorded_at: str, kind: str, body: str) -> str:
    """Lower-case hex SHA-256 of the four, each preceded by its length in bytes."""
    running = hashlib.sha256()
    for part in (previous, recorded_at, kind, body):
        raw = part.encode()
        running.update(len(raw).to_bytes(8, "big"))
        running.update(raw)
    return running.hexdigest()


def first_broken_event(transaction: Transaction) -> int | None:
    """Key of the first event whose hash does not follow from the one before, or None."""
    previous = FIRST_HASH
    for row in transaction.stream(
        "SELECT event_pk, recorded_at, kind, body, hash FROM event ORDER BY event_pk"
    ):
        if event_hash(previous, row.recorded_at, row.kind, row.body) != row.hash:
            return int(row.event_pk)
        previous = row.hash
    return None

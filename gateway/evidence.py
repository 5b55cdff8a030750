"""The journal: what happened, in order, each event's hash covering the one before.

An event is written in the transaction of the change that it tells of, so neither can
exist without the other. Bodies hold digests, counts, sums, states and names of files;
never a name, an ID or an account number of a person. A hash covers the digest of its body,
so that the chain can be shown, and checked, with some of the bodies left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.ledger.database import Transaction

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
    """Hash of an event after the one whose hash is `previous`; all are texts, all are covered."""
    return chain_hash(previous, recorded_at, kind, body_digest(body))


def body_digest(body: str) -> str:
    """Lower-case hex SHA-256 of a body's text."""
    return hashlib.sha256(body.encode()).hexdigest()


def chain_hash(previous: str, recorded_at: str, kind: str, body_sha256: str) -> str:
    """Lower-case hex SHA-256 of the four, each preceded by its length in bytes (8, big-endian)."""
    running = hashlib.sha256()
    for part in (previous, recorded_at, kind, body_sha256):
        raw = part.encode()
        running.update(len(raw).to_bytes(8, "big"))
        running.update(raw)
    return running.hexdigest()


def items_digest(items: Iterable[tuple[int, int, str, int]]) -> str:
    """SHA-256 over a file's items as JSON arrays [item, payment, payment_id, amount_minor], LF after each.

    The event of a planned file holds it, and thereby which payment of which amount is in it.
    """
    running = hashlib.sha256()
    encoder = msgspec.json.Encoder()
    for item in items:
        running.update(encoder.encode(item))
        running.update(b"\n")
    return running.hexdigest()


def rows_digest(rows: Sequence[tuple[Any, ...]]) -> str:
    """SHA-256 over outcomes as one JSON array of arrays, in the order of `docs/audit.md`."""
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()


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

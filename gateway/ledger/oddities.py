"""What a bank did that nothing of ours takes: kept until a person has looked at it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from gateway import evidence
from gateway.installation import canonical
from gateway.ledger.database import Transaction


class OddityKind(StrEnum):
    """Why somebody must look."""

    STRANGE_NAME = "strange-name"
    """A file in the bank's outbox whose name no pattern of the profile takes."""
    OTHER_CONTENT = "other-content"
    """Other bytes under a name that was fetched before."""
    DUPLICATE_AFTER_RECEIPT = "duplicate-after-receipt"
    """The bank calls a file a duplicate that it had acknowledged or answered: did it take it twice?"""
    PAID_TWICE = "paid-twice-perhaps"
    """Somebody may have been paid twice, and it cannot be stopped here."""
    UNREADABLE = "unreadable"
    """A file of the bank is larger than its limit, or may not be read."""
    GONE = "gone"
    """A file of the bank was seen and taken away before it was complete or fetched."""
    NEVER_COMPLETE = "never-complete"
    """A file of the bank lies there without its flag or signature for more than a day."""
    STATEMENT_DIFFERS = "statement-differs"
    """A bank's statement and its results say different things of payments."""
    FLAG_DIFFERS = "flag-differs"
    """A flag of the bank says something else of its file than what lies there."""
    NO_ANSWER = "no-answer"
    """A file was not answered, or not for all its payments, within the agreement's deadline."""


class OddityRow(Struct, frozen=True, kw_only=True):
    """One oddity. `evidence` is JSON text: sizes, times, digests; `exhibit` is the SHA-256 of
    bytes that are kept of it, "" for none.
    """

    oddity_pk: int
    bank: str
    kind: OddityKind
    name: str
    message: str
    evidence: str
    exhibit: str
    recorded_at: str
    closed_at: str | None


_COLUMNS = ", ".join(OddityRow.__struct_fields__)


def note_oddity(
    transaction: Transaction,
    at: datetime,
    kind: OddityKind,
    bank: str,
    name: str,
    message: str,
    exhibit: str = "",
    once: bool = False,
    **proof: Any,
) -> None:
    """Keep an oddity, and tell the journal. The same one is not told again while it is open.

    `once`: nor after a person closed it. That is for what lasts, and is seen at every look.
    """
    values = canonical(proof)
    told = transaction.one(
        "SELECT 1 FROM oddity WHERE bank = :bank AND name = :name AND kind = :kind AND evidence = :evidence"
        " AND (:once OR closed_at IS NULL) LIMIT 1",
        bank=bank,
        name=name,
        kind=kind,
        evidence=values,
        once=once,
    )
    if told is not None:
        return
    transaction.run(
        "INSERT INTO oddity (bank, kind, name, message, evidence, exhibit, recorded_at)"
        " VALUES (:bank, :kind, :name, :message, :evidence, :exhibit, :at)",
        bank=bank,
        kind=kind,
        name=name,
        message=message,
        evidence=values,
        exhibit=exhibit,
        at=at.isoformat(),
    )
    evidence.record(
        transaction, at, "oddity", bank=bank, oddity=kind, name=name, exhibit=exhibit, about=proof
    )


def was_told(transaction: Transaction, bank: str, name: str, kind: OddityKind) -> bool:
    """Whether a person was told this of the name, closed or not."""
    row = transaction.one(
        "SELECT 1 FROM oddity WHERE bank = :bank AND name = :name AND kind = :kind LIMIT 1",
        bank=bank,
        name=name,
        kind=kind,
    )
    return row is not None


def open_oddities(transaction: Transaction) -> list[OddityRow]:
    """Those that nobody has closed, oldest first."""
    rows = transaction.all(f"SELECT {_COLUMNS} FROM oddity WHERE closed_at IS NULL ORDER BY oddity_pk")
    return [OddityRow(**{**row._mapping, "kind": OddityKind(row.kind)}) for row in rows]


def open_oddity(transaction: Transaction, oddity_pk: int) -> OddityRow | None:
    """The oddity of that number, unless it is closed."""
    return next((row for row in open_oddities(transaction) if row.oddity_pk == oddity_pk), None)


def close_oddity(transaction: Transaction, oddity_pk: int, at: datetime) -> None:
    transaction.run(
        "UPDATE oddity SET closed_at = :at WHERE oddity_pk = :pk AND closed_at IS NULL",
        at=at.isoformat(),
        pk=oddity_pk,
    )

"""Why nothing is exchanged with a bank, or nothing leaves for it: its holds, one for each cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from gateway.ledger.database import Transaction

BEHIND = "behind"
"""Cause of a hold: the ledger does not know all that left. Ended by two persons who reconciled."""
OPERATOR = "operator"
"""Cause of a hold: a person stopped the bank."""

_NOTHING_LEAVES = (BEHIND, OPERATOR)
"""Causes under which nothing leaves, while answers are still fetched and settled."""


class Hold(Struct, frozen=True):
    """One cause for which a bank is on hold, and since when."""

    bank: str
    cause: str
    message: str
    recorded_at: str


def bank_hold(transaction: Transaction, bank: str) -> str | None:
    """Why nothing is exchanged with the bank, or None."""
    holds = bank_holds(transaction, bank)
    return next((hold.message for hold in holds if hold.cause not in _NOTHING_LEAVES), None)


def sending_stopped(transaction: Transaction, bank: str) -> tuple[str, str] | None:
    """(cause, message) of why nothing may leave for the bank, the graver cause first, or None."""
    held = {hold.cause: hold.message for hold in bank_holds(transaction, bank)}
    return next(((cause, held[cause]) for cause in _NOTHING_LEAVES if cause in held), None)


def is_behind(transaction: Transaction, bank: str | None = None) -> bool:
    """Whether that bank, or any, may have files of ours that this ledger does not know."""
    return any(hold.cause == BEHIND for hold in bank_holds(transaction, bank))


def bank_holds(transaction: Transaction, bank: str | None = None) -> list[Hold]:
    """Every hold, or one bank's, by bank and cause."""
    rows = transaction.all(
        "SELECT bank, cause, message, recorded_at FROM bank_hold WHERE :bank IS NULL OR bank = :bank"
        " ORDER BY bank, cause",
        bank=bank,
    )
    return [Hold(**row._mapping) for row in rows]


def hold_bank(transaction: Transaction, bank: str, cause: str, message: str, at: datetime) -> None:
    transaction.run(
        "INSERT INTO bank_hold (bank, cause, message, recorded_at) VALUES (:bank, :cause, :message, :at)"
        " ON CONFLICT (bank, cause) DO UPDATE SET message = :message",
        bank=bank,
        cause=cause,
        message=message,
        at=at.isoformat(),
    )


def end_holds(transaction: Transaction, bank: str, causes: Sequence[str]) -> None:
    """End the bank's holds for these causes, and no other."""
    transaction.many(
        "DELETE FROM bank_hold WHERE bank = ? AND cause = ?", [(bank, cause) for cause in causes]
    )

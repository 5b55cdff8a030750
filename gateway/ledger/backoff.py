"""When a bank whose server failed is tried again."""

from __future__ import annotations

from datetime import datetime

from gateway.ledger.database import Transaction


def backoff(transaction: Transaction, bank: str) -> tuple[int, datetime] | None:
    """(faults in a row, when to try again) after a transient fault of the bank's server."""
    row = transaction.one("SELECT tries, next_try_at FROM bank_backoff WHERE bank = :bank", bank=bank)
    return None if row is None else (int(row.tries), datetime.fromisoformat(row.next_try_at))


def set_backoff(transaction: Transaction, bank: str, tries: int, at: datetime, message: str) -> None:
    transaction.run(
        "INSERT INTO bank_backoff (bank, tries, next_try_at, message) VALUES (:bank, :tries, :at, :message)"
        " ON CONFLICT (bank) DO UPDATE SET tries = :tries, next_try_at = :at, message = :message",
        bank=bank,
        tries=tries,
        at=at.isoformat(),
        message=message,
    )


def clear_backoff(transaction: Transaction, bank: str) -> None:
    transaction.run("DELETE FROM bank_backoff WHERE bank = :bank", bank=bank)

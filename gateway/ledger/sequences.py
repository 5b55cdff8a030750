"""Numbers of files, and what was made for a bank in a day."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from gateway.ledger.database import Transaction


def last_sequence(transaction: Transaction, bank: str) -> int:
    row = transaction.one("SELECT last FROM bank_sequence WHERE bank = :bank", bank=bank)
    return 0 if row is None else int(row.last)


def take_sequence(transaction: Transaction, bank: str) -> int:
    """The bank's next sequence number; never given twice, never restarted."""
    transaction.run(
        "INSERT INTO bank_sequence (bank, last) VALUES (:bank, 1)"
        " ON CONFLICT (bank) DO UPDATE SET last = last + 1",
        bank=bank,
    )
    return last_sequence(transaction, bank)


class SentToday(Struct, frozen=True):
    """What was planned for a bank day and not voided: of the bank, and minor units of one agreement."""

    files: int
    payments: int
    total_minor: int
    agreement_minor: int


def sent_today(transaction: Transaction, bank: str, agreement: str, day: date) -> SentToday:
    """What counts against the limits of a day."""
    row = transaction.one(
        "SELECT COUNT(*) AS files, COALESCE(SUM(payment_count), 0) AS payments,"
        " COALESCE(SUM(total_minor), 0) AS total,"
        " COALESCE(SUM(CASE WHEN agreement = :agreement THEN total_minor ELSE 0 END), 0) AS own"
        " FROM file WHERE bank = :bank AND bank_day = :day AND state NOT IN ('voided', 'rejected')",
        bank=bank,
        agreement=agreement,
        day=day.isoformat(),
    )
    assert row is not None
    return SentToday(int(row.files), int(row.payments), int(row.total), int(row.own))


def most_files_a_day(transaction: Transaction) -> int:
    """The most files that were made for one bank on one bank day."""
    row = transaction.one(
        "SELECT COALESCE(MAX(files), 0) AS files FROM"
        " (SELECT COUNT(*) AS files FROM file GROUP BY bank, bank_day)"
    )
    assert row is not None
    return int(row.files)

"""The payments of a ledger as the simulation reads them: by SQL of its own, not by the product's."""

from __future__ import annotations

from collections import defaultdict

from msgspec import Struct

from gateway.ledger.database import Transaction

Attempt = tuple[str, str, int]
"""Bank, file name, item."""


class Row(Struct):
    """One payment as the ledger has it, with all its attempts."""

    payment_id: str
    batch_pk: int
    amount_minor: int
    state: str
    attempts: list[Attempt]
    kept_minor: int
    """What the payee has by the bank's last word."""
    is_short: bool
    """Whether persons settled that it stays at that."""
    asks_the_bank: bool
    """Whether it is held until the bank has written if a file that the ledger forgot paid it."""


_PAYMENTS = """SELECT payment.payment_pk, payment.payment_id, payment.batch_pk, payment.amount_minor,
    payment.disposition, payment.reason IN ('PAID_PERHAPS', 'REFUSED_IN_DOUBT') AS asks, latest.status,
    COALESCE(latest.credited_minor, 0) - COALESCE(latest.returned_minor, 0) AS kept,
    COALESCE(latest.reason = 'PAID_SHORT', 0) AS short,
    EXISTS (SELECT 1 FROM attempt WHERE attempt.payment_pk = payment.payment_pk AND live = 1) AS live
    FROM payment LEFT JOIN outcome AS latest ON latest.outcome_pk =
    (SELECT MAX(outcome_pk) FROM outcome WHERE outcome.payment_pk = payment.payment_pk)
    ORDER BY payment.payment_pk"""
_ATTEMPTS = "SELECT payment_pk, file.bank, file.name, item FROM attempt JOIN file USING (file_pk)"


def ledger_rows(transaction: Transaction) -> list[Row]:
    """Every payment, in the order of its key."""
    attempts: defaultdict[int, list[Attempt]] = defaultdict(list)
    for row in transaction.all(_ATTEMPTS):
        attempts[row.payment_pk].append((row.bank, row.name, row.item))
    return [
        Row(
            payment_id=row.payment_id,
            batch_pk=row.batch_pk,
            amount_minor=row.amount_minor,
            state=_state(row.disposition, row.status, row.live),
            attempts=attempts[row.payment_pk],
            kept_minor=row.kept,
            is_short=bool(row.short),
            asks_the_bank=row.disposition == "held" and bool(row.asks),
        )
        for row in transaction.all(_PAYMENTS)
    ]


def _state(disposition: str, status: str | None, live: int) -> str:
    if status is not None and status not in ("set_aside", "withdrawn"):
        return status
    if disposition != "accepted":
        return disposition
    return "dispatched" if live else "accepted"

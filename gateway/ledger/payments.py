"""Where payments stand: derived from disposition, live attempt and the latest outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from formats import Reason, Status
from gateway.ledger.database import Transaction
from gateway.states import Disposition, PaymentState

STATE_OF_PAYMENT = """CASE
    WHEN latest.status IS NOT NULL AND latest.status NOT IN ('set_aside', 'withdrawn') THEN latest.status
    WHEN payment.disposition <> 'accepted' THEN payment.disposition
    WHEN EXISTS (SELECT 1 FROM attempt WHERE attempt.payment_pk = payment.payment_pk AND live = 1)
        THEN 'dispatched'
    ELSE 'accepted' END"""

LATEST_OUTCOME = """LEFT JOIN outcome AS latest ON latest.outcome_pk =
    (SELECT MAX(outcome_pk) FROM outcome WHERE outcome.payment_pk = payment.payment_pk)"""


_PAYMENT_COLUMNS = (
    "payment.payment_pk, payment.payment_id, payment.batch_pk, payment.lane_pk, payment.position,"
    " payment.source_line, payment.amount_minor, payment.disposition, payment.reason,"
    f" {STATE_OF_PAYMENT} AS state, COALESCE(latest.outcome_pk, 0) AS outcome_pk"
)


class PaymentRow(Struct, frozen=True, kw_only=True):
    """One payment with its derived state. `outcome_pk` is its latest outcome, 0 where it has none."""

    payment_pk: int
    payment_id: str
    batch_pk: int
    lane_pk: int | None
    position: int | None
    source_line: int
    amount_minor: int
    disposition: Disposition
    reason: Reason
    state: PaymentState
    outcome_pk: int


class StateTotal(Struct, frozen=True):
    """Count, instructed and credited minor units of the payments in one state."""

    state: PaymentState
    count: int
    instructed_minor: int
    credited_minor: int


def find_payment(
    transaction: Transaction, payment_id: str, source_platform: str | None = None
) -> list[PaymentRow]:
    """Payments of that id: at most one a platform."""
    rows = transaction.all(
        f"SELECT {_PAYMENT_COLUMNS} FROM payment_key JOIN payment USING (payment_pk)"
        f" {LATEST_OUTCOME} WHERE payment_key.payment_id = :payment_id"
        # The key begins with the platform: without naming each, every row would be looked at.
        " AND source_platform IN (SELECT source_platform FROM batch"
        "  WHERE :platform IS NULL OR source_platform = :platform)",
        payment_id=payment_id,
        platform=source_platform,
    )
    return [_payment_row(row) for row in rows]


def held_payments(transaction: Transaction) -> Iterator[PaymentRow]:
    """Payments that wait for a person before anything leaves."""
    rows = transaction.stream(
        f"SELECT {_PAYMENT_COLUMNS} FROM payment {LATEST_OUTCOME} WHERE disposition = 'held'"
        " ORDER BY payment.payment_pk"
    )
    for row in rows:
        yield _payment_row(row)


def payments_in_doubt(transaction: Transaction) -> Iterator[PaymentRow]:
    """Payments whose latest outcome is unknown or discrepant: only a result or a person ends that.

    Persons have ended it where the bank credited too little and makes up nothing.
    """
    rows = transaction.stream(
        # The list of statuses is that of the index `outcome_in_doubt`.
        f"SELECT {_PAYMENT_COLUMNS} FROM outcome AS latest JOIN payment USING (payment_pk)"
        " WHERE latest.status IN ('unknown', 'discrepant') AND latest.reason <> 'PAID_SHORT'"
        " AND latest.outcome_pk ="
        " (SELECT MAX(outcome_pk) FROM outcome WHERE outcome.payment_pk = latest.payment_pk)"
        " ORDER BY payment.payment_pk"
    )
    for row in rows:
        yield _payment_row(row)


def bank_of_payment(transaction: Transaction, payment_pk: int) -> str | None:
    """The bank that the payment is for; None where it was set aside before it had one."""
    row = transaction.one(
        "SELECT bank FROM payment JOIN lane USING (lane_pk) WHERE payment_pk = :pk", pk=payment_pk
    )
    return None if row is None else str(row.bank)


def payments_of_file(transaction: Transaction, file_pk: int) -> dict[int, Disposition]:
    """What the gateway has decided about each payment of a file, by payment_pk in item order."""
    rows = transaction.all(
        "SELECT payment_pk, disposition FROM attempt JOIN payment USING (payment_pk)"
        " WHERE file_pk = :pk ORDER BY item",
        pk=file_pk,
    )
    return {row.payment_pk: Disposition(row.disposition) for row in rows}


def payments_stopped(transaction: Transaction, file_pk: int) -> list[int]:
    """Payments of a file that are held since its bank spoke of it after it was given up, or since a
    restored ledger does not know whether another file paid them.
    """
    rows = transaction.all(
        "SELECT payment_pk FROM attempt JOIN payment USING (payment_pk) WHERE file_pk = :pk"
        " AND disposition = 'held' AND reason IN (:spoken, :forgotten) ORDER BY item",
        pk=file_pk,
        spoken=Reason.CONTRADICTED,
        forgotten=Reason.PAID_PERHAPS,
    )
    return [int(row.payment_pk) for row in rows]


def live_item(transaction: Transaction, payment_pk: int) -> tuple[int, int] | None:
    """(file, item) of the payment's live attempt, or None."""
    row = transaction.one(
        "SELECT file_pk, item FROM attempt WHERE payment_pk = :pk AND live = 1", pk=payment_pk
    )
    return None if row is None else (int(row.file_pk), int(row.item))


def state_totals(transaction: Transaction, batch_pk: int | None = None) -> list[StateTotal]:
    """The sum that holds at any moment, by state; every payment is in exactly one."""
    rows = transaction.all(
        f"SELECT {STATE_OF_PAYMENT} AS state, COUNT(*) AS number, SUM(payment.amount_minor) AS instructed,"
        " SUM(CASE WHEN latest.status IN ('credited', 'discrepant') THEN COALESCE(latest.credited_minor, 0)"
        " ELSE 0 END) AS credited"
        f" FROM payment {LATEST_OUTCOME}"
        " WHERE :batch IS NULL OR payment.batch_pk = :batch GROUP BY 1 ORDER BY 1",
        batch=batch_pk,
    )
    return [StateTotal(PaymentState(row.state), row.number, row.instructed, row.credited) for row in rows]


def short_count(transaction: Transaction, batch_pk: int) -> int:
    """How many payments of a batch are discrepant for good: credited too little, and nothing more to come."""
    row = transaction.one(
        f"SELECT COUNT(*) AS number FROM payment {LATEST_OUTCOME}"
        " WHERE payment.batch_pk = :batch AND latest.reason = 'PAID_SHORT'",
        batch=batch_pk,
    )
    assert row is not None
    return int(row.number)


def submitted_totals(transaction: Transaction, batch_pk: int) -> tuple[int, int]:
    """(payments, instructed minor units) of a batch, counted apart from their states."""
    row = transaction.one(
        "SELECT COUNT(*) AS number, COALESCE(SUM(amount_minor), 0) AS total FROM payment"
        " WHERE batch_pk = :batch",
        batch=batch_pk,
    )
    assert row is not None
    return int(row.number), int(row.total)


def attempts_of(transaction: Transaction, payment_pk: int) -> list[dict[str, Any]]:
    """Files that a payment was in, oldest first: bank, name, item, state, live, sent_at."""
    rows = transaction.all(
        "SELECT file.bank, file.name, item, file.state, live, sent_at FROM attempt JOIN file USING (file_pk)"
        " WHERE payment_pk = :pk ORDER BY file_pk",
        pk=payment_pk,
    )
    return [dict(row._mapping) for row in rows]


def subject_of(transaction: Transaction, payment_pk: int) -> tuple[str, str, str]:
    """(department, programme, period) of a payment."""
    row = transaction.one(
        "SELECT department, programme, period FROM payment JOIN subject USING (subject_pk)"
        " WHERE payment_pk = :pk",
        pk=payment_pk,
    )
    assert row is not None
    return row.department, row.programme, row.period


def reason_totals(
    transaction: Transaction, batch_pk: int | None = None
) -> list[tuple[Status, Reason, int, int]]:
    """(status, reason, count, instructed minor units) of the latest outcomes."""
    rows = transaction.all(
        "SELECT latest.status, latest.reason, COUNT(*) AS number, SUM(payment.amount_minor) AS instructed"
        f" FROM payment {LATEST_OUTCOME}"
        " WHERE latest.status IS NOT NULL AND (:batch IS NULL OR payment.batch_pk = :batch)"
        " GROUP BY 1, 2 ORDER BY 1, 3 DESC",
        batch=batch_pk,
    )
    return [(Status(row.status), Reason(row.reason), row.number, row.instructed) for row in rows]


def _payment_row(row: Row[Any]) -> PaymentRow:
    return PaymentRow(
        payment_pk=row.payment_pk,
        payment_id=row.payment_id,
        batch_pk=row.batch_pk,
        lane_pk=row.lane_pk,
        position=row.position,
        source_line=row.source_line,
        amount_minor=row.amount_minor,
        disposition=Disposition(row.disposition),
        reason=Reason(row.reason),
        state=PaymentState(row.state),
        outcome_pk=row.outcome_pk,
    )

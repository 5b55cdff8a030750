"""Payments with where their sealed rows are, in the order in which those are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from formats import Reason
from gateway.ledger.database import Transaction
from gateway.ledger.payments import LATEST_OUTCOME, STATE_OF_PAYMENT


class PlacedPayment(Struct, frozen=True, array_like=True, gc=False):
    """One payment, what became of it, and its row. `spool_name` is "" where its personal data is gone."""

    payment_pk: int
    payment_id: str
    batch_id: str
    source_platform: str
    spool_name: str
    position: int
    bank: str
    department: str
    programme: str
    period: str
    account_kind: str
    amount_minor: int
    state: str
    reason: str
    credited_minor: int | None
    value_date: str | None
    file_name: str
    item: int | None
    returned_minor: int | None
    recorded_at: str | None


_ASKED_TOGETHER = 1000
_COLUMNS = (
    "payment.payment_pk, payment.payment_id, batch_id, source_platform,"
    " CASE WHEN destruction.batch_pk IS NULL THEN lane.spool_name ELSE '' END, payment.position,"
    " lane.bank, subject.department, programme, period, account_kind, payment.amount_minor,"
    f" {STATE_OF_PAYMENT}, CASE WHEN latest.reason IS NULL THEN payment.reason ELSE latest.reason END,"
    " latest.credited_minor, latest.value_date, COALESCE(file.name, ''), latest.item,"
    " latest.returned_minor, latest.recorded_at"
)
_TABLES = (
    " JOIN batch USING (batch_pk) JOIN lane USING (lane_pk) JOIN subject USING (subject_pk)"
    f" {LATEST_OUTCOME} LEFT JOIN file ON file.file_pk = latest.file_pk"
    " LEFT JOIN destruction ON destruction.batch_pk = payment.batch_pk"
)
_NOT_REPLACED = " NOT EXISTS (SELECT 1 FROM reissue WHERE predecessor_pk = payment.payment_pk AND live = 1)"


def payments_with_reasons(
    transaction: Transaction, reasons: Iterable[Reason], batch_pk: int | None, bank: str | None
) -> Iterator[PlacedPayment]:
    """Payments that ended for one of the reasons and that no live reissue replaces."""
    wanted = ",".join(f"'{reason.value}'" for reason in reasons)
    rows = transaction.stream(
        f"SELECT {_COLUMNS} FROM payment {_TABLES} WHERE latest.reason IN ({wanted})"
        " AND (:batch IS NULL OR payment.batch_pk = :batch) AND (:bank IS NULL OR lane.bank = :bank)"
        f" AND latest.status IN ('set_aside', 'failed', 'returned') AND {_NOT_REPLACED}"
        " ORDER BY payment.lane_pk, payment.position",
        batch=batch_pk,
        bank=bank,
    )
    for row in rows:
        yield PlacedPayment(*row)


def payments_of_batch(transaction: Transaction, batch_pk: int) -> Iterator[PlacedPayment]:
    """Every payment of a batch, lane by lane."""
    rows = transaction.stream(
        f"SELECT {_COLUMNS} FROM payment {_TABLES} WHERE payment.batch_pk = :batch"
        " ORDER BY payment.lane_pk, payment.position",
        batch=batch_pk,
    )
    for row in rows:
        yield PlacedPayment(*row)


def payments_by_key(transaction: Transaction, keys: Iterable[int]) -> Iterator[PlacedPayment]:
    """These payments, in order of their keys: lane by lane too, since both were given together."""
    wanted = sorted(keys)
    for first in range(0, len(wanted), _ASKED_TOGETHER):
        chosen = ",".join(map(str, wanted[first : first + _ASKED_TOGETHER]))
        rows = transaction.all(
            f"SELECT {_COLUMNS} FROM payment {_TABLES} WHERE payment.payment_pk IN ({chosen})"
            " ORDER BY payment.payment_pk"
        )
        for row in rows:
            yield PlacedPayment(*tuple(row))

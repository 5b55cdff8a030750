"""Lanes: the payments of one batch for one department and bank, and which of them wait for a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from gateway.ledger.database import Transaction
from gateway.ledger.intake import Subject
from gateway.states import BatchState


class LaneRow(Struct, frozen=True):
    """Payments of one batch for one department and bank."""

    lane_pk: int
    batch_pk: int
    bank: str
    department: str
    spool_name: str
    source_platform: str
    currency: str
    batch_state: BatchState


class DuePayment(Struct, frozen=True, gc=False, array_like=True):
    """A payment that waits for a file."""

    payment_pk: int
    position: int
    payment_id: str
    amount_minor: int


_LANE_QUERY = (
    "SELECT lane_pk, lane.batch_pk, bank, lane.department, spool_name, source_platform, currency,"
    " batch.state AS batch_state FROM lane JOIN batch USING (batch_pk)"
)

IS_DUE = (
    " payment.disposition = 'accepted'"
    " AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.payment_pk = payment.payment_pk AND live = 1)"
    " AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.payment_pk = payment.payment_pk)"
)


def due_lanes(transaction: Transaction, bank: str) -> list[LaneRow]:
    """Lanes of released batches in which payments may wait for a file."""
    rows = transaction.all(
        f"{_LANE_QUERY} WHERE lane.bank = :bank AND lane.due = 1 AND batch.state = 'released'"
        " ORDER BY lane_pk",
        bank=bank,
    )
    return [_lane_row(row) for row in rows]


def banks_of_lanes(transaction: Transaction) -> set[str]:
    """Banks that payments were ever for."""
    rows = transaction.all("SELECT DISTINCT bank FROM lane WHERE bank <> ''")
    return {row.bank for row in rows}


def lane_by_key(transaction: Transaction, lane_pk: int) -> LaneRow:
    row = transaction.one(f"{_LANE_QUERY} WHERE lane_pk = :pk", pk=lane_pk)
    assert row is not None
    return _lane_row(row)


def due_subjects(transaction: Transaction, lane_pk: int) -> list[tuple[int, Subject]]:
    """What the waiting payments of a lane are for."""
    rows = transaction.all(
        "SELECT subject_pk, department, programme, period, account_kind, payee_kind FROM subject"
        f" WHERE subject_pk IN (SELECT subject_pk FROM payment WHERE lane_pk = :lane AND {IS_DUE})"
        " ORDER BY subject_pk",
        lane=lane_pk,
    )
    return [
        (row.subject_pk, Subject(row.department, row.programme, row.period, row.account_kind, row.payee_kind))
        for row in rows
    ]


def due_payments(transaction: Transaction, lane_pk: int, subjects: Iterable[int]) -> Iterator[DuePayment]:
    """Waiting payments of these subjects that fit a file, as far as is known; in the order of the lane."""
    chosen = ",".join(str(int(subject)) for subject in subjects)
    rows = transaction.stream(
        "SELECT payment_pk, position, payment_id, amount_minor FROM payment"
        f" WHERE lane_pk = :lane AND subject_pk IN ({chosen}) AND {IS_DUE}"
        " AND NOT EXISTS (SELECT 1 FROM unfit WHERE unfit.payment_pk = payment.payment_pk)"
        " ORDER BY position",
        lane=lane_pk,
    )
    for payment_pk, position, payment_id, amount_minor in rows:
        yield DuePayment(payment_pk, position, payment_id, amount_minor)


def close_lane(transaction: Transaction, lane_pk: int) -> None:
    """Nothing of the lane waits any more."""
    transaction.run("UPDATE lane SET due = 0 WHERE lane_pk = :lane", lane=lane_pk)


def reopen_lane(transaction: Transaction, lane_pk: int) -> None:
    """Payments of the lane wait again."""
    transaction.run("UPDATE lane SET due = 1 WHERE lane_pk = :lane", lane=lane_pk)


def _lane_row(row: Row[Any]) -> LaneRow:
    return LaneRow(**{**row._mapping, "batch_state": BatchState(row.batch_state)})

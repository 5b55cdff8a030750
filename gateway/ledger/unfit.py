"""Payments that fit no file of their bank: set down once, and not planned again until something changes.

A number is taken for each file that is tried, and never given back: what is known not to fit is
not tried at each run. What is more than a whole limit of file, day or programme is set down, too: it would
stop all behind it. It depends on profile, agreement and layouts; a row holds for their digests.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from gateway.ledger.database import Transaction
from gateway.ledger.lanes import IS_DUE


class Unfit(Struct, frozen=True):
    """Payments of a batch for one bank that fit no file, and what was found of the first of them."""

    batch_pk: int
    bank: str
    count: int
    instructed_minor: int
    message: str


def set_down_unfit(transaction: Transaction, payment_keys: Iterable[int], pins: str, message: str) -> None:
    transaction.many(
        "INSERT OR REPLACE INTO unfit (payment_pk, pins, message) VALUES (?, ?, ?)",
        [(key, pins, message) for key in payment_keys],
    )


def set_down_rest(
    transaction: Transaction, lane_pk: int, subjects: Iterable[int], pins: str, message: str
) -> None:
    """All that still waits for these subjects: where two in a row do not fit alone, none does."""
    chosen = ",".join(str(int(subject)) for subject in subjects)
    transaction.run(
        "INSERT OR REPLACE INTO unfit (payment_pk, pins, message) SELECT payment_pk, :pins, :message"
        f" FROM payment WHERE lane_pk = :lane AND subject_pk IN ({chosen}) AND {IS_DUE}",
        lane=lane_pk,
        pins=pins,
        message=message,
    )


def forget_unfit(transaction: Transaction, lane_pk: int, subjects: Iterable[int], pins: str) -> None:
    """Try again what was set down under other digests."""
    chosen = ",".join(str(int(subject)) for subject in subjects)
    transaction.run(
        "DELETE FROM unfit WHERE pins <> :pins AND payment_pk IN"
        f" (SELECT payment_pk FROM payment WHERE lane_pk = :lane AND subject_pk IN ({chosen}))",
        lane=lane_pk,
        pins=pins,
    )


def unfit_of(transaction: Transaction, lane_pk: int | None = None) -> list[Unfit]:
    """What waits since it fits no file, by batch and bank; of one lane, or of all."""
    rows = transaction.all(
        "SELECT payment.batch_pk, lane.bank, COUNT(*) AS number, SUM(amount_minor) AS instructed,"
        " MIN(message) AS message FROM unfit JOIN payment USING (payment_pk) JOIN lane USING (lane_pk)"
        " WHERE disposition = 'accepted' AND (:lane IS NULL OR lane.lane_pk = :lane)"
        " GROUP BY payment.batch_pk, lane.bank ORDER BY payment.batch_pk, lane.bank",
        lane=lane_pk,
    )
    return [Unfit(row.batch_pk, row.bank, row.number, row.instructed, row.message) for row in rows]

"""Where the payments of a batch, file or bank are, in count and money: what a decision can still reach."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from gateway.ledger.database import Transaction
from gateway.ledger.payments import LATEST_OUTCOME
from gateway.states import BEFORE_RELEASE


class Place(StrEnum):
    """Where a payment is, for somebody who would stop it or let it go; each is in exactly one."""

    NOT_RELEASED = "not_released"
    """Here: nobody has released its batch."""
    MAY_LEAVE = "may_leave"
    """Here: the next run may send it."""
    STOPPED = "stopped"
    """Here: it waits for a person, itself or with its batch, file or bank."""
    REFUSED = "refused"
    """In a file that the bank refused as a whole."""
    WITH_BANK = "with_bank"
    """It has left, or may have; it is not settled, or in doubt."""
    PAID = "paid"
    ENDED = "ended"
    """Failed, returned, set aside, or credited in part for good."""
    TAKEN_BACK = "taken_back"


class Whereabouts(Struct, frozen=True):
    """How many payments are in one place, and their instructed minor units."""

    place: Place
    count: int
    instructed_minor: int


_BEFORE_RELEASE = ",".join(f"'{state.value}'" for state in sorted(BEFORE_RELEASE))
_PLACE = f"""CASE
    WHEN latest.status = 'credited' THEN 'paid'
    WHEN payment.disposition = 'withdrawn' AND COALESCE(latest.status, 'withdrawn') = 'withdrawn'
        THEN 'taken_back'
    WHEN latest.status IN ('failed', 'returned', 'set_aside') OR payment.disposition = 'set_aside'
        OR latest.reason = 'PAID_SHORT'
        THEN 'ended'
    WHEN latest.status IS NOT NULL THEN 'with_bank'
    WHEN file.state = 'rejected' THEN 'refused'
    WHEN file.state NOT IN ({_BEFORE_RELEASE}) THEN 'with_bank'
    WHEN payment.disposition = 'held' OR batch.state = 'held' OR file.attention IS NOT NULL
        OR EXISTS (SELECT 1 FROM bank_hold WHERE bank_hold.bank = lane.bank) THEN 'stopped'
    WHEN batch.state = 'submitted' THEN 'not_released'
    ELSE 'may_leave' END"""
_QUERY = f"""SELECT {_PLACE} AS place, COUNT(*) AS number, SUM(payment.amount_minor) AS instructed
    FROM payment JOIN batch USING (batch_pk) LEFT JOIN lane ON lane.lane_pk = payment.lane_pk
    LEFT JOIN attempt ON attempt.payment_pk = payment.payment_pk AND attempt.live = 1
    LEFT JOIN file ON file.file_pk = attempt.file_pk {LATEST_OUTCOME}
    WHERE {{chosen}} GROUP BY 1"""
_ORDER = list(Place)


def whereabouts_of_batch(transaction: Transaction, batch_pk: int) -> list[Whereabouts]:
    return _read(transaction, "payment.batch_pk = :chosen", batch_pk)


def whereabouts_of_payment(transaction: Transaction, payment_pk: int) -> list[Whereabouts]:
    return _read(transaction, "payment.payment_pk = :chosen", payment_pk)


def whereabouts_of_file(transaction: Transaction, file_pk: int) -> list[Whereabouts]:
    """Of every payment that was ever in the file, wherever it is now."""
    chosen = "payment.payment_pk IN (SELECT payment_pk FROM attempt WHERE file_pk = :chosen)"
    return _read(transaction, chosen, file_pk)


def whereabouts_of_bank(transaction: Transaction, bank: str) -> list[Whereabouts]:
    """Of what is not over: its lists that wait for a file, or have one that is not settled."""
    chosen = (
        "payment.lane_pk IN (SELECT lane_pk FROM lane WHERE bank = :chosen AND (due = 1 OR EXISTS"
        " (SELECT 1 FROM file WHERE file.lane_pk = lane.lane_pk AND state NOT IN ('settled', 'voided'))))"
    )
    over = (Place.PAID, Place.ENDED, Place.TAKEN_BACK)
    return [one for one in _read(transaction, chosen, bank) if one.place not in over]


def _read(transaction: Transaction, chosen: str, value: int | str) -> list[Whereabouts]:
    rows = transaction.all(_QUERY.format(chosen=chosen), chosen=value)
    found = [Whereabouts(Place(row.place), row.number, row.instructed) for row in rows]
    return sorted(found, key=lambda one: _ORDER.index(one.place))

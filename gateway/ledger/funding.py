"""Money that must be on the payer account before files leave, and what files have taken of limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from gateway.ledger.database import Transaction

_COUNTS = "state NOT IN ('voided', 'rejected')"
"""A file that was given up takes nothing: its payments go again in another."""


class FundingRow(Struct, frozen=True, kw_only=True):
    """The money for one department's payments of one batch at one bank, in minor units.

    `wanted_minor` is all that may still be paid or has left; `funded_minor` what persons have confirmed.
    """

    lane_pk: int
    bank: str
    department: str
    source_platform: str
    batch_id: str
    wanted_minor: int
    funded_minor: int
    confirmed: int
    """How many times."""

    @property
    def missing_minor(self) -> int:
        return max(0, self.wanted_minor - self.funded_minor)


def find_funding(transaction: Transaction, lane_pk: int) -> FundingRow | None:
    """The money of one lane; None where there is none of that number."""
    row = transaction.one(
        "SELECT lane_pk, bank, department, source_platform, batch_id,"
        " (SELECT COALESCE(SUM(amount_minor), 0) FROM payment WHERE payment.lane_pk = lane.lane_pk"
        "  AND disposition IN ('accepted', 'held')) AS wanted_minor,"
        " (SELECT COALESCE(SUM(amount_minor), 0) FROM funding WHERE funding.lane_pk = lane.lane_pk)"
        "  AS funded_minor,"
        " (SELECT COUNT(*) FROM funding WHERE funding.lane_pk = lane.lane_pk) AS confirmed"
        " FROM lane JOIN batch USING (batch_pk) WHERE lane_pk = :lane",
        lane=lane_pk,
    )
    return None if row is None else FundingRow(**row._mapping)


def lanes_that_wait(transaction: Transaction) -> list[tuple[int, str, str]]:
    """(lane, bank, department) of released batches in which payments may wait for a file."""
    rows = transaction.all(
        "SELECT lane_pk, bank, department FROM lane JOIN batch USING (batch_pk)"
        " WHERE due = 1 AND bank <> '' AND batch.state = 'released' ORDER BY lane_pk"
    )
    return [(row.lane_pk, row.bank, row.department) for row in rows]


def insert_funding(
    transaction: Transaction, lane_pk: int, amount_minor: int, voucher: str, persons: str, at: datetime
) -> None:
    """`voucher` is the SHA-256 of the exhibit that shows the transfer."""
    transaction.run(
        "INSERT INTO funding (lane_pk, amount_minor, voucher, persons, confirmed_at)"
        " VALUES (:lane, :amount, :voucher, :persons, :at)",
        lane=lane_pk,
        amount=amount_minor,
        voucher=voucher,
        persons=persons,
        at=at.isoformat(),
    )


def unused_funding(transaction: Transaction, lane_pk: int) -> int:
    """Minor units confirmed for a lane that no file has taken yet."""
    row = transaction.one(
        "SELECT (SELECT COALESCE(SUM(amount_minor), 0) FROM funding WHERE lane_pk = :lane)"
        f" - (SELECT COALESCE(SUM(total_minor), 0) FROM file WHERE lane_pk = :lane AND {_COUNTS}) AS left",
        lane=lane_pk,
    )
    assert row is not None
    return int(row.left)


def taken_of_programme(
    transaction: Transaction, bank: str, agreement: str, budgets: Sequence[str], day: date
) -> tuple[int, int]:
    """(this bank day, ever) in minor units: files of an agreement made for these programmes and periods."""
    places = ",".join("?" * len(budgets))
    (row,) = transaction.tuples(
        "SELECT COALESCE(SUM(CASE WHEN bank_day = ? THEN total_minor ELSE 0 END), 0),"
        " COALESCE(SUM(total_minor), 0) FROM file"
        f" WHERE bank = ? AND agreement = ? AND {_COUNTS} AND budget IN ({places})",
        (day.isoformat(), bank, agreement, *budgets),
    )
    return int(row[0]), int(row[1])


def budgets_of(transaction: Transaction, bank: str, agreement: str, programme: str) -> list[str]:
    """The budgets of a programme's periods from which an agreement's files took something."""
    rows = transaction.all(
        "SELECT DISTINCT budget FROM file WHERE bank = :bank AND agreement = :agreement AND budget <> ''",
        bank=bank,
        agreement=agreement,
    )
    # A period may be any text, with a slash in it, too.
    return [row.budget for row in rows if row.budget.startswith(f"{programme}/")]

"""What was credited by card and by passbook, by subject and year: asked by a person, not by a run."""

from __future__ import annotations

from msgspec import Struct

from gateway.ledger.database import Transaction
from gateway.ledger.payments import LATEST_OUTCOME


class CreditedSubject(Struct, frozen=True):
    """Credits of one programme spelling, year and account kind. The year is that of the credit."""

    programme: str
    year: str
    account_kind: str
    count: int
    credited_minor: int


def credited_by_kind(transaction: Transaction) -> list[CreditedSubject]:
    """All credits, summed up."""
    rows = transaction.all(
        "SELECT programme, substr(COALESCE(latest.value_date, latest.recorded_at), 1, 4) AS year,"
        " account_kind, COUNT(*) AS count, SUM(latest.credited_minor) AS credited_minor"
        f" FROM payment JOIN subject USING (subject_pk) {LATEST_OUTCOME} WHERE latest.status = 'credited'"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    return [CreditedSubject(**row._mapping) for row in rows]


def persons_with_both(transaction: Transaction) -> int:
    """How many persons have had payments by card and by passbook, by their present fingerprint key."""
    by_kind = "SELECT value FROM fingerprint JOIN subject USING (subject_pk) WHERE account_kind = '{}'"
    row = transaction.one(
        f"SELECT COUNT(*) AS number FROM ({by_kind.format('card')} INTERSECT {by_kind.format('passbook')})"
    )
    assert row is not None
    return int(row.number)


def subjects_paid(transaction: Transaction) -> list[tuple[int, str, str]]:
    """(subject, department, programme) of all that was ever handed over."""
    rows = transaction.all("SELECT subject_pk, department, programme FROM subject ORDER BY subject_pk")
    return [(int(row.subject_pk), row.department, row.programme) for row in rows]

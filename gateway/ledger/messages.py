"""What outcomes follow upon: whether somebody was told the same before."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ledger.database import Transaction


def keys_of_outcomes(transaction: Transaction, cursors: Sequence[int]) -> dict[int, tuple[int, str]]:
    """(payment, status of its outcome before, "" for none) by outcome."""
    chosen = ",".join(str(int(cursor)) for cursor in cursors) or "NULL"
    rows = transaction.all(
        "SELECT outcome_pk, payment_pk, COALESCE((SELECT status FROM outcome AS earlier"
        " WHERE earlier.payment_pk = outcome.payment_pk AND earlier.outcome_pk < outcome.outcome_pk"
        " ORDER BY earlier.outcome_pk DESC LIMIT 1), '') AS before"
        f" FROM outcome WHERE outcome_pk IN ({chosen})"
    )
    return {int(row.outcome_pk): (int(row.payment_pk), str(row.before)) for row in rows}

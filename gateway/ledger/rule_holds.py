"""Why payments are held by rules, and what happens to them when the catalogue changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from formats import Reason
from gateway.ledger.database import Transaction
from gateway.ledger.intake import Subject
from gateway.ledger.repeats import PAID_OR_MAY_BE
from gateway.states import Disposition


class HoldRow(Struct, frozen=True):
    """One reason. What a repeat repeats is told by `ledger.repeats.others_of_person`, as it stands now."""

    reason: Reason


def holds_of(transaction: Transaction, payment_pk: int) -> list[HoldRow]:
    """Every reason for which the rules hold a payment, those that ended left out."""
    rows = transaction.all(
        "SELECT reason FROM hold WHERE payment_pk = :pk AND ended_at IS NULL ORDER BY reason", pk=payment_pk
    )
    return [HoldRow(Reason(row.reason)) for row in rows]


def unlisted_subjects(transaction: Transaction) -> list[tuple[int, Subject]]:
    """What payments are for that wait until their programme is in the catalogue."""
    rows = transaction.all(
        "SELECT DISTINCT subject_pk, department, programme, period, account_kind, payee_kind"
        " FROM hold CROSS JOIN payment USING (payment_pk) JOIN subject USING (subject_pk)"
        " WHERE hold.reason = :reason AND ended_at IS NULL AND disposition = :held ORDER BY subject_pk",
        reason=Reason.PROGRAMME_NOT_LISTED,
        held=Disposition.HELD,
    )
    return [
        (row.subject_pk, Subject(row.department, row.programme, row.period, row.account_kind, row.payee_kind))
        for row in rows
    ]


def unlisted_payments(transaction: Transaction, subject_pk: int) -> list[tuple[int, int]]:
    """(payment, lane) of a subject's payments that wait for the catalogue, oldest first."""
    rows = transaction.all(
        "SELECT payment_pk, lane_pk FROM hold CROSS JOIN payment USING (payment_pk)"
        " WHERE hold.reason = :reason AND ended_at IS NULL AND disposition = :held AND subject_pk = :subject"
        " ORDER BY payment_pk",
        reason=Reason.PROGRAMME_NOT_LISTED,
        held=Disposition.HELD,
        subject=subject_pk,
    )
    return [(int(row.payment_pk), int(row.lane_pk)) for row in rows]


def end_hold(transaction: Transaction, payment_pk: int, reason: Reason, at: datetime) -> None:
    """The reason is none any more."""
    transaction.run(
        "UPDATE hold SET ended_at = :at WHERE payment_pk = :pk AND reason = :reason",
        at=at.isoformat(),
        pk=payment_pk,
        reason=reason,
    )


def add_hold(transaction: Transaction, payment_pk: int, reason: Reason, other_pk: int | None = None) -> None:
    """One more reason."""
    transaction.run(
        "INSERT OR IGNORE INTO hold (payment_pk, reason, other_pk) VALUES (:pk, :reason, :other)",
        pk=payment_pk,
        reason=reason,
        other=other_pk,
    )


def name_hold(transaction: Transaction, payment_pk: int, reason: Reason) -> None:
    """Which reason a held payment shows first."""
    transaction.run(
        "UPDATE payment SET reason = :reason WHERE payment_pk = :pk AND disposition = :held",
        reason=reason,
        pk=payment_pk,
        held=Disposition.HELD,
    )


def hold_for(transaction: Transaction, payment_pk: int, shown: Reason, refused: Reason, at: datetime) -> None:
    """A held payment shows `shown`; `refused`, for which it would be set aside, alone stays beside it."""
    transaction.run(
        "UPDATE hold SET ended_at = :at WHERE payment_pk = :pk AND ended_at IS NULL",
        at=at.isoformat(),
        pk=payment_pk,
    )
    transaction.run(
        "INSERT INTO hold (payment_pk, reason) VALUES (:pk, :reason)"
        " ON CONFLICT (payment_pk, reason) DO UPDATE SET ended_at = NULL",
        pk=payment_pk,
        reason=refused,
    )
    name_hold(transaction, payment_pk, shown)


def repeated_by(
    transaction: Transaction,
    subject_pk: int,
    rivals: list[int],
    by_other_keys: Iterable[tuple[int, bytes]],
    *,
    households: bool = False,
) -> dict[int, int]:
    """Payments of a subject, each with the earlier payment of the `rivals` that it repeats.

    By what each repeats is kept, for `ledger_repeats.others_of_person`.

    `by_other_keys`: fingerprints of the subject's payments by the keys with which they were not taken in;
    of persons, or of `households`.
    """
    fingerprints = "household" if households else "fingerprint"
    chosen = ",".join(str(int(rival)) for rival in rivals) or "NULL"
    transaction.run("CREATE TEMP TABLE by_other_key (payment_pk INTEGER, value BLOB)")
    transaction.many("INSERT INTO by_other_key VALUES (?,?)", list(by_other_keys))
    found = (
        f" FROM (SELECT payment_pk, value FROM {fingerprints} WHERE subject_pk = :subject"
        "  UNION SELECT payment_pk, value FROM by_other_key) AS mine"
        f" CROSS JOIN {fingerprints} AS other ON other.subject_pk IN ({chosen}) AND other.value = mine.value"
        " CROSS JOIN payment ON payment.payment_pk = other.payment_pk"
        " WHERE mine.payment_pk <> other.payment_pk"
        " AND (other.payment_pk < mine.payment_pk OR payment.disposition = 'accepted')"
        f" AND {PAID_OR_MAY_BE}"
        " AND NOT EXISTS (SELECT 1 FROM reissue AS ours WHERE ours.successor_pk = mine.payment_pk"
        "  AND ours.chain_pk = COALESCE((SELECT chain_pk FROM reissue WHERE successor_pk = other.payment_pk),"
        "  other.payment_pk))"
    )
    transaction.run(
        "INSERT OR IGNORE INTO repeat_key (payment_pk, by_household, value)"
        f" SELECT mine.payment_pk, :households, mine.value{found}",
        subject=subject_pk,
        households=households,
    )
    rows = transaction.all(
        "SELECT mine.payment_pk AS payment_pk, MAX(payment.payment_pk) AS other_pk"
        f"{found} GROUP BY mine.payment_pk",
        subject=subject_pk,
    )
    transaction.run("DROP TABLE by_other_key")
    return {int(row.payment_pk): int(row.other_pk) for row in rows}

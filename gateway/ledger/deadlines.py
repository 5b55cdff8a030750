"""When files were answered and payments credited, for deadlines: asked by a person, not by a run."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.ledger.database import Transaction
from gateway.ledger.payments import LATEST_OUTCOME, STATE_OF_PAYMENT


class AnsweredFile(Struct, frozen=True, kw_only=True):
    """A file that the bank has. `answered_at` is when the last answer that is in came; ISO instants."""

    bank: str
    department: str
    agreement: str
    name: str
    sent_at: str
    payment_count: int
    total_minor: int
    open_count: int
    """Payments of which the bank has not said what became of them."""
    answered_at: str | None


class SubjectState(Struct, frozen=True, kw_only=True):
    """The payments of one subject at one bank in one state, those left out that a live reissue replaces.

    Days are as the bank stated them (`first_value`, `last_value`); of those without one, the
    instants at which the outcome was recorded.
    """

    bank: str
    state: str
    count: int
    instructed_minor: int
    first_value: str | None
    last_value: str | None
    first_recorded: str | None
    last_recorded: str | None


_SAID = (
    "SELECT MIN(COALESCE(received.received_at, outcome.recorded_at)) AS first_at FROM attempt"
    " JOIN outcome ON outcome.payment_pk = attempt.payment_pk AND outcome.file_pk = attempt.file_pk"
    " LEFT JOIN received ON received.received_pk = outcome.received_pk"
    " WHERE attempt.file_pk = file.file_pk AND outcome.stated <> 'unknown' GROUP BY attempt.item"
)


def answered_files(transaction: Transaction, bank: str | None) -> Iterator[AnsweredFile]:
    """Every file that was sent and not given up, oldest first."""
    rows = transaction.stream(
        "SELECT file.bank, lane.department, agreement, file.name, sent_at, payment_count, total_minor,"
        f" payment_count - (SELECT COUNT(*) FROM ({_SAID})) AS open_count,"
        f" (SELECT MAX(first_at) FROM ({_SAID})) AS answered_at"
        " FROM file JOIN lane USING (lane_pk) WHERE sent_at IS NOT NULL"
        " AND file.state NOT IN ('voided', 'rejected') AND (:bank IS NULL OR file.bank = :bank)"
        " ORDER BY file_pk",
        bank=bank,
    )
    for row in rows:
        yield AnsweredFile(**row._mapping)


def all_subjects(transaction: Transaction) -> list[tuple[int, str, str, str]]:
    """(subject, department, programme, period) of everything that was ever handed over."""
    rows = transaction.all(
        "SELECT subject_pk, department, programme, period FROM subject ORDER BY subject_pk"
    )
    return [(row.subject_pk, row.department, row.programme, row.period) for row in rows]


def states_of_subject(transaction: Transaction, subject_pk: int) -> list[SubjectState]:
    """Where a subject's payments stand, by bank; what a live reissue replaces is told by that one."""
    rows = transaction.all(
        f"SELECT COALESCE(lane.bank, '') AS bank, {STATE_OF_PAYMENT} AS state, COUNT(*) AS count,"
        " SUM(payment.amount_minor) AS instructed_minor, MIN(latest.value_date) AS first_value,"
        " MAX(latest.value_date) AS last_value,"
        " MIN(CASE WHEN latest.value_date IS NULL THEN latest.recorded_at END) AS first_recorded,"
        " MAX(CASE WHEN latest.value_date IS NULL THEN latest.recorded_at END) AS last_recorded"
        # The fingerprints of a subject lead to its payments; no index of payments does.
        " FROM fingerprint CROSS JOIN payment ON payment.payment_pk = fingerprint.payment_pk"
        f" LEFT JOIN lane USING (lane_pk) {LATEST_OUTCOME} WHERE fingerprint.subject_pk = :subject"
        " AND NOT EXISTS (SELECT 1 FROM reissue WHERE predecessor_pk = payment.payment_pk AND live = 1)"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        subject=subject_pk,
    )
    return [SubjectState(**row._mapping) for row in rows]

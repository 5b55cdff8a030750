"""Where payments stand: derived from disposition, live attempt and the latest outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from formats import Problem, Reason, Severity, Status
from gateway.ledger import Transaction
from gateway.ledger_staging import Staging
from gateway.money import yuan
from gateway.states import AT_THE_BANK, REISSUABLE, Disposition, FileState, PaymentState

STATE_OF_PAYMENT = """CASE
    WHEN latest.status IS NOT NULL AND latest.file_pk IS NOT NULL THEN latest.status
    WHEN payment.disposition <> 'accepted' THEN payment.disposition
    WHEN EXISTS (SELECT 1 FROM attempt WHERE attempt.payment_pk = payment.payment_pk AND live = 1)
        THEN 'dispatched'
    ELSE 'accepted' END"""

LATEST_OUTCOME = """LEFT JOIN outcome AS latest ON latest.outcome_pk =
    (SELECT MAX(outcome_pk) FROM outcome WHERE outcome.payment_pk = payment.payment_pk)"""


class PaymentRow(Struct, frozen=True, kw_only=True):
    """One payment with its derived state."""

    payment_pk: int
    payment_id: str
    batch_pk: int
    lane_pk: int
    position: int
    source_line: int
    amount_minor: int
    disposition: Disposition
    reason: Reason
    state: PaymentState


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
        "SELECT payment.payment_pk, payment.payment_id, batch_pk, lane_pk, position, source_line,"
        f" amount_minor, disposition, payment.reason, {STATE_OF_PAYMENT} AS state"
        " FROM payment_key JOIN payment USING (payment_pk)"
        f" {LATEST_OUTCOME} WHERE payment_key.payment_id = :payment_id"
        # The key begins with the platform: without naming each, every row would be looked at.
        " AND source_platform IN (SELECT source_platform FROM batch"
        "  WHERE :platform IS NULL OR source_platform = :platform)",
        payment_id=payment_id,
        platform=source_platform,
    )
    return [_payment_row(row) for row in rows]


def held_payments(transaction: Transaction) -> Iterator[PaymentRow]:
    rows = transaction.stream(
        "SELECT payment_pk, payment_id, batch_pk, lane_pk, position, source_line, amount_minor,"
        " disposition, reason, disposition AS state FROM payment WHERE disposition = 'held'"
        " ORDER BY payment_pk"
    )
    for row in rows:
        yield _payment_row(row)


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


def relatives_of(transaction: Transaction, payment_pk: int) -> tuple[str, str]:
    """(id of the payment that it replaces, id of the one that replaces it); "" for none."""
    row = transaction.one(
        "SELECT (SELECT payment_id FROM reissue JOIN payment ON payment_pk = predecessor_pk"
        "  WHERE successor_pk = :pk) AS replaces,"
        " (SELECT payment_id FROM reissue JOIN payment ON payment_pk = successor_pk"
        "  WHERE predecessor_pk = :pk) AS replaced_by",
        pk=payment_pk,
    )
    assert row is not None
    return row.replaces or "", row.replaced_by or ""


def decisions_about(transaction: Transaction, name: str) -> list[dict[str, Any]]:
    """Signed decisions about an object: decision, person, recorded_at."""
    rows = transaction.all(
        "SELECT decision, person, recorded_at FROM decision WHERE object LIKE :pattern ESCAPE '\\'"
        " ORDER BY decision_pk",
        pattern=name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "#%",
    )
    return [dict(row._mapping) for row in rows]


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


def refuse_reissues(transaction: Transaction, source_platform: str, staging: Staging) -> list[Problem]:
    """Set aside each staged payment that may not replace the one it names.

    Permitted only after the predecessor was set aside, failed (and its file is settled) or
    was returned, with the same amount to the minor unit, and while no other successor lives.
    """
    problems = []
    claimed: set[int] = set()
    for payment_id, predecessor_id, amount_minor, line in staging.reissues():
        found = find_payment(transaction, predecessor_id, source_platform)
        obstacle = _reissue_obstacle(transaction, found[0] if found else None, amount_minor, claimed)
        if obstacle:
            staging.set_aside(payment_id, line, Reason.REISSUE_REFUSED)
            problems.append(
                Problem(
                    code="reissue-refused",
                    severity=Severity.SETS_ASIDE,
                    reason=Reason.REISSUE_REFUSED,
                    line=line,
                    column="reissue_of",
                    found=predecessor_id[:40],
                    wanted="a payment that was set aside, failed or returned, with the same amount",
                    message=f"row {line} reissue_of {predecessor_id[:40]}: {obstacle}",
                    payment_id=payment_id,
                )
            )
        else:
            claimed.add(found[0].payment_pk)
    return problems


def link_reissues(transaction: Transaction, source_platform: str, staging: Staging) -> None:
    """Record predecessor and successor; the table's keys refuse a second live successor."""
    for payment_id, predecessor_id, _, _ in staging.reissues():
        predecessor = find_payment(transaction, predecessor_id, source_platform)[0]
        successor = find_payment(transaction, payment_id, source_platform)[0]
        transaction.run("DELETE FROM reissue WHERE predecessor_pk = :pk", pk=predecessor.payment_pk)
        transaction.run(
            "INSERT INTO reissue (predecessor_pk, successor_pk) VALUES (:predecessor, :successor)",
            predecessor=predecessor.payment_pk,
            successor=successor.payment_pk,
        )


def successors_to_stop(transaction: Transaction, file_pk: int) -> list[int]:
    """Payments of a file that replace one which may not be replaced any more."""
    rows = transaction.all(
        "SELECT reissue.successor_pk, reissue.predecessor_pk FROM attempt"
        " JOIN reissue ON reissue.successor_pk = attempt.payment_pk"
        " WHERE attempt.file_pk = :file AND attempt.live = 1",
        file=file_pk,
    )
    return [
        row.successor_pk for row in rows if latest_status(transaction, row.predecessor_pk) not in REISSUABLE
    ]


class SuccessorThatLeft(Struct, frozen=True):
    """A payment that a bank may have, with the one that it replaces."""

    file_pk: int
    file_name: str
    successor: str
    predecessor: str


def successors_that_left(transaction: Transaction, payment_keys: Iterable[int]) -> list[SuccessorThatLeft]:
    """Which of these payments have a successor that cannot be stopped any more."""
    states = ",".join(f"'{state.value}'" for state in sorted(AT_THE_BANK))
    found = []
    for payment_pk in payment_keys:
        row = transaction.one(
            "SELECT file_pk, file.name, later.payment_id AS successor, earlier.payment_id AS predecessor"
            " FROM reissue JOIN payment AS earlier ON earlier.payment_pk = predecessor_pk"
            " JOIN payment AS later ON later.payment_pk = successor_pk"
            " JOIN attempt ON attempt.payment_pk = successor_pk AND attempt.live = 1"
            " JOIN file USING (file_pk)"
            f" WHERE predecessor_pk = :pk AND file.state IN ({states})",
            pk=payment_pk,
        )
        if row is not None:
            found.append(SuccessorThatLeft(row.file_pk, row.name, row.successor, row.predecessor))
    return found


def latest_status(transaction: Transaction, payment_pk: int) -> Status | None:
    row = transaction.one(
        "SELECT status FROM outcome WHERE payment_pk = :pk ORDER BY outcome_pk DESC LIMIT 1", pk=payment_pk
    )
    return None if row is None else Status(row.status)


def _reissue_obstacle(
    transaction: Transaction, predecessor: PaymentRow | None, amount_minor: int, claimed: set[int]
) -> str:
    if predecessor is None:
        return "no such payment of this platform"
    if predecessor.amount_minor != amount_minor:
        return f"it was {yuan(predecessor.amount_minor)}, this one is {yuan(amount_minor)}"
    status = latest_status(transaction, predecessor.payment_pk)
    if status not in REISSUABLE:
        return f"it is {predecessor.state}, and only set aside, failed or returned payments are paid again"
    if status is Status.FAILED and _file_state(transaction, predecessor.payment_pk) is not FileState.SETTLED:
        return "its file is not settled yet"
    successor = transaction.one(
        "SELECT successor_pk, disposition FROM reissue JOIN payment ON payment_pk = successor_pk"
        " WHERE predecessor_pk = :pk",
        pk=predecessor.payment_pk,
    )
    dead = (Disposition.SET_ASIDE, Disposition.WITHDRAWN)
    if predecessor.payment_pk in claimed or (successor is not None and successor.disposition not in dead):
        return "another payment replaces it already"
    return ""


def _file_state(transaction: Transaction, payment_pk: int) -> FileState | None:
    row = transaction.one(
        "SELECT file.state FROM attempt JOIN file USING (file_pk) WHERE payment_pk = :pk AND live = 1",
        pk=payment_pk,
    )
    return None if row is None else FileState(row.state)


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
    )

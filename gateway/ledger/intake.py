"""What the ledger knows of batches and payments before anything leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from formats import Batch, Reason, Status
from gateway.errors import NotPermitted
from gateway.ledger.database import Transaction
from gateway.states import BATCH_MOVES, BEFORE_RELEASE, DISPOSITION_MOVES, BatchState, Disposition


class BatchRow(Struct, frozen=True, kw_only=True):
    """A batch as the ledger has it."""

    batch_pk: int
    batch_id: str
    source_platform: str
    stored_as: str
    content_sha256: str
    state: BatchState
    declared_count: int
    declared_total_minor: int
    currency: str
    submitted_at: str
    released_at: str | None
    release_evidence: str | None
    problems: str
    left_out_count: int
    left_out_minor: int


class Subject(Struct, frozen=True):
    """What many payments share."""

    department: str
    programme: str
    period: str
    account_kind: str
    payee_kind: str


_BATCH_COLUMNS = ", ".join(BatchRow.__struct_fields__)

_BEFORE_RELEASE = ",".join(f"'{state.value}'" for state in sorted(BEFORE_RELEASE))

_NOT_LEFT = (
    " NOT EXISTS (SELECT 1 FROM attempt JOIN file USING (file_pk) WHERE live = 1"
    f" AND attempt.payment_pk = payment.payment_pk AND file.state NOT IN ({_BEFORE_RELEASE}))"
)
"""No bank can have the payment: it is in no file, or in one that is still here."""

_NOT_TOLD = " NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.payment_pk = payment.payment_pk)"
"""Nothing is known of what became of it: else it never leaves again, whatever is decided here."""

_WITHDRAWABLE = f" disposition IN ('accepted', 'held') AND {_NOT_TOLD} AND {_NOT_LEFT}"


def find_batch(transaction: Transaction, batch_id: str, source_platform: str | None = None) -> list[BatchRow]:
    """The batches of that id: at most one for a platform, perhaps several without one."""
    rows = transaction.all(
        f"SELECT {_BATCH_COLUMNS} FROM batch WHERE batch_id = :batch_id"
        " AND (:platform IS NULL OR source_platform = :platform) ORDER BY batch_pk",
        batch_id=batch_id,
        platform=source_platform,
    )
    return [_batch_row(row) for row in rows]


def batch_by_key(transaction: Transaction, batch_pk: int) -> BatchRow:
    row = transaction.one(f"SELECT {_BATCH_COLUMNS} FROM batch WHERE batch_pk = :pk", pk=batch_pk)
    assert row is not None
    return _batch_row(row)


def batches(transaction: Transaction) -> list[BatchRow]:
    return [
        _batch_row(row) for row in transaction.all(f"SELECT {_BATCH_COLUMNS} FROM batch ORDER BY batch_pk")
    ]


def insert_batch(
    transaction: Transaction,
    batch: Batch,
    stored: tuple[str, str],
    problems: str,
    left_out: tuple[int, int],
    at: datetime,
) -> int:
    """`stored` is the name of the batch's own bytes in the spool, and their SHA-256.

    The column `summary` stays empty: free text may name somebody, and it is in every sealed lane.
    """
    return transaction.insert(
        "INSERT INTO batch (source_platform, batch_id, stored_as, content_sha256, declared_count,"
        " declared_total_minor, currency, summary, state, submitted_at, problems,"
        " left_out_count, left_out_minor) VALUES (:platform, :batch_id, :stored, :content, :count,"
        " :total, :currency, '', :state, :at, :problems, :left_out, :left_out_minor)",
        platform=batch.source_platform,
        batch_id=batch.batch_id,
        stored=stored[0],
        content=stored[1],
        count=batch.declared_count,
        total=batch.declared_total_minor,
        currency=batch.currency,
        state=BatchState.SUBMITTED,
        at=at.isoformat(),
        problems=problems,
        left_out=left_out[0],
        left_out_minor=left_out[1],
    )


_HIDDEN = "hidden-"


def hidden(fingerprint: bytes) -> str:
    """What the ledger keeps of a word that may be somebody's: the same for the same, and no way back."""
    return f"{_HIDDEN}{fingerprint.hex()[:16]}"


def is_hidden(word: str) -> bool:
    """Whether the word itself is not known any more."""
    return word.startswith(_HIDDEN)


def insert_lane(
    transaction: Transaction, batch_pk: int, bank: str, department: str, spool_name: str, rows: int
) -> int:
    return transaction.insert(
        "INSERT INTO lane (batch_pk, bank, department, spool_name, row_count, due)"
        " VALUES (:batch, :bank, :department, :spool, :rows, 1)",
        batch=batch_pk,
        bank=bank,
        department=department,
        spool=spool_name,
        rows=rows,
    )


def subject_key(transaction: Transaction, subject: Subject) -> int:
    """The subject's key, made if it is new."""
    values = {name: getattr(subject, name) for name in subject.__struct_fields__}
    row = transaction.one(
        "SELECT subject_pk FROM subject WHERE department = :department AND programme = :programme"
        " AND period = :period AND account_kind = :account_kind AND payee_kind = :payee_kind",
        **values,
    )
    if row is not None:
        return int(row.subject_pk)
    return transaction.insert(
        "INSERT INTO subject (department, programme, period, account_kind, payee_kind)"
        " VALUES (:department, :programme, :period, :account_kind, :payee_kind)",
        **values,
    )


def next_payment_key(transaction: Transaction) -> int:
    row = transaction.one("SELECT COALESCE(MAX(payment_pk), 0) + 1 AS next FROM payment")
    assert row is not None
    return int(row.next)


def has_payments(transaction: Transaction, source_platform: str) -> bool:
    return (
        transaction.one(
            "SELECT 1 FROM payment_key WHERE source_platform = :platform LIMIT 1", platform=source_platform
        )
        is not None
    )


def held_count(transaction: Transaction, batch_pk: int) -> int:
    """How many payments of a batch wait for a person."""
    row = transaction.one(
        "SELECT COUNT(*) AS number FROM payment WHERE batch_pk = :batch AND disposition = :held",
        batch=batch_pk,
        held=Disposition.HELD,
    )
    assert row is not None
    return int(row.number)


def insert_set_aside_outcomes(transaction: Transaction, batch_pk: int, at: datetime) -> int:
    """One outcome for each payment that intake set aside; how many."""
    return transaction.run(
        "INSERT INTO outcome (payment_pk, stated, status, reason, code, serial, recorded_at)"
        " SELECT payment_pk, :status, :status, reason, '', '', :at FROM payment"
        " WHERE batch_pk = :batch AND disposition = :disposition ORDER BY payment_pk",
        batch=batch_pk,
        disposition=Disposition.SET_ASIDE,
        status=Status.SET_ASIDE,
        at=at.isoformat(),
    )


def move_batch(
    transaction: Transaction, batch_pk: int, before: BatchState, after: BatchState, **values: Any
) -> None:
    """Compare-and-set along `BATCH_MOVES`; `values` are columns that change with it.

    Raises `NotPermitted` where the batch is not in `before`.
    """
    if after not in BATCH_MOVES[before]:
        raise NotPermitted(f"no batch moves from {before} to {after}")
    changes = "".join(f", {name} = :{name}" for name in values)
    changed = transaction.run(
        f"UPDATE batch SET state = :after{changes} WHERE batch_pk = :pk AND state = :before",
        after=after,
        before=before,
        pk=batch_pk,
        **values,
    )
    if changed != 1:
        raise NotPermitted(f"batch is not {before} any more")


def move_payment(
    transaction: Transaction, payment_pk: int, before: Disposition, after: Disposition, reason: Reason
) -> None:
    """Compare-and-set along `DISPOSITION_MOVES`, of a payment that no bank can have, and without outcome.

    A file that holds it and has not left is voided at its next turn. Raises `NotPermitted`.
    """
    if after not in DISPOSITION_MOVES[before]:
        raise NotPermitted(f"no payment moves from {before} to {after}")
    changed = transaction.run(
        "UPDATE payment SET disposition = :after, reason = :reason"
        f" WHERE payment_pk = :pk AND disposition = :before AND {_NOT_TOLD} AND {_NOT_LEFT}",
        after=after,
        before=before,
        reason=reason,
        pk=payment_pk,
    )
    if changed != 1:
        raise NotPermitted(f"payment is not {before} any more, or has an outcome, or the bank may have it")


def hold_payments(transaction: Transaction, file_pk: int, reason: Reason) -> list[int]:
    """Hold what could still leave of the payments of a file that was given up; their keys, in item order."""
    rows = transaction.all(
        "SELECT payment_pk FROM attempt JOIN payment USING (payment_pk)"
        f" WHERE file_pk = :file AND disposition = 'accepted' AND {_NOT_TOLD} AND {_NOT_LEFT} ORDER BY item",
        file=file_pk,
    )
    keys = [int(row.payment_pk) for row in rows]
    transaction.many(
        "UPDATE payment SET disposition = ?, reason = ? WHERE payment_pk = ?",
        [(Disposition.HELD.value, reason.value, key) for key in keys],
    )
    return keys


def withdraw_payments(
    transaction: Transaction, at: datetime, *, batch_pk: int | None = None, file_pk: int | None = None
) -> int:
    """Withdraw what no bank can have of a batch, or of a file that was given up; how many."""
    whose = (
        "batch_pk = :batch"
        if file_pk is None
        else "payment_pk IN (SELECT payment_pk FROM attempt WHERE file_pk = :file)"
    )
    chosen: dict[str, Any] = {"batch": batch_pk} if file_pk is None else {"file": file_pk}
    rows = transaction.all(
        f"SELECT payment_pk FROM payment WHERE {whose} AND {_WITHDRAWABLE} ORDER BY payment_pk", **chosen
    )
    transaction.many(
        "UPDATE payment SET disposition = ?, reason = ? WHERE payment_pk = ?",
        [(Disposition.WITHDRAWN.value, Reason.WITHDRAWN.value, row.payment_pk) for row in rows],
    )
    transaction.many(
        "INSERT INTO outcome (payment_pk, stated, status, reason, code, serial, recorded_at)"
        " VALUES (?,?,?,?,'','',?)",
        [
            (row.payment_pk, Status.WITHDRAWN, Status.WITHDRAWN, Reason.WITHDRAWN, at.isoformat())
            for row in rows
        ],
    )
    return len(rows)


def append_gateway_outcome(
    transaction: Transaction, payment_pk: int, status: Status, reason: Reason, at: datetime
) -> None:
    """An outcome that the gateway itself states: set aside or withdrawn."""
    transaction.run(
        "INSERT INTO outcome (payment_pk, stated, status, reason, code, serial, recorded_at)"
        " VALUES (:pk, :status, :status, :reason, '', '', :at)",
        pk=payment_pk,
        status=status,
        reason=reason,
        at=at.isoformat(),
    )


def _batch_row(row: object) -> BatchRow:
    values = {name: getattr(row, name) for name in BatchRow.__struct_fields__}
    return BatchRow(**{**values, "state": BatchState(values["state"])})

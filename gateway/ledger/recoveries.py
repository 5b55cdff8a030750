"""What was wrongly paid and is asked back, by payment, and what of it came back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from gateway.ledger.database import Transaction
from gateway.ledger.payments import LATEST_OUTCOME

KEPT_MINOR = (
    "(CASE WHEN latest.status IN ('credited', 'discrepant', 'returned')"
    " THEN COALESCE(latest.credited_minor, 0) - COALESCE(latest.returned_minor, 0) ELSE 0 END)"
)
"""What is with the payee by the banks' word: of an unknown outcome nothing is said."""

_RECEIVED = (
    "(SELECT COALESCE(SUM(amount_minor), 0) FROM recovery_receipt"
    " WHERE recovery_receipt.recovery_pk = recovery.recovery_pk AND struck_at IS NULL)"
)


class Ending(StrEnum):
    """How a recovery stands: open, all of it came back, or persons gave the rest up."""

    OPEN = ""
    WHOLE = "whole"
    GIVEN_UP = "given_up"


class RecoveryRow(Struct, frozen=True, kw_only=True):
    """What persons asked back of one payment, and what came back so far, in minor units."""

    recovery_pk: int
    payment_pk: int
    amount_minor: int
    ground: str
    exhibit: str
    persons: str
    marked_at: str
    ending: str
    closed_at: str | None
    closed_by: str | None
    recovered_minor: int


class ReceiptRow(Struct, frozen=True, kw_only=True):
    """A part that came back. `voucher` is the SHA-256 of the exhibit; `struck_at` where it was a mistake."""

    receipt_pk: int
    recovery_pk: int
    amount_minor: int
    voucher: str
    persons: str
    noted_at: str
    struck_at: str | None
    struck_by: str | None


class RecoveredRow(Struct, frozen=True, kw_only=True):
    """Recoveries alike in everything that a reconciliation is asked by: how many are open, and sums."""

    source_platform: str
    batch_id: str
    bank: str
    department: str
    programme: str
    period: str
    day: str
    open_count: int
    outstanding_minor: int
    recovered_minor: int


class ListedRecovery(Struct, frozen=True, kw_only=True):
    """A recovery with the payment that it is of, and what is with the payee by the banks' word now."""

    recovery_pk: int
    payment_id: str
    source_platform: str
    batch_id: str
    bank: str
    department: str
    programme: str
    period: str
    kept_minor: int


_RECOVERY_COLUMNS = (
    "recovery_pk, payment_pk, amount_minor, ground, exhibit, persons, marked_at, ending, closed_at,"
    f" closed_by, {_RECEIVED} AS recovered_minor"
)
_RECEIPT_COLUMNS = ", ".join(ReceiptRow.__struct_fields__)


def insert_recovery(
    transaction: Transaction,
    payment_pk: int,
    terms: tuple[int, str],
    exhibit: str,
    persons: str,
    decided: str,
    at: datetime,
) -> int:
    """Its key. `terms` are minor units and ground."""
    return transaction.insert(
        "INSERT INTO recovery (payment_pk, amount_minor, ground, exhibit, persons, decided, marked_at)"
        " VALUES (:payment, :amount, :ground, :exhibit, :persons, :decided, :at)",
        payment=payment_pk,
        amount=terms[0],
        ground=terms[1],
        exhibit=exhibit,
        persons=persons,
        decided=decided,
        at=at.isoformat(),
    )


def insert_receipt(
    transaction: Transaction,
    recovery_pk: int,
    amount_minor: int,
    voucher: str,
    persons: str,
    decided: str,
    at: datetime,
) -> int:
    """Its key. `voucher` is the SHA-256 of the exhibit that shows what came back."""
    return transaction.insert(
        "INSERT INTO recovery_receipt (recovery_pk, amount_minor, voucher, persons, decided, noted_at)"
        " VALUES (:recovery, :amount, :voucher, :persons, :decided, :at)",
        recovery=recovery_pk,
        amount=amount_minor,
        voucher=voucher,
        persons=persons,
        decided=decided,
        at=at.isoformat(),
    )


def close_recovery(
    transaction: Transaction, recovery_pk: int, ending: Ending, persons: str, at: datetime
) -> None:
    _moved(
        transaction.run(
            "UPDATE recovery SET ending = :ending, closed_at = :at, closed_by = :persons"
            " WHERE recovery_pk = :pk AND closed_at IS NULL",
            ending=ending,
            at=at.isoformat(),
            persons=persons,
            pk=recovery_pk,
        )
    )


def reopen_recovery(transaction: Transaction, recovery_pk: int) -> None:
    """A part that had made it whole was noted by mistake."""
    _moved(
        transaction.run(
            "UPDATE recovery SET ending = '', closed_at = NULL, closed_by = NULL"
            " WHERE recovery_pk = :pk AND ending = 'whole'",
            pk=recovery_pk,
        )
    )


def strike_receipt(transaction: Transaction, receipt_pk: int, persons: str, at: datetime) -> None:
    _moved(
        transaction.run(
            "UPDATE recovery_receipt SET struck_at = :at, struck_by = :persons"
            " WHERE receipt_pk = :pk AND struck_at IS NULL",
            at=at.isoformat(),
            persons=persons,
            pk=receipt_pk,
        )
    )


def recoveries_of(transaction: Transaction, payment_pk: int) -> list[RecoveryRow]:
    """Of one payment, oldest first; the last one alone may be open."""
    rows = transaction.all(
        f"SELECT {_RECOVERY_COLUMNS} FROM recovery WHERE payment_pk = :pk ORDER BY recovery_pk", pk=payment_pk
    )
    return [RecoveryRow(**row._mapping) for row in rows]


def receipts_of(transaction: Transaction, recovery_pks: Sequence[int]) -> list[ReceiptRow]:
    """What came back of these, oldest first, struck ones too."""
    keys = ",".join(str(int(key)) for key in recovery_pks) or "NULL"
    rows = transaction.all(
        f"SELECT {_RECEIPT_COLUMNS} FROM recovery_receipt WHERE recovery_pk IN ({keys}) ORDER BY receipt_pk"
    )
    return [ReceiptRow(**row._mapping) for row in rows]


def kept_of(transaction: Transaction, payment_pk: int) -> int:
    """Minor units that are with the payee by the banks' word: credited, less what came back by the bank."""
    row = transaction.one(
        f"SELECT {KEPT_MINOR} AS kept FROM payment {LATEST_OUTCOME} WHERE payment.payment_pk = :pk",
        pk=payment_pk,
    )
    assert row is not None
    return int(row.kept)


def listed_recoveries(
    transaction: Transaction, batch_pk: int | None = None, payment_pk: int | None = None
) -> list[tuple[ListedRecovery, RecoveryRow]]:
    """All that was ever asked back, of a batch, or of a payment, oldest first."""
    names = ", ".join(name for name in ListedRecovery.__struct_fields__ if name not in _COMPUTED)
    # Each condition by itself, so that an index serves it.
    where = "1"
    if batch_pk is not None:
        where = "payment.batch_pk = :batch"
    elif payment_pk is not None:
        where = "recovery.payment_pk = :payment"
    rows = transaction.all(
        f"SELECT {names}, COALESCE(lane.bank, '') AS bank, subject.department, {KEPT_MINOR} AS kept_minor,"
        " recovery.payment_pk, recovery.amount_minor, ground, exhibit, persons, marked_at, ending, closed_at,"
        f" closed_by, {_RECEIVED} AS recovered_minor FROM recovery JOIN payment USING (payment_pk)"
        " JOIN batch USING (batch_pk) JOIN subject USING (subject_pk) LEFT JOIN lane USING (lane_pk)"
        f" {LATEST_OUTCOME} WHERE {where} ORDER BY recovery_pk",
        batch=batch_pk,
        payment=payment_pk,
    )
    found = []
    for row in rows:
        values = row._mapping
        listed = {name: values[name] for name in ListedRecovery.__struct_fields__}
        own = {name: values[name] for name in RecoveryRow.__struct_fields__}
        found.append((ListedRecovery(**listed), RecoveryRow(**own)))
    return found


_COMPUTED = ("bank", "department", "kept_minor")


def recovered_rows(transaction: Transaction, batch_pk: int | None = None) -> list[RecoveredRow]:
    """Recoveries, summed up; those that were given up count by what came back of them."""
    rows = transaction.all(
        "SELECT source_platform, batch_id, COALESCE(lane.bank, '') AS bank, subject.department, programme,"
        " period, COALESCE(file.bank_day, '') AS day, SUM(ending = '') AS open_count,"
        f" SUM(CASE ending WHEN '' THEN recovery.amount_minor - {_RECEIVED} ELSE 0 END) AS outstanding_minor,"
        f" SUM({_RECEIVED}) AS recovered_minor FROM recovery JOIN payment USING (payment_pk)"
        " JOIN batch USING (batch_pk) JOIN subject USING (subject_pk)"
        " LEFT JOIN lane ON lane.lane_pk = payment.lane_pk"
        " LEFT JOIN attempt ON attempt.payment_pk = payment.payment_pk AND attempt.live = 1"
        " LEFT JOIN file ON file.file_pk = attempt.file_pk"
        " WHERE :batch IS NULL OR payment.batch_pk = :batch GROUP BY 1, 2, 3, 4, 5, 6, 7",
        batch=batch_pk,
    )
    return [RecoveredRow(**row._mapping) for row in rows]


def open_recoveries(transaction: Transaction, batch_pk: int) -> int:
    """How many of a batch's payments are being recovered."""
    row = transaction.one(
        "SELECT COUNT(*) AS number FROM recovery JOIN payment USING (payment_pk)"
        " WHERE closed_at IS NULL AND payment.batch_pk = :batch",
        batch=batch_pk,
    )
    assert row is not None
    return int(row.number)


def _moved(rows: int) -> None:
    # Both stand in the transaction that looked: another count is a mistake of this program.
    assert rows == 1

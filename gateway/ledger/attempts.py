"""Attempts: which payment stands in which file, and in which of them it counts."""

from __future__ import annotations

from gateway.ledger.database import Transaction
from gateway.ledger.files import FILE_COLUMNS, FileRow, file_row
from gateway.states import AT_THE_BANK

_AT_THE_BANK = ",".join(f"'{state.value}'" for state in sorted(AT_THE_BANK))


def insert_attempts(transaction: Transaction, file_pk: int, payment_keys: list[int]) -> None:
    """Items 1..n; the database refuses a payment that has a live attempt."""
    transaction.many(
        "INSERT INTO attempt (file_pk, item, payment_pk, live) VALUES (?,?,?,1)",
        [(file_pk, item, payment_pk) for item, payment_pk in enumerate(payment_keys, start=1)],
    )


def release_attempts(transaction: Transaction, file_pk: int) -> None:
    """End the file's attempts: its payments may go into a new file."""
    transaction.run("UPDATE attempt SET live = 0 WHERE file_pk = :pk", pk=file_pk)
    transaction.run(
        "UPDATE lane SET due = 1 WHERE lane_pk = (SELECT lane_pk FROM file WHERE file_pk = :pk)", pk=file_pk
    )


def renew_attempts(transaction: Transaction, file_pk: int) -> int:
    """The file's attempts count again, but for payments with a live one in another file; how many do."""
    return transaction.run(
        "UPDATE attempt SET live = 1 WHERE file_pk = :pk AND NOT EXISTS (SELECT 1 FROM attempt AS other"
        " WHERE other.payment_pk = attempt.payment_pk AND other.live = 1 AND other.file_pk <> :pk)",
        pk=file_pk,
    )


def fall_back(transaction: Transaction, file_pk: int) -> list[tuple[FileRow, int]]:
    """Let the payments of a file that ended count in another file which the bank has, where there is one.

    There is after a file was given up on the bank's wrong word, its payments left in another one,
    and the first was reopened. Newest first: each such file, and how many of its attempts count now.
    """
    rows = transaction.all(
        f"SELECT DISTINCT {FILE_COLUMNS} FROM attempt AS ours JOIN attempt AS other"
        " ON other.payment_pk = ours.payment_pk AND other.file_pk <> ours.file_pk"
        " JOIN file ON file.file_pk = other.file_pk"
        f" WHERE ours.file_pk = :pk AND file.state IN ({_AT_THE_BANK}) ORDER BY file.file_pk DESC",
        pk=file_pk,
    )
    fallen = []
    for file in map(file_row, rows):
        renewed = transaction.run(
            "UPDATE attempt SET live = 1 WHERE file_pk = :other AND live = 0"
            " AND payment_pk IN (SELECT payment_pk FROM attempt WHERE file_pk = :pk)"
            " AND NOT EXISTS (SELECT 1 FROM attempt AS any WHERE any.payment_pk = attempt.payment_pk"
            " AND any.live = 1)",
            other=file.file_pk,
            pk=file_pk,
        )
        if renewed:
            row = transaction.one(
                "SELECT SUM(live) AS live FROM attempt WHERE file_pk = :pk", pk=file.file_pk
            )
            assert row is not None
            fallen.append((file, int(row.live)))
    return fallen


def has_live_attempts(transaction: Transaction, file_pk: int) -> bool:
    """Whether the file still has its payments: it has not given them back."""
    row = transaction.one("SELECT 1 FROM attempt WHERE file_pk = :pk AND live = 1 LIMIT 1", pk=file_pk)
    return row is not None


def other_attempts(transaction: Transaction, file_pk: int) -> list[FileRow]:
    """Files in which payments of this one have a live attempt, oldest first."""
    rows = transaction.all(
        f"SELECT DISTINCT {FILE_COLUMNS} FROM attempt AS ours JOIN attempt AS other"
        " ON other.payment_pk = ours.payment_pk AND other.live = 1 AND other.file_pk <> ours.file_pk"
        " JOIN file ON file.file_pk = other.file_pk WHERE ours.file_pk = :pk ORDER BY file.file_pk",
        pk=file_pk,
    )
    return [file_row(row) for row in rows]


def unfit_payments(transaction: Transaction, file_pk: int) -> int:
    """How many payments of a file must not leave: withdrawn or set aside meanwhile, or paid as we know."""
    row = transaction.one(
        "SELECT COUNT(*) AS number FROM attempt JOIN payment USING (payment_pk)"
        " WHERE file_pk = :pk AND (live = 0 OR disposition <> 'accepted'"
        " OR EXISTS (SELECT 1 FROM outcome WHERE outcome.payment_pk = payment.payment_pk))",
        pk=file_pk,
    )
    assert row is not None
    return int(row.number)


def payment_keys_of(transaction: Transaction, file_pk: int, first: int, last: int) -> dict[int, int]:
    """payment_pk by item."""
    rows = transaction.all(
        "SELECT item, payment_pk FROM attempt WHERE file_pk = :pk AND item BETWEEN :first AND :last",
        pk=file_pk,
        first=first,
        last=last,
    )
    return {row.item: row.payment_pk for row in rows}


def has_outcomes(transaction: Transaction, file_pk: int) -> bool:
    return transaction.one("SELECT 1 FROM outcome WHERE file_pk = :pk LIMIT 1", pk=file_pk) is not None

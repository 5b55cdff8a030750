"""Files on their way out, as the ledger has them, and how they move."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from gateway.errors import NotPermitted
from gateway.ledger.database import Transaction
from gateway.states import FILE_MOVES, FileState


class FileRow(Struct, frozen=True, kw_only=True):
    """One outgoing file.

    `releasing_rank` is the last part whose release was begun, `tries` counts uploads begun.
    """

    file_pk: int
    bank: str
    lane_pk: int
    sequence: int
    name: str
    message_id: str
    state: FileState
    payment_count: int
    total_minor: int
    currency: str
    bank_day: str
    created_at: str
    agreement: str
    pins: str
    items_name: str | None
    releasing_rank: int
    tries: int
    attention: str | None
    sent_at: str | None
    evidence: str | None


FILE_COLUMNS = ", ".join(f"file.{name}" for name in FileRow.__struct_fields__)


def insert_file(transaction: Transaction, **values: Any) -> int:
    """A new file in state `planned`; the values are the columns of `file`."""
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    return transaction.insert(
        f"INSERT INTO file (state, {names}) VALUES ('{FileState.PLANNED}', {places})", **values
    )


def files_in(transaction: Transaction, bank: str | None, *states: FileState) -> list[FileRow]:
    """Files in any of the states, oldest first; no state means all."""
    chosen = ",".join(f"'{state.value}'" for state in states)
    rows = transaction.all(
        f"SELECT {FILE_COLUMNS} FROM file WHERE (:bank IS NULL OR bank = :bank)"
        + (f" AND state IN ({chosen})" if states else "")
        + " ORDER BY file_pk",
        bank=bank,
    )
    return [file_row(row) for row in rows]


def files_of_batch(transaction: Transaction, batch_pk: int) -> list[FileRow]:
    """Every file with payments of a batch, oldest first."""
    rows = transaction.all(
        f"SELECT {FILE_COLUMNS} FROM file WHERE lane_pk IN"
        " (SELECT lane_pk FROM lane WHERE batch_pk = :batch) ORDER BY file_pk",
        batch=batch_pk,
    )
    return [file_row(row) for row in rows]


def files_waiting(transaction: Transaction) -> list[FileRow]:
    """Files that a person must look at, or that the next run looks for, oldest first."""
    rows = transaction.all(
        f"SELECT {FILE_COLUMNS} FROM file WHERE attention IS NOT NULL OR state = :uncertain ORDER BY file_pk",
        uncertain=FileState.UNCERTAIN,
    )
    return [file_row(row) for row in rows]


def file_by_key(transaction: Transaction, file_pk: int) -> FileRow:
    row = transaction.one(f"SELECT {FILE_COLUMNS} FROM file WHERE file_pk = :pk", pk=file_pk)
    assert row is not None
    return file_row(row)


def find_file(
    transaction: Transaction,
    bank: str,
    *,
    name: str | None = None,
    stem: str | None = None,
    sequence: int | None = None,
    message_id: str | None = None,
) -> FileRow | None:
    """The bank's file of that name, stem (the name without its last extension), sequence or message id.

    None where there is none, or where several names have that stem.
    """
    if stem is not None:
        rows = transaction.all(
            f"SELECT {FILE_COLUMNS} FROM file WHERE bank = :bank AND"
            # "/" follows "." among characters: everything that begins with the stem and a dot.
            " (name = :stem OR (name > :stem || '.' AND name < :stem || '/'))",
            bank=bank,
            stem=stem,
        )
        found = [row for row in rows if (row.name.rpartition(".")[0] or row.name) == stem]
        return file_row(found[0]) if len(found) == 1 else None
    row = transaction.one(
        f"SELECT {FILE_COLUMNS} FROM file WHERE bank = :bank AND (name = :name OR sequence = :sequence"
        " OR message_id = :message_id)",
        bank=bank,
        name=name,
        sequence=sequence,
        message_id=message_id,
    )
    return None if row is None else file_row(row)


def move_file(
    transaction: Transaction, file_pk: int, before: FileState, after: FileState, **values: Any
) -> None:
    """Compare-and-set along `FILE_MOVES`; `values` are columns that change with it.

    Raises `NotPermitted` where the file is not in `before`.
    """
    if after not in FILE_MOVES[before]:
        raise NotPermitted(f"no file moves from {before} to {after}")
    changes = "".join(f", {name} = :{name}" for name in values)
    changed = transaction.run(
        f"UPDATE file SET state = :after{changes} WHERE file_pk = :file_pk AND state = :before",
        after=after,
        before=before,
        file_pk=file_pk,
        **values,
    )
    if changed != 1:
        raise NotPermitted(f"file {file_pk} is not {before} any more")


def note_release_rank(transaction: Transaction, file_pk: int, rank: int) -> None:
    """Say, before the deed, that part `rank` is about to become visible."""
    changed = transaction.run(
        "UPDATE file SET releasing_rank = MAX(releasing_rank, :rank)"
        " WHERE file_pk = :pk AND state = 'releasing'",
        rank=rank,
        pk=file_pk,
    )
    if changed != 1:
        raise NotPermitted(f"file {file_pk} is not being released by this process")


def set_attention(transaction: Transaction, file_pk: int, message: str | None) -> None:
    """Mark that a person must look; None clears it."""
    transaction.run("UPDATE file SET attention = :message WHERE file_pk = :pk", message=message, pk=file_pk)


def mark_file(transaction: Transaction, file_pk: int, state: FileState, message: str) -> bool:
    """`set_attention` where the file is still in `state`, and nothing else is said of it."""
    return (
        transaction.run(
            "UPDATE file SET attention = :message"
            " WHERE file_pk = :pk AND state = :state AND attention IS NULL",
            message=message,
            pk=file_pk,
            state=state,
        )
        == 1
    )


def add_attention(transaction: Transaction, file_pk: int, message: str) -> None:
    """Say something more that a person must look at, once."""
    before = file_by_key(transaction, file_pk).attention
    if before is None:
        set_attention(transaction, file_pk, message)
    elif message not in before:
        set_attention(transaction, file_pk, f"{before}; {message}")


def doubt_what_files_give_back(transaction: Transaction) -> None:
    """From now on what the present files give back may have been paid by files that are not known here."""
    transaction.run("UPDATE file SET doubted = 1")


def is_doubted(transaction: Transaction, file_pk: int) -> bool:
    """Whether the ledger went back to a backup after the file was made."""
    return transaction.one("SELECT 1 FROM file WHERE file_pk = :pk AND doubted = 1", pk=file_pk) is not None


def files_with_leftovers(transaction: Transaction, bank: str) -> list[FileRow]:
    """Files that were given up and whose parts may still lie at the bank."""
    rows = transaction.all(
        f"SELECT {FILE_COLUMNS} FROM file WHERE bank = :bank AND leftovers = 1"
        " AND state IN ('voided', 'rejected') ORDER BY file_pk",
        bank=bank,
    )
    return [file_row(row) for row in rows]


def forget_leftovers(transaction: Transaction, file_pk: int) -> None:
    """Nothing of the file lies at the bank any more."""
    transaction.run("UPDATE file SET leftovers = 0 WHERE file_pk = :pk", pk=file_pk)


def unanswered_files(transaction: Transaction, bank: str) -> list[FileRow]:
    """Files that the bank has and has not answered for all their payments, oldest first."""
    return files_in(transaction, bank, FileState.SENT, FileState.ACKNOWLEDGED)


def file_row(row: Row[Any]) -> FileRow:
    values = dict(row._mapping)
    return FileRow(**{**values, "state": FileState(values["state"])})

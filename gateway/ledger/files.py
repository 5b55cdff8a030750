"""Files on their way out, as the ledger has them: plans, parts, attempts, moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from gateway.errors import NotPermitted
from gateway.ledger.database import Transaction
from gateway.ledger.intake import Subject
from gateway.states import AT_THE_BANK, FILE_MOVES, BatchState, FileState


class LaneRow(Struct, frozen=True):
    """Payments of one batch for one department and bank."""

    lane_pk: int
    batch_pk: int
    bank: str
    department: str
    spool_name: str
    source_platform: str
    currency: str
    batch_state: BatchState


class DuePayment(Struct, frozen=True, gc=False, array_like=True):
    """A payment that waits for a file."""

    payment_pk: int
    position: int
    payment_id: str
    amount_minor: int


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


class PartRow(Struct, frozen=True, kw_only=True):
    """One part of a file; `rank` is the order in which parts become visible, from 1."""

    rank: int
    part: str
    name: str
    spool_name: str
    size_bytes: int
    sha256: str


_FILE_COLUMNS = ", ".join(f"file.{name}" for name in FileRow.__struct_fields__)

_AT_THE_BANK = ",".join(f"'{state.value}'" for state in sorted(AT_THE_BANK))

_LANE_QUERY = (
    "SELECT lane_pk, lane.batch_pk, bank, lane.department, spool_name, source_platform, currency,"
    " batch.state AS batch_state FROM lane JOIN batch USING (batch_pk)"
)

IS_DUE = (
    " payment.disposition = 'accepted'"
    " AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.payment_pk = payment.payment_pk AND live = 1)"
    " AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.payment_pk = payment.payment_pk)"
)


def due_lanes(transaction: Transaction, bank: str) -> list[LaneRow]:
    """Lanes of released batches in which payments may wait for a file."""
    rows = transaction.all(
        f"{_LANE_QUERY} WHERE lane.bank = :bank AND lane.due = 1 AND batch.state = 'released'"
        " ORDER BY lane_pk",
        bank=bank,
    )
    return [_lane_row(row) for row in rows]


def lane_by_key(transaction: Transaction, lane_pk: int) -> LaneRow:
    row = transaction.one(f"{_LANE_QUERY} WHERE lane_pk = :pk", pk=lane_pk)
    assert row is not None
    return _lane_row(row)


def due_subjects(transaction: Transaction, lane_pk: int) -> list[tuple[int, Subject]]:
    """What the waiting payments of a lane are for."""
    rows = transaction.all(
        "SELECT subject_pk, department, programme, period, account_kind, payee_kind FROM subject"
        f" WHERE subject_pk IN (SELECT subject_pk FROM payment WHERE lane_pk = :lane AND {IS_DUE})"
        " ORDER BY subject_pk",
        lane=lane_pk,
    )
    return [
        (row.subject_pk, Subject(row.department, row.programme, row.period, row.account_kind, row.payee_kind))
        for row in rows
    ]


def due_payments(transaction: Transaction, lane_pk: int, subjects: Iterable[int]) -> Iterator[DuePayment]:
    """Waiting payments of these subjects that fit a file, as far as is known; in the order of the lane."""
    chosen = ",".join(str(int(subject)) for subject in subjects)
    rows = transaction.stream(
        "SELECT payment_pk, position, payment_id, amount_minor FROM payment"
        f" WHERE lane_pk = :lane AND subject_pk IN ({chosen}) AND {IS_DUE}"
        " AND NOT EXISTS (SELECT 1 FROM unfit WHERE unfit.payment_pk = payment.payment_pk)"
        " ORDER BY position",
        lane=lane_pk,
    )
    for payment_pk, position, payment_id, amount_minor in rows:
        yield DuePayment(payment_pk, position, payment_id, amount_minor)


def close_lane(transaction: Transaction, lane_pk: int) -> None:
    """Nothing of the lane waits any more."""
    transaction.run("UPDATE lane SET due = 0 WHERE lane_pk = :lane", lane=lane_pk)


def reopen_lane(transaction: Transaction, lane_pk: int) -> None:
    """Payments of the lane wait again."""
    transaction.run("UPDATE lane SET due = 1 WHERE lane_pk = :lane", lane=lane_pk)


def last_sequence(transaction: Transaction, bank: str) -> int:
    row = transaction.one("SELECT last FROM bank_sequence WHERE bank = :bank", bank=bank)
    return 0 if row is None else int(row.last)


def take_sequence(transaction: Transaction, bank: str) -> int:
    """The bank's next sequence number; never given twice, never restarted."""
    transaction.run(
        "INSERT INTO bank_sequence (bank, last) VALUES (:bank, 1)"
        " ON CONFLICT (bank) DO UPDATE SET last = last + 1",
        bank=bank,
    )
    return last_sequence(transaction, bank)


def insert_file(transaction: Transaction, **values: Any) -> int:
    """A new file in state `planned`; the values are the columns of `file`."""
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    return transaction.insert(
        f"INSERT INTO file (state, {names}) VALUES ('{FileState.PLANNED}', {places})", **values
    )


def insert_attempts(transaction: Transaction, file_pk: int, payment_keys: list[int]) -> None:
    """Items 1..n; the database refuses a payment that has a live attempt."""
    transaction.many(
        "INSERT INTO attempt (file_pk, item, payment_pk, live) VALUES (?,?,?,1)",
        [(file_pk, item, payment_pk) for item, payment_pk in enumerate(payment_keys, start=1)],
    )


def pin_layout(transaction: Transaction, digest: str, name: str, text: str) -> None:
    transaction.run(
        "INSERT INTO pinned_layout (digest, name, text) VALUES (:digest, :name, :text)"
        " ON CONFLICT (digest) DO NOTHING",
        digest=digest,
        name=name,
        text=text,
    )


def pinned_layout(transaction: Transaction, digest: str) -> str | None:
    row = transaction.one("SELECT text FROM pinned_layout WHERE digest = :digest", digest=digest)
    return None if row is None else str(row.text)


def insert_parts(transaction: Transaction, file_pk: int, parts: Iterable[PartRow]) -> None:
    transaction.many(
        "INSERT INTO file_part (file_pk, rank, part, name, spool_name, size_bytes, sha256)"
        " VALUES (?,?,?,?,?,?,?)",
        [
            (file_pk, part.rank, part.part, part.name, part.spool_name, part.size_bytes, part.sha256)
            for part in parts
        ],
    )


def parts_of(transaction: Transaction, file_pk: int) -> list[PartRow]:
    rows = transaction.all(
        "SELECT rank, part, name, spool_name, size_bytes, sha256 FROM file_part"
        " WHERE file_pk = :file ORDER BY rank",
        file=file_pk,
    )
    return [PartRow(**row._mapping) for row in rows]


def files_in(transaction: Transaction, bank: str | None, *states: FileState) -> list[FileRow]:
    """Files in any of the states, oldest first; no state means all."""
    chosen = ",".join(f"'{state.value}'" for state in states)
    rows = transaction.all(
        f"SELECT {_FILE_COLUMNS} FROM file WHERE (:bank IS NULL OR bank = :bank)"
        + (f" AND state IN ({chosen})" if states else "")
        + " ORDER BY file_pk",
        bank=bank,
    )
    return [_file_row(row) for row in rows]


def files_of_batch(transaction: Transaction, batch_pk: int) -> list[FileRow]:
    """Every file with payments of a batch, oldest first."""
    rows = transaction.all(
        f"SELECT {_FILE_COLUMNS} FROM file WHERE lane_pk IN"
        " (SELECT lane_pk FROM lane WHERE batch_pk = :batch) ORDER BY file_pk",
        batch=batch_pk,
    )
    return [_file_row(row) for row in rows]


def files_waiting(transaction: Transaction) -> list[FileRow]:
    """Files that a person must look at, or that the next run looks for, oldest first."""
    rows = transaction.all(
        f"SELECT {_FILE_COLUMNS} FROM file WHERE attention IS NOT NULL OR state = :uncertain"
        " ORDER BY file_pk",
        uncertain=FileState.UNCERTAIN,
    )
    return [_file_row(row) for row in rows]


def file_by_key(transaction: Transaction, file_pk: int) -> FileRow:
    row = transaction.one(f"SELECT {_FILE_COLUMNS} FROM file WHERE file_pk = :pk", pk=file_pk)
    assert row is not None
    return _file_row(row)


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
            f"SELECT {_FILE_COLUMNS} FROM file WHERE bank = :bank AND"
            # "/" follows "." among characters: everything that begins with the stem and a dot.
            " (name = :stem OR (name > :stem || '.' AND name < :stem || '/'))",
            bank=bank,
            stem=stem,
        )
        found = [row for row in rows if (row.name.rpartition(".")[0] or row.name) == stem]
        return _file_row(found[0]) if len(found) == 1 else None
    row = transaction.one(
        f"SELECT {_FILE_COLUMNS} FROM file WHERE bank = :bank AND (name = :name OR sequence = :sequence"
        " OR message_id = :message_id)",
        bank=bank,
        name=name,
        sequence=sequence,
        message_id=message_id,
    )
    return None if row is None else _file_row(row)


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
        f"SELECT DISTINCT {_FILE_COLUMNS} FROM attempt AS ours JOIN attempt AS other"
        " ON other.payment_pk = ours.payment_pk AND other.file_pk <> ours.file_pk"
        " JOIN file ON file.file_pk = other.file_pk"
        f" WHERE ours.file_pk = :pk AND file.state IN ({_AT_THE_BANK}) ORDER BY file.file_pk DESC",
        pk=file_pk,
    )
    fallen = []
    for file in map(_file_row, rows):
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


def doubt_what_files_give_back(transaction: Transaction) -> None:
    """From now on what the present files give back may have been paid by files that are not known here."""
    transaction.run("UPDATE file SET doubted = 1")


def is_doubted(transaction: Transaction, file_pk: int) -> bool:
    """Whether the ledger went back to a backup after the file was made."""
    return transaction.one("SELECT 1 FROM file WHERE file_pk = :pk AND doubted = 1", pk=file_pk) is not None


def files_with_leftovers(transaction: Transaction, bank: str) -> list[FileRow]:
    """Files that were given up and whose parts may still lie at the bank."""
    rows = transaction.all(
        f"SELECT {_FILE_COLUMNS} FROM file WHERE bank = :bank AND leftovers = 1"
        " AND state IN ('voided', 'rejected') ORDER BY file_pk",
        bank=bank,
    )
    return [_file_row(row) for row in rows]


def forget_leftovers(transaction: Transaction, file_pk: int) -> None:
    """Nothing of the file lies at the bank any more."""
    transaction.run("UPDATE file SET leftovers = 0 WHERE file_pk = :pk", pk=file_pk)


def unanswered_files(transaction: Transaction, bank: str) -> list[FileRow]:
    """Files that the bank has and has not answered for all their payments, oldest first."""
    return files_in(transaction, bank, FileState.SENT, FileState.ACKNOWLEDGED)


def has_live_attempts(transaction: Transaction, file_pk: int) -> bool:
    """Whether the file still has its payments: it has not given them back."""
    row = transaction.one("SELECT 1 FROM attempt WHERE file_pk = :pk AND live = 1 LIMIT 1", pk=file_pk)
    return row is not None


def other_attempts(transaction: Transaction, file_pk: int) -> list[FileRow]:
    """Files in which payments of this one have a live attempt, oldest first."""
    rows = transaction.all(
        f"SELECT DISTINCT {_FILE_COLUMNS} FROM attempt AS ours JOIN attempt AS other"
        " ON other.payment_pk = ours.payment_pk AND other.live = 1 AND other.file_pk <> ours.file_pk"
        " JOIN file ON file.file_pk = other.file_pk WHERE ours.file_pk = :pk ORDER BY file.file_pk",
        pk=file_pk,
    )
    return [_file_row(row) for row in rows]


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


class SentToday(Struct, frozen=True):
    """What was planned for a bank day and not voided: of the bank, and minor units of one agreement."""

    files: int
    payments: int
    total_minor: int
    agreement_minor: int


def sent_today(transaction: Transaction, bank: str, agreement: str, day: date) -> SentToday:
    """What counts against the limits of a day."""
    row = transaction.one(
        "SELECT COUNT(*) AS files, COALESCE(SUM(payment_count), 0) AS payments,"
        " COALESCE(SUM(total_minor), 0) AS total,"
        " COALESCE(SUM(CASE WHEN agreement = :agreement THEN total_minor ELSE 0 END), 0) AS own"
        " FROM file WHERE bank = :bank AND bank_day = :day AND state NOT IN ('voided', 'rejected')",
        bank=bank,
        agreement=agreement,
        day=day.isoformat(),
    )
    assert row is not None
    return SentToday(int(row.files), int(row.payments), int(row.total), int(row.own))


def most_files_a_day(transaction: Transaction) -> int:
    """The most files that were made for one bank on one bank day."""
    row = transaction.one(
        "SELECT COALESCE(MAX(files), 0) AS files FROM"
        " (SELECT COUNT(*) AS files FROM file GROUP BY bank, bank_day)"
    )
    assert row is not None
    return int(row.files)


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


def backoff(transaction: Transaction, bank: str) -> tuple[int, datetime] | None:
    """(faults in a row, when to try again) after a transient fault of the bank's server."""
    row = transaction.one("SELECT tries, next_try_at FROM bank_backoff WHERE bank = :bank", bank=bank)
    return None if row is None else (int(row.tries), datetime.fromisoformat(row.next_try_at))


def set_backoff(transaction: Transaction, bank: str, tries: int, at: datetime, message: str) -> None:
    transaction.run(
        "INSERT INTO bank_backoff (bank, tries, next_try_at, message) VALUES (:bank, :tries, :at, :message)"
        " ON CONFLICT (bank) DO UPDATE SET tries = :tries, next_try_at = :at, message = :message",
        bank=bank,
        tries=tries,
        at=at.isoformat(),
        message=message,
    )


def clear_backoff(transaction: Transaction, bank: str) -> None:
    transaction.run("DELETE FROM bank_backoff WHERE bank = :bank", bank=bank)


def _lane_row(row: Row[Any]) -> LaneRow:
    return LaneRow(**{**row._mapping, "batch_state": BatchState(row.batch_state)})


def _file_row(row: Row[Any]) -> FileRow:
    values = dict(row._mapping)
    return FileRow(**{**values, "state": FileState(values["state"])})

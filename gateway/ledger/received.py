"""What banks put there for us, as the ledger has it: sightings and received files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from gateway import evidence
from gateway.errors import NotPermitted
from gateway.ledger.database import Transaction
from gateway.states import RECEIVED_MOVES, ReceivedState


class Sighting(Struct, frozen=True, kw_only=True):
    """How a name looked at the last look.

    `fetched`: 0 not yet; 1 these bytes are stored; 2 they are, and others of the same size could have
    come in the same second of the server's clock.
    """

    name: str
    size_bytes: int
    modified: int
    first_seen_at: str
    looks: int
    fetched: int


class ReceivedRow(Struct, frozen=True, kw_only=True):
    """One file of a bank. `signature_spool_name` is "" where the signature is not apart, `tolerated`
    JSON of what was read over in it.
    """

    received_pk: int
    bank: str
    sha256: str
    name: str
    kind: str
    layout: str
    size_bytes: int
    state: ReceivedState
    spool_name: str
    signature_spool_name: str
    received_at: str
    file_pk: int | None
    verdict: str | None
    problems: str
    accepted_problems: int
    closed_at: str | None
    tolerated: str = "{}"
    flag: str = "{}"


_COLUMNS = ", ".join(ReceivedRow.__struct_fields__)


def sighting(transaction: Transaction, bank: str, name: str) -> Sighting | None:
    row = transaction.one(
        "SELECT name, size_bytes, modified, first_seen_at, looks, fetched FROM sighting"
        " WHERE bank = :bank AND name = :name",
        bank=bank,
        name=name,
    )
    return None if row is None else Sighting(**row._mapping)


def unfetched_sightings(transaction: Transaction, bank: str) -> list[Sighting]:
    """Names that were seen and whose bytes are not stored."""
    rows = transaction.all(
        "SELECT name, size_bytes, modified, first_seen_at, looks, fetched FROM sighting"
        " WHERE bank = :bank AND fetched = 0 ORDER BY name",
        bank=bank,
    )
    return [Sighting(**row._mapping) for row in rows]


def is_arriving(transaction: Transaction, bank: str, since: datetime) -> bool:
    """Whether something that was first seen after `since` is not complete, so not read, yet."""
    return any(
        datetime.fromisoformat(seen.first_seen_at) >= since for seen in unfetched_sightings(transaction, bank)
    )


def forget_sighting(transaction: Transaction, bank: str, name: str) -> None:
    transaction.run("DELETE FROM sighting WHERE bank = :bank AND name = :name", bank=bank, name=name)


def note_sighting(transaction: Transaction, bank: str, seen: Sighting) -> None:
    values = {name: getattr(seen, name) for name in seen.__struct_fields__}
    transaction.run(
        "INSERT INTO sighting (bank, name, size_bytes, modified, first_seen_at, looks, fetched) VALUES"
        " (:bank, :name, :size_bytes, :modified, :first_seen_at, :looks, :fetched)"
        " ON CONFLICT (bank, name) DO UPDATE SET size_bytes = :size_bytes, modified = :modified,"
        " first_seen_at = :first_seen_at, looks = :looks, fetched = :fetched",
        bank=bank,
        **values,
    )


def find_received(
    transaction: Transaction, bank: str, sha256: str, signature_sha256: str, claim: str
) -> ReceivedRow | None:
    """The file of that content and signature, about that file of ours as far as its name says."""
    row = transaction.one(
        f"SELECT {_COLUMNS} FROM received WHERE bank = :bank AND sha256 = :sha256"
        " AND signature_sha256 = :signature AND claim = :claim",
        bank=bank,
        sha256=sha256,
        signature=signature_sha256,
        claim=claim,
    )
    return None if row is None else _received_row(row)


def received_under_name(transaction: Transaction, bank: str, name: str) -> ReceivedRow | None:
    """The latest file that was fetched under this name."""
    row = transaction.one(
        f"SELECT {_COLUMNS} FROM received WHERE bank = :bank AND name = :name"
        " ORDER BY received_pk DESC LIMIT 1",
        bank=bank,
        name=name,
    )
    return None if row is None else _received_row(row)


def insert_received(transaction: Transaction, at: datetime, **values: Any) -> int:
    """A new file in state `received`; the values are the columns of `received`."""
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    return transaction.insert(
        f"INSERT INTO received (state, received_at, {names})"
        f" VALUES ('{ReceivedState.RECEIVED}', :received_at, {places})",
        received_at=at.isoformat(),
        **values,
    )


def received_in(transaction: Transaction, bank: str | None, *states: ReceivedState) -> list[ReceivedRow]:
    """Received files in any of the states, oldest first; no state means all."""
    chosen = ",".join(f"'{state.value}'" for state in states)
    rows = transaction.all(
        f"SELECT {_COLUMNS} FROM received WHERE (:bank IS NULL OR bank = :bank)"
        + (f" AND state IN ({chosen})" if states else "")
        + " ORDER BY received_pk",
        bank=bank,
    )
    return [_received_row(row) for row in rows]


def received_of_batch(transaction: Transaction, batch_pk: int) -> list[ReceivedRow]:
    """What banks answered to files of a batch, oldest first."""
    rows = transaction.all(
        f"SELECT {_COLUMNS} FROM received WHERE file_pk IN (SELECT file_pk FROM file WHERE lane_pk IN"
        " (SELECT lane_pk FROM lane WHERE batch_pk = :batch)) ORDER BY received_pk",
        batch=batch_pk,
    )
    return [_received_row(row) for row in rows]


def received_waiting(transaction: Transaction) -> list[ReceivedRow]:
    """Held files, and refused ones that nobody has closed, oldest first.

    What two persons have accepted waits for the next run, and for nobody.
    """
    rows = transaction.all(
        f"SELECT {_COLUMNS} FROM received WHERE (state = :held AND accepted_problems = 0)"
        " OR (state = :refused AND closed_at IS NULL)"
        " ORDER BY received_pk",
        held=ReceivedState.HELD,
        refused=ReceivedState.REFUSED,
    )
    return [_received_row(row) for row in rows]


def received_by_key(transaction: Transaction, received_pk: int) -> ReceivedRow | None:
    row = transaction.one(f"SELECT {_COLUMNS} FROM received WHERE received_pk = :pk", pk=received_pk)
    return None if row is None else _received_row(row)


def move_received(
    transaction: Transaction, received_pk: int, before: ReceivedState, after: ReceivedState, **values: Any
) -> None:
    """Compare-and-set along `RECEIVED_MOVES`; raises `NotPermitted`."""
    if after not in RECEIVED_MOVES[before]:
        raise NotPermitted(f"no received file moves from {before} to {after}")
    changes = "".join(f", {name} = :{name}" for name in values)
    changed = transaction.run(
        f"UPDATE received SET state = :after{changes} WHERE received_pk = :pk AND state = :before",
        after=after,
        before=before,
        pk=received_pk,
        **values,
    )
    if changed != 1:
        raise NotPermitted(f"received file {received_pk} is not {before} any more")


def accept_problems(transaction: Transaction, received_pk: int, state: ReceivedState) -> bool:
    """Believe a file in spite of the problems that it has now, or one without its other half; False where
    it is not in that state any more.
    """
    return (
        transaction.run(
            "UPDATE received SET accepted_problems = 1 WHERE received_pk = :pk AND state = :state",
            pk=received_pk,
            state=state,
        )
        == 1
    )


def close_received(transaction: Transaction, received_pk: int, at: datetime) -> None:
    """A person has looked at a refused file: it does not wait any more."""
    transaction.run(
        "UPDATE received SET closed_at = :at WHERE received_pk = :pk AND state = :refused",
        pk=received_pk,
        at=at.isoformat(),
        refused=ReceivedState.REFUSED,
    )


def reopen_received(transaction: Transaction, received_pk: int) -> None:
    """A refused file waits for a person again."""
    transaction.run(
        "UPDATE received SET closed_at = NULL WHERE received_pk = :pk AND state = :refused",
        pk=received_pk,
        refused=ReceivedState.REFUSED,
    )


def judge_again(transaction: Transaction, received: ReceivedRow) -> None:
    """A file is judged as if it came only now; raises `NotPermitted` where its state forbids that."""
    move_received(
        transaction,
        received.received_pk,
        received.state,
        ReceivedState.RECEIVED,
        problems="[]",
        accepted_problems=0,
        closed_at=None,
    )


def note_file(transaction: Transaction, received_pk: int, file_pk: int | None) -> None:
    """Which file of ours a received one is about, where nothing of it is believed yet."""
    transaction.run(
        "UPDATE received SET file_pk = :file WHERE received_pk = :pk AND file_pk IS NULL",
        file=file_pk,
        pk=received_pk,
    )


def note_tolerated(transaction: Transaction, received_pk: int, tolerated: str) -> None:
    """What was read over in a file: JSON of `Decoder.facts["tolerated"]`."""
    transaction.run(
        "UPDATE received SET tolerated = :tolerated WHERE received_pk = :pk",
        tolerated=tolerated,
        pk=received_pk,
    )


def hold_again(transaction: Transaction, received_pk: int, problems: str, file_pk: int | None) -> None:
    """A held file that was accepted and does not add up in another way: it is held anew."""
    transaction.run(
        "UPDATE received SET problems = :problems, accepted_problems = 0, file_pk = :file"
        " WHERE received_pk = :pk AND state = :held",
        problems=problems,
        file=file_pk,
        pk=received_pk,
        held=ReceivedState.HELD,
    )


def retry_held(transaction: Transaction, file_pk: int, at: datetime, why: str) -> None:
    """Held answers to a file are looked at again, since more is known of it now."""
    rows = transaction.all(
        f"SELECT {_COLUMNS} FROM received WHERE file_pk = :file AND state = :held AND accepted_problems = 0"
        " ORDER BY received_pk",
        file=file_pk,
        held=ReceivedState.HELD,
    )
    for row in rows:
        judge_again(transaction, _received_row(row))
        evidence.record(
            transaction,
            at,
            "received file judged again",
            bank=row.bank,
            received=row.received_pk,
            sha256=row.sha256,
            why=why,
        )


def is_answered(transaction: Transaction, file_pk: int) -> bool:
    """Whether a bank has said something about a file's payments, believed already or still held."""
    row = transaction.one(
        "SELECT 1 FROM received WHERE file_pk = :file AND kind = 'result'"
        " AND state IN ('received', 'verified', 'held')"
        # By the file's payments: outcomes are not indexed by file.
        " UNION ALL SELECT 1 FROM attempt JOIN outcome ON outcome.payment_pk = attempt.payment_pk"
        " AND outcome.file_pk = attempt.file_pk AND outcome.received_pk IS NOT NULL"
        " WHERE attempt.file_pk = :file LIMIT 1",
        file=file_pk,
    )
    return row is not None


def is_our_own(transaction: Transaction, sha256: str) -> str | None:
    """Name of a file of ours that has these very bytes, as sent or before they were sealed, or None.

    A flag says nothing of its own, and an empty file is everybody's.
    """
    row = transaction.one(
        "SELECT name FROM file_part WHERE sha256 = :sha256 AND part <> 'flag' AND size_bytes > 0"
        " UNION ALL SELECT name FROM file WHERE plain_sha256 = :sha256 LIMIT 1",
        sha256=sha256,
    )
    return None if row is None else str(row.name)


def _received_row(row: Row[Any]) -> ReceivedRow:
    values = dict(row._mapping)
    values["signature_spool_name"] = values["signature_spool_name"] or ""
    return ReceivedRow(**{**values, "state": ReceivedState(values["state"])})

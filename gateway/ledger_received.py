"""What banks put there for us, as the ledger has it: sightings and received files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from gateway.errors import NotPermitted
from gateway.ledger import Transaction
from gateway.states import RECEIVED_MOVES, ReceivedState


class Sighting(Struct, frozen=True, kw_only=True):
    """How a name looked at the last look; `fetched` once these bytes are stored."""

    name: str
    size_bytes: int
    modified: int
    first_seen_at: str
    looks: int
    fetched: int


class ReceivedRow(Struct, frozen=True, kw_only=True):
    """One file of a bank. `signature_spool_name` is "" where the signature is not apart."""

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


_COLUMNS = ", ".join(ReceivedRow.__struct_fields__)


def sighting(transaction: Transaction, bank: str, name: str) -> Sighting | None:
    row = transaction.one(
        "SELECT name, size_bytes, modified, first_seen_at, looks, fetched FROM sighting"
        " WHERE bank = :bank AND name = :name",
        bank=bank,
        name=name,
    )
    return None if row is None else Sighting(**row._mapping)


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
    transaction: Transaction, bank: str, sha256: str, signature_sha256: str
) -> ReceivedRow | None:
    row = transaction.one(
        f"SELECT {_COLUMNS} FROM received WHERE bank = :bank AND sha256 = :sha256"
        " AND signature_sha256 = :signature",
        bank=bank,
        sha256=sha256,
        signature=signature_sha256,
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


def is_our_own(transaction: Transaction, sha256: str) -> str | None:
    """Name of a file of ours that has these very bytes, or None."""
    row = transaction.one("SELECT name FROM file_part WHERE sha256 = :sha256 LIMIT 1", sha256=sha256)
    return None if row is None else str(row.name)


def _received_row(row: Row[Any]) -> ReceivedRow:
    values = dict(row._mapping)
    values["signature_spool_name"] = values["signature_spool_name"] or ""
    return ReceivedRow(**{**values, "state": ReceivedState(values["state"])})

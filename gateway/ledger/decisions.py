"""Signed decisions of persons and the exhibits that they rest on, as the ledger has them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from gateway.ledger.database import Transaction


class SignedRow(Struct, frozen=True, kw_only=True):
    """One person's signed statement. `object` is its subject: the name and a digest of what was seen."""

    object: str
    decision: str
    person: str
    key_id: str
    statement: bytes
    recorded_at: str
    carried_out: int


class ExhibitRow(Struct, frozen=True, kw_only=True):
    """What a person attached to decisions; the bytes lie sealed in the spool."""

    sha256: str
    spool_name: str
    size_bytes: int
    recorded_at: str


_COLUMNS = ", ".join(SignedRow.__struct_fields__)


def insert_decision(transaction: Transaction, **values: Any) -> None:
    """The values are the columns of `decision`."""
    transaction.run(
        "INSERT INTO decision (object, decision, person, key_id, statement, signature, recorded_at)"
        " VALUES (:object, :decision, :person, :key_id, :statement, :signature, :recorded_at)",
        **values,
    )


def signed_so(transaction: Transaction, subject: str, decision: str) -> list[SignedRow]:
    """Every signature of this decision about this object as it is, oldest first."""
    rows = transaction.all(
        f"SELECT {_COLUMNS} FROM decision WHERE object = :object AND decision = :decision"
        " ORDER BY decision_pk",
        object=subject,
        decision=decision,
    )
    return [SignedRow(**row._mapping) for row in rows]


def last_decided(transaction: Transaction, name: str, decision: str) -> SignedRow | None:
    """The signature that carried that decision about the object out last; None where it never was."""
    rows = signed_about(transaction, name)
    return next((row for row in reversed(rows) if row.decision == decision and row.carried_out), None)


def begun_objects(transaction: Transaction) -> list[str]:
    """Names of the objects about which somebody signed what was not carried out, oldest first.

    What was carried out about an object later ended what was begun about it.
    """
    rows = transaction.all(
        "SELECT object FROM decision GROUP BY object, decision HAVING MAX(carried_out) = 0"
        " ORDER BY MAX(decision_pk)"
    )
    names = dict.fromkeys(row.object.rpartition("#")[0] for row in rows)
    return [name for name in names if not signed_about(transaction, name)[-1].carried_out]


def mark_carried_out(transaction: Transaction, subject: str, decision: str) -> None:
    """The last signature had the effect."""
    transaction.run(
        "UPDATE decision SET carried_out = 1 WHERE decision_pk = (SELECT MAX(decision_pk) FROM decision"
        " WHERE object = :object AND decision = :decision)",
        object=subject,
        decision=decision,
    )


def carried_out_count(transaction: Transaction, name: str) -> int:
    """How many decisions about an object had their effect, whatever it looked like then."""
    return sum(row.carried_out for row in signed_about(transaction, name))


def signed_about(transaction: Transaction, name: str) -> list[SignedRow]:
    """Every signed statement about an object, oldest first."""
    rows = transaction.all(
        # `#` ends the name in a subject, and `$` is the next character: a range, so that the index serves.
        f"SELECT {_COLUMNS} FROM decision WHERE object >= :first AND object < :last ORDER BY decision_pk",
        first=f"{name}#",
        last=f"{name}$",
    )
    # A name may itself hold the sign that ends it.
    return [SignedRow(**row._mapping) for row in rows if row.object.rpartition("#")[0] == name]


def insert_exhibit(
    transaction: Transaction, sha256: str, spool_name: str, size_bytes: int, at: datetime
) -> bool:
    """Whether it is new: the same bytes are one exhibit."""
    return (
        transaction.run(
            "INSERT INTO exhibit (sha256, spool_name, size_bytes, recorded_at)"
            " VALUES (:sha256, :spool_name, :size_bytes, :at) ON CONFLICT (sha256) DO NOTHING",
            sha256=sha256,
            spool_name=spool_name,
            size_bytes=size_bytes,
            at=at.isoformat(),
        )
        == 1
    )


def find_exhibit(transaction: Transaction, sha256: str) -> ExhibitRow | None:
    row = transaction.one(
        "SELECT sha256, spool_name, size_bytes, recorded_at FROM exhibit WHERE sha256 = :sha256",
        sha256=sha256,
    )
    return None if row is None else ExhibitRow(**row._mapping)

"""The parts of a file as they are stored and sent, and the layouts that it was made with."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from gateway.ledger.database import Transaction


class PartRow(Struct, frozen=True, kw_only=True):
    """One part of a file; `rank` is the order in which parts become visible, from 1."""

    rank: int
    part: str
    name: str
    spool_name: str
    size_bytes: int
    sha256: str


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

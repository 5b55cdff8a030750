"""Which files of the spool the ledger refers to, and what it knows of their clear bytes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.ledger import Transaction


class Referred(Struct, frozen=True):
    """A file that must be there. `sha256` is that of its clear bytes, "" where the ledger has none."""

    name: str
    sha256: str


_REFERRED = """
    SELECT stored_as AS name, content_sha256 AS sha256 FROM batch
    UNION ALL SELECT spool_name, '' FROM lane
    UNION ALL SELECT items_name, '' FROM file WHERE items_name IS NOT NULL
    UNION ALL SELECT spool_name, sha256 FROM file_part
    UNION ALL SELECT spool_name, sha256 FROM exhibit
    UNION ALL SELECT spool_name, sha256 FROM received
    UNION ALL SELECT signature_spool_name, signature_sha256 FROM received
        WHERE signature_spool_name IS NOT NULL"""


def referred_files(transaction: Transaction) -> Iterator[Referred]:
    """Every stored file that the ledger may open, by name."""
    for name, sha256 in transaction.stream(f"SELECT name, sha256 FROM ({_REFERRED}) ORDER BY name"):
        yield Referred(name, sha256)

"""Which files of the spool the ledger refers to, and what it knows of their clear bytes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.ledger.database import Transaction


class Referred(Struct, frozen=True):
    """A stored file of the ledger's. `sha256` is that of its clear bytes, "" where the ledger has none.

    What is `optional` is there only where there was something to say in it.
    """

    name: str
    sha256: str
    optional: bool


_REFERRED = """
    SELECT stored_as AS name, content_sha256 AS sha256, 0 AS optional FROM batch
    UNION ALL SELECT spool_name, '', 0 FROM lane
    UNION ALL SELECT items_name, '', 0 FROM file WHERE items_name IS NOT NULL
    UNION ALL SELECT substr(items_name, 1, length(items_name) - length('items')) || 'changes', '', 1
        FROM file WHERE items_name LIKE '%/items'
    UNION ALL SELECT spool_name, sha256, 0 FROM file_part
    UNION ALL SELECT spool_name, sha256, 0 FROM received
    UNION ALL SELECT signature_spool_name, signature_sha256, 0 FROM received
        WHERE signature_spool_name IS NOT NULL
    UNION ALL SELECT spool_name, sha256, 0 FROM kept_signature
    UNION ALL SELECT spool_name, sha256, 0 FROM exhibit
    UNION ALL SELECT stored_as, content_sha256, 0 FROM card_list
    UNION ALL SELECT spool_name, '', 0 FROM card_list"""


def referred_files(transaction: Transaction) -> Iterator[Referred]:
    """Every stored file that the ledger may open, by name; what was destroyed is none of them."""
    for name, sha256, optional in transaction.stream(
        f"SELECT name, sha256, optional FROM ({_REFERRED})"
        " WHERE name NOT IN (SELECT spool_name FROM destroyed_file) ORDER BY name"
    ):
        yield Referred(name, sha256, bool(optional))


def destroyed_since(transaction: Transaction, lane_pk: int) -> str | None:
    """When the personal data of a lane's batch began to be destroyed, or None: it is there."""
    row = transaction.one(
        "SELECT begun_at FROM destruction JOIN lane USING (batch_pk) WHERE lane_pk = :lane", lane=lane_pk
    )
    return None if row is None else str(row.begun_at)


def is_destroyed(transaction: Transaction, spool_name: str) -> bool:
    """Whether a stored file was given up to be destroyed."""
    row = transaction.one("SELECT 1 FROM destroyed_file WHERE spool_name = :name", name=spool_name)
    return row is not None

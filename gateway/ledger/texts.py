"""Banks' own words in the ledger, sealed: those that are not under the current master, and back."""

from __future__ import annotations

from msgspec import Struct

from gateway.ledger.database import Transaction
from keys.sealed import MasterKey
from keys.sealed_text import text_prefix


class TextColumn(Struct, frozen=True):
    """A column of sealed texts and the key of its table."""

    table: str
    key: str
    column: str


SEALED_TEXTS = (
    TextColumn("outcome", "outcome_pk", "bank_text"),
    TextColumn("fee_finding", "fee_pk", "label"),
    TextColumn("acknowledgement", "acknowledgement_pk", "bank_text"),
    TextColumn("notice", "notice_pk", "text"),
    TextColumn("statement_entry", "entry_pk", "text"),
)
"""Every column that holds sealed texts."""


def texts_under_others(
    transaction: Transaction, column: TextColumn, master: MasterKey, limit: int
) -> list[tuple[int, bytes]]:
    """(key, sealed text) of up to `limit` rows that are not under `master`."""
    prefix = text_prefix(master)
    rows = transaction.all(
        f"SELECT {column.key} AS key, {column.column} AS sealed FROM {column.table}"
        f" WHERE {column.column} IS NOT NULL AND substr({column.column}, 1, :width) != :prefix"
        f" ORDER BY {column.key} LIMIT :limit",
        width=len(prefix),
        prefix=prefix,
        limit=limit,
    )
    return [(int(row.key), bytes(row.sealed)) for row in rows]


def store_texts(transaction: Transaction, column: TextColumn, rows: list[tuple[bytes, int]]) -> None:
    """Put (sealed text, key) in the place of what was there."""
    transaction.many(f"UPDATE {column.table} SET {column.column} = ? WHERE {column.key} = ?", rows)

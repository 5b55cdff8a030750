"""The payments of one batch beside one another, in a temporary table: constant memory for any number."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Self, cast

from sqlalchemy import Connection

from gateway.ledger.database import Ledger, Transaction

WatchedRow = tuple[str, str, int, bytes, bytes, str, int, bytes, str]
"""payment_id, programme, amount_minor, account and person as keyed digests, the account's last four
characters, 1 where it replaces another payment, the name as keyed digest, and the account kind where the
account is the beneficiary's own, else ""."""

_OWN = "watched CROSS JOIN known ON known.value = watched.person CROSS JOIN holder USING (holder)"
_ANOTHERS = (
    "SELECT watched.rowid FROM watched WHERE kind <> '' AND EXISTS (SELECT 1 FROM holder JOIN known"
    " ON known.value = holder.person WHERE (holder.card = watched.account"
    "  OR holder.passbook = watched.account) AND holder.person <> watched.person)"
)
_BESIDE_LISTS = {
    "anothers_account": f"SELECT payment_id FROM watched WHERE rowid IN ({_ANOTHERS})",
    "other_card": f"SELECT payment_id FROM {_OWN} WHERE kind = 'card' AND holder.card <> account"
    f" AND account <> x'' AND watched.rowid NOT IN ({_ANOTHERS})",
    "other_name": f"SELECT payment_id FROM {_OWN} WHERE kind <> '' AND holder.name <> watched.name",
    "card_known": f"SELECT payment_id FROM {_OWN} WHERE kind = 'passbook'",
}
"""Payments that differ from what card lists say; of `known` and `holder` see `known_cards`."""


class Watch:
    """One batch; close it, or use it in a `with` block."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._connection = ledger.connect()
        self._database = cast("sqlite3.Connection", self._connection.connection.dbapi_connection)
        self._database.execute("PRAGMA temp_store = FILE")
        self._database.execute(
            "CREATE TEMP TABLE watched (payment_id TEXT, programme TEXT, amount_minor INTEGER, account BLOB,"
            " person BLOB, ending TEXT, reissue INTEGER, name BLOB, kind TEXT)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def connection(self) -> Connection:
        """Where its tables are, for others beside them."""
        return self._connection

    def add(self, rows: list[WatchedRow]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO watched VALUES (?,?,?,?,?,?,?,?,?)", rows)
        self._database.execute("COMMIT")

    def totals(self) -> tuple[int, int]:
        """(payments, those that replace another)."""
        with self._ledger.read(self._connection) as transaction:
            row = transaction.one(
                "SELECT COUNT(*) AS number, COALESCE(SUM(reissue), 0) AS again FROM watched"
            )
            assert row is not None
            return int(row.number), int(row.again)

    def programmes(self) -> list[tuple[str, int, int]]:
        """(programme, payments, middle amount in minor units)."""
        with self._ledger.read(self._connection) as transaction:
            transaction.run(
                "CREATE INDEX IF NOT EXISTS watched_by_amount ON watched (programme, amount_minor)"
            )
            names = transaction.all("SELECT programme, COUNT(*) AS number FROM watched GROUP BY 1 ORDER BY 1")
            return [
                (row.programme, row.number, _middle(transaction, row.programme, row.number)) for row in names
            ]

    def amounts(self, programme: str) -> list[tuple[int, int]]:
        """(amount, how many payments) of a programme, the greatest first."""
        with self._ledger.read(self._connection) as transaction:
            rows = transaction.all(
                "SELECT amount_minor, COUNT(*) AS number FROM watched WHERE programme = :name"
                " GROUP BY 1 ORDER BY 1 DESC",
                name=programme,
            )
            return [(int(row.amount_minor), int(row.number)) for row in rows]

    def payments_of(self, programme: str, amount_minor: int, named: int) -> list[str]:
        """The first of a programme's payments of one amount."""
        with self._ledger.read(self._connection) as transaction:
            rows = transaction.all(
                "SELECT payment_id FROM watched WHERE programme = :name AND amount_minor = :amount"
                " ORDER BY payment_id LIMIT :named",
                name=programme,
                amount=amount_minor,
                named=named,
            )
            return [row.payment_id for row in rows]

    def replacing(self, named: int) -> list[str]:
        """The first of the payments that replace another."""
        with self._ledger.read(self._connection) as transaction:
            rows = transaction.all(
                "SELECT payment_id FROM watched WHERE reissue = 1 ORDER BY payment_id LIMIT :named",
                named=named,
            )
            return [row.payment_id for row in rows]

    def beside_lists(self, named: int) -> Iterator[tuple[str, int, list[str]]]:
        """(kind, payments, the first of them) that differ from what card lists say, which are on the same
        connection."""
        with self._ledger.read(self._connection) as transaction:
            for kind, query in _BESIDE_LISTS.items():
                total = transaction.one(f"SELECT COUNT(*) AS number FROM ({query})")
                assert total is not None
                if total.number:
                    rows = transaction.all(f"{query} ORDER BY payment_id LIMIT :named", named=named)
                    yield kind, int(total.number), [row.payment_id for row in rows]

    def shared_accounts(self, persons: int, named: int) -> Iterator[tuple[str, int, int, list[str]]]:
        """(last four characters, persons, payments, the first of them) of accounts of so many persons."""
        with self._ledger.read(self._connection) as transaction:
            transaction.run("CREATE INDEX IF NOT EXISTS watched_by_account ON watched (account, person)")
            groups = transaction.all(
                "SELECT account, MIN(ending) AS ending, COUNT(DISTINCT person) AS persons,"
                " COUNT(*) AS number FROM watched WHERE account <> x''"
                " GROUP BY account HAVING COUNT(DISTINCT person) >= :persons"
                " ORDER BY persons DESC, ending",
                persons=persons,
            )
            for group in groups:
                rows = transaction.all(
                    "SELECT payment_id FROM watched WHERE account = :account"
                    " ORDER BY payment_id LIMIT :named",
                    account=group.account,
                    named=named,
                )
                yield group.ending, group.persons, group.number, [row.payment_id for row in rows]


def _middle(transaction: Transaction, programme: str, number: int) -> int:
    row = transaction.one(
        "SELECT amount_minor FROM watched WHERE programme = :name ORDER BY amount_minor LIMIT 1 OFFSET :half",
        name=programme,
        half=(number - 1) // 2,
    )
    assert row is not None
    return int(row.amount_minor)

"""A published list beside the ledger's credits, in temporary tables: constant memory for any number."""

from __future__ import annotations

import sqlite3
from typing import Any, Self, cast

from msgspec import Struct

from gateway.ledger.database import Ledger, Transaction
from gateway.ledger.payments import LATEST_OUTCOME


class PublishedRow(Struct, frozen=True, array_like=True, gc=False):
    """One line of a list."""

    payment_id: str
    amount_minor: int
    line: int


class Compared(Struct, frozen=True, kw_only=True):
    """One difference. Amounts are None where the payment is on one side only."""

    kind: str
    payment_id: str
    published_minor: int | None = None
    credited_minor: int | None = None
    line: int | None = None


_BROUGHT = "latest.credited_minor - COALESCE(latest.returned_minor, 0) AS credited_minor"
_HAS_BROUGHT = "(latest.status = 'credited' OR latest.reason = 'PAID_SHORT')"
"""What was paid short for good is with the payee, too: its rest comes by a reissue."""
_SUCCESSOR = f"JOIN payment ON payment.payment_pk = reissue.successor_pk {LATEST_OUTCOME}"
_OF_ANOTHER_BATCH = f"published.batch_pk = :batch AND payment.batch_pk <> :batch AND {_HAS_BROUGHT}"
_CREDIT = (
    "SELECT payment_id, SUM(credited_minor) AS credited_minor FROM ("
    f"SELECT payment.payment_id, {_BROUGHT} FROM payment {LATEST_OUTCOME}"
    f" WHERE payment.batch_pk = :batch AND {_HAS_BROUGHT}"
    # What later payments of its chain brought, in other batches, stands for the published one: where that
    # began the chain, and where it is a reissue itself.
    f" UNION ALL SELECT published.payment_id, {_BROUGHT} FROM reissue"
    f" JOIN payment AS published ON published.payment_pk = reissue.chain_pk {_SUCCESSOR}"
    f" WHERE {_OF_ANOTHER_BATCH}"
    f" UNION ALL SELECT published.payment_id, {_BROUGHT} FROM reissue AS own"
    " JOIN payment AS published ON published.payment_pk = own.successor_pk"
    " JOIN reissue ON reissue.chain_pk = own.chain_pk AND reissue.successor_pk > own.successor_pk"
    f" {_SUCCESSOR} WHERE {_OF_ANOTHER_BATCH}"
    ") GROUP BY payment_id"
)
_KINDS: dict[str, str] = {
    "published twice": "SELECT payment_id, MIN(amount_minor), NULL, MAX(line) FROM published"
    " GROUP BY payment_id HAVING COUNT(*) > 1",
    "published, not credited": "SELECT published.payment_id, published.amount_minor, NULL, line"
    " FROM published LEFT JOIN credit USING (payment_id) WHERE credit.payment_id IS NULL",
    "credited, not published": "SELECT credit.payment_id, NULL, credit.credited_minor, NULL"
    " FROM credit LEFT JOIN published USING (payment_id) WHERE published.payment_id IS NULL",
    "other amount": "SELECT published.payment_id, published.amount_minor, credit.credited_minor, line"
    " FROM published JOIN credit USING (payment_id)"
    " WHERE published.amount_minor <> credit.credited_minor",
    # The ledger has a payment's credit once; what was credited by two files says so itself.
    "credited twice": "SELECT payment.payment_id, NULL, latest.credited_minor, NULL FROM payment"
    f" {LATEST_OUTCOME} WHERE payment.batch_pk = :batch AND latest.reason = 'PAID_TWICE'",
}


class Comparison:
    """One list; close it, or use it in a `with` block."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._connection = ledger.connect()
        self._database = cast("sqlite3.Connection", self._connection.connection.dbapi_connection)
        self._database.execute("PRAGMA temp_store = FILE")
        self._database.execute(
            "CREATE TEMP TABLE published (payment_id TEXT, amount_minor INTEGER, line INTEGER)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add(self, rows: list[PublishedRow]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO published VALUES (?,?,?)",
            [(row.payment_id, row.amount_minor, row.line) for row in rows],
        )
        self._database.execute("COMMIT")

    def result(self, batch_pk: int, named: int) -> dict[str, Any]:
        """Counts and sums of both sides, how many differences of each kind, and the first of each."""
        with self._ledger.read(self._connection) as transaction:
            transaction.run("CREATE INDEX published_by_id ON published (payment_id)")
            transaction.run(f"CREATE TEMP TABLE credit AS {_CREDIT}", batch=batch_pk)
            transaction.run("CREATE INDEX credit_by_id ON credit (payment_id)")
            published, published_minor = _sum(transaction, "published", "amount_minor")
            credited, credited_minor = _sum(transaction, "credit", "credited_minor")
            counts: dict[str, int] = {}
            differences: list[Compared] = []
            for kind, query in _KINDS.items():
                for row in transaction.stream(query, **({"batch": batch_pk} if ":batch" in query else {})):
                    counts[kind] = counts.get(kind, 0) + 1
                    if counts[kind] <= named:
                        payment_id, of_list, of_credit, line = row
                        differences.append(
                            Compared(
                                kind=kind,
                                payment_id=payment_id,
                                published_minor=of_list,
                                credited_minor=of_credit,
                                line=line,
                            )
                        )
        return {
            "published_count": published,
            "published_minor": published_minor,
            "credited_count": credited,
            "credited_minor": credited_minor,
            "counts": counts,
            "differences": differences,
        }


def _sum(transaction: Transaction, table: str, column: str) -> tuple[int, int]:
    row = transaction.one(f"SELECT COUNT(*) AS number, COALESCE(SUM({column}), 0) AS total FROM {table}")
    assert row is not None
    return int(row.number), int(row.total)

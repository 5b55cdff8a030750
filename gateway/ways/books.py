"""What persons decide about the reconciliation of a batch (对账): it is closed as its sums are."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.books import insert_closing
from gateway.ledger.database import Transaction
from gateway.ledger.intake import BatchRow
from gateway.rules.books import closing_of, sums_digest
from gateway.rules.closing import open_points, standings_of
from gateway.ways.way import Carried, Decision, Ways


class Books(Struct, frozen=True):
    """The reconciliation of one batch."""

    batch: BatchRow
    sums_sha256: str


def books_ways(installation: Installation, transaction: Transaction, books: Books) -> Ways:
    """Nothing, where it is closed by what is known now; agreements may want something settled first.

    Where payments are open, or statements say otherwise than results, the person explains it.
    """
    if closing_of(transaction, books.batch).closed:
        return {}
    found = standings_of(installation, transaction, books.batch)
    obstacle = "; ".join(each for standing in found for each in standing.obstacles())
    points = open_points(transaction, books.batch)
    return {
        "close-books": replace(
            _CLOSE,
            obstacle=obstacle,
            needs_reason=any(point.to_explain for point in points),
            open_points=tuple(point.said for point in points),
        )
    }


def _close(_installation: Installation, transaction: Transaction, books: Books, carried: Carried) -> None:
    digest = sums_digest(transaction, books.batch)
    insert_closing(transaction, books.batch.batch_pk, digest, ", ".join(carried.persons), carried.at)
    evidence.record(
        transaction,
        carried.at,
        "reconciliation closed",
        platform=books.batch.source_platform,
        batch=books.batch.batch_id,
        sums_sha256=digest,
        by=carried.persons,
    )


_CLOSE = Decision(1, "the sums were compared with the bank's and explained", _close, takes_reason=True)
_WAYS: Ways = {"close-books": _CLOSE}
TABLES: tuple[Ways, ...] = (_WAYS,)
"""Every decision about a reconciliation."""

"""Whose card is known: rows of card lists as keyed digests, in temporary tables of one connection.

They are filled when somebody asks and gone when that is answered, so that every key of fingerprints is
looked up, also one that is newer than the list. They hold digests, the names of banks and the last four
digits of cards; names, IDs and accounts stay in the sealed lists.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Self, cast

from msgspec import Struct
from sqlalchemy import Connection

from gateway.ledger.database import Ledger, Transaction
from gateway.ledger.payments import LATEST_OUTCOME
from gateway.ledger.repeats import PAID_OR_MAY_BE

HolderRow = tuple[int, int, int, bytes, bytes, bytes, bytes, str, str]
"""Key of the list, place of the row in it from 0, line of the list as it was brought; person, name,
passbook and card as keyed digests; bank and last four digits of the card."""

_TABLES = (
    "CREATE TEMP TABLE holder (holder INTEGER PRIMARY KEY, list_pk INTEGER, place INTEGER, line INTEGER,"
    " person BLOB, name BLOB, passbook BLOB, card BLOB, bank TEXT, ending TEXT)",
    # The same persons by keys of fingerprints that were used before.
    "CREATE TEMP TABLE holder_alias (holder INTEGER, person BLOB)",
    "CREATE TEMP TABLE torn_account (account BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE doubted (person BLOB PRIMARY KEY) WITHOUT ROWID",
    # By every key; `holder` is the same for all rows of a person.
    "CREATE TEMP TABLE known (value BLOB PRIMARY KEY, holder INTEGER) WITHOUT ROWID",
)
_INDEXES = (
    "CREATE INDEX temp.holder_by_person ON holder (person, card, name)",
    "CREATE INDEX temp.holder_by_card ON holder (card, person)",
    "CREATE INDEX temp.holder_by_passbook ON holder (passbook, person)",
)
_ACCOUNTS = (
    "(SELECT line, card AS account, person FROM holder UNION ALL SELECT line, passbook, person FROM holder)"
)
_TORN_PERSONS = (
    "SELECT person FROM holder GROUP BY person HAVING COUNT(DISTINCT card) > 1 OR COUNT(DISTINCT name) > 1"
)
_TORN_ACCOUNTS = (
    f"SELECT account FROM {_ACCOUNTS} GROUP BY account HAVING COUNT(DISTINCT person) > 1"
    " UNION SELECT card FROM holder WHERE card IN (SELECT passbook FROM holder)"
)
_CONTRADICTIONS = {
    "two_cards": "SELECT line, lowest, highest FROM holder JOIN (SELECT person, MIN(line) AS lowest,"
    " MAX(line) AS highest FROM holder GROUP BY person HAVING COUNT(DISTINCT card) > 1) USING (person)",
    "two_names": "SELECT line, lowest, highest FROM holder JOIN (SELECT person, MIN(line) AS lowest,"
    " MAX(line) AS highest FROM holder GROUP BY person HAVING COUNT(DISTINCT name) > 1) USING (person)",
    "shared_account": "SELECT DISTINCT line, lowest, highest FROM (SELECT account, MIN(line) AS lowest,"
    f" MAX(line) AS highest FROM {_ACCOUNTS} GROUP BY account HAVING COUNT(DISTINCT person) > 1)"
    f" JOIN {_ACCOUNTS} USING (account)",
    "both_kinds": "SELECT own.line, MIN(other.line) AS lowest, MIN(other.line) AS highest FROM holder AS own"
    " JOIN holder AS other ON other.passbook = own.card WHERE other.person = own.person GROUP BY 1",
    "repeated": "SELECT holder.line, lowest, lowest AS highest FROM holder JOIN (SELECT person, passbook,"
    " MIN(line) AS lowest FROM holder GROUP BY 1, 2 HAVING COUNT(*) > 1) AS twice"
    " ON twice.person = holder.person AND twice.passbook = holder.passbook AND holder.line > lowest",
}
"""By what a list contradicts itself, or (`repeated`) says a thing twice: line, and lines of the others."""


class Holder(Struct, frozen=True, kw_only=True):
    """A person's row: which list and place in it; name and card as keyed digests."""

    list_pk: int
    place: int
    name: bytes
    card: bytes
    bank: str
    ending: str


class MovedCredits(Struct, frozen=True, kw_only=True):
    """Passbook credits of one programme spelling and year whose payees' cards are known."""

    programme: str
    year: str
    count: int
    credited_minor: int


class HolderTable:
    """Rows of lists, then what is known by them; use it in a `with` block.

    `connection` is lent; without one it has its own.
    """

    def __init__(self, ledger: Ledger, connection: Connection | None = None) -> None:
        self._ledger = ledger
        self._own = connection is None
        self._connection = ledger.connect() if connection is None else connection
        self._database = cast("sqlite3.Connection", self._connection.connection.dbapi_connection)
        if self._own:
            self._database.execute("PRAGMA temp_store = FILE")
        for statement in _TABLES:
            self._database.execute(statement)
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._connection.close()

    def add(self, rows: list[HolderRow], aliases: Iterable[tuple[int, bytes]] = ()) -> None:
        """Some rows; aliases are (index of the row among these, the person by an older key)."""
        placed = [(self._rows + index + 1, value) for index, value in aliases]
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO holder (list_pk, place, line, person, name, passbook, card, bank, ending)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            rows,
        )
        self._database.executemany("INSERT INTO holder_alias VALUES (?,?)", placed)
        self._database.execute("COMMIT")
        self._rows += len(rows)

    def settle(self) -> None:
        """Nobody is known of whom the rows, of all lists together, say two things. Call it once."""
        for statement in _INDEXES:
            self._database.execute(statement)
        self._database.execute(f"INSERT INTO torn_account {_TORN_ACCOUNTS}")
        self._database.execute(f"INSERT INTO doubted {_TORN_PERSONS}")
        self._database.execute(
            "INSERT OR IGNORE INTO doubted SELECT person FROM holder WHERE card IN"
            " (SELECT account FROM torn_account) OR passbook IN (SELECT account FROM torn_account)"
        )
        self._database.execute(
            "INSERT INTO known SELECT person, MIN(holder) FROM holder"
            " WHERE person NOT IN (SELECT person FROM doubted) GROUP BY person"
        )
        self._database.execute(
            "INSERT OR IGNORE INTO known SELECT holder_alias.person, known.holder FROM holder_alias"
            " JOIN holder USING (holder) JOIN known ON known.value = holder.person"
        )

    def contradictions(self) -> Iterator[tuple[str, int, int]]:
        """(kind, line, line of another row) of one settled list."""
        with self._ledger.read(self._connection) as transaction:
            for kind, query in _CONTRADICTIONS.items():
                for row in transaction.stream(f"{query} ORDER BY 1"):
                    yield kind, row.line, row.lowest if row.lowest != row.line else row.highest

    def counts(self) -> tuple[int, int]:
        """(persons, those of whom the rows say two things), by the present key."""
        row = self._one(
            "SELECT (SELECT COUNT(DISTINCT person) FROM holder) AS persons,"
            " (SELECT COUNT(*) FROM doubted) AS torn"
        )
        return int(row[0]), int(row[1])

    def compared(self, before: int, after: int) -> tuple[int, int]:
        """(persons of list `before` whom `after` does not name, those to whom it gives another card)."""
        gone = self._one(
            "SELECT COUNT(DISTINCT person) FROM holder WHERE list_pk = ? AND person NOT IN"
            " (SELECT person FROM holder WHERE list_pk = ?)",
            before,
            after,
        )
        moved = self._one(
            "SELECT COUNT(DISTINCT ours.person) FROM holder AS ours JOIN holder AS theirs"
            " ON theirs.person = ours.person AND theirs.card <> ours.card"
            " WHERE ours.list_pk = ? AND theirs.list_pk = ?",
            before,
            after,
        )
        return int(gone[0]), int(moved[0])

    def find(self, person: bytes) -> Holder | None:
        """The row of a person whose card is known."""
        row = self._database.execute(
            f"SELECT {_HOLDER} FROM known JOIN holder USING (holder) WHERE value = ?", (person,)
        ).fetchone()
        return None if row is None else Holder(**dict(zip(Holder.__struct_fields__, row, strict=True)))

    def moved_credits(self, transaction: Transaction) -> list[MovedCredits]:
        """Passbook credits to those whose card is known. The transaction is one of `read`."""
        rows = transaction.all(
            f"SELECT programme, {_YEAR} AS year, COUNT(*) AS count,"
            f" SUM(latest.credited_minor) AS credited_minor {_PASSBOOK_CREDITS} GROUP BY 1, 2"
        )
        return [MovedCredits(**row._mapping) for row in rows]

    def moved_persons(self, transaction: Transaction, year: int | None) -> int:
        """How many persons these credits are of. The transaction is one of `read`."""
        row = transaction.one(
            f"SELECT COUNT(DISTINCT known.holder) AS number {_PASSBOOK_CREDITS}"
            f" AND (:year = '' OR {_YEAR} = :year)",
            year="" if year is None else str(year),
        )
        assert row is not None
        return int(row.number)

    def paid_by_passbook(self, transaction: Transaction, roads: Iterable[tuple[int, int]]) -> list[int]:
        """Of each person whose card is known, and each road, the newest passbook payment that no payment
        by card has followed; `roads` are (subject, number of department and programme).

        The transaction is one of `read`.
        """
        transaction.run("CREATE TEMP TABLE road (subject_pk INTEGER PRIMARY KEY, number INTEGER)")
        transaction.many("INSERT INTO road VALUES (?,?)", list(roads))
        transaction.run(
            "CREATE TEMP TABLE paid (road INTEGER, holder INTEGER, kind TEXT, newest INTEGER,"
            " PRIMARY KEY (road, holder, kind)) WITHOUT ROWID"
        )
        transaction.run(
            "INSERT INTO paid SELECT road.number, known.holder, subject.account_kind,"
            " MAX(payment.payment_pk) FROM road CROSS JOIN subject ON subject.subject_pk = road.subject_pk"
            " CROSS JOIN fingerprint ON fingerprint.subject_pk = road.subject_pk"
            " CROSS JOIN known ON known.value = fingerprint.value"
            " CROSS JOIN payment ON payment.payment_pk = fingerprint.payment_pk"
            f" WHERE {PAID_OR_MAY_BE} GROUP BY 1, 2, 3"
        )
        rows = transaction.all(
            "SELECT newest FROM paid WHERE kind = 'passbook' AND NOT EXISTS (SELECT 1 FROM paid AS later"
            "  WHERE later.road = paid.road AND later.holder = paid.holder AND later.kind = 'card'"
            "  AND later.newest > paid.newest) ORDER BY newest"
        )
        return [int(row.newest) for row in rows]

    def read(self) -> AbstractContextManager[Transaction]:
        """A view of the ledger that sees these rows."""
        return self._ledger.read(self._connection)

    def _one(self, query: str, *values: object) -> tuple[int, ...]:
        found: tuple[int, ...] = self._database.execute(query, values).fetchone()
        return found


_HOLDER = ", ".join(Holder.__struct_fields__)
_YEAR = "substr(COALESCE(latest.value_date, latest.recorded_at), 1, 4)"
_PASSBOOK_CREDITS = (
    "FROM subject CROSS JOIN fingerprint ON fingerprint.subject_pk = subject.subject_pk"
    " CROSS JOIN known ON known.value = fingerprint.value"
    f" CROSS JOIN payment ON payment.payment_pk = fingerprint.payment_pk {LATEST_OUTCOME}"
    " WHERE subject.account_kind = 'passbook' AND latest.status = 'credited'"
)

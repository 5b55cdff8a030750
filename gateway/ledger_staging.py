"""Where the rows of a batch wait while it is read: a private database that nobody else sees.

It lives in memory first and in an unnamed temporary file when it grows, and is gone when
it is closed; nothing is lost with it, since a batch is not taken before its ledger
transaction. It holds payment ids, amounts and fingerprints, no names or accounts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from formats import Reason
from gateway.ledger_intake import NewPayment
from gateway.states import Disposition

_COLUMNS = ", ".join(NewPayment.__struct_fields__)


class Staging:
    """The rows of one batch, sortable by id and by place."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute(
            "CREATE TABLE staged (payment_id TEXT, source_line INTEGER, lane INTEGER, position INTEGER,"
            " amount_minor INTEGER, subject INTEGER, disposition TEXT, reason TEXT, reissue_of TEXT,"
            " fingerprint BLOB)"
        )

    def close(self) -> None:
        self._database.close()

    def add(self, rows: list[tuple[object, ...]]) -> None:
        """Rows as `NewPayment` lists its fields."""
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO staged VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
        self._database.execute("COMMIT")

    def leave_out(self, payment_id: str, lines: list[int]) -> int:
        """Take these rows of an id out of the batch; the sum of their amounts."""
        total = 0
        for line in lines:
            row = self._database.execute(
                "SELECT amount_minor FROM staged WHERE payment_id = ? AND source_line = ?", (payment_id, line)
            ).fetchone()
            total += row[0]
            self._database.execute(
                "DELETE FROM staged WHERE payment_id = ? AND source_line = ?", (payment_id, line)
            )
        return total

    def set_aside(self, payment_id: str, line: int, reason: Reason) -> None:
        self._database.execute(
            "UPDATE staged SET disposition = ?, reason = ? WHERE payment_id = ? AND source_line = ?",
            (Disposition.SET_ASIDE, reason, payment_id, line),
        )

    def lines_of(self, payment_id: str) -> list[int]:
        rows = self._database.execute(
            "SELECT source_line FROM staged WHERE payment_id = ? ORDER BY source_line", (payment_id,)
        )
        return [line for (line,) in rows]

    def ids(self, block: int) -> Iterator[list[str]]:
        """Every id, sorted, in blocks."""
        rows = self._database.execute("SELECT payment_id FROM staged ORDER BY payment_id")
        while found := rows.fetchmany(block):
            yield [payment_id for (payment_id,) in found]

    def reissues(self) -> list[tuple[str, str, int, int]]:
        """(payment_id, reissue_of, amount, line) of payments that replace another and are fit to go."""
        return self._database.execute(
            "SELECT payment_id, reissue_of, amount_minor, source_line FROM staged"
            " WHERE reissue_of <> '' AND disposition <> ? ORDER BY source_line",
            (Disposition.SET_ASIDE,),
        ).fetchall()

    def order(self, subject_keys: list[int]) -> None:
        """Give each row its rank by (lane, position), from 0: the order of the ledger's keys.

        `subject_keys` maps this intake's subject numbers to the ledger's keys.
        """
        self._database.execute(
            f"CREATE TABLE ordered AS SELECT {_COLUMNS} FROM staged ORDER BY lane, position"
        )
        self._database.execute("CREATE TABLE subject (number INTEGER PRIMARY KEY, subject_pk INTEGER)")
        self._database.executemany("INSERT INTO subject VALUES (?,?)", list(enumerate(subject_keys)))

    def in_order(self) -> Iterator[NewPayment]:
        for row in self._database.execute(f"SELECT {_COLUMNS} FROM ordered ORDER BY rowid"):
            yield NewPayment(*row)

    def ranks_by_id(self) -> Iterator[tuple[str, int]]:
        """(payment_id, rank), sorted by id."""
        return iter(self._database.execute("SELECT payment_id, rowid - 1 FROM ordered ORDER BY payment_id"))

    def fingerprints(self) -> Iterator[tuple[int, bytes, int]]:
        """(subject_pk, value, rank), sorted as the ledger keeps them."""
        return iter(
            self._database.execute(
                "SELECT subject_pk, fingerprint, ordered.rowid - 1 FROM ordered"
                " JOIN subject ON number = ordered.subject ORDER BY subject_pk, fingerprint, ordered.rowid"
            )
        )

"""Where the rows of a batch wait while it is read: temporary tables that nobody else sees.

They live beside the ledger on one connection of their own: in memory first, in an unnamed
temporary file when they grow, and gone when it is closed. Nothing is lost with them, since a
batch is not taken before its ledger transaction; that runs on the same connection, so that
the rows go into the ledger without passing through here again. They hold payment ids,
amounts and fingerprints, no names or accounts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self, cast

from formats import Reason
from gateway.ledger.database import Ledger, Transaction
from gateway.states import Disposition

StagedRow = tuple[str, int, int, int, int, int, str, str, str, bytes, int]
"""payment_id, source_line, lane, position, amount_minor, subject, disposition, reason,
reissue_of, fingerprint, topic. `lane`, `subject` and `topic` are numbers of this intake, from 0;
topic -1 is never a repeat."""

_TABLES = (
    "CREATE TEMP TABLE staged (payment_id TEXT, source_line INTEGER, lane INTEGER, position INTEGER,"
    " amount_minor INTEGER, subject INTEGER, disposition TEXT, reason TEXT, reissue_of TEXT,"
    " fingerprint BLOB, topic INTEGER)",
    # Why a row is held, each reason once; `other_pk` is the payment of an earlier batch that it repeats.
    "CREATE TEMP TABLE staged_hold (source_line INTEGER, reason TEXT, other_pk INTEGER,"
    " PRIMARY KEY (source_line, reason)) WITHOUT ROWID",
    # The same persons under keys of fingerprints that were used before.
    "CREATE TEMP TABLE staged_alias (topic INTEGER, fingerprint BLOB, place INTEGER)",
    # Households of rows, under every key of fingerprints; `now` is 1 under the present one.
    "CREATE TEMP TABLE staged_household (topic INTEGER, value BLOB, place INTEGER, now INTEGER)",
    "CREATE TEMP TABLE staged_lane (lane INTEGER PRIMARY KEY, lane_pk INTEGER, first_pk INTEGER)",
    "CREATE TEMP TABLE staged_subject (subject INTEGER PRIMARY KEY, subject_pk INTEGER)",
    "CREATE TEMP TABLE repeated (place INTEGER PRIMARY KEY, payment_id TEXT, source_line INTEGER,"
    " amount_minor INTEGER)",
)


class Staging:
    """The rows of one batch on their way into the ledger. Close it, or use it in a `with` block."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._connection = ledger.connect()
        self._database = cast("sqlite3.Connection", self._connection.connection.dbapi_connection)
        self._rows = 0
        for statement in _TABLES:
            self._database.execute(statement)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction of the ledger that sees the staged rows."""
        with self._ledger.write(self._connection) as transaction:
            yield transaction

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A view of the ledger beside the staged rows; only these may be changed."""
        with self._ledger.read(self._connection) as transaction:
            yield transaction

    def add(
        self,
        rows: list[StagedRow],
        holds: Sequence[tuple[int, str]] | None = None,
        aliases: list[tuple[int, bytes, int]] | None = None,
        households: list[tuple[int, bytes, int, int]] | None = None,
    ) -> None:
        """Keep some rows, (line, reason) of those held, (topic, older fingerprint, index of the row),
        (topic, fingerprint of the household, index of the row, 1 where by the present key).

        Not within a transaction.
        """
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO staged VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
        if holds:
            self._database.executemany("INSERT OR IGNORE INTO staged_hold VALUES (?,?,NULL)", holds)
        if aliases:
            placed = [(topic, value, self._rows + index + 1) for topic, value, index in aliases]
            self._database.executemany("INSERT INTO staged_alias VALUES (?,?,?)", placed)
        if households:
            homes = [(topic, value, self._rows + index + 1, now) for topic, value, index, now in households]
            self._database.executemany("INSERT INTO staged_household VALUES (?,?,?,?)", homes)
        self._rows += len(rows)
        self._database.execute("COMMIT")

    def leave_out_repeated(
        self, transaction: Transaction, source_platform: str
    ) -> Iterator[tuple[str, int, int]]:
        """Take out every row whose id an earlier batch of the platform has.

        Gives (payment_id, source_line, amount_minor) by line; the rows are out at the end.
        """
        transaction.run(
            "INSERT INTO repeated SELECT staged.rowid, staged.payment_id, source_line, amount_minor"
            " FROM staged CROSS JOIN payment_key ON payment_key.payment_id = staged.payment_id"
            " AND payment_key.source_platform = :platform",
            platform=source_platform,
        )
        for row in transaction.stream(
            "SELECT payment_id, source_line, amount_minor FROM repeated ORDER BY source_line"
        ):
            yield row.payment_id, row.source_line, row.amount_minor
        transaction.run("DELETE FROM staged WHERE rowid IN (SELECT place FROM repeated)")

    def set_aside(self, payment_id: str, line: int, reason: Reason) -> None:
        self._database.execute(
            "UPDATE staged SET disposition = ?, reason = ? WHERE source_line = ? AND payment_id = ?",
            (Disposition.SET_ASIDE, reason, line, payment_id),
        )

    def hold_refused(self, but: Iterable[Reason]) -> None:
        """Hold what was set aside, its reason kept beside it, except for some reasons."""
        spared = ",".join(f"'{reason.value}'" for reason in but)
        chosen = f"disposition = 'set_aside' AND reason NOT IN ({spared})"
        self._database.execute(
            f"DELETE FROM staged_hold WHERE source_line IN (SELECT source_line FROM staged WHERE {chosen})"
        )
        self._database.execute(
            f"INSERT INTO staged_hold SELECT source_line, reason, NULL FROM staged WHERE {chosen}"
        )
        self._database.execute(
            f"UPDATE staged SET disposition = ?, reason = ? WHERE {chosen}",
            (Disposition.HELD, Reason.REFUSED_IN_DOUBT),
        )

    def reissues(self) -> list[tuple[str, str, int, int]]:
        """(payment_id, reissue_of, amount, line) of payments that replace another and are fit to go."""
        return self._database.execute(
            "SELECT payment_id, reissue_of, amount_minor, source_line FROM staged"
            " WHERE reissue_of <> '' AND disposition <> ? ORDER BY source_line",
            (Disposition.SET_ASIDE,),
        ).fetchall()

    def named_predecessors(self) -> list[tuple[str, str, bool]]:
        """(payment_id, reissue_of, whether it is fit to go) of every payment that names one it replaces."""
        rows = self._database.execute(
            "SELECT payment_id, reissue_of, disposition <> ? AND reason <> ? FROM staged"
            " WHERE reissue_of <> '' ORDER BY source_line",
            (Disposition.SET_ASIDE, Reason.REFUSED_IN_DOUBT),
        )
        return [(payment_id, reissue_of, bool(fit)) for payment_id, reissue_of, fit in rows]

    def insert_payments(
        self,
        transaction: Transaction,
        batch_pk: int,
        source_platform: str,
        lanes: list[tuple[int, int]],
        subject_keys: list[int],
    ) -> None:
        """Payments, their ids and fingerprints into the ledger, each table in its own order.

        A random order would cost five times as much in a table with a unique text key.
        `lanes` is (lane_pk, payment_pk of position 0) by this intake's lane numbers,
        `subject_keys` likewise. Rows that were left out leave their payment_pk unused.
        """
        transaction.many(
            "INSERT INTO staged_lane VALUES (?,?,?)",
            [(number, lane_pk, first_pk) for number, (lane_pk, first_pk) in enumerate(lanes)],
        )
        transaction.many("INSERT INTO staged_subject VALUES (?,?)", list(enumerate(subject_keys)))
        transaction.run(
            "INSERT INTO payment (payment_pk, batch_pk, lane_pk, position, source_line, payment_id,"
            " amount_minor, subject_pk, disposition, reason)"
            " SELECT first_pk + position, :batch, lane_pk, position, source_line, payment_id,"
            " amount_minor, subject_pk, disposition, reason"
            " FROM staged CROSS JOIN staged_lane USING (lane) CROSS JOIN staged_subject USING (subject)"
            " ORDER BY first_pk + position",
            batch=batch_pk,
        )
        transaction.run(
            "INSERT INTO hold (payment_pk, reason, other_pk)"
            " SELECT first_pk + position, staged_hold.reason, other_pk FROM staged"
            " CROSS JOIN staged_hold ON staged_hold.source_line = staged.source_line"
            " CROSS JOIN staged_lane USING (lane) WHERE disposition = 'held'"
        )
        self._keep_repeats(transaction)
        transaction.run(
            "INSERT INTO payment_key (source_platform, payment_id, payment_pk)"
            " SELECT :platform, payment_id, first_pk + position"
            " FROM staged CROSS JOIN staged_lane USING (lane) ORDER BY payment_id",
            platform=source_platform,
        )
        transaction.run(
            "INSERT INTO fingerprint (subject_pk, value, payment_pk)"
            " SELECT subject_pk, fingerprint, first_pk + position"
            " FROM staged CROSS JOIN staged_lane USING (lane) CROSS JOIN staged_subject USING (subject)"
            " ORDER BY subject_pk, fingerprint, first_pk + position"
        )
        transaction.run(
            "INSERT INTO household (subject_pk, value, payment_pk)"
            " SELECT subject_pk, value, first_pk + position FROM staged_household"
            " CROSS JOIN staged ON staged.rowid = staged_household.place"
            " CROSS JOIN staged_lane USING (lane) CROSS JOIN staged_subject USING (subject)"
            " WHERE now = 1 ORDER BY 1, 2, 3"
        )

    def _keep_repeats(self, transaction: Transaction) -> None:
        """By which fingerprints held rows repeat others; see `ledger_repeats.others_of_person`."""
        repeats = {"repeat": Reason.REPEAT_IN_PERIOD}
        if transaction.one("SELECT 1 FROM staged_hold WHERE reason = :repeat LIMIT 1", **repeats) is None:
            return
        transaction.run(
            "INSERT OR IGNORE INTO repeat_key (payment_pk, by_household, value)"
            " SELECT first_pk + position, by_household, value FROM"
            " (SELECT rowid AS place, 0 AS by_household, fingerprint AS value FROM staged"
            "  UNION ALL SELECT place, 0, fingerprint FROM staged_alias"
            "  UNION ALL SELECT place, 1, value FROM staged_household)"
            " CROSS JOIN staged ON staged.rowid = place"
            " CROSS JOIN staged_hold ON staged_hold.source_line = staged.source_line"
            "  AND staged_hold.reason = :repeat"
            " CROSS JOIN staged_lane USING (lane) WHERE disposition = 'held'",
            **repeats,
        )

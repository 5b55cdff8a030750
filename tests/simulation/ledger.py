"""The ledger of a simulated world: SQLite in a memory-backed file, its commits the process's last act.

The product's SQL runs on the driver itself, four times as fast as through SQLAlchemy. Commits are
taken as atomic: a crash goes back to the last one. That SQLite keeps on a real disk what it
committed, through the product's own connections, is tested by the kills of real processes.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway.errors import StorageFailed
from gateway.ledger.database import Ledger, Transaction
from tests.simulation.faults import Fault, Faults
from tests.simulation.moves import Move, watch

_ERRORS = {
    Fault.NO_SPACE: "database or disk is full",
    Fault.DISK_FAULT: "disk I/O error",
    Fault.BUSY: "database is locked",
}
_BUSY_SECONDS = 1.0
"""Nobody else writes here: who waits so long waits for himself."""

Judgement = tuple[str, str]
"""(is, states): one application of the table of outcomes."""

Observer = Callable[[Transaction, list[Move], list[Judgement]], None]
"""Called with what a transaction moved and judged, just before it is committed."""


class SimulatedLedger(Ledger):
    """One database for all histories of a process: `put` exchanges its content."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        super().close()
        self.faults = Faults(0)
        self.observers: list[Observer] = []
        self.writing = False
        """Whether the gateway has a transaction open that writes."""
        self.commits = 0
        self.judged: list[Judgement] = []
        self._moves: list[Move] = []
        self._free: list[_Connection] = []

    def close(self) -> None:
        for connection in self._free:
            connection.close()
        self._free.clear()

    def connect(self) -> Any:
        return _Connection(self.path, lambda move: self._moves.append(move))

    @contextmanager
    def write(self, connection: Any = None) -> Iterator[Transaction]:
        faults = self.faults
        fault = faults.at("ledger begin")
        with self._opened(connection) as opened:
            opened.execute("BEGIN IMMEDIATE")
            self._moves, self.judged, self.writing = [], [], True
            try:
                _raise_error(fault)
                transaction = _Transaction(opened)
                yield transaction
                fault = faults.at("ledger commit")
                _raise_error(fault)
                for observer in self.observers:
                    observer(transaction, self._moves, self.judged)
            except BaseException:
                opened.execute("ROLLBACK")
                raise
            else:
                opened.execute("COMMIT")
            finally:
                self.writing = False
        self.commits += 1
        for move in self._moves:
            if move.kind == "file" and "releasing" in (move.before, move.after):
                faults.hot = move.after == "releasing"
        if fault is Fault.CRASH_AFTER:
            faults.die()

    @contextmanager
    def read(self, connection: Any = None) -> Iterator[Transaction]:
        fault = self.faults.at("ledger read")
        with self._opened(connection) as opened:
            opened.execute("BEGIN")
            try:
                _raise_error(fault)
                yield _Transaction(opened)
            finally:
                opened.execute("ROLLBACK")

    def copy(self) -> bytes:
        """The committed content, as a backup has it."""
        with self._opened(None) as opened:
            return opened.serialize()

    def put(self, content: bytes) -> None:
        """The database is now this one; nobody may be using it."""
        self.close()
        for path in self.path.parent.glob(f"{self.path.name}*"):
            if not path.name.endswith(".lock"):
                path.unlink()
        self.path.write_bytes(content)

    @contextmanager
    def _opened(self, connection: _Connection | None) -> Iterator[sqlite3.Connection]:  # type: ignore[override]
        if connection is not None:
            yield connection.raw
            return
        used = self._free.pop() if self._free else self.connect()
        try:
            yield used.raw
        finally:
            self._free.append(used)


class _Connection:
    """What `Staging` asks of a connection of the ledger."""

    def __init__(self, path: Path, tell: Callable[[Move], None]) -> None:
        self.raw = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "foreign_keys=ON"):
            self.raw.execute(f"PRAGMA {pragma}")
        watch(self.raw, tell)

    @property
    def connection(self) -> _Connection:
        return self

    @property
    def dbapi_connection(self) -> sqlite3.Connection:
        return self.raw

    def close(self) -> None:
        self.raw.close()


class _Transaction(Transaction):
    """The same statements, given to the driver as they are; it knows `:name` and `?` too."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def run(self, statement: str, /, **values: Any) -> int:
        return self._raw.execute(statement, values).rowcount

    def insert(self, statement: str, /, **values: Any) -> int:
        key = self._raw.execute(statement, values).lastrowid
        assert key is not None
        return key

    def one(self, statement: str, /, **values: Any) -> Any:
        cursor = self._raw.execute(statement, values)
        row = cursor.fetchone()
        if row is None:
            return None
        assert cursor.fetchone() is None, "one row was wanted"
        return _row_type(tuple(column[0] for column in cursor.description))._make(row)

    def all(self, statement: str, /, **values: Any) -> Sequence[Any]:
        return _rows(self._raw.execute(statement, values))

    def stream(self, statement: str, /, **values: Any) -> Iterator[Any]:
        return iter(_rows(self._raw.execute(statement, values)))

    def tuples(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._raw.execute(statement, values).fetchall()

    def driver_all(self, statement: str, values: tuple[Any, ...]) -> Sequence[Any]:
        return _rows(self._raw.execute(statement, values))

    def many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._raw.executemany(statement, rows)


@lru_cache(maxsize=512)
def _row_type(names: tuple[str, ...]) -> Any:
    """Rows with the names of their columns, as SQLAlchemy gives them."""
    unusual = any(not name.isidentifier() for name in names)
    made: Any = namedtuple("LedgerRow", names, rename=unusual)  # names come with the query
    made._mapping = property(lambda row: dict(zip(names, row, strict=True)))
    return made


def _rows(cursor: sqlite3.Cursor) -> list[Any]:
    found = cursor.fetchall()
    if not found:
        return []
    make = _row_type(tuple(column[0] for column in cursor.description))._make
    return [make(row) for row in found]


def _raise_error(fault: Fault | None) -> None:
    """What the ledger makes of an error of the driver."""
    if fault in _ERRORS:
        raise StorageFailed(f"ledger: {_ERRORS[fault]}", hint="simulated")

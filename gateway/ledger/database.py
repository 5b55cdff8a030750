"""The ledger's database: opening, migrating, transactions.

SQLite in WAL mode with full syncs; every transaction takes the write lock at its start
(`BEGIN IMMEDIATE`), so what it read is still true when it writes. What is asked of the
tables stands in the `ledger_*` modules, the schema in `migrations`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Row, TextClause, create_engine, event, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import NullPool

from gateway.errors import IntegrityError, LedgerMissing, StorageFailed
from gateway.store.folders import make_private

SCHEMA_REVISION = "0020"

BUSY_TIMEOUT_SECONDS = 60
"""A submission of a million payments holds the write lock for a few seconds."""


class Transaction:
    """One open transaction. SQL goes through `one`, `all`, `run` and, in bulk, `many`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, statement: str, /, **values: Any) -> int:
        """Execute; the number of rows that changed."""
        return self._connection.execute(_parsed(statement), values).rowcount

    def insert(self, statement: str, /, **values: Any) -> int:
        """Execute an INSERT; the new row's integer key."""
        key = self._connection.execute(_parsed(statement), values).lastrowid
        assert key is not None
        return int(key)

    def one(self, statement: str, /, **values: Any) -> Row[Any] | None:
        return self._connection.execute(_parsed(statement), values).one_or_none()

    def all(self, statement: str, /, **values: Any) -> Sequence[Row[Any]]:
        return self._connection.execute(_parsed(statement), values).all()

    def stream(self, statement: str, /, **values: Any) -> Iterator[Any]:
        """Rows as they come, by name, or cheaper unpacked: constant memory for any number."""
        result = self._connection.execution_options(yield_per=1024).execute(_parsed(statement), values)
        for block in result.partitions():
            yield from block

    def tuples(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Plain rows of a query with `?` places, at a fifth of what named rows cost; all at once."""
        cursor = self._connection.exec_driver_sql(statement, values).cursor
        assert cursor is not None
        return list(cursor.fetchall())

    def driver_all(self, statement: str, values: tuple[Any, ...]) -> Sequence[Row[Any]]:
        """A query with `?` places, for lists of values that a named statement cannot hold."""
        return self._connection.exec_driver_sql(statement, values).all()

    def many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """One INSERT or UPDATE with `?` places for many rows, through the driver in bulk."""
        if rows:
            self._connection.exec_driver_sql(statement, list(rows))


class Ledger:
    """The database file. Open it once a process; transactions may be opened from any thread."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Where it is not there, `create` makes an empty one. Raises `LedgerMissing`, `StorageFailed`."""
        self.path = path
        if not path.exists():
            if not create:
                raise LedgerMissing(
                    f"there is no ledger at {path}",
                    hint="is its disk there? Else put a backup back (bankgate restore FOLDER); only a new"
                    " installation is begun with an empty one (bankgate begin)",
                )
            make_private(path.parent)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._engine = _engine(path)
        try:
            self._migrate()
        except OperationalError as error:
            # No space, no permission, a lock: nothing says that the ledger itself is damaged.
            raise StorageFailed(
                f"ledger {path}: {error.orig}",
                hint="free space on the disk, and look whether this user may write the ledger and its folder",
            ) from error
        except DatabaseError as error:
            raise _damaged(path, error) from error

    def close(self) -> None:
        self._engine.dispose()

    def connect(self) -> Connection:
        """A connection for `read` and `write` whose temporary tables last until it is closed."""
        connection = self._engine.connect()
        # Out of the pool: else the next user would find the tables.
        connection.detach()
        return connection

    @contextmanager
    def write(self, connection: Connection | None = None) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block and rolls back on any error."""
        try:
            with self._opened(connection) as used, used.execution_options(bankgate_read=False).begin():
                yield Transaction(used)
        except OperationalError as error:
            raise StorageFailed(
                f"ledger {self.path}: {error.orig}",
                hint="free space on the disk, or wait for the other process that writes",
            ) from error
        except DatabaseError as error:
            if isinstance(error.orig, sqlite3.IntegrityError):
                raise
            raise _damaged(self.path, error) from error

    @contextmanager
    def read(self, connection: Connection | None = None) -> Iterator[Transaction]:
        """A consistent view; nothing is written, temporary tables apart."""
        try:
            with self._opened(connection) as used, used.execution_options(bankgate_read=True).begin():
                yield Transaction(used)
        except OperationalError as error:
            raise StorageFailed(f"ledger {self.path}: {error.orig}") from error

    def snapshot(self, target: Path) -> None:
        """Copy the ledger as it is at one moment to a new file, while others go on writing.

        One self-contained file: no log beside it. Raises `StorageFailed`.
        """
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with (
                closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS)) as source,
                closing(sqlite3.connect(target)) as sink,
            ):
                source.backup(sink)
                sink.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise StorageFailed(
                f"ledger {self.path} cannot be copied to {target}: {error}",
                hint="free space on the disk of the copy",
            ) from error
        except sqlite3.DatabaseError as error:
            raise IntegrityError(f"ledger {self.path}: {error}", hint="restore a backup") from error

    def checkpoint(self) -> bool:
        """Empty the log beside the ledger; False where a reader still needs it."""
        with closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def forget(self) -> bool:
        """Write the ledger anew without anything that was deleted; False where a reader keeps the log.

        Deleted rows are overwritten at once (`secure_delete`), but rows that were moved between
        pages leave copies in what is free of them. Others may read meanwhile, and write
        afterwards. Raises `StorageFailed` where there is no space for a second copy.
        """
        try:
            with closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
                connection.execute("VACUUM")
        except sqlite3.OperationalError as error:
            raise StorageFailed(
                f"ledger {self.path} cannot be written anew: {error}",
                hint="free as much space as the ledger takes, then start again: only that is left to do",
            ) from error
        return self.checkpoint()

    def _opened(self, connection: Connection | None) -> AbstractContextManager[Connection]:
        return self._engine.connect() if connection is None else nullcontext(connection)

    def _migrate(self) -> None:
        if _revision(self._engine) == SCHEMA_REVISION:
            return
        # Imported here only: alembic costs a third of a second and is needed once.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


@lru_cache(maxsize=1024)
def _parsed(statement: str) -> TextClause:
    """Looking for the names of values in a statement takes longer than most statements do."""
    return text(statement)


@contextmanager
def stored_ledger(path: Path) -> Iterator[Transaction]:
    """Read a ledger that lies still (in a backup): nothing is migrated, locked or written.

    Raises `IntegrityError` where it is no ledger, or one of another revision of the schema.
    """
    where = f"file:{quote(str(path))}?mode=ro&immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(where, uri=True), poolclass=NullPool)
    try:
        revision = _revision(engine)
        if revision != SCHEMA_REVISION:
            raise IntegrityError(
                f"ledger {path} has schema {revision}, wanted {SCHEMA_REVISION}",
                hint="use the version of this program that made it",
            )
        with engine.connect() as connection:
            yield Transaction(connection)
    except DatabaseError as error:
        raise _damaged(path, error) from error
    finally:
        engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            # What is deleted is overwritten: personal data has an end (`retention`).
            "secure_delete=ON",
            "cache_size=-16384",
            "wal_autocheckpoint=4000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("bankgate_read", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _revision(engine: Engine) -> str | None:
    with engine.connect().execution_options(bankgate_read=True) as connection:
        if not connection.exec_driver_sql(
            "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        ).one_or_none():
            return None
        row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").one_or_none()
        return None if row is None else str(row[0])


def _damaged(path: Path, error: DatabaseError) -> IntegrityError:
    return IntegrityError(
        f"ledger {path}: {error.orig}",
        hint="it is not a ledger of this program, or damaged: restore a backup",
    )

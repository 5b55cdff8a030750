"""Every move that a ledger really makes, seen in the database itself.

Triggers of the connection tell of each row whose state is written, whoever writes it: a writer
that goes past the tables of `gateway.states` is seen too. Moves count when they are committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from gateway.states import BATCH_MOVES, DISPOSITION_MOVES, FILE_MOVES, RECEIVED_MOVES

BEGINNING: Final = ""
"""The state before a row was there."""

_WATCHED = (
    ("batch", "batch_pk", "state"),
    ("payment", "payment_pk", "disposition"),
    ("file", "file_pk", "state"),
    ("received", "received_pk", "state"),
)


class Move(Struct, frozen=True):
    """One row's state was written. `kind` is its table."""

    kind: str
    key: int
    before: str
    after: str


def watch(connection: sqlite3.Connection, tell: Callable[[Move], None]) -> None:
    """Call `tell` for each state that this connection writes, before the commit."""

    def moved(kind: str, key: int, before: str, after: str) -> None:
        tell(Move(kind, key, before, after))

    connection.create_function("simulation_moved", 4, moved)
    for table, key, column in _WATCHED:
        connection.execute(
            f"CREATE TEMP TRIGGER simulation_{table}_moved AFTER UPDATE OF {column} ON main.{table}"
            f" BEGIN SELECT simulation_moved('{table}', NEW.{key}, OLD.{column}, NEW.{column}); END"
        )
        connection.execute(
            f"CREATE TEMP TRIGGER simulation_{table}_made AFTER INSERT ON main.{table}"
            f" BEGIN SELECT simulation_moved('{table}', NEW.{key}, '{BEGINNING}', NEW.{column}); END"
        )


def permitted() -> dict[str, set[tuple[str, str]]]:
    """(before, after) of every move that the tables of `gateway.states` have, by table."""
    tables = {
        "batch": BATCH_MOVES,
        "payment": DISPOSITION_MOVES,
        "file": FILE_MOVES,
        "received": RECEIVED_MOVES,
    }
    return {
        kind: {(str(before), str(after)) for before, afters in table.items() for after in afters}
        for kind, table in tables.items()
    }

"""What histories visited: faults by point, moves by table, ways of persons, cells of outcomes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct, field

from formats import Reason, Status
from gateway import states
from gateway.ledger.database import Transaction
from gateway.states import OUTCOME_MOVES
from gateway.ways import banks, batches, files, payments, received
from tests.simulation.faults import POINTS, Fault
from tests.simulation.ledger import Judgement, SimulatedLedger
from tests.simulation.moves import BEGINNING, Move, permitted

Cell = tuple[str, str]


class Visited(Struct):
    """Counters that add up over histories."""

    faults: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    moves: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(table, before, after) of every committed move."""
    outcomes: Counter[Cell] = field(default_factory=Counter)
    """(is, states) of every committed judgement by `OUTCOME_MOVES`."""
    ways: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, other: Visited) -> None:
        self.faults.update(other.faults)
        self.moves.update(other.moves)
        self.outcomes.update(other.outcomes)
        self.ways.update(other.ways)

    def states(self) -> set[tuple[str, str]]:
        return {(kind, after) for kind, _, after in self.moves}


def expected_faults() -> set[tuple[str, Fault]]:
    return {(point, fault) for point, faults in POINTS.items() for fault in faults}


def expected_moves() -> set[tuple[str, str, str]]:
    return {(kind, before, after) for kind, moves in permitted().items() for before, after in moves}


def expected_outcomes() -> set[Cell]:
    return {(str(now), str(stated)) for now, row in OUTCOME_MOVES.items() for stated in row}


def expected_ways() -> set[tuple[str, str, str]]:
    """Every decision of `gateway.ways`; by state where the object's state alone decides."""
    by_state = {"batch": batches._WAYS, "file": files._WAYS, "received": received._WAYS}
    ways = {
        (kind, str(state), decision)
        for kind, table in by_state.items()
        for state, permitted in table.items()
        for decision in permitted
    }
    ways |= {("payment", "", decision) for table in payments.TABLES for decision in table}
    ways |= {("bank", "", decision) for table in banks.TABLES for decision in table}
    return ways | {("oddity", "", "close")}


def strange_moves(visited: Visited) -> set[tuple[str, str, str]]:
    """Moves that no table permits."""
    made = {move for move in visited.moves if move[1] not in (BEGINNING, move[2])}
    return made - expected_moves()


@contextmanager
def observing(ledger: SimulatedLedger, visited: Visited) -> Iterator[None]:
    """Count into `visited` what happens in the block."""
    judge = states.effective_outcome

    def counted(
        current: tuple[Status, Reason] | None, stated: tuple[Status, Reason]
    ) -> tuple[Status, Reason]:
        if current is not None and current[1] is not Reason.CONTRADICTED:
            ledger.judged.append((str(current[0]), str(stated[0])))
        return judge(current, stated)

    def committed(_transaction: Transaction, moves: list[Move], judged: list[Judgement]) -> None:
        for move in moves:
            visited.moves[move.kind, move.before, move.after] += 1
        visited.outcomes.update(judged)

    ledger.observers.append(committed)
    with replaced_everywhere(judge, counted):
        try:
            yield
        finally:
            ledger.observers.remove(committed)


@contextmanager
def replaced_everywhere(original: Callable[..., Any], other: Callable[..., Any]) -> Iterator[None]:
    """Under every name by which a module of the gateway knows a function, the other one."""
    places = [
        (module, name)
        for module in list(sys.modules.values())
        if (getattr(module, "__name__", "") or "").partition(".")[0] in ("gateway", "formats", "keys")
        for name, value in list(vars(module).items())
        if value is original
    ]
    for module, name in places:
        setattr(module, name, other)
    try:
        yield
    finally:
        for module, name in places:
            setattr(module, name, original)

"""What persons decide about what a bank put there: its files, and oddities."""

from __future__ import annotations

from gateway import evidence
from gateway.errors import NotPermitted
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.files import file_by_key
from gateway.ledger.oddities import OddityKind, OddityRow, close_oddity
from gateway.ledger.received import (
    ReceivedRow,
    accept_problems,
    close_received,
    forget_sighting,
    judge_again,
    move_received,
)
from gateway.ledger.spool import is_destroyed
from gateway.persons.holding import may_be_accepted
from gateway.settlement.pairs import awaited
from gateway.states import AT_THE_BANK, ReceivedState
from gateway.ways.way import Carried, Decision, Ways


def received_ways(installation: Installation, transaction: Transaction, received: ReceivedRow) -> Ways:
    """The decisions that a received file's present state permits."""
    if is_destroyed(transaction, received.spool_name):
        return {}
    ways = _HALF_WAYS if awaited(installation, transaction, received) else _WAYS.get(received.state, {})
    if "refuse" in ways and _about_given_up(transaction, received):
        ways = ways | {"refuse": _REFUSE_GIVEN_UP}
    gone = set() if may_be_accepted(received.problems) else {"accept"}
    if received.closed_at is not None:
        gone.add("close")
    return {name: way for name, way in ways.items() if name not in gone}


def oddity_ways(oddity: OddityRow) -> Ways:
    return _PAID_TWICE_WAYS if oddity.kind is OddityKind.PAID_TWICE else _ODDITY_WAYS


def _about_given_up(transaction: Transaction, received: ReceivedRow) -> bool:
    """Whether it speaks of a file whose payments may have gone again."""
    if received.file_pk is None:
        return False
    return file_by_key(transaction, received.file_pk).state not in AT_THE_BANK


def _accept(
    _installation: Installation, transaction: Transaction, received: ReceivedRow, carried: Carried
) -> None:
    if not accept_problems(transaction, received.received_pk, received.state):
        raise NotPermitted(f"received file {received.received_pk} is not {received.state} any more")
    _tell(transaction, received, "received file accepted", carried)


def _refuse(
    _installation: Installation, transaction: Transaction, received: ReceivedRow, carried: Carried
) -> None:
    """Not believed, and looked at: nothing more waits for a person."""
    move_received(transaction, received.received_pk, received.state, ReceivedState.REFUSED)
    close_received(transaction, received.received_pk, carried.at)
    _tell(transaction, received, "received file refused", carried)


def _close(
    _installation: Installation, transaction: Transaction, received: ReceivedRow, carried: Carried
) -> None:
    close_received(transaction, received.received_pk, carried.at)
    _tell(transaction, received, "received file closed", carried)


def _judge_again(
    _installation: Installation, transaction: Transaction, received: ReceivedRow, carried: Carried
) -> None:
    judge_again(transaction, received)
    _tell(transaction, received, "received file judged again", carried)


def _tell(transaction: Transaction, received: ReceivedRow, kind: str, carried: Carried) -> None:
    evidence.record(
        transaction,
        carried.at,
        kind,
        bank=received.bank,
        received=received.received_pk,
        sha256=received.sha256,
        by=carried.persons,
    )


def _close_oddity(
    _installation: Installation, transaction: Transaction, oddity: OddityRow, carried: Carried
) -> None:
    close_oddity(transaction, oddity.oddity_pk, carried.at)
    if oddity.kind is OddityKind.UNREADABLE:
        # The cause is mended, and nothing of the file itself need have changed: it is fetched now.
        forget_sighting(transaction, oddity.bank, oddity.name)
    evidence.record(
        transaction,
        carried.at,
        "oddity closed",
        bank=oddity.bank,
        oddity=oddity.kind,
        name=oddity.name,
        by=carried.persons,
    )


_REFUSE_GIVEN_UP = Decision(
    2,
    "the bank confirms in writing that it paid nothing by the file that this answers",
    _refuse,
    needs_exhibit=True,
)
_WAYS: dict[ReceivedState, Ways] = {
    ReceivedState.HELD: {
        "accept": Decision(2, "believed in spite of the problems shown", _accept),
        "refuse": Decision(1, "not believed; ask the bank for another", _refuse),
        "judge-again": Decision(1, "the cause is mended: look at it once more", _judge_again),
    },
    ReceivedState.REFUSED: {
        "judge-again": Decision(1, "the bank's right certificate is enrolled now", _judge_again),
        "close": Decision(1, "looked into, and settled with the bank", _close),
    },
}
_HALF_WAYS: Ways = {
    "accept": Decision(
        2,
        "the bank confirms in writing that there is no other half: what it says was paid is believed",
        _accept,
        needs_exhibit=True,
    ),
    "refuse": Decision(1, "not believed; ask the bank for another", _refuse),
}
"""Of a half of an answer that waits for the other one."""
_PAID_TWICE_WAYS: Ways = {
    "close": Decision(
        2, "the bank has written what it paid, and what was too much comes back", _close_oddity, True
    )
}
_ODDITY_WAYS: Ways = {"close": Decision(1, "looked into, and settled with the bank", _close_oddity)}
TABLES: tuple[Ways, ...] = (
    *_WAYS.values(),
    _HALF_WAYS,
    {"refuse": _REFUSE_GIVEN_UP},
    _PAID_TWICE_WAYS,
    _ODDITY_WAYS,
)
"""Every decision about what a bank put there."""

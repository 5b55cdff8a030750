"""What persons decide about a bank as a whole: stop it, and let it go on.

A bank may be on hold for several causes at once, and each ends by itself: that its server is in
order again says nothing of why a colleague stopped it.
"""

from __future__ import annotations

from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.holds import BEHIND, OPERATOR, Hold, bank_holds, end_holds, hold_bank
from gateway.ways.way import Carried, Decision, Ways

_BY_OTHERS = (OPERATOR, BEHIND)
"""Causes that no fault of the line is."""


def bank_ways(transaction: Transaction, bank: str) -> Ways:
    """The decisions that a bank's holds permit."""
    causes = {hold.cause for hold in bank_holds(transaction, bank)}
    ways: Ways = {}
    if OPERATOR in causes:
        ways["resume"] = _RESUME
    else:
        ways["hold"] = _HOLD
    if causes.difference(_BY_OTHERS):
        ways["clear"] = _CLEAR
    if BEHIND in causes:
        ways["reconciled"] = _RECONCILED
    return ways


def _hold(installation: Installation, transaction: Transaction, bank: str, carried: Carried) -> None:
    installation.profile(bank)
    message = f"held by {', '.join(carried.persons)}"
    hold_bank(transaction, bank, OPERATOR, message, carried.at)
    _tell(transaction, bank, "bank held", carried)


def _resume(_installation: Installation, transaction: Transaction, bank: str, carried: Carried) -> None:
    _end(transaction, bank, carried, [OPERATOR])


def _clear(_installation: Installation, transaction: Transaction, bank: str, carried: Carried) -> None:
    faults = [hold.cause for hold in bank_holds(transaction, bank) if hold.cause not in _BY_OTHERS]
    _end(transaction, bank, carried, faults)


def _reconciled(_installation: Installation, transaction: Transaction, bank: str, carried: Carried) -> None:
    end_holds(transaction, bank, [BEHIND])
    _tell(transaction, bank, "bank reconciled", carried)


def _end(transaction: Transaction, bank: str, carried: Carried, causes: list[str]) -> None:
    """End these holds. For a reader of the journal `bank hold cleared` ends every hold but that of a
    ledger that is behind: what stays is told once more, right after it.
    """
    end_holds(transaction, bank, causes)
    _tell(transaction, bank, "bank hold cleared", carried, causes=causes)
    for hold in bank_holds(transaction, bank):
        _tell_again(transaction, hold, carried)


def _tell_again(transaction: Transaction, hold: Hold, carried: Carried) -> None:
    still = {"bank": hold.bank, "since": hold.recorded_at}
    if hold.cause == OPERATOR:
        evidence.record(transaction, carried.at, "bank held", still=True, **still)
    elif hold.cause != BEHIND:
        evidence.record(
            transaction, carried.at, "bank fault", held=True, still=True, cause=hold.cause, **still
        )


def _tell(transaction: Transaction, bank: str, kind: str, carried: Carried, **more: object) -> None:
    evidence.record(transaction, carried.at, kind, bank=bank, by=carried.persons, **more)


_HOLD = Decision(1, "nothing leaves for it; its answers are still fetched", _hold, takes_reason=True)
_RESUME = Decision(2, "what a person stopped may leave for it again", _resume)
_CLEAR = Decision(1, "the cause is mended: exchange files again", _clear)
_RECONCILED = Decision(2, "what the bank has from us was compared with this ledger", _reconciled)
TABLES: tuple[Ways, ...] = ({"hold": _HOLD, "resume": _RESUME, "clear": _CLEAR, "reconciled": _RECONCILED},)
"""Every decision about a bank."""

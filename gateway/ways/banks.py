"""What persons decide about a bank as a whole: stop it, and let it go on."""

from __future__ import annotations

from gateway import evidence
from gateway.errors import Unknown
from gateway.installation import Installation
from gateway.ledger import Transaction
from gateway.ledger_files import BEHIND, OPERATOR, bank_holds, clear_bank_hold, hold_bank
from gateway.ways.way import Carried, Decision, Ways


def bank_ways(transaction: Transaction, bank: str) -> Ways:
    """The decisions that a bank's holds permit."""
    causes = {cause for _, cause, _ in bank_holds(transaction, bank)}
    ways: Ways = {}
    if OPERATOR not in causes:
        ways["hold"] = _HOLD
    if causes - {BEHIND}:
        ways["clear"] = _CLEAR
    if BEHIND in causes:
        ways["reconciled"] = _RECONCILED
    return ways


def _hold(installation: Installation, transaction: Transaction, bank: str, carried: Carried) -> None:
    if bank not in installation.configuration.profiles:
        raise Unknown(f"bank {bank!r} has no profile")
    message = f"held by {', '.join(carried.persons)}"
    hold_bank(transaction, bank, OPERATOR, message, carried.at)
    _tell(transaction, bank, "bank held", carried)


def _clear(_installation: Installation, transaction: Transaction, bank: str, carried: Carried) -> None:
    clear_bank_hold(transaction, bank, behind=False)
    _tell(transaction, bank, "bank hold cleared", carried)


def _reconciled(_installation: Installation, transaction: Transaction, bank: str, carried: Carried) -> None:
    clear_bank_hold(transaction, bank, behind=True)
    _tell(transaction, bank, "bank reconciled", carried)


def _tell(transaction: Transaction, bank: str, kind: str, carried: Carried) -> None:
    evidence.record(transaction, carried.at, kind, bank=bank, by=carried.persons)


_HOLD = Decision(1, "nothing leaves for it; its answers are still fetched", _hold)
_CLEAR = Decision(1, "the cause is mended: exchange files again", _clear)
_RECONCILED = Decision(2, "what the bank has from us was compared with this ledger", _reconciled)
TABLES: tuple[Ways, ...] = ({"hold": _HOLD, "clear": _CLEAR, "reconciled": _RECONCILED},)
"""Every decision about a bank."""

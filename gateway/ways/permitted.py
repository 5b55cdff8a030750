"""Which decisions an object permits now, of whatever kind it is."""

from __future__ import annotations

from gateway.errors import NotPermitted
from gateway.installation import Installation
from gateway.ledger import Transaction
from gateway.ledger_files import FileRow
from gateway.ledger_funding import FundingRow
from gateway.ledger_intake import BatchRow
from gateway.ledger_oddities import OddityRow
from gateway.ledger_payments import PaymentRow
from gateway.ledger_received import ReceivedRow
from gateway.targets import Target
from gateway.ways.banks import bank_ways
from gateway.ways.batches import batch_ways
from gateway.ways.begun import BEGUN_WAYS
from gateway.ways.books import Books, books_ways
from gateway.ways.files import file_ways
from gateway.ways.funding import funding_ways
from gateway.ways.payments import payment_ways
from gateway.ways.received import oddity_ways, received_ways
from gateway.ways.way import Decision, Ways


def permitted_ways(
    installation: Installation, transaction: Transaction, target: Target, *, begun: bool
) -> Ways:
    """The decisions that an object permits; `begun`: somebody has signed one that wants another signature."""
    return _by_state(installation, transaction, target) | (BEGUN_WAYS if begun else {})


def chosen_way(ways: Ways, name: str, decision: str, exhibit: str, reason: str) -> Decision:
    """That decision about the object `name`. Raises `NotPermitted`, also where it lacks its letter."""
    if decision not in ways:
        known = ", ".join(ways) or "none: nothing is to be decided"
        raise NotPermitted(f"{name} does not take the decision {decision!r}", hint=f"possible: {known}")
    if ways[decision].needs_exhibit and not exhibit:
        raise NotPermitted(
            f"{name}: {decision!r} rests on what the bank wrote", hint="attach it: --evidence FILE"
        )
    if reason and decision != "hold":
        raise NotPermitted(f"{name}: {decision!r} takes no reason", hint="a reason is given for a hold")
    return ways[decision]


def _by_state(installation: Installation, transaction: Transaction, target: Target) -> Ways:
    if isinstance(target, BatchRow):
        return batch_ways(installation, target)
    if isinstance(target, PaymentRow):
        return payment_ways(transaction, target)
    if isinstance(target, FileRow):
        return file_ways(transaction, target)
    if isinstance(target, ReceivedRow):
        return received_ways(transaction, target)
    if isinstance(target, OddityRow):
        return oddity_ways(target)
    if isinstance(target, FundingRow):
        return funding_ways(installation, target)
    if isinstance(target, Books):
        return books_ways(transaction, target)
    return bank_ways(transaction, target)

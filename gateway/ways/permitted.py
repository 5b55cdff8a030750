"""Which decisions an object permits now, of whatever kind it is."""

from __future__ import annotations

from gateway.errors import NotPermitted
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow
from gateway.ledger.funding import FundingRow
from gateway.ledger.intake import BatchRow
from gateway.ledger.oddities import OddityRow
from gateway.ledger.payments import PaymentRow
from gateway.ledger.received import ReceivedRow
from gateway.money import yuan
from gateway.persons.decisions import Basis
from gateway.persons.targets import Target
from gateway.texts import ENGLISH
from gateway.ways.banks import bank_ways
from gateway.ways.batches import batch_ways
from gateway.ways.begun import BEGUN_WAYS
from gateway.ways.books import Books, books_ways
from gateway.ways.card_lists import BroughtList, card_list_ways
from gateway.ways.files import file_ways
from gateway.ways.funding import funding_ways
from gateway.ways.payments import payment_ways
from gateway.ways.received import oddity_ways, received_ways
from gateway.ways.recoveries import Recoverable, recovery_ways
from gateway.ways.way import Decision, Ways


def permitted_ways(
    installation: Installation, transaction: Transaction, target: Target, *, begun: bool
) -> Ways:
    """The decisions that an object permits; `begun`: somebody has signed one that wants another signature."""
    return _by_state(installation, transaction, target) | (BEGUN_WAYS if begun else {})


def chosen_way(ways: Ways, name: str, decision: str, basis: Basis) -> Decision:
    """That decision about the object `name`. Raises `NotPermitted`, also where it lacks what it rests on."""
    if decision not in ways:
        known = ", ".join(ways) or "none: nothing is to be decided"
        raise NotPermitted(f"{name} does not take the decision {decision!r}", hint=f"possible: {known}")
    if ways[decision].obstacle:
        raise NotPermitted(
            f"{name} does not take the decision {decision!r} yet: {ways[decision].obstacle}",
            hint="the agreement's reconciliation rule wants that to be settled first (plan section 四(四))",
        )
    if ways[decision].needs_exhibit and not basis.exhibit:
        raise NotPermitted(
            f"{name}: {decision!r} rests on a letter or a voucher", hint="attach it: --evidence FILE"
        )
    if ways[decision].exhibits and basis.exhibit not in ways[decision].exhibits:
        known = ", ".join(f"sha256:{sha256}" for sha256 in ways[decision].exhibits)
        raise NotPermitted(
            f"{name}: {decision!r} does not rest on sha256:{basis.exhibit}", hint=f"name one of {known}"
        )
    if basis.reason and not ways[decision].takes_reason:
        raise NotPermitted(f"{name}: {decision!r} takes no reason", hint="leave it out")
    if ways[decision].needs_reason and not basis.reason:
        told = "; ".join(map(ENGLISH.say, ways[decision].open_points))
        raise NotPermitted(
            f"{name}: {decision!r} wants an explanation while this is open: {told}",
            hint="--reason TEXT says what was compared, and why it is closed all the same",
        )
    _check_amount(ways[decision], f"{name}: {decision!r}", basis.terms.amount_minor)
    _check_ground(ways[decision], f"{name}: {decision!r}", basis.terms.ground)
    return ways[decision]


def _check_amount(way: Decision, what: str, amount_minor: int | None) -> None:
    """Raises `NotPermitted` for an amount that is missing, out of bounds or not asked for."""
    if not way.needs_amount:
        if amount_minor is not None:
            raise NotPermitted(f"{what} takes no amount", hint="leave it out")
    elif amount_minor is None:
        raise NotPermitted(f"{what} says how much", hint=f"--amount YUAN, at most {yuan(way.most_minor)}")
    elif not 0 < amount_minor <= way.most_minor:
        raise NotPermitted(
            f"{what} amount: found {yuan(amount_minor)}, wanted 0.01 to {yuan(way.most_minor)}",
            hint="no more is left of what was paid, or of what was to come back",
        )


def _check_ground(way: Decision, what: str, ground: str) -> None:
    if (ground and ground not in way.grounds) or (not ground and way.grounds):
        listed = ", ".join(way.grounds) or "none"
        raise NotPermitted(f"{what} ground: found {ground!r}, wanted {listed}", hint="--ground GROUND")


def _by_state(installation: Installation, transaction: Transaction, target: Target) -> Ways:
    if isinstance(target, BatchRow):
        return batch_ways(installation, target)
    if isinstance(target, PaymentRow):
        return payment_ways(transaction, target)
    if isinstance(target, FileRow):
        return file_ways(transaction, target)
    if isinstance(target, ReceivedRow):
        return received_ways(installation, transaction, target)
    if isinstance(target, OddityRow):
        return oddity_ways(target)
    if isinstance(target, FundingRow):
        return funding_ways(installation, target)
    if isinstance(target, Books):
        return books_ways(installation, transaction, target)
    if isinstance(target, Recoverable):
        return recovery_ways(target)
    if isinstance(target, BroughtList):
        return card_list_ways(target)
    return bank_ways(transaction, target)

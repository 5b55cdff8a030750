"""Who stopped what is stopped, since when, and why in the person's own words."""

from __future__ import annotations

from msgspec import Struct

from formats import Reason
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.decisions import last_decided
from gateway.ledger.files import FileRow
from gateway.ledger.holds import OPERATOR, bank_holds
from gateway.ledger.intake import BatchRow
from gateway.ledger.payments import PaymentRow
from gateway.persons.exhibits import words_of
from gateway.persons.targets import Target, name_of
from gateway.states import BatchState, FileState


class Stop(Struct, frozen=True):
    """`reason` is the person's own text, "" where none was given or it is not kept any more."""

    person: str
    since: str
    reason: str


def stop_of(installation: Installation, transaction: Transaction, target: Target) -> Stop | None:
    """Who holds the object; None where no person does."""
    if not _is_stopped(transaction, target):
        return None
    last = last_decided(transaction, name_of(transaction, target), "hold")
    if last is None:
        return None
    return Stop(last.person, last.recorded_at, words_of(installation, transaction, last))


def _is_stopped(transaction: Transaction, target: Target) -> bool:
    if isinstance(target, BatchRow):
        return target.state is BatchState.HELD
    if isinstance(target, PaymentRow):
        return target.reason is Reason.ON_HOLD
    if isinstance(target, FileRow):
        return target.state is FileState.SEALED and target.attention is not None
    if isinstance(target, str):
        return any(hold.cause == OPERATOR for hold in bank_holds(transaction, target))
    return False

"""Who stopped what is stopped, since when, and why in the person's own words."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from formats import Reason
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.decisions import signed_about
from gateway.ledger.files import FileRow
from gateway.ledger.holds import OPERATOR, bank_holds
from gateway.ledger.intake import BatchRow
from gateway.ledger.payments import PaymentRow
from gateway.persons.decisions import Statement
from gateway.persons.exhibits import read_words
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
    signed = signed_about(transaction, name_of(transaction, target))
    row = next((row for row in reversed(signed) if row.decision == "hold" and row.carried_out), None)
    if row is None:
        return None
    reason = msgspec.json.decode(row.statement, type=Statement).reason
    words = read_words(installation, transaction, reason) if reason else ""
    return Stop(row.person, row.recorded_at, words)


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

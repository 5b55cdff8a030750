"""Successes in one file and failures in another: two halves of one answer.

Which files belong together is told by their names, as the profile says. A half is believed when
both are there and their signatures hold, or when it calls itself the bank's last word. A payment
that stands in both, with two meanings, is contradicted, whichever half is read first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from gateway.configuration.profile import Inbound
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.outcomes import told_by
from gateway.ledger.received import ReceivedRow, received_under_name
from gateway.settlement.matching import Book
from gateway.states import ReceivedState

_THERE = (ReceivedState.VERIFIED, ReceivedState.SETTLED)


PATIENCE = timedelta(days=1)
"""So long a half waits before a person has to look."""


class Partner(Enum):
    """The other half of an answer."""

    NONE = "none"
    MISSING = "missing"
    THERE = "there"


def partner_of(installation: Installation, inbound: Inbound, received: ReceivedRow) -> Partner:
    """Whether the answer has another half, and may be believed beside it."""
    if not inbound.partner:
        return Partner.NONE
    with installation.ledger.read() as transaction:
        other = _other(transaction, inbound, received)
    return Partner.THERE if other is not None and other.state in _THERE else Partner.MISSING


def awaited(installation: Installation, transaction: Transaction, received: ReceivedRow) -> str:
    """Name of the other half for which a half of an answer waits; "" where it waits for none."""
    if received.state is not ReceivedState.VERIFIED or received.accepted_problems:
        return ""
    profile = installation.configuration.profiles.get(received.bank)
    recognised = None if profile is None else profile.recognise(received.name)
    if recognised is None or not recognised[0].partner:
        return ""
    inbound = recognised[0]
    other = _other(transaction, inbound, received)
    there = other is not None and other.state in _THERE
    return "" if there else inbound.partner_name(received.name)


def is_late(received: ReceivedRow, now: datetime) -> bool:
    """Whether a half has waited for longer than other halves take to come."""
    return now - datetime.fromisoformat(received.received_at) > PATIENCE


def note_paired(transaction: Transaction, inbound: Inbound, received: ReceivedRow, book: Book) -> None:
    """Let the book know which payments the other half told of."""
    other = _other(transaction, inbound, received) if inbound.partner else None
    if other is not None:
        book.paired = told_by(transaction, book.file.file_pk, other.received_pk)


def _other(transaction: Transaction, inbound: Inbound, received: ReceivedRow) -> ReceivedRow | None:
    return received_under_name(transaction, received.bank, inbound.partner_name(received.name))

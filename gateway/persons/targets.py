"""What persons decide about: objects by name, and what a person sees of each.

Names are `batch:PLATFORM/ID`, `payment:PLATFORM/ID`, `file:BANK/NAME`, `received:NUMBER`,
`oddity:NUMBER`, `bank:BANK`, `funding:NUMBER`, `books:PLATFORM/ID`, `recovery:PLATFORM/ID` (a payment's),
`card-list:NUMBER`.
"""

from __future__ import annotations

from typing import Any

from gateway.errors import Unknown
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.decisions import carried_out_count
from gateway.ledger.files import FileRow
from gateway.ledger.funding import FundingRow
from gateway.ledger.identity import identity_of
from gateway.ledger.intake import BatchRow
from gateway.ledger.oddities import OddityRow
from gateway.ledger.payments import PaymentRow
from gateway.ledger.received import ReceivedRow
from gateway.ledger.whereabouts import Whereabouts
from gateway.persons.decisions import INSTALLATION
from gateway.persons.kinds import KINDS, Kind
from gateway.ways.books import Books
from gateway.ways.card_lists import BroughtList
from gateway.ways.recoveries import Recoverable

Target = (
    BatchRow
    | PaymentRow
    | FileRow
    | ReceivedRow
    | OddityRow
    | FundingRow
    | Books
    | Recoverable
    | BroughtList
    | str
)
"""A row of the ledger; a bank is its name."""

_BY_PREFIX = {kind.prefix: kind for kind in KINDS}
_BY_ROW = {kind.row: kind for kind in KINDS}


def name_of(transaction: Transaction, target: Target) -> str:
    """Under which name an object is decided about."""
    kind = _kind_of(target)
    return f"{kind.prefix}:{kind.key(transaction, target)}"


def find_target(installation: Installation, transaction: Transaction, name: str) -> Target:
    """The object of that name. Raises `Unknown`."""
    prefix, _, key = name.partition(":")
    kind = _BY_PREFIX.get(prefix)
    found: Target | None = None if kind is None else kind.find(installation, transaction, key)
    if found is None:
        raise Unknown(f"nothing is called {name!r}", hint="`bankgate held` lists what waits, with names")
    return found


def whereabouts_of(transaction: Transaction, target: Target) -> list[Whereabouts]:
    """Where its payments are; of what a bank put there nothing is told."""
    return _kind_of(target).whereabouts(transaction, target)


def seen_of(installation: Installation, transaction: Transaction, target: Target) -> dict[str, Any]:
    """What a person sees of an object: enough that a decision fits nothing else.

    Most objects can come to the same point again: `carried_out` counts the decisions about it
    that had their effect before, so that each time needs signatures of its own. The ledger's identity
    keeps what is signed for one installation from another that has objects of the same names.
    """
    return {
        INSTALLATION: identity_of(transaction),
        "carried_out": carried_out_count(transaction, name_of(transaction, target)),
        **_kind_of(target).looks(installation, transaction, target),
    }


def _kind_of(target: Target) -> Kind:
    return _BY_ROW[type(target)]

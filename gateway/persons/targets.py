"""What persons decide about: objects by name, and what a person sees of each.

Names are `batch:PLATFORM/ID`, `payment:PLATFORM/ID`, `file:BANK/NAME`, `received:NUMBER`,
`oddity:NUMBER`, `bank:BANK`, `funding:NUMBER`, `books:PLATFORM/ID`, `recovery:PLATFORM/ID` (a payment's).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from formats import Reason
from gateway.errors import Unknown
from gateway.installation import Installation
from gateway.ledger.attempts import has_live_attempts
from gateway.ledger.database import Transaction
from gateway.ledger.decisions import carried_out_count
from gateway.ledger.files import FileRow, find_file
from gateway.ledger.funding import FundingRow, find_funding
from gateway.ledger.holds import bank_holds
from gateway.ledger.identity import identity_of
from gateway.ledger.intake import BatchRow, batch_by_key, find_batch
from gateway.ledger.oddities import OddityRow, open_oddity
from gateway.ledger.parts import parts_of
from gateway.ledger.payments import PaymentRow, find_payment, state_totals
from gateway.ledger.received import ReceivedRow, received_by_key
from gateway.ledger.rule_holds import holds_of
from gateway.ledger.whereabouts import (
    Whereabouts,
    whereabouts_of_bank,
    whereabouts_of_batch,
    whereabouts_of_file,
    whereabouts_of_payment,
)
from gateway.persons.decisions import INSTALLATION
from gateway.persons.holding import problems_digest
from gateway.rules.books import sums_digest
from gateway.rules.repeats import others_of_repeat
from gateway.states import BatchState, PaymentState
from gateway.ways.books import Books
from gateway.ways.recoveries import Recoverable, recoverable

_ROW_KEY = re.compile("[0-9]{1,18}")
"""What an integer key of SQLite takes, in the digits that `int` takes."""

Target = BatchRow | PaymentRow | FileRow | ReceivedRow | OddityRow | FundingRow | Books | Recoverable | str
"""A row of the ledger; a bank is its name."""


def name_of(transaction: Transaction, target: Target) -> str:
    """Under which name an object is decided about."""
    if isinstance(target, BatchRow):
        return f"batch:{target.source_platform}/{target.batch_id}"
    if isinstance(target, PaymentRow):
        batch = batch_by_key(transaction, target.batch_pk)
        return f"payment:{batch.source_platform}/{target.payment_id}"
    if isinstance(target, FileRow):
        return f"file:{target.bank}/{target.name}"
    if isinstance(target, ReceivedRow):
        return f"received:{target.received_pk}"
    if isinstance(target, OddityRow):
        return f"oddity:{target.oddity_pk}"
    if isinstance(target, FundingRow):
        return f"funding:{target.lane_pk}"
    if isinstance(target, Books):
        return f"books:{target.batch.source_platform}/{target.batch.batch_id}"
    if isinstance(target, Recoverable):
        return f"recovery:{target.source_platform}/{target.payment.payment_id}"
    return f"bank:{target}"


def find_target(installation: Installation, transaction: Transaction, name: str) -> Target:
    """The object of that name. Raises `Unknown`."""
    kind, _, key = name.partition(":")
    owner, _, rest = key.partition("/")
    found: Target | None = None
    if kind == "batch":
        found = next(iter(find_batch(transaction, rest, owner)), None)
    elif kind == "books":
        batch = next(iter(find_batch(transaction, rest, owner)), None)
        found = None if batch is None else Books(batch, sums_digest(transaction, batch))
    elif kind == "payment":
        found = next(iter(find_payment(transaction, rest, owner)), None)
    elif kind == "recovery":
        payment = next(iter(find_payment(transaction, rest, owner)), None)
        found = None if payment is None else recoverable(transaction, payment, owner)
    elif kind == "file":
        found = find_file(transaction, owner, name=rest)
    elif kind == "received" and _ROW_KEY.fullmatch(key):
        found = received_by_key(transaction, int(key))
    elif kind == "oddity" and _ROW_KEY.fullmatch(key):
        found = open_oddity(transaction, int(key))
    elif kind == "funding" and _ROW_KEY.fullmatch(key):
        found = find_funding(transaction, int(key))
    elif kind == "bank" and (key in installation.configuration.profiles or bank_holds(transaction, key)):
        found = key
    if found is None:
        raise Unknown(f"nothing is called {name!r}", hint="`bankgate held` lists what waits, with names")
    return found


def whereabouts_of(transaction: Transaction, target: Target) -> list[Whereabouts]:
    """Where its payments are; of what a bank put there nothing is told."""
    if isinstance(target, BatchRow):
        return whereabouts_of_batch(transaction, target.batch_pk)
    if isinstance(target, PaymentRow):
        return whereabouts_of_payment(transaction, target.payment_pk)
    if isinstance(target, Recoverable):
        return whereabouts_of_payment(transaction, target.payment.payment_pk)
    if isinstance(target, FileRow):
        return whereabouts_of_file(transaction, target.file_pk)
    return whereabouts_of_bank(transaction, target) if isinstance(target, str) else []


def seen_of(installation: Installation, transaction: Transaction, target: Target) -> dict[str, Any]:
    """What a person sees of an object: enough that a decision fits nothing else.

    Most objects can come to the same point again: `carried_out` counts the decisions about it
    that had their effect before, so that each time needs signatures of its own. The ledger's identity
    keeps what is signed for one installation from another that has objects of the same names.
    """
    return {
        INSTALLATION: identity_of(transaction),
        "carried_out": carried_out_count(transaction, name_of(transaction, target)),
        **_looks(installation, transaction, target),
    }


def _looks(installation: Installation, transaction: Transaction, target: Target) -> dict[str, Any]:
    if isinstance(target, BatchRow):
        # Of a released batch what has left is no matter of a decision, and changes all the time.
        shown = (*PaymentState,) if target.state is BatchState.SUBMITTED else (PaymentState.HELD,)
        totals = [total for total in state_totals(transaction, target.batch_pk) if total.state in shown]
        return {
            "state": str(target.state),
            "content_sha256": target.content_sha256,
            "declared_count": target.declared_count,
            "declared_total_minor": target.declared_total_minor,
            "totals": [[str(total.state), total.count, total.instructed_minor] for total in totals],
        }
    if isinstance(target, PaymentRow):
        looks: dict[str, Any] = {
            "payment_id": target.payment_id,
            "amount_minor": target.amount_minor,
            "state": str(target.state),
            "reason": str(target.reason),
            "outcome": target.outcome_pk,
        }
        if target.state is PaymentState.HELD and (holds := holds_of(transaction, target.payment_pk)):
            looks["holds"] = [str(hold.reason) for hold in holds]
            if any(hold.reason is Reason.REPEAT_IN_PERIOD for hold in holds):
                catalogue = installation.configuration.catalogue
                others = others_of_repeat(transaction, catalogue, target.payment_pk)
                looks["others"] = [list(msgspec.structs.astuple(other)) for other in others]
        return looks
    if isinstance(target, FileRow):
        return {
            "state": str(target.state),
            "attention": target.attention or "",
            "has_payments": has_live_attempts(transaction, target.file_pk),
            "parts": [part.sha256 for part in parts_of(transaction, target.file_pk)],
        }
    if isinstance(target, ReceivedRow):
        return {
            "state": str(target.state),
            "sha256": target.sha256,
            "problems_sha256": problems_digest(target.problems),
        }
    if isinstance(target, OddityRow):
        return {
            "bank": target.bank,
            "kind": str(target.kind),
            "name": target.name,
            "evidence": target.evidence,
        }
    if isinstance(target, FundingRow):
        return {
            "batch": f"{target.source_platform}/{target.batch_id}",
            "bank": target.bank,
            "department": target.department,
            "wanted_minor": target.wanted_minor,
            "funded_minor": target.funded_minor,
        }
    if isinstance(target, Books):
        return {"sums_sha256": target.sums_sha256}
    if isinstance(target, Recoverable):
        return {
            "payment_id": target.payment.payment_id,
            "outcome": target.payment.outcome_pk,
            "kept_minor": target.kept_minor,
            "recovered_minor": target.recovered_minor,
            "outstanding_minor": target.outstanding_minor,
            "recoveries": len(target.recoveries),
        }
    return {"hold": [[hold.bank, hold.cause, hold.message] for hold in bank_holds(transaction, target)]}

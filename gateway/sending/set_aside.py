"""Payments that the rules refuse: set aside, unless a bank may have paid them already.

A ledger that was put back says so of every bank until persons have reconciled. Meanwhile what a
rule refuses here may have been permitted in the lost time, and paid: the list was handed over
before, its predecessor had failed by then, the catalogue was another. That it was set aside would
tell the department that it may be paid again. So it is held (`REFUSED_IN_DOUBT`), its rule kept
beside it, until two persons have the bank's word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from formats import Reason, Status
from gateway import evidence
from gateway.ledger.database import Transaction
from gateway.ledger.holds import is_behind
from gateway.ledger.intake import append_gateway_outcome, move_payment
from gateway.ledger.payments import bank_of_payment
from gateway.ledger.rule_holds import hold_for
from gateway.states import Disposition

_NOTHING_MORE: Mapping[str, str] = MappingProxyType({})

TOLD_TOGETHER = 1000
"""Payments of one event, so that no body of the journal grows without bound."""


def set_aside(
    transaction: Transaction,
    payments: Sequence[int],
    before: Disposition,
    reason: Reason,
    at: datetime,
    *,
    forgotten: bool = False,
    told: Mapping[str, str] = _NOTHING_MORE,
) -> None:
    """Set the payments aside for the reason, or hold them in doubt; `told` goes into the events.

    `forgotten`: a file that a restored ledger does not know may have paid them, though their bank was
    reconciled since.

    Raises `NotPermitted` where one is not `before` any more, or a bank may have it.
    """
    in_doubt = [
        key
        for key in payments
        if forgotten or is_behind(transaction, bank_of_payment(transaction, key) or "")
    ]
    for payment_pk in in_doubt:
        if before is Disposition.ACCEPTED:
            move_payment(transaction, payment_pk, before, Disposition.HELD, Reason.REFUSED_IN_DOUBT)
        hold_for(transaction, payment_pk, Reason.REFUSED_IN_DOUBT, reason, at)
    refused = [key for key in payments if key not in set(in_doubt)]
    for payment_pk in refused:
        move_payment(transaction, payment_pk, before, Disposition.SET_ASIDE, reason)
        append_gateway_outcome(transaction, payment_pk, Status.SET_ASIDE, reason, at)
    for kind, keys in (("payments refused in doubt", in_doubt), ("payments set aside", refused)):
        for first in range(0, len(keys), TOLD_TOGETHER):
            together = keys[first : first + TOLD_TOGETHER]
            evidence.record(transaction, at, kind, payments=together, reason=reason, **told)

"""What persons decide about one payment: before it leaves, and when its outcome is in doubt.

`resolve` is for a payment that is unknown, discrepant or not answered: two persons say, on
the bank's written word, what became of it. It ends a contradiction; what the bank says
afterwards is judged against it like against any outcome.
"""

from __future__ import annotations

from datetime import datetime

from formats import Reason, Status
from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.files import file_by_key
from gateway.ledger.holds import is_behind
from gateway.ledger.intake import append_gateway_outcome, move_payment
from gateway.ledger.lanes import reopen_lane
from gateway.ledger.outcomes import (
    append_decided_outcome,
    latest_outcome,
    short_outcome,
    unsettled_items,
)
from gateway.ledger.payments import PaymentRow, bank_of_payment, live_item
from gateway.ledger.rule_holds import holds_of
from gateway.settlement.completion import settle_if_complete
from gateway.settlement.double_payments import tell_of_heirs
from gateway.states import BEFORE_RELEASE, RESOLUTIONS, Disposition, FileState, PaymentState
from gateway.ways.way import Carried, Decision, Ways


def payment_ways(transaction: Transaction, payment: PaymentRow) -> Ways:
    """The decisions that a payment's present state permits."""
    if payment.state is PaymentState.HELD:
        # A bank spoke of it in a file that was given up: only its word lets it go on.
        if payment.reason is Reason.CONTRADICTED:
            return _DOUBTED_WAYS
        # Only the catalogue lets it go on: who adds the programme decides.
        if payment.reason is Reason.PROGRAMME_NOT_LISTED:
            return _UNLISTED_WAYS
        if payment.reason is Reason.PAID_PERHAPS:
            return _FORGOTTEN_WAYS
        # A rule refuses it, whatever the bank says: it never goes.
        if payment.reason is Reason.REFUSED_IN_DOUBT:
            return _REFUSED_WAYS
        # Who stops a payment alone must not be able to take it back alone.
        ways = _STOPPED_WAYS if payment.reason is Reason.ON_HOLD else _HELD_WAYS
        return ways | (_LOST_WAYS if _is_behind(transaction, payment) else {})
    item = live_item(transaction, payment.payment_pk)
    file = None if item is None else file_by_key(transaction, item[0])
    if payment.state is PaymentState.ACCEPTED or (file is not None and file.state in BEFORE_RELEASE):
        return _ACCEPTED_WAYS | (_LOST_WAYS if _is_behind(transaction, payment) and file is None else {})
    if file is not None and file.state is FileState.REJECTED and _is_behind(transaction, payment):
        # What a forgotten file paid must be told before this one gives it back.
        return _LOST_WAYS
    if file is None or file.state not in _ANSWERABLE:
        # Of an uncertain file it must first be known whether the bank has it.
        return {}
    possible = RESOLUTIONS.get(payment.state, ())
    if payment.state is PaymentState.DISCREPANT:
        gone = _gone_of_discrepant(transaction, payment)
        possible = tuple(status for status in possible if status not in gone)
    return {str(status): _RESOLUTIONS[status] for status in possible}


def _gone_of_discrepant(transaction: Transaction, payment: PaymentRow) -> set[Status]:
    """What cannot be said of a payment, by what is known to have moved of it.

    That it stays short is said of an amount that the bank told, above nothing and below what was
    instructed: what may be paid again is the difference, and must not be guessed.
    """
    latest = latest_outcome(transaction, payment.payment_pk)
    gone = {Status.FAILED} if latest is not None and latest.credited_minor else set()
    short = short_outcome(transaction, payment.payment_pk)
    kept = 0 if short is None else (short.credited_minor or 0) - (short.returned_minor or 0)
    return gone if 0 < kept < payment.amount_minor else gone | {Status.DISCREPANT}


def _is_behind(transaction: Transaction, payment: PaymentRow) -> bool:
    """Whether its bank may have files of ours that this ledger does not know."""
    return is_behind(transaction, bank_of_payment(transaction, payment.payment_pk))


# Before it leaves.


def _accept(
    _installation: Installation, transaction: Transaction, payment: PaymentRow, carried: Carried
) -> None:
    move_payment(transaction, payment.payment_pk, Disposition.HELD, Disposition.ACCEPTED, Reason.NONE)
    assert payment.lane_pk is not None
    reopen_lane(transaction, payment.lane_pk)
    _tell(transaction, payment, "payment accepted", carried)


def _hold(
    _installation: Installation, transaction: Transaction, payment: PaymentRow, carried: Carried
) -> None:
    move_payment(transaction, payment.payment_pk, Disposition.ACCEPTED, Disposition.HELD, Reason.ON_HOLD)
    _tell(transaction, payment, "payment held", carried)


def _withdraw(
    _installation: Installation, transaction: Transaction, payment: PaymentRow, carried: Carried
) -> None:
    move_payment(
        transaction, payment.payment_pk, payment.disposition, Disposition.WITHDRAWN, Reason.WITHDRAWN
    )
    append_gateway_outcome(transaction, payment.payment_pk, Status.WITHDRAWN, Reason.WITHDRAWN, carried.at)
    _tell(transaction, payment, "payment withdrawn", carried)


def _set_aside(
    _installation: Installation, transaction: Transaction, payment: PaymentRow, carried: Carried
) -> None:
    refused = holds_of(transaction, payment.payment_pk)[0].reason
    move_payment(transaction, payment.payment_pk, Disposition.HELD, Disposition.SET_ASIDE, refused)
    append_gateway_outcome(transaction, payment.payment_pk, Status.SET_ASIDE, refused, carried.at)
    _tell(transaction, payment, "payment set aside", carried)


# When its outcome is in doubt.


def _credited(
    _installation: Installation, transaction: Transaction, payment: PaymentRow, carried: Carried
) -> None:
    if payment.state is PaymentState.HELD:
        # It does not wait any more, and an outcome keeps it from leaving.
        move_payment(transaction, payment.payment_pk, Disposition.HELD, Disposition.ACCEPTED, Reason.NONE)
    amount = payment.amount_minor
    _resolve(transaction, payment, carried, (Status.CREDITED, Reason.NONE), (amount, None))
    # Who was paid after all must not be paid by a successor too.
    tell_of_heirs(transaction, [payment.payment_pk], carried.at)


def _failed(
    _installation: Installation, transaction: Transaction, payment: PaymentRow, carried: Carried
) -> None:
    _resolve(transaction, payment, carried, (Status.FAILED, Reason.CONFIRMED_UNPAID), (None, None))


def _returned(
    _installation: Installation, transaction: Transaction, payment: PaymentRow, carried: Carried
) -> None:
    latest = latest_outcome(transaction, payment.payment_pk)
    credited = latest.credited_minor if latest is not None else None
    moved = payment.amount_minor if credited is None else credited
    _resolve(transaction, payment, carried, (Status.RETURNED, Reason.RETURNED), (moved, moved))


def _stays_short(
    _installation: Installation, transaction: Transaction, payment: PaymentRow, carried: Carried
) -> None:
    short = short_outcome(transaction, payment.payment_pk)
    assert short is not None
    amounts = (short.credited_minor, short.returned_minor)
    _resolve(transaction, payment, carried, (Status.DISCREPANT, Reason.PAID_SHORT), amounts)


def _resolve(
    transaction: Transaction,
    payment: PaymentRow,
    carried: Carried,
    outcome: tuple[Status, Reason],
    amounts: tuple[int | None, int | None],
) -> None:
    """Append the outcome that two persons state; `amounts` are credited and returned minor units."""
    item = live_item(transaction, payment.payment_pk)
    file = None if item is None else file_by_key(transaction, item[0])
    if file is not None and file.state not in _ANSWERABLE:
        # It was paid by a file that this ledger does not know.
        item = file = None
    append_decided_outcome(
        transaction, payment.payment_pk, item, outcome, amounts, carried.subject, carried.at
    )
    if file is not None:
        settle_if_complete(transaction, file, unsettled_items(transaction, file.file_pk))
    evidence.record(
        transaction,
        carried.at,
        "payment resolved",
        payment=payment.payment_pk,
        file=None if file is None else file.name,
        bank=bank_of_payment(transaction, payment.payment_pk),
        file_state=None if file is None else file_by_key(transaction, file.file_pk).state,
        item=None if item is None else item[1],
        status=outcome[0],
        reason=outcome[1],
        credited_minor=amounts[0],
        returned_minor=amounts[1],
        object=carried.subject,
        by=carried.persons,
        exhibit=carried.exhibit,
    )


def _tell(transaction: Transaction, payment: PaymentRow, kind: str, carried: Carried) -> None:
    at: datetime = carried.at
    evidence.record(
        transaction, at, kind, payment=payment.payment_pk, object=carried.subject, by=carried.persons
    )


_HELD_WAYS: Ways = {
    "accept": Decision(2, "it is paid as it stands", _accept),
    "withdraw": Decision(1, "taken back", _withdraw),
}
_STOPPED_WAYS: Ways = _HELD_WAYS | {"withdraw": Decision(2, "taken back", _withdraw)}
_UNLISTED_WAYS: Ways = {"withdraw": Decision(1, "taken back", _withdraw)}
_DOUBTED_WAYS: Ways = {
    "accept": Decision(
        2, "the bank confirms in writing that it did not pay it: it goes again", _accept, needs_exhibit=True
    ),
    "withdraw": Decision(1, "taken back", _withdraw),
}
_ANSWERABLE = (FileState.SENT, FileState.ACKNOWLEDGED, FileState.SETTLED)
_ACCEPTED_WAYS: Ways = {
    "hold": Decision(1, "it stays here for now", _hold, takes_reason=True),
    "withdraw": Decision(2, "taken back", _withdraw),
}
_RESOLUTIONS: dict[Status, Decision] = {
    Status.CREDITED: Decision(
        2,
        "the bank confirms in writing that exactly the instructed amount is with the payee",
        _credited,
        needs_exhibit=True,
    ),
    Status.FAILED: Decision(
        2, "the bank confirms in writing that nothing was paid", _failed, needs_exhibit=True
    ),
    Status.DISCREPANT: Decision(
        2,
        "the bank confirms in writing that what it credited is too little, and that it makes up nothing",
        _stays_short,
        needs_exhibit=True,
    ),
    Status.RETURNED: Decision(
        2,
        "the bank confirms in writing that all of what it credited came back",
        _returned,
        needs_exhibit=True,
    ),
}
_LOST_WAYS: Ways = {
    str(Status.CREDITED): Decision(
        2,
        "the bank confirms in writing that it paid it by a file that this ledger does not know",
        _credited,
        needs_exhibit=True,
    ),
}
_FORGOTTEN_WAYS: Ways = {
    "accept": Decision(
        2,
        "the bank confirms in writing that it did not pay it by any file: it goes again",
        _accept,
        needs_exhibit=True,
    ),
    "withdraw": Decision(2, "taken back", _withdraw),
    **_LOST_WAYS,
}
_REFUSED_WAYS: Ways = {
    "set-aside": Decision(
        2,
        "the bank confirms in writing that it did not pay it by any file: it is set aside, as the rule says",
        _set_aside,
        needs_exhibit=True,
    ),
    **_LOST_WAYS,
}
TABLES: tuple[Ways, ...] = (
    _HELD_WAYS,
    _STOPPED_WAYS,
    _UNLISTED_WAYS,
    _DOUBTED_WAYS,
    _ACCEPTED_WAYS,
    _LOST_WAYS,
    _FORGOTTEN_WAYS,
    _REFUSED_WAYS,
    {str(status): way for status, way in _RESOLUTIONS.items()},
)
"""Every decision about a payment."""

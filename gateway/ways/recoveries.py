"""What persons decide about money that was wrongly paid (追回): it is asked back, and comes back in parts.

Nothing of this is an outcome: what the bank did stays as it is, and no payment may be paid again by it.
A payment has one open recovery at most, so the payment's name is enough to speak of it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway import evidence
from gateway.errors import NotPermitted
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.payments import PaymentRow
from gateway.ledger.recoveries import (
    Ending,
    ReceiptRow,
    RecoveryRow,
    close_recovery,
    insert_receipt,
    insert_recovery,
    kept_of,
    receipts_of,
    recoveries_of,
    reopen_recovery,
    strike_receipt,
)
from gateway.ways.way import Carried, Decision, Ways

GROUNDS = ("wrong-person", "too-much", "paid-twice", "not-entitled")
"""Why money is asked back; `not-entitled` is also who is so no more."""


class Recoverable(Struct, frozen=True, kw_only=True):
    """One payment, as what may be asked back of it. Amounts in minor units.

    `kept_minor` is with the payee by the banks' word, whatever persons gave back since.
    """

    payment: PaymentRow
    source_platform: str
    kept_minor: int
    recoveries: list[RecoveryRow]
    receipts: list[ReceiptRow]

    @property
    def open(self) -> RecoveryRow | None:
        """The one that is not closed."""
        last = self.recoveries[-1] if self.recoveries else None
        return last if last is not None and last.ending == Ending.OPEN else None

    @property
    def outstanding_minor(self) -> int:
        return 0 if self.open is None else self.open.amount_minor - self.open.recovered_minor

    @property
    def recovered_minor(self) -> int:
        return sum(one.recovered_minor for one in self.recoveries)

    @property
    def free_minor(self) -> int:
        """What may still be asked back: kept, not given back, not asked back already."""
        return max(0, self.kept_minor - self.recovered_minor - self.outstanding_minor)

    @property
    def standing(self) -> list[ReceiptRow]:
        """Parts that count."""
        return [one for one in self.receipts if one.struck_at is None]


def recoverable(transaction: Transaction, payment: PaymentRow, source_platform: str) -> Recoverable:
    recoveries = recoveries_of(transaction, payment.payment_pk)
    return Recoverable(
        payment=payment,
        source_platform=source_platform,
        kept_minor=kept_of(transaction, payment.payment_pk),
        recoveries=recoveries,
        receipts=receipts_of(transaction, [one.recovery_pk for one in recoveries]),
    )


def recovery_ways(about: Recoverable) -> Ways:
    """What may be asked back now, or noted as come back."""
    ways: Ways = {}
    if about.open is not None:
        ways["recovered"] = replace(_RECOVERED, most_minor=about.outstanding_minor)
        ways["give-up"] = _GIVE_UP
    elif about.free_minor:
        ways["recover"] = replace(_RECOVER, most_minor=about.free_minor)
    if about.standing:
        ways["strike"] = replace(_STRIKE, exhibits=tuple(one.voucher for one in about.standing))
    return ways


def _recover(
    _installation: Installation, transaction: Transaction, about: Recoverable, carried: Carried
) -> None:
    amount_minor, ground = carried.terms.amount_minor, carried.terms.ground
    assert amount_minor is not None
    recovery_pk = insert_recovery(
        transaction,
        about.payment.payment_pk,
        (amount_minor, ground),
        carried.exhibit,
        ", ".join(carried.persons),
        carried.subject,
        carried.at,
    )
    _tell(
        transaction,
        about,
        carried,
        "recovery marked",
        recovery=recovery_pk,
        amount_minor=amount_minor,
        ground=ground,
        kept_minor=about.kept_minor,
        exhibit=carried.exhibit,
    )


def _recovered(
    _installation: Installation, transaction: Transaction, about: Recoverable, carried: Carried
) -> None:
    recovery, amount_minor = about.open, carried.terms.amount_minor
    assert recovery is not None
    assert amount_minor is not None
    if carried.exhibit in {one.voucher for one in about.standing}:
        raise NotPermitted(
            f"{carried.subject.rpartition('#')[0]}: a part was noted on this voucher already",
            hint="one voucher counts once; where the part was wrong, two persons strike it first",
        )
    persons = ", ".join(carried.persons)
    receipt_pk = insert_receipt(
        transaction,
        recovery.recovery_pk,
        amount_minor,
        carried.exhibit,
        persons,
        carried.subject,
        carried.at,
    )
    outstanding_minor = about.outstanding_minor - amount_minor
    if not outstanding_minor:
        close_recovery(transaction, recovery.recovery_pk, Ending.WHOLE, persons, carried.at)
    _tell(
        transaction,
        about,
        carried,
        "recovery received",
        recovery=recovery.recovery_pk,
        receipt=receipt_pk,
        amount_minor=amount_minor,
        voucher_sha256=carried.exhibit,
        outstanding_minor=outstanding_minor,
    )


def _strike(
    _installation: Installation, transaction: Transaction, about: Recoverable, carried: Carried
) -> None:
    # The newest, where an earlier recovery had one on the same voucher.
    receipt = [one for one in about.standing if one.voucher == carried.exhibit][-1]
    persons = ", ".join(carried.persons)
    strike_receipt(transaction, receipt.receipt_pk, persons, carried.at)
    last = about.recoveries[-1]
    reopened = receipt.recovery_pk == last.recovery_pk and last.ending == Ending.WHOLE
    if reopened:
        reopen_recovery(transaction, last.recovery_pk)
    _tell(
        transaction,
        about,
        carried,
        "recovery receipt struck",
        recovery=receipt.recovery_pk,
        receipt=receipt.receipt_pk,
        amount_minor=receipt.amount_minor,
        reopened=reopened,
    )


def _give_up(
    _installation: Installation, transaction: Transaction, about: Recoverable, carried: Carried
) -> None:
    recovery = about.open
    assert recovery is not None
    close_recovery(transaction, recovery.recovery_pk, Ending.GIVEN_UP, ", ".join(carried.persons), carried.at)
    _tell(
        transaction,
        about,
        carried,
        "recovery given up",
        recovery=recovery.recovery_pk,
        outstanding_minor=about.outstanding_minor,
        exhibit=carried.exhibit,
    )


def _tell(transaction: Transaction, about: Recoverable, carried: Carried, kind: str, /, **body: Any) -> None:
    evidence.record(
        transaction,
        carried.at,
        kind,
        payment=about.payment.payment_pk,
        object=carried.subject,
        by=carried.persons,
        **body,
    )


_RECOVER = Decision(
    2,
    "it was wrongly paid, as the exhibit shows: so much is asked back",
    _recover,
    needs_exhibit=True,
    needs_amount=True,
    grounds=GROUNDS,
)
_RECOVERED = Decision(
    1, "so much came back, as the voucher shows", _recovered, needs_exhibit=True, needs_amount=True
)
_GIVE_UP = Decision(
    2, "the rest is not asked back any more, as the exhibit says", _give_up, needs_exhibit=True
)
_STRIKE = Decision(2, "the part on this voucher was noted by mistake", _strike, needs_exhibit=True)
_WAYS: Ways = {"recover": _RECOVER, "recovered": _RECOVERED, "give-up": _GIVE_UP, "strike": _STRIKE}
TABLES: tuple[Ways, ...] = (_WAYS,)
"""Every decision about a recovery."""

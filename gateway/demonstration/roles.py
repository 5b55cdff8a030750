"""What befalls single payments of the demonstrated month, beside what banks draw by themselves."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from formats.reasons import Reason
from formats.records import AccountKind, Payment
from gateway.simulator.scenario import Fate, NamedPayment

_LATE_HOURS = 120
_RETURNED_HOURS = 14 * 24
REASONS = (
    Reason.ACCOUNT_NOT_FOUND,
    Reason.NAME_MISMATCH,
    Reason.ACCOUNT_CLOSED,
    Reason.BANK_MISMATCH,
    Reason.NOT_ACTIVATED,
    Reason.DORMANT,
    Reason.CARD_LOST,
)
"""Why payments fail in that month: what verification, a new card or the bank's counter can mend."""


class Role(Struct, frozen=True, kw_only=True):
    """What befalls one payment to a card: of this field if it has one that fits.

    `bank` and `programme` say at which bank it is, and which one it pays; "" is any. Without a field it is
    a payment to a passbook.
    """

    field: int | None
    bank: str = ""
    programme: str = ""
    named: Callable[[str], NamedPayment]

    def fits(self, payment: Payment) -> bool:
        at_bank = payment.bank == self.bank or not self.bank
        paid = payment.programme == self.programme or not self.programme
        kind = AccountKind.PASSBOOK if self.field is None else AccountKind.CARD
        return at_bank and paid and payment.account_kind is kind


def _failing(reason: Reason) -> Callable[[str], NamedPayment]:
    return lambda account: NamedPayment(account=account, fate=Fate.FAILED, reason=reason)


_DUE = "城乡居民最低生活保障补贴"
"""The programme of which the catalogue knows when it is due."""

_STANDARD = "国家励志奖学金"
"""A programme of which the catalogue knows the standard amount."""

OVERPAID = Role(field=1, programme=_STANDARD, named=lambda account: NamedPayment(account=account))
"""Credited for certain, with a zero too many."""
ROLES = (
    OVERPAID,
    Role(field=1, bank="city-bank", named=_failing(Reason.ACCOUNT_CLOSED)),
    Role(field=2, programme=_DUE, named=_failing(Reason.NOT_ACTIVATED)),
    Role(field=2, programme=_DUE, named=_failing(Reason.CARD_LOST)),
    Role(field=4, bank="rural-credit", named=_failing(Reason.BANK_MISMATCH)),
    Role(field=None, named=_failing(Reason.DORMANT)),
    Role(field=8, bank="iso-bank", named=_failing(Reason.NAME_MISMATCH)),
    Role(
        field=2,
        bank="rural-credit",
        named=lambda account: NamedPayment(
            account=account, fate=Fate.RETURNED, returned_after_hours=_RETURNED_HOURS
        ),
    ),
    Role(
        field=7,
        bank="city-bank",
        named=lambda account: NamedPayment(account=account, result_after_hours=_LATE_HOURS),
    ),
    Role(
        field=8,
        bank="rural-credit",
        named=lambda account: NamedPayment(account=account, charged="fee-lines"),
    ),
    Role(
        field=9,
        bank="city-bank",
        named=lambda account: NamedPayment(account=account, charged="statement-debit"),
    ),
    Role(field=10, bank="city-bank", named=lambda account: NamedPayment(account=account, fate=Fate.SHORT)),
    Role(
        field=12,
        bank="iso-bank",
        named=lambda account: NamedPayment(account=account, fate=Fate.UNKNOWN_CODE),
    ),
)
"""One paid too much, one return, one late answer, one fee, one more that only a statement has, one credited
short, one under a strange code; and failures."""

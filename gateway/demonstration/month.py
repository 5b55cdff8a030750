"""What the demonstrated month consists of: a batch for each field of the plan, and what befalls whom.

September 2026, a month in the past, so that its days, its holidays (a working Sunday on the 20th) and
its sums are the same whenever somebody looks. All of it follows from a count and a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from functools import cached_property
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from formats.reasons import Reason
from formats.records import AccountKind, PayeeKind, Payment
from gateway.demonstration.payments import Guest, Order, defect_of, ordered_payment
from gateway.demonstration.people import BANKS, Person
from gateway.demonstration.plan import FIELDS, Field
from gateway.demonstration.settings_texts import Conduct
from gateway.demonstration.site import Setting
from gateway.simulator.scenario import Fate, NamedPayment

ZONE = ZoneInfo("Asia/Shanghai")
YEAR, MONTH = 2026, 9
PUBLISHED_FIELD = 2
"""Whose list is published, and whose report is written: the largest."""
FEWEST = 120
"""Payments that a month takes: fewer do not fill twelve fields at three banks."""

_UNBOUND = "区民政局"
"""Its agreements have no windows, so that examples can be sent at any hour."""
_SHARES = (12, 22, 4, 14, 6, 6, 7, 13, 5, 5, 3, 3)
"""Of a hundred payments, by field."""
_DEFECTS = 4
"""Payments of the largest field that the gateway itself sets aside, at least: one of each kind."""
_CARD_FIELD, _PASSBOOK_FIELD = 8, 10
"""Somebody is paid by card in the one, and by passbook in the other."""
_SHORT_NAME = 3
"""Characters that every bank can write."""
_LATE_HOURS = 120
_RETURNED_HOURS = 14 * 24
_REASONS = (
    Reason.ACCOUNT_NOT_FOUND,
    Reason.NAME_MISMATCH,
    Reason.ACCOUNT_CLOSED,
    Reason.BANK_MISMATCH,
    Reason.NOT_ACTIVATED,
    Reason.DORMANT,
    Reason.CARD_LOST,
)
"""Why payments fail in that month: what verification, a new card or the bank's counter can mend."""


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of the month, by the district's clock."""
    return datetime.combine(date(YEAR, MONTH, day), time(hour, minute), ZONE)


BEGINS = moment(1, 8)


class FieldBatch(Struct, frozen=True):
    """What one field's department hands over."""

    field: Field
    order: Order

    @property
    def batch_id(self) -> str:
        return self.order.batch_id

    def file(self, folder: Path) -> Path:
        return folder / f"field-{self.field.number:02d}.csv"

    def payment(self, index: int) -> Payment:
        return ordered_payment(self.order, index)


class Role(Struct, frozen=True, kw_only=True):
    """What befalls one payment to a card: of this field if it has one that fits.

    `bank` and `programme` say at which bank it is, and which one it pays; "" is any.
    """

    field: int
    bank: str = ""
    programme: str = ""
    named: Callable[[str], NamedPayment]

    def fits(self, payment: Payment) -> bool:
        at_bank = payment.bank == self.bank or not self.bank
        paid = payment.programme == self.programme or not self.programme
        return at_bank and paid and payment.account_kind is AccountKind.CARD


def _failing(reason: Reason) -> Callable[[str], NamedPayment]:
    return lambda account: NamedPayment(account=account, fate=Fate.FAILED, reason=reason)


_DUE = "城乡居民最低生活保障补贴"
"""The programme of which the catalogue knows when it is due."""

_STANDARD = "国家励志奖学金"
"""A programme of which the catalogue knows the standard amount."""

_OVERPAID = Role(field=1, programme=_STANDARD, named=lambda account: NamedPayment(account=account))
"""Credited for certain, with a zero too many."""
_ROLES = (
    _OVERPAID,
    Role(field=1, bank="city-bank", named=_failing(Reason.ACCOUNT_CLOSED)),
    Role(field=2, programme=_DUE, named=_failing(Reason.NOT_ACTIVATED)),
    Role(field=2, programme=_DUE, named=_failing(Reason.CARD_LOST)),
    Role(field=4, bank="rural-credit", named=_failing(Reason.BANK_MISMATCH)),
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
    Role(field=10, bank="city-bank", named=lambda account: NamedPayment(account=account, fate=Fate.SHORT)),
    Role(
        field=12,
        bank="iso-bank",
        named=lambda account: NamedPayment(account=account, fate=Fate.UNKNOWN_CODE),
    ),
)
"""One paid too much, one return, one late answer, one fee, one credited short, one under a strange code;
and failures."""


class Size(Struct, frozen=True):
    """All that decides what a month consists of."""

    payments: int
    seed: int


class Month:
    """The month of a district with so many payments, at least `FEWEST`."""

    def __init__(self, size: Size) -> None:
        payments, seed = size.payments, size.seed
        self.size = size
        self.batches = tuple(sorted(_batches(payments, seed), key=lambda batch: batch.field.number))
        self._overpay()
        self._pay_both_ways()
        self.name = f"demo-{YEAR}{MONTH:02d}"
        self._suffix = f"{seed}-{payments}"

    def again_id(self, number: int) -> str:
        """The batch that pays again, for the first or second time."""
        return f"{self.name}-again-{number}-{self._suffix}"

    def original(self, payment_id: str) -> tuple[FieldBatch, int]:
        """The batch and the index of a payment, or of the one with which its chain began."""
        for batch in self.batches:
            if payment_id.startswith(f"{batch.batch_id}-"):
                return batch, int(payment_id.removeprefix(f"{batch.batch_id}-").partition("-")[0]) - 1
        raise KeyError(payment_id)

    def _overpay(self) -> None:
        """One amount has a zero too many, as somebody typed it."""
        payment = next(self._playing(_OVERPAID, set()))
        first, index = self.original(payment.payment_id)
        spoiled = replace(first, order=replace(first.order, overpaid=index))
        self.batches = tuple(spoiled if batch is first else batch for batch in self.batches)

    def _pay_both_ways(self) -> None:
        """Somebody's card carries one subsidy, and the passbook another still (并行)."""
        card = next(
            payment
            for payment in _own_payments(self.batches[_CARD_FIELD - 1], AccountKind.CARD)
            if len(payment.beneficiary_name) <= _SHORT_NAME
        )
        others = [batch for batch in self._from(_PASSBOOK_FIELD) if batch.field.number != _CARD_FIELD]
        book = next(book for batch in others for book in _own_payments(batch, AccountKind.PASSBOOK))
        host, index = self.original(book.payment_id)
        guest = Guest(index, Person(card.beneficiary_name, card.beneficiary_id))
        hosting = replace(host, order=replace(host.order, guest=guest))
        self.batches = tuple(hosting if batch is host else batch for batch in self.batches)
        self._both = (card, book)

    @cached_property
    def overpaid(self) -> Payment:
        """The payment with a zero too many."""
        (found,) = [
            batch.payment(batch.order.overpaid) for batch in self.batches if batch.order.overpaid is not None
        ]
        return found

    @cached_property
    def published(self) -> FieldBatch:
        return self.batches[PUBLISHED_FIELD - 1]

    def setting(self) -> Setting:
        """What its site must be like."""
        chosen = list(self._cast())
        conducts = {
            bank.bank: Conduct(
                scenario="failures",
                reasons=_REASONS,
                payments=tuple(named for name, named in chosen if name == bank.bank),
            )
            for bank in BANKS
        }
        return Setting(since=BEGINS, unbound=_UNBOUND, conducts=conducts)

    def _cast(self) -> Iterator[tuple[str, NamedPayment]]:
        """Bank and payment of each role; nobody plays two."""
        for payment in self._both:
            yield payment.bank, NamedPayment(account=payment.account)
        taken = {payment.account for payment in self._both}
        for role in _ROLES:
            payment = next(self._playing(role, taken))
            taken.add(payment.account)
            yield payment.bank, role.named(payment.account)

    def _playing(self, role: Role, taken: set[str]) -> Iterator[Payment]:
        """Who could play a role: a small month may have too few payments of one programme."""
        return chain(self._fitting(role, taken), self._fitting(replace(role, programme=""), taken))

    def _from(self, field: int) -> Iterator[FieldBatch]:
        """All batches, that of this field first, then those behind it."""
        yield from self.batches[field - 1 :]
        yield from self.batches[: field - 1]

    def _fitting(self, role: Role, taken: set[str]) -> Iterator[Payment]:
        """In the role's own field, then in those behind it."""
        for batch in self._from(role.field):
            for index in range(batch.order.count):
                if defect_of(batch.order, index) is None:
                    payment = batch.payment(index)
                    if role.fits(payment) and payment.account not in taken:
                        yield payment


def _own_payments(batch: FieldBatch, kind: AccountKind) -> Iterator[Payment]:
    """Without a defect, to an account of that kind which is the beneficiary's own, a person's."""
    for index in range(batch.order.count):
        payment = batch.payment(index)
        own = payment.payee_kind is PayeeKind.PERSON and payment.account_kind is kind
        if own and defect_of(batch.order, index) is None:
            yield payment


def _batches(payments: int, seed: int) -> Iterator[FieldBatch]:
    left = payments
    for field, share in reversed(list(zip(FIELDS, _SHARES, strict=True))):
        # What rounding leaves is the first field's.
        count = left if field.number == 1 else payments * share // sum(_SHARES)
        left -= count
        fewest = _DEFECTS if field.number == PUBLISHED_FIELD else 0
        order = Order(
            count=count,
            seed=seed + field.number,
            month=date(YEAR, MONTH, 1),
            defects=max(fewest, count // 500),
            fields=(field,),
            twins=False,
            name=f"{field.number:02d}",
        )
        yield FieldBatch(field, order)

"""What the demonstrated month consists of: batches of each field of the plan, and what befalls whom.

All of it follows from a count and a seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from formats.records import PayeeKind, Payment
from gateway.demonstration.batches import (
    PASSBOOK_FIELDS,
    PUBLISHED_FIELD,
    FieldBatch,
    month_batches,
    suffix_of,
)
from gateway.demonstration.days import BEGINS, MONTH, YEAR
from gateway.demonstration.payments import Guest, Order, Repeat, defect_of
from gateway.demonstration.people import BANKS, Person
from gateway.demonstration.plan import FIELDS, PLATFORM
from gateway.demonstration.roles import OVERPAID, REASONS, ROLES, Role
from gateway.demonstration.settings_texts import Conduct
from gateway.demonstration.site import Setting
from gateway.simulator.scenario import NamedPayment

FEWEST = 120
"""Payments that a month takes: fewer do not fill twelve fields at three banks."""

_UNBOUND = "区民政局"
"""Its agreements have no windows, so that examples can be sent at any hour."""
_FUNDED = "区退役军人事务局"
"""Nothing of it leaves before somebody has confirmed that the money is there."""
_LIMITED_FIELD = 3
"""Its agreements have a limit a day where the most is paid."""
_CARD_FIELD = 8
"""Somebody is paid by card in it, and by passbook in another."""
_REPEATED_FIELD = 4
"""Somebody is paid by card in it, and by passbook for the same programme and period once more."""
_SHORT_NAME = 3
"""Characters that every bank can write."""


class Size(Struct, frozen=True):
    """All that decides what a month consists of."""

    payments: int
    seed: int


class Month:
    """The month of a district with so many payments, at least `FEWEST`."""

    def __init__(self, size: Size) -> None:
        self.size = size
        # First all of cards, in the order of the fields.
        self.batches = tuple(
            sorted(
                month_batches(size.payments, size.seed),
                key=lambda one: (one.platform != PLATFORM, one.field.number),
            )
        )
        self._overpay()
        self._certain = [*self._pay_both_ways(), self._repeat()]
        self.name = f"demo-{YEAR}{MONTH:02d}"
        self._suffix = f"{size.seed}-{size.payments}"

    @property
    def certain(self) -> tuple[Payment, ...]:
        """What is paid whatever else befalls the month: who is paid by card and by passbook is among them."""
        return tuple(self._certain)

    @property
    def cards(self) -> tuple[FieldBatch, ...]:
        """A batch of each field, in their order."""
        return self.batches[: len(FIELDS)]

    @property
    def passbooks(self) -> tuple[FieldBatch, ...]:
        return self.batches[len(FIELDS) :]

    def again_id(self, number: int, platform: str = PLATFORM) -> str:
        """The batch that pays a platform's payments again, for the first or second time."""
        return f"{self.name}-again-{number}{suffix_of(platform)}-{self._suffix}"

    def original(self, payment_id: str) -> tuple[FieldBatch, int]:
        """The batch and the index of a payment, or of the one with which its chain began."""
        for batch in self.batches:
            if payment_id.startswith(f"{batch.batch_id}-"):
                return batch, int(payment_id.removeprefix(f"{batch.batch_id}-").partition("-")[0]) - 1
        raise KeyError(payment_id)

    def platform_of(self, payment_id: str) -> str:
        """Of which platform a payment is, or the one with which its chain began."""
        return self.original(payment_id)[0].platform

    def _overpay(self) -> None:
        """One amount has a zero too many, as somebody typed it."""
        payment = next(self._playing(OVERPAID, set()))
        first, index = self.original(payment.payment_id)
        self._change(first, replace(first.order, overpaid=index))

    def _pay_both_ways(self) -> tuple[Payment, Payment]:
        """Somebody's card carries one subsidy, and the passbook another still (并行)."""
        card = self._short_named(_CARD_FIELD)
        book = next(book for batch in self.passbooks for book in own_payments(batch))
        host, index = self.original(book.payment_id)
        guest = Guest(index, Person(card.beneficiary_name, card.beneficiary_id))
        self._change(host, replace(host.order, guest=guest))
        return card, book

    def _repeat(self) -> Payment:
        """What somebody gets by card is paid by passbook once more: nobody told the other platform."""
        card = self._short_named(_REPEATED_FIELD)
        host = self.passbooks[PASSBOOK_FIELDS.index(_REPEATED_FIELD)]
        guest = None if host.order.guest is None else host.order.guest.index
        index = next(
            index
            for index in range(host.order.count)
            if index != guest and defect_of(host.order, index) is None
        )
        self._change(host, replace(host.order, repeat=Repeat(index, card)))
        return card

    def _short_named(self, field: int) -> Payment:
        """A payment to somebody's own card, with a name that every bank can write."""
        own = own_payments(self.cards[field - 1])
        return next(payment for payment in own if len(payment.beneficiary_name) <= _SHORT_NAME)

    def _change(self, host: FieldBatch, order: Order) -> None:
        changed = replace(host, order=order)
        self.batches = tuple(changed if batch is host else batch for batch in self.batches)

    @cached_property
    def overpaid(self) -> Payment:
        """The payment with a zero too many."""
        (found,) = [
            batch.payment(batch.order.overpaid) for batch in self.batches if batch.order.overpaid is not None
        ]
        return found

    @cached_property
    def repeated(self) -> Payment:
        """The payment by passbook that repeats one by card."""
        (found,) = [
            batch.payment(batch.order.repeat.index)
            for batch in self.passbooks
            if batch.order.repeat is not None
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
                reasons=REASONS,
                payments=tuple(named for name, named in chosen if name == bank.bank),
            )
            for bank in BANKS
        }
        return Setting(
            since=BEGINS,
            unbound=_UNBOUND,
            conducts=conducts,
            funded=_FUNDED,
            day_limits_minor=self._day_limits(),
        )

    def _day_limits(self) -> dict[tuple[str, str], int]:
        """About half of what a department has at one bank; never less than its largest payment."""
        batch = self.limited
        amounts: dict[str, list[int]] = {}
        for index in range(batch.order.count):
            payment = batch.payment(index)
            amounts.setdefault(payment.bank, []).append(payment.amount_minor)
        bank, found = max(amounts.items(), key=lambda item: (len(item[1]), item[0]))
        return {(batch.field.department, bank): max(max(found), (sum(found) + 1) // 2)}

    @property
    def limited(self) -> FieldBatch:
        """Of its payments at one bank not all may leave on one day."""
        return self.cards[_LIMITED_FIELD - 1]

    def _cast(self) -> Iterator[tuple[str, NamedPayment]]:
        """Bank and payment of each role; nobody plays two."""
        for payment in self._certain:
            yield payment.bank, NamedPayment(account=payment.account)
        # A repeat never reaches its bank.
        taken = {payment.account for payment in (*self._certain, self.repeated)}
        for role in ROLES:
            payment = next(self._playing(role, taken))
            taken.add(payment.account)
            yield payment.bank, role.named(payment.account)

    def _playing(self, role: Role, taken: set[str]) -> Iterator[Payment]:
        """Who could play a role: a small month may have too few payments of one programme."""
        return chain(self._fitting(role, taken), self._fitting(replace(role, programme=""), taken))

    def _from(self, field: int | None) -> Iterator[FieldBatch]:
        """All batches of cards, that of this field first, then those behind it; without one of passbooks."""
        if field is None:
            yield from self.passbooks
            return
        yield from self.cards[field - 1 :]
        yield from self.cards[: field - 1]

    def _fitting(self, role: Role, taken: set[str]) -> Iterator[Payment]:
        """In the role's own field, then in those behind it."""
        for batch in self._from(role.field):
            for index in range(batch.order.count):
                if defect_of(batch.order, index) is None:
                    payment = batch.payment(index)
                    if role.fits(payment) and payment.account not in taken:
                        yield payment


def own_payments(batch: FieldBatch) -> Iterator[Payment]:
    """Without a defect, to an account which is the beneficiary's own, no organisation's."""
    for index in range(batch.order.count):
        payment = batch.payment(index)
        own = payment.payee_kind is not PayeeKind.ORGANISATION and not payment.payee_name
        if own and defect_of(batch.order, index) is None:
            yield payment

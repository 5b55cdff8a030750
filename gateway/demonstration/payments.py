"""A batch of made-up payments over the plan's twelve fields, as a stream.

Every payment follows from the order's seed and its own number, so a batch of a million
takes no memory and the same order always gives the same batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from formats.records import AccountKind, Batch, PayeeKind, PayeeRole, Payment
from gateway.demonstration.draw import Draw
from gateway.demonstration.people import (
    BANKS,
    DemonstrationBank,
    Person,
    make_account,
    make_long_name,
    make_organisation,
    make_person,
    make_place,
)
from gateway.demonstration.plan import FIELDS, PLATFORM, Field, Frequency, Programme, period_of

PROVINCE = "山东省"
CITY = "泰安市"

_TWIN_EVERY = 50
"""One payment of so many goes to the same person as the one before it, same amount too."""
_ADULT_YEARS = 18


class Defect(StrEnum):
    """What is deliberately wrong with a payment."""

    NO_CARD = "no_card"
    BAD_ID = "bad_id"
    BAD_ACCOUNT = "bad_account"
    LONG_NAME = "long_name"


class Guest(Struct, frozen=True):
    """The payment of this index is somebody's whom another batch pays too."""

    index: int
    person: Person


class Repeat(Struct, frozen=True):
    """The payment of this index repeats one of another batch, by passbook."""

    index: int
    payment: Payment


class Order(Struct, frozen=True, kw_only=True):
    """What to generate. `defects` payments of the `count` are wrong on purpose.

    `name` says apart what else decides the content: `fields`, `banks`, `twins` and what follows them.
    """

    count: int
    seed: int = 1
    month: date = date(2026, 9, 1)
    banks: tuple[DemonstrationBank, ...] = BANKS
    defects: int = 0
    fields: tuple[Field, ...] = FIELDS
    twins: bool = True
    """Whether some are paid to the same person as the one before, same amount too."""
    name: str = ""
    overpaid: int | None = None
    """Index of a payment with a zero too many."""
    guest: Guest | None = None
    repeat: Repeat | None = None
    platform: str = PLATFORM
    passbooks_of_ten: int = 3
    """How many of ten payments to persons go to a passbook; organisations have no cards."""

    @property
    def batch_id(self) -> str:
        """Other content, other batch: every field that decides the content is in it."""
        named = f"-{self.name}" if self.name else ""
        return f"demo-{self.month:%Y%m}{named}-{self.seed}-{self.count}-{self.defects}"


class _Choice(Struct):
    """What is paid, by which bank; all that the envelope needs to know of a payment."""

    number: int
    draw: Draw
    field: Field
    programme: Programme
    bank: DemonstrationBank
    amount_minor: int


def make_payments(order: Order) -> Iterator[Payment]:
    """The payments of an order, one after the other."""
    for index in range(order.count):
        yield ordered_payment(order, index)


def ordered_payment(order: Order, index: int) -> Payment:
    """The payment of that index (from 0) as it stands in the batch, with its defect."""
    payment = make_payment(order, index)
    defect = defect_of(order, index)
    return payment if defect is None else _spoil(payment, defect, order, index)


def make_batch(order: Order) -> Batch:
    """The envelope, with the true count and total (fen) of all rows, good and bad."""
    return Batch(
        batch_id=order.batch_id,
        source_platform=order.platform,
        declared_count=order.count,
        declared_total_minor=sum(_amount_minor(order, index) for index in range(order.count)),
        summary="惠民补贴",
    )


def defect_of(order: Order, index: int) -> Defect | None:
    """What is wrong with the payment of that index (from 0); defects are spread evenly."""
    before, after = index * order.defects // order.count, (index + 1) * order.defects // order.count
    return tuple(Defect)[before % len(Defect)] if after > before else None


def make_payment(order: Order, index: int) -> Payment:
    """The payment of that index (from 0), without a defect."""
    choice = _choose(order, index)
    if order.repeat is not None and order.repeat.index == index:
        return _repeat(order, choice, order.repeat)
    programme, bank, draw = choice.programme, choice.bank, choice.draw
    organisation = programme.payee_kind is PayeeKind.ORGANISATION
    in_book = organisation or draw.below(10) < order.passbooks_of_ten
    kind = AccountKind.PASSBOOK if in_book else AccountKind.CARD
    if order.guest is not None and order.guest.index == index:
        person = order.guest.person
    elif organisation:
        person = make_organisation(order.seed, choice.number)
    else:
        person = make_person(order.seed, choice.number, programme.ages, order.month, bank)
    town, village = make_place(draw)
    payment = Payment(
        payment_id=f"{order.batch_id}-{index + 1:07d}",
        amount_minor=choice.amount_minor,
        bank=bank.bank,
        account=make_account(order.seed, choice.number, kind, bank),
        account_kind=kind,
        beneficiary_name=person.name,
        beneficiary_id=person.id_number,
        department=choice.field.department,
        programme=programme.name,
        period=_period(order.month, programme.frequency, before=choice.number != index),
        summary=programme.short,
        payee_kind=programme.payee_kind,
        bank_code=bank.code,
        bank_name=bank.title,
        province=PROVINCE,
        city=CITY,
        region=town,
        village=village,
    )
    if programme.payee_kind is PayeeKind.HOUSEHOLD:
        return _household(payment, order, choice)
    if kind is AccountKind.CARD and (programme.ages[1] < _ADULT_YEARS or "重度残疾" in programme.name):
        return _in_custody(payment, order, choice)
    return payment


def _repeat(order: Order, choice: _Choice, repeat: Repeat) -> Payment:
    """The same once more, to a passbook of the bank that was drawn."""
    bank = choice.bank
    return replace(
        repeat.payment,
        payment_id=f"{order.batch_id}-{repeat.index + 1:07d}",
        bank=bank.bank,
        account=make_account(order.seed, choice.number, AccountKind.PASSBOOK, bank),
        account_kind=AccountKind.PASSBOOK,
        bank_code=bank.code,
        bank_name=bank.title,
    )


def _amount_minor(order: Order, index: int) -> int:
    repeat = order.repeat
    if repeat is not None and repeat.index == index:
        return repeat.payment.amount_minor
    return _choose(order, index).amount_minor


def _choose(order: Order, index: int) -> _Choice:
    number = index - 1 if order.twins and index % _TWIN_EVERY == _TWIN_EVERY - 1 else index
    draw = Draw(order.seed, number, "payment")
    field = order.fields[draw.below(len(order.fields))]
    programme = field.programmes[draw.below(len(field.programmes))]
    bank = order.banks[draw.below(len(order.banks))]
    steps = (programme.high_minor - programme.low_minor) // programme.step_minor
    amount_minor = programme.low_minor + programme.step_minor * draw.below(steps + 1)
    if index == order.overpaid:
        amount_minor *= 10
    return _Choice(number, draw, field, programme, bank, amount_minor)


def _period(month: date, frequency: Frequency, *, before: bool) -> str:
    """A twin's period is the same one of the year before: no repeat within a period."""
    return period_of(frequency, month.year - 1 if before else month.year, month.month)


def _household(payment: Payment, order: Order, choice: _Choice) -> Payment:
    """To the head of the household, or to the account that the family names together."""
    # Another batch has other households.
    household = f"H{order.seed}-{choice.number + 1:09d}"
    share = choice.draw.below(10)
    if share < 6:
        return replace(payment, payee_role=PayeeRole.HOUSEHOLD_HEAD, household_id=household)
    payee = _relative(order, choice.number, choice.bank)
    if share < 9:
        return replace(
            payment,
            payee_role=PayeeRole.HOUSEHOLD_HEAD,
            household_id=household,
            payee_name=payee.name,
            payee_id=payee.id_number,
        )
    return replace(
        payment,
        payee_role=PayeeRole.HOUSEHOLD_DESIGNATED,
        designation_reference=f"{order.month:%Y}-ZD-{choice.number + 1:07d}",
        household_id=household,
        payee_name=payee.name,
        payee_id=payee.id_number,
    )


def _in_custody(payment: Payment, order: Order, choice: _Choice) -> Payment:
    """The card is kept by a lawful custodian; the account stays the beneficiary's."""
    if choice.draw.one_in(3):
        return payment
    custodian = _relative(order, choice.number, choice.bank)
    ground = "重度残疾人监护" if "重度残疾" in payment.programme else "未成年人法定监护"
    return replace(
        payment,
        custodian_name=custodian.name,
        custodian_id=custodian.id_number,
        custody_ground=ground,
    )


def _relative(order: Order, number: int, bank: DemonstrationBank) -> Person:
    return make_person(order.seed + 1_000_000_007, number, (30, 60), order.month, bank)


def _spoil(payment: Payment, defect: Defect, order: Order, index: int) -> Payment:
    if defect is Defect.NO_CARD:
        return replace(payment, account="")
    if defect is Defect.BAD_ID:
        return replace(payment, beneficiary_id=_wrong_check(payment.beneficiary_id))
    if defect is Defect.BAD_ACCOUNT:
        bank = next(bank for bank in order.banks if bank.bank == payment.bank)
        account = make_account(order.seed, index, AccountKind.CARD, bank)
        return replace(payment, account=_wrong_check(account), account_kind=AccountKind.CARD)
    return _too_long(payment, order, index)


def _too_long(payment: Payment, order: Order, index: int) -> Payment:
    """Moved to the bank with the narrowest field, where such names are met first."""
    bank = min(order.banks, key=lambda candidate: candidate.name_width_bytes)
    name = make_long_name(Draw(order.seed, index, "long"), bank)
    own = not payment.payee_name
    return replace(
        payment,
        bank=bank.bank,
        bank_code=bank.code,
        bank_name=bank.title,
        account=make_account(order.seed, index, payment.account_kind, bank),
        beneficiary_name=name if own else payment.beneficiary_name,
        payee_name="" if own else name,
    )


def _wrong_check(number: str) -> str:
    return number[:-1] + ("1" if number[-1] != "1" else "2")

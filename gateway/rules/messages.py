"""Messages for the free SMS sender, and entries of a person's statement booklet (对账簿).

Plan, section 五(二): people are told of each payment. Whom and how to reach is the platform's
business: it joins telephone numbers by `payment_id`. Neither a full ID nor a full account is in
them, and a message names nobody: it goes to the person whom it is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from itertools import islice

from msgspec import Struct

from formats import Outcome, Reason, Status
from formats.masking import mask_account, mask_published_id
from gateway.installation import Installation
from gateway.ledger.intake import BatchRow
from gateway.ledger.messages import keys_of_outcomes
from gateway.ledger.outcomes import outcomes
from gateway.ledger.people import PlacedPayment, payments_by_key, payments_of_batch
from gateway.ledger.statements import booked_days
from gateway.local_time import LOCAL
from gateway.money import yuan
from gateway.rules.people import Person, with_people

_ENDING_DIGITS = 4
_TOLD = (Status.CREDITED, Status.RETURNED, Status.DISCREPANT)
_DIRECTIONS: dict[str, str] = {Status.RETURNED: "credit"}
"""How a statement books what made the payment so, where it is no debit of the payer."""
_READ_TOGETHER = 1000
_ARRIVED_OTHERWISE = (Reason.AMOUNT_DIFFERS, Reason.PAID_SHORT)
"""Discrepant, but what was credited is on the instructed account."""


class DayOf(StrEnum):
    """What a day is, best first: banks do not all say on which day they credited."""

    VALUE = "value"
    """The bank's result says so."""
    BOOKING = "booking"
    """The bank's statement booked it then."""
    REPORT = "report"
    """Nobody says so: the bank's report was taken then, by the district's time."""


class Message(Struct, frozen=True, kw_only=True):
    """One thing to tell somebody. `cursor` is the outcome's: ask for `messages(since=cursor)`."""

    cursor: int
    payment_id: str
    source_platform: str
    programme: str
    period: str
    amount_minor: int
    bank: str
    account_ending: str
    day: date
    day_of: DayOf
    credited_minor: int
    """Not `amount_minor` where the bank credited another amount; of a return what was credited."""
    text: str
    """Chinese, as it is sent."""


class BookletEntry(Struct, frozen=True, kw_only=True):
    """One line of somebody's booklet; `person` is the masked ID, the same for all of a person's lines."""

    payment_id: str
    source_platform: str
    person: str
    programme: str
    period: str
    amount_minor: int
    credited_minor: int
    returned: bool
    bank: str
    account_ending: str
    day: date
    day_of: DayOf
    in_question: bool
    """The bank credited another amount, and that is being looked into."""


def messages(installation: Installation, since: int = 0) -> Iterator[Message]:
    """A message for each credit and each return that became known after the cursor, in that order.

    Also where another amount was credited: what arrived, and that it is being looked into. A credit that
    is stated again is told once: only where the payment was not credited before.
    """
    names = {bank: profile.name for bank, profile in installation.configuration.profiles.items()}
    block: list[Outcome] = []
    with installation.ledger.read() as transaction:
        for outcome in outcomes(transaction, since=since, statuses=_TOLD):
            if not _is_told(outcome.status, outcome.reason, _arrived(outcome)):
                continue
            block.append(outcome)
            if len(block) == _READ_TOGETHER:
                yield from _block(installation, block, names)
                block = []
        yield from _block(installation, block, names)


def booklet(installation: Installation, batch: BatchRow) -> Iterator[BookletEntry]:
    """The lines that a batch adds to booklets: what was credited, also in question, and what came back."""
    with installation.ledger.read() as transaction:
        payments = (
            payment
            for payment in payments_of_batch(transaction, batch.batch_pk)
            if _is_told(payment.state, payment.reason, _arrived(payment))
        )
        while block := list(islice(payments, _READ_TOGETHER)):
            booked = booked_days(transaction, [payment.payment_pk for payment in block])
            for payment, person in with_people(installation, block, ("beneficiary_id", "account")):
                said = None if payment.value_date is None else date.fromisoformat(payment.value_date)
                recorded_at = datetime.fromisoformat(payment.recorded_at or "")
                direction = _DIRECTIONS.get(payment.state, "debit")
                day, day_of = _day(said, booked.get((payment.payment_pk, direction)), recorded_at)
                yield _entry(payment, person, day, day_of)


def _entry(payment: PlacedPayment, person: Person, day: date, day_of: DayOf) -> BookletEntry:
    return BookletEntry(
        payment_id=payment.payment_id,
        source_platform=payment.source_platform,
        person=mask_published_id(person.get("beneficiary_id", "")),
        programme=payment.programme,
        period=payment.period,
        amount_minor=payment.amount_minor,
        credited_minor=payment.credited_minor or 0,
        returned=payment.state == Status.RETURNED,
        bank=payment.bank,
        account_ending=_ending(person.get("account", "")),
        day=day,
        day_of=day_of,
        in_question=payment.reason == Reason.AMOUNT_DIFFERS,
    )


def _block(installation: Installation, block: list[Outcome], names: dict[str, str]) -> Iterator[Message]:
    with installation.ledger.read() as transaction:
        keys = keys_of_outcomes(transaction, [outcome.cursor for outcome in block])
        wanted = {key for key, _ in keys.values()}
        booked = booked_days(transaction, wanted)
        placed = payments_by_key(transaction, wanted)
        found = {
            payment.payment_pk: (payment, person)
            for payment, person in with_people(installation, placed, ("account",))
        }
    for outcome in block:
        key, before = keys[outcome.cursor]
        if before == outcome.status:
            continue
        payment, person = found[key]
        ending = _ending(person.get("account", ""))
        direction = _DIRECTIONS.get(outcome.status, "debit")
        day, day_of = _day(outcome.value_date, booked.get((key, direction)), outcome.recorded_at)
        yield Message(
            cursor=outcome.cursor,
            payment_id=outcome.payment_id,
            source_platform=outcome.source_platform,
            programme=payment.programme,
            period=payment.period,
            amount_minor=outcome.amount_minor,
            bank=payment.bank,
            account_ending=ending,
            day=day,
            day_of=day_of,
            credited_minor=outcome.credited_minor or 0,
            text=_text(outcome, payment, names.get(payment.bank, ""), ending, _in_words(day, day_of)),
        )


def _is_told(status: str, reason: str, arrived_minor: int) -> bool:
    """Whether the person is told: money arrived, or came back."""
    if status == Status.DISCREPANT:
        return reason in _ARRIVED_OTHERWISE and arrived_minor > 0
    return status in (Status.CREDITED, Status.RETURNED)


def _arrived(one: Outcome | PlacedPayment) -> int:
    """Minor units on the account."""
    return (one.credited_minor or 0) - (one.returned_minor or 0)


def _day(said: date | None, booked: date | None, recorded_at: datetime) -> tuple[date, DayOf]:
    """The best day there is, and what it is."""
    if said is not None:
        return said, DayOf.VALUE
    if booked is not None:
        return booked, DayOf.BOOKING
    return recorded_at.astimezone(LOCAL).date(), DayOf.REPORT


def _in_words(day: date, day_of: DayOf) -> str:
    when = f"{day:%Y年%m月%d日}"
    return f"(银行{when}回报)" if day_of is DayOf.REPORT else f"于{when}"


def _text(outcome: Outcome, payment: PlacedPayment, bank: str, ending: str, day: str) -> str:
    account = f"{bank}尾号{ending}账户" if ending else f"{bank}账户"
    about = f"{payment.programme}({payment.period}){yuan(outcome.amount_minor)}元"
    if outcome.status is Status.RETURNED:
        return f"您的{about}未能存入{account},已退回,发放部门将重新核实。如有疑问请向发放部门咨询。"
    if outcome.status is Status.DISCREPANT:
        arrived = yuan(_arrived(outcome))
        return f"您的{about},已{day}存入{account}{arrived}元,金额不符,发放部门正在核实。"
    return f"您的{about}已{day}存入{account}。"


def _ending(account: str) -> str:
    return mask_account(account)[-_ENDING_DIGITS:].strip("*")

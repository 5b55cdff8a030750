"""Messages for the free SMS sender, and entries of a person's statement booklet (对账簿).

Plan, section 五(二): people are told of each payment. Whom and how to reach is the platform's
business: it joins telephone numbers by `payment_id`. Neither a full ID nor a full account is in
them, and a message names nobody: it goes to the person whom it is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from msgspec import Struct

from formats import Outcome, Status
from formats.masking import mask_account, mask_published_id
from gateway.installation import Installation
from gateway.ledger.intake import BatchRow
from gateway.ledger.messages import keys_of_outcomes
from gateway.ledger.outcomes import outcomes
from gateway.ledger.people import payments_by_key, payments_of_batch
from gateway.money import yuan
from gateway.rules.people import with_people

_ENDING_DIGITS = 4
_READ_TOGETHER = 1000


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
    day: date | None
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
    day: str


def messages(installation: Installation, since: int = 0) -> Iterator[Message]:
    """A message for each credit and each return that became known after the cursor, in that order.

    A credit that is stated again is told once: only where the payment was not credited before.
    """
    names = {bank: profile.name for bank, profile in installation.configuration.profiles.items()}
    block: list[Outcome] = []
    with installation.ledger.read() as transaction:
        for outcome in outcomes(transaction, since=since, statuses=(Status.CREDITED, Status.RETURNED)):
            block.append(outcome)
            if len(block) == _READ_TOGETHER:
                yield from _block(installation, block, names)
                block = []
        yield from _block(installation, block, names)


def booklet(installation: Installation, batch: BatchRow) -> Iterator[BookletEntry]:
    """The lines that a batch adds to booklets: what was credited, and what of it came back."""
    with installation.ledger.read() as transaction:
        payments = (
            payment
            for payment in payments_of_batch(transaction, batch.batch_pk)
            if payment.state in (Status.CREDITED, Status.RETURNED)
        )
        for payment, person in with_people(installation, payments, ("beneficiary_id", "account")):
            yield BookletEntry(
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
                day=payment.value_date or "",
            )


def _block(installation: Installation, block: list[Outcome], names: dict[str, str]) -> Iterator[Message]:
    with installation.ledger.read() as transaction:
        keys = keys_of_outcomes(transaction, [outcome.cursor for outcome in block])
        placed = payments_by_key(transaction, {key for key, _ in keys.values()})
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
        yield Message(
            cursor=outcome.cursor,
            payment_id=outcome.payment_id,
            source_platform=outcome.source_platform,
            programme=payment.programme,
            period=payment.period,
            amount_minor=outcome.amount_minor,
            bank=payment.bank,
            account_ending=ending,
            day=outcome.value_date,
            text=_text(outcome, payment.programme, payment.period, names.get(payment.bank, ""), ending),
        )


def _text(outcome: Outcome, programme: str, period: str, bank: str, ending: str) -> str:
    account = f"{bank}尾号{ending}账户" if ending else f"{bank}账户"
    about = f"{programme}({period}){yuan(outcome.amount_minor)}元"
    if outcome.status is Status.RETURNED:
        return f"您的{about}未能存入{account},已退回,发放部门将重新核实。如有疑问请向发放部门咨询。"
    day = "" if outcome.value_date is None else f"于{outcome.value_date:%Y年%m月%d日}"
    return f"您的{about}已{day}存入{account}。"


def _ending(account: str) -> str:
    return mask_account(account)[-_ENDING_DIGITS:].strip("*")

"""Failed payments are paid again: a new batch of them, from what was stored and what was verified.

Plan, section 四(五): a failed payment is verified again by its department and paid again, in full.
Each new payment names the one that it replaces and carries who verified it, when and on what ground;
whether it may replace that one is looked at here, once more when the batch is taken, and once more
when it is about to leave (`ledger_reissues`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from formats import AccountKind, Batch, Payment, Problem, Severity
from formats.masking import mask_account
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.intake import batch_by_key, is_hidden
from gateway.ledger.outcomes import first_told_at
from gateway.ledger.payments import find_payment
from gateway.ledger.people import PlacedPayment, payments_by_key
from gateway.ledger.reissues import missing_minor, reissue_obstacle
from gateway.money import yuan
from gateway.rules.corrections import CARD_ENDING, ENDING_WANTED, Correction, is_ending, problem, repeated
from gateway.rules.known_cards import KnownCards, holds_own_account
from gateway.rules.people import Person, with_people
from gateway.rules.verifications import verified_ground

_NUMBERED = re.compile(r"(.*)-R([0-9]{1,3})")
_LONGEST_ID = 64
_NOT_COPIED = frozenset(
    {"payment_id", "amount_minor", "department", "programme", "period", "reissue_of", "reissue_ground"}
)
_COPIED = tuple(field.name for field in msgspec.structs.fields(Payment) if field.name not in _NOT_COPIED)
_OF_BANK = ("bank_code", "bank_name", "province", "city", "region")
_OF_ACCOUNT = ("bank", "account", "account_kind", "social_card_number")
SUMMARY = "补发"
CARD_RULE = "known-card"
LIST = "卡折对照清单"


class Reissue(Struct, frozen=True, kw_only=True):
    """A batch that is not handed over yet, and the corrections that came to nothing, with their rules.

    `hints` stop nothing: a card list names another card than the one that a payment goes to.
    """

    batch: Batch
    payments: list[Payment]
    refused: list[Problem]
    hints: list[Problem] = []


def make_reissue(
    installation: Installation, corrections: Sequence[Correction], platform: str, batch_id: str
) -> Reissue:
    """A batch of new payments for what may be paid again; nothing is stored."""
    refused = list(repeated(corrections))
    twice = {one.payment_id for one in refused}
    fit: dict[int, tuple[Correction, int]] = {}
    payments: list[Payment] = []
    hints: list[Problem] = []
    taken: set[str] = set()
    # East of here it may be tomorrow already.
    latest = (installation.clock.now() + timedelta(hours=14)).date()
    with ExitStack() as cleanup:
        transaction = cleanup.enter_context(installation.ledger.read())
        for one in corrections:
            if one.payment_id in twice:
                continue
            found = _fit(transaction, one, platform, latest)
            if isinstance(found, Problem):
                refused.append(found)
            else:
                fit[found[0]] = one, found[1]
        known = cleanup.enter_context(KnownCards(installation))
        for placed, person in with_people(installation, payments_by_key(transaction, fit), _COPIED):
            one, amount_minor = fit[placed.payment_pk]
            if any(map(is_hidden, (placed.department, placed.programme, placed.period))):
                found_words = (
                    "its department, programme or period was none that is known, and is kept unreadable"
                )
                wanted = "a payment of your own, with the right ones, that names it in reissue_of"
                refused.append(problem(one.line, one.payment_id, found_words, wanted))
            elif not person:
                wanted = "a payment of your own that names it in reissue_of"
                refused.append(problem(one.line, one.payment_id, "its personal data is destroyed", wanted))
            else:
                row = _row(placed, person, one)
                goes = _to_known_card(known, row, one) if one.card_ending else row
                if isinstance(goes, Problem):
                    refused.append(goes)
                    continue
                hints += _other_card(known, goes, one)
                new_id = _new_id(transaction, placed.payment_id, platform, taken)
                taken.add(new_id)
                payments.append(_payment(placed, goes, one, amount_minor, new_id))
    order = {one.payment_id: place for place, one in enumerate(corrections)}
    payments.sort(key=lambda payment: order[payment.reissue_of])
    batch = Batch(
        batch_id=batch_id,
        source_platform=platform,
        declared_count=len(payments),
        declared_total_minor=sum(payment.amount_minor for payment in payments),
        summary=SUMMARY,
    )
    return Reissue(batch=batch, payments=payments, refused=refused, hints=hints)


def _fit(transaction: Transaction, one: Correction, platform: str, latest: date) -> tuple[int, int] | Problem:
    """(payment, minor units to pay), or why it is not paid again. Nobody verifies after day `latest`."""
    found = find_payment(transaction, one.payment_id, platform)
    if not found:
        others = [
            batch_by_key(transaction, other.batch_pk).source_platform
            for other in find_payment(transaction, one.payment_id)
        ]
        told = f"is a payment of {', '.join(sorted(others))}" if others else "there is no such payment"
        return problem(one.line, one.payment_id, told, f"a payment of {platform}", "reissue")
    (payment,) = found
    owed_minor = missing_minor(transaction, payment)
    if one.amount_minor not in (None, owed_minor):
        wanted = f"exactly {yuan(owed_minor)} yuan"
        return problem(
            one.line, one.payment_id, f"{yuan(one.amount_minor or 0)} yuan", wanted, "reissue-amount"
        )
    obstacle = reissue_obstacle(transaction, payment, owed_minor)
    if obstacle:
        wanted = "a payment that was set aside, failed or returned, and that no other replaces"
        return problem(one.line, one.payment_id, obstacle, wanted, "reissue")
    told_on = first_told_at(transaction, payment.payment_pk).date()
    if not told_on <= one.verified_on <= latest:
        return problem(
            one.line,
            one.payment_id,
            f"verified on {one.verified_on}",
            f"a day from {told_on}, when its first outcome came, until {latest}",
        )
    return payment.payment_pk, owed_minor


def _row(placed: PlacedPayment, person: Person, one: Correction) -> dict[str, str]:
    """What is stored of the payment, with what was found otherwise."""
    stored = {name: person.get(name, "") for name in _COPIED}
    # A sealed row has the holder of the account always; the standard batch only where it is another.
    if stored["payee_name"] == stored["beneficiary_name"]:
        stored["payee_name"] = ""
    if one.changes.get("bank", placed.bank) != placed.bank:
        # They name the bank that the account was with.
        stored |= dict.fromkeys(_OF_BANK, "")
    return stored | one.changes


def _to_known_card(known: KnownCards, row: dict[str, str], one: Correction) -> dict[str, str] | Problem:
    """The row with the beneficiary's card that a list names, where it ends as whoever verified it read."""
    if said := [name for name in _OF_ACCOUNT if one.changes.get(name)]:
        found, wanted = f"{CARD_ENDING} beside {', '.join(said)}", "an account, or how the known card ends"
    elif not is_ending(one.card_ending):
        found, wanted = f"{CARD_ENDING} is unreadable", ENDING_WANTED
    elif not holds_own_account(row):
        found, wanted = "the account is not the beneficiary's own", "that account, in full"
    elif (card := known.of(row["beneficiary_id"])) is None:
        found, wanted = "no card list names a card of the beneficiary, or they say two things", "the account"
    elif not known.is_named(card, row["beneficiary_name"]):
        found, wanted = f"{card.card_list} names the beneficiary otherwise", "the account, in full"
    else:
        account = known.account_of(card)
        if account.account.endswith(one.card_ending):
            moved = dict.fromkeys(_OF_BANK, "") if row["bank"] != account.bank else {}
            return (
                row
                | moved
                | {
                    "bank": account.bank,
                    "account": account.account,
                    "account_kind": AccountKind.CARD,
                    "social_card_number": account.social_card_number or row["social_card_number"],
                    "reissue_ground": f";{LIST} {card.card_list}",
                }
            )
        found = f"{card.card_list} of {card.drawn_on} names a card that ends otherwise"
        wanted = "the account in full, where the card in the beneficiary's hand is another one"
    return problem(one.line, one.payment_id, found, wanted, CARD_RULE)


def _other_card(known: KnownCards, row: dict[str, str], one: Correction) -> Iterator[Problem]:
    """A list names a card, and the payment goes elsewhere: whoever verified it should know of that."""
    if not holds_own_account(row) or (card := known.of(row["beneficiary_id"])) is None:
        return
    if not known.is_card(card, row["bank"], row["account"]):
        found = f"goes to {mask_account(row['account']) or 'no account'} at {row['bank']}"
        told = f"{card.card_list} of {card.drawn_on} names the card {card.masked} at {card.bank}"
        yield replace(
            problem(one.line, one.payment_id, f"{found}; {told}", "the account that was verified", CARD_RULE),
            severity=Severity.WARNS,
        )


def _payment(
    placed: PlacedPayment, row: dict[str, str], one: Correction, amount_minor: int, payment_id: str
) -> Payment:
    # Of a known card also which list named it.
    ground = one.ground + row.get("reissue_ground", "")
    return msgspec.convert(
        {
            **row,
            "payment_id": payment_id,
            "amount_minor": amount_minor,
            "department": placed.department,
            "programme": placed.programme,
            "period": placed.period,
            "reissue_of": placed.payment_id,
            "reissue_ground": verified_ground(ground, one.verified_by, one.verified_on),
        },
        type=Payment,
    )


def _new_id(transaction: Transaction, payment_id: str, platform: str, taken: set[str]) -> str:
    """The first free one of `ID-R1`, `ID-R2`, ..."""
    numbered = _NUMBERED.fullmatch(payment_id)
    stem, number = (numbered[1], int(numbered[2])) if numbered else (payment_id, 0)
    while True:
        number += 1
        ending = f"-R{number}"
        made = stem[: _LONGEST_ID - len(ending)] + ending
        if made not in taken and not find_payment(transaction, made, platform):
            return made

"""Who verified a failed payment before it was paid again, when, on what ground, and what was corrected.

Plan, section 四(五): failed payments are verified again (重新核实) and paid again. What was verified is kept
sealed with the new payment; here it is read for those who may see it masked: of names the first
character, of accounts the last four, of IDs the first and last three. The office that verified is no
person's name: it is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

from msgspec import Struct

from formats.masking import mask_account, mask_id, mask_name
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.intake import is_hidden
from gateway.ledger.people import PlacedPayment, payments_by_key
from gateway.ledger.reissues import links_of
from gateway.rules.corrections import CORRECTABLE, read_day
from gateway.rules.people import Person, with_people
from gateway.wording import masked_official, masked_words

_GROUND = re.compile(r"(.*);核实人(.*?);([^;]{10})", re.DOTALL)
"""How `verified_ground` writes it."""


def _as_it_is(text: str) -> str:
    return text


_MASKS: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("account", "social_card_number"), mask_account),
    **dict.fromkeys(("beneficiary_name", "payee_name", "custodian_name"), mask_name),
    **dict.fromkeys(("beneficiary_id", "payee_id", "custodian_id"), mask_id),
    **dict.fromkeys(("payee_ground", "designation_reference", "custody_ground"), masked_words),
    **dict.fromkeys(("bank", "account_kind", "bank_code", "bank_name", "payee_role"), _as_it_is),
}
"""How each attribute that verification may correct is shown."""
_NAMES = tuple(name for name, mask in _MASKS.items() if mask is mask_name)


class Corrected(Struct, frozen=True):
    """One attribute of `Payment` that is another than before; both values masked, "" for none."""

    attribute: str
    before: str
    after: str


class Verification(Struct, frozen=True, kw_only=True):
    """What a department found before `payment_id` was to replace `replaces`; masked.

    `verified_by` and `verified_on` are "" and None where the ground does not say them in the form of
    a batch that was made here. Where personal data is destroyed nothing of all that is known.
    """

    payment_id: str
    replaces: str
    verified_by: str = ""
    verified_on: date | None = None
    ground: str = ""
    corrected: list[Corrected] = []
    is_destroyed: bool = False


def verified_ground(ground: str, verified_by: str, verified_on: date) -> str:
    """The text that goes with a payment: on what ground, by whom, when."""
    return f"{ground};核实人{verified_by};{verified_on.isoformat()}"


def verifications(
    installation: Installation, transaction: Transaction, payment_pk: int
) -> list[Verification]:
    """What was verified for each payment of the chain that replaces another, the oldest first.

    Raises `IntegrityError` where a sealed row is not the payment's.
    """
    links = links_of(transaction, payment_pk)
    placed = payments_by_key(transaction, {key for link in links for key in link})
    found = {
        payment.payment_pk: (payment, person)
        for payment, person in with_people(installation, placed, (*CORRECTABLE, "reissue_ground"))
    }
    offices = {department for department, _bank in installation.configuration.agreements}
    return [
        _verification(*found[predecessor], *found[successor], offices) for successor, predecessor in links
    ]


def _verification(
    old: PlacedPayment, before: Person, new: PlacedPayment, after: Person, offices: set[str]
) -> Verification:
    if not before or not after:
        return Verification(payment_id=new.payment_id, replaces=old.payment_id, is_destroyed=True)
    text = after.get("reissue_ground", "")
    ground, verified_by, day = read_ground(text)
    names = [row.get(name, "") for row in (before, after) for name in _NAMES]
    return Verification(
        payment_id=new.payment_id,
        replaces=old.payment_id,
        verified_by=_who(verified_by, names, {*offices, *map(_department, (old, new))}),
        verified_on=day,
        ground=masked_words(ground, (*names, verified_by)),
        corrected=list(_corrected(_told(old, before), _told(new, after))),
    )


def _department(payment: PlacedPayment) -> str:
    return "" if is_hidden(payment.department) else payment.department


def _who(verified_by: str, names: list[str], offices: set[str]) -> str:
    """The office in clear; a text with a name of the payment in it is no office."""
    if any(name and name in verified_by for name in names):
        return mask_name(verified_by)
    return masked_official(verified_by, offices)


def read_ground(text: str) -> tuple[str, str, date | None]:
    """Ground, by whom, when; of a text of another form the whole is the ground."""
    told = _GROUND.fullmatch(text)
    day = None if told is None else read_day(told[3])
    return (text, "", None) if told is None or day is None else (told[1], told[2], day)


def _told(payment: PlacedPayment, person: Person) -> Person:
    """What is compared: of the account's holder only one who is not the beneficiary."""
    row = person | {"bank": payment.bank, "account_kind": payment.account_kind}
    if row.get("payee_name") == row.get("beneficiary_name"):
        row["payee_name"] = ""
    return row


def _corrected(before: Person, after: Person) -> Iterator[Corrected]:
    for name in CORRECTABLE:
        old, new = before.get(name, ""), after.get(name, "")
        if old != new:
            yield Corrected(name, _MASKS[name](old), _MASKS[name](new))

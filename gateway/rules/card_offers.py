"""Where a known card would serve: who is still paid by passbook, and what did not arrive on an account.

Plan, section 四(四): card and passbook side by side, then the card alone; 四(五): what failed is verified and
paid again. Nothing is paid by these lists: departments move people in their next batch, and whoever verifies
a failed payment says to which account it goes (`reissue`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

from msgspec import Struct

from formats import Reason
from formats.masking import mask_account, mask_id, mask_name
from gateway.errors import Unknown
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.people import PlacedPayment, payments_by_key, payments_with_reasons
from gateway.ledger.shares import subjects_paid
from gateway.rules.known_cards import OWN_COLUMNS, KnownCard, KnownCards, holds_own_account
from gateway.rules.people import Person, with_people

_WANTED = ("account", "village", *OWN_COLUMNS)
_CURRENCY = "CNY"
ABOUT_THE_ACCOUNT = (
    *(Reason.NO_CARD, Reason.INVALID_ACCOUNT, Reason.UNKNOWN_BANK, Reason.ACCOUNT_NOT_FOUND),
    *(Reason.NAME_MISMATCH, Reason.ID_MISMATCH, Reason.ACCOUNT_CLOSED, Reason.ACCOUNT_FROZEN),
    *(Reason.ACCOUNT_RESTRICTED, Reason.NOT_ACTIVATED, Reason.DORMANT, Reason.CARD_LOST),
    *(Reason.WRONG_ACCOUNT_TYPE, Reason.BANK_MISMATCH, Reason.RETURNED),
)
"""Reasons that another account of the same person may answer."""


class Remark(StrEnum):
    """What somebody should look at before the card is used."""

    NONE = ""
    OTHER_NAME = "other_name"
    """The list calls whoever has the ID otherwise than the payment does."""
    NOT_ENTRUSTED = "not_entrusted"
    """No agreement of the department entrusts the programme to the card's bank today."""


class CardOffer(Struct, frozen=True, kw_only=True):
    """One payment and the card that a list names of its beneficiary; masked, findable by `payment_id`.

    `bank` and `account` are where it was paid to, or was to be.
    """

    payment_id: str
    source_platform: str
    batch_id: str
    department: str
    programme: str
    period: str
    amount_minor: int
    state: str
    reason: str
    name: str
    id_number: str
    bank: str
    account: str
    village: str
    card_bank: str
    card: str
    card_list: str
    drawn_on: date
    remarks: list[Remark]


def movable(installation: Installation, department: str = "") -> Iterator[CardOffer]:
    """The newest passbook payment of each person, department and programme where the card is known.

    Whoever was paid by card since, for the same, has moved already. Raises `Unknown` where no list counts.
    """
    with KnownCards(installation) as known, known.table.read() as transaction:
        _require_list(known)
        roads = _roads(installation, transaction, department)
        keys = known.table.paid_by_passbook(transaction, roads)
        yield from _offers(installation, known, payments_by_key(transaction, keys))


def card_offers(
    installation: Installation, batch_pk: int | None = None, bank: str | None = None
) -> Iterator[CardOffer]:
    """What did not arrive for a reason of its account, is not paid again yet, and a known card might serve.

    Not where the known card is the account that did not serve. Raises `Unknown` where no list counts.
    """
    with KnownCards(installation) as known, known.table.read() as transaction:
        _require_list(known)
        payments = payments_with_reasons(transaction, ABOUT_THE_ACCOUNT, batch_pk, bank)
        yield from _offers(installation, known, payments)


def _require_list(known: KnownCards) -> None:
    if not known.any:
        raise Unknown(
            "no card list counts",
            hint="a platform's list is brought in by `bankgate cards take LIST`; `bankgate cards list` shows"
            " those that were",
        )


def _roads(installation: Installation, transaction: Transaction, department: str) -> list[tuple[int, int]]:
    """(subject, number of its department and programme, however that is spelled)."""
    catalogue = installation.configuration.catalogue
    numbers: dict[tuple[str, str], int] = {}
    roads = []
    for subject_pk, its_department, programme in subjects_paid(transaction):
        if department in ("", its_department):
            found = None if catalogue is None else catalogue.find(programme)
            road = its_department, programme if found is None else found.name
            roads.append((subject_pk, numbers.setdefault(road, len(numbers))))
    return roads


def _offers(
    installation: Installation, known: KnownCards, payments: Iterator[PlacedPayment]
) -> Iterator[CardOffer]:
    entrusted: dict[tuple[str, str, str], bool] = {}
    for payment, person in with_people(installation, payments, _WANTED):
        if not person or not holds_own_account(person):
            continue
        card = known.of(person["beneficiary_id"])
        if card is None or known.is_card(card, payment.bank, person["account"]):
            continue
        road = card.bank, payment.department, payment.programme
        if road not in entrusted:
            entrusted[road] = _is_entrusted(installation, *road)
        remarks = [] if known.is_named(card, person["beneficiary_name"]) else [Remark.OTHER_NAME]
        yield _offer(payment, person, card, remarks + [Remark.NOT_ENTRUSTED] * (not entrusted[road]))


def _is_entrusted(installation: Installation, bank: str, department: str, programme: str) -> bool:
    """By any platform: it is the other one, as a rule, that pays by card."""
    now = installation.clock.now()
    return any(
        installation.agreement(bank, department, programme, platform, _CURRENCY, now) is not None
        for platform in installation.configuration.platforms
    )


def _offer(payment: PlacedPayment, person: Person, card: KnownCard, remarks: list[Remark]) -> CardOffer:
    return CardOffer(
        payment_id=payment.payment_id,
        source_platform=payment.source_platform,
        batch_id=payment.batch_id,
        department=payment.department,
        programme=payment.programme,
        period=payment.period,
        amount_minor=payment.amount_minor,
        state=payment.state,
        reason=payment.reason,
        name=mask_name(person["beneficiary_name"]),
        id_number=mask_id(person["beneficiary_id"]),
        bank=payment.bank,
        account=mask_account(person["account"]),
        village=person["village"],
        card_bank=card.bank,
        card=card.masked,
        card_list=card.card_list,
        drawn_on=card.drawn_on,
        remarks=remarks,
    )

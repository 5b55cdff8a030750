"""Lists that somebody works through: people without a card, accounts to activate, cards that moved.

Plan, section 四(三): who has no card is marked and fed back, and the bank leads people to activate
their accounts; 五(四): people may change their bank.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from formats import Reason
from formats.masking import mask_account, mask_id, mask_name
from gateway.installation import Installation
from gateway.ledger.people import payments_with_reasons
from gateway.rules.people import with_people

_WANTED = ("beneficiary_name", "beneficiary_id", "account", "village")


class WorkList(StrEnum):
    """For whom: the card office, each bank, whoever matches people with their cards."""

    NO_CARD = "no-card"
    NOT_ACTIVATED = "not-activated"
    CHANGED_BANK = "changed-bank"


REASONS: dict[WorkList, tuple[Reason, ...]] = {
    WorkList.NO_CARD: (Reason.NO_CARD,),
    WorkList.NOT_ACTIVATED: (Reason.NOT_ACTIVATED, Reason.DORMANT),
    WorkList.CHANGED_BANK: (Reason.BANK_MISMATCH,),
}


class ListedPerson(Struct, frozen=True, kw_only=True):
    """One payment that waits for somebody; masked, and findable by `payment_id` at the platform.

    `file_name` and `item` let the bank find its own answer.
    """

    payment_id: str
    source_platform: str
    batch_id: str
    bank: str
    department: str
    programme: str
    period: str
    amount_minor: int
    reason: Reason
    name: str
    id_number: str
    account: str
    village: str
    file_name: str
    item: int | None


def work_list(
    installation: Installation, kind: WorkList, batch_pk: int | None = None, bank: str | None = None
) -> Iterator[ListedPerson]:
    """The payments of the list that no live reissue replaces; by batch and bank."""
    with installation.ledger.read() as transaction:
        payments = payments_with_reasons(transaction, REASONS[kind], batch_pk, bank)
        for payment, person in with_people(installation, payments, _WANTED):
            yield ListedPerson(
                payment_id=payment.payment_id,
                source_platform=payment.source_platform,
                batch_id=payment.batch_id,
                bank=payment.bank,
                department=payment.department,
                programme=payment.programme,
                period=payment.period,
                amount_minor=payment.amount_minor,
                reason=Reason(payment.reason),
                name=mask_name(person.get("beneficiary_name", "")),
                id_number=mask_id(person.get("beneficiary_id", "")),
                account=mask_account(person.get("account", "")),
                village=person.get("village", ""),
                file_name=payment.file_name,
                item=payment.item,
            )

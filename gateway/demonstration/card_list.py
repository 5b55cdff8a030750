"""Which card the passbook platform knows of whom in the demonstrated month: most people have one."""

from __future__ import annotations

from collections.abc import Iterator

from formats.records import AccountKind, Payment
from gateway.demonstration.days import MONTH, YEAR
from gateway.demonstration.month import Month, own_payments
from gateway.demonstration.people import BANKS, make_account
from gateway.demonstration.plan import PASSBOOK_PLATFORM

DRAWN_ON = f"{YEAR}-{MONTH:02d}-21"
_HEADERS = ["姓名", "身份证号", "一本通银行", "一本通账号", "社保卡银行", "社保卡银行账号"]
_ONE_IN = 3
"""So many have no card yet, one in each."""
_CARD_SEEDS = 1000
"""Seeds of these cards lie apart from those of payments by so much."""


def card_list_lines(month: Month) -> list[list[str]]:
    """The whole list as cells: whose it is, then a row for each person whose card is known.

    The last one was given the card of the first by mistake: of both nothing is known by it.
    """
    rows = list(_rows(month))
    rows[-1][-2:] = rows[0][-2:]
    head = [["来源平台", PASSBOOK_PLATFORM], ["导出日期", DRAWN_ON], ["总行数", str(len(rows))], []]
    return [*head, _HEADERS, *rows]


def _rows(month: Month) -> Iterator[list[str]]:
    cards = {one.beneficiary_id: one for one in month.certain if one.account_kind is AccountKind.CARD}
    people: dict[str, Payment] = {}
    for batch in month.passbooks:
        for payment in own_payments(batch):
            people.setdefault(payment.beneficiary_id, payment)
    for number, payment in enumerate(people.values()):
        own = cards.get(payment.beneficiary_id)
        if own is None and number % _ONE_IN == _ONE_IN - 1:
            continue
        bank = BANKS[number % len(BANKS)]
        made = make_account(month.size.seed + _CARD_SEEDS, number, AccountKind.CARD, bank)
        card = (bank.bank, made) if own is None else (own.bank, own.account)
        yield [payment.beneficiary_name, payment.beneficiary_id, payment.bank, payment.account, *card]

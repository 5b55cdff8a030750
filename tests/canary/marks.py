"""Marked people, accounts and bank texts: valid as any, and recognisable wherever they come out.

Every mark has a core that nothing else in a run contains. A masked form (first character of a
name, first and last three of an ID, last four of an account) holds no part of a core.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from formats.identity import CheckScheme, with_check_digit
from formats.records import AccountKind, PayeeRole, Payment
from gateway.demonstration.people import BANKS
from tests.gateway.sites import payments_of

NAME_CORE = "靐齉"
TEXT_CORE = "鱻麤"
ID_CORE = "99019530417"
ACCOUNT_CORE = "734091286"
CORES = (NAME_CORE, TEXT_CORE, ID_CORE, ACCOUNT_CORE)

_SURNAMES = "禤璩郏郗亓芈"
_ENDS = "甲乙丙丁戊己庚辛壬癸"
_MOST = 900


def name(number: int) -> str:
    """Three or four hanzi, the core in the middle: eight bytes of GB 18030 at most."""
    return f"{_SURNAMES[number % len(_SURNAMES)]}{NAME_CORE}{_ENDS[number % len(_ENDS)]}"


def citizen_id(number: int) -> str:
    """Of a district that does not exist, born on 1953-04-17."""
    assert number < _MOST
    return with_check_digit(CheckScheme.CITIZEN, f"370{ID_CORE}{number + 1:03d}")


def account(bank: str, number: int) -> str:
    """A card of the bank, 19 digits with a valid check digit."""
    prefix = next(one.card_prefix for one in BANKS if one.bank == bank)
    return with_check_digit(CheckScheme.LUHN, f"{prefix}{ACCOUNT_CORE}{number:03d}")


def bank_text(bank: str, number: int) -> str:
    """What a bank writes about a failure: it names the person."""
    return f"{TEXT_CORE}户名不符:{name(number)},{account(bank, number)}"


def payments(bank: str, count: int, *, start: int = 0, prefix: str = "P") -> list[Payment]:
    """Payments of one bank; every third is for another person's account, every fourth in custody."""
    plain = payments_of(bank, count, prefix=f"{prefix}-{bank}", start=start)
    return [_marked(one, bank, start + number) for number, one in enumerate(plain)]


def values(bank: str, number: int) -> Sequence[str]:
    """One of each kind, as somebody might put it where it does not belong."""
    return name(number), citizen_id(number), account(bank, number)


def _marked(payment: Payment, bank: str, number: int) -> Payment:
    marked: dict[str, object] = {
        "account": account(bank, number),
        "account_kind": AccountKind.CARD,
        "beneficiary_name": name(number),
        "beneficiary_id": citizen_id(number),
    }
    if number % 3 == 2:
        marked |= {
            "payee_role": PayeeRole.OTHER,
            "payee_name": name(number + 1),
            "payee_id": citizen_id(number + 1),
            "payee_ground": f"代领 {name(number + 1)}",
        }
    elif number % 4 == 3:
        marked |= {
            "custodian_name": name(number + 2),
            "custodian_id": citizen_id(number + 2),
            "custody_ground": f"监护人 {name(number + 2)}",
        }
    return msgspec.structs.replace(payment, **marked)

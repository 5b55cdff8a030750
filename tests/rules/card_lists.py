"""Card lists for tests: rows of made-up people, written as platforms write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from formats import AccountKind, Payment
from gateway import Gateway
from gateway.demonstration.people import BANKS, make_account
from tests.gateway.sites import CITY, PERSONS, Ground

HEADERS = "姓名,身份证号,一本通银行,一本通账号,社保卡银行,社保卡银行账号,社保卡号"
DAY = "2026-08-20"


def own_account(number: int, bank: str = CITY, kind: AccountKind = AccountKind.PASSBOOK) -> str:
    owner = next(one for one in BANKS if one.bank == bank)
    return make_account(5, number, kind, owner)


def card(number: int, bank: str = CITY) -> str:
    return own_account(number, bank, AccountKind.CARD)


def cells(payment: Payment, number: int, **changes: str) -> dict[str, str]:
    """The row of a payment's beneficiary: passbook and card `number` of the city's bank."""
    plain = {
        "姓名": payment.beneficiary_name,
        "身份证号": payment.beneficiary_id,
        "一本通银行": CITY,
        "一本通账号": own_account(number),
        "社保卡银行": CITY,
        "社保卡银行账号": card(number),
        "社保卡号": f"A{number:08d}",
    }
    return plain | changes


def listed(
    folder: Path,
    rows: Sequence[dict[str, str]],
    *,
    drawn_on: str = DAY,
    platform: str = "yikatong",
    count: int | None = None,
    name: str = "cards.csv",
) -> Path:
    lines = [
        f"来源平台,{platform}",
        f"导出日期,{drawn_on}",
        f"总行数,{len(rows) if count is None else count}",
        "",
    ]
    lines += [HEADERS, *(",".join(row[header] for header in HEADERS.split(",")) for row in rows)]
    path = folder / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def taken(ground: Ground, gateway: Gateway, path: Path) -> str:
    about = gateway.bring_card_list(path).object
    assert ground.decide(gateway, about, "take-list", PERSONS[0]) == [True]
    return about


def by_passbook(payments: Sequence[Payment], first: int = 0) -> list[Payment]:
    """The same persons, paid to passbooks."""
    return [
        msgspec.structs.replace(one, account=own_account(first + number), account_kind=AccountKind.PASSBOOK)
        for number, one in enumerate(payments)
    ]


def stored(ground: Ground) -> list[str]:
    folder = ground.site.configuration.parent / "spool" / "cards"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

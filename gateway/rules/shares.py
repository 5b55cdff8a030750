"""How much is carried by card: by programme and year, against the plan's targets.

Plan, section 二: 70 % by the end of 2021, 90 % by the end of 2022, 100 % by the end of 2023. A
credit counts in the year in which it was credited; the share is of payments, in count.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.installation import Installation
from gateway.ledger.shares import credited_by_kind, persons_with_both

_TARGETS = {2021: 70, 2022: 90}
_FULL = 100
_FIRST_YEAR = 2021


class Share(Struct, frozen=True, kw_only=True):
    """One programme and year, or all programmes of it (`programme` is "").

    `per_mille` is the share of payments by card, rounded down, so that 1000 is all of them.
    """

    code: str
    programme: str
    year: int
    card_count: int
    passbook_count: int
    card_minor: int
    passbook_minor: int
    per_mille: int
    target_percent: int | None

    @property
    def reached(self) -> bool | None:
        """Whether the year's target was; None where the plan has none for it."""
        return None if self.target_percent is None else self.per_mille >= self.target_percent * 10


class Shares(Struct, frozen=True, kw_only=True):
    """By year: all programmes first, then each. `both_count`: persons paid by card and by passbook."""

    rows: list[Share]
    both_count: int


def target_percent(year: int) -> int | None:
    """The plan's target for the end of a year."""
    return None if year < _FIRST_YEAR else _TARGETS.get(year, _FULL)


def card_shares(installation: Installation, year: int | None = None) -> Shares:
    """Everything that was credited, of one year where it is given."""
    catalogue = installation.configuration.catalogue
    sums: dict[tuple[int, str, str], dict[str, tuple[int, int]]] = {}
    with installation.ledger.read() as transaction:
        both = persons_with_both(transaction)
        for row in credited_by_kind(transaction):
            known = None if catalogue is None else catalogue.find(row.programme)
            code, name = ("", row.programme) if known is None else (known.code, known.name)
            for key in ((int(row.year), "", ""), (int(row.year), code, name)):
                kinds = sums.setdefault(key, {})
                count, minor = kinds.get(row.account_kind, (0, 0))
                kinds[row.account_kind] = (count + row.count, minor + row.credited_minor)
    chosen = [key for key in sorted(sums) if year in (None, key[0])]
    return Shares(rows=[_share(key, sums[key]) for key in chosen], both_count=both)


def _share(key: tuple[int, str, str], kinds: dict[str, tuple[int, int]]) -> Share:
    year, code, programme = key
    card, card_minor = kinds.get("card", (0, 0))
    passbook, passbook_minor = kinds.get("passbook", (0, 0))
    return Share(
        code=code,
        programme=programme,
        year=year,
        card_count=card,
        passbook_count=passbook,
        card_minor=card_minor,
        passbook_minor=passbook_minor,
        per_mille=card * 1000 // (card + passbook),
        target_percent=target_percent(year),
    )

"""How much is carried by card: by programme and year, against the plan's targets.

Plan, section 二: 70 % by the end of 2021, 90 % by the end of 2022, 100 % by the end of 2023. A
credit counts in the year in which it was credited; the share is of payments, in count. Where card
lists count, it is told how many of the passbook payments are of persons whose card they name.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.installation import Installation
from gateway.ledger.known_cards import MovedCredits
from gateway.ledger.shares import CreditedSubject, credited_by_kind, persons_with_both
from gateway.rules.known_cards import KnownCards

_TARGETS = {2021: 70, 2022: 90}
_FULL = 100
_FIRST_YEAR = 2021
_MOVABLE = "movable"
"""Beside the account kinds: what of the passbook might go by card."""

_Sums = dict[tuple[int, str, str], dict[str, tuple[int, int]]]
"""By year, code and programme: count and minor units of each account kind."""


class Share(Struct, frozen=True, kw_only=True):
    """One programme and year, or all programmes of it (`programme` is "").

    `per_mille` is the share of payments by card, rounded down, so that 1000 is all of them. Of the passbook
    payments `movable_count` are of persons whose card is known: None where no card list counts.
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
    movable_count: int | None = None
    movable_minor: int | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the year's target was; None where the plan has none for it."""
        return None if self.target_percent is None else self.per_mille >= self.target_percent * 10


class Shares(Struct, frozen=True, kw_only=True):
    """By year: all programmes first, then each. `both_count`: persons paid by card and by passbook.

    `movable_persons` were paid by passbook, and their card is known; None where no card list counts.
    """

    rows: list[Share]
    both_count: int
    movable_persons: int | None = None


def target_percent(year: int) -> int | None:
    """The plan's target for the end of a year."""
    return None if year < _FIRST_YEAR else _TARGETS.get(year, _FULL)


def earlier_targets(year: int) -> dict[int, int]:
    """Year and percent of the plan's targets before that year's."""
    return {each: target for each, target in _TARGETS.items() if each < year}


def card_shares(installation: Installation, year: int | None = None) -> Shares:
    """Everything that was credited, of one year where it is given."""
    sums: _Sums = {}
    persons = None
    with KnownCards(installation) as known, known.table.read() as transaction:
        both = persons_with_both(transaction)
        for row in credited_by_kind(transaction):
            _add(installation, sums, row, row.account_kind)
        if known.any:
            persons = known.table.moved_persons(transaction, year)
            for moved in known.table.moved_credits(transaction):
                _add(installation, sums, moved, _MOVABLE)
    chosen = [key for key in sorted(sums) if year in (None, key[0])]
    rows = [_share(key, sums[key], is_known=persons is not None) for key in chosen]
    return Shares(rows=rows, both_count=both, movable_persons=persons)


def _add(installation: Installation, sums: _Sums, row: CreditedSubject | MovedCredits, kind: str) -> None:
    """Count it for its programme, however it was spelled, and for all of the year."""
    catalogue = installation.configuration.catalogue
    known = None if catalogue is None else catalogue.find(row.programme)
    code, name = ("", row.programme) if known is None else (known.code, known.name)
    for key in ((int(row.year), "", ""), (int(row.year), code, name)):
        kinds = sums.setdefault(key, {})
        count, minor = kinds.get(kind, (0, 0))
        kinds[kind] = (count + row.count, minor + row.credited_minor)


def _share(key: tuple[int, str, str], kinds: dict[str, tuple[int, int]], *, is_known: bool) -> Share:
    year, code, programme = key
    card, card_minor = kinds.get("card", (0, 0))
    passbook, passbook_minor = kinds.get("passbook", (0, 0))
    movable, movable_minor = kinds.get(_MOVABLE, (0, 0))
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
        movable_count=movable if is_known else None,
        movable_minor=movable_minor if is_known else None,
    )

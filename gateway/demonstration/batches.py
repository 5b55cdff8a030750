"""The batches of the demonstrated month: one of each field by card, some by passbook beside it.

Some subsidies passbooks carry still (一本通), in batches of another platform, at the bank where they
were ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from formats.records import Payment
from gateway.demonstration.days import MONTH, YEAR
from gateway.demonstration.payments import Order, ordered_payment
from gateway.demonstration.people import BANKS
from gateway.demonstration.plan import FIELDS, PASSBOOK_PLATFORM, Field

PUBLISHED_FIELD = 2
"""Whose list is published, and whose report is written: the largest."""
PASSBOOK_FIELDS = (4, 5, 6)
"""Half of their payments go to passbooks still."""
_PASSBOOK_BANK = "rural-credit"
_SHARES = (12, 22, 4, 14, 6, 6, 7, 13, 5, 5, 3, 3)
"""Of a hundred payments, by field."""
_DEFECTS = 4
"""Payments of the largest field that the gateway itself sets aside, at least: one of each kind."""
_PASSBOOK_SEEDS = 100
"""Seeds of passbook batches lie apart from those of cards by so much."""


class FieldBatch(Struct, frozen=True):
    """What one field's department hands over."""

    field: Field
    order: Order

    @property
    def batch_id(self) -> str:
        return self.order.batch_id

    @property
    def platform(self) -> str:
        return self.order.platform

    def file(self, folder: Path) -> Path:
        return folder / f"field-{self.field.number:02d}{suffix_of(self.platform)}.csv"

    def payment(self, index: int) -> Payment:
        return ordered_payment(self.order, index)


def suffix_of(platform: str) -> str:
    """What tells files and batches of a platform apart in their names."""
    return "-passbook" if platform == PASSBOOK_PLATFORM else ""


def month_batches(payments: int, seed: int) -> Iterator[FieldBatch]:
    left = payments
    for field, share in reversed(list(zip(FIELDS, _SHARES, strict=True))):
        # What rounding leaves is the first field's.
        count = left if field.number == 1 else payments * share // sum(_SHARES)
        left -= count
        fewest = _DEFECTS if field.number == PUBLISHED_FIELD else 0
        by_book = count // 2 if field.number in PASSBOOK_FIELDS else 0
        by_card = count - by_book
        order = Order(
            count=by_card,
            seed=seed + field.number,
            month=date(YEAR, MONTH, 1),
            defects=max(fewest, by_card // 500),
            fields=(field,),
            twins=False,
            name=f"{field.number:02d}",
            passbooks_of_ten=0,
        )
        yield FieldBatch(field, order)
        if by_book:
            books = replace(
                order,
                count=by_book,
                seed=order.seed + _PASSBOOK_SEEDS,
                defects=0,
                banks=tuple(bank for bank in BANKS if bank.bank == _PASSBOOK_BANK),
                name=f"{order.name}{suffix_of(PASSBOOK_PLATFORM)}",
                platform=PASSBOOK_PLATFORM,
                passbooks_of_ten=10,
            )
            yield FieldBatch(field, books)

"""Numbers in tables: in files plain, so that they can be added up, and for eyes with commas."""

from __future__ import annotations

from decimal import Decimal

from formats.standard import NumberText
from formats.standard.amounts import format_yuan


def count_text(count: int) -> str:
    """How many."""
    return NumberText(count)


def yuan_text(amount_minor: int | None) -> str:
    """Minor units as yuan with two decimals; "" for none."""
    return NumberText("" if amount_minor is None else format_yuan(amount_minor))


def for_eyes(cell: str) -> str:
    """A cell as a screen has it: a number with commas between thousands, any other text as it is."""
    return f"{Decimal(cell):,}" if cell and isinstance(cell, NumberText) else cell

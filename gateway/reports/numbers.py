"""Numbers in tables that go into files: a workbook can add them up."""

from __future__ import annotations

from formats.standard import NumberText
from formats.standard.amounts import format_yuan


def count_text(count: int) -> str:
    """How many."""
    return NumberText(count)


def yuan_text(amount_minor: int | None) -> str:
    """Minor units as yuan with two decimals; "" for none."""
    return NumberText("" if amount_minor is None else format_yuan(amount_minor))

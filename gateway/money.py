"""Amounts for people's eyes, the one way in which they are written anywhere.

Amounts stay integers in minor units everywhere else. Where a table's heading names the unit its
cells are `yuan`; in every sentence an amount is `money`.
"""

from __future__ import annotations


def yuan(amount_minor: int) -> str:
    """`123456` as `1,234.56`."""
    sign = "-" if amount_minor < 0 else ""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{sign}{whole:,}.{cents:02d}"


def money(amount_minor: int) -> str:
    """`123456` as `1,234.56 yuan`."""
    return f"{yuan(amount_minor)} yuan"

"""Amounts for people's eyes. Amounts stay integers in minor units everywhere else."""

from __future__ import annotations


def yuan(amount_minor: int) -> str:
    """`123456` as `1,234.56`."""
    sign = "-" if amount_minor < 0 else ""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{sign}{whole:,}.{cents:02d}"

"""Amounts in yuan, as text, to integer fen and back; never through a float."""

from __future__ import annotations

import re

YUAN_DIGITS = 13
"""Digits before the point: ten trillion yuan, well inside 64 bits of fen."""

_AMOUNT = re.compile(rf"(0|[1-9][0-9]{{0,{YUAN_DIGITS - 1}}})(?:\.([0-9]{{1,2}}))?")
_TWO_DECIMALS = re.compile(rf"(?:(?:0|[1-9][0-9]{{0,{YUAN_DIGITS - 1}}})\.[0-9][0-9]\n)*+")


def parse_yuan(text: str) -> int | None:
    """`1234`, `1234.5` or `1234.56` in fen; None for anything else.

    Refused on purpose: signs, thousands separators, `.50`, leading zeros, spaces.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return None
    whole, decimals = match.groups(default="")
    return int(whole) * 100 + int((decimals + "00")[:2])


def parse_yuan_column(texts: list[str]) -> list[int | None]:
    """`parse_yuan` of every text; quick where all have two decimals."""
    joined = "\n".join(texts) + "\n"
    # A line end inside a cell would make two amounts of one, hence the count.
    if joined.count("\n") == len(texts) and _TWO_DECIMALS.fullmatch(joined):
        return list(map(int, joined.replace(".", "").split()))
    return list(map(parse_yuan, texts))


def format_yuan(amount_minor: int) -> str:
    """Fen as yuan with two decimals, `-` in front where negative."""
    yuan, fen = divmod(abs(amount_minor), 100)
    return f"{'-' * (amount_minor < 0)}{yuan}.{fen:02d}"

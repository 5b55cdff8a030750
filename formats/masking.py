"""Personal data made fit for messages, logs and screens.

What may be seen: of an account the last 4 characters, of an ID the first 3 and the last 3,
of a name the first character; of any other text its length and the kinds of its characters.
A value too short to hide anything behind those is hidden whole. What is
published (公示) has its own rule of 3 + 12 + 3.
"""

from __future__ import annotations

import unicodedata

HIDDEN = "*"
VISIBLE_ACCOUNT = 4
VISIBLE_ID = 3
LONGEST_NUMBER = 13
"""Digits of a number that is shown: a hundred billion yuan in fen; the shortest ID has 15."""
LONGEST_MASK = 12
"""Asterisks at most, so that a damaged field cannot flood a message."""


def mask_account(account: str) -> str:
    """`6231990000001208674` -> `************8674`."""
    hidden = len(account) - VISIBLE_ACCOUNT
    if hidden < VISIBLE_ACCOUNT:
        return HIDDEN * len(account)
    return HIDDEN * min(hidden, LONGEST_MASK) + _printable(account[-VISIBLE_ACCOUNT:])


def mask_id(number: str) -> str:
    """`11010519491231002X` -> `110************02X`."""
    hidden = len(number) - 2 * VISIBLE_ID
    if hidden < VISIBLE_ID:
        return HIDDEN * min(len(number), LONGEST_MASK)
    stars = HIDDEN * min(hidden, LONGEST_MASK)
    return _printable(number[:VISIBLE_ID]) + stars + _printable(number[-VISIBLE_ID:])


def mask_published_id(number: str) -> str:
    """Of a public list (公示): 3 + 12 + 3 characters, whatever the number's length."""
    if len(number) < 3 * VISIBLE_ID:
        return HIDDEN * LONGEST_MASK
    return number[:VISIBLE_ID] + HIDDEN * LONGEST_MASK + number[-VISIBLE_ID:]


def mask_name(name: str) -> str:
    """`阿依古丽·买买提` -> `阿*******`; a name of one character is hidden whole."""
    if len(name) < 2:
        return HIDDEN * len(name)
    return _printable(name[0]) + HIDDEN * min(len(name) - 1, LONGEST_MASK)


def mask_number(number: int) -> str:
    """A count or a sum as it is; one with more digits than those may be an account or an ID."""
    text = str(number)
    return text if len(text) <= LONGEST_NUMBER else mask_text(text)


def mask_text(text: str) -> str:
    """Length and kinds of characters only: `18 characters (digits, letters)`."""
    count = len(text)
    if not count:
        return "nothing"
    kinds = ", ".join(sorted({_kind(character) for character in text}))
    return f"{count} character{'s' * (count != 1)} ({kinds})"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


_KINDS_BY_CATEGORY = {
    "Nd": "digits",
    "Lu": "letters",
    "Ll": "letters",
    "Lo": "hanzi",
    "Zs": "spaces",
    "Cc": "control characters",
}


def _kind(character: str) -> str:
    if unicodedata.east_asian_width(character) == "F" and character != "\u3000":
        return "full-width characters"
    kind = _KINDS_BY_CATEGORY.get(unicodedata.category(character), "signs")
    if kind == "hanzi" and not _is_hanzi(character):
        return "letters"
    return kind


def _is_hanzi(character: str) -> bool:
    return unicodedata.name(character, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY"))

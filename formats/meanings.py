"""The meanings a layout may bind, and how the last column of a table is read.

The list is closed except for `agreement.x`, `profile.x` and `group.x`, whose names come
from the profile of the bank. There is no meaning by which a fee could enter an outcome.
"""

from __future__ import annotations

import re
from enum import StrEnum

from formats.layout_model import (
    Binding,
    Blank,
    Condition,
    Constant,
    Count,
    Kind,
    Marker,
    Meaning,
    Number,
    Sum,
)
from formats.records import Payment


class Shape(StrEnum):
    """What kind of value a meaning has in a column."""

    TEXT = "text"
    AMOUNT = "amount"
    INTEGER = "integer"
    DATE = "date"
    INSTANT = "instant"


_PAYMENT_TEXTS = [name for name in Payment.__struct_fields__ if name != "amount_minor"]

MEANINGS: dict[str, Shape] = {
    **{f"payment.{name}": Shape.TEXT for name in _PAYMENT_TEXTS},
    "payment.amount": Shape.AMOUNT,
    "attempt.reference": Shape.TEXT,
    "attempt.item": Shape.INTEGER,
    "outcome.code": Shape.TEXT,
    "outcome.amount": Shape.AMOUNT,
    "outcome.bank_text": Shape.TEXT,
    "outcome.serial": Shape.TEXT,
    "outcome.value_date": Shape.DATE,
    "fee.amount": Shape.AMOUNT,
    "fee.label": Shape.TEXT,
    "fee.bearer": Shape.TEXT,
    "notice.code": Shape.TEXT,
    "notice.text": Shape.TEXT,
    "file.name": Shape.TEXT,
    "file.message_id": Shape.TEXT,
    "file.sequence": Shape.INTEGER,
    "file.created_at": Shape.INSTANT,
    "file.created_on": Shape.DATE,
    "file.bank_day": Shape.DATE,
    "file.count": Shape.INTEGER,
    "file.total": Shape.AMOUNT,
    "file.currency": Shape.TEXT,
    "file.original_name": Shape.TEXT,
    "file.original_message_id": Shape.TEXT,
    "file.code": Shape.TEXT,
    "file.text": Shape.TEXT,
}
"""Every meaning that may be bound, with its shape."""

OPEN_FAMILIES = ("agreement", "profile", "group")
"""Families whose names are free and whose values are text."""

ANSWER_FAMILIES = ("outcome", "fee", "notice")
"""Families that stand in answers only."""

KINDS_OF_SHAPE: dict[Shape, frozenset[Kind]] = {
    Shape.TEXT: frozenset({Kind.TEXT, Kind.DIGITS}),
    Shape.AMOUNT: frozenset({Kind.MONEY, Kind.YUAN}),
    Shape.INTEGER: frozenset({Kind.NUMBER}),
    Shape.DATE: frozenset({Kind.DATE}),
    Shape.INSTANT: frozenset({Kind.TIME, Kind.DATETIME, Kind.DATE}),
}
"""The kinds that can carry a shape without changing it."""

CONDITION_NAMES = {
    "status": "outcome.status",
    "reason": "outcome.reason",
    "code": "outcome.code",
}
"""Short names in a `where`; any other meaning is written in full."""

_BINDING = re.compile(r"(<?)([a-z]+\.[a-z][a-z0-9_]*)")
_CONSTANT = re.compile(r'(!?)"([^"]*)"')
_WHERE = r"(?: where ([a-z][a-z0-9_.]*) (not in|in) ([^()\"]+))?"
_COUNT = re.compile(r"= ?count\(([a-z][a-z0-9_]*)" + _WHERE + r"\)")
_SUM = re.compile(r"= ?sum\(([a-z]+\.[a-z][a-z0-9_]*)" + _WHERE + r"\)")
_NUMBER = re.compile(r"= ?number")
_MARKER = re.compile(r"\[([a-z][a-z0-9_]*) (\d+)(?:\.\.(\d+|\*))?\]")


def shape_of(name: str) -> Shape | None:
    """The shape of a meaning, or None where there is no such meaning."""
    if name.partition(".")[0] in OPEN_FAMILIES:
        return Shape.TEXT
    return MEANINGS.get(name)


def parse_meaning(text: str) -> Meaning | None:
    """The meaning that a cell states, or None where it states none that is known.

    Names are not looked up here: `Binding("payment.nonsense")` is for the checks to find.
    """
    if text in ("blank", "ignored"):
        return Blank(ignored=text == "ignored")
    if match := _CONSTANT.fullmatch(text):
        return Constant(match[2], selects=bool(match[1]))
    if match := _BINDING.fullmatch(text):
        return Binding(match[2], echo=bool(match[1]))
    if match := _COUNT.fullmatch(text):
        return Count(match[1], _condition(match[2], match[3], match[4]), text.removeprefix("=").strip())
    if match := _SUM.fullmatch(text):
        return Sum(match[1], _condition(match[2], match[3], match[4]), text.removeprefix("=").strip())
    if _NUMBER.fullmatch(text):
        return Number()
    return None


def parse_marker(text: str) -> Marker | None:
    """`[payment 1..*]` as a value, or None where the text is no marker."""
    match = _MARKER.fullmatch(text)
    if match is None:
        return None
    minimum, maximum = parse_occurrence(match[2] + ("" if match[3] is None else f"..{match[3]}"))
    return Marker(match[1], minimum, maximum)


def parse_occurrence(text: str) -> tuple[int, int | None]:
    """`1`, `0..1`, `1..*` or `1..150000` as (minimum, maximum); ValueError on anything else."""
    match = re.fullmatch(r"(\d{1,9})(?:\.\.(\d{1,9}|\*))?", text)
    if match is None:
        raise ValueError(text)
    minimum = int(match[1])
    if match[2] is None:
        return minimum, minimum
    if match[2] == "*":
        return minimum, None
    return minimum, int(match[2])


def _condition(name: str | None, word: str | None, values: str | None) -> Condition | None:
    if name is None or values is None:
        return None
    return Condition(CONDITION_NAMES.get(name, name), tuple(values.split()), negated=word == "not in")

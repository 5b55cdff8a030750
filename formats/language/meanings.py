"""The meanings a layout may bind, and how the last column of a table is read.

The list is closed except for the families in `OPEN_FAMILIES`, whose names come from the
profile of the bank or from the paper. There is no meaning by which a fee could enter an outcome.
"""

from __future__ import annotations

import re
from enum import StrEnum

from formats.language.model import (
    SILENT,
    Binding,
    Blank,
    Check,
    Condition,
    Constant,
    Count,
    Has,
    Kind,
    Length,
    Lines,
    Marker,
    Meaning,
    Number,
    Parts,
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
    "statement.amount": Shape.AMOUNT,
    "statement.direction": Shape.TEXT,
    "statement.reversal": Shape.TEXT,
    "statement.status": Shape.TEXT,
    "statement.booked_on": Shape.DATE,
    "statement.value_date": Shape.DATE,
    "statement.serial": Shape.TEXT,
    "statement.code": Shape.TEXT,
    "statement.text": Shape.TEXT,
    "statement.account": Shape.TEXT,
    "statement.party_name": Shape.TEXT,
    "statement.party_account": Shape.TEXT,
    "statement.currency": Shape.TEXT,
    "statement.detail_amount": Shape.AMOUNT,
    "statement.detail_direction": Shape.TEXT,
    "statement.return_reason": Shape.TEXT,
    "statement.file_reference": Shape.TEXT,
    "statement.entry": Shape.INTEGER,
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
    "group.bank_day": Shape.DATE,
}
"""Every meaning that may be bound, with its shape."""

OPEN_FAMILIES = ("agreement", "profile", "group", "item", "notice")
"""Families whose names are free and whose values are text.

`agreement` and `profile` are one value a file; `group` one a scope above the payments and
`item` one a payment, both written from the chunk, else from the profile; `notice` is something
that the bank tells us and that is no outcome.
"""

ANSWER_FAMILIES = ("outcome", "fee", "notice", "statement")
"""Families that stand in answers only."""

ROW_FAMILIES = ("payment", "attempt", "outcome", "fee", "notice", "statement", "item")
"""Families with a value for each row."""

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
"""Short names in a `where`; any other short name is one of `item.*`."""

_NAME = r"[a-z]+\.[a-z][a-z0-9_]*"
_BINDING = re.compile(rf"(<?)({_NAME})(?:\[(\d{{1,3}})-(\d{{1,3}})\])?")
_SELECTING = re.compile(rf"!(<?{_NAME}|ignored) in (.+)")
_CONSTANT = re.compile(r'(!?)"([^"]*)"')
_WHERE = r"(?: where ([a-z][a-z0-9_.]*) (not in|in) ([^()\"]+))?"
_NAMES = r"([a-z][a-z0-9_]*(?:[ ,]+(?!where\b)[a-z][a-z0-9_]*)*)"
_COUNT = re.compile(rf"count\({_NAMES}{_WHERE}\)")
_SUM = re.compile(rf"sum\(({_NAME}|silent){_WHERE}\)")
_HASHED = r'([a-z][a-z0-9_]*)\.("[^"]+"|[^()\s"]+)'
_HASH = re.compile(rf"sum\(({_HASHED}(?: {_HASHED})*)\)(?: mod (?:10\^(\d{{1,2}})|(\d{{1,18}})))?")
_LINES = re.compile(r"lines(?: / (\d{1,6}))?")
_NUMBER = re.compile(rf"number(?:\({_NAMES}\))?")
_HAS = re.compile(rf"has\({_NAMES}\)")
_CHECK = re.compile(r"check\.([a-z][a-z0-9-]*)\(([^()]+)\)")
_TITLE = re.compile(r'"[^"]+"|[^\s,"]+')
_MARKER = re.compile(r"\[([a-z][a-z0-9_]*) (\d+)(?:\.\.(\d+|\*))?\]")


def shape_of(name: str) -> Shape | None:
    """The shape of a meaning, or None where there is no such meaning."""
    if name in MEANINGS:
        return MEANINGS[name]
    return Shape.TEXT if name.partition(".")[0] in OPEN_FAMILIES else None


def parse_meaning(text: str) -> Meaning | None:
    """The meaning that a cell states, or None where it states none that is known.

    Names are not looked up here: `Binding("payment.nonsense")` is for the checks to find.
    """
    if text in ("blank", "ignored"):
        return Blank(ignored=text == "ignored")
    if match := _CONSTANT.fullmatch(text):
        return Constant(match[2], selects=bool(match[1]))
    if match := _BINDING.fullmatch(text):
        return Binding(match[2], bool(match[1]), int(match[3] or 0), int(match[4] or 0))
    if text.startswith("="):
        return _computed(" ".join(text[1:].split()))
    return None


def parse_selection(text: str) -> tuple[str, tuple[str, ...]]:
    """`!item.kind in 22 32` as the cell without its values, and the values; () where there are none."""
    match = _SELECTING.fullmatch(text)
    if match is None:
        return text, ()
    return match[1], tuple(word.strip('"') for word in match[2].split())


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


def _computed(text: str) -> Meaning | None:
    """What stands behind `=`."""
    if match := _COUNT.fullmatch(text):
        return Count(_names(match[1]), _condition(match[2], match[3], match[4]), text)
    match = _SUM.fullmatch(text)
    if match and (match[1] == SILENT or shape_of(match[1]) is not None):
        return Sum(match[1], _condition(match[2], match[3], match[4]), text)
    if match := _HASH.fullmatch(text):
        modulus = 10 ** int(match[6]) if match[6] else int(match[7] or 0)
        fields = tuple((record, title.strip('"')) for record, title in re.findall(_HASHED, match[1]))
        return Sum("", None, text, fields=fields, modulus=modulus)
    if match := _LINES.fullmatch(text):
        return Lines(int(match[1] or 1), text)
    if match := _NUMBER.fullmatch(text):
        return Number(_names(match[1] or ""), text)
    if match := _HAS.fullmatch(text):
        return Has(_names(match[1]), text)
    if match := _CHECK.fullmatch(text):
        titles = tuple(word.strip('"') for word in _TITLE.findall(match[2]))
        return Check(match[1], titles, text)
    if text == "parts":
        return Parts()
    return Length() if text == "length" else None


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _condition(name: str | None, word: str | None, values: str | None) -> Condition | None:
    if name is None or values is None:
        return None
    known = CONDITION_NAMES.get(name) or (name if "." in name else f"item.{name}")
    return Condition(known, tuple(values.split()), negated=word == "not in")

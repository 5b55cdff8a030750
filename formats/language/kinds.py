"""Reads the second column of a table: the kind of a field with its arguments."""

from __future__ import annotations

import re
from typing import Any

from formats.check_digits import SCHEMES
from formats.language.model import FieldKind, Kind, Syntax
from formats.language.source import LayoutSource

SIGNS = ("signed", "trailing-sign", "overpunch")

_KIND = re.compile(r"([a-z]+)(?:\.(\d))?((?: .*)?)")
_PATTERN = re.compile(r"(?:YYYY|YY|MM|DDD|DD|HH|SS|[-/.:T0 ])+")
_ARGUMENT = re.compile(r'suffix "([^"]+)"|near ([a-z]+\.[a-z_]+)|check ([a-z0-9-]+)|<=(\d{1,6})|(\S+)')
_DEFAULT_PATTERNS = {
    Kind.DATE: ("YYYYMMDD", "YYYY-MM-DD"),
    Kind.TIME: ("HHMMSS", "HH:MM:SS"),
    Kind.DATETIME: ("YYYYMMDDHHMMSS", "YYYY-MM-DDTHH:MM:SS"),
}
_AMOUNTS = (Kind.MONEY, Kind.YUAN)
_NUMBERS = (Kind.NUMBER, Kind.MONEY, Kind.YUAN)
_DECIMALS = "money.N with the decimals that the paper implies, yuan.N with a point, yuan.0 for whole units"


def read_kind(source: LayoutSource, line: int, text: str, syntax: Syntax) -> FieldKind | None:
    """`yuan.2 comma suffix "€"` as a value; None with a mistake told."""
    match = _KIND.fullmatch(text)
    kind = None if match is None else _word(match[1])
    if match is None or kind is None:
        hint = f"one of {', '.join(word.value for word in Kind)}"
        source.add("kind", line, f"no such kind: {text}", hint=hint)
        return None
    if (kind in _AMOUNTS) != (match[2] is not None):
        source.add("decimals", line, f"{text} is not a kind of amount", hint=_DECIMALS)
        return None
    decimals = int(match[2]) if match[2] else 0
    arguments = match[3].strip()
    if kind in _DEFAULT_PATTERNS:
        return _instant(source, line, kind, arguments, syntax)
    changes = _arguments(source, line, kind, arguments)
    return None if changes is None else FieldKind(name=kind, decimals=decimals, **changes)


def _instant(source: LayoutSource, line: int, kind: Kind, text: str, syntax: Syntax) -> FieldKind | None:
    pattern, _, near = text.partition(" near ")
    if pattern.startswith('"') and pattern.endswith('"'):
        pattern = pattern[1:-1]
    pattern = pattern or _DEFAULT_PATTERNS[kind][syntax is Syntax.XML]
    if not _PATTERN.fullmatch(pattern):
        hint = 'as YYYYMMDD, YYDDD or HH:MM:SS; with blanks in quotes: " YYDDD"'
        source.add("pattern", line, f"no date or time pattern: {text}", hint=hint)
        return None
    without_year = kind is not Kind.TIME and "YY" not in pattern
    if without_year != bool(near):
        what = "a date without year" if without_year else "a year of its own and another one's"
        source.add("pattern", line, what, hint="MMDD near file.bank_day takes the year that is nearest")
        return None
    return FieldKind(name=kind, pattern=pattern, near=near)


def _arguments(source: LayoutSource, line: int, kind: Kind, text: str) -> dict[str, Any] | None:
    changes: dict[str, Any] = {}
    for match in _ARGUMENT.finditer(text):
        suffix, _, check, maximum, word = match.groups()
        permitted = True
        if suffix:
            changes["suffix"], permitted = suffix, kind in _NUMBERS
        elif check:
            changes["check"], permitted = check, kind in (Kind.TEXT, Kind.DIGITS) and check in SCHEMES
        elif maximum:
            changes["maximum"] = int(maximum)
        elif word in ("comma", "thousands"):
            changes[word], permitted = True, kind is Kind.YUAN
        elif word in SIGNS:
            changes["sign"], permitted = _SIGN_NAMES[word], kind in _NUMBERS
        elif word and re.fullmatch(r"\d{1,6}", word):
            changes["exact"] = int(word)
        else:
            permitted = False
        if not permitted:
            hint = f'<=35, 12, suffix "元", comma, thousands, {", ".join(SIGNS)}, check {"|".join(SCHEMES)}'
            source.add("kind-argument", line, f"not understood: {kind.value} {match[0]}", hint=hint)
            return None
    return changes


_SIGN_NAMES = {"signed": "leading", "trailing-sign": "trailing", "overpunch": "overpunch"}


def _word(text: str) -> Kind | None:
    try:
        return Kind(text)
    except ValueError:
        return None

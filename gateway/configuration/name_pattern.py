"""Names of files as a bank's paper writes them: `DF{unit_no}{bank_day:%Y%m%d}{sequence:06d}.txt`.

One small language both ways: `format` makes a name, `match` reads one back. Fields are
looked up by name and never reach into attributes. A name that was made can be no path:
only letters, digits and `._-+=@,~#`, not starting with a dot.

    {sequence:06d}       the file's sequence number, exactly so many digits; `{sequence}` any number
    {bank_day:%Y%m%d}    from %Y %y %m %d %j
    {created_at:%H%M%S}  from the same and %H %M %S
    {name} {stem}        a whole file name; the same without its last extension
    {any} {any:3}        something of the bank's: letters, digits, `-` and `_` (match only)
                         at most three fields of a pattern without a width
    {number} {number:3}  digits of the bank's (match only)
    {unit_no} ...        any other field: text of the profile or agreement, given by the caller
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

_FIELD = re.compile(r"\{([^{}]*)\}")
_DIRECTIVE_WIDTHS = {"%Y": 4, "%y": 2, "%m": 2, "%d": 2, "%j": 3, "%H": 2, "%M": 2, "%S": 2}
_DAY_DIRECTIVES = ("%Y", "%y", "%m", "%d", "%j")
_PUNCTUATION = "._-+=@,~#"
_DIGIT = "[0-9]"
_WORD = "[A-Za-z0-9_-]"
_NAME = r"[\w+=@,~#-][\w.+=@,~#-]*"
_LONGEST_NAME = 200
_OPEN_ENDED_LIMIT = 3
"""With three a hostile name of 200 characters costs some milliseconds, with five half a minute."""
_SEQUENCE_DIGITS = 19
"""Of a sequence that the pattern gives no width."""

MATCH_ONLY = frozenset({"any", "number"})
_READ_FIELDS = MATCH_ONLY | {"name", "stem"}
"""Where one of these stands, the pattern is for names that others choose."""


class PatternError(ValueError):
    """The pattern is wrong; `mistakes` has all of it, in lower case."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(mistakes))


class NameMatch(Struct, frozen=True, kw_only=True):
    """What a name says. `values` has every named field's text as it stands in the name."""

    values: dict[str, str]
    sequence: int | None = None
    bank_day: date | None = None

    @property
    def name(self) -> str:
        """The outgoing file's name, where the pattern has `{name}`."""
        return self.values.get("name", "")

    @property
    def key(self) -> dict[str, str | int]:
        """By what our file is looked up that the name points at: `name`, `stem` or `sequence`."""
        for field in ("name", "stem"):
            if text := self.values.get(field):
                return {field: text}
        return {} if self.sequence is None else {"sequence": self.sequence}

    @property
    def claim(self) -> str:
        """Which of our files the name points at, by its text; "" where it points at none."""
        named = (self.values.get(field) for field in ("name", "stem", "sequence"))
        return next((text for text in named if text), "")


class _Piece(Struct, frozen=True):
    """A literal, or a field with its format."""

    literal: str = ""
    field: str = ""
    style: str = ""


class NamePattern:
    """A checked pattern. Immutable; make it with `name_pattern`."""

    def __init__(self, text: str, pieces: list[_Piece]) -> None:
        self.text = text
        self.fields = frozenset(piece.field for piece in pieces if piece.field)
        self._pieces = pieces
        self._expression = re.compile(_expression(pieces))

    def format(self, values: Mapping[str, str | int | date | datetime]) -> str:
        """The name. Raises `ValueError` where a value is absent, too long, or makes an unsafe name."""
        name = "".join(piece.literal or _format_field(piece, values) for piece in self._pieces)
        if mistake := unsafe(name):
            raise ValueError(f"file name {name!r}: {mistake}")
        return name

    def match(self, name: str) -> NameMatch | None:
        """What `name` says, or None where it is not of this pattern (or no calendar day)."""
        found = self._expression.fullmatch(name) if len(name) <= _LONGEST_NAME else None
        if found is None:
            return None
        values = found.groupdict()
        try:
            day = _day(self._pieces, values)
        except ValueError:
            return None
        sequence = values.get("sequence")
        return NameMatch(values=values, sequence=None if sequence is None else int(sequence), bank_day=day)

    @property
    def highest_sequence(self) -> int | None:
        """The highest sequence that such a name has room for; None where it holds none."""
        for piece in self._pieces:
            if piece.field == "sequence":
                digits = _width(piece.style) if piece.style else _SEQUENCE_DIGITS
                return int("9" * digits)
        return None

    def sample(self) -> str:
        """Some name that `match` takes."""
        day = datetime(2000, 1, 1)  # noqa: DTZ001
        return "".join(piece.literal or _sample(piece, day) for piece in self._pieces)


@lru_cache(maxsize=1024)
def name_pattern(text: str, known: frozenset[str] | None = None) -> NamePattern:
    """Parse and check a pattern; `known` limits the names of its fields. Raises `PatternError`."""
    mistakes: list[str] = []
    pieces = list(_pieces(text, mistakes))
    for piece in pieces:
        if piece.field:
            mistakes += _field_mistakes(piece, known)
        elif bad := sorted({c for c in piece.literal if not _safe(c)}):
            mistakes.append(f"{', '.join(map(repr, bad))} may not stand in a file name")
    mistakes += _repeated(pieces) + _ambiguous(pieces) + _too_open(pieces)
    if not text:
        mistakes.append("the pattern is empty")
    if text.startswith("."):
        mistakes.append("a file name may not start with a dot")
    if mistakes:
        raise PatternError(mistakes)
    pattern = NamePattern(text, pieces)
    if len(pattern.sample()) > _LONGEST_NAME:
        raise PatternError([f"no name of at most {_LONGEST_NAME} characters is of this pattern"])
    return pattern


def unsafe(name: str) -> str:
    """Why `name` cannot be a file's name; "" where it can."""
    if not name or name.startswith("."):
        return "is empty or starts with a dot"
    if len(name.encode()) > _LONGEST_NAME:
        return f"is longer than {_LONGEST_NAME} bytes"
    if not all(_safe(character) for character in name):
        return f"has a character other than letters, digits and {_PUNCTUATION}"
    return ""


def _safe(character: str) -> bool:
    return character.isalnum() or character in _PUNCTUATION


def _pieces(text: str, mistakes: list[str]) -> Iterable[_Piece]:
    position = 0
    for found in _FIELD.finditer(text):
        if literal := text[position : found.start()]:
            yield _Piece(literal=literal)
        field, _, style = found[1].partition(":")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", field):
            mistakes.append(f"{found[0]} is no field: wanted a name of lower-case letters")
        else:
            yield _Piece(field=field, style=style)
        position = found.end()
    if literal := text[position:]:
        yield _Piece(literal=literal)


def _field_mistakes(piece: _Piece, known: frozenset[str] | None) -> list[str]:
    field, style = piece.field, piece.style
    if known is not None and field not in known:
        return [f"{{{field}}} is not known here: wanted one of {', '.join(sorted(known))}"]
    if field in ("bank_day", "created_at"):
        allowed = _DAY_DIRECTIVES if field == "bank_day" else tuple(_DIRECTIVE_WIDTHS)
        if not style or re.sub("|".join(allowed), "", style):
            return [f"{{{field}:{style}}}: wanted a format made of {' '.join(allowed)}"]
        if len(_directives(style)) != len(set(_directives(style))):
            return [f"{{{field}:{style}}}: a part of the date occurs twice"]
    elif field == "sequence":
        if style and not re.fullmatch(r"0([1-9]|1[0-9])d", style):
            return [f"{{sequence:{style}}}: wanted a width such as 06d"]
    elif field in MATCH_ONLY:
        if style and not re.fullmatch(r"[1-9][0-9]?", style):
            return [f"{{{field}:{style}}}: wanted a number of characters such as 3"]
    elif style:
        return [f"{{{field}:{style}}}: this field takes no format"]
    return []


def _repeated(pieces: list[_Piece]) -> list[str]:
    names = [piece.field for piece in pieces if piece.field and piece.field not in MATCH_ONLY]
    return [f"{{{name}}} occurs twice" for name in sorted({n for n in names if names.count(n) > 1})]


def _ambiguous(pieces: list[_Piece]) -> list[str]:
    """Neighbours that cannot be told apart when a name is read back."""
    return [
        f"{{{left.field}}} runs into {{{right.field}}}: put a separator between, or give a width"
        for left, right in pairwise(pieces)
        if left.field and right.field and not left.style and not right.style
    ]


def _too_open(pieces: list[_Piece]) -> list[str]:
    """Names in a listing are chosen by others: each field of any length multiplies the ways to read one.

    A pattern of our own fields alone makes names and reads none.
    """
    open_ended = [piece.field for piece in pieces if piece.field and not piece.style]
    if len(open_ended) <= _OPEN_ENDED_LIMIT or _READ_FIELDS.isdisjoint(open_ended):
        return []
    told = ", ".join(f"{{{field}}}" for field in open_ended)
    return [f"{told}: at most {_OPEN_ENDED_LIMIT} fields without a width, wanted such as {{any:3}}"]


def _width(style: str) -> int:
    """Digits of `06d`."""
    return int(style[1:-1])


def _directives(style: str) -> list[str]:
    return re.findall("%.", style)


def _expression(pieces: list[_Piece]) -> str:
    parts: list[str] = []
    for piece in pieces:
        if not piece.field:
            parts.append(re.escape(piece.literal))
        elif piece.field in MATCH_ONLY:
            symbol = _DIGIT if piece.field == "number" else _WORD
            parts.append(f"{symbol}{{{piece.style}}}" if piece.style else f"{symbol}+")
        else:
            parts.append(f"(?P<{piece.field}>{_field_expression(piece)})")
    return "".join(parts)


def _field_expression(piece: _Piece) -> str:
    if piece.field in ("bank_day", "created_at"):
        return f"{_DIGIT}{{{sum(_DIRECTIVE_WIDTHS[part] for part in _directives(piece.style))}}}"
    if piece.field == "sequence":
        return f"{_DIGIT}{{{_width(piece.style)}}}" if piece.style else f"{_DIGIT}{{1,{_SEQUENCE_DIGITS}}}"
    return _NAME if piece.field in ("name", "stem") else f"{_WORD}+"


def _format_field(piece: _Piece, values: Mapping[str, str | int | date | datetime]) -> str:
    if piece.field not in values:
        raise ValueError(f"no value for {{{piece.field}}}")
    value = values[piece.field]
    if isinstance(value, date):
        return value.strftime(piece.style)
    text = format(value, piece.style)
    if piece.field == "sequence" and piece.style and len(text) != _width(piece.style):
        raise ValueError(f"sequence {value} does not fit {{sequence:{piece.style}}}")
    if not text:
        raise ValueError(f"{{{piece.field}}} is empty")
    return text


def _sample(piece: _Piece, day: datetime) -> str:
    if piece.field in MATCH_ONLY:
        return "1" * int(piece.style or 1)
    if piece.field in ("bank_day", "created_at"):
        return day.strftime(piece.style)
    return format(1, piece.style) if piece.field == "sequence" else "sample"


def _day(pieces: list[_Piece], values: Mapping[str, str]) -> date | None:
    """The bank day in a name, None where the name has no whole date."""
    for piece in pieces:
        if piece.field != "bank_day":
            continue
        present = set(_directives(piece.style))
        if present & {"%Y", "%y"} and (present >= {"%m", "%d"} or "%j" in present):
            # A date has no zone; the bank day is the bank's own.
            return datetime.strptime(values["bank_day"], piece.style).date()  # noqa: DTZ007
    return None

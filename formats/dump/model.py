"""What an annotated file is made of: passages with their pieces, and what of them may be shown.

Nothing here judges a file. A doubt is a place where the bytes are not what the layout says; a gap is
a place of which it says nothing. Personal data is masked unless whoever looks asked for it: shown are
constants of the layout, numbers, dates and amounts that read as such, codes that the layout lists,
and what a file says of itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from formats.language.model import Binding, Field, FieldKind, Kind
from formats.masking import LONGEST_NUMBER, mask_account, mask_name, mask_text

SHOWN_CHARACTERS = 120
"""Of an unmasked text; more is cut, with how much."""

BESIDE = ("fill line", "comment", "blank line", "Ctrl-Z")
"""Names of lines that are none of a structure's."""

_NUMBERS = (Kind.NUMBER, Kind.MONEY, Kind.YUAN)
_INSTANTS = (Kind.DATE, Kind.TIME, Kind.DATETIME)
_OWN_FAMILIES = ("file", "group", "profile")
_PERSONAL_WORDS = {"account", "id", "name", "phone", "text", "address", "number"}
_NOT_DIGITS = re.compile(r"\D")
_SHORT_WORDS = re.compile(r"(?!.*[0-9]{7})[0-9A-Za-z.,:+\-_/ ]{1,24}")


class Piece(Struct, frozen=True, kw_only=True):
    """One field, or bytes that belong to none.

    `start` and `end` are bytes of the file from 0, `end` exclusive; `first` is the byte column in its
    line, from 1, as banks print it, 0 in XML. `shown` is masked unless asked otherwise.
    """

    start: int
    end: int
    first: int
    title: str
    shown: str
    meaning: str = ""
    doubts: tuple[str, ...] = ()
    is_gap: bool = False


class Passage(Struct, frozen=True, kw_only=True):
    """One line of a file, or a run of XML, with its pieces. `name` is "" where nothing takes it."""

    line: int
    start: int
    end: int
    name: str
    pieces: tuple[Piece, ...] = ()
    doubts: tuple[str, ...] = ()
    is_guess: bool = False
    """Nothing says that it is what it is taken for."""

    def all_doubts(self) -> Iterator[str]:
        """Its own, then those of its pieces with their places."""
        yield from self.doubts
        for piece in self.pieces:
            for doubt in piece.doubts:
                yield f"{piece.title}: {doubt}"

    @property
    def gaps(self) -> int:
        """Pieces of which the layout says nothing."""
        return sum(piece.is_gap for piece in self.pieces)


class Showing(Struct, frozen=True):
    """What may be seen of a file."""

    masked: bool = True

    def unknown(self, text: str) -> str:
        """A text of which nothing is known."""
        return mask_text(text) if self.masked else _quoted(text)

    def undecodable(self, raw: bytes) -> str:
        """Bytes that are no characters."""
        return f"{len(raw)} bytes" if self.masked else raw[:SHOWN_CHARACTERS].hex(" ")

    def constant(self, text: str, *, as_wanted: bool) -> str:
        """What stands where the layout has a constant."""
        return _quoted(text) if as_wanted else self.unknown(text)

    def value(self, field: Field, text: str, *, is_valid: bool, is_listed: bool = False) -> str:
        """The text of a field. `is_listed`: a code that the layout knows."""
        text = text.strip(" ")
        if not self.masked or is_listed:
            return _quoted(text)
        if not text:
            return "blank"
        return self._masked(field, text, is_valid=is_valid)

    def _masked(self, field: Field, text: str, *, is_valid: bool) -> str:
        kind, name = field.kind, _name(field)
        if is_valid and kind is not None and _is_plain(kind, text):
            return _quoted(text)
        family, _, rest = name.partition(".")
        words = set(rest.split("_"))
        if ("account" in words or name == "attempt.reference") and text.isascii() and text.isalnum():
            return mask_account(text)
        if "name" in words and family == "payment":
            return mask_name(text)
        is_own = family in _OWN_FAMILIES and not words & _PERSONAL_WORDS
        if is_valid and is_own and _SHORT_WORDS.fullmatch(text):
            return _quoted(text)
        return mask_text(text)


def _is_plain(kind: FieldKind, text: str) -> bool:
    """A date, or a number too short for an account or an ID."""
    return kind.name in _INSTANTS or (
        kind.name in _NUMBERS and len(_NOT_DIGITS.sub("", text).lstrip("0")) <= LONGEST_NUMBER
    )


def _name(field: Field) -> str:
    return field.meaning.name if isinstance(field.meaning, Binding) else ""


def _quoted(text: str) -> str:
    cut = f"... ({len(text)} characters)" if len(text) > SHOWN_CHARACTERS else ""
    return repr(text[:SHOWN_CHARACTERS]) + cut

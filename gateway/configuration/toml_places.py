"""On which line every key of a TOML document stands; the parser of Python does not tell.

The text must already have been taken by `tomllib`, so nothing is checked here: this
scanner only walks over keys and values. A place is the path of a value from the root,
`("inbound", 0, "pattern")`; lines count from 1.
"""

from __future__ import annotations

import re
import tomllib

Place = tuple[str | int, ...]

_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_STRING = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}(?!")|\'{3}.*?\'{3,5}(?!\')|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''', re.DOTALL
)
_BARE = re.compile(r"[^,\]}#\n]+")
_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\n]|#[^\n]*)*")


def find_places(text: str) -> dict[Place, int]:
    """Line of every table, key and array element of a valid document with LF line ends."""
    return _Scanner(text).places


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._counted = (0, 1)
        self._array_tables: dict[Place, int] = {}
        self.places: dict[Place, int] = {}
        self._document()

    def _document(self) -> None:
        table: Place = ()
        while self._skip(_BLANK_LINES) < len(self._text):
            if self._next() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Place:
        line = self._line()
        of_array = self._text.startswith("[[", self._position)
        self._position += 2 if of_array else 1
        place: Place = ()
        parts = self._key()
        for index, part in enumerate(parts):
            place += (part,)
            self.places.setdefault(place, line)
            if of_array and index == len(parts) - 1:
                self._array_tables[place] = self._array_tables.get(place, -1) + 1
            if place in self._array_tables:
                place += (self._array_tables[place],)
                self.places.setdefault(place, line)
        # A table that earlier headers only passed through is where its own header stands.
        self.places[place] = line
        self._position = self._text.index("]", self._position) + (2 if of_array else 1)
        return place

    def _pair(self, table: Place) -> None:
        line = self._line()
        place = table
        for part in self._key():
            place += (part,)
            self.places.setdefault(place, line)
        self._position = self._text.index("=", self._position) + 1
        self._value(place)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_BLANK)
            found = _KEY_PART.match(self._text, self._position)
            if found is None:
                return parts
            self._position = found.end()
            parts.append(_unquoted(found[0]))
            if self._skip(_BLANK) < len(self._text) and self._next() == ".":
                self._position += 1
            else:
                return parts

    def _value(self, place: Place) -> None:
        self._skip(_BLANK)
        if self._next() == "[":
            self._array(place)
        elif self._next() == "{":
            self._inline_table(place)
        else:
            found = _STRING.match(self._text, self._position) or _BARE.match(self._text, self._position)
            self._position = found.end() if found else self._position + 1

    def _array(self, place: Place) -> None:
        self._position += 1
        count = 0
        while not self._closes("]"):
            element = (*place, count)
            self.places[element] = self._line()
            self._value(element)
            count += 1

    def _inline_table(self, place: Place) -> None:
        self._position += 1
        while not self._closes("}"):
            self._pair(place)

    def _closes(self, bracket: str) -> bool:
        """Passes commas, blanks and comments; true when the bracket was reached and passed."""
        self._skip(_BLANK_LINES)
        while self._next() == ",":
            self._position += 1
            self._skip(_BLANK_LINES)
        if self._next() != bracket:
            return False
        self._position += 1
        return True

    def _skip(self, blanks: re.Pattern[str]) -> int:
        found = blanks.match(self._text, self._position)
        self._position = found.end() if found else self._position
        return self._position

    def _next(self) -> str:
        return self._text[self._position]

    def _line(self) -> int:
        """Line of the present position; counts on from the last one asked for."""
        position, line = self._counted
        line += self._text.count("\n", position, self._position)
        self._counted = (self._position, line)
        return line


def _unquoted(part: str) -> str:
    if part[0] not in "\"'":
        return part
    return next(iter(tomllib.loads(f"{part} = 0")))

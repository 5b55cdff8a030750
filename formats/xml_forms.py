"""Plain records of an XML file, read without a parser: what most of a big file consists of.

A record is plain where it is nothing but tags with the root element's prefix (or all without one),
attributes in double quotes without a prefix, and texts. Its tags in their order are its form; a file
has few forms. A form met for the first time is taken apart tag by tag, which also says where its
values stand; one met often becomes a regular expression, whose only open places are the texts.
Whatever is not plain is the parser's.

The characters were looked at before (`xml_runs.py`): here are no comments, no references but the
five that XML defines, no carriage returns, and nothing that XML forbids.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter

from msgspec import Struct

from formats.xml_columns import END_OF_COLUMN, END_OF_VALUE
from formats.xml_plan import Alternative

MAXIMUM_FORMS = 64
"""Of one file; a record of yet another form is the parser's."""

MAXIMUM_RECORD_CHARACTERS = 1 << 14
_MAXIMUM_DEPTH = 32
_OFTEN = 3
"""Times that a form is taken apart tag by tag before an expression is made, which costs a millisecond."""

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_BEHIND_PREFIX = rf'({_NAME})((?: {_NAME}="[^"<\t\n]*")*)(/?)>([^<]*)'
_PREFIX = re.compile(_NAME)
_ATTRIBUTE = re.compile(rf' ({_NAME})="([^"]*)"')
_REFERENCES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
"""The ampersand last: what it makes begins no reference."""

_BLANKS = " \t\n"
_EMPTY = -1
"""The place of a value that is always empty: behind all others."""

Row = tuple[str, ...]
Where = tuple[tuple[str, ...], str, int]
"""Steps from the record, an attribute or "", and which of the open places it is."""


class Taken(Struct):
    """A record tag by tag. `parts` are what stands before each open place, and what ends the record."""

    parts: tuple[str, ...]
    values: list[str]
    places: list[Where]
    inner: set[tuple[str, ...]]
    """Elements with elements within them."""
    end: int


class _Form(Struct, frozen=True):
    """What makes a row of the values in the open places and an empty one behind them."""

    pick: Callable[[Sequence[str]], Row]
    several: bool
    """Whether a column has several values."""


class Tags:
    """The tags of a file: what they are called behind the prefix that all of them have, "" for none."""

    def __init__(self, prefix: str) -> None:
        self.prefix = f"{prefix}:" if prefix else ""
        self.match = re.compile(f"<(/?){re.escape(self.prefix)}{_BEHIND_PREFIX}").match


def is_plain_prefix(prefix: str) -> bool:
    """Whether tags with this prefix may be plain."""
    return not prefix or _PREFIX.fullmatch(prefix) is not None


class PlainRecords:
    """Reads the plain records of one file. `columns` are the ways of each column, from the record on.

    `prefix` is that of the tags, "" for none.
    """

    def __init__(self, record: str, columns: Sequence[Sequence[Alternative]], prefix: str = "") -> None:
        self._tags = Tags(prefix)
        self.start = f"<{self._tags.prefix}{record}"
        self._record = record
        self._columns: dict[tuple[tuple[str, ...], str], list[int]] = {}
        for column, ways in enumerate(columns):
            for way in ways:
                self._columns.setdefault((way.steps, way.attribute), []).append(column)
        self._width = len(columns)
        self._forms: dict[tuple[str, ...], _Form] = {}
        self._times: dict[tuple[str, ...], int] = {}
        self._matchers: list[tuple[Callable[[str, int], re.Match[str] | None], _Form]] = []

    def read(self, text: str, position: int) -> tuple[list[Row], bool, int]:
        """The rows of the records that follow each other from `position` on, with blanks between them.

        Then whether a column of any has several values, and where the last one ends.
        """
        rows: list[Row] = []
        several = False
        end = position
        while True:
            for matches, form in self._matchers:
                found = matches(text, position)
                if found is not None:
                    rows.append(form.pick(found.groups()))
                    end = found.end()
                    break
            else:
                taken = take_apart(text, position, self._record, self._tags)
                known = None if taken is None else self._form(taken)
                if taken is None or known is None:
                    return rows, several, end
                form = known
                rows.append(form.pick([*taken.values, ""]))
                end = taken.end
            several = several or form.several
            position = end
            if not text.startswith(self.start, position):
                position = _after_blanks(text, position)
                if not text.startswith(self.start, position):
                    return rows, several, end

    def _form(self, taken: Taken) -> _Form | None:
        """The form of a record; None where a wanted value has elements within it, or forms are too many."""
        form = self._forms.get(taken.parts)
        if form is None:
            if len(self._forms) >= MAXIMUM_FORMS or any(
                (steps, "") in self._columns for steps in taken.inner
            ):
                return None
            form = self._forms[taken.parts] = self._made(taken)
        times = self._times[taken.parts] = self._times.get(taken.parts, 0) + 1
        if times == _OFTEN:
            self._matchers.append((_expression(taken).match, form))
        return form

    def _made(self, taken: Taken) -> _Form:
        wanted: list[list[int]] = [[] for _ in range(self._width)]
        for steps, attribute, place in taken.places:
            for column in self._columns.get((steps, attribute), ()):
                wanted[column].append(place)
        several = any(len(places) > 1 for places in wanted)
        if several or self._width < 2:
            return _Form(_joiner(wanted), several)
        return _Form(itemgetter(*(places[0] if places else _EMPTY for places in wanted)), several)


def take_apart(text: str, position: int, record: str, tags: Tags) -> Taken | None:
    """The record that begins at `position`, tag by tag; None where it is not plain."""
    taken = Taken((), [], [], set(), position)
    parts: list[str] = []
    piece = ""
    steps: list[str] = []
    at, opened, between = position, False, ""
    """Where the next tag is, whether a start tag came last, and the text behind that."""
    while True:
        tag = tags.match(text, at)
        if tag is None or tag.end() - position > MAXIMUM_RECORD_CHARACTERS or len(steps) > _MAXIMUM_DEPTH:
            return None
        closes, name, attributes, is_empty, behind = tag.groups()
        way = tuple(steps[1:])
        if closes and opened:
            taken.places.append((way, "", len(parts)))
            taken.values.append(between)
            parts.append(piece)
            piece = ""
        elif between.strip(_BLANKS):
            return None
        else:
            piece += between
        if closes:
            if attributes or is_empty or name != steps.pop():
                return None
            piece += f"</{tags.prefix}{name}>"
        else:
            if (name == record) != (not steps):
                return None
            taken.inner.add(way)
            way = (*way, name) if steps else ()
            piece += f"<{tags.prefix}{name}"
            names = set()
            for attribute, value in _ATTRIBUTE.findall(attributes):
                if attribute in names or attribute == "xmlns":
                    return None
                names.add(attribute)
                taken.places.append((way, attribute, len(parts)))
                taken.values.append(value)
                parts.append(f'{piece} {attribute}="')
                piece = '"'
            piece += f"{is_empty}>"
            if is_empty:
                taken.places.append((way, "", _EMPTY))
            else:
                steps.append(name)
        at, taken.end = tag.end(), tag.start(5)
        opened, between = not closes and not is_empty, behind
        if not steps:
            taken.parts = (*parts, piece)
            return taken


def plain_texts(texts: list[str]) -> list[str]:
    """Texts whose references are resolved."""
    joined = END_OF_COLUMN.join(texts)
    if "&" not in joined:
        return texts
    for reference, character in _REFERENCES:
        joined = joined.replace(reference, character)
    return joined.split(END_OF_COLUMN)


def _expression(taken: Taken) -> re.Pattern[str]:
    """Finds records of this form: a group for each open place, and an empty one behind them."""
    attributes = {place for _, attribute, place in taken.places if attribute}
    places = [r'([^"<\t\n]*+)' if place in attributes else "([^<]*+)" for place in range(len(taken.values))]
    pairs = zip(taken.parts, [*places, "()"], strict=True)
    return re.compile("".join(f"{re.escape(part)}{place}" for part, place in pairs))


def _joiner(wanted: list[list[int]]) -> Callable[[Sequence[str]], Row]:
    def pick(values: Sequence[str]) -> Row:
        return tuple(END_OF_VALUE.join([values[place] for place in places]) for places in wanted)

    return pick


def _after_blanks(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t", "\n"):
        position += 1
    return position

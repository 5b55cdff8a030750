"""Plain records of an XML file, read without a parser: what most of a big file consists of.

A record is plain where it is nothing but tags with the root element's prefix (or all without one),
attributes in double quotes without a prefix, and texts. Its tags in their order are its form; a file
has few forms. A form met for the first time is taken apart tag by tag, which also says where its
values stand; one met often becomes a regular expression, whose only open places are the texts.
Whatever is not plain is the parser's.

The characters were looked at before (`runs.py`): here are no comments, no references but the
five that XML defines, no carriage returns, and nothing that XML forbids.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

from msgspec import Struct

from formats.xml.columns import END_OF_COLUMN, END_OF_VALUE
from formats.xml.plan import Alternative

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
Where = tuple[tuple[str, ...], str, int, int]
"""Steps from the record, an attribute or "", which of the open places it is, in which detail from 1, or 0."""


class Taken(Struct):
    """A record tag by tag. `parts` are what stands before each open place, and what ends the record."""

    parts: tuple[str, ...]
    values: list[str]
    places: list[Where]
    inner: set[tuple[str, ...]]
    """Elements with elements within them."""
    end: int
    details: int = 0


class _Form(Struct, frozen=True):
    """What makes rows of the values in the open places and an empty one behind them: one for each detail.

    `filled` are places that must hold something: the element around it would be looked at otherwise.
    """

    picks: tuple[Callable[[Sequence[str]], Row], ...]
    filled: tuple[int, ...]
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

    `prefix` is that of the tags, "" for none. `detail` is the way from the record to what makes a row each,
    with what the record says in all of them; without one, or in a record without any, a record is a row.
    `behind`: columns that count only where another one, within their element, is empty.
    """

    def __init__(
        self,
        record: str,
        columns: Sequence[Sequence[Alternative]],
        prefix: str = "",
        detail: tuple[str, ...] = (),
        behind: Mapping[int, int] | None = None,
    ) -> None:
        self._detail = detail
        self._behind = behind or {}
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

    def read(self, text: str, position: int) -> tuple[list[Row], list[int], bool, int]:
        """The rows of the records that follow each other from `position` on, with blanks between them.

        Then how many rows each record has, whether a column has several values, where the last one ends.
        """
        rows: list[Row] = []
        counts: list[int] = []
        several = False
        end = position
        while True:
            for matches, known_form in self._matchers:
                found = matches(text, position)
                if found is not None:
                    form, values, last = known_form, found.groups(), found.end()
                    break
            else:
                taken = take_apart(text, position, self._record, self._tags, self._detail)
                known = None if taken is None else self._form(taken)
                if taken is None or known is None:
                    return rows, counts, several, end
                form, values, last = known, (*taken.values, ""), taken.end
            if form.filled and not all(values[place] for place in form.filled):
                return rows, counts, several, end
            end = last
            if len(form.picks) == 1:
                rows.append(form.picks[0](values))
            else:
                rows += [pick(values) for pick in form.picks]
            counts.append(len(form.picks))
            several = several or form.several
            position = end
            if not text.startswith(self.start, position):
                position = _after_blanks(text, position)
                if not text.startswith(self.start, position):
                    return rows, counts, several, end

    def _form(self, taken: Taken) -> _Form | None:
        """The form of a record; None where a wanted value has elements within it, or forms are too many."""
        form = self._forms.get(taken.parts)
        if form is None:
            made = self._made(taken) if len(self._forms) < MAXIMUM_FORMS else None
            if made is None:
                return None
            form = self._forms[taken.parts] = made
        times = self._times[taken.parts] = self._times.get(taken.parts, 0) + 1
        if times == _OFTEN:
            self._matchers.append((_expression(taken).match, form))
        return form

    def _made(self, taken: Taken) -> _Form | None:
        around = [column for steps in taken.inner for column in self._columns.get((steps, ""), ())]
        if any(column not in self._behind for column in around):
            return None
        picks: list[Callable[[Sequence[str]], Row]] = []
        filled: set[int] = set()
        several = False
        for detail in range(1, taken.details + 1) if taken.details else (0,):
            wanted: list[list[int]] = [[] for _ in range(self._width)]
            for steps, attribute, place, inside in taken.places:
                if inside in (0, detail):
                    for column in self._columns.get((steps, attribute), ()):
                        wanted[column].append(place)
            for column in around:
                within = wanted[self._behind[column]]
                if len(within) != 1 or within[0] == _EMPTY or wanted[column]:
                    return None
                filled.add(within[0])
            has_several = any(len(places) > 1 for places in wanted)
            several = several or has_several
            if has_several or self._width < 2:
                picks.append(_joiner(wanted))
            else:
                picks.append(itemgetter(*(places[0] if places else _EMPTY for places in wanted)))
        return _Form(tuple(picks), tuple(sorted(filled)), several)


def take_apart(
    text: str, position: int, record: str, tags: Tags, detail: tuple[str, ...] = ()
) -> Taken | None:
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
        inside = taken.details if detail and way[: len(detail)] == detail else 0
        if closes and opened:
            taken.places.append((way, "", len(parts), inside))
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
            if detail and way[: len(detail)] == detail:
                taken.details += way == detail
                inside = taken.details
            piece += f"<{tags.prefix}{name}"
            names = set()
            for attribute, value in _ATTRIBUTE.findall(attributes):
                if attribute in names or attribute == "xmlns":
                    return None
                names.add(attribute)
                taken.places.append((way, attribute, len(parts), inside))
                taken.values.append(value)
                parts.append(f'{piece} {attribute}="')
                piece = '"'
            piece += f"{is_empty}>"
            if is_empty:
                taken.places.append((way, "", _EMPTY, inside))
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
    attributes = {place for _, attribute, place, _ in taken.places if attribute}
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

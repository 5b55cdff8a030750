"""How much fits: the longest text and the largest amount of each field, found by trying.

What is found is held against the layout's own widths. At the limit a value comes back whole; one
step beyond, it is refused before anything is written. Characters that the encoding has not are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from formats.charset import Charset
from formats.codec import Codec
from formats.conformance.content import Content, read
from formats.conformance.report import Part, PartReport
from formats.conformance.round_trip import FIXED_NAMES
from formats.conformance.subjects import Subject
from formats.conformance.vectors import Vector
from formats.conformance.writing import as_given, changed_cell, identity_for, lost, refusals, write
from formats.language.checks import all_fields
from formats.language.meanings import Shape, shape_of
from formats.language.model import Binding, Field, Kind, Layout, Syntax
from formats.records import RecordChunk

LONGEST = 4096
"""Texts beyond so many characters are not tried: no bank's field is that long."""

LARGEST = 10**18
"""Amounts of more minor units are not tried."""

ALPHABETS = ("1", "A", "王", "\U00020087")
"""One character of each width: a digit, a letter, two bytes and four bytes in GB 18030."""

UNWRITABLE = ("\U0010fffd", "\ud800", "\x07")
"""No bank's encoding has the first; the others are no characters of a text at all."""

Place = tuple[int, int, str]


class Spot(Struct, frozen=True, kw_only=True):
    """One cell of a golden file to be filled: the file's rows as given, and the place in them."""

    vector: Vector
    given: list[RecordChunk]
    place: Place

    def filled(self, value: Any) -> list[RecordChunk]:
        return changed_cell(self.given, self.place, value)


def spots(subject: Subject, shape: Shape) -> Iterator[Spot]:
    """The first place of each meaning of a shape in the golden files."""
    seen: set[tuple[str, str]] = set()
    for vector in subject.clean:
        assert vector.content is not None, "only files that were read"
        given = as_given(subject.codec, vector.content.chunks)
        for number, chunk in enumerate(given):
            for name, values in sorted(chunk.columns.items()):
                row = next((row for row, value in enumerate(values) if value not in (None, "")), None)
                if row is None or shape_of(name) is not shape or (chunk.record, name) in seen:
                    continue
                seen.add((chunk.record, name))
                yield Spot(vector=vector, given=given, place=(number, row, name))


def check_limits(subject: Subject) -> PartReport:
    """Find the limits of every text and amount, and look at what happens there."""
    report = PartReport(part=Part.LIMITS)
    for spot in spots(subject, Shape.TEXT):
        if spot.place[2] not in FIXED_NAMES:
            _Limits(subject, spot, report).text()
    for spot in spots(subject, Shape.AMOUNT):
        _Limits(subject, spot, report).amount()
    return report


class _Limits:
    """One place."""

    def __init__(self, subject: Subject, spot: Spot, report: PartReport) -> None:
        self._subject, self._spot, self._report = subject, spot, report
        self._codec: Codec = subject.codec
        self._name = spot.place[2]
        self._field = field_of(subject.layout, self._name) if subject.layout is not None else None

    def text(self) -> None:
        for character in ALPHABETS:
            if not self._fits(character):
                continue
            most = self._longest(character)
            self._at_the_limit(character * most, character * (most + 1), f"{most} x {character!r}")
            if self._field is not None:
                self._declared(character, most)
        for character in UNWRITABLE:
            self._report.cases += 1
            value = f"A{character}"
            if isinstance(self._written(value), bytes) and not self._writes(value):
                message = f"{self._where}: {character!a} is written, and comes back otherwise"
                self._wrong("charset", message, "what the encoding has not is refused")

    def amount(self) -> None:
        step = next((unit for unit in (1, 100) if self._fits(unit)), 0)
        if step:
            top = step * largest(lambda times: self._fits(times * step), LARGEST // step)
            self._at_the_limit(top, top + step, str(top))

    def _longest(self, character: str) -> int:
        return largest(lambda size: self._fits(character * size), LONGEST)

    @property
    def _where(self) -> str:
        return f"{self._subject.name} {self._name}"

    def _fits(self, value: Any) -> bool:
        """Whether `problems` permits it and it is written; only the latter looks at values of scopes."""
        given = self._spot.filled(value)
        identity = identity_for(self._codec, self._spot.vector.identity, given)
        return refusals(self._codec, identity, given) == [] and isinstance(self._written(value), bytes)

    def _written(self, value: Any) -> object:
        return write(self._codec, self._spot.vector.identity, self._spot.filled(value))

    def _writes(self, value: Any) -> bool:
        """Whether it is written, read without a problem, and the same."""
        given = self._spot.filled(value)
        written = write(self._codec, self._spot.vector.identity, given)
        if not isinstance(written, bytes):
            return False
        reading = read(self._codec, written, identity_for(self._codec, self._spot.vector.identity, given))
        return isinstance(reading, Content) and not reading.problems and not lost(self._codec, given, reading)

    def _at_the_limit(self, inside: Any, outside: Any, told: str) -> None:
        self._report.cases += 2
        written = self._written(inside)
        if isinstance(written, bytes) and not self._writes(inside):
            self._wrong("limit", f"{self._where}: {told} fits, and does not come back", "nothing is cut")
        if isinstance(self._written(outside), bytes) and not self._writes(outside):
            message = f"{self._where}: more than {told} is written, and does not come back"
            self._wrong("limit", message, "what does not fit is refused")

    def _declared(self, character: str, most: int) -> None:
        """The limit that was found is the one that the layout states."""
        layout, field = self._subject.layout, self._field
        assert layout is not None, "only a layout has fields"
        assert field is not None, "looked at before"
        limit = width_of(field)
        if limit is None or not isinstance(field.meaning, Binding) or field.meaning.is_slice:
            return
        try:
            size = len(Charset(layout.framing.encoding).encode(character))
        except UnicodeEncodeError:
            message = f"{self._where}: {character!r} is written, which {layout.framing.encoding} has not"
            self._wrong("charset", message, "what the encoding has not is refused")
            return
        room = min(limit if layout.syntax is Syntax.XML else limit // size, LONGEST)
        if most != room and not self._is_exact(field):
            message = f"{self._where}: {most} x {character!r} fit, but {field.title} has room for {room}"
            self._wrong("limit-differs", message, "the codec does not keep to its own layout")

    def _is_exact(self, field: Field) -> bool:
        """Only one length fits, or digits with a rule: the limit says nothing."""
        kind = field.kind
        return kind is None or kind.exact is not None or bool(kind.check) or kind.name is not Kind.TEXT

    def _wrong(self, code: str, message: str, hint: str) -> None:
        self._report.add(code, message, hint=hint, source=self._subject.name)


def field_of(layout: Layout, name: str) -> Field | None:
    """The only field that binds a meaning; None where there is none, or several."""
    found = [
        field
        for _, field in all_fields(layout)
        if isinstance(field.meaning, Binding) and field.meaning.name == name
    ]
    return found[0] if len(found) == 1 else None


def width_of(field: Field) -> int | None:
    """Bytes, in XML characters, that a field has room for; None where the layout does not say."""
    if field.width is not None:
        return field.width.bytes_
    return None if field.kind is None else field.kind.maximum


def largest(fits: Callable[[int], bool], limit: int) -> int:
    """The largest number up to a limit that fits, where 1 does and what fits is an interval."""
    low, high = 1, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low

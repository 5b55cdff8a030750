"""What a bank permits in texts, and what is written in place of a character it does not.

A layout may name the permitted characters and a table of substitutions. Writing is strict: a
text with any other character is refused. Substituting is a step of its own before that, done
by whoever makes the file, so that what was written is kept beside it and compared with what
the bank echoes; every change is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from formats.records import Problem, RecordChunk, Severity

SPACE = "space"
"""How a blank is written among the permitted characters."""

_RANGE = re.compile(r"(.)-(.)", re.DOTALL)
_CODE_POINT = re.compile(r"U\+([0-9A-Fa-f]{4,6})")


class Substitution(Struct, frozen=True):
    """`ä  ae`: what is written in place of a character, and the line that says so."""

    character: str
    written: str
    line: int


class Alphabet:
    """The permitted characters of a layout and its substitutions. Immutable."""

    def __init__(self, permitted: str = "", substitutions: tuple[Substitution, ...] = ()) -> None:
        self.permitted = permitted
        self.substitutions = substitutions
        self.forbidden = re.compile(f"[^{permitted}]") if permitted else None
        """Finds a character that may not be written; None where all may."""
        self._table = str.maketrans({one.character: one.written for one in substitutions})
        self._substituted = (
            re.compile("[" + "".join(re.escape(one.character) for one in substitutions) + "]")
            if substitutions
            else None
        )

    def permits(self, text: str) -> bool:
        """Whether every character may be written."""
        return self.forbidden is None or self.forbidden.search(text) is None

    def substitute(
        self, layout: str, chunk: RecordChunk, titles: Mapping[str, str]
    ) -> tuple[RecordChunk, list[Problem]]:
        """The chunk as it can be written, and a warning for each text that was changed.

        `titles` are the texts that may be changed: column to the field's name in the paper.
        """
        if self._substituted is None:
            return chunk, []
        changes: list[Problem] = []
        columns = dict(chunk.columns)
        for name, title in titles.items():
            values = columns.get(name)
            if not values or not self._substituted.search("".join(filter(None, values))):
                continue
            columns[name] = [value and value.translate(self._table) for value in values]
            for row, value in enumerate(values):
                if value and self._substituted.search(value):
                    changes.append(self._change(layout, chunk, row, title, value))
        if not changes:
            return chunk, []
        changed = RecordChunk(record=chunk.record, count=chunk.count, columns=columns, lines=chunk.lines)
        return changed, sorted(changes, key=lambda change: change.line or 0)

    def _change(self, layout: str, chunk: RecordChunk, row: int, title: str, value: str) -> Problem:
        assert self._substituted is not None, "asked only where there is a table"
        found = sorted(set(self._substituted.findall(value)))
        written = {one.character: one.written for one in self.substitutions}
        what = ", ".join(f"{written[character]} for {character}" for character in found)
        line = chunk.lines[row] if row < len(chunk.lines) else row + 1
        ids = chunk.columns.get("payment.payment_id")
        return Problem(
            code="substituted",
            message=f"{layout} {chunk.record} {line} {title}: written {what}",
            severity=Severity.WARNS,
            source=layout,
            line=line,
            column=title,
            record=chunk.record,
            found="".join(found),
            wanted=what,
            payment_id=ids[row] if ids else "",
        )


def read_permitted(text: str) -> tuple[str, list[str]]:
    """The inside of a character class from `A-Z 0-9 space . U+00B7`, and the words not understood."""
    inside: list[str] = []
    strange: list[str] = []
    for word in text.split():
        if word == SPACE:
            inside.append(" ")
        elif (match := _RANGE.fullmatch(_points(word))) and match[1] <= match[2]:
            inside.append(f"{re.escape(match[1])}-{re.escape(match[2])}")
        elif len(_points(word)) == 1:
            inside.append(re.escape(_points(word)))
        else:
            strange.append(word)
    return "".join(inside), strange


def read_substitution(cells: list[str], line: int) -> list[Substitution] | None:
    """`ä  ae` or a range for a range, `a-z  A-Z`; None where the line is neither."""
    if len(cells) != 2:
        return None
    source, target = _points(cells[0]), _points(cells[1])
    if len(source) == 1 and target:
        return [Substitution(source, target.replace(SPACE, " "), line)]
    one, other = _RANGE.fullmatch(source), _RANGE.fullmatch(target)
    if one is None or other is None:
        return None
    first, last = ord(one[1]), ord(one[2])
    start = ord(other[1])
    if last < first or last - first != ord(other[2]) - start:
        return None
    return [Substitution(chr(first + step), chr(start + step), line) for step in range(last - first + 1)]


def _points(word: str) -> str:
    return _CODE_POINT.sub(lambda match: chr(int(match[1], 16)), word)

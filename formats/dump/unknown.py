"""A file of which no layout is known, taken apart by what can be seen: lines, delimiters, runs of blanks.

What is found is no more than a shape: where the cells of a line may begin and end, and what kinds of
characters stand in them. Of a file without layout everything is a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from formats.behind import Behind
from formats.charset import UNWRITABLE, Charset
from formats.dump.fields import stray
from formats.dump.model import Passage, Piece, Showing
from formats.dump.split import Cut, RawLine, characters_with_places, raw_lines, read_head, separator_of

MAXIMUM_CELLS = 64
"""Of one line; the rest of it is one more."""

_CELLS = re.compile(r"[|;\t]|  +|(?:(?!  )[^|;\t])+")
_GUESSED = ("utf-8", "gb18030", "cp932")
"""Encodings that are tried, in this order; bytes that are none of them are Latin-1."""


class UnknownAnnotator:
    """Annotates files without a layout. Immutable."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing

    def passages(self, source: BinaryIO, start: int = 0) -> Iterator[Passage]:
        """Every line; `source` stands at byte `start` of the file."""
        head = read_head(source)
        charset = guess_charset(head)
        rest: BinaryIO = Behind(head, source)  # type: ignore[assignment]
        line = None
        for line in raw_lines(rest, start, separator_of(head)):
            yield self._line(line, charset)
        if line is None:
            yield Passage(line=1, start=start, end=start, name="end of file", doubts=("an empty file",))

    def _line(self, line: RawLine, charset: Charset) -> Passage:
        doubts = [f"a part of a line of more than {len(line.body)} bytes"] if line.continues else []
        pieces = list(self._pieces(line, charset))
        return Passage(
            line=line.number,
            start=line.start,
            end=line.start + len(line.body) + len(line.line_end),
            name="line" if line.body else "blank line",
            pieces=tuple(pieces),
            doubts=tuple(doubts),
        )

    def _pieces(self, line: RawLine, charset: Charset) -> Iterator[Piece]:
        places, text = [], []
        for place, character in characters_with_places(line.body, charset):
            places.append(place)
            text.append(character)
        places.append(len(line.body))
        matches = _CELLS.finditer("".join(text))
        for number, match in enumerate(matches, 1):
            begin, end = match.start(), match.end()
            if number >= MAXIMUM_CELLS:
                end = len(text)
            cell = match[0] if end == match.end() else "".join(text[begin:])
            if len(cell) > 1 or cell not in "|;\t":
                if not cell.strip(" "):
                    continue
                cut = Cut(places[begin], places[end])
                doubt = "a control character" if UNWRITABLE.search(cell) else ""
                yield stray(line.body, cut, line.start, charset, self._showing, doubt, "cell")
            if number >= MAXIMUM_CELLS:
                return


def guess_charset(head: bytes) -> Charset:
    """The encoding that the beginning of a file can be in."""
    for label in _GUESSED:
        charset = Charset(label)
        for cut in range(4):
            # The last character may not be whole.
            try:
                charset.decode(head[: len(head) - cut])
            except UnicodeDecodeError:
                continue
            return charset
    return Charset("latin-1")

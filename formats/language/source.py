"""Where things stand in a layout's TOML: `tomllib` gives no line numbers, so they are found here.

Only what the layout language uses is understood: `[table]` headers, `key = value`, and
text blocks between `'''`. Every mistake found later is told with a line of this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from formats.records import Problem

_HEADER = re.compile(r"\s*\[([A-Za-z0-9_.\-]+)\]\s*(#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-]+)\s*=\s*(.*)")
_BLOCK = "'''"


class LayoutSource:
    """The text of a layout, the places of its keys, and the mistakes found in it so far."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.problems: list[Problem] = []
        self._places, self._block_lines = _places(text)

    def line_of(self, *path: str) -> int | None:
        """Line of a key or table header, by its path; None where it is not written out."""
        return self._places.get(path)

    def block(self, text: object, *path: str) -> list[tuple[int, str]]:
        """The lines of a text block with their line numbers; a problem where it is no block."""
        line = self.line_of(*path)
        if not isinstance(text, str):
            self.add("block-missing", line, f"{'.'.join(path)} is not a text block", hint="write key = '''")
            return []
        first = self._block_lines.get(path, 1)
        return [(first + index, content) for index, content in enumerate(text.split("\n"))]

    def add(
        self, code: str, line: int | None, message: str, *, hint: str = "", record: str = "", column: str = ""
    ) -> None:
        """Note a mistake; `message` says what is wrong, `hint` what to do."""
        where = self.name if line is None else f"{self.name} line {line}"
        self.problems.append(
            Problem(
                code=code,
                message=f"{where}: {message}",
                source=self.name,
                line=line,
                column=column,
                record=record,
                hint=hint,
            )
        )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the known words that begin with it, else with the nearest; "" where none is near."""
    words = list(known)
    near = [one for one in words if one.startswith(word)][:3]
    near = near or get_close_matches(word, words, n=1, cutoff=0.7)
    return f"did you mean {' or '.join(near)}?" if near and word else ""


def _places(text: str) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]:
    """Lines of keys and headers, and of the first line of each text block."""
    places: dict[tuple[str, ...], int] = {}
    blocks: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    in_block = False
    for number, line in enumerate(text.split("\n"), start=1):
        if in_block:
            in_block = _BLOCK not in line
        elif match := _HEADER.fullmatch(line):
            section = tuple(match[1].split("."))
            places.setdefault(section, number)
        elif match := _KEY.fullmatch(line):
            path = (*section, match[1])
            places.setdefault(path, number)
            in_block = match[2].count(_BLOCK) == 1
            # TOML drops a line feed right after the opening quotes, and nothing else.
            blocks.setdefault(path, number + match[2].endswith(_BLOCK))
    return places, blocks

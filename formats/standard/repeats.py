"""Finds repeated payment ids in a batch of any size in 20 bytes a row."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import pairwise
from operator import eq

_SORTED_AT_ONCE = 250_000
"""The sort at the end takes about so many hashes at a time: each is boxed for it."""


class RepeatedIds:
    """Keeps two independent 64-bit hashes of each id, and its line.

    Equal in both hashes is taken for equal: by chance once in 10^26 batches of a million.
    """

    def __init__(self) -> None:
        self._first = array("q")
        self._second = array("q")
        self._lines = array("Q")

    def add(self, identifiers: list[str], lines: Iterable[int]) -> None:
        self._first.extend(map(hash, identifiers))
        self._second.extend(map(hash, [identifier + "\0" for identifier in identifiers]))
        self._lines.extend(lines)

    def pairs(self) -> list[tuple[int, int]]:
        """(line of the repetition, line of the first occurrence), by line."""
        suspects: set[int] = set()
        parts = 1 + len(self._first) // _SORTED_AT_ONCE
        for part in range(parts):
            hashes = sorted([value for value in self._first if value % parts == part])
            if any(map(eq, hashes, hashes[1:])):
                suspects.update(value for value, following in pairwise(hashes) if value == following)
        return self._confirm(suspects) if suspects else []

    def _confirm(self, suspects: set[int]) -> list[tuple[int, int]]:
        first_lines: dict[tuple[int, int], int] = {}
        repeated = []
        for first, second, line in zip(self._first, self._second, self._lines, strict=True):
            if first in suspects:
                earlier = first_lines.setdefault((first, second), line)
                if earlier != line:
                    repeated.append((line, earlier))
        return repeated

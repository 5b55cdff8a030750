"""Finds repeated payment ids in a batch of any size in 16 bytes a row."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable

_LOOKED_AT_ONCE = 250_000
"""About so many hashes are boxed at a time when the end has come."""


class RepeatedIds:
    """Keeps a 64-bit hash of each id, and its line.

    Two ids with one hash are taken for the same: by chance in one of 30 million batches of a
    million payments, and then the batch is refused, which a second try (other hashes) mends.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._lines = array("Q")

    def add(self, identifiers: list[str], lines: Iterable[int]) -> None:
        self._hashes.extend(map(hash, identifiers))
        self._lines.extend(lines)

    def pairs(self) -> list[tuple[int, int]]:
        """(line of the repetition, line of the first occurrence), by line."""
        repeated: set[int] = set()
        parts = 1 + len(self._hashes) // _LOOKED_AT_ONCE
        for part in range(parts):
            hashes = [value for value in self._hashes if value % parts == part]
            if len(set(hashes)) != len(hashes):
                repeated.update(value for value, count in Counter(hashes).items() if count > 1)
        return self._places(repeated) if repeated else []

    def _places(self, repeated: set[int]) -> list[tuple[int, int]]:
        first_lines: dict[int, int] = {}
        places = []
        for value, line in zip(self._hashes, self._lines, strict=True):
            if value in repeated:
                earlier = first_lines.setdefault(value, line)
                if earlier != line:
                    places.append((line, earlier))
        return places

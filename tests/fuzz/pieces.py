"""Takes small values off the front of an input, so that any bytes say what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_Choice = TypeVar("_Choice")


class Pieces:
    """Numbers, choices and byte strings out of an input; zeros and nothing once it has ended."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    @property
    def ended(self) -> bool:
        return self._place >= len(self._content)

    def byte(self) -> int:
        return (self.take(1) or b"\0")[0]

    def number(self, size_bytes: int = 2) -> int:
        return int.from_bytes(self.take(size_bytes), "big")

    def choose(self, choices: Sequence[_Choice]) -> _Choice:
        return choices[self.byte() % len(choices)]

    def take(self, count: int) -> bytes:
        taken = self._content[self._place : self._place + count]
        self._place += count
        return taken

    def part(self) -> bytes:
        """Bytes whose length stands in two bytes before them."""
        return self.take(self.number())

    def rest(self) -> bytes:
        taken = self._content[self._place :]
        self._place = len(self._content)
        return taken


def parts(*contents: bytes) -> bytes:
    """What `Pieces.part` takes apart again."""
    return b"".join(len(content).to_bytes(2, "big") + content for content in contents)

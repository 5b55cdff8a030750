"""Looking at the beginning of a stream, and reading it all the same."""

from __future__ import annotations

from typing import BinaryIO


class Behind:
    """A stream with what was read of it already put back before it."""

    def __init__(self, first: bytes, source: BinaryIO) -> None:
        self._first, self._source = first, source

    def read(self, size: int = -1) -> bytes:
        """As any stream; b"" at the end."""
        if not self._first:
            return self._source.read(size)
        first = self._first if size < 0 else self._first[:size]
        self._first = self._first[len(first) :]
        return first

"""A byte stream seen through a window of bounded size, line by line or in blocks."""

from __future__ import annotations

from typing import BinaryIO

READ_BYTES = 1 << 18
MAXIMUM_LINE_BYTES = 1 << 16
"""A longer line is refused: no bank's record comes near, and memory stays bounded."""


class LineTooLong(Exception):
    """No line end within `MAXIMUM_LINE_BYTES`."""


class Window:
    """The part of a stream that is being looked at. `line` is the 1-based number of the next line."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._at_end = False
        self.buffer = b""
        self.position = 0
        self.line = 1

    def fill(self, wanted_bytes: int) -> int:
        """Have that many bytes after the position, or all there are; how many there are."""
        available = len(self.buffer) - self.position
        if available >= wanted_bytes or self._at_end:
            return available
        parts = [self.buffer[self.position :]]
        while available < wanted_bytes:
            part = self._source.read(max(READ_BYTES, wanted_bytes - available))
            if not part:
                self._at_end = True
                break
            parts.append(part)
            available += len(part)
        self.buffer = b"".join(parts)
        self.position = 0
        return available

    def peek_line(self) -> bytes | None:
        """The next line with its line feed, if it has one; None at the end. Raises `LineTooLong`."""
        available = self.fill(MAXIMUM_LINE_BYTES)
        if not available:
            return None
        end = self.buffer.find(b"\n", self.position, self.position + MAXIMUM_LINE_BYTES)
        if end >= 0:
            return self.buffer[self.position : end + 1]
        if available >= MAXIMUM_LINE_BYTES:
            raise LineTooLong
        return self.buffer[self.position :]

    def advance(self, size_bytes: int, lines: int) -> None:
        """Go on behind some lines."""
        self.position += size_bytes
        self.line += lines

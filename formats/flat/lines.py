"""A byte stream seen through a window of bounded size, line by line or in blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Protocol

READ_BYTES = 1 << 18
MAXIMUM_LINE_BYTES = 1 << 16
"""A longer line is refused: no bank's record comes near, and memory stays bounded."""


_CONTROLS = bytes([*range(0x20), 0x7F])


class LineTooLong(Exception):
    """No line end within `MAXIMUM_LINE_BYTES`."""


class Source(Protocol):
    """What is read from."""

    def read(self, size: int, /) -> bytes: ...


class OneLineEnd:
    """A stream whose line ends are all the same, whatever they are in the file; counts the others.

    `record_bytes`: the width of every record, where all have one; a file that has no line end at
    all is then cut into records of it. 0 where they differ.
    """

    def __init__(self, source: BinaryIO, line_end: bytes, record_bytes: int) -> None:
        self._source = source
        self._line_end = line_end
        self._record_bytes = record_bytes
        self._without: bool | None = None if record_bytes else False
        self._held = b""
        self.others = 0
        """Line ends that were not what the layout says, or were not there."""

    def read(self, size: int, /) -> bytes:
        """Bytes with LF, CRLF and CR made one; b"" at the end only."""
        if self._without is not False:
            raw = self._cut(size)
            if raw is not None:
                return raw
        raw = self._held or self._source.read(size)
        self._held = b""
        while raw.endswith(b"\r") and (more := self._source.read(1)):
            raw += more
        if not raw or (self._line_end == b"\n" and b"\r" not in raw):
            return raw
        pairs, feeds, returns = raw.count(b"\r\n"), raw.count(b"\n"), raw.count(b"\r")
        self.others += feeds - pairs if self._line_end == b"\r\n" else pairs
        self.others += returns - pairs
        plain = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return plain if self._line_end == b"\n" else plain.replace(b"\n", b"\r\n")

    def _cut(self, size: int) -> bytes | None:
        """Records of a file without line ends, each with one; None where the file has some.

        A line end behind the last record is read over.
        """
        raw = self._held + self._source.read(size)
        if self._without is None:
            ends = [place for place in (raw.find(b"\n"), raw.find(b"\r")) if place >= 0]
            width = self._record_bytes
            self._without = len(raw) >= width and min(ends, default=len(raw)) >= 2 * width
            self._held = raw
            return None if not self._without else self._cut(size)
        whole = len(raw) - len(raw) % self._record_bytes
        self._held = raw[whole:]
        records = [raw[start : start + self._record_bytes] for start in range(0, whole, self._record_bytes)]
        if not records and self._held.strip(b"\r\n"):
            last, self._held = self._held, b""
            return last
        self.others += len(records)
        return b"".join(record + self._line_end for record in records)


class Window:
    """The part of a stream that is being looked at. `line` is the 1-based number of the next line.

    `last` is the last byte of a line end, b"" where records have none and are `record_bytes` long; or at most
    so long, and `measure` says how long the one at a place of some bytes is (0 for no record).
    Line ends may be cut by the limits of what is read, so that only that byte is looked for.
    """

    def __init__(
        self,
        source: Source,
        line_end: bytes = b"\n",
        record_bytes: int = 0,
        measure: Callable[[bytes, int], int] | None = None,
    ) -> None:
        self._source = source
        self.last = line_end[-1:]
        self._controls = bytes(byte for byte in _CONTROLS if byte not in line_end)
        self._record_bytes = record_bytes
        self._measure = measure
        self._at_end = False
        self.has_controls = False
        """Whether anything that was read has a control character that no line end has."""
        self.buffer = b""
        self.position = 0
        self.line = 1

    def fill(self, wanted_bytes: int) -> int:
        """Have that many bytes after the position, or all there are; how many there are."""
        available = len(self.buffer) - self.position
        if available >= wanted_bytes or self._at_end:
            return available
        parts = [self.buffer[self.position :]] if available else []
        while available < wanted_bytes:
            part = self._source.read(max(READ_BYTES, wanted_bytes - available))
            if not part:
                self._at_end = True
                break
            parts.append(part)
            available += len(part)
            # Looked at while it is in the processor's cache.
            self.has_controls = self.has_controls or len(part.translate(None, self._controls)) != len(part)
        self.buffer = parts[0] if len(parts) == 1 else b"".join(parts)
        self.position = 0
        return available

    def peek_line(self) -> bytes | None:
        """The next line with its line end, if it has one; None at the end. Raises `LineTooLong`."""
        available = self.fill(max(MAXIMUM_LINE_BYTES, self._record_bytes))
        if not available:
            return None
        if not self.last:
            size = self._measure(self.buffer, self.position) if self._measure else 0
            return self.buffer[self.position : self.position + (size or self._record_bytes)]
        end = self.buffer.find(self.last, self.position, self.position + MAXIMUM_LINE_BYTES)
        if end >= 0:
            return self.buffer[self.position : end + 1]
        if available >= MAXIMUM_LINE_BYTES:
            raise LineTooLong
        return self.buffer[self.position :]

    def lines(self, most: int, most_bytes: int) -> list[bytes]:
        """The next lines, with their line ends, within so many bytes; the last of a file may lack it."""
        self.fill(most_bytes)
        end = min(len(self.buffer), self.position + most_bytes)
        if not self.last:
            return self._records(most, end)
        raw = self.buffer[self.position : end]
        *parts, rest = raw.split(self.last, most)
        lines = [part + self.last for part in parts]
        if rest and self._at_end and end == len(self.buffer) and len(lines) < most:
            lines.append(rest)
        return lines

    def _records(self, most: int, end: int) -> list[bytes]:
        """Records without line ends. Behind the last one may come what is none, or the half of one."""
        buffer, at = self.buffer, self.position
        records: list[bytes] = []
        while at < end and len(records) < most:
            if not self._at_end and at + self._record_bytes > len(buffer):
                break
            size = self._measure(buffer, at) if self._measure else self._record_bytes
            if not size:
                records.append(buffer[at : at + self._record_bytes])
                break
            records.append(buffer[at : at + size])
            at += size
        return records

    @property
    def ended(self) -> bool:
        """Whether the stream has been read to its end."""
        return self._at_end

    def advance(self, size_bytes: int, lines: int) -> None:
        """Go on behind some lines."""
        self.position += size_bytes
        self.line += lines

"""The bytes of a batch file on their way to a parser: digested, watched, with their places."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO, Literal, Protocol

from formats.errors import BatchError
from formats.records import Problem, Severity

BLOCK_BYTES = 1 << 18
LONGEST_LINE_BYTES = 1 << 20
"""A longer stretch without a line end is no line of payments; it must not fill the memory."""


class BatchFile(Protocol):
    """What a batch is read from: a `Path`, or anything with a name that opens more than once."""

    @property
    def name(self) -> str: ...

    def open(self, mode: Literal["rb"], /) -> io.BufferedReader: ...


class LineTooLong(Exception):
    """Stops a text reader from inside; never leaves this package."""


class DigestingFile(io.RawIOBase):
    """A raw file for `io.BufferedReader` that digests what is read and sees NUL bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._without_line_end = 0
        self.has_nul = False
        self.last_byte = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        block = self._file.read(len(buffer))
        self._see(block)
        buffer[: len(block)] = block
        if self._without_line_end > LONGEST_LINE_BYTES:
            raise LineTooLong
        return len(block)

    def hexdigest(self) -> str:
        """Digest of the whole file; reads what remains of it."""
        while block := self._file.read(BLOCK_BYTES):
            self._see(block)
        return self._digest.hexdigest()

    def close(self) -> None:
        self._file.close()
        super().close()

    def _see(self, block: bytes) -> None:
        if not block:
            return
        self._digest.update(block)
        self.last_byte = block[-1:]
        if b"\0" in block:
            self.has_nul = True
        line_end = block.rfind(b"\n")
        self._without_line_end = (
            len(block) - line_end - 1 if line_end >= 0 else self._without_line_end + len(block)
        )


def open_file(path: BatchFile) -> BinaryIO:
    """The file, or `BatchError` where it cannot be read or is empty."""
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise _unusable(
            path, "file_unreadable", getattr(error, "strerror", None) or "cannot be opened"
        ) from None
    try:
        empty = not file.read(1)
        file.seek(0)
    except OSError as error:
        file.close()
        raise _unusable(path, "file_unreadable", error.strerror or "cannot be read") from None
    if empty:
        file.close()
        raise _unusable(path, "file_empty", "the file is empty")
    return file


def first_bad_byte(path: BatchFile) -> tuple[int, int, int] | None:
    """(line, byte offset from 1, value) of the first byte that is no UTF-8."""
    line, start = 1, 0
    with path.open("rb") as file:
        for text in iter(lambda: file.readline(LONGEST_LINE_BYTES), b""):
            try:
                text.decode("utf-8")
            except UnicodeDecodeError as error:
                if not (
                    error.reason == "unexpected end of data" and not text.endswith(b"\n") and file.peek(1)
                ):
                    return line, start + error.start + 1, text[error.start]
            start += len(text)
            line += text.endswith(b"\n")
    return None


def first_nul(path: BatchFile) -> tuple[int, int]:
    """(line, byte offset from 1) of the first NUL byte."""
    line, start = 1, 0
    with path.open("rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            place = block.find(b"\0")
            if place >= 0:
                return line + block.count(b"\n", 0, place), start + place + 1
            line += block.count(b"\n")
            start += len(block)
    return line, start


def encoding_problem(path: BatchFile) -> Problem:
    """Where the file stops being UTF-8, and what it may be instead."""
    place = first_bad_byte(path)
    hint = "save it as CSV UTF-8; spreadsheets in Chinese save plain CSV as GBK"
    if place is None:
        return Problem(
            code="encoding_invalid", message=f"{path.name}: not UTF-8", source=path.name, hint=hint
        )
    line, offset, value = place
    message = f"line {line} byte {offset}: found 0x{value:02x}, wanted UTF-8"
    return Problem(code="encoding_invalid", message=message, source=path.name, line=line, hint=hint)


def nul_problem(path: BatchFile) -> Problem:
    line, offset = first_nul(path)
    message = f"line {line} byte {offset}: found a NUL byte, wanted text"
    hint = "the file is damaged, or not a text file"
    return Problem(code="nul_byte", message=message, source=path.name, line=line, hint=hint)


def long_line_problem(source: str) -> Problem:
    message = f"{source}: more than {LONGEST_LINE_BYTES} bytes without a line end"
    return Problem(code="line_too_long", message=message, source=source, hint="is this a batch file at all?")


def cut_warning(source: str) -> Problem:
    return Problem(
        code="line_end_missing",
        message=f"{source}: the last line has no line end",
        severity=Severity.WARNS,
        source=source,
        hint="was the file cut?",
    )


def _unusable(path: BatchFile, code: str, reason: str) -> BatchError:
    return BatchError([Problem(code=code, message=f"{path.name}: {reason}", source=path.name)])

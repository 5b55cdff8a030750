"""Lines of the structure out of a file: the mark before them, what is read over, and their line ends."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from typing import Any, BinaryIO

from formats.errors import DecodeError
from formats.flat.compiler import Plan, line_width
from formats.flat.faults import FaultMaker
from formats.flat.lines import MAXIMUM_LINE_BYTES, LineTooLong, OneLineEnd, Source, Window
from formats.flat.record_widths import RecordWidths
from formats.language.model import Syntax

_CTRL_Z = b"\x1a"
_LOOKED_AT_BYTES = 1 << 16
_CHARACTERS_OF_UTF8 = 8
"""So many, and not one that is none, are UTF-8: of GB 18030 not one file in a million is like that."""


class StructureLines:
    """The lines of one file that its structure knows.

    What is read over is noted in `facts["tolerated"]`.
    """

    def __init__(
        self,
        plan: Plan,
        source: BinaryIO,
        widths: RecordWidths | None,
        faults: FaultMaker,
        facts: dict[str, Any],
    ) -> None:
        """`widths`: what tells where a record ends, where neither a line end nor one width of all does."""
        self._plan = plan
        self._framing = plan.layout.framing
        self._faults = faults
        self._facts = facts
        self._widths = widths
        self.skipped = self.filled = 0
        """Lines so far that are none of the structure's: read over, and fill lines at the end."""
        self._line_ends: OneLineEnd | None = None
        stream: Source = source
        if "any-eol" in self._framing.tolerate:
            sizes = {record.size_bytes for plans in plan.records.values() for record in plans}
            one = sizes.pop() if len(sizes) == 1 and plan.layout.syntax is Syntax.FIXED else 0
            stream = self._line_ends = OneLineEnd(source, self._framing.line_end, one)
        measure = None if widths is None else widths.size_at
        self.window = Window(stream, self._framing.line_end, line_width(plan), measure)
        fill = self._framing.fill_line * line_width(plan) if self._framing.fill_to else ""
        self._fill = plan.charset.encode(fill)

    def begin(self) -> None:
        """Look at the beginning: an empty file, another encoding, a mark."""
        if self.window.fill(len(BOM_UTF8)) == 0:
            raise self._faults.file("file-empty", 1, "an empty file", "records")
        self._check_encoding(self.window.buffer[:_LOOKED_AT_BYTES])
        if self.window.buffer.startswith(BOM_UTF8):
            self.window.advance(len(BOM_UTF8), 0)
            if not self._framing.byte_order_mark:
                self._faults.tolerated("byte-order-mark", 1)

    def _check_encoding(self, beginning: bytes) -> None:
        """A file in another encoding is told as that: its names would quietly become other characters."""
        charset = self._plan.charset
        found = ""
        if beginning.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            found = "UTF-16"
        elif charset.codec != "utf-8" and (beginning.startswith(BOM_UTF8) or _is_utf8(beginning)):
            found = "UTF-8"
        if found:
            raise self._faults.file("encoding", 1, found, f"characters of {charset.label}")

    def peek(self) -> bytes | None:
        """The next line of the structure: comments, fill lines and what is tolerated are read over."""
        while (line := self._peek_any()) is not None:
            reason = self._read_over(line)
            if reason is None:
                return line
            if reason == "fill":
                self.filled += 1
            else:
                self.skipped += 1
                self._faults.tolerated(reason, self.window.line)
            self.window.advance(len(line), 1)
        return None

    def _peek_any(self) -> bytes | None:
        try:
            return self.window.peek_line()
        except LineTooLong as error:
            found = f"a line of more than {MAXIMUM_LINE_BYTES} bytes"
            raise self._faults.file("line-too-long", self.window.line, found, "a line end") from error

    def _read_over(self, line: bytes) -> str | None:
        """Why a line is none of the structure's; None where it is."""
        framing = self._framing
        body = line.rstrip(b"\r\n")
        plain = body.rstrip(b" ") if "long" in framing.tolerate else body
        if self._fill and plain == self._fill:
            if plain != body:
                self._faults.tolerated("long", self.window.line)
            return "fill"
        if self.filled:
            wanted = f"lines of {framing.fill_line}"
            raise self._faults.file(
                "trailing-bytes", self.window.line, "another line after a fill line", wanted
            )
        if framing.comment and body.startswith(self._plan.charset.encode(framing.comment)):
            return "comments"
        if "blank-lines" in framing.tolerate and not body.strip(b" "):
            return "blank-lines"
        if "ctrl-z" in framing.tolerate and line == _CTRL_Z and self.window.ended:
            return "ctrl-z"
        return None

    def body(self, line: bytes) -> bytes:
        """The line without its line end, which must be the declared one; missing on the last line only."""
        framing = self._framing
        end = framing.line_end
        if not end:
            size = line_width(self._plan) if self._widths is None else self._widths.size_at(line, 0)
            if not size:
                raise self.no_record(line)
            if len(line) == size:
                return line
            found = f"{len(line)} bytes at the end of the file"
            raise self._faults.file("file-cut", self.window.line, found, f"a record of {size}")
        if line.endswith(end):
            body = line[: -len(end)]
            if not body.endswith(b"\r"):
                return body
        elif not line.endswith(self.window.last) and framing.final_eol and "final-eol" in framing.tolerate:
            self._faults.tolerated("final-eol", self.window.line)
            return line
        elif not line.endswith(self.window.last) and not framing.final_eol:
            return line
        whole = line.endswith(self.window.last)
        found = "another line end" if whole else "the end of the file inside a line"
        code = "line-end" if whole else "file-cut"
        raise self._faults.file(code, self.window.line, found, f"{framing.eol.upper()} after each line")

    def no_record(self, line: bytes) -> DecodeError:
        """Bytes that no record begins with, in a file where only the record says where it ends."""
        assert self._widths is not None, "records of one width are cut by it"
        odd = self._widths.odd(line)
        if odd is None:
            found = f"{len(line)} bytes at the end of the file"
            return self._faults.file("file-cut", self.window.line, found, "a whole record")
        plan, column = odd
        cell = line[column.start : column.end].decode("latin-1")
        wanted = " or ".join(repr(text.strip(" ")) for text in sorted(column.selecting))
        problem = self._faults.problem("record-framing", plan.name, column, cell, self.window.line, wanted)
        return DecodeError([problem])

    def end(self) -> None:
        """Note the line ends that were not the declared one."""
        if self._line_ends is not None and self._line_ends.others:
            self._facts.setdefault("tolerated", {})["any-eol"] = {"count": self._line_ends.others, "line": 1}


def _is_utf8(raw: bytes) -> bool:
    """Whether bytes are UTF-8 beyond doubt; they may end inside a character."""
    if raw.isascii():
        return False
    try:
        text = getincrementaldecoder("utf-8")("strict").decode(raw)
    except UnicodeDecodeError:
        return False
    return sum(not character.isascii() for character in text) >= _CHARACTERS_OF_UTF8


def note_tolerated(facts: dict[str, Any], name: str, line: int) -> None:
    """Note what was read over; told in `facts`, since a file is not wrong for it."""
    known = facts.setdefault("tolerated", {}).setdefault(name, {"count": 0, "line": line})
    known["count"] += 1

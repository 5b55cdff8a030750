"""Any bank file, annotated field by field with byte offsets; gaps and doubtful places are marked.

It never stops at a mistake, holds a bounded part of the file, and works on any bytes: with the layout
that is named, with one that the file is recognised by (`recognition.py`), or without any. Whether the
file is right is not said here: that is the decoder's word, which `verdict` asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct, field

from formats.behind import Behind
from formats.dump.frame import FrameAnnotator
from formats.dump.lines import LineAnnotator
from formats.dump.model import Passage, Showing
from formats.dump.split import read_head
from formats.dump.unknown import UnknownAnnotator
from formats.dump.xml_dump import XmlAnnotator
from formats.errors import DecodeError
from formats.language.model import Layout, Syntax
from formats.records import Problem
from formats.registry import compile_layout


def dump(source: BinaryIO, layout: Layout | None, *, masked: bool = True) -> Iterator[Passage]:
    """The passages of a file, in order; every byte of it is in one, line ends and blanks apart."""
    showing = Showing(masked)
    if layout is None:
        head = read_head(source)
        rest: BinaryIO = Behind(head, source)  # type: ignore[assignment]
        if looks_like_xml(head):
            yield from XmlAnnotator(None, showing).passages(rest)
        else:
            yield from UnknownAnnotator(showing).passages(rest)
        return
    start = 0
    if layout.frame is not None:
        frame = FrameAnnotator(layout, showing)
        passages, start, source = frame.take(source)
        yield from passages
    if layout.syntax is Syntax.XML:
        yield from XmlAnnotator(layout, showing).passages(source, start)
    else:
        yield from LineAnnotator(layout, showing).passages(source, start)


def looks_like_xml(head: bytes) -> bool:
    """Whether a file begins as XML does."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"<")


def verdict(source: BinaryIO, layout: Layout) -> list[Problem]:
    """What the layout's decoder says of the file: what it tells, and last what it refuses it for."""
    decoder = compile_layout(layout).decode(source)
    try:
        for _ in decoder:
            pass
    except DecodeError as error:
        return [*decoder.problems, *error.problems]
    return decoder.problems


class Tally(Struct):
    """What was met in a file, counted while it is shown."""

    passages: Counter[str] = field(default_factory=Counter)
    pieces: int = 0
    gaps: int = 0
    doubts: int = 0
    end: int = 0

    def add(self, passage: Passage) -> None:
        """Count one passage."""
        self.passages[passage.name or "unknown"] += 1
        self.pieces += len(passage.pieces)
        self.gaps += passage.gaps
        self.doubts += sum(1 for _ in passage.all_doubts())
        self.end = max(self.end, passage.end)

"""The XML syntax of the layout language as a codec.

A layout is compiled once: into a tree of elements for the writer (`write.py`) and, for
each namespace met, into a stylesheet of columns for the reader (`read.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from formats.codec import Codec
from formats.language.model import Layout, Syntax
from formats.records import FileIdentity, Problem, RecordChunk
from formats.xml.codes import CodeTables
from formats.xml.plan import build_plan
from formats.xml.read import XmlDecoder
from formats.xml.write import XmlWriter


class XmlCodec:
    """One XML layout, both ways; see `formats.codec.Codec`."""

    def __init__(self, layout: Layout) -> None:
        self.name = layout.name
        self.version = layout.version
        self.purpose = layout.purpose
        self.digest = layout.digest
        self.encoding = layout.framing.encoding
        self.highest_sequence = layout.highest_sequence()
        self._layout = layout
        self._alphabet = layout.alphabet
        self._titles = layout.payment_texts()
        self._plan = build_plan(layout)
        self._tables = CodeTables(layout)
        self._writer = XmlWriter(layout, self._plan, self._tables)

    def columns(self, record: str = "payment") -> frozenset[str]:
        """Meanings that a record has; absent ones are not written where the layout says optional."""
        return self._writer.columns() if record == self._plan.row else frozenset()

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None = None) -> list[Problem]:
        """Every value that cannot be written, in the order of records."""
        return self._writer.problems(chunk, identity)

    def substitute(self, chunk: RecordChunk) -> tuple[RecordChunk, list[Problem]]:
        """See `formats.codec.Codec.substitute`."""
        return self._alphabet.substitute(self.name, chunk, self._titles)

    def encode(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        """The file in blocks, one for each chunk between its beginning and its end."""
        return self._writer.encode(identity, chunks)

    def decode(self, source: BinaryIO, identity: FileIdentity | None = None) -> XmlDecoder:
        """Read a file; see `formats.codec.Codec.decode`."""
        return XmlDecoder(self._layout, self._plan, self._tables, source, identity)


def compile_xml(layout: Layout) -> Codec:
    """The codec of an XML layout. Raises `LayoutError` with every mistake in its table."""
    if layout.syntax is not Syntax.XML:
        raise ValueError(f"{layout.name} is {layout.syntax.value}, not xml")
    return XmlCodec(layout)

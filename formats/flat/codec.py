"""The codec of a fixed or delimited layout: an encoder and a way to open decoders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from formats.codec import Decoder
from formats.flat.compiler import Plan
from formats.flat.encoder import Encoder
from formats.language.model import Layout
from formats.records import FileIdentity, Problem, RecordChunk


class DataCodec:
    """See `formats.codec.Codec`. Immutable; safe to share between threads."""

    def __init__(self, plan: Plan, open_decoder: Callable[[BinaryIO, FileIdentity | None], Decoder]) -> None:
        self.layout: Layout = plan.layout
        self.name = plan.layout.name
        self.version = plan.layout.version
        self.purpose = plan.layout.purpose
        self.digest = plan.layout.digest
        self.encoding = plan.layout.framing.encoding
        self._alphabet = plan.layout.alphabet
        self._titles = plan.layout.payment_texts()
        self.highest_sequence = plan.layout.highest_sequence()
        self._encoder = Encoder(plan)
        self._open_decoder = open_decoder

    def columns(self, record: str = "payment") -> frozenset[str]:
        """Meanings that `encode` needs in a chunk of this record.

        A chunk may bring `outcome.status` and `outcome.reason` in place of `outcome.code`.
        """
        return self._encoder.columns(record)

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None = None) -> list[Problem]:
        """Every value of the chunk that cannot be written; [] when all fit."""
        return self._encoder.problems(chunk, identity)

    def substitute(self, chunk: RecordChunk) -> tuple[RecordChunk, list[Problem]]:
        """See `formats.codec.Codec.substitute`."""
        return self._alphabet.substitute(self.name, chunk, self._titles)

    def encode(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        """The file's bytes in blocks. Raises `EncodeError`."""
        return self._encoder.encode(identity, chunks)

    def decode(self, source: BinaryIO, identity: FileIdentity | None = None) -> Decoder:
        """Read a file; see `formats.codec.Codec.decode`."""
        return self._open_decoder(source, identity)

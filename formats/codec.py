"""The protocol between the gateway and every file format, data or code.

A codec knows no time, no state and no database. It turns columns into bytes and bytes
into columns; the gateway decides what they mean for the money.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, BinaryIO, Protocol

from formats.records import FileIdentity, Problem, RecordChunk

CHUNK_RECORDS = 1024
"""Records in a chunk: they stay in the processor's cache; sixteen times as many cost more."""


class Purpose(StrEnum):
    """What a layout's files are for."""

    REQUEST = "request"
    ACKNOWLEDGEMENT = "acknowledgement"
    RESULT = "result"
    STATEMENT = "statement"


class Decoder(Protocol):
    """One file being read. Iterate to the end, then ask for `facts` and `problems`.

    Iteration raises `DecodeError` where the bytes stop making sense. `problems` holds what
    was tolerated or does not add up (declared totals against records); the file is then
    for a person. `facts` maps meanings of records that occur once (`file.code`,
    `file.original_name`) to values; where a code table `[codes.file]` exists also
    `file.verdict` (an `AcknowledgementVerdict`) and `file.reason` (a `Reason`).
    `facts["silence"]` is `credited` where the format lists failures only; `facts["returns"]` what the
    amount of a return is of, where the format says so (`language.model.RETURNS`).
    `facts["declared"]` maps each declared total, as the layout writes it
    (`count(payment)`), to the number the file declares.
    """

    facts: dict[str, Any]
    problems: list[Problem]

    def __iter__(self) -> Iterator[RecordChunk]: ...


class Codec(Protocol):
    """One file format, both ways. Immutable; safe to share between threads."""

    name: str
    version: str
    purpose: Purpose
    digest: str
    """SHA-256 of everything that decides its behaviour, lower-case hex: pinned with each file."""
    encoding: str
    highest_sequence: int
    """The highest sequence number that every field which holds one, or a reference, has room for."""

    def columns(self, record: str = "payment") -> frozenset[str]:
        """Meanings that `encode` needs in a chunk of this record."""
        ...

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None = None) -> list[Problem]:
        """Every payment of the chunk that cannot be written, with its reason; [] when all fit.

        `Problem.line` is the chunk's line of the record. Nothing is written.
        """
        ...

    def substitute(self, chunk: RecordChunk) -> tuple[RecordChunk, list[Problem]]:
        """The chunk with what the layout substitutes, and a warning for every text that was changed.

        Not part of `encode`, which changes nothing: who makes a file substitutes first and
        keeps what is then written, so that it can be compared with what the bank echoes.
        """
        ...

    def encode(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        """The file's bytes in blocks. Pure: same arguments, same bytes.

        `chunks` must be re-iterable: totals that stand before the records take a pass of
        their own unless `identity` already holds them. Raises `EncodeError` when a value
        does not fit or `identity.count`/`total_minor` differ from the records.
        """
        ...

    def decode(self, source: BinaryIO, identity: FileIdentity | None = None) -> Decoder:
        """Read a file. Memory is bounded whatever its size.

        In a result, a chunk of record `payment` has `outcome.code` verbatim and, by the
        code table, `outcome.status` (`Status`) and `outcome.reason` (`Reason`); the key
        as `attempt.reference` (str) or `attempt.item` (int); echoes under their
        `payment.*` meaning. With `identity`, constants bound to it are checked too.
        """
        ...

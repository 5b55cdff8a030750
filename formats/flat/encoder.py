"""Chunks into the bytes of a fixed or delimited file, and every payment that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from formats.errors import EncodeError
from formats.flat.compiler import Plan
from formats.flat.file_writer import FileWriter
from formats.flat.plan_writer import PlanWriter
from formats.records import FileIdentity, Problem, RecordChunk


class Encoder:
    """Writes the files of one plan. Immutable."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._framing = plan.layout.framing
        self._writer = PlanWriter(plan)

    def columns(self, record: str) -> frozenset[str]:
        """Meanings that a chunk must have; of requests those too that it may have."""
        return self._writer.columns(record)

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None) -> list[Problem]:
        """Every value of a chunk that cannot be written."""
        return self._writer.problems(chunk, identity)

    def encode(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        """The file in blocks; see `Codec.encode`."""
        problems = self._writer.unwritable.of_identity(identity)
        if problems:
            raise EncodeError(problems)
        blocks = FileWriter(self._writer, self._plan, identity, chunks).blocks()
        if self._framing.final_eol:
            yield from blocks
            return
        pending = b""
        for block in blocks:
            if pending:
                yield pending
            pending = block
        yield pending.removesuffix(self._framing.line_end)

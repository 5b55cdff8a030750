"""The platform's batch in its three file formats."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import Any, Literal, cast

from formats.errors import BatchError
from formats.records import Payment
from formats.standard import BatchReader, open_batch, write_batch
from tests.fuzz.pieces import Pieces, parts
from tests.fuzz.target import MIB, Target
from tests.standard.samples import batch_of, payment

_PLAIN = 0


class Memory:
    """Bytes that open like a file, more than once."""

    name = "batch"

    def __init__(self, content: bytes) -> None:
        self._content = content

    def open(self, mode: Literal["rb"], /) -> io.BufferedReader:
        return io.BufferedReader(cast(Any, io.BytesIO(self._content)))


def batch(content: bytes) -> None:
    """Payments and problems, each problem with its place; or a batch that cannot be read."""
    try:
        reader = open_batch(Memory(content))
    except BatchError as error:
        assert error.problems
        return
    _read(reader)


def _read(reader: BatchReader) -> None:
    with reader:
        for chunk in reader:
            assert all(len(values) == chunk.records.count for values in chunk.records.columns.values())
            assert all(type(amount) is int for amount in chunk.records.columns["payment.amount"])
            assert all(problem.message for problem in chunk.problems)
        assert len(reader.digest_sha256) == 64
    assert all(problem.message for problem in reader.final_problems)


def workbook(content: bytes) -> None:
    """A workbook as bytes, or one whose parts were exchanged and packed again."""
    pieces = Pieces(content)
    if pieces.byte() == _PLAIN:
        batch(pieces.rest())
        return
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        while not pieces.ended:
            name = pieces.part().decode("utf-8", "replace").replace("\0", "")
            with warnings.catch_warnings(action="ignore"):  # a name that comes twice
                archive.writestr(zipfile.ZipInfo(name[:200] or "x"), pieces.part())
    batch(packed.getvalue())


def _payments() -> list[Payment]:
    return [payment(number) for number in range(1, 4)]


def _written(file_format: str) -> bytes:
    sink = io.BytesIO()
    write_batch(sink, batch_of(_payments()), _payments(), cast(Any, file_format))
    return sink.getvalue()


def _workbook_seeds() -> list[bytes]:
    whole = _written("xlsx")
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = [(info.filename.encode(), archive.read(info)) for info in archive.infolist()]
    return [bytes([_PLAIN]) + whole, b"\1" + b"".join(parts(*member) for member in members)]


TARGETS = [
    Target(name="batch-csv", examine=batch, seeds=lambda: [_written("csv")]),
    Target(name="batch-jsonl", examine=batch, seeds=lambda: [_written("jsonl")]),
    Target(
        name="batch-xlsx",
        examine=workbook,
        seeds=_workbook_seeds,
        input_limit_bytes=64 * 1024,
        memory_bytes=128 * MIB,
    ),
]

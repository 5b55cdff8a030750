"""Opens a batch in any of the three file formats, or over objects, for checked reading.

What a file is shows in its first bytes, not in its name: `PK` a workbook, `{` JSON Lines,
else CSV.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from formats.errors import BatchError
from formats.records import Batch, Payment, Problem
from formats.standard import bytestream
from formats.standard.csv_source import CsvSource
from formats.standard.examine import BatchChunk, Examiner, RowSource
from formats.standard.jsonl_source import JsonLinesSource
from formats.standard.object_source import ObjectSource
from formats.standard.xlsx_source import XlsxSource

_HINT = "wanted CSV in UTF-8, JSON Lines or an .xlsx workbook"


class BatchReader:
    """One batch being read. Iterate once, to the end; then ask for digest and final problems.

    `final_problems` holds what concerns the batch as a whole: count and total against the
    envelope, repeated ids, a file that breaks off. Until it has been looked at, nothing
    of the batch may go anywhere.
    """

    def __init__(self, batch: Batch, source: RowSource, today: date | None) -> None:
        self.batch = batch
        self.final_problems: list[Problem] = []
        self._source = source
        self._examiner = Examiner(batch, source.places, today)
        self._digest = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[BatchChunk]:
        for block in self._source.blocks():
            chunk = self._examiner.examine(block)
            if chunk.records.count or chunk.problems:
                yield chunk
        self.final_problems = self._source.problems + self._examiner.final_problems(self._source.whole)
        self._digest = self._source.digest()

    @property
    def digest_sha256(self) -> str:
        """Digest of the file's bytes (of the canonical bytes for objects), lower-case hex.

        Raises `RuntimeError` before the iteration has ended.
        """
        if not self._digest:
            raise RuntimeError("the batch has not been read to its end")
        return self._digest

    def close(self) -> None:
        self._source.close()


def open_batch(file: str | Path | bytestream.BatchFile, *, today: date | None = None) -> BatchReader:
    """A reader over a batch file. `today` lets birth dates in the future be warned about.

    Raises `BatchError` where the file cannot be read at all: not there, empty, of another
    kind, its envelope or header row wrong. What comes later is a problem, not an exception.
    """
    path = Path(file) if isinstance(file, str) else file
    with bytestream.open_file(path) as stream:
        head = stream.read(8)
    source = _source(path, head)
    return BatchReader(source.batch, source, today)


def batch_from_payments(
    batch: Batch, payments: Iterable[Payment], *, today: date | None = None
) -> BatchReader:
    """The same reader over objects, which are walked once; lines count payments from 1.

    Raises `BatchError` where the envelope itself is wrong.
    """
    source = ObjectSource(batch, payments)
    return BatchReader(source.batch, source, today)


def _source(path: bytestream.BatchFile, head: bytes) -> CsvSource | JsonLinesSource | XlsxSource:
    if head.startswith(b"PK"):
        return XlsxSource(path)
    if head.startswith((b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xfe\xff", b"%PDF")):
        message = f"{path.name}: an old workbook, UTF-16 text or another kind of file"
        raise BatchError([Problem(code="file_kind", message=message, source=path.name, hint=_HINT)])
    if head.removeprefix(b"\xef\xbb\xbf").startswith(b"{"):
        return JsonLinesSource(path)
    return CsvSource(path)

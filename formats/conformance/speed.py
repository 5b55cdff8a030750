"""How fast a codec is, beside `csv` of the standard library on the same values in the same run.

A report, never a verdict: machines differ, and others work beside.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable

from formats.codec import Codec
from formats.conformance.report import Part, PartReport
from formats.conformance.round_trip import many_rows
from formats.conformance.subjects import Subject
from formats.conformance.writing import as_given, write
from formats.records import FileIdentity, RecordChunk

ROWS = 20_000
TURNS = 3


def check_speed(subject: Subject, rows: int = ROWS) -> PartReport:
    """Write and read many rows like those of the first golden file with payments."""
    report = PartReport(part=Part.SPEED)
    for vector in subject.clean:
        assert vector.content is not None, "only files that were read"
        given = as_given(subject.codec, vector.content.chunks)
        chunk = next((one for one in given if one.record == "payment" and one.count), None)
        if chunk is None:
            continue
        own = next(one for one in vector.content.chunks if one.record == "payment")
        many = many_rows(chunk, own, rows)
        raw = write(subject.codec, vector.identity, many)
        if not isinstance(raw, bytes):
            continue
        report.cases += 2 * TURNS
        report.notes.append(_compared(subject.codec, vector.identity, many, raw))
        break
    return report


def _compared(codec: Codec, identity: FileIdentity, many: list[RecordChunk], raw: bytes) -> str:
    text = _plain_write(many)
    writes = _best(lambda: write(codec, identity, many)) / _best(lambda: _plain_write(many))
    reads = _best(lambda: _read(codec, raw, identity)) / _best(lambda: _plain_read(text))
    count = sum(chunk.count for chunk in many)
    return (
        f"{count} rows of {len(raw) // count} bytes: written in {writes:.1f} times, read in {reads:.1f} times"
        " what csv takes for the same values"
    )


def _best(act: Callable[[], object]) -> float:
    """Seconds of the quickest turn."""
    seconds = []
    for _ in range(TURNS):
        start = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - start)
    return max(min(seconds), 1e-9)


def _read(codec: Codec, raw: bytes, identity: FileIdentity) -> int:
    return sum(chunk.count for chunk in codec.decode(io.BytesIO(raw), identity))


def _plain_write(many: list[RecordChunk]) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink)
    for chunk in many:
        writer.writerows(zip(*chunk.columns.values(), strict=True))
    return sink.getvalue()


def _plain_read(text: str) -> int:
    return sum(1 for _ in csv.reader(io.StringIO(text)))

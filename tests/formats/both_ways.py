"""Files read by the quick readers and by the plain ones: both must say the same.

Each function reads a file both ways, compares all that was said, and asserts. `faults` is how many
mistakes a file may have: of several the quick and the plain reader may meet another one first.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from formats import Codec, DecodeError
from formats.flat import fixed, row_reader
from formats.xml import stream as xml_stream
from formats.xml.runs import Run, RunFinder

PLAIN, PARSED = (
    partial(RunFinder, least_rows=1),
    lambda _, columns, *rest: RunFinder("", columns, *rest),
)


class Trickle(io.RawIOBase):
    """A stream that gives at most so many bytes at once."""

    def __init__(self, raw: bytes, most: int) -> None:
        self._raw, self._most, self._at = raw, most, 0

    def read(self, size: int = -1) -> bytes:
        found = self._raw[self._at : self._at + (self._most if size < 0 else min(size, self._most))]
        self._at += len(found)
        return found


@contextmanager
def reading_with(finder: Callable[..., RunFinder]) -> Iterator[list[Run]]:
    """While it lasts, files are cut by this; the runs that were found."""
    runs: list[Run] = []
    known, take = xml_stream.RunFinder, xml_stream.RecordStream._run

    def spied(self: Any, run: Run) -> Any:
        runs.append(run)
        return take(self, run)

    xml_stream.RunFinder = finder  # type: ignore[misc, assignment]
    xml_stream.RecordStream._run = spied  # type: ignore[method-assign]
    try:
        yield runs
    finally:
        xml_stream.RunFinder = known  # type: ignore[misc]
        xml_stream.RecordStream._run = take  # type: ignore[method-assign]


def xml_says(codec: Codec, raw: bytes, finder: Callable[..., RunFinder], most: int) -> tuple[Any, int]:
    """All that a file says, in one value, and how many records the parser was spared."""
    with reading_with(finder) as runs:
        decoder = codec.decode(Trickle(raw, most))
        columns: dict[str, list[Any]] = {}
        by_record: dict[str, list[int]] = {}
        try:
            for chunk in decoder:
                # What a statement says of payments comes between its bookings, sooner or later.
                by_record.setdefault(chunk.record, []).extend(chunk.lines)
                before = "" if chunk.record == "payment" else f"{chunk.record}: "
                for name, values in chunk.columns.items():
                    columns.setdefault(f"{before}{name}", []).extend(values)
        except DecodeError as error:
            (problem,) = error.problems
            return (problem.code, problem.line, problem.column, problem.message), 0
        lines = [line for record in sorted(by_record) for line in by_record[record]]
        # They come column by column of what is read together, which is more or less.
        told = sorted((one.line or 0, one.code, one.message) for one in decoder.problems)
        return (columns, lines, decoder.facts, told), sum(len(run.rows) for run in runs)


def xml_agrees(codec: Codec, raw: bytes, most: int = 1 << 18, faults: int = 1) -> int:
    """Both ways say the same; how many records the parser was spared.

    Of a file with several faults they may name different ones: the parser is told of more or less
    at once. What is wrong in a value is found where records are read, and more or fewer come together.
    """
    plain, spared = xml_says(codec, raw, PLAIN, most)
    parsed, none = xml_says(codec, raw, PARSED, most)
    assert none == 0
    refused = isinstance(parsed[0], str)
    assert isinstance(plain[0], str) == refused, (plain, parsed)
    if not refused or (faults == 1 and "field-invalid" not in (plain[0], parsed[0])):
        assert plain == parsed
    return spared


@contextmanager
def line_by_line() -> Iterator[None]:
    """While it lasts, nothing is taken apart in blocks, and few lines are looked at at once."""
    known = fixed.FixedReader.run, fixed.FixedReader.take, fixed.FixedReader.keys, row_reader._FIRST_LINES
    fixed.FixedReader.run = lambda *_, **__: None  # type: ignore[method-assign, assignment]
    fixed.FixedReader.take = lambda *_: None  # type: ignore[method-assign, assignment]
    fixed.FixedReader.keys = lambda self, plans, lines: lines  # type: ignore[method-assign]
    row_reader._FIRST_LINES = 3
    try:
        yield
    finally:
        fixed.FixedReader.run, fixed.FixedReader.take, fixed.FixedReader.keys = known[:3]  # type: ignore[method-assign]
        row_reader._FIRST_LINES = known[3]


def _rows_say(codec: Codec, raw: bytes) -> Any:
    """All that a file says, in one value."""
    decoder = codec.decode(io.BytesIO(raw))
    columns: dict[str, list[Any]] = {}
    lines: list[int] = []
    try:
        for chunk in decoder:
            lines += chunk.lines
            for name, values in chunk.columns.items():
                columns.setdefault(f"{chunk.record} {name}", []).extend(values)
    except DecodeError as error:
        return [(one.code, one.line, one.column, one.message) for one in error.problems]
    told = sorted((one.code, one.line, one.column, one.message) for one in decoder.problems)
    return columns, lines, decoder.facts, told


def rows_agree(codec: Codec, raw: bytes, faults: int = 1) -> Any:
    """Both ways say the same: what."""
    fast = _rows_say(codec, raw)
    with line_by_line():
        slow = _rows_say(codec, raw)
    if isinstance(fast, list) or isinstance(slow, list):
        # Of several faults the one that is found first is told, and that is by columns or by lines.
        assert isinstance(fast, list) == isinstance(slow, list), (fast, slow)
        if faults == 1:
            assert fast == slow
        return fast
    assert fast == slow
    return fast

"""Chunks cut into runs: the rows of one scope each, one after the other, as a stream."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter

from formats.flat.compiler import GROUP_ITEM, Plan, RowPlan
from formats.records import RecordChunk


class Run:
    """The chunks of one scope. Iterate it to its end before the next run is asked for."""

    def __init__(self, first: RecordChunk, rest: Iterator[tuple[int, RecordChunk]]) -> None:
        self.first = first
        self._chunks = chain([first], (chunk for _, chunk in rest))

    def __iter__(self) -> Iterator[RecordChunk]:
        return self._chunks


def runs_of(
    chunks: Iterable[RecordChunk], rows: Collection[RowPlan], plan: Plan, limit: int | None
) -> Iterator[Run]:
    """Runs of the chunks that are of these rows.

    A run ends where `group.item` changes, or at `limit` rows.
    """
    for _, parts in groupby(_parts(chunks, rows, plan, limit), key=itemgetter(0)):
        run = iter(parts)
        _, first = next(run)
        yield Run(first, run)


def _parts(
    chunks: Iterable[RecordChunk], rows: Collection[RowPlan], plan: Plan, limit: int | None
) -> Iterator[tuple[int, RecordChunk]]:
    """Pieces of chunks, each with the number of its run."""
    number, count, last = 0, 0, None
    for chunk in chunks:
        if not chunk.count:
            continue
        marks = chunk.columns.get(GROUP_ITEM) or [None] * chunk.count
        start = 0
        while start < chunk.count:
            if count == 0 or marks[start] != last or count == limit:
                number, count, last = number + 1, 0, marks[start]
            most = chunk.count - start if limit is None else min(chunk.count - start, limit - count)
            end = start + 1
            while end < start + most and marks[end] == last:
                end += 1
            piece = _piece(chunk, start, end)
            if any(plan.row_of(piece) is row for row in rows):
                yield number, piece
            count += end - start
            start = end


def _piece(chunk: RecordChunk, start: int, end: int) -> RecordChunk:
    if (start, end) == (0, chunk.count):
        return chunk
    return RecordChunk(
        record=chunk.record,
        count=end - start,
        columns={name: values[start:end] for name, values in chunk.columns.items()},
        lines=chunk.lines[start:end],
    )

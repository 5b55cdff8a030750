"""Rows back into bytes: a codec's `encode` with what it says it needs, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from formats.codec import Codec, Purpose
from formats.conformance.content import Content, Crash, Row, rows_of
from formats.errors import EncodeError
from formats.records import FileIdentity, Problem, RecordChunk

MADE = ("attempt.reference", "attempt.item")
"""In a request these are made by the codec, from sequence and place."""

MAPPED = ("outcome.status", "outcome.reason")
"""Read from the code, which stands beside them."""

Written = bytes | list[Problem] | Crash


def as_given(codec: Codec, chunks: Iterable[RecordChunk]) -> list[RecordChunk]:
    """Chunks that were read, as somebody would give them to be written."""
    made = MADE if codec.purpose is Purpose.REQUEST else ()
    given = []
    for chunk in _whole_rows(codec, list(chunks)):
        dropped = {*made, *(MAPPED if "outcome.code" in chunk.columns else ())}
        columns = {name: values for name, values in chunk.columns.items() if name not in dropped}
        given.append(RecordChunk(record=chunk.record, count=chunk.count, columns=columns, lines=chunk.lines))
    return given


def _whole_rows(codec: Codec, chunks: list[RecordChunk]) -> list[RecordChunk]:
    """Of a statement, a booking and what it says of a payment in one row again, as it is written.

    What is said of the account stands once, and is written from the identity; each row becomes an entry;
    the amount of a return is that of its detail.
    """
    if codec.purpose is not Purpose.STATEMENT:
        return chunks
    said: dict[int, tuple[RecordChunk, int]] = {
        line: (chunk, row)
        for chunk in chunks
        if chunk.record == "payment"
        for row, line in enumerate(chunk.lines)
    }
    found_names = {name for chunk, _ in said.values() for name in chunk.columns}
    names = sorted(name for name in found_names if name.startswith("outcome.") and name != "outcome.amount")
    whole = []
    for chunk in chunks:
        if chunk.record != "statement":
            continue
        found = [said.get(line) for line in chunk.lines]
        outcomes = {name: [one and one[0].columns[name][one[1]] for one in found] for name in names}
        own = {
            name: values
            for name, values in chunk.columns.items()
            if not name.startswith("group.") and name != "statement.entry"
        }
        whole.append(replace(chunk, columns={**own, **outcomes}))
    return whole


def identity_for(codec: Codec, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> FileIdentity:
    """The identity, with count and total of these payments where the file is a request."""
    if codec.purpose is not Purpose.REQUEST:
        return identity
    own = [chunk for chunk in chunks if chunk.record == "payment"]
    total = sum(sum(chunk.columns.get("payment.amount", ())) for chunk in own)
    return replace(identity, count=sum(chunk.count for chunk in own), total_minor=total)


def write(codec: Codec, identity: FileIdentity, chunks: list[RecordChunk]) -> Written:
    """The file; the problems of what is refused; or the error that should not have been."""
    try:
        return b"".join(codec.encode(identity_for(codec, identity, chunks), chunks))
    except EncodeError as error:
        return error.problems
    except Exception as error:  # noqa: BLE001 - whatever a codec raises here is what is looked for
        return Crash(kind=type(error).__name__)


def refusals(codec: Codec, identity: FileIdentity, chunks: list[RecordChunk]) -> list[Problem] | Crash:
    """What `problems` says of all chunks: [] where all of it can be written."""
    try:
        return [problem for chunk in chunks for problem in codec.problems(chunk, identity)]
    except Exception as error:  # noqa: BLE001 - as above
        return Crash(kind=type(error).__name__)


def lost(codec: Codec, given: list[RecordChunk], content: Content) -> list[str]:
    """What does not come back as it was given, each with its place; [] where all does."""
    found = rows_of(as_given(codec, content.chunks))
    wanted = rows_of(given)
    told = [
        f"{record}: {len(found.get(record, []))} rows came back of {len(rows)}"
        for record, rows in wanted.items()
        if len(found.get(record, [])) != len(rows)
    ]
    for record, rows in wanted.items():
        for number, (one, two) in enumerate(zip(rows, found.get(record, []), strict=False), start=1):
            told += [f"{record} {number} {name}" for name in _lost_names(one, two)]
    return told


def _lost_names(given: Row, found: Row) -> list[str]:
    return [name for name, value in given.items() if name not in MAPPED and found.get(name) != value]


def changed_cell(chunks: list[RecordChunk], place: tuple[int, int, str], value: object) -> list[RecordChunk]:
    """The chunks with one cell changed: chunk, row, name; what is said of a scope, in all of them."""
    number, row, name = place
    return [
        _with(chunk, name, [value] * chunk.count)
        if name.startswith("group.")
        else _with(chunk, name, [*chunk.columns[name][:row], value, *chunk.columns[name][row + 1 :]])
        if index == number
        else chunk
        for index, chunk in enumerate(chunks)
    ]


def _with(chunk: RecordChunk, name: str, values: list[object]) -> RecordChunk:
    if name not in chunk.columns:
        return chunk
    return replace(chunk, columns={**chunk.columns, name: values})

"""What is written comes back: golden rows with other values, one at a time and in many rows.

Two properties, for any codec. What `problems` permits is written, read without a problem, and says
the same. What `problems` refuses, `encode` refuses too: nothing is cut or changed in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from formats.codec import CHUNK_RECORDS, Codec
from formats.conformance.content import Content, Crash, Refusal, read
from formats.conformance.report import Part, PartReport
from formats.conformance.subjects import Subject
from formats.conformance.vectors import Vector
from formats.conformance.writing import as_given, changed_cell, identity_for, lost, refusals, write
from formats.language.meanings import Shape, shape_of
from formats.records import Problem, RecordChunk
from formats.reference import make_references, parse_reference

TEXTS = (
    "A",
    "7",
    "0012",
    "王",
    "阿依古丽·买买提",
    "東䶮",
    "O'Neil & Sons <1>",
    'a b; "c" | d, e',
    "100%s {0} \\n",
    "\u1e3f\u9fb4",
    "\U00020087",
    "ｶﾅ",
    "Ä",
    " A",
    "A ",
    "A\tB",
    "A\nB",
    "\x00",
    "",
)
"""Texts with what breaks formats: separators, escapes, bytes like separators, blanks at an end, controls."""

AMOUNTS = (0, 1, 9, 10, 50, 99, 100, 101, 12_345, 100_000, 123_456_789, 10**12 + 7, -1)
DATES = (date(2024, 2, 29), date(1999, 12, 31), date(2000, 1, 1), date(2068, 12, 31))
MANY_ROWS = CHUNK_RECORDS + 76
"""Rows of the long file: more than a chunk, so that what is read in bulk is read too."""

FIXED_NAMES = (
    "attempt.item",
    "attempt.reference",
    "outcome.code",
    "notice.code",
    "group.item",
    "statement.entry",
)
"""Not varied: they find the payment, or decide what stands beside them."""


def check_round_trip(subject: Subject) -> PartReport:
    """Vary every cell of every golden file that is right; then write one file of many rows."""
    report = PartReport(part=Part.ROUND_TRIP)
    accepted: dict[str, int] = {}
    for vector in subject.clean:
        assert vector.content is not None, "only files that were read"
        given = as_given(subject.codec, vector.content.chunks)
        tried = _trip(subject.codec, vector, given, report)
        if tried == "refused":
            written = write(subject.codec, vector.identity, given)
            why = _first(written) if isinstance(written, list) else ""
            _wrong(report, vector, f"cannot be written again as it was read: {why}", "")
        if tried != "written":
            continue
        for place, value in _changes(given):
            came = _trip(subject.codec, vector, changed_cell(given, place, value), report, place, value)
            accepted[place[2]] = accepted.get(place[2], 0) + (came == "written")
        _many(subject.codec, vector, given, report)
    for name in sorted(name for name, count in accepted.items() if not count):
        report.notes.append(f"{name}: no other value than those of the golden files can be written")
    if silent := sorted(_columns(subject) - accepted.keys() - set(FIXED_NAMES)):
        report.notes.append(f"in no golden file, hence not tried: {', '.join(silent)}")
    return report


def _columns(subject: Subject) -> set[str]:
    """What the codec writes of a payment."""
    return {name for name in subject.codec.columns() if name.partition(".")[0] in ("payment", "outcome")}


def _changes(given: list[RecordChunk]) -> Iterator[tuple[tuple[int, int, str], Any]]:
    """Each column of each chunk, with each value of its shape, in the first row that has one.

    A value where no row has one could call for a record that the row has not.
    """
    for number, chunk in enumerate(given):
        for name, values in sorted(chunk.columns.items()):
            if name in FIXED_NAMES:
                continue
            row = next((row for row, value in enumerate(values) if value not in (None, "")), None)
            for value in values_for(name) if row is not None else ():
                if row is not None and value != values[row]:
                    yield (number, row, name), value


def values_for(name: str) -> tuple[Any, ...]:
    """What may stand under a meaning, by its shape."""
    shape = shape_of(name)
    if shape is Shape.TEXT:
        return TEXTS
    return {Shape.AMOUNT: AMOUNTS, Shape.DATE: DATES}.get(shape or Shape.TEXT, ())


def _trip(
    codec: Codec,
    vector: Vector,
    given: list[RecordChunk],
    report: PartReport,
    place: tuple[int, int, str] | None = None,
    value: object = None,
) -> str:
    """Write and read once: `written`, `refused`, or `wrong` with the problem noted."""
    report.cases += 1
    what = "as it was read" if place is None else f"with {place[2]} = {_described(value)}"
    identity = identity_for(codec, vector.identity, given)
    foreseen, written = refusals(codec, identity, given), write(codec, vector.identity, given)
    for crash in (foreseen, written):
        if isinstance(crash, Crash):
            return _wrong(report, vector, f"{what}: failed with {crash.kind}", "a codec raises EncodeError")
    if isinstance(written, list):
        return "refused"
    if foreseen and isinstance(foreseen, list):
        message = f"{what}: written, though refused before: {foreseen[0].message}"
        return _wrong(report, vector, message, "`problems` and `encode` must say the same")
    assert isinstance(written, bytes), "neither refused nor failed"
    return _back(codec, vector, given, written, report, what)


def _back(
    codec: Codec, vector: Vector, given: list[RecordChunk], written: bytes, report: PartReport, what: str
) -> str:
    reading = read(codec, written, identity_for(codec, vector.identity, given))
    if isinstance(reading, Refusal):
        message = f"{what}: what was written is not read: {reading.problem.message}"
        return _wrong(report, vector, message, "what the codec writes it must take")
    if isinstance(reading, Crash):
        return _wrong(report, vector, f"{what}: reading failed with {reading.kind}", "")
    assert isinstance(reading, Content), "the third of three"
    if reading.problems:
        message = f"{what}: what was written is read with {', '.join(sorted(set(reading.problems)))}"
        return _wrong(report, vector, message, "totals and constants must be those that were written")
    gone = lost(codec, given, reading)
    if gone:
        message = f"{what}: {gone[0]} came back otherwise"
        return _wrong(report, vector, message, "what does not fit is refused, never cut or changed")
    return "written"


def _wrong(report: PartReport, vector: Vector, message: str, hint: str) -> str:
    report.add("round-trip", f"{vector.name} {message}", hint=hint, source=vector.name)
    return "wrong"


def _described(value: object) -> str:
    """Values of this module are made up: they may be shown."""
    return ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)


def _many(codec: Codec, vector: Vector, given: list[RecordChunk], report: PartReport) -> None:
    """The payments of the file again and again, with numbers of their own."""
    chunk = next((chunk for chunk in given if chunk.record == "payment" and chunk.count), None)
    if chunk is None or vector.content is None:
        return
    own = next(one for one in vector.content.chunks if one.record == "payment")
    many = many_rows(chunk, own, MANY_ROWS)
    written = write(codec, vector.identity, many)
    report.cases += 1
    if isinstance(written, bytes):
        _back(codec, vector, many, written, report, f"{MANY_ROWS} rows")
    elif isinstance(written, Crash):
        _wrong(report, vector, f"{MANY_ROWS} rows: failed with {written.kind}", "")
    else:
        report.notes.append(f"{vector.name}: {MANY_ROWS} rows are refused: {_first(written)}")


def many_rows(given: RecordChunk, read_chunk: RecordChunk, count: int) -> list[RecordChunk]:
    """`count` rows like those given, in chunks as large as they are read, numbered from 1."""
    columns = {
        name: [values[row % given.count] for row in range(count)] for name, values in given.columns.items()
    }
    if "attempt.item" in given.columns:
        columns["attempt.item"] = list(range(1, count + 1))
    reference = read_chunk.columns.get("attempt.reference", [""])[0] or ""
    parsed = parse_reference(reference)
    if "attempt.reference" in given.columns and parsed is not None:
        columns["attempt.reference"] = make_references(parsed[0], range(1, count + 1), len(reference))
    return [
        RecordChunk(
            record=given.record,
            count=len(range(count)[start : start + CHUNK_RECORDS]),
            columns={name: values[start : start + CHUNK_RECORDS] for name, values in columns.items()},
            lines=range(start + 1, min(count, start + CHUNK_RECORDS) + 1),
        )
        for start in range(0, count, CHUNK_RECORDS)
    ]


def _first(problems: list[Problem]) -> str:
    return problems[0].message

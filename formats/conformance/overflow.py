"""Totals that no longer fit: a file of the largest amounts is refused, or right to the last fen."""

from __future__ import annotations

from formats.conformance.content import Content, read
from formats.conformance.limits import LARGEST, Spot, largest, spots
from formats.conformance.report import Part, PartReport
from formats.conformance.round_trip import many_rows
from formats.conformance.subjects import Subject
from formats.conformance.writing import identity_for, lost, refusals, write
from formats.language.meanings import Shape
from formats.records import RecordChunk

ROWS = (1, 2, 11, 101, 1001)
"""So many payments of the largest amount: a total of one, two, three digits more than an amount."""


def check_totals(subject: Subject) -> PartReport:
    """Write more and more of the largest amount, until the totals refuse."""
    report = PartReport(part=Part.TOTALS)
    for spot in spots(subject, Shape.AMOUNT):
        chunk = spot.given[spot.place[0]]
        if chunk.record == "payment" and not spot.place[2].startswith("fee."):
            _check(subject, spot, chunk, report)
    return report


def _check(subject: Subject, spot: Spot, chunk: RecordChunk, report: PartReport) -> None:
    codec, vector = subject.codec, spot.vector
    assert vector.content is not None, "only files that were read"

    def fits(amount: int) -> bool:
        given = spot.filled(amount)
        return refusals(codec, identity_for(codec, vector.identity, given), given) == []

    if not fits(1) and not fits(100):
        return
    step = 1 if fits(1) else 100
    amount = step * largest(lambda times: fits(times * step), LARGEST // step)
    own = next(one for one in vector.content.chunks if one.record == "payment")
    filled = spot.filled(amount)[spot.place[0]]
    row = RecordChunk(
        record=filled.record,
        count=1,
        columns={name: [values[spot.place[1]]] for name, values in filled.columns.items()},
    )
    for count in ROWS:
        report.cases += 1
        given = many_rows(row, own, count)
        written = write(codec, vector.identity, given)
        where = f"{subject.name}: {count} x {spot.place[2]} = {amount}"
        if isinstance(written, list):
            report.notes.append(f"{where}: refused, a total has no room")
            return
        if not isinstance(written, bytes):
            report.add("totals-overflow", f"{where}: failed with {written.kind}", hint="raise EncodeError")
            return
        reading = read(codec, written, identity_for(codec, vector.identity, given))
        if not isinstance(reading, Content) or reading.problems or lost(codec, given, reading):
            hint = "a total that does not fit is refused: it is never cut, and never wraps"
            report.add("totals-overflow", f"{where}: written, and not read back as it was", hint=hint)
            return

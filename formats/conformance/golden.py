"""Golden vectors held against what the codec makes of them, both ways."""

from __future__ import annotations

from formats.codec import Purpose
from formats.conformance.content import Content, Crash, Refusal, changed_names, differences, shown
from formats.conformance.report import Part, PartReport
from formats.conformance.subjects import Subject
from formats.conformance.vectors import VECTORS, Expected, RowTable, Vector
from formats.conformance.writing import as_given, write
from formats.reasons import Status

_SHOWN_CELLS = 5


def check_vectors(subject: Subject) -> PartReport:
    """Read every golden file, compare it with its JSON, write it again."""
    report = PartReport(part=Part.VECTORS)
    for vector in subject.vectors:
        report.cases += 1
        _check(subject, vector, report)
    if not subject.clean:
        hint = f"put a file that the bank would take or give into {VECTORS}/{subject.name}/, with its JSON"
        report.add(
            "vector-missing", f"{subject.name}: no golden file that is read without a problem", hint=hint
        )
    elif subject.codec.purpose is Purpose.RESULT:
        _check_statuses(subject, report)
    return report


def _check(subject: Subject, vector: Vector, report: PartReport) -> None:
    reading, expected = vector.reading, vector.expected
    if isinstance(reading, Crash):
        hint = "a codec raises DecodeError for every file that it does not take"
        report.add(
            "crash", f"{vector.name}: reading failed with {reading.kind}", hint=hint, source=vector.name
        )
    elif isinstance(reading, Refusal):
        _check_refusal(vector, reading, report)
    elif expected.refused is not None:
        message = f"{vector.name}: was read, wanted a refusal as {expected.refused.code}"
        report.add("vector-differs", message, hint="is the file that bad one?", source=vector.name)
    else:
        _check_content(vector, reading, report)
        _check_written(subject, vector, reading, report)


def _check_refusal(vector: Vector, reading: Refusal, report: PartReport) -> None:
    problem, wanted = reading.problem, vector.expected.refused
    if wanted is None:
        hint = "mend the layout, or say in the JSON that the file is refused"
        message = f"{vector.name}: refused: {problem.message}"
        report.add("vector-refused", message, hint=hint, source=vector.name, line=problem.line)
    elif problem.code != wanted.code or (wanted.line is not None and problem.line != wanted.line):
        message = (
            f"{vector.name}: refused as {problem.code} in line {problem.line},"
            f" wanted {wanted.code} in line {wanted.line}"
        )
        report.add("vector-differs", message, source=vector.name, line=problem.line)


def _check_content(vector: Vector, content: Content, report: PartReport) -> None:
    expected = vector.expected
    told = list(differences(content.records, _kept(expected)))
    facts = content.facts
    told += [
        f"{name}: found {shown(name, facts.get(name))}, wanted {shown(name, expected.facts.get(name))}"
        for name in changed_names(facts, expected.facts)
    ]
    if content.problems != expected.problems:
        found, wanted = ", ".join(content.problems) or "none", ", ".join(expected.problems) or "none"
        told.append(f"problems: found {found}, wanted {wanted}")
    hint = "the layout or the JSON is wrong: look into the bank's paper"
    if "total-differs" in content.problems and "total-differs" not in expected.problems:
        hint += "; an answer that lists only some payments needs count and total_minor in the JSON's identity"
    for cell in told[:_SHOWN_CELLS]:
        report.add("vector-differs", f"{vector.name}: {cell}", hint=hint, source=vector.name)
    report.more_problems += len(told[_SHOWN_CELLS:])


def _kept(expected: Expected) -> dict[str, list[dict[str, object]]]:
    """Rows as `rows_of` has them: what is absent may be written out in a JSON."""
    return {
        record: [
            {
                name: value
                for name, value in row.items()
                if value not in (None, "") or (name == "outcome.code" and value == "")
            }
            for row in (rows.unfolded() if isinstance(rows, RowTable) else rows)
        ]
        for record, rows in expected.records.items()
    }


def _check_written(subject: Subject, vector: Vector, content: Content, report: PartReport) -> None:
    """A file that is right is written again to the same bytes, unless its JSON says why not."""
    said = vector.expected.rewritten
    if content.problems or said is not True:
        if isinstance(said, str):
            report.notes.append(f"{vector.name}: written otherwise: {said}")
        return
    written = write(subject.codec, vector.identity, as_given(subject.codec, content.chunks))
    if written == vector.raw:
        return
    hint = 'if the bank writes it otherwise than it must be: "rewritten": "why"'
    if isinstance(written, bytes):
        place = next(
            (at for at, (one, two) in enumerate(zip(written, vector.raw, strict=False)) if one != two),
            min(len(written), len(vector.raw)),
        )
        line = vector.raw.count(b"\n", 0, place) + 1
        message = f"{vector.name} line {line}: written otherwise from byte {place + 1} of the file on"
        report.add("rewritten-differs", message, hint=hint, source=vector.name, line=line)
    elif isinstance(written, Crash):
        message = f"{vector.name}: writing failed with {written.kind}"
        report.add("crash", message, hint="a codec raises EncodeError", source=vector.name)
    else:
        message = f"{vector.name}: cannot be written again: {written[0].message}"
        report.add("rewritten-differs", message, hint=hint, source=vector.name)


def _check_statuses(subject: Subject, report: PartReport) -> None:
    """Both a success and something else must have been seen, where the layout knows both."""
    if subject.layout is None:
        return
    known = {code.status for code in subject.layout.outcome_codes}
    seen = {
        row.get("outcome.status")
        for vector in subject.vectors
        if vector.content is not None
        for row in vector.content.records.get("payment", [])
    }
    for wanted, statuses in (
        ("a payment that was credited", known & {Status.CREDITED}),
        ("a payment that was not credited", known - {Status.CREDITED}),
    ):
        if statuses and not seen & {status.value for status in statuses}:
            hint = "add one: the bank's test system gives them"
            report.add("vector-coverage", f"{subject.name}: no golden file has {wanted}", hint=hint)

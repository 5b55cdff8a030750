"""Codes: each means what the table says, each of the paper's is mapped, and no other means anything.

A code that nobody listed must come out as unknown and unmapped: a success would be believed, a
failure would be paid twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from formats.conformance.code_spelling import warn_of_spelling
from formats.conformance.content import Content, Row, read
from formats.conformance.declared import FILE, OUTCOME, DeclaredCode
from formats.conformance.limits import Spot, spots
from formats.conformance.report import Part, PartReport
from formats.conformance.subjects import Subject
from formats.conformance.writing import as_given, write
from formats.language.meanings import Shape
from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict

STRANGE = ("ZZ", "Z9", "Q", "zzzz", "X0X", "77777", "ZZZZ/ZZ99", "00Z", "?")
"""Codes that hardly any bank has; those that a table lists are left out."""

_CODE, _FILE_CODE = "outcome.code", "file.code"


def check_codes(subject: Subject) -> PartReport:
    """Write each code and read what it means."""
    report = PartReport(part=Part.CODES)
    if subject.layout is not None:
        warn_of_spelling(subject.layout, report)
    spot = next((one for one in spots(subject, Shape.TEXT) if one.place[2] == _CODE), None)
    blank = None if spot is not None else _blank_spot(subject)
    place = spot or blank
    if place is not None:
        _Outcomes(subject, place, report).check()
    elif subject.declared is not None and subject.declared.of(OUTCOME):
        _by_table(subject, report)
    if any(vector.content is not None and _FILE_CODE in vector.content.facts for vector in subject.clean):
        _Files(subject, report).check()
    if subject.declared is None and (place is not None or _has_file_codes(subject)):
        hint = f"write the paper's list of codes into {subject.name}.codes, one a line"
        message = f"{subject.name}: no list of the bank's codes: whether all are mapped is not known"
        report.add("codes-undeclared", message, hint=hint, warns=True)
    return report


def _blank_spot(subject: Subject) -> Spot | None:
    """Where every code of the golden files is blank."""
    for vector in subject.clean:
        assert vector.content is not None, "only files that were read"
        given = as_given(subject.codec, vector.content.chunks)
        for number, chunk in enumerate(given):
            if chunk.count and _CODE in chunk.columns:
                return Spot(vector=vector, given=given, place=(number, 0, _CODE))
    return None


def _has_file_codes(subject: Subject) -> bool:
    return subject.layout is not None and bool(subject.layout.file_codes)


def _by_table(subject: Subject, report: PartReport) -> None:
    """A layout without a code in any golden file: its table is looked at as it stands."""
    if subject.layout is None or subject.declared is None:
        return
    known = {code.code for code in subject.layout.outcome_codes}
    for declared in subject.declared.of(OUTCOME):
        if declared.code not in known and not declared.unmapped:
            add_unmapped(subject, declared, OUTCOME, report)


def add_unmapped(subject: Subject, code: DeclaredCode, table: str, report: PartReport) -> None:
    """A code of the paper that the layout does not know."""
    source = subject.declared.source if subject.declared is not None else ""
    shown = code.code or "blank"
    hint = (
        f"add it to [codes.{table}] of {subject.name}.toml; or `{shown}  unmapped` here, where a person"
        " shall look each time"
    )
    message = f"{source} line {code.line}: {shown} is a code of the bank, and not mapped"
    report.add("code-unmapped", message, hint=hint, source=source, line=code.line)


class _Outcomes:
    """The codes of payments."""

    def __init__(self, subject: Subject, spot: Spot, report: PartReport) -> None:
        self._subject, self._spot, self._report = subject, spot, report

    def check(self) -> None:
        listed = self._listed()
        for code, status, reason in listed:
            self._mapped(code, status, reason)
        declared = self._subject.declared.of(OUTCOME) if self._subject.declared else []
        known = {code for code, _, _ in listed}
        for one in declared:
            if one.code not in known and not one.unmapped and self._is_unmapped(one.code):
                add_unmapped(self._subject, one, OUTCOME, self._report)
        known |= {one.code for one in declared}
        for strange in self._strange(known):
            self._stays_unmapped(strange)
        self._note_coverage(known)

    def _listed(self) -> list[tuple[str, str, str]]:
        """What the layout's table says; of a codec in code, nothing is known."""
        layout = self._subject.layout
        codes = () if layout is None else layout.outcome_codes
        return [(code.code, code.status.value, code.reason.value) for code in codes]

    def _strange(self, known: set[str]) -> Iterator[str]:
        """Codes that are none: made up, and those of the table a little changed."""
        tried = list(STRANGE)
        if self._subject.layout is None:
            # A codec in code may know codes that nobody told of here: only what hardly any bank has.
            known = known | self._seen()
        else:
            near = {code.lower() for code in known} | {f"{code}9" for code in known}
            tried += ["", *sorted(near | {code[:-1] for code in known})]
        yield from (code for code in dict.fromkeys(tried) if code not in known)

    def _seen(self) -> set[str]:
        """Codes of the golden files."""
        return {str(row.get(_CODE)) for row in _rows(self._subject) if _CODE in row}

    def _row(self, code: str) -> Row | None:
        """The row with another code in it, as it is read; None where that cannot be written."""
        self._report.cases += 1
        given = self._spot.filled(code)
        written = write(self._subject.codec, self._spot.vector.identity, given)
        if not isinstance(written, bytes):
            return None
        reading = read(self._subject.codec, written, self._spot.vector.identity)
        if not isinstance(reading, Content):
            return None
        rows = reading.records.get(given[self._spot.place[0]].record, [])
        return rows[self._spot.place[1]] if self._spot.place[1] < len(rows) else None

    def _mapped(self, code: str, status: str, reason: str) -> None:
        row = self._row(code)
        if row is None:
            return
        found = (row.get("outcome.status"), row.get("outcome.reason", ""))
        if found != (status, reason) and row.get(_CODE, "") == code:
            message = f"{self._subject.name}: {code or 'blank'} is read as {found[0]} {found[1]}".rstrip()
            self._report.add("code-differs", f"{message}, the table says {status} {reason}".rstrip())

    def _is_unmapped(self, code: str) -> bool:
        row = self._row(code)
        return row is None or row.get("outcome.reason") == Reason.UNMAPPED.value

    def _stays_unmapped(self, code: str) -> None:
        row = self._row(code)
        if row is None or row.get(_CODE, "") != code:
            return
        status, reason = row.get("outcome.status"), row.get("outcome.reason")
        if status is None and not code:
            return  # nothing is said of a payment
        if (status, reason) != (Status.UNKNOWN.value, Reason.UNMAPPED.value):
            hint = "what is not listed is unknown and UNMAPPED: a default pays twice, or never"
            shown = repr(code) if code else "a blank"
            message = f"{self._subject.name}: {shown}, which no list has, is read as {status} {reason or ''}"
            self._report.add("code-default", message.rstrip(), hint=hint)

    def _note_coverage(self, known: set[str]) -> None:
        seen = self._seen() & known
        if known:
            self._report.notes.append(f"{len(seen)} of {len(known)} codes occur in golden files")


class _Files:
    """The codes of files as a whole."""

    def __init__(self, subject: Subject, report: PartReport) -> None:
        self._subject, self._report = subject, report
        self._vector = next(
            vector
            for vector in subject.clean
            if vector.content is not None and _FILE_CODE in vector.content.facts
        )

    def check(self) -> None:
        layout = self._subject.layout
        listed = () if layout is None else layout.file_codes
        for code in listed:
            self._expect(code.code, code.verdict.value)
        known = {code.code for code in listed}
        for one in self._subject.declared.of(FILE) if self._subject.declared else ():
            if one.code not in known and not one.unmapped and self._verdict(one.code) in (None, _UNMAPPED):
                add_unmapped(self._subject, one, FILE, self._report)
            known.add(one.code)
        if layout is None:
            known.add(str((self._vector.content.facts if self._vector.content else {}).get(_FILE_CODE)))
        for strange in (*STRANGE, *(() if layout is None else ("",))):
            verdict = None if strange in known else self._verdict(strange)
            if verdict not in (None, _UNMAPPED) and layout is not None and layout.file_codes:
                hint = "what is not listed is unmapped"
                message = f"{self._subject.name}: {strange!r} of the file, which no list has, is {verdict}"
                self._report.add("code-default", message, hint=hint)

    def _expect(self, code: str, verdict: str) -> None:
        found = self._verdict(code)
        if found is not None and found != verdict:
            message = (
                f"{self._subject.name}: {code or 'blank'} of the file is {found}, the table says {verdict}"
            )
            self._report.add("code-differs", message)

    def _verdict(self, code: str) -> str | None:
        """What the file's code means; None where it cannot be written, or comes back otherwise."""
        self._report.cases += 1
        assert self._vector.content is not None, "only files that were read"
        codec = self._subject.codec
        identity = replace(self._vector.identity, code=code)
        written = write(codec, identity, as_given(codec, self._vector.content.chunks))
        reading = read(codec, written, identity) if isinstance(written, bytes) else None
        if not isinstance(reading, Content) or reading.facts.get(_FILE_CODE, "") != code:
            return None
        found = reading.facts.get("file.verdict")
        return None if found is None else str(found)


_UNMAPPED = AcknowledgementVerdict.UNMAPPED.value


def _rows(subject: Subject) -> Iterator[Row]:
    for vector in subject.vectors:
        if vector.content is not None:
            for rows in vector.content.records.values():
                yield from rows

"""Golden files damaged on purpose: each byte changed, cut at each byte, lines lost, doubled, swapped.

A change must be found: the file is refused, a problem is told, or another value is read, which the
gateway compares with what it sent. A change that nothing notices is a finding, unless the byte
provably means nothing (`places.py`), or the vector's JSON says that it does, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from formats.codec import Purpose
from formats.conformance.content import Content, Crash, Reading, Refusal, Row, changed_names, read
from formats.conformance.places import Places
from formats.conformance.report import Meaningless, Part, PartReport
from formats.conformance.subjects import Subject
from formats.conformance.vectors import Vector
from formats.language.model import Syntax
from formats.reasons import Reason, Status

CHANGES = 2
"""Values that each byte is changed to, unless asked otherwise."""

XML_CUT_STRIDE = 16
"""XML is cut at each so many bytes, and at each of the last so many."""

_KEYS = ("attempt.reference", "attempt.item")
_WORTH = (*_KEYS, "outcome.amount", "outcome.code", "payment.amount", "payment.account", "payment.payee_name")
"""What no cut may change in a row that is still read: key, amount, code, account, name."""


def check_mutations(subject: Subject, changes: int = CHANGES) -> PartReport:
    """Damage every golden file that is read without a problem."""
    report = PartReport(part=Part.MUTATION)
    for vector in subject.clean:
        _Damage(subject, vector, report, changes).do()
    return report


class _Damage:
    """One golden file."""

    def __init__(self, subject: Subject, vector: Vector, report: PartReport, changes: int) -> None:
        assert vector.content is not None, "only files that were read"
        self._subject, self._vector, self._report, self._changes = subject, vector, report, changes
        self._whole: Content = vector.content
        self._places = Places(subject.layout, vector)
        self._known = self._known_codes()
        self._found: Counter[str] = Counter()
        self._quiet: Counter[tuple[str, str]] = Counter()
        self._successes: list[str] = []

    def do(self) -> None:
        for place in range(len(self._vector.raw)):
            self._change(place)
        is_xml = self._subject.layout is not None and self._subject.layout.syntax is Syntax.XML
        size = len(self._vector.raw)
        for place in range(1, size):
            # A document without its end is not well-formed wherever it was cut.
            if not is_xml or place % XML_CUT_STRIDE == 0 or place > size - XML_CUT_STRIDE:
                self._cut(place)
        if not is_xml:
            self._shuffle()
        self._note()

    def _read(self, raw: bytes) -> Reading:
        self._report.cases += 1
        reading = read(self._subject.codec, raw, self._vector.identity)
        if isinstance(reading, Crash):
            self._add("crash", f"a damaged file fails with {reading.kind}", "raise DecodeError")
        return reading

    def _add(self, code: str, message: str, hint: str, *, warns: bool = False) -> None:
        name = self._vector.name
        self._report.add(code, f"{name}: {message}", hint=hint, source=name, warns=warns)

    # One byte.

    def _change(self, place: int) -> None:
        raw = self._vector.raw
        for byte in near(raw[place], place)[: self._changes]:
            reading = self._read(raw[:place] + bytes([byte]) + raw[place + 1 :])
            if isinstance(reading, Refusal):
                self._found["refused"] += 1
            elif isinstance(reading, Content):
                self._judge(reading, place, byte)

    def _judge(self, content: Content, place: int, byte: int) -> None:
        whole = self._whole
        if content.problems != whole.problems or content.tolerated != whole.tolerated:
            self._found["told"] += 1
        elif content.records != whole.records or content.facts != whole.facts:
            self._found["another value read"] += 1
            self._look_at_codes(content, place)
        else:
            self._found["meaningless"] += 1
            self._explain(place, byte)

    def _explain(self, place: int, byte: int) -> None:
        where, why = self._places.meaningless(place, byte)
        if why:
            self._quiet[(where, why)] += 1
            return
        hint = (
            "does the paper say that it means nothing? Then say `ignored` there, or list it in the vector's"
            ' JSON under "meaningless" with the reason; else the codec must look at it'
        )
        shown = f"0x{byte:02X}" if not 0x20 <= byte < 0x7F else repr(chr(byte))
        self._add("byte-unseen", f"{where}: changed to {shown}, and nothing notices", hint)

    def _look_at_codes(self, content: Content, place: int) -> None:
        for row, before in self._pairs(content):
            status, reason = row.get("outcome.status"), row.get("outcome.reason")
            code = row.get("outcome.code")
            if status is None or code == before.get("outcome.code"):
                continue
            where = self._places.name(place)
            unmapped = (status, reason) == (Status.UNKNOWN.value, Reason.UNMAPPED.value)
            if code not in self._known and not unmapped and self._subject.layout is not None:
                hint = "what is not listed is unknown and UNMAPPED"
                self._add("code-default", f"{where}: {code!r}, which no list has, is read as {status}", hint)
            elif status == Status.CREDITED.value and before.get("outcome.status") != status:
                self._successes.append(f"{where}: {before.get('outcome.code')!r} as {code!r}")

    def _pairs(self, content: Content) -> Iterator[tuple[Row, Row]]:
        for record, rows in content.records.items():
            yield from zip(rows, self._whole.records.get(record, []), strict=False)

    def _known_codes(self) -> set[object]:
        layout, declared = self._subject.layout, self._subject.declared
        codes: set[object] = {code.code for code in layout.outcome_codes} if layout is not None else set()
        if declared is not None:
            codes |= {code.code for table in declared.codes.values() for code in table}
        return codes | {None}

    # What is lost.

    def _cut(self, place: int) -> None:
        reading = self._read(self._vector.raw[:place])
        if isinstance(reading, Content):
            self._look_for_padding(reading, place)
        if not isinstance(reading, Content) or reading.problems:
            self._found["cut: refused or told"] += 1
        elif self._as_whole(reading):
            self._found["cut: nothing is lost"] += 1
        else:
            self._found["cut: fewer rows, and nothing tells"] += 1

    def _look_for_padding(self, content: Content, place: int) -> None:
        """Rows of a file that was cut are those of the whole file, or none."""
        for record, rows in content.records.items():
            whole = self._whole.records.get(record, [])
            for number, (row, before) in enumerate(zip(rows, whole, strict=False), start=1):
                changed = [name for name in changed_names(row, before) if name in _WORTH]
                if changed:
                    message = f"cut after byte {place}, {record} {number} is read with another {changed[0]}"
                    self._add("cut-padded", message, "what is missing never makes a key, an amount or a code")

    def _as_whole(self, content: Content) -> bool:
        return (content.records, content.facts) == (self._whole.records, self._whole.facts)

    def _shuffle(self) -> None:
        lines = self._vector.raw.splitlines(keepends=True)
        for number, line in enumerate(lines):
            damaged = {
                "lost": lines[:number] + lines[number + 1 :],
                "doubled": [*lines[: number + 1], *lines[number:]],
                "swapped": [*lines[:number], *lines[number + 1 : number + 2], line, *lines[number + 2 :]],
            }
            for kind, others in damaged.items():
                if others == lines:
                    continue
                reading = self._read(b"".join(others))
                if isinstance(reading, Refusal) or (isinstance(reading, Content) and reading.problems):
                    self._found[f"line {kind}: refused or told"] += 1
                elif isinstance(reading, Content) and self._as_whole(reading):
                    self._line_unseen(number + 1, kind)
                else:
                    self._found[f"line {kind}: other rows, and nothing tells"] += 1

    def _line_unseen(self, number: int, kind: str) -> None:
        """A line that may be lost and nobody misses it says nothing: it must be one that is read over."""
        if self._places.read_over(number):
            self._found[f"line {kind}: one that is read over"] += 1
            return
        message = f"line {number} {kind}, and nothing notices"
        self._add("line-unseen", message, "give the record its place in `structure`, with an occurrence")

    def _note(self) -> None:
        report = self._report
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(self._found.items()))
        report.notes.append(f"{self._vector.name}: {told}")
        known = {(one.where, one.why): one.count for one in report.meaningless}
        for pair, count in self._quiet.items():
            known[pair] = known.get(pair, 0) + count
        report.meaningless = [Meaningless(where, why, count) for (where, why), count in sorted(known.items())]
        if self._successes and self._subject.codec.purpose is not Purpose.REQUEST:
            shown = "; ".join(self._successes[:3])
            message = (
                f"{len(self._successes)} changes of one byte make a success, and only the seal tells: {shown}"
            )
            hint = (
                "let the bank sign its results, or take totals of successes from the file where it has them"
            )
            self._add("success-by-one-byte", message, hint, warns=True)


def near(byte: int, place: int) -> list[int]:
    """Other values of a byte: first one that might pass for it, then others, by turns."""
    if 0x30 <= byte <= 0x39:
        first, others = 0x30 + (byte - 0x2F) % 10, bytes([0x30 + (byte - 0x31) % 10]) + b" A.\x00-"
    elif byte == 0x20:
        first, others = 0x30, b"A1\x00.\t"
    elif chr(byte).isalpha() and byte < 0x80:
        first, others = byte ^ 0x20, bytes([byte + 1]) + b" 0\x00|"
    elif byte >= 0x80:
        first, others = byte ^ 0x01, b" ?\x00\xff|"
    else:
        first, others = byte ^ 0x01, b" 0A\x00\n"
    turned = [others[(place + turn) % len(others)] for turn in range(len(others))]
    return [value for value in dict.fromkeys([first, *turned]) if value != byte]

"""A bank that can misbehave on purpose: requests in, acknowledgements and results out.

Pure: no clock, no network, no randomness; what it keeps goes into the store it is given.
Time comes in as a `Moment`, and what it wants to say comes out as `Posting`s, each with the
moment from which it may be seen. `server.py` puts it behind SFTP; a simulation can drive it
without one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from formats.errors import EncodeError, FormatError
from formats.records import AcknowledgementVerdict, Problem, Severity
from gateway.simulator.answers import Variant
from gateway.simulator.books import (
    Decisions,
    Paid,
    References,
    Taken,
    Truth,
    add_to_truth,
    draws_of,
    paid_items,
    references_of,
)
from gateway.simulator.entries import Part
from gateway.simulator.errors import ScenarioUnsupported
from gateway.simulator.forms import Desk
from gateway.simulator.moments import Moment, Posting
from gateway.simulator.scenario import Kind, Scenario
from gateway.simulator.seals import BankSeals
from gateway.simulator.store import Blob, Store
from gateway.simulator.support import REFUSED, unsupported
from gateway.simulator.writing import AnswerWriter
from keys.errors import SealError

# Later results of a file carry these serials, which no part of the first one has.
_CONTRADICTING_SERIAL = 8
_RETURNED_SERIAL = 9


class Arrival(Struct, frozen=True, kw_only=True):
    """A request that is complete. `name` is the file's name without what its parts add to it."""

    name: str
    data: Blob
    signature: Blob | None = None


class Refusal(Struct, frozen=True, kw_only=True):
    """A request that was not taken; nothing of it was paid."""

    name: str
    verdict: AcknowledgementVerdict
    why: str


class _Refused(Exception):
    """Why a request is not taken; `words` for the bank's answer, `read` where it could be read."""

    def __init__(
        self, verdict: AcknowledgementVerdict, words: str, why: str, read: Taken | None = None
    ) -> None:
        super().__init__(why)
        self.verdict, self.words, self.why, self.read = verdict, words, why, read


class SimulatedBank:
    """The model of one bank. Not safe for use by several threads.

    Raises `ScenarioUnsupported` where the bank's layouts cannot write what the scenario asks
    for, naming everything that they cannot.
    """

    def __init__(self, desk: Desk, seals: BankSeals, store: Store, scenario: Scenario | None = None) -> None:
        self.desk = desk
        self.refusals: list[Refusal] = []
        self._seals = seals
        self._store = store
        self._writer = AnswerWriter(desk, seals, store, Scenario())
        self._taken: list[Taken] = []
        self._opened = 0
        self._digests: set[str] = set()
        self._references = References()
        self.play(scenario or Scenario())

    @property
    def scenario(self) -> Scenario:
        return self._writer.scenario

    def play(self, scenario: Scenario) -> None:
        """Behave like this from now on; what was taken before stays as it was paid."""
        if missing := unsupported(self.desk, scenario):
            raise ScenarioUnsupported(
                f"bank {self.desk.profile.bank}: {'; '.join(missing)}",
                hint="choose another scenario, or a layout that can write it",
            )
        self._writer.scenario = scenario

    def arrive(self, arrival: Arrival, moment: Moment) -> list[Posting]:
        """Take a request, pay it, and say what will be answered when.

        A file or reference that was paid before is not paid again. Raises nothing for a bad
        request: it is refused, by an acknowledgement where the bank has one.
        """
        try:
            taken = self._take(arrival, moment.at)
        except _Refused as refused:
            refusal = Refusal(name=arrival.name, verdict=refused.verdict, why=refused.why)
            self.refusals.append(refusal)
            return [] if self.scenario.has(Kind.SILENT) else self._refuse(arrival, refused, moment)
        if self.scenario.has(Kind.SILENT):
            return []
        due = moment.after(1) if self.scenario.has(Kind.RESULT_FIRST) else moment
        accepted = AcknowledgementVerdict.ACCEPTED
        said = self._writer.acknowledgement(taken.name, accepted, "", moment, due, taken)
        return [*said, *self._results(arrival, taken, moment)]

    @property
    def files_taken(self) -> int:
        """How many files were taken and paid so far."""
        return len(self._taken)

    def took(self, name: str) -> bool:
        """Whether a file of that name was taken and paid."""
        return any(taken.name == name for taken in self._taken)

    def saw(self, name: str) -> bool:
        """Whether a file of that name arrived, taken or refused."""
        return self.took(name) or any(refusal.name == name for refusal in self.refusals)

    def truth(self) -> Truth:
        """What was really paid, counted anew from the files that were taken."""
        truth = Truth()
        for taken in self._taken:
            add_to_truth(truth, taken, self.desk.request)
        return truth

    def paid(self) -> Iterator[Paid]:
        """Every payment of every file that was taken, with what really became of it."""
        for taken in self._taken:
            yield from paid_items(taken, self.desk.request)

    def _take(self, arrival: Arrival, at: datetime) -> Taken:
        """The file, taken and paid. Raises `_Refused`."""
        try:
            content = self._open(arrival, at)
        except SealError as error:
            why = f"signature: {error}"
            legible = self._legible(arrival)
            raise _Refused(AcknowledgementVerdict.REJECTED, "签名错误", why, legible) from error
        try:
            taken, references = self._read(arrival.name, content)
        except FormatError as error:
            raise _Refused(AcknowledgementVerdict.REJECTED, "格式错误", f"content: {error}") from error
        if content.sha256 in self._digests:
            why = "the same file was taken before"
            raise _Refused(AcknowledgementVerdict.DUPLICATE, "文件重复", why, taken)
        if repeated := self._references.common(references):
            why = f"{repeated} references were taken before"
            raise _Refused(AcknowledgementVerdict.DUPLICATE, "明细重复", why, taken)
        if self.scenario.has(Kind.REJECT):
            why = "the scenario rejects every file"
            raise _Refused(AcknowledgementVerdict.REJECTED, "整批拒绝", why, taken)
        self._digests.add(content.sha256)
        self._references.update(references)
        self._taken.append(taken)
        return taken

    def _open(self, arrival: Arrival, at: datetime) -> Blob:
        # What comes again under a name must not take the place of what was paid.
        self._opened += 1
        name = f"content-{self._opened:06d}-{arrival.name}"
        return self._seals.open(self.desk.profile, arrival.data, arrival.signature, at, self._store, name)

    def _legible(self, arrival: Arrival) -> Taken | None:
        """What an unproven file says of itself: good enough to tell its sender that it is refused."""
        try:
            return self._read(arrival.name, arrival.data)[0]
        except FormatError:
            return None

    def _read(self, name: str, content: Blob) -> tuple[Taken, References]:
        """The file, read to its end, with its references. Raises `FormatError` where it is wrong."""
        references, decided = References(), Decisions(self.scenario.deciders())
        repeated = count = total_minor = 0
        with content.open() as source:
            decoder = self.desk.request.decode(source)
            for chunk in decoder:
                if chunk.record == "payment":
                    written = references_of(name, chunk, count + 1)
                    repeated += references.add(written)
                    decided.add(draws_of(self.scenario, chunk, written))
                    count += chunk.count
                    total_minor += sum(chunk.columns["payment.amount"])
        wrong = [problem for problem in decoder.problems if problem.severity is not Severity.WARNS]
        if repeated:
            wrong.append(Problem(code="reference-repeated", message=f"{repeated} references stand twice"))
        if wrong:
            raise FormatError(wrong)
        taken = Taken(
            ordinal=len(self._taken) + 1,
            name=name,
            content=content,
            count=count,
            total_minor=total_minor,
            facts=decoder.facts,
            scenario=self.scenario,
            decided=decided,
        )
        return taken, references

    def _refuse(self, arrival: Arrival, refused: _Refused, moment: Moment) -> list[Posting]:
        """An acknowledgement; where the bank has none, a result in which everything failed.

        A bank that cannot make out whose file it is says nothing.
        """
        taken = refused.read
        with contextlib.suppress(EncodeError):
            said = self._writer.acknowledgement(
                arrival.name, refused.verdict, refused.words, moment, moment, taken
            )
            if said:
                return said
        told = refused.verdict is AcknowledgementVerdict.REJECTED and self.desk.can_say(*REFUSED)
        if taken is None or not told:
            return []
        return self._writer.result(taken, Variant(refused=True), 1, moment, moment)

    def _results(self, arrival: Arrival, taken: Taken, moment: Moment) -> list[Posting]:
        """Everything that is said of single payments, now and later."""
        scenario, writer = self.scenario, self._writer
        due = moment.after(scenario.late_looks, scenario.late_hours) if scenario.has(Kind.LATE) else moment
        due = due.after(0, taken.result_after_hours)
        if scenario.has(Kind.ECHO):
            return writer.echo(taken, arrival.data, arrival.signature, moment, due)
        first = Variant(
            unmatched=scenario.has(Kind.UNMATCHED),
            fee_lines=scenario.plays(Kind.FEE_LINES),
            fee_column=scenario.plays(Kind.FEE_COLUMN),
        )
        variants = [replace(first, part=part) for part in (0, 1)] if scenario.has(Kind.IN_PARTS) else [first]
        postings: list[Posting] = []
        for serial, variant in enumerate(variants, 1):
            told = writer.result(taken, variant, serial, moment, due)
            postings += told
            if scenario.has(Kind.TWICE) and told and variant is variants[-1]:
                # The same bytes under another name; then other words under the name they had.
                postings += writer.again(told, taken, serial + 1, moment, due.after(1))
                words = replace(variant, again=True)
                postings += writer.result(taken, words, serial, moment, due.after(2))
        for kind, variant, serial, later in (
            (Kind.CONTRADICTING, Variant(only_contradicted=True), _CONTRADICTING_SERIAL, due.after(1)),
            (
                Kind.RETURNED,
                Variant(only_returned=True),
                _RETURNED_SERIAL,
                due.after(1, taken.returned_after_hours),
            ),
        ):
            if scenario.plays(kind):
                postings += writer.result(taken, variant, serial, moment, later)
        return [*postings, *self._statements(taken, moment, due)]

    def _statements(self, taken: Taken, moment: Moment, due: Moment) -> list[Posting]:
        """What was booked for a file; what comes back on a later day only then."""
        hours, writer = taken.returned_after_hours, self._writer
        if not hours:
            return writer.statement(taken, moment, due.after(1))
        later = due.after(1, hours)
        return [
            *writer.statement(taken, moment, due.after(1), Part.WITHOUT_RETURNS),
            *writer.statement(taken, later, later.after(1), Part.RETURNS),
        ]

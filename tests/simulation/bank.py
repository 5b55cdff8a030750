"""A simulated bank that keeps the truth, and what it ever told of it.

Beside the scenarios of `gateway.simulator` it can tell anything of a file that it took: another
status, a blank, a code that stands for a duplicate. What it told of each payment, and of files
as a whole, is kept by the content that told it, so that an auditor can name the lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from formats.errors import FormatError
from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict
from gateway.simulator.answers import ResultChunks, Variant, _Said, _Word
from gateway.simulator.bank import Arrival, SimulatedBank, _Refused
from gateway.simulator.books import Booked, Paid, Taken, paid_items
from gateway.simulator.forms import AnswerForm, CodeBook, Desk
from gateway.simulator.moments import Moment, Posting
from gateway.simulator.scenario import Scenario
from gateway.simulator.seals import BankSeals
from gateway.simulator.store import MemoryStore
from gateway.simulator.writing import AnswerWriter

TELLS_FROM = 2
"""Serials of results that are told out of turn: what a name leaves to a bank is one digit."""

Item = tuple[str, int]
"""A file's name and the number of a payment in it."""


class Told(StrEnum):
    """What can be told of one payment."""

    TRUTH = "truth"
    CREDITED = "credited"
    FAILED = "failed"
    RETURNED = "returned"
    SHORT = "short"
    IN_PROGRESS = "in progress"
    DUPLICATE = "duplicate"
    BLANK = "blank"


BLANK_SUCCESS = "blank, which stands for success"
BLANK = "blank, which stands for nothing"

Meant = Status | str
"""What is said of a payment: a status, or one of the two blanks."""


class Statement(Struct, frozen=True, kw_only=True):
    """What one posted content says."""

    file_name: str
    items: dict[int, Meant] = {}
    verdict: AcknowledgementVerdict | None = None


class TellingBank(SimulatedBank):
    """The model of one bank with its truth. `statements` are by the posted content's SHA-256."""

    def __init__(self, desk: Desk, seals: BankSeals, scenario: Scenario) -> None:
        store = MemoryStore()
        super().__init__(desk, seals, store)
        self._writer: _TellingWriter = _TellingWriter(desk, seals, store, Scenario())
        self.statements = self._writer.statements
        self.attested: set[str] = set()
        self.stays_short: set[Item] = set()
        """Payments of which it wrote that it makes up nothing."""
        """Names of files of which the bank confirmed in writing that it did not and will not pay them."""
        self._paid: dict[int, list[Paid]] = {}
        self._tellings: dict[str, int] = {}
        self.play(scenario)

    @property
    def names_taken(self) -> list[str]:
        return [taken.name for taken in self._taken]

    def paid(self) -> Iterator[Paid]:
        for taken in self._taken:
            yield from self.paid_in(taken)

    def paid_in(self, taken: Taken) -> list[Paid]:
        """What became of one file's payments; read once."""
        if taken.ordinal not in self._paid:
            self._paid[taken.ordinal] = list(paid_items(taken, self.desk.request))
        return self._paid[taken.ordinal]

    def truth_of(self, name: str) -> list[Paid]:
        """What became of a file's payments; [] where it was not taken."""
        return next((self.paid_in(taken) for taken in self._taken if taken.name == name), [])

    def tell(self, name: str, told: dict[int, Told], moment: Moment, other_name: str = "") -> list[Posting]:
        """Say of a file's items what `told` has for them; [] where the layout cannot.

        With `other_name` the answer says, wrongly, that it is about the file of that name.
        """
        taken = next((taken for taken in self._taken if taken.name == name), None)
        if taken is None:
            return []
        serial = TELLS_FROM + self._tellings.get(name, 0) % 6
        self._tellings[name] = self._tellings.get(name, 0) + 1
        truths = {paid.item: paid for paid in self.paid_in(taken)}
        self._writer.words = {item: (told[item], truths[item]) for item in told}
        try:
            named = replace(taken, name=other_name or name)
            return self._writer.result(named, Variant(), serial, moment, moment)
        except (FormatError, KeyError):
            return []
        finally:
            self._writer.words = None

    def _take(self, arrival: Arrival, at: datetime) -> Taken:
        """A refusal in writing, and one by an acknowledgement, holds for ever."""
        if arrival.name in self.refused:
            read = self._legible(arrival)
            raise _Refused(AcknowledgementVerdict.REJECTED, "整批拒绝", "refused before", read)
        return super()._take(arrival, at)

    @property
    def refused(self) -> set[str]:
        """Names of files that will not be taken any more, whatever happens to the folders."""
        return self.attested | self.refused_finally

    def refused_once(self, name: str) -> bool:
        """Whether a file of that name came and was not taken, for whatever reason."""
        return any(refusal.name == name for refusal in self.refusals)

    @property
    def has_blank_success(self) -> bool:
        """Whether a blank stands for success in the table of its results."""
        return any(form.codes.lists("") for form in self.desk.results)

    def make_good(self, name: str, item: int) -> None:
        """Pay what is missing of a payment of which something is there, as agreed in writing."""
        taken = next((taken for taken in self._taken if taken.name == name), None)
        if taken is not None:
            paid = self.paid_in(taken)
            if paid[item - 1].credited_minor:
                paid[item - 1] = replace(paid[item - 1], credited_minor=paid[item - 1].instructed_minor)

    @property
    def refused_finally(self) -> set[str]:
        return {
            refusal.name for refusal in self.refusals if refusal.verdict is AcknowledgementVerdict.REJECTED
        }

    def pretend_refused(self, name: str, moment: Moment) -> list[Posting]:
        """Refuse in an acknowledgement what was taken: a lie."""
        taken = next(taken for taken in self._taken if taken.name == name)
        words = "整批拒绝"
        return self._writer.acknowledgement(
            name, AcknowledgementVerdict.REJECTED, words, moment, moment, taken
        )


def told_money(status: Meant) -> bool | None:
    """Whether a statement says by itself that the payee has the money; None where it says neither."""
    if status in (Status.CREDITED, Status.DISCREPANT):
        return True
    return False if status in (Status.FAILED, Status.RETURNED) else None


class _TellingWriter(AnswerWriter):
    """Keeps what each content says; with `words` it says those."""

    def __init__(self, desk: Desk, seals: BankSeals, store: MemoryStore, scenario: Scenario) -> None:
        super().__init__(desk, seals, store, scenario)
        self.statements: dict[str, Statement] = {}
        self.words: dict[int, tuple[Told, Paid]] | None = None
        self._heard: dict[int, Meant] = {}

    def acknowledgement(
        self,
        name: str,
        verdict: AcknowledgementVerdict,
        text: str,
        moment: Moment,
        due: Moment,
        taken: Taken | None = None,
    ) -> list[Posting]:
        said = super().acknowledgement(name, verdict, text, moment, due, taken)
        self._keep(said, Statement(file_name=name, verdict=verdict))
        return said

    def result(
        self, taken: Taken, variant: Variant, serial: int, moment: Moment, due: Moment
    ) -> list[Posting]:
        self._heard = {}
        said = super().result(taken, variant, serial, moment, due)
        self._keep(said, Statement(file_name=taken.name, items=self._heard))
        return said

    def _chunks(self, taken: Taken, variant: Variant, moment: Moment) -> ResultChunks:
        day = moment.at.astimezone(self._desk.profile.time_zone).date()
        desk = self._desk
        if self.words is None:
            return _HeardChunks(taken, desk.request, desk.result, variant, day, self._heard)
        return _ToldChunks(taken, desk.request, desk.result, variant, day, self._heard, self.words)

    def _keep(self, postings: list[Posting], statement: Statement) -> None:
        for posting in postings:
            if posting.content.size_bytes:
                self.statements[posting.content.sha256] = statement


class _HeardChunks(ResultChunks):
    """Notes what it says of each item."""

    def __init__(
        self,
        taken: Taken,
        request: object,
        form: AnswerForm,
        variant: Variant,
        day: date,
        heard: dict[int, Meant],
    ) -> None:
        super().__init__(taken, request, form, variant, day)  # type: ignore[arg-type]
        self._heard = heard

    def _say(self, booked: Booked, rows: list[int]) -> _Said:
        said = super()._say(booked, rows)
        self._note(booked, said)
        return said

    def _note(self, booked: Booked, said: _Said) -> None:
        for row, word, amount in zip(said.rows, said.words, said.amounts, strict=True):
            status: Meant = word.status
            if word.code == "":
                status = BLANK_SUCCESS if self._form.codes.lists("") else BLANK
            elif word.code == self._form.codes.unlisted:
                status = Status.UNKNOWN
            elif status is Status.CREDITED and (
                word.elsewhere or amount != booked.chunk.columns["payment.amount"][row]
            ):
                status = Status.DISCREPANT
            self._heard[booked.first_item + row] = status


class _ToldChunks(_HeardChunks):
    """Says of each item what it is told to say, and nothing of the others."""

    def __init__(
        self,
        taken: Taken,
        request: object,
        form: AnswerForm,
        variant: Variant,
        day: date,
        heard: dict[int, Meant],
        words: dict[int, tuple[Told, Paid]],
    ) -> None:
        super().__init__(taken, request, form, variant, day, heard)
        self._told = words

    def _rows(self, booked: Booked) -> list[int]:
        return [row for row in range(booked.chunk.count) if booked.first_item + row in self._told]

    def _say(self, booked: Booked, rows: list[int]) -> _Said:
        words, amounts = [], []
        for row in rows:
            told, paid = self._told[booked.first_item + row]
            word, amount = _word_for(_plain(told, paid), paid, self._form.codes)
            words.append(word)
            amounts.append(amount)
        said = _Said(rows, words, amounts, [0] * len(rows))
        self._note(booked, said)
        return said


def _plain(told: Told, paid: Paid) -> Told:
    """The truth in words."""
    if told is not Told.TRUTH:
        return told
    if paid.returned_minor:
        return Told.RETURNED
    if paid.credited_minor == 0:
        return Told.FAILED
    return Told.CREDITED if paid.credited_minor == paid.instructed_minor else Told.SHORT


_WORDS: dict[Told, tuple[Status, Reason]] = {
    Told.CREDITED: (Status.CREDITED, Reason.NONE),
    Told.RETURNED: (Status.RETURNED, Reason.RETURNED),
    Told.SHORT: (Status.CREDITED, Reason.NONE),
    Told.IN_PROGRESS: (Status.UNKNOWN, Reason.IN_PROGRESS),
    Told.DUPLICATE: (Status.UNKNOWN, Reason.DUPLICATE),
    Told.BLANK: (Status.FAILED, Reason.SYSTEM),
}


def _word_for(told: Told, paid: Paid, codes: CodeBook) -> tuple[_Word, int]:
    """The word and the amount beside it (minor units). KeyError where the table lacks the code."""
    status, reason = _WORDS.get(told) or (Status.FAILED, codes.failures[0])
    code = "" if told is Told.BLANK else codes.outcome(status, reason)
    amount = 0 if status is Status.FAILED else paid.instructed_minor
    if told is Told.SHORT:
        amount = max(1, paid.instructed_minor - 100)
    return _Word(status, reason, code, reason.label[0], False), amount

"""What a simulated bank books on the payer's account: chunks of a statement, computed when asked.

A statement speaks of one file. What comes back on a later day stands in a later statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Any

from msgspec import Struct

from formats.codec import Codec
from formats.records import RecordChunk
from formats.reference import ITEM_DIGITS
from gateway.configuration.profile import Statements
from gateway.simulator.answers import FEE_LABEL
from gateway.simulator.books import Booked, Taken, book
from gateway.simulator.forms import AnswerForm
from gateway.simulator.scenario import Kind

_PAID, _BACK, _CHARGED, _DEBITED = "代发", "退汇", FEE_LABEL, "账户服务"
"""The last one is a charge under a name that is none for a charge."""


class Part(Enum):
    """Which entries of a file a statement has."""

    ALL = "all"
    WITHOUT_RETURNS = "without returns"
    RETURNS = "returns"


class _Entry(Struct):
    """One booking: the payment's place in its chunk, minor units, what is said of it, its number."""

    row: int
    amount_minor: int
    debit: bool
    text: str
    number: int = 0

    @property
    def is_charge(self) -> bool:
        """A charge is for no payment."""
        return self.text in (_CHARGED, _DEBITED)


class EntryChunks:
    """The entries of one statement about one file. Iterate as often as you like."""

    def __init__(
        self,
        taken: Taken,
        request: Codec,
        form: AnswerForm,
        words: Statements,
        day: date,
        part: Part = Part.ALL,
    ) -> None:
        self._taken = taken
        self._request = request
        self._form = form
        self._words = words
        self._day = day
        self._part = part
        self._deciders = taken.scenario.deciders()

    def __iter__(self) -> Iterator[RecordChunk]:
        number = 0
        for booked in book(self._taken, self._request):
            entries = self._entries(booked)
            for entry in entries:
                entry.number, number = number, number + 1
            if told := [entry for entry in entries if self._tells(entry)]:
                yield self._chunk(booked, told)

    def _tells(self, entry: _Entry) -> bool:
        return self._part is Part.ALL or entry.debit is (self._part is Part.WITHOUT_RETURNS)

    def _entries(self, booked: Booked) -> list[_Entry]:
        """What was really booked; where the scenario says so, not what the results say."""
        differs = self._taken.scenario.has(Kind.STATEMENT_DIFFERS)
        charges, debits = self._charged(booked), self._debited(booked)
        entries = []
        for row, instructed in enumerate(booked.chunk.columns["payment.amount"]):
            credited, returned = booked.credited_minor[row], booked.returned_minor[row]
            if differs:
                returned = credited
                credited = credited or instructed
            if credited:
                entries.append(_Entry(row, credited, True, _PAID))
            if returned:
                entries.append(_Entry(row, returned, False, _BACK))
            if charges[row]:
                entries.append(_Entry(row, charges[row], True, _CHARGED))
            if debits[row]:
                entries.append(_Entry(row, debits[row], True, _DEBITED))
        return entries

    def _charged(self, booked: Booked) -> list[int]:
        scenario = self._taken.scenario
        if not (scenario.plays(Kind.FEE_LINES) or scenario.plays(Kind.FEE_COLUMN)):
            return [0] * booked.chunk.count
        return self._fees(booked, self._deciders.charged(booked.draws))

    def _debited(self, booked: Booked) -> list[int]:
        if not self._taken.scenario.plays(Kind.STATEMENT_DEBIT):
            return [0] * booked.chunk.count
        return self._fees(booked, self._deciders.debited(booked.draws))

    def _fees(self, booked: Booked, struck: list[bool]) -> list[int]:
        """Minor units for each payment: what is not credited is not charged."""
        return [
            self._taken.scenario.fee_minor if one and credited else 0
            for one, credited in zip(struck, booked.credited_minor, strict=True)
        ]

    def _chunk(self, booked: Booked, entries: list[_Entry]) -> RecordChunk:
        meanings = self._form.columns["statement"]
        columns = {meaning: self._column(meaning, booked, entries) for meaning in meanings}
        return RecordChunk(record="statement", count=len(entries), columns=columns)

    def _column(self, meaning: str, booked: Booked, entries: list[_Entry]) -> list[Any]:
        same: dict[str, Any] = {
            "statement.booked_on": self._day,
            "statement.value_date": self._day,
            "statement.status": self._words.booked[0] if self._words.booked else "",
            "statement.currency": "CNY",
            "statement.account": str(self._taken.facts.get("agreement.payer_account", "")),
        }
        if meaning in same:
            return [same[meaning]] * len(entries)
        if meaning in ("statement.amount", "statement.detail_amount"):
            return [entry.amount_minor for entry in entries]
        if meaning in ("statement.direction", "statement.detail_direction"):
            words = self._words
            return [words.debit[0] if entry.debit else words.credit[0] for entry in entries]
        if meaning == "statement.text":
            return [entry.text for entry in entries]
        if meaning == "statement.file_reference":
            return ["" if entry.text == _DEBITED else self._taken.name for entry in entries]
        if meaning == "statement.serial":
            return [f"{self._taken.ordinal:06d}{entry.number:0{ITEM_DIGITS}d}" for entry in entries]
        # What the request did not say, such as a reference, the bank cannot repeat.
        column = booked.chunk.columns.get(meaning)
        return [None if column is None or entry.is_charge else column[entry.row] for entry in entries]

"""What a simulated bank books on the payer's account: chunks of a statement, computed when asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
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

_PAID, _BACK, _CHARGED = "代发", "退汇", FEE_LABEL


class _Entry(Struct):
    """One booking: the payment's place in its chunk, minor units, and what is said of it."""

    row: int
    amount_minor: int
    debit: bool
    text: str


class EntryChunks:
    """The entries of one statement about one file. Iterate as often as you like."""

    def __init__(self, taken: Taken, request: Codec, form: AnswerForm, words: Statements, day: date) -> None:
        self._taken = taken
        self._request = request
        self._form = form
        self._words = words
        self._day = day
        self._deciders = taken.scenario.deciders()

    def __iter__(self) -> Iterator[RecordChunk]:
        number = 0
        for booked in book(self._taken, self._request):
            entries = self._entries(booked)
            if entries:
                yield self._chunk(booked, entries, number)
                number += len(entries)

    def _entries(self, booked: Booked) -> list[_Entry]:
        """What was really booked; where the scenario says so, not what the results say."""
        differs = self._taken.scenario.has(Kind.STATEMENT_DIFFERS)
        charges = self._charged(booked)
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
        return entries

    def _charged(self, booked: Booked) -> list[int]:
        scenario = self._taken.scenario
        if not (scenario.plays(Kind.FEE_LINES) or scenario.plays(Kind.FEE_COLUMN)):
            return [0] * booked.chunk.count
        struck = self._deciders.charged(booked.draws)
        return [
            scenario.fee_minor if one and credited else 0
            for one, credited in zip(struck, booked.credited_minor, strict=True)
        ]

    def _chunk(self, booked: Booked, entries: list[_Entry], first: int) -> RecordChunk:
        meanings = self._form.columns["statement"]
        columns = {meaning: self._column(meaning, booked, entries, first) for meaning in meanings}
        return RecordChunk(record="statement", count=len(entries), columns=columns)

    def _column(self, meaning: str, booked: Booked, entries: list[_Entry], first: int) -> list[Any]:
        same: dict[str, Any] = {
            "statement.booked_on": self._day,
            "statement.value_date": self._day,
            "statement.status": self._words.booked[0] if self._words.booked else "",
            "statement.currency": "CNY",
            "statement.file_reference": self._taken.name,
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
        if meaning == "statement.serial":
            return [
                f"{self._taken.ordinal:06d}{first + number:0{ITEM_DIGITS}d}" for number in range(len(entries))
            ]
        if meaning == "attempt.reference":
            # A charge is for no payment.
            return ["" if entry.text == _CHARGED else booked.references[entry.row] for entry in entries]
        column = booked.chunk.columns.get(meaning)
        return [None if column is None else column[entry.row] for entry in entries]

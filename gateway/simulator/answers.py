"""What a simulated bank says of the payments it took: chunks of a result, computed when asked.

A result is an iterable that can be read again and again and holds one chunk at a time,
however many payments it tells of.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from msgspec import Struct

from formats.codec import Codec
from formats.reasons import Reason, Status
from formats.records import RecordChunk
from formats.reference import ITEM_DIGITS
from gateway.simulator.books import Booked, Taken, book
from gateway.simulator.forms import AnswerForm
from gateway.simulator.scenario import Deciders, Fate, Scenario

FEE_LABEL = "手续费"
STRANGE_ITEM = 99_999_999
"""The item of a record that nobody asked for: no file has so many."""


class Variant(Struct, frozen=True, kw_only=True):
    """Which payments a result tells of, and what is wrong with it on purpose.

    `part` 0 or 1 is one of two halves. `again` is the same result in other words. Where a
    file was `refused`, every payment of it is told to have failed.
    """

    part: int | None = None
    only_returned: bool = False
    only_contradicted: bool = False
    refused: bool = False
    again: bool = False
    unmatched: bool = False
    excess_minor: int = 0
    """One credited payment is shown with so much more: what makes a file's totals wrong."""
    fee_lines: bool = False
    fee_column: bool = False


class _Said(Struct):
    """What is said of one payment."""

    status: Status
    reason: Reason
    amount_minor: int
    code: str
    elsewhere: bool = False
    fee_minor: int = 0


class ResultChunks:
    """The records of one result file. Iterate as often as you like.

    `gave` says whether the last thing that somebody who iterates got was a chunk; it is False
    before the first one and after the end.
    """

    def __init__(
        self, taken: Taken, request: Codec, form: AnswerForm, scenario: Scenario, variant: Variant, day: date
    ) -> None:
        self._taken = taken
        self._request = request
        self._form = form
        self._scenario = scenario
        self._variant = variant
        self._day = day
        self.gave = False

    def __iter__(self) -> Iterator[RecordChunk]:
        for chunk in self._chunks():
            self.gave = True
            yield chunk
        self.gave = False

    def _chunks(self) -> Iterator[RecordChunk]:
        excess_minor = self._variant.excess_minor
        last: Booked | None = None
        for booked, rows in self._booked():
            said = [self._say(booked, row) for row in rows]
            credited = next((word for word in said if word.status is Status.CREDITED), None)
            if credited is not None:
                credited.amount_minor += excess_minor
                excess_minor = 0
            self._charge(booked, rows, said)
            yield self._records("payment", booked, rows, said)
            last = booked
        if last is not None and self._variant.unmatched:
            yield self._stranger(last)
        if self._variant.fee_lines:
            yield from self._fee_lines()

    def empty(self) -> bool:
        """Whether the result would tell of no payment."""
        return next(self._booked(), None) is None

    def _booked(self) -> Iterator[tuple[Booked, list[int]]]:
        """Chunks with the positions of the payments that this result tells of; none empty."""
        deciders = self._scenario.deciders()
        for booked in book(self._taken, self._request, self._scenario):
            if rows := self._rows(booked, deciders):
                yield booked, rows

    def _rows(self, booked: Booked, deciders: Deciders) -> list[int]:
        rows = range(booked.chunk.count)
        if self._variant.part is not None:
            halves = deciders.halves(booked.references)
            return [row for row in rows if halves[row] == self._variant.part]
        if self._variant.only_returned:
            return [row for row in rows if booked.fates[row] is Fate.RETURNED]
        if self._variant.only_contradicted:
            struck = deciders.struck(booked.references, "contradiction")
            return [row for row in rows if struck[row] and booked.fates[row] in (Fate.CREDITED, Fate.FAILED)]
        return list(rows)

    def _say(self, booked: Booked, row: int) -> _Said:
        codes = self._form.codes
        fate, credited_minor = booked.fates[row], booked.credited_minor[row]
        status, reason = Status.CREDITED, Reason.NONE
        if self._variant.refused:
            status, reason, credited_minor = Status.FAILED, Reason.BATCH_REJECTED, 0
        elif self._variant.only_returned:
            status, reason = Status.RETURNED, Reason.RETURNED
        elif (fate is Fate.FAILED) is not self._variant.only_contradicted:
            reasons = codes.failures
            status, reason, credited_minor = Status.FAILED, reasons[booked.choices[row] % len(reasons)], 0
        elif self._variant.only_contradicted:
            credited_minor = booked.chunk.columns["payment.amount"][row]
        unlisted = codes.unlisted if fate is Fate.UNKNOWN_CODE and not self._variant.refused else None
        code = unlisted or codes.outcome(status, reason)
        return _Said(status, reason, credited_minor, code, elsewhere=fate is Fate.ELSEWHERE)

    def _charge(self, booked: Booked, rows: list[int], said: list[_Said]) -> None:
        if not (self._variant.fee_column or self._variant.fee_lines):
            return
        struck = self._scenario.deciders().struck(booked.references, "fee")
        for row, word in zip(rows, said, strict=True):
            if struck[row] and word.status is Status.CREDITED:
                word.fee_minor = self._scenario.fee_minor

    def _fee_lines(self) -> Iterator[RecordChunk]:
        for booked, rows in self._booked():
            said = [self._say(booked, row) for row in rows]
            self._charge(booked, rows, said)
            charged = [(row, word) for row, word in zip(rows, said, strict=True) if word.fee_minor]
            if charged:
                yield self._records("fee", booked, [row for row, _ in charged], [word for _, word in charged])

    def _records(self, record: str, booked: Booked, rows: list[int], said: list[_Said]) -> RecordChunk:
        columns = {
            meaning: self._column(meaning, booked, rows, said) for meaning in self._form.columns[record]
        }
        return RecordChunk(record=record, count=len(rows), columns=columns)

    def _column(self, meaning: str, booked: Booked, rows: list[int], said: list[_Said]) -> list[Any]:
        family, _, name = meaning.partition(".")
        if family == "outcome":
            return self._outcome_column(name, booked, rows, said)
        if meaning == "fee.amount":
            return self._amounts(meaning, [word.fee_minor for word in said])
        if meaning == "fee.label":
            return [FEE_LABEL if word.fee_minor else "" for word in said]
        if meaning == "attempt.reference":
            return [booked.references[row] for row in rows]
        if meaning == "attempt.item":
            return [booked.first_item + row for row in rows]
        column = booked.chunk.columns.get(meaning)
        if column is None:
            return [""] * len(rows)
        echoed = [column[row] for row in rows]
        if meaning == echo_that_differs(self._form):
            return [
                _other(value) if word.elsewhere else value for value, word in zip(echoed, said, strict=True)
            ]
        return echoed

    def _outcome_column(self, name: str, booked: Booked, rows: list[int], said: list[_Said]) -> list[Any]:
        if name == "amount":
            return self._credited_amounts(booked, rows, said)
        if name == "code":
            return [word.code for word in said]
        if name == "status":
            return [word.status for word in said]
        if name == "reason":
            return [word.reason for word in said]
        if name == "value_date":
            return [self._day if word.status is Status.CREDITED else None for word in said]
        if name == "serial":
            return [f"{self._taken.ordinal:06d}{booked.first_item + row:0{ITEM_DIGITS}d}" for row in rows]
        return [self._text(word) for word in said]

    def _amounts(self, meaning: str, amounts: list[int]) -> list[int | None]:
        """Nothing is left out where the layout can, and is zero where it cannot."""
        return [amount or None for amount in amounts] if meaning in self._form.may_omit else [*amounts]

    def _credited_amounts(self, booked: Booked, rows: list[int], said: list[_Said]) -> list[int | None]:
        """What was credited. Banks whose records have no room for nothing repeat what was instructed."""
        if "outcome.amount" in self._form.may_omit:
            return [word.amount_minor or None for word in said]
        instructed = booked.chunk.columns["payment.amount"]
        return [word.amount_minor or instructed[row] for row, word in zip(rows, said, strict=True)]

    def _text(self, word: _Said) -> str:
        chinese, _ = word.reason.label
        return f"交易{chinese}" if self._variant.again else chinese

    def _stranger(self, last: Booked) -> RecordChunk:
        """The last record once more, under a reference that nobody gave."""
        row = last.chunk.count - 1
        word = _Said(Status.CREDITED, Reason.NONE, last.credited_minor[row] or 1, "")
        word.code = self._form.codes.outcome(word.status, word.reason)
        chunk = self._records("payment", last, [row], [word])
        if "attempt.reference" in chunk.columns:
            chunk.columns["attempt.reference"] = [f"{last.references[row][:-ITEM_DIGITS]}{STRANGE_ITEM}"]
        if "attempt.item" in chunk.columns:
            chunk.columns["attempt.item"] = [STRANGE_ITEM]
        return chunk


def echo_that_differs(form: AnswerForm) -> str:
    """The echoed field in which a credit elsewhere shows; "" where the layout echoes none."""
    columns = form.columns["payment"]
    return next((name for name in ("payment.account", "payment.payee_name") if name in columns), "")


def _other(value: str) -> str:
    """Another account or name of the same length in the same alphabet."""
    if value and value[-1].isdigit():
        return f"{value[:-1]}{(int(value[-1]) + 1) % 10}"
    return f"{value[:-1]}{'甲' if not value.endswith('甲') else '乙'}"

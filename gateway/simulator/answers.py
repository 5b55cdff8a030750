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
from gateway.simulator.scenario import Fate, chosen_reason

FEE_LABEL = "手续费"
STRANGE_ITEM = 99_999_999
"""The item of a record that nobody asked for: no file has so many."""


_WORDS = {
    "outcome.code": "code",
    "outcome.status": "status",
    "outcome.reason": "reason",
    "outcome.bank_text": "text",
}


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

    @property
    def is_whole(self) -> bool:
        """Whether it tells of the whole file, as it was processed."""
        return self.part is None and not (self.only_returned or self.only_contradicted or self.refused)


class _Word(Struct, frozen=True):
    """What is said of a payment, apart from money."""

    status: Status
    reason: Reason
    code: str
    text: str
    elsewhere: bool


class _Said(Struct):
    """What is said of some payments of a chunk: positions there, words, amounts in minor units."""

    rows: list[int]
    words: list[_Word]
    amounts: list[int]
    fees: list[int]


class ResultChunks:
    """The records of one result file. Iterate as often as you like.

    `gave` says whether the last thing that somebody who iterates got was a chunk; it is False
    before the first one and after the end.
    """

    def __init__(self, taken: Taken, request: Codec, form: AnswerForm, variant: Variant, day: date) -> None:
        self._taken = taken
        self._request = request
        self._form = form
        self._variant = variant
        self._day = day
        self._deciders = taken.scenario.deciders()
        self._words: dict[tuple[Fate, Reason], _Word] = {}
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
            said = self._say(booked, rows)
            if excess_minor:
                excess_minor = _exaggerate(said, excess_minor)
            yield self._records("payment", booked, said)
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
        for booked in book(self._taken, self._request):
            if rows := self._listed(booked, self._rows(booked)):
                yield booked, rows

    def _listed(self, booked: Booked, rows: list[int]) -> list[int]:
        """Those of which this kind of file tells."""
        if self._form.is_of_all:
            return rows
        return [row for row in rows if self._form.tells(self._status(booked.fates[row]))]

    def _status(self, fate: Fate) -> Status:
        """What is said of a payment of that fate, whatever code there is for it."""
        if self._variant.refused:
            return Status.FAILED
        if self._variant.only_returned:
            return Status.RETURNED
        return Status.FAILED if self._tells_failure(fate) else Status.CREDITED

    def _rows(self, booked: Booked) -> list[int]:
        rows = range(booked.chunk.count)
        if self._variant.part is not None:
            halves = self._deciders.halves(booked.draws)
            return [row for row in rows if halves[row] == self._variant.part]
        if self._variant.only_returned:
            return [row for row in rows if booked.fates[row] is Fate.RETURNED]
        if self._variant.only_contradicted:
            struck = self._deciders.struck(booked.draws, "contradiction")
            return [row for row in rows if struck[row] and booked.fates[row] in (Fate.CREDITED, Fate.FAILED)]
        return list(rows)

    def _say(self, booked: Booked, rows: list[int]) -> _Said:
        fates, choices = booked.fates, booked.choices
        words = [self._word(fates[row], choices[row]) for row in rows]
        return _Said(rows, words, self._amounts(booked, rows, words), self._fees(booked, rows, words))

    def _word(self, fate: Fate, choice: int) -> _Word:
        reasons = self._reasons(choice) if self._tells_failure(fate) else [Reason.NONE]
        key = fate, reasons[choice % len(reasons)]
        if key not in self._words:
            self._words[key] = self._make_word(*key)
        return self._words[key]

    def _reasons(self, choice: int) -> list[Reason]:
        """Those for which a payment may be told to have failed: one where the choice names it."""
        named = chosen_reason(choice)
        if named:
            return [named]
        wanted = self._taken.scenario.reasons
        failures = self._form.codes.failures
        return [reason for reason in failures if reason in wanted] if wanted else failures

    def _tells_failure(self, fate: Fate) -> bool:
        """Failed; where a result contradicts the one before it, everything but failed."""
        special = self._variant.refused or self._variant.only_returned
        return not special and (fate is Fate.FAILED) is not self._variant.only_contradicted

    def _make_word(self, fate: Fate, reason: Reason) -> _Word:
        codes = self._form.codes
        status = Status.FAILED if reason else Status.CREDITED
        unlisted = codes.unlisted if fate is Fate.UNKNOWN_CODE else None
        if self._variant.refused:
            status, reason, unlisted = Status.FAILED, Reason.BATCH_REJECTED, None
        elif self._variant.only_returned:
            status, reason = Status.RETURNED, Reason.RETURNED
        text = reason.label[0]
        return _Word(
            status=status,
            reason=reason,
            code=unlisted or codes.outcome(status, reason),
            text=f"交易{text}" if self._variant.again else text,
            elsewhere=fate is Fate.ELSEWHERE,
        )

    def _amounts(self, booked: Booked, rows: list[int], words: list[_Word]) -> list[int]:
        """What was credited; the instructed amount where that is turned round."""
        if self._variant.only_contradicted:
            column = booked.chunk.columns["payment.amount"]
        else:
            column = booked.credited_minor
        return [
            0 if word.status is Status.FAILED else column[row] for row, word in zip(rows, words, strict=True)
        ]

    def _fees(self, booked: Booked, rows: list[int], words: list[_Word]) -> list[int]:
        if not (self._variant.fee_column or self._variant.fee_lines):
            return [0] * len(rows)
        struck, fee_minor = self._deciders.charged(booked.draws), self._taken.scenario.fee_minor
        return [
            fee_minor if struck[row] and word.status is Status.CREDITED else 0
            for row, word in zip(rows, words, strict=True)
        ]

    def _fee_lines(self) -> Iterator[RecordChunk]:
        for booked, rows in self._booked():
            said = self._say(booked, rows)
            charged = [index for index, fee in enumerate(said.fees) if fee]
            if charged:
                only = _Said(*([column[index] for index in charged] for column in _columns_of(said)))
                yield self._records("fee", booked, only)

    def _records(self, record: str, booked: Booked, said: _Said) -> RecordChunk:
        columns = {meaning: self._column(meaning, booked, said) for meaning in self._form.columns[record]}
        return RecordChunk(record=record, count=len(said.rows), columns=columns)

    def _column(self, meaning: str, booked: Booked, said: _Said) -> list[Any]:
        if meaning in _WORDS:
            return [getattr(word, _WORDS[meaning]) for word in said.words]
        if meaning == "outcome.amount":
            return self._credited_column(booked, said)
        if meaning == "outcome.value_date":
            return [self._day if word.status is Status.CREDITED else None for word in said.words]
        if meaning == "outcome.serial":
            first = booked.first_item
            return [f"{self._taken.ordinal:06d}{first + row:0{ITEM_DIGITS}d}" for row in said.rows]
        if meaning == "fee.amount":
            return [fee or None for fee in said.fees] if meaning in self._form.may_omit else said.fees
        if meaning == "fee.label":
            return [FEE_LABEL if fee else "" for fee in said.fees]
        if meaning == "attempt.reference":
            return [booked.references[row] for row in said.rows]
        if meaning == "attempt.item":
            return [booked.first_item + row for row in said.rows]
        return self._echo(meaning, booked, said)

    def _echo(self, meaning: str, booked: Booked, said: _Said) -> list[Any]:
        """What the request said, except where it was credited elsewhere."""
        column = booked.chunk.columns.get(meaning)
        if column is None:
            return [""] * len(said.rows)
        echoed = [column[row] for row in said.rows]
        if meaning != echo_that_differs(self._form):
            return echoed
        return [
            _other(value) if word.elsewhere else value for value, word in zip(echoed, said.words, strict=True)
        ]

    def _credited_column(self, booked: Booked, said: _Said) -> list[int | None]:
        """What was credited. Banks whose records have no room for nothing repeat what was instructed."""
        if "outcome.amount" in self._form.may_omit:
            return [amount or None for amount in said.amounts]
        instructed = booked.chunk.columns["payment.amount"]
        return [amount or instructed[row] for row, amount in zip(said.rows, said.amounts, strict=True)]

    def _stranger(self, last: Booked) -> RecordChunk:
        """The last record once more, credited, under a reference that nobody gave."""
        row = last.chunk.count - 1
        word = self._make_word(Fate.CREDITED, Reason.NONE)
        chunk = self._records(
            "payment", last, _Said([row], [word], [last.chunk.columns["payment.amount"][row]], [0])
        )
        if "attempt.reference" in chunk.columns:
            chunk.columns["attempt.reference"] = [f"{last.references[row][:-ITEM_DIGITS]}{STRANGE_ITEM}"]
        if "attempt.item" in chunk.columns:
            chunk.columns["attempt.item"] = [STRANGE_ITEM]
        return chunk


def _exaggerate(said: _Said, excess_minor: int) -> int:
    """Add to the first credited amount; what is left to add."""
    for index, word in enumerate(said.words):
        if word.status is Status.CREDITED:
            said.amounts[index] += excess_minor
            return 0
    return excess_minor


def _columns_of(said: _Said) -> tuple[list[Any], ...]:
    return said.rows, said.words, said.amounts, said.fees


def echo_that_differs(form: AnswerForm) -> str:
    """The echoed field in which a credit elsewhere shows; "" where the layout echoes none."""
    columns = form.columns["payment"]
    return next((name for name in ("payment.account", "payment.payee_name") if name in columns), "")


def _other(value: str) -> str:
    """Another account or name of the same length in the same alphabet."""
    if value and value[-1].isdigit():
        return f"{value[:-1]}{(int(value[-1]) + 1) % 10}"
    return f"{value[:-1]}{'甲' if not value.endswith('甲') else '乙'}"

"""A chunk's verdicts as rows of the ledger, moved by what was said of a payment before.

Pure: nothing is stored or sealed here. Columns stay columns up to the last step, since a
million rows pass through it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import compress, repeat
from operator import add

from msgspec import Struct

from formats import Reason, Status
from gateway import evidence
from gateway.ledger.outcomes import LatestOutcome, OutcomeValues
from gateway.settlement.judge import Columns, Verdicts
from gateway.settlement.matching import Book
from gateway.settlement.partial_returns import Return, returned_together
from gateway.states import effective_outcome, is_over, outcome_across_files

_WORDS: dict[str, str] = {word: str(word.value) for kind in (Status, Reason) for word in kind}
"""Plain texts: what is encoded and bound a million times."""


_STATUS = 6
"""Where a row has what the payment is now."""


class Place(Struct, frozen=True):
    """Whose rows they are: one received file at one time (ISO, UTC)."""

    received_pk: int
    at: str


class OutcomeRows(Struct, frozen=True):
    """Rows to append, with their digest for the journal.

    `counts` are of rows by status, `statuses` what the payments of all records are now,
    `paid_after_all` the keys of those that may not be replaced any more.
    """

    rows: list[OutcomeValues]
    counts: dict[str, int]
    sha256: str
    statuses: list[Status]
    paid_after_all: list[int]


class _Effects(Struct, frozen=True):
    """What the payments are after this evidence, and which rows say more than was known ([]: all)."""

    statuses: list[Status]
    reasons: list[Reason]
    credited_minor: list[int | None]
    returned_minor: list[int | None]
    news: list[bool]
    paid_after_all: list[int]


def outcome_rows(
    book: Book,
    items: Sequence[int],
    lines: Sequence[int | None],
    columns: Columns,
    verdicts: Verdicts,
    texts: list[bytes | None],
    place: Place,
) -> OutcomeRows:
    """The rows of one chunk, in its order. `texts` are the bank's words, sealed.

    The digest is SHA-256 over the rows as one JSON array of arrays, without the sealed texts
    (each sealing differs): what an event `outcomes` tells and an audit compares.
    """
    keys, days = book.keys_of(items), _iso_days(columns.value_dates)
    effects = _effects(book, keys, items, verdicts, columns, days)
    told = list(
        zip(
            keys,
            repeat(book.file.file_pk),
            items,
            repeat(place.received_pk),
            lines,
            map(_WORDS.__getitem__, verdicts.statuses),
            map(_WORDS.__getitem__, effects.statuses),
            map(_WORDS.__getitem__, effects.reasons),
            effects.credited_minor,
            effects.returned_minor,
            columns.codes,
            columns.serials,
            days,
            repeat(place.at),
        )
    )
    if effects.news:
        told, texts = list(compress(told, effects.news)), list(compress(texts, effects.news))
    rows = list(map(add, told, zip(texts, strict=True)))
    counts = dict(Counter(row[_STATUS] for row in told))
    return OutcomeRows(rows, counts, evidence.rows_digest(told), effects.statuses, effects.paid_after_all)


def _effects(
    book: Book,
    keys: list[int],
    items: Sequence[int],
    verdicts: Verdicts,
    columns: Columns,
    days: list[str | None],
) -> _Effects:
    """Only what was said before, or is said twice in this file, makes an outcome another than is stated."""
    if not book.again and book.current.keys().isdisjoint(keys):
        return _Effects(
            verdicts.statuses, verdicts.reasons, verdicts.credited_minor, verdicts.returned_minor, [], []
        )
    effects = _Effects(
        list(verdicts.statuses),
        list(verdicts.reasons),
        list(verdicts.credited_minor),
        list(verdicts.returned_minor),
        [True] * len(keys),
        [],
    )
    for row, (key, item) in enumerate(zip(keys, items, strict=True)):
        if item in book.again:
            effects.statuses[row], effects.reasons[row] = Status.UNKNOWN, Reason.CONTRADICTED
        elif (current := book.current.get(key)) is not None:
            if verdicts.returned_minor[row] is not None and current.file_pk == book.file.file_pk:
                # That a return is of all that was instructed is an assumption: what was credited is known.
                effects.credited_minor[row] = current.credited_minor or verdicts.credited_minor[row]
            words = (verdicts.statuses[row], effects.credited_minor[row], columns.codes[row])
            if key in book.paired and not current.decided and words[0] is not current.status:
                effects.statuses[row], effects.reasons[row] = Status.UNKNOWN, Reason.CONTRADICTED
                effects.returned_minor[row] = current.returned_minor
            elif current.decided and words in book.said.get(key, ()) and not _parts(effects, row, current):
                # Persons knew this when they decided: it is no news.
                effects.statuses[row], effects.news[row] = current.status, False
            else:
                _move(effects, row, book, key, current, columns.serials[row], days[row])
    return effects


def _move(
    effects: _Effects,
    row: int,
    book: Book,
    key: int,
    current: LatestOutcome,
    serial: str,
    day: str | None,
) -> None:
    """From the payment's current outcome to the one after this row."""
    stated, before = (effects.statuses[row], effects.reasons[row]), (current.status, current.reason)
    credited_minor = effects.credited_minor[row]
    ours = current.file_pk in (None, book.file.file_pk)
    if ours:
        status, reason = effective_outcome(before, stated)
    else:
        status, reason = outcome_across_files(before, stated)
        if reason is Reason.PAID_TWICE:
            credited_minor = (current.credited_minor or 0) + (credited_minor or 0)
    if credited_minor is None:
        credited_minor = current.credited_minor
    returned_minor = effects.returned_minor[row]
    if ours and returned_minor is None:
        # What has come back stays so, whatever else is said.
        returned_minor = current.returned_minor
    elif ours and _parts(effects, row, current):
        now = Return(returned_minor or 0, serial, day)
        together = returned_together(book.returns, credited_minor or 0, book.returned[key], now)
        status, reason = _after_parts(current, (status, reason), together)
        returned_minor = current.returned_minor if together is None else together
    elif returned_minor is not None and returned_minor > (credited_minor or 0):
        status, reason, returned_minor = Status.DISCREPANT, Reason.CONTRADICTED, None
    effects.statuses[row], effects.reasons[row] = status, reason
    effects.credited_minor[row], effects.returned_minor[row] = credited_minor, returned_minor
    if current.says(LatestOutcome(status, reason, credited_minor, returned_minor, day)):
        effects.news[row] = False
    elif is_over(*before) and not is_over(status, reason):
        effects.paid_after_all.append(key)


def _parts(effects: _Effects, row: int, current: LatestOutcome) -> bool:
    """Whether it tells of a return, and is not the first."""
    return effects.returned_minor[row] is not None and current.returned_minor is not None


def _after_parts(
    current: LatestOutcome, alone: tuple[Status, Reason], together_minor: int | None
) -> tuple[Status, Reason]:
    """What a payment is of which more than one return was told; `alone` is what the last word makes it.

    That all of it has come back in parts is for two persons to say: then it may be paid again.
    """
    before = (current.status, current.reason)
    if together_minor == current.returned_minor or current.reason is Reason.CONTRADICTED:
        return before
    if together_minor is None:
        return Status.DISCREPANT, Reason.CONTRADICTED
    in_part = current.reason in (Reason.AMOUNT_DIFFERS, Reason.PAID_SHORT)
    return (Status.DISCREPANT, Reason.AMOUNT_DIFFERS) if in_part else alone


def _iso_days(days: list[date | None]) -> list[str | None]:
    """A result has few days and many rows."""
    texts = {day: None if day is None else day.isoformat() for day in set(days)}
    return [texts[day] for day in days]

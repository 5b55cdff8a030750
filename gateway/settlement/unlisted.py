"""Payments that an answer does not list, where the bank returns only those that failed.

Silence by itself is no outcome. What is not listed counts as paid only where the bank calls the
answer its last word about the file, and its own count and sum of what it paid are those of
exactly the payments of which nobody has said otherwise, to the minor unit.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from formats import CHUNK_RECORDS, AcknowledgementVerdict, Reason, Status
from gateway.ledger.outcomes import LatestOutcome
from gateway.settlement.items import Expected
from gateway.settlement.judge import Columns, Verdicts
from gateway.settlement.matching import Book

_MAY_BE_PAID = (None, Status.UNKNOWN, Status.CREDITED)
"""What an unlisted payment may be so far: anything else was told, and is in no sum of what was paid."""

_DECLARED = ("count(silent)", "sum(silent)")


class Unlisted(Struct, frozen=True):
    """Items that the answer does not name and that may be paid, in order. The total is in minor units."""

    items: array[int]
    total_minor: int

    @property
    def count(self) -> int:
        return len(self.items)


def lists_failures_only(facts: Mapping[str, Any]) -> bool:
    """Whether the answer's format leaves out what was paid."""
    return facts.get("silence") == "credited"


def is_last_word(facts: Mapping[str, Any], said_by_its_name: bool) -> bool:
    """Whether the bank says that it is done with the file: in the answer, or by the kind of file it is.

    Where the answer has a word about that, the word counts.
    """
    if "file.verdict" in facts:
        return AcknowledgementVerdict(facts["file.verdict"]) is AcknowledgementVerdict.COMPLETE
    return said_by_its_name


def unlisted(book: Book) -> Unlisted:
    """What the answer in the book, read to its end, is silent about."""
    items, total_minor = array("q"), 0
    for start in range(1, book.file.payment_count + 1, CHUNK_RECORDS):
        run = range(start, min(start + CHUNK_RECORDS, book.file.payment_count + 1))
        chosen = [item for item in run if not book.seen[item] and _may_be_paid(book, item)]
        if chosen:
            items.extend(chosen)
            amounts = book.written.expected(run).amounts
            total_minor += sum(amounts[item - start] for item in chosen)
    return Unlisted(items, total_minor)


def _may_be_paid(book: Book, item: int) -> bool:
    said = book.current.get(book.keys[item])
    return (said and said.status) in _MAY_BE_PAID


def contradicts(facts: Mapping[str, Any], silent: Unlisted) -> str:
    """What the bank's own count and sum of what it paid are not; "" where both agree."""
    declared = facts.get("declared", {})
    wanted = dict(zip(_DECLARED, (silent.count, silent.total_minor), strict=True))
    found = {name: declared.get(name) for name in wanted}
    if found == wanted:
        return ""
    return (
        f"the bank counts {found[_DECLARED[0]]} payments of {found[_DECLARED[1]]} minor units that it does"
        f" not list, of our file that is {silent.count} of {silent.total_minor}"
    )


def credited_chunks(book: Book, silent: Unlisted) -> Iterator[tuple[list[int], Columns, Verdicts]]:
    """Items, what the bank says of them, and verdicts, in chunks: paid as instructed.

    What is known to be credited already is left out: it is no news.
    """
    for start in range(0, silent.count, CHUNK_RECORDS):
        items = [item for item in silent.items[start : start + CHUNK_RECORDS] if not _is_credited(book, item)]
        if items:
            yield items, *_as_instructed(book.written.expected(items))


def _is_credited(book: Book, item: int) -> bool:
    said: LatestOutcome | None = book.current.get(book.keys[item])
    return said is not None and said.status is Status.CREDITED


def _as_instructed(expected: Expected) -> tuple[Columns, Verdicts]:
    count = len(expected.amounts)
    statuses, reasons = [Status.CREDITED] * count, [Reason.NONE] * count
    blank = [""] * count
    columns = Columns(
        statuses=statuses,
        reasons=reasons,
        amounts=list(expected.amounts),
        accounts=None,
        names=None,
        codes=blank,
        serials=blank,
        texts=blank,
        value_dates=[None] * count,
        fees=[0] * count,
    )
    return columns, Verdicts(statuses, reasons, list(expected.amounts), [None] * count, [])

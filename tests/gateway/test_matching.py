"""A chunk comes to what its records come to one by one, whatever way through the columns it takes."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import Reason, RecordChunk, SealedText, Status
from formats.reference import items_of_sequence, make_references, parse_reference
from gateway.errors import IntegrityError
from gateway.ledger.files import FileRow
from gateway.ledger.outcomes import LatestOutcome, OutcomeValues, payment_keys
from gateway.settlement.items import Expected
from gateway.settlement.judge import charges_beside, foreign_echoes, judge, result_columns
from gateway.settlement.matching import Book
from gateway.settlement.outcome_rows import Place, outcome_rows
from gateway.settlement.unlisted import contradicts, credited_chunks, unlisted
from gateway.states import FileState
from tests.gateway.sites import ISO, Ground, payments_of

COUNT = 12
SEQUENCE = 4
PLACE = Place(5, "2026-09-01T02:00:00+00:00")
KEYS = array("q", (0, *(100 + 7 * item for item in range(1, COUNT + 1))))
DAY = date(2026, 9, 1)
INSTRUCTED_MINOR = 100_00

STATUSES = (Status.CREDITED, Status.FAILED, Status.RETURNED, Status.UNKNOWN, Status.DISCREPANT)
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(STATUSES),
        st.sampled_from((INSTRUCTED_MINOR, INSTRUCTED_MINOR, 99_00, 0, None)),
        st.sampled_from(("account", "account", "other", "")),
        st.sampled_from((None, DAY)),
    ),
    max_size=COUNT,
)
KNOWN = st.dictionaries(
    st.sampled_from(list(KEYS[1:])),
    st.builds(
        LatestOutcome,
        st.sampled_from(STATUSES),
        st.sampled_from((Reason.NONE, Reason.ACCOUNT_FROZEN, Reason.CONTRADICTED)),
        st.sampled_from((None, INSTRUCTED_MINOR)),
        st.none(),
        st.sampled_from((None, DAY.isoformat())),
    ),
    max_size=4,
)


def open_book(current: dict[int, LatestOutcome] | None = None) -> Book:
    texts = dict.fromkeys(
        ("bank", "message_id", "currency", "bank_day", "created_at", "agreement", "pins"), ""
    )
    file = FileRow(
        **dict.fromkeys(texts, ""),
        **dict.fromkeys(("items_name", "attention", "sent_at", "evidence")),
        **dict.fromkeys(("lane_pk", "total_minor", "releasing_rank", "tries"), 0),
        file_pk=3,
        name="F",
        sequence=SEQUENCE,
        state=FileState.SENT,
        payment_count=COUNT,
    )
    return Book.open(file, None, KEYS, current or {}, {})  # type: ignore[arg-type]  # nothing written is asked for


def chunk_of(items: list[int | None], records: list[tuple[Any, ...]] | None = None) -> RecordChunk:
    columns: dict[str, list[Any]] = {"attempt.item": list(items)}
    if records is not None:
        statuses, amounts, accounts, days = (list(column) for column in zip(*records, strict=True))
        columns |= {
            "outcome.status": statuses,
            "outcome.reason": [Reason.NONE if s is Status.CREDITED else Reason.DORMANT for s in statuses],
            "outcome.amount": amounts,
            "outcome.value_date": days,
            "payment.account": accounts,
        }
    return RecordChunk(record="payment", count=len(items), columns=columns, lines=range(1, len(items) + 1))


def settle(book: Book, chunk: RecordChunk) -> tuple[list[OutcomeValues], list[Any], list[int]]:
    """Rows, charges by item, and payments paid after all, as settlement makes them of one chunk."""
    chunk, items, _ = book.match(chunk)
    columns = result_columns(chunk)
    expected = Expected(["account"] * chunk.count, ["name"] * chunk.count, [INSTRUCTED_MINOR] * chunk.count)
    verdicts = judge(columns, expected, foreign_echoes(columns, expected, blank_is_foreign=False))
    told = outcome_rows(book, items, chunk.lines, columns, verdicts, [None] * chunk.count, PLACE)
    book.note(items, told.statuses)
    charges = [(*charge, items[row]) for *charge, row in charges_beside(columns, verdicts, [], ())]
    return told.rows, charges, told.paid_after_all


@pytest.mark.parametrize(
    ("record", "stated", "minor"),
    [
        ((Status.CREDITED, 100_00, "account"), (Status.CREDITED, Reason.NONE), (100_00, None)),
        ((Status.CREDITED, None, "account"), (Status.CREDITED, Reason.NONE), (None, None)),
        ((Status.CREDITED, 100_00, ""), (Status.CREDITED, Reason.NONE), (100_00, None)),
        ((Status.CREDITED, 99_00, "account"), (Status.DISCREPANT, Reason.AMOUNT_DIFFERS), (99_00, None)),
        (
            (Status.CREDITED, 100_00, "other"),
            (Status.DISCREPANT, Reason.CREDITED_ELSEWHERE),
            (100_00, None),
        ),
        ((Status.FAILED, 100_00, "other"), (Status.DISCREPANT, Reason.CREDITED_ELSEWHERE), (None, None)),
        ((Status.FAILED, 100_00, "account"), (Status.FAILED, Reason.DORMANT), (None, None)),
        ((Status.FAILED, 0, "account"), (Status.FAILED, Reason.DORMANT), (None, None)),
        ((Status.FAILED, 99_00, "account"), (Status.DISCREPANT, Reason.AMOUNT_DIFFERS), (99_00, None)),
        ((Status.UNKNOWN, 99_00, "account"), (Status.UNKNOWN, Reason.DORMANT), (None, None)),
        ((Status.RETURNED, 100_00, "account"), (Status.RETURNED, Reason.RETURNED), (100_00, 100_00)),
        ((Status.RETURNED, 99_00, "account"), (Status.DISCREPANT, Reason.AMOUNT_DIFFERS), (100_00, 99_00)),
        ((Status.RETURNED, None, "account"), (Status.UNKNOWN, Reason.RETURNED), (None, None)),
    ],
)
def test_verdict(
    record: tuple[Any, ...], stated: tuple[Status, Reason], minor: tuple[int | None, int | None]
) -> None:
    plain = (Status.CREDITED, INSTRUCTED_MINOR, "account", None)
    rows, charges, _ = settle(open_book(), chunk_of([1, 2, 3], [plain, (*record, DAY), plain]))
    short = [("short_credit", 1_00, 2)] if minor[0] == 99_00 and record[0] is Status.CREDITED else []
    assert (rows[1][5:10], rows[1][12], charges) == ((stated[0], *stated, *minor), DAY.isoformat(), short)
    assert [rows[place][5:10] for place in (0, 2)] == [
        ("credited", "credited", "", INSTRUCTED_MINOR, None)
    ] * 2


def test_what_was_known_is_no_news_and_what_was_failed_is_told() -> None:
    plain = (Status.CREDITED, INSTRUCTED_MINOR, "account", None)
    known = LatestOutcome(Status.CREDITED, Reason.NONE, INSTRUCTED_MINOR, None, None)
    failed = LatestOutcome(Status.FAILED, Reason.DORMANT, None, None, None)
    book = open_book({KEYS[2]: known, KEYS[3]: failed})
    rows, _, paid_after_all = settle(book, chunk_of([1, 2, 3], [plain] * 3))
    assert ([row[2] for row in rows], paid_after_all) == ([1, 3], [KEYS[3]])


@given(RECORDS, KNOWN)
def test_verdicts_and_rows(records: list[tuple[Any, ...]], current: dict[int, LatestOutcome]) -> None:
    at_once, one_by_one = open_book(current), open_book(current)
    items = list(range(1, len(records) + 1))
    if not records:
        return
    whole = settle(at_once, chunk_of([*items], records))
    parts = [
        settle(one_by_one, chunk_of([item], [record])) for item, record in zip(items, records, strict=True)
    ]
    # Each part is a chunk of its own, whose only line is 1.
    assert [(*row[:4], *row[5:]) for row in whole[0]] == [
        (*row[:4], *row[5:]) for part in parts for row in part[0]
    ]
    assert whole[1:] == tuple([one for part in parts for one in part[place]] for place in (1, 2))
    assert at_once.settled == one_by_one.settled


@given(st.lists(st.one_of(st.none(), st.integers(-1, COUNT + 1)), max_size=COUNT))
def test_matching(items: list[int | None]) -> None:
    at_once, one_by_one = open_book(), open_book()
    chunk, matched, mistakes = at_once.match(chunk_of(items))
    parts = [one_by_one.match(chunk_of([item])) for item in items]
    assert list(matched) == [item for _, found, _ in parts for item in found]
    assert (chunk.count, chunk.columns["attempt.item"]) == (len(matched), list(matched))
    assert sorted(code for code, _ in mistakes) == sorted(code for *_, told in parts for code, _ in told)
    assert (at_once.seen, at_once.again) == (one_by_one.seen, one_by_one.again)
    assert at_once.keys_of(matched) == [KEYS[item] for item in matched]


@pytest.mark.parametrize("first", [0, 1, 2, COUNT - 1, COUNT])
def test_a_run_that_leaves_the_file_is_unmatched(first: int) -> None:
    """Two items that stand in step, at either end of the file."""
    _, matched, mistakes = open_book().match(chunk_of([first, first + 1]))
    inside = [item for item in (first, first + 1) if 1 <= item <= COUNT]
    assert (list(matched), [code for code, _ in mistakes]) == (inside, ["unmatched"] * (2 - len(inside)))


def test_a_run_over_an_item_named_before_is_told() -> None:
    book = open_book()
    book.match(chunk_of([3]))
    _, matched, mistakes = book.match(chunk_of([2, 3, 4]))
    assert (list(matched), [code for code, _ in mistakes], book.again) == ([2, 3, 4], ["twice"], {3})


@given(
    st.lists(
        st.one_of(
            st.integers(0, 10**8 - 1).map(lambda item: make_references(SEQUENCE, [item], 20)[0]),
            st.integers(0, 10**8 - 1).map(lambda item: make_references(SEQUENCE + 1, [item], 20)[0]),
            st.integers(0, 10**8 - 1).map(lambda item: make_references(SEQUENCE - 1, [item], 20)[0]),
            st.sampled_from(("", "0", "٣" * 20, "-" + "0" * 19, "9" * 20, "000000000004x0000001")),
        )
    )
)
def test_items_of_references(references: list[str]) -> None:
    parsed = [parse_reference(reference) for reference in references]
    wanted = [None if pair is None or pair[0] != SEQUENCE else pair[1] for pair in parsed]
    assert items_of_sequence(references, SEQUENCE) == wanted


def test_open_items_count_what_is_unknown_or_silent() -> None:
    unknown = LatestOutcome(Status.UNKNOWN, Reason.TIMED_OUT, None, None, None)
    credited = LatestOutcome(Status.CREDITED, Reason.NONE, INSTRUCTED_MINOR, None, None)
    book = open_book({KEYS[1]: unknown, KEYS[2]: credited})
    before = book.open_items
    book.note(range(1, 4), [Status.CREDITED, Status.UNKNOWN, Status.FAILED])
    assert (before, book.open_items) == (COUNT - 1, COUNT - 2)


def test_items_of_a_damaged_ledger_are_not_believed(ground: Ground) -> None:
    ground.bank(ISO)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(ISO, 3))
        gateway.run()
        with gateway.installation.ledger.write() as transaction:
            transaction.run("DELETE FROM attempt WHERE item = 2")
            with pytest.raises(IntegrityError, match="other items than 1 to 3"):
                payment_keys(transaction, 1, 3)


def test_one_sealed_text_for_all_that_say_the_same(ground: Ground) -> None:
    """Each payment's own words come back, whoever shares a seal with it."""
    ground.bank(ISO, "failures", share_per_mille=500)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(ISO, 12))
        ground.run_to_the_end(gateway)
        outcomes = list(gateway.outcomes())
        texts = [one.bank_text for one in outcomes]
        assert all(isinstance(text, SealedText) for text in texts)
        said = [gateway.bank_text(text) for text in texts if text is not None]
    assert {one.status for one in outcomes} == {Status.CREDITED, Status.FAILED}
    assert said == [one.reason.label[0] for one in outcomes]
    assert 2 < len(set(said)) <= len(set(texts)) < len(texts)


class Written:
    """What was written, of which each item has an amount of its own."""

    def expected(self, items: Sequence[int]) -> Expected:
        return Expected(["account"] * len(items), ["name"] * len(items), [100 + item for item in items])


@given(
    st.sets(st.integers(1, COUNT)),
    KNOWN,
    st.one_of(st.none(), st.tuples(st.integers(0, COUNT), st.integers(0, 2_000))),
)
def test_silence_pays_exactly_those_of_whom_nothing_else_was_said(
    named: set[int], current: dict[int, LatestOutcome], declared: tuple[int, int] | None
) -> None:
    """Whatever a bank counts, nobody is credited whom it named, or of whom it said anything else before."""
    book = open_book(current)
    book.written = Written()  # type: ignore[assignment]
    for item in named:
        book.seen[item] = 1
    said = {item: current.get(KEYS[item]) for item in range(1, COUNT + 1)}
    free = [item for item, one in said.items() if item not in named and (one is None or one.status in MAY_BE)]
    right = (len(free), sum(100 + item for item in free))
    silent = unlisted(book)
    assert (list(silent.items), silent.total_minor) == (free, right[1])
    count, total = right if declared is None else declared
    facts = {"declared": {"count(silent)": count, "sum(silent)": total}}
    assert (contradicts(facts, silent) == "") == ((count, total) == right)
    assert contradicts({}, silent) != ""
    credited = [item for items, _, _ in credited_chunks(book, silent) for item in items]
    assert credited == [
        item for item in free if (one := said[item]) is None or one.status is not Status.CREDITED
    ]


MAY_BE = (Status.CREDITED, Status.UNKNOWN)

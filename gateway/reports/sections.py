"""The tables of a report: their columns are named once here, for the page and for the workbook.

A cell is a value that says what it is; the page and the workbook each write it in their own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct

from gateway.reports.contents import CardShare, ChargeLine, Contents, ReasonLine, RecoveryLine, whole
from gateway.reports.wording import GROUNDS, Words, state_words
from gateway.rules.books import Aged, Book, Sum
from gateway.rules.deadlines import Breach


class Text(Struct, frozen=True):
    """As it is."""

    text: str


class Name(Struct, frozen=True):
    """A name of a file: long, and without blanks at which it could be broken."""

    text: str


class Both(Struct, frozen=True):
    """Chinese and English."""

    chinese: str
    english: str


class Known(Struct, frozen=True):
    """A key that files and commands use, and the name that people know, "" for none."""

    key: str
    name: str


class Count(Struct, frozen=True):
    """How many."""

    count: int


class Yuan(Struct, frozen=True):
    """Minor units."""

    minor: int


class Moment(Struct, frozen=True):
    """A moment, told as a day or to the minute by the report's clock; None for none."""

    at: datetime | None
    to_the_minute: bool = False

    def told(self, contents: Contents) -> str:
        """As it is written; "" for none."""
        form = "%Y-%m-%d %H:%M" if self.to_the_minute else "%Y-%m-%d"
        return "" if self.at is None else f"{self.at.astimezone(contents.made_at.tzinfo):{form}}"


class Share(Struct, frozen=True):
    """A part of all in per mille, rounded down."""

    per_mille: int

    @property
    def percent(self) -> str:
        """As it is written."""
        return f"{self.per_mille // 10}.{self.per_mille % 10} %"


Cell = Text | Name | Both | Known | Count | Yuan | Moment | Share
Row = TypeVar("Row")
Columns = tuple[tuple[Words, Callable[[Row], Cell]], ...]


class Section(Struct, Generic[Row], frozen=True, kw_only=True):
    """One table: its heading, its columns, its rows in order."""

    title: Words
    columns: Columns[Row]
    rows: Sequence[Row]
    note: Words | None = None

    @property
    def headers(self) -> list[Words]:
        return [words for words, _ in self.columns]

    def cells(self) -> Iterator[list[Cell]]:
        """The rows, cell by cell."""
        for row in self.rows:
            yield [cell(row) for _, cell in self.columns]


def reasons(contents: Contents) -> Section[ReasonLine]:
    """Why payments did not arrive, and how many of them were paid again."""
    columns: Columns[ReasonLine] = (
        (Words.REASON, lambda one: Both(*one.reason.label)),
        (Words.STATE, lambda one: Both(*one.status.label)),
        (Words.COUNT, lambda one: Count(one.count)),
        (Words.AMOUNT, lambda one: Yuan(one.minor)),
        (Words.AGAIN_ARRIVED, lambda one: Count(one.followed.again.count)),
        (Words.UNDER_WAY, lambda one: Count(one.followed.under_way.count)),
        (Words.ELSEWHERE, lambda one: Count(one.followed.elsewhere.count)),
        (Words.REMAINING, lambda one: Count(one.remaining_count)),
    )
    return Section(title=Words.REASONS, columns=columns, rows=contents.reasons, note=Words.REASONS_NOTE)


def still_open(contents: Contents) -> Section[Aged]:
    """What has no final state, and since when."""
    columns: Columns[Aged] = (
        (Words.PROGRAMME, lambda one: Text(one.programme)),
        (Words.BANK, lambda one: _bank(contents, one.bank)),
        (Words.STATE, lambda one: Both(*state_words(one.state))),
        (Words.SINCE, lambda one: Moment(one.oldest)),
        (Words.DAYS, lambda one: Count(one.days)),
        (Words.COUNT, lambda one: Count(one.count)),
        (Words.AMOUNT, lambda one: Yuan(one.minor)),
    )
    return Section(title=Words.OPEN_SINCE, columns=columns, rows=contents.aged)


def late(contents: Contents) -> Section[Breach]:
    """Answers that came late, or not at all."""
    columns: Columns[Breach] = (
        (Words.BANK, lambda one: _bank(contents, one.bank)),
        (Words.FILE, lambda one: Name(one.file_name)),
        (Words.DUE, lambda one: Moment(one.due, to_the_minute=True)),
        (Words.HOURS_LATE, lambda one: Count(one.late_hours)),
        (Words.OPEN, lambda one: Count(one.open_count)),
    )
    return Section(title=Words.BREACHES, columns=columns, rows=contents.breaches)


def charged(contents: Contents) -> Section[ChargeLine]:
    """What banks charged, though they may not."""
    lines = contents.charges
    total = ChargeLine(
        bank="", charges=contents.total.findings, payees_minor=sum(one.payees_minor for one in lines)
    )
    columns: Columns[ChargeLine] = (
        (Words.BANK, lambda one: Both(*Words.ALL.value) if one is total else _bank(contents, one.bank)),
        (Words.CHARGES, lambda one: Count(one.charges.count)),
        (Words.AMOUNT, lambda one: Yuan(one.charges.minor)),
        (Words.PAYEES_BORE, lambda one: Yuan(one.payees_minor)),
    )
    return Section(title=Words.CHARGED, columns=columns, rows=_with(lines, total), note=Words.CHARGED_NOTE)


def statements(contents: Contents) -> Section[Book]:
    """What banks' results say is with payees, beside what their statements booked."""
    rows = [book for book in contents.by_bank if book.booked_minor is not None]
    total = whole(rows)
    columns: Columns[Book] = (
        (Words.BANK, lambda one: Both(*Words.ALL.value) if one is total else _bank(contents, one.key)),
        (Words.BY_RESULTS, lambda one: Yuan(one.kept_minor)),
        (Words.BY_STATEMENTS, lambda one: Yuan(one.booked_minor or 0)),
        (Words.DIFFERENCE, lambda one: Yuan(one.gap_minor or 0)),
    )
    return Section(
        title=Words.STATEMENTS, columns=columns, rows=_with(rows, total), note=Words.STATEMENTS_NOTE
    )


def asked_back(contents: Contents) -> Section[RecoveryLine]:
    """Wrong payments, and what came back of them."""
    columns: Columns[RecoveryLine] = (
        (Words.PROGRAMME, lambda one: Text(one.programme)),
        (Words.GROUND, lambda one: Both(*GROUNDS[one.ground])),
        (Words.COUNT, lambda one: Count(one.count)),
        (Words.ASKED_BACK, lambda one: Yuan(one.asked_minor)),
        (Words.CAME_BACK, lambda one: Yuan(one.recovered_minor)),
        (Words.OUTSTANDING, lambda one: Yuan(one.outstanding_minor)),
        (Words.OUTSTANDING_SINCE, lambda one: Moment(one.oldest)),
    )
    return Section(
        title=Words.RECOVERIES, columns=columns, rows=contents.recoveries, note=Words.RECOVERIES_NOTE
    )


def shares(contents: Contents) -> Section[CardShare]:
    """What was carried by card, by department; all of them last."""
    target = "" if contents.target_percent is None else f"{contents.target_percent} %"
    columns: Columns[CardShare] = (
        (
            Words.DEPARTMENT,
            lambda one: Text(one.department) if one.department else Both(*Words.ALL.value),
        ),
        (Words.PERCENT, lambda one: Share(one.per_mille or 0)),
        (Words.BY_CARD, lambda one: Count(one.card_count)),
        (Words.BY_PASSBOOK, lambda one: Count(one.passbook_count)),
        (Words.TARGET, lambda one: Text(target)),
    )
    rows = [one for one in (*contents.shares, contents.share) if one.per_mille is not None]
    return Section(title=Words.SHARE, columns=columns, rows=rows)


def sums(contents: Contents, words: Words, books: Sequence[Book]) -> Section[Book]:
    """What became of payments by one side; where most did not arrive comes first, all of them last.

    Instructed and paid again is credited and others, in count and fen.
    """
    rows = sorted((book for book in books if book.handed_over.count), key=_troubled)
    total = whole(rows)

    def named(one: Book) -> Cell:
        if one is total:
            return Both(*Words.ALL.value)
        return _bank(contents, one.key) if words is Words.BANK else Text(one.key or "-")

    columns: Columns[Book] = (
        (words, named),
        (Words.INSTRUCTED_COUNT, lambda one: Count(one.instructed.count)),
        (Words.INSTRUCTED_AMOUNT, lambda one: Yuan(one.instructed.minor)),
        (Words.REISSUED_COUNT, lambda one: Count(one.reissued.count)),
        (Words.REISSUED_AMOUNT, lambda one: Yuan(one.reissued.minor)),
        (Words.CREDITED_COUNT, lambda one: Count(_credited(one).count)),
        (Words.CREDITED_AMOUNT, lambda one: Yuan(_credited(one).minor)),
        (Words.OTHERS, lambda one: Count(one.handed_over.count - _credited(one).count)),
        (Words.OTHERS_AMOUNT, lambda one: Yuan(one.handed_over.minor - _credited(one).minor)),
        (Words.PART_AMOUNT, lambda one: Yuan(one.kept_minor - _credited(one).minor)),
    )
    return Section(title=words, columns=columns, rows=_with(rows, total), note=Words.SUMS_NOTE)


def to_first_page(contents: Contents) -> Section[tuple[Words, Sum]]:
    """How the tables' credited money leads to that of the first page; no rows where they are the same."""
    columns: Columns[tuple[Words, Sum]] = (
        (Words.STEP, lambda step: Both(*step[0].value)),
        (Words.COUNT, lambda step: Count(step[1].count)),
        (Words.AMOUNT, lambda step: Yuan(step[1].minor)),
    )
    money = contents.fates
    steps = [
        (Words.TABLES_CREDITED, _credited(contents.total)),
        (Words.PLUS_SHORT, Sum(minor=money.short_minor)),
        (Words.PLUS_OUTSIDE, money.outside),
        (Words.FIRST_PAGE, money.arrived),
    ]
    differs = money.arrived != _credited(contents.total)
    return Section(title=Words.TO_FIRST_PAGE, columns=columns, rows=steps if differs else [])


def _with(rows: Sequence[Row], total: Row) -> Sequence[Row]:
    """The rows, and their total where they are several."""
    return [*rows, total] if len(rows) > 1 else rows


def _troubled(book: Book) -> tuple[int, int]:
    """Where most did not arrive first, then by amount."""
    return _credited(book).count - book.handed_over.count, -book.handed_over.minor


def _credited(book: Book) -> Sum:
    return book.states.get("credited", Sum())


def _bank(contents: Contents, key: str) -> Known:
    return Known(key, contents.bank_names.get(key, ""))

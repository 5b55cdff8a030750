"""A report as rows of a workbook: the same figures as the page, section after section."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gateway.reports.contents import Contents
from gateway.reports.numbers import count_text, yuan_text
from gateway.reports.wording import GROUNDS, Words, state_words
from gateway.rules.books import Book, Sum


def report_head(contents: Contents) -> list[list[str]]:
    """The lines above the sections."""
    return [
        ["惠民补贴发放报告 Payment report", " ".join(contents.title)],
        [f"{contents.made_at:%Y-%m-%d %H:%M}", str(contents.made_at.tzinfo)],
    ]


def report_rows(contents: Contents) -> Iterator[list[str]]:
    """Every section, an empty row before each."""
    yield from _states(contents)
    yield from _books(Words.DEPARTMENT, contents.by_department, {})
    yield from _books(Words.PROGRAMME, contents.by_programme, {})
    yield from _books(Words.BANK, contents.by_bank, contents.bank_names)
    yield from _reasons(contents)
    yield from _open(contents)
    yield from _late(contents)
    yield from _shares(contents)
    yield from _charges(contents)
    yield from _recoveries(contents)


def _states(contents: Contents) -> Iterator[list[str]]:
    total = contents.total
    yield from _section(Words.STATES)
    for words, each in (
        (Words.INSTRUCTED, total.instructed),
        (Words.SUCCESSORS, contents.successors),
        (Words.UNPAID, contents.unpaid),
    ):
        yield [_both(words), count_text(each.count), yuan_text(each.minor)]
    for state, each in total.states.items():
        yield [" ".join(state_words(state)), count_text(each.count), yuan_text(each.minor)]
    yield [_both(Words.CREDITED_AMOUNT), "", yuan_text(total.kept_minor)]


def _reasons(contents: Contents) -> Iterator[list[str]]:
    yield from _section(Words.REASONS, Words.REASON, Words.STATE, Words.COUNT, Words.AMOUNT, Words.AGAIN)
    for line in contents.reasons:
        label, status = " ".join(line.reason.label), " ".join(line.status.label)
        yield [label, status, count_text(line.count), yuan_text(line.minor), count_text(line.again.count)]


def _open(contents: Contents) -> Iterator[list[str]]:
    headers = (Words.BANK, Words.PROGRAMME, Words.STATE, Words.SINCE, Words.DAYS, Words.COUNT, Words.AMOUNT)
    yield from _section(Words.OPEN_SINCE, *headers)
    for one in contents.aged:
        yield [
            _named(one.bank, contents.bank_names),
            one.programme,
            " ".join(state_words(one.state)),
            _day(contents, one.oldest),
            count_text(one.days),
            count_text(one.count),
            yuan_text(one.minor),
        ]


def _late(contents: Contents) -> Iterator[list[str]]:
    yield from _section(Words.BREACHES, Words.BANK, Words.FILE, Words.DUE, Words.HOURS_LATE, Words.OPEN)
    for late in contents.breaches:
        due = f"{late.due.astimezone(contents.made_at.tzinfo):%Y-%m-%d %H:%M}"
        bank = _named(late.bank, contents.bank_names)
        yield [bank, late.file_name, due, count_text(late.late_hours), count_text(late.open_count)]


def _shares(contents: Contents) -> Iterator[list[str]]:
    headers = (Words.DEPARTMENT, Words.PERCENT, Words.BY_CARD, Words.BY_PASSBOOK, Words.TARGET)
    yield from _section(Words.SHARE, *headers)
    target = "" if contents.target_percent is None else f"{contents.target_percent} %"
    for one in (*contents.shares, contents.share):
        share = one.per_mille
        if share is not None:
            name, told = one.department or _both(Words.ALL), f"{share // 10}.{share % 10} %"
            yield [name, told, count_text(one.card_count), count_text(one.passbook_count), target]


def _charges(contents: Contents) -> Iterator[list[str]]:
    yield from _section(Words.CHARGED, Words.BANK, Words.COUNT, Words.AMOUNT)
    for book in contents.by_bank:
        if book.findings.count:
            bank = _named(book.key, contents.bank_names)
            yield [bank, count_text(book.findings.count), yuan_text(book.findings.minor)]


def _recoveries(contents: Contents) -> Iterator[list[str]]:
    headers = (Words.ASKED_BACK, Words.CAME_BACK, Words.OUTSTANDING, Words.OUTSTANDING_SINCE)
    yield from _section(Words.RECOVERIES, Words.PROGRAMME, Words.GROUND, Words.COUNT, *headers)
    for asked in contents.recoveries:
        amounts = (asked.asked_minor, asked.recovered_minor, asked.outstanding_minor)
        oldest = "" if asked.oldest is None else _day(contents, asked.oldest)
        ground = " ".join(GROUNDS[asked.ground])
        yield [asked.programme, ground, count_text(asked.count), *map(yuan_text, amounts), oldest]


def _books(words: Words, books: list[Book], names: dict[str, str]) -> Iterator[list[str]]:
    headers = (words, Words.COUNT, Words.AMOUNT, Words.CREDITED, Words.CREDITED_AMOUNT)
    yield from _section(words, *headers)
    for book in books:
        credited = book.states.get("credited", Sum())
        yield [
            _named(book.key, names),
            count_text(book.instructed.count),
            yuan_text(book.instructed.minor),
            count_text(credited.count),
            yuan_text(book.kept_minor),
        ]


def _named(key: str, names: dict[str, str]) -> str:
    """A bank by the name that people know, and by its key."""
    return f"{names[key]} {key}" if names.get(key) else key


def _day(contents: Contents, at: datetime) -> str:
    """By the report's clock."""
    return f"{at.astimezone(contents.made_at.tzinfo):%Y-%m-%d}"


def _section(title: Words, *headers: Words) -> Iterator[list[str]]:
    yield []
    yield [_both(title)]
    if headers:
        yield list(map(_both, headers))


def _both(words: Words) -> str:
    return " ".join(words.value)

"""A report as rows of a workbook: the same figures as the page, section after section."""

from __future__ import annotations

from collections.abc import Iterator

from formats.standard.amounts import format_yuan
from gateway.reports.contents import Contents
from gateway.reports.wording import GROUNDS, Words, state_words
from gateway.rules.books import Book, Sum

_OPEN_HEADERS = (
    Words.BANK,
    Words.PROGRAMME,
    Words.STATE,
    Words.SINCE,
    Words.DAYS,
    Words.COUNT,
    Words.AMOUNT,
)
_SHARE_HEADERS = (Words.DEPARTMENT, Words.PERCENT, Words.BY_CARD, Words.BY_PASSBOOK, Words.TARGET)


def report_head(contents: Contents) -> list[list[str]]:
    """The lines above the sections."""
    return [
        ["惠民补贴发放报告 Payment report", " ".join(contents.title)],
        [f"{contents.made_at:%Y-%m-%d %H:%M}", str(contents.made_at.tzinfo)],
    ]


def report_rows(contents: Contents) -> Iterator[list[str]]:
    """Every section, an empty row before each."""
    total = contents.total
    yield from _section(Words.STATES)
    yield [_both(Words.INSTRUCTED), str(total.instructed.count), format_yuan(total.instructed.minor)]
    for words, each in ((Words.SUCCESSORS, contents.successors), (Words.UNPAID, contents.unpaid)):
        yield [_both(words), str(each.count), format_yuan(each.minor)]
    for state, each in total.states.items():
        yield [" ".join(state_words(state)), str(each.count), format_yuan(each.minor)]
    yield [_both(Words.CREDITED_AMOUNT), "", format_yuan(total.kept_minor)]
    for words, books in (
        (Words.DEPARTMENT, contents.by_department),
        (Words.PROGRAMME, contents.by_programme),
        (Words.BANK, contents.by_bank),
    ):
        yield from _books(words, books)
    yield from _section(Words.REASONS)
    yield [_both(each) for each in (Words.REASON, Words.STATE, Words.COUNT, Words.AMOUNT, Words.AGAIN)]
    for line in contents.reasons:
        label, status = " ".join(line.reason.label), " ".join(line.status.label)
        yield [label, status, str(line.count), format_yuan(line.minor), str(line.again.count)]
    yield from _section(Words.OPEN_SINCE)
    yield [_both(each) for each in _OPEN_HEADERS]
    for one in contents.aged:
        since = f"{one.oldest.astimezone(contents.made_at.tzinfo):%Y-%m-%d}"
        state = " ".join(state_words(one.state))
        yield [one.bank, one.programme, state, since, str(one.days), str(one.count), format_yuan(one.minor)]
    yield from _section(Words.BREACHES)
    yield [_both(each) for each in (Words.BANK, Words.FILE, Words.DUE, Words.HOURS_LATE, Words.OPEN)]
    for late in contents.breaches:
        due = f"{late.due.astimezone(contents.made_at.tzinfo):%Y-%m-%d %H:%M}"
        yield [late.bank, late.file_name, due, str(late.late_hours), str(late.open_count)]
    yield from _section(Words.SHARE)
    yield [_both(each) for each in _SHARE_HEADERS]
    target = "" if contents.target_percent is None else f"{contents.target_percent} %"
    for each_share in (*contents.shares, contents.share):
        share = each_share.per_mille
        if share is not None:
            told = f"{share // 10}.{share % 10} %"
            counts = [str(each_share.card_count), str(each_share.passbook_count)]
            yield [each_share.department, told, *counts, target]
    yield from _section(Words.CHARGED)
    for book in contents.by_bank:
        if book.findings.count:
            yield [book.key, str(book.findings.count), format_yuan(book.findings.minor)]
    yield from _section(Words.RECOVERIES)
    for asked in contents.recoveries:
        amounts = (asked.asked_minor, asked.recovered_minor, asked.outstanding_minor)
        oldest = (
            "" if asked.oldest is None else f"{asked.oldest.astimezone(contents.made_at.tzinfo):%Y-%m-%d}"
        )
        ground = " ".join(GROUNDS[asked.ground])
        yield [asked.programme, ground, str(asked.count), *map(format_yuan, amounts), oldest]


def _books(words: Words, books: list[Book]) -> Iterator[list[str]]:
    yield from _section(words)
    yield [_both(each) for each in (words, Words.COUNT, Words.AMOUNT, Words.CREDITED, Words.CREDITED_AMOUNT)]
    for book in books:
        credited = book.states.get("credited", Sum())
        yield [
            book.key,
            str(book.instructed.count),
            format_yuan(book.instructed.minor),
            str(credited.count),
            format_yuan(book.kept_minor),
        ]


def _section(words: Words) -> Iterator[list[str]]:
    yield []
    yield [_both(words)]


def _both(words: Words) -> str:
    return " ".join(words.value)

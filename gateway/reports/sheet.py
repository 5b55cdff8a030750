"""A report as rows of a workbook: the same tables as the page, section after section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.reports import sections
from gateway.reports.contents import Contents
from gateway.reports.numbers import count_text, yuan_text
from gateway.reports.sections import Both, Cell, Count, Known, Moment, Section, Share, Yuan
from gateway.reports.wording import Words, state_words


def report_head(contents: Contents) -> list[list[str]]:
    """The lines above the sections."""
    return [
        ["惠民补贴发放报告 Payment report", " ".join(contents.title)],
        [f"{contents.made_at:%Y-%m-%d %H:%M}", str(contents.made_at.tzinfo)],
        *([] if contents.batches else [[_both(Words.EMPTY)]]),
    ]


def report_rows(contents: Contents) -> Iterator[list[str]]:
    """Every section, an empty row before each."""
    yield from _states(contents)
    to_first_page = sections.to_first_page(contents)
    tables: tuple[Section[Any], ...] = (
        sections.sums(contents, Words.DEPARTMENT, contents.by_department),
        sections.sums(contents, Words.PROGRAMME, contents.by_programme),
        sections.sums(contents, Words.BANK, contents.by_bank),
        *([to_first_page] if to_first_page.rows else []),
        sections.reasons(contents),
        sections.still_open(contents),
        sections.late(contents),
        sections.shares(contents),
        sections.statements(contents),
        sections.charged(contents),
        sections.asked_back(contents),
    )
    for one in tables:
        yield []
        yield [_both(one.title)]
        if one.note is not None:
            yield [_both(one.note)]
        yield [_both(words) for words in one.headers]
        for cells in one.cells():
            yield [_told(contents, cell) for cell in cells]


def _states(contents: Contents) -> Iterator[list[str]]:
    money = contents.fates
    yield []
    yield [_both(Words.STATES)]
    for words, each in (
        (Words.INSTRUCTED, money.instructed),
        (Words.EARLIER, money.earlier),
        (Words.UNPAID, money.unpaid),
        (Words.REFUSED, money.refused),
    ):
        yield [_both(words), count_text(each.count), yuan_text(each.minor)]
    for state, each in money.states.items():
        if each.count or each.minor:
            yield [" ".join(state_words(state)), count_text(each.count), yuan_text(each.minor)]
    yield [_both(Words.KEPT_AMOUNT), "", yuan_text(contents.total.kept_minor)]


def _told(contents: Contents, cell: Cell) -> str:
    """A cell as a workbook has it: counts and amounts as numbers."""
    match cell:
        case Count(count):
            return count_text(count)
        case Yuan(minor):
            return yuan_text(minor)
        case Known(key, name):
            return f"{name} {key}" if name else key
        case Both(chinese, english):
            return f"{chinese} {english}"
        case Moment():
            return cell.told(contents)
        case Share():
            return cell.percent
        case _:
            return cell.text


def _both(words: Words) -> str:
    return " ".join(words.value)

"""A report as one HTML file: no script, nothing from outside, Chinese and English, for a phone too.

Text is large and dark on light, every bar has its figures in words beside it. On a narrow screen, or
with large letters, each row of a table becomes a card with its headers beside the values, so that
nothing has to be moved sideways.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from gateway.money import yuan
from gateway.reports import sections
from gateway.reports.contents import Contents
from gateway.reports.pieces import (
    Column,
    bar,
    both,
    heading,
    legend,
    list_of_contents,
    plain,
    share_bar,
    share_legend,
    small,
    style,
    table,
)
from gateway.reports.sections import Both, Cell, Count, Known, Moment, Name, Section, Share, Text, Yuan
from gateway.reports.wording import KINDS_OF_STATES, Words
from gateway.rules.books import Sum
from gateway.rules.fates import Fates


def report_page(contents: Contents) -> str:
    """The whole file."""
    chinese, english = contents.title
    chapters = [(title, text) for title, text in _chapters(contents) if text]
    parts = [
        f'<h1>惠民补贴发放报告: <span class="whole">{escape(chinese)}</span><br>'
        f'<span class="en">Payment report: {escape(english)}</span></h1>',
        f"<p>{_department(contents)}"
        f"<small>{contents.made_at:%Y-%m-%d %H:%M} ({escape(str(contents.made_at.tzinfo))})</small></p>",
        "" if contents.batches else f'<p class="bad"><b>{plain(Words.EMPTY)}</b></p>',
        _figures(contents),
        list_of_contents([title for title, _ in chapters]),
        *(heading(title) + text for title, text in chapters),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(chinese)} {escape(english)}</title>\n<style>{style()}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _chapters(contents: Contents) -> Iterator[tuple[Words, str]]:
    """Headings and what stands below them, "" for nothing: what somebody has to see to comes first."""
    yield Words.STATES, _states(contents.fates)
    tables: list[Section[Any]] = [
        sections.reasons(contents),
        sections.still_open(contents),
        sections.late(contents),
        sections.statements(contents),
        sections.charged(contents),
        sections.asked_back(contents),
    ]
    for one in tables:
        yield one.title, _table(contents, one)
    yield Words.SHARE, _share(contents)
    sums: list[Section[Any]] = [
        sections.sums(contents, Words.BANK, contents.by_bank),
        sections.to_first_page(contents),
        sections.sums(contents, Words.PROGRAMME, contents.by_programme),
    ]
    if len(contents.by_department) > 1:
        sums.insert(2, sections.sums(contents, Words.DEPARTMENT, contents.by_department))
    for one in sums:
        yield one.title, _table(contents, one)


def _department(contents: Contents) -> str:
    """Whose payments they are, where they are of one."""
    names = [book.key for book in contents.by_department]
    return f"<b>{escape(names[0])}</b><br>" if len(names) == 1 and names[0] else ""


def _figures(contents: Contents) -> str:
    """What a department head wants to know first."""
    money, part = contents.fates, Sum(minor=contents.part_of_open_minor)
    cells = [
        (Words.INSTRUCTED, money.instructed, "", _more(Words.EARLIER, money.earlier)),
        (Words.CREDITED, money.arrived, "good", _more(Words.AGAIN, money.again)),
        (Words.UNDER_WAY, money.under_way, "", ""),
        (Words.OPEN, money.open, "bad", _more(Words.PART_OF_OPEN, part)),
        (Words.UNPAID, money.unpaid, "bad", ""),
        (Words.TAKEN_BACK, money.withdrawn, "", _more(Words.REFUSED, money.refused)),
        (Words.CHARGED, contents.total.findings, "bad", ""),
    ]
    boxes = [
        f'<div class="figure">{both(words)}<br><b class="{tone if each.count else ""}">{each.count:,}'
        f"</b> {plain(Words.TIMES if words is Words.CHARGED else Words.UNIT)}<br>"
        f"{yuan(each.minor)} 元{more}</div>"
        for words, each, tone, more in cells
    ]
    return f'<div class="figures">{"".join(boxes)}</div><p>{plain(Words.ADDS_UP)}</p>'


def _more(words: Words, each: Sum) -> str:
    told = [f"{each.count:,} {plain(Words.UNIT)}"] if each.count else []
    if each.minor:
        told.append(f"{yuan(each.minor)} 元")
    return f"<br><small>{plain(words)} {', '.join(told)}</small>" if told else ""


def _states(money: Fates) -> str:
    """What became of all money, as one bar; its figures stand below it in words."""
    total = max(1, money.instructed.count + money.earlier.count)
    pieces, told = [], []
    for kind, (color, states) in KINDS_OF_STATES.items():
        count = sum(money.states.get(state, Sum()).count for state in states)
        minor = sum(money.states.get(state, Sum()).minor for state in states)
        if count or minor:
            pieces.append((count / total, color))
            told.append((color, f"{plain(kind)}: <b>{count:,}</b> ({yuan(minor)} 元)"))
    return bar(pieces, "states") + legend(told)


def _table(contents: Contents, section: Section[Any]) -> str:
    """A section without its heading; nothing where it has no rows."""
    if not section.rows:
        return ""
    note = "" if section.note is None else f"<p>{plain(section.note)}</p>"
    return note + _rows(contents, section)


def _rows(contents: Contents, section: Section[Any]) -> str:
    rows = list(section.cells())
    columns = [
        Column(words=words, number=isinstance(cell, Count | Yuan))
        for words, cell in zip(section.headers, rows[0], strict=True)
    ]
    return table(columns, ([_told(contents, cell) for cell in cells] for cells in rows))


def _told(contents: Contents, cell: Cell) -> str:
    """A cell as a page has it."""
    match cell:
        case Count(count):
            return f"{count:,}"
        case Yuan(minor):
            return yuan(minor)
        case Known(key, name):
            # By the name that people know, and by its key, which files and commands use.
            return f"{escape(name)}<br>{small(key)}" if name else escape(key) or "-"
        case Both(chinese, english):
            return f"{escape(chinese)}<br>{small(english)}"
        case Moment():
            return cell.told(contents)
        case Share(per_mille):
            return f"{cell.percent}{share_bar(per_mille, contents.target_percent, contents.earlier_targets)}"
        case Name(text):
            return f'<span class="name">{escape(text)}</span>'
        case Text(text):
            return escape(text)


def _share(contents: Contents) -> str:
    share, target = contents.share.per_mille, contents.target_percent
    if share is None:
        return ""
    wanted = ""
    if target is not None:
        reached = share >= target * 10
        tone, words = ("good", Words.REACHED) if reached else ("bad", Words.MISSED)
        wanted = f' <span class="{tone}">{plain(Words.TARGET)} {target} %: {plain(words)}</span>'
    credited = contents.share.card_count + contents.share.passbook_count
    told = f"<p><b>{Share(share).percent}</b> ({contents.share.card_count:,} / {credited:,}){wanted}</p>"
    departments = sections.shares(contents)
    # The last row is of all of them, which is said above.
    by_department = _rows(contents, departments) if len(departments.rows) > 2 else ""
    earlier = contents.earlier_targets
    chart = share_bar(share, target, earlier) + share_legend(target, earlier)
    return chart + told + by_department

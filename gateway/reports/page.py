"""A report as one HTML file: no script, nothing from outside, Chinese and English, for a phone too.

Text is large and dark on light, every bar has its figures in words beside it. On a narrow screen, or
with large letters, each row of a table becomes a card with its headers beside the values, so that
nothing has to be moved sideways.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gateway.money import yuan
from gateway.reports.contents import CardShare, Contents
from gateway.reports.pieces import (
    Column,
    bar,
    both,
    heading,
    legend,
    plain,
    plain_text,
    share_bar,
    share_legend,
    small,
    style,
    table,
)
from gateway.reports.wording import GROUNDS, KINDS_OF_STATES, Words, state_words
from gateway.rules.books import Book, Sum


def report_page(contents: Contents) -> str:
    """The whole file."""
    chinese, english = contents.title
    parts = [
        f"<h1>惠民补贴发放报告:{escape(chinese)}<br>"
        f'<span class="en">Payment report: {escape(english)}</span></h1>',
        f"<p>{_department(contents)}"
        f"<small>{contents.made_at:%Y-%m-%d %H:%M} ({escape(str(contents.made_at.tzinfo))})</small></p>",
        _figures(contents),
        heading(Words.STATES),
        _states(contents.total),
        _reasons(contents),
        _open(contents),
        _late(contents),
        _charges(contents),
        _recoveries(contents),
        _share(contents),
        _books(Words.BANK, contents.by_bank, contents.bank_names),
        _books(Words.DEPARTMENT, contents.by_department) if len(contents.by_department) > 1 else "",
        _books(Words.PROGRAMME, contents.by_programme),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(chinese)} {escape(english)}</title>\n<style>{style()}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _department(contents: Contents) -> str:
    """Whose payments they are, where they are of one."""
    names = [book.key for book in contents.by_department]
    return f"<b>{escape(names[0])}</b><br>" if len(names) == 1 and names[0] else ""


def _figures(contents: Contents) -> str:
    """What a department head wants to know first."""
    total, unpaid = contents.total, contents.unpaid
    cells = [
        (Words.INSTRUCTED, total.instructed, "", _again(Words.SUCCESSORS, contents.successors)),
        (Words.CREDITED, total.states.get("credited", Sum()), "good", ""),
        (
            Words.UNPAID,
            unpaid,
            "bad",
            _again(Words.AGAIN, Sum(count=contents.not_arrived.count - unpaid.count)),
        ),
        (Words.OPEN, total.open, "bad", ""),
        (Words.CHARGED, total.findings, "bad", ""),
    ]
    boxes = [
        f'<div class="figure">{both(words)}<br><b class="{tone if each.count else ""}">{each.count:,}'
        f"</b> {plain(Words.UNIT)}<br>{yuan(each.minor)} 元{more}</div>"
        for words, each, tone, more in cells
    ]
    return f'<div class="figures">{"".join(boxes)}</div>'


def _again(words: Words, each: Sum) -> str:
    if not each.count:
        return ""
    minor = f", {yuan(each.minor)} 元" if each.minor else ""
    return f"<br><small>{plain(words)} {each.count:,} {plain(Words.UNIT)}{minor}</small>"


def _states(book: Book) -> str:
    """What became of all payments, as one bar; its figures stand below it in words."""
    total = max(1, book.instructed.count)
    pieces, told = [], []
    for kind, (color, states) in KINDS_OF_STATES.items():
        count = sum(book.states.get(state, Sum()).count for state in states)
        minor = sum(book.states.get(state, Sum()).minor for state in states)
        if count:
            pieces.append((count / total, color))
            told.append((color, f"{plain(kind)}: <b>{count:,}</b> ({yuan(minor)} 元)"))
    return bar(pieces, "states") + legend(told)


def _books(words: Words, books: Sequence[Book], names: dict[str, str] | None = None) -> str:
    rows = [
        [
            _named(book.key, names or {}),
            f"{book.instructed.count:,}",
            yuan(book.instructed.minor),
            f"{book.states.get('credited', Sum()).count:,}",
            yuan(book.kept_minor),
            f"{book.instructed.count - book.states.get('credited', Sum()).count:,}",
        ]
        for book in sorted(books, key=_troubled)
        if book.instructed.count
    ]
    headers = [words, Words.COUNT, Words.AMOUNT, Words.CREDITED, Words.CREDITED_AMOUNT, Words.OTHERS]
    return heading(words) + table(_columns(headers, range(1, 6)), rows)


def _named(key: str, names: dict[str, str]) -> str:
    """A bank by the name that people know, and by its key, which files and commands use."""
    if not names.get(key):
        return escape(key) or "-"
    return f"{escape(names[key])}<br>{small(key)}"


def _troubled(book: Book) -> tuple[int, int]:
    """Where most did not arrive first, then by amount."""
    return book.states.get("credited", Sum()).count - book.instructed.count, -book.instructed.minor


def _reasons(contents: Contents) -> str:
    if not contents.reasons:
        return ""
    rows = [
        [
            f"{escape(one.reason.label[0])}<br>{small(one.reason.label[1])}",
            f"{escape(one.status.label[0])}<br>{small(one.status.label[1])}",
            f"{one.count:,}",
            yuan(one.minor),
            f"{one.again.count:,}",
            f"{one.count - one.again.count:,}",
        ]
        for one in contents.reasons
    ]
    headers = [Words.REASON, Words.STATE, Words.COUNT, Words.AMOUNT, Words.AGAIN, Words.REMAINING]
    return heading(Words.REASONS) + table(_columns(headers, range(2, 6)), rows)


def _open(contents: Contents) -> str:
    if not contents.aged:
        return ""
    rows = [
        [
            escape(one.programme),
            _named(one.bank, contents.bank_names),
            plain_text(state_words(one.state)),
            f"{one.oldest.astimezone(contents.made_at.tzinfo):%Y-%m-%d}",
            f"{one.days:,}",
            f"{one.count:,}",
            yuan(one.minor),
        ]
        for one in contents.aged
    ]
    headers = [Words.PROGRAMME, Words.BANK, Words.STATE, Words.SINCE, Words.DAYS, Words.COUNT, Words.AMOUNT]
    return heading(Words.OPEN_SINCE) + table(_columns(headers, (4, 5, 6)), rows)


def _late(contents: Contents) -> str:
    if not contents.breaches:
        return ""
    rows = [
        [
            _named(one.bank, contents.bank_names),
            f'<span class="name">{escape(one.file_name)}</span>',
            f"{one.due.astimezone(contents.made_at.tzinfo):%Y-%m-%d %H:%M}",
            f"{one.late_hours:,}",
            f"{one.open_count:,}",
        ]
        for one in contents.breaches
    ]
    headers = [Words.BANK, Words.FILE, Words.DUE, Words.HOURS_LATE, Words.OPEN]
    return heading(Words.BREACHES) + table(_columns(headers, (3, 4)), rows)


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
    told = f"<p><b>{_percent(share)}</b> ({contents.share.card_count:,} / {credited:,}){wanted}</p>"
    headers = [Words.DEPARTMENT, Words.PERCENT, Words.BY_CARD, Words.BY_PASSBOOK]
    rows = [_share_row(one, one.per_mille, target) for one in contents.shares if one.per_mille is not None]
    by_department = table(_columns(headers, (2, 3)), rows) if len(rows) > 1 else ""
    colors = share_legend(has_target=target is not None)
    return heading(Words.SHARE) + share_bar(share, target) + colors + told + by_department


def _share_row(one: CardShare, share: int, target: int | None) -> list[str]:
    return [
        escape(one.department),
        f"{_percent(share)}{share_bar(share, target)}",
        f"{one.card_count:,}",
        f"{one.passbook_count:,}",
    ]


def _percent(per_mille: int) -> str:
    return f"{per_mille // 10}.{per_mille % 10} %"


def _charges(contents: Contents) -> str:
    charged = [book for book in contents.by_bank if book.findings.count]
    if not charged:
        return ""
    rows = [
        [_named(book.key, contents.bank_names), f"{book.findings.count:,}", yuan(book.findings.minor)]
        for book in charged
    ]
    headers = [Words.BANK, Words.COUNT, Words.AMOUNT]
    note = f"<p>{plain(Words.CHARGED_NOTE)}</p>"
    return heading(Words.CHARGED) + note + table(_columns(headers, (1, 2)), rows)


def _recoveries(contents: Contents) -> str:
    if not contents.recoveries:
        return ""
    rows = [
        [
            escape(line.programme),
            plain_text(GROUNDS[line.ground]),
            f"{line.count:,}",
            yuan(line.asked_minor),
            yuan(line.recovered_minor),
            yuan(line.outstanding_minor),
            "" if line.oldest is None else f"{line.oldest.astimezone(contents.made_at.tzinfo):%Y-%m-%d}",
        ]
        for line in contents.recoveries
    ]
    headers = [
        Words.PROGRAMME,
        Words.GROUND,
        Words.COUNT,
        Words.ASKED_BACK,
        Words.CAME_BACK,
        Words.OUTSTANDING,
        Words.OUTSTANDING_SINCE,
    ]
    note = f"<p>{plain(Words.RECOVERIES_NOTE)}</p>"
    return heading(Words.RECOVERIES) + note + table(_columns(headers, range(2, 6)), rows)


def _columns(headers: Sequence[Words], numbers: Sequence[int] | range) -> list[Column]:
    return [Column(words=words, number=place in numbers) for place, words in enumerate(headers)]

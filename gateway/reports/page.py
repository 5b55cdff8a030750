"""A report as one HTML file: no script, nothing from outside, Chinese and English, for a phone too.

Text is large and dark on light, every bar has its figures in words beside it, and tables scroll within
themselves, so that the page never has to be moved sideways.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from gateway.money import yuan
from gateway.reports.contents import Contents
from gateway.reports.wording import GROUNDS, KINDS_OF_STATES, Words, state_words
from gateway.rules.books import Book, Sum

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 62rem; background: #fff; color: #111;
  font: 1.15rem/1.6 "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.4rem; margin: 2.2rem 0 .6rem; border-bottom: .15rem solid #111; }
small, .en { color: #444; font-size: 1rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .8rem; }
.figure { border: .12rem solid #999; border-radius: .5rem; padding: .7rem .9rem; }
.figure b { display: block; font-size: 1.7rem; line-height: 1.3; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .45rem .6rem; border-bottom: .07rem solid #999; vertical-align: top; }
th { border-bottom: .15rem solid #111; }
td.number, th.number { text-align: right; white-space: nowrap; }
svg { display: block; width: 100%; height: 2.4rem; margin: .4rem 0; }
ul.legend { list-style: none; padding: 0; margin: 0; }
ul.legend li { display: inline-block; margin-right: 1.2rem; }
ul.legend i { display: inline-block; width: 1rem; height: 1rem; margin-right: .4rem;
  border: .07rem solid #111; }
.good { color: #0b5d1e; } .bad { color: #a30000; }
@media print { body { font-size: 11pt; } }
"""
_PER_MILLE = 1000
_STRETCHED = 'preserveAspectRatio="none" role="img"'


def report_page(contents: Contents) -> str:
    """The whole file."""
    chinese, english = contents.title
    parts = [
        f"<h1>惠民补贴发放报告:{escape(chinese)}<br>"
        f'<span class="en">Payment report: {escape(english)}</span></h1>',
        f"<p><small>{contents.made_at:%Y-%m-%d %H:%M} ({escape(str(contents.made_at.tzinfo))})</small></p>",
        _figures(contents),
        _heading(Words.STATES),
        _bar(contents.total),
        _reasons(contents),
        _open(contents),
        _books(Words.BANK, contents.by_bank),
        _books(Words.PROGRAMME, contents.by_programme),
        _share(contents),
        _charges(contents),
        _recoveries(contents),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(chinese)} {escape(english)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _figures(contents: Contents) -> str:
    total = contents.total
    credited = total.states.get("credited", Sum())
    failed = sum((total.states.get(name, Sum()).count for name in ("failed", "returned", "set_aside")), 0)
    cells = [
        (Words.INSTRUCTED, total.instructed.count, f"{yuan(total.instructed.minor)} 元", ""),
        (Words.CREDITED, credited.count, f"{yuan(credited.minor)} 元", "good"),
        (Words.NOT_ARRIVED, failed, "", "bad" if failed else ""),
        (Words.OPEN, total.open.count, f"{yuan(total.open.minor)} 元", "bad" if total.open.count else ""),
        (
            Words.CHARGED,
            total.findings.count,
            f"{yuan(total.findings.minor)} 元",
            "bad" if total.findings.count else "",
        ),
    ]
    boxes = [
        f'<div class="figure">{_both(words)}<b class="{tone}">{count}</b>{escape(more)}</div>'
        for words, count, more, tone in cells
    ]
    return f'<div class="figures">{"".join(boxes)}</div>'


def _bar(book: Book) -> str:
    """What became of all payments, as one bar; its figures stand below it in words."""
    total = max(1, book.instructed.count)
    at, rects, legend = 0.0, [], []
    for kind, (color, states) in KINDS_OF_STATES.items():
        count = sum(book.states.get(state, Sum()).count for state in states)
        minor = sum(book.states.get(state, Sum()).minor for state in states)
        if not count:
            continue
        width = count * _PER_MILLE / total
        rects.append(f'<rect x="{at:.2f}" y="0" width="{width:.2f}" height="40" fill="{color}"/>')
        at += width
        legend.append(
            f'<li><i style="background:{color}"></i>{_plain(kind)}: {count} ({yuan(minor)} 元)</li>'
        )
    shown = "".join(rects)
    return (
        f'<svg viewBox="0 0 {_PER_MILLE} 40" {_STRETCHED} aria-label="states">{shown}</svg>'
        f'<ul class="legend">{"".join(legend)}</ul>'
    )


def _books(words: Words, books: Sequence[Book]) -> str:
    rows = [
        [
            escape(book.key) or "-",
            str(book.instructed.count),
            yuan(book.instructed.minor),
            str(book.states.get("credited", Sum()).count),
            yuan(book.kept_minor),
            str(book.instructed.count - book.states.get("credited", Sum()).count),
        ]
        for book in sorted(books, key=_troubled)
        if book.instructed.count
    ]
    headers = [words, Words.COUNT, Words.AMOUNT, Words.CREDITED, Words.CREDITED_AMOUNT, Words.OTHERS]
    return _heading(words) + _table(headers, rows, numbers=range(1, 6))


def _troubled(book: Book) -> tuple[int, int]:
    """Where most did not arrive first, then by amount."""
    return book.states.get("credited", Sum()).count - book.instructed.count, -book.instructed.minor


def _reasons(contents: Contents) -> str:
    if not contents.reasons:
        return ""
    rows = [
        [
            f"{escape(one.reason.label[0])}<br><small>{escape(one.reason.label[1])}</small>",
            f"{escape(one.status.label[0])}<br><small>{escape(one.status.label[1])}</small>",
            str(one.count),
            yuan(one.minor),
        ]
        for one in contents.reasons
    ]
    headers = [Words.REASON, Words.STATE, Words.COUNT, Words.AMOUNT]
    return _heading(Words.REASONS) + _table(headers, rows, numbers=(2, 3))


def _open(contents: Contents) -> str:
    if not contents.aged and not contents.breaches:
        return ""
    rows = [
        [
            escape(one.bank) or "-",
            escape(one.programme),
            _plain_text(state_words(one.state)),
            f"{one.oldest.astimezone(contents.made_at.tzinfo):%Y-%m-%d}",
            str(one.days),
            str(one.count),
            yuan(one.minor),
        ]
        for one in contents.aged
    ]
    headers = [Words.BANK, Words.PROGRAMME, Words.STATE, Words.SINCE, Words.DAYS, Words.COUNT, Words.AMOUNT]
    told = _table(headers, rows, numbers=(4, 5, 6)) if rows else ""
    late = [
        [
            escape(one.bank),
            escape(one.file_name),
            f"{one.due.astimezone(contents.made_at.tzinfo):%Y-%m-%d %H:%M}",
            str(one.late_hours),
            str(one.open_count),
        ]
        for one in contents.breaches
    ]
    headers = [Words.BANK, Words.FILE, Words.DUE, Words.HOURS_LATE, Words.OPEN]
    missed = _heading(Words.BREACHES) + _table(headers, late, numbers=(3, 4)) if late else ""
    return (_heading(Words.OPEN_SINCE) + told if rows else "") + missed


def _share(contents: Contents) -> str:
    share = contents.card_per_mille
    if share is None:
        return ""
    target = contents.target_percent
    mark = (
        "" if target is None else f'<rect x="{target * 10 - 4}" y="0" width="4" height="40" fill="#a30000"/>'
    )
    told, credited = f"{share // 10}.{share % 10} %", contents.card_count + contents.passbook_count
    wanted = ""
    if target is not None:
        reached = share >= target * 10
        tone, words = ("good", Words.REACHED) if reached else ("bad", Words.MISSED)
        wanted = f' <span class="{tone}">{_plain(Words.TARGET)} {target} %: {_plain(words)}</span>'
    return (
        _heading(Words.SHARE) + f'<svg viewBox="0 0 {_PER_MILLE} 40" {_STRETCHED} aria-label="share">'
        f'<rect width="{_PER_MILLE}" height="40" fill="#ddd"/>'
        f'<rect x="0" y="0" width="{share}" height="40" fill="#1f5fa8"/>{mark}</svg>'
        f"<p><b>{told}</b> ({contents.card_count} / {credited}){wanted}</p>"
    )


def _charges(contents: Contents) -> str:
    charged = [book for book in contents.by_bank if book.findings.count]
    if not charged:
        return ""
    rows = [[escape(book.key), str(book.findings.count), yuan(book.findings.minor)] for book in charged]
    headers = [Words.BANK, Words.COUNT, Words.AMOUNT]
    return (
        _heading(Words.CHARGED)
        + f"<p>{_plain(Words.CHARGED_NOTE)}</p>"
        + _table(headers, rows, numbers=(1, 2))
    )


def _recoveries(contents: Contents) -> str:
    if not contents.recoveries:
        return ""
    rows = [
        [
            escape(line.programme),
            _plain_text(GROUNDS[line.ground]),
            str(line.count),
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
    return (
        _heading(Words.RECOVERIES)
        + f"<p>{_plain(Words.RECOVERIES_NOTE)}</p>"
        + _table(headers, rows, numbers=range(2, 6))
    )


def _table(headers: Sequence[Words], rows: Iterable[Sequence[str]], numbers: Sequence[int] | range) -> str:
    """`rows` are HTML already."""
    head = "".join(f"<th{_number(place, numbers)}>{_both(words)}</th>" for place, words in enumerate(headers))
    body = "".join(
        "<tr>"
        + "".join(f"<td{_number(place, numbers)}>{cell}</td>" for place, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _number(place: int, numbers: Sequence[int] | range) -> str:
    return ' class="number"' if place in numbers else ""


def _heading(words: Words) -> str:
    return f"<h2>{_plain(words)}</h2>"


def _both(words: Words) -> str:
    chinese, english = words.value
    return f'{escape(chinese)}<br><span class="en">{escape(english)}</span>'


def _plain(words: Words) -> str:
    return _plain_text(words.value)


def _plain_text(words: tuple[str, str]) -> str:
    return f'{escape(words[0])} <span class="en">{escape(words[1])}</span>'

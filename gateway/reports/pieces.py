"""What report pages are built of: headings, bars, tables, and how all of it looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from msgspec import Struct

from gateway.reports.wording import Words

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: #fff; color: #111;
  font: 1.15rem/1.6 "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  overflow-wrap: break-word; }
h1, .name { overflow-wrap: anywhere; } .whole { display: inline-block; max-width: 100%; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.4rem; margin: 2.2rem 0 .6rem; border-bottom: .15rem solid #111; }
small, .en { color: #444; font-size: 1rem; font-weight: normal; }
.figures { display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
.figure { border: .12rem solid #777; border-radius: .5rem; padding: .7rem .9rem; }
.figure b { font-size: 1.8rem; line-height: 1.3; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .45rem .4rem; border-bottom: .07rem solid #777; vertical-align: top; }
th { border-bottom: .15rem solid #111; }
td.number, th.number { text-align: right; }
td.number { white-space: nowrap; }
svg { display: block; width: 100%; height: 2.4rem; margin: .4rem 0; border: .07rem solid #111; }
td svg { height: 1.1rem; min-width: 8rem; }
ul.legend { list-style: none; padding: 0; margin: 0; }
ul.legend i { display: inline-block; width: 1rem; height: 1rem; margin-right: .4rem;
  border: .07rem solid #111; }
nav a { color: #0b3d91; } nav ul { margin: .3rem 0; padding-left: 1.4rem; }
.good { color: #0b5d1e; } .bad { color: #a30000; }
@media (max-width: 72rem) {
  table, tbody, td { display: block; }
  thead { display: none; }
  tr { display: grid; gap: .2rem 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 8rem), 1fr));
    border: .12rem solid #777; border-radius: .5rem; margin: .7rem 0; padding: .4rem .8rem; }
  td, td.number { border: 0; padding: 0; text-align: left; white-space: normal; line-height: 1.4; }
  td::before { content: attr(data-label); display: block; color: #444; font-size: 1rem; }
  td:first-child { grid-column: 1 / -1; font-weight: bold; }
  td:first-child::before { content: none; }
}
@media print { body { font-size: 11pt; } tr { break-inside: avoid; } }
"""
_SCALE = 1000
_HEIGHT = 40
_LINE = 8
_STRETCHED = 'preserveAspectRatio="none" role="img"'
_CARD, _REST, _TARGET, _EARLIER = "#1f5fa8", "#e6e6e6", "#a30000", "#f0a000"


class Column(Struct, frozen=True, kw_only=True):
    """A column of a table; numbers stand at the right."""

    words: Words
    number: bool = False


def style() -> str:
    """The page's style sheet."""
    return _STYLE


def bar(pieces: Iterable[tuple[float, str]], label: str) -> str:
    """Pieces of one whole, each with its part of it (0 to 1) and its colour."""
    at, rects = 0.0, []
    for part, color in pieces:
        width = part * _SCALE
        rects.append(f'<rect x="{at:.2f}" y="0" width="{width:.2f}" height="{_HEIGHT}" fill="{color}"/>')
        at += width
    return _svg(rects, label)


def share_bar(per_mille: int, target_percent: int | None, earlier: Mapping[int, int]) -> str:
    """What is carried by card, of everything, with a line at the target, and at those of years before."""
    rects = [
        f'<rect width="{_SCALE}" height="{_HEIGHT}" fill="{_REST}"/>',
        f'<rect width="{per_mille}" height="{_HEIGHT}" fill="{_CARD}"/>',
    ]
    lines = [(percent, _EARLIER) for percent in earlier.values()]
    if target_percent is not None:
        lines.append((target_percent, _TARGET))
    for percent, color in lines:
        at = percent * 10 - _LINE
        rects.append(f'<rect x="{at}" width="{_LINE}" height="{_HEIGHT}" fill="{color}"/>')
    return _svg(rects, "share")


def share_legend(target_percent: int | None, earlier: Mapping[int, int]) -> str:
    """What the colours of `share_bar` are."""
    entries = [(_CARD, plain(Words.CARD)), (_REST, plain(Words.PASSBOOK))]
    if earlier:
        years = ", ".join(f"{year}: {percent} %" for year, percent in earlier.items())
        entries.append((_EARLIER, f"{plain(Words.EARLIER_TARGETS)} {years}"))
    if target_percent is not None:
        entries.append((_TARGET, f"{plain(Words.TARGET)} {target_percent} %"))
    return legend(entries)


def legend(entries: Iterable[tuple[str, str]]) -> str:
    """Colours and what they mean, which is HTML already."""
    lines = "".join(f'<li><i style="background:{color}"></i>{told}</li>' for color, told in entries)
    return f'<ul class="legend">{lines}</ul>'


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> str:
    """`rows` are HTML already. Each cell has its header with it, for screens that show rows as cards."""
    head = "".join(f"<th{_number(column)}>{both(column.words)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(_cell(column, cell) for column, cell in zip(columns, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def heading(words: Words) -> str:
    """One that `list_of_contents` leads to."""
    return f'<h2 id="{_place(words)}">{plain(words)}</h2>'


def list_of_contents(headings: Iterable[Words]) -> str:
    """Links within the page."""
    links = "".join(f'<li><a href="#{_place(words)}">{plain(words)}</a></li>' for words in headings)
    return f"<nav><b>{plain(Words.CONTENTS)}</b><ul>{links}</ul></nav>"


def both(words: Words) -> str:
    """Chinese above English."""
    chinese, english = words.value
    return f'{escape(chinese)}<br><span class="en">{escape(english)}</span>'


def plain(words: Words) -> str:
    """Chinese, then English, in one line."""
    return plain_text(words.value)


def plain_text(words: tuple[str, str]) -> str:
    chinese, english = words
    return f'{escape(chinese)} <span class="en">{escape(english)}</span>' if english else escape(chinese)


def small(text: str) -> str:
    return f"<small>{escape(text)}</small>"


def _place(words: Words) -> str:
    return words.name.lower().replace("_", "-")


def _svg(rects: Iterable[str], label: str) -> str:
    shown = "".join(rects)
    return f'<svg viewBox="0 0 {_SCALE} {_HEIGHT}" {_STRETCHED} aria-label="{label}">{shown}</svg>'


def _cell(column: Column, cell: str) -> str:
    label = escape(" ".join(column.words.value), quote=True)
    return f'<td{_number(column)} data-label="{label}">{cell}</td>'


def _number(column: Column) -> str:
    return ' class="number"' if column.number else ""

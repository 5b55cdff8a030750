"""A document of tables, and the four forms in which it can be laid beside a paper.

Text is aligned for a terminal, where a hanzi is two columns wide; Markdown and HTML escape what
stands in cells; a workbook has one sheet a table.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from io import BytesIO

import xlsxwriter
from msgspec import Struct

_GAP = "  "
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)
"""A fixed time of making, so that the same document gives the same bytes."""
_FORBIDDEN_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")
_LONGEST_SHEET_NAME = 31
_WIDEST_COLUMN = 60


class Table(Struct, frozen=True, kw_only=True):
    """One table. `note` stands under its title; `right` are the places of columns with numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    right: tuple[int, ...] = ()


class Document(Struct, frozen=True, kw_only=True):
    """A title, facts about the whole (name and value), and tables."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


class Form(StrEnum):
    """How a document is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    XLSX = "xlsx"


def render(document: Document, form: Form) -> bytes:
    """The document's bytes: UTF-8, or a workbook."""
    if form is Form.XLSX:
        return _workbook(document)
    writers: dict[Form, Callable[[Document], str]] = {
        Form.TEXT: _text,
        Form.MARKDOWN: _markdown,
        Form.HTML: _html,
    }
    return writers[form](document).encode("utf-8")


def columns_wide(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as lines whose columns stand below each other; the last column is not padded."""
    widths = [max(map(columns_wide, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            padding = " " * (width - columns_wide(cell))
            cells.append(padding + cell if place in right else cell + padding)
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _text(document: Document) -> str:
    lines = [document.title, *aligned(document.facts)]
    for table in document.tables:
        lines += ["", table.title, *([table.note] if table.note else [])]
        lines += [f"{_GAP}{line}" for line in aligned([table.columns, *table.rows], table.right)]
    return "\n".join(lines) + "\n"


def _markdown(document: Document) -> str:
    lines = [f"# {_in_markdown(document.title)}", ""]
    lines += [f"* {_in_markdown(name)}: {_in_markdown(value)}" for name, value in document.facts]
    for table in document.tables:
        lines += ["", f"## {_in_markdown(table.title)}", ""]
        lines += [_in_markdown(table.note), ""] if table.note else []
        marks = ["---:" if place in table.right else "---" for place in range(len(table.columns))]
        for row in (table.columns, marks, *table.rows):
            lines.append("| " + " | ".join(map(_in_markdown, row)) + " |")
    return "\n".join(lines) + "\n"


def _in_markdown(text: str) -> str:
    """The text with its signs escaped and its indentation kept; `---:` is a mark of the table itself."""
    if not text.strip("-:"):
        return text
    return _indented(re.sub(r"([\\|`*_<>\[\]#])", r"\\\1", text), "&nbsp;")


def _in_html(text: str) -> str:
    return _indented(html.escape(text), "&nbsp;")


def _indented(text: str, blank: str) -> str:
    plain = text.lstrip(" ")
    return blank * (len(text) - len(plain)) + plain


def _html(document: Document) -> str:
    title = html.escape(document.title)
    facts = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>\n" for name, value in document.facts
    )
    tables = "".join(map(_html_table, document.tables))
    return (
        f'<!DOCTYPE html>\n<html lang="zh">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<dl>\n{facts}</dl>\n{tables}</body>\n</html>\n"
    )


def _html_table(table: Table) -> str:
    def row(cells: tuple[str, ...], tag: str) -> str:
        right = ' class="right"'
        made = "".join(
            f"<{tag}{right if place in table.right else ''}>{_in_html(cell)}</{tag}>"
            for place, cell in enumerate(cells)
        )
        return f"<tr>{made}</tr>\n"

    note = f"<p>{html.escape(table.note)}</p>\n" if table.note else ""
    body = "".join(row(cells, "td") for cells in table.rows)
    return (
        f"<h2>{html.escape(table.title)}</h2>\n{note}<table>\n<thead>\n{row(table.columns, 'th')}</thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n"
    )


_STYLE = (
    "body{font-family:sans-serif;font-size:10pt}table{border-collapse:collapse}"
    "th,td{border:1px solid #999;padding:2px 6px;text-align:left;vertical-align:top}"
    ".right{text-align:right}dt{font-weight:bold;float:left;clear:left;margin-right:1em}"
    "@media print{h2{break-after:avoid}tr{break-inside:avoid}}"
)


def _workbook(document: Document) -> bytes:
    stream = BytesIO()
    workbook = xlsxwriter.Workbook(
        stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    workbook.set_properties({"created": _CREATED, "title": document.title})
    bold, as_text = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "@"})
    taken: set[str] = set()
    front = Table(title=document.title, columns=("", ""), rows=document.facts)
    for table in (front, *document.tables):
        sheet = workbook.add_worksheet(_sheet_name(table.title, taken))
        head = [(table.title,), *([(table.note,)] if table.note else []), ()]
        rows = [*head, table.columns, *table.rows] if table is not front else [*head, *table.rows]
        for number, row in enumerate(rows):
            form = bold if row is table.columns or number == 0 else as_text
            for place, cell in enumerate(row):
                sheet.write_string(number, place, cell, form)
        for place, cells in enumerate(zip(table.columns, *table.rows, strict=True)):
            sheet.set_column(place, place, min(max(map(columns_wide, cells)) + 2, _WIDEST_COLUMN))
        sheet.freeze_panes(len(head) + 1 if table is not front else 0, 0)
    workbook.close()
    return stream.getvalue()


def _sheet_name(title: str, taken: set[str]) -> str:
    """A name that a workbook permits, unlike those before it."""
    plain = _FORBIDDEN_IN_SHEET_NAMES.sub(" ", title)[:_LONGEST_SHEET_NAME].strip() or "table"
    name, number = plain, 2
    while name.lower() in taken:
        name = f"{plain[: _LONGEST_SHEET_NAME - 4]} ({number})"
        number += 1
    taken.add(name.lower())
    return name

"""Tables on a screen that is too narrow for them: row by row, a line for each column."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.markup import render
from rich.table import Column, Table
from rich.text import Text

_LEAST_CELLS = 8
"""A word may be broken into pieces of so many cells; smaller ones nobody reads."""
_BETWEEN_CELLS = 3


def keep_readable(table: Table, width_cells: int) -> bool:
    """Whether the table has room in so many cells; each of its columns then keeps what it needs."""
    needs = [_need(column) for column in table.columns]
    if sum(needs) + _BETWEEN_CELLS * (len(needs) - 1) > width_cells:
        return False
    for column, need in zip(table.columns, needs, strict=True):
        column.min_width = need
    return True


def blocks(table: Table) -> Iterator[Text]:
    """The table's rows, each column under its title, and an empty line between rows."""
    titles = [_text(column.header) for column in table.columns]
    room = max((title.cell_len for title in titles), default=0)
    for number, row in enumerate(zip(*(column.cells for column in table.columns), strict=True)):
        if number:
            yield Text()
        for title, cell in zip(titles, row, strict=True):
            shown = _text(cell)
            if shown.plain:
                gap = " " * (room - title.cell_len + 2)
                yield Text.assemble(title, gap, shown)


def _need(column: Column) -> int:
    texts = [_text(column.header), *map(_text, column.cells)]
    if column.no_wrap:
        return max(text.cell_len for text in texts)
    longest = max((cell_len(word) for text in texts for word in text.plain.split()), default=0)
    return min(longest, _LEAST_CELLS)


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else render(str(cell))

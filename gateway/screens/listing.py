"""Tables of what commands list: described once, shown on a screen, written to a file or told as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct
from rich.markup import escape

from formats.standard import write_table
from gateway.output import output_file
from gateway.reports.numbers import for_eyes
from gateway.rules.desk import table_format
from gateway.screens import screen

Row = TypeVar("Row")


class Column(Struct, Generic[Row], frozen=True):
    """A column: its title in Chinese and English, and what of a row stands in it.

    On a screen a `whole` cell is never broken, and a `number` stands at the right and is not broken either.
    A column `in_files` only is left out there: a screen is narrow. Cells of `gateway.reports.numbers`
    are plain numbers in files and have commas on a screen.
    """

    title: tuple[str, str]
    cell: Callable[[Row], str]
    whole: bool = False
    number: bool = False
    in_files: bool = False


class Listing(Generic[Row]):
    """A table of one kind of rows, in the language that is spoken when it is shown."""

    def __init__(self, sheet_name: str, *columns: Column[Row]) -> None:
        self._sheet_name = sheet_name
        self._columns = columns

    def tell(
        self, rows: Iterable[Row], *, output: Path | None = None, json: bool = False, most: int | None = None
    ) -> int:
        """To a file where there is one, else a document of JSON for each, else on the screen; how many."""
        if output is not None:
            return self.write(rows, output)
        if json:
            count = 0
            for row in rows:
                screen.as_json(row)
                count += 1
            return count
        return self.show(rows, most)

    def show(self, rows: Iterable[Row], most: int | None = None) -> int:
        """On the screen: `most` rows, and how many more there are; how many in all. Of none: nothing."""
        shown = [one for one in self._columns if not one.in_files]
        table = screen.titled(
            *(screen.pick(*one.title) for one in shown),
            whole=tuple(screen.pick(*one.title) for one in shown if one.whole),
            right=tuple(screen.pick(*one.title) for one in shown if one.number),
        )
        left = iter(rows)
        for row in islice(left, most):
            table.add_row(*(escape(for_eyes(one.cell(row))) for one in shown))
        more = sum(1 for _ in left)
        if table.row_count:
            screen.show(table)
        if more:
            screen.say(screen.pick(f"另有 {more} 行,见 --output", f"{more} more: --output writes them all"))
        return table.row_count + more

    def write(self, rows: Iterable[Row], output: Path) -> int:
        """Every row to a new file, .csv or .xlsx; how many. Raises `InputRefused` for another name."""
        file_format = table_format(output)
        headers = [screen.pick(*one.title) for one in self._columns]
        cells = ([one.cell(row) for one in self._columns] for row in rows)
        with output_file(output) as sink:
            count = write_table(sink, [headers], cells, file_format, self._sheet_name)
        screen.say(f"{output}: {count} {screen.pick('行', 'rows')}")
        return count

"""Workbooks as people make them, with numbers and days where they typed such."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import xlsxwriter


def sheet(path: Path, rows: list[list[object]]) -> Path:
    """A workbook whose cells are what Python makes of them: texts, numbers, days."""
    with xlsxwriter.Workbook(str(path)) as workbook:
        written = workbook.add_worksheet()
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for number, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                if isinstance(cell, date):
                    written.write_datetime(number, place, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001
                else:
                    written.write(number, place, cell)
    return path

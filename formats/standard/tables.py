"""Plain tables for people: headers and rows of text, as CSV or XLSX, streaming.

CSV begins with a byte order mark, so that spreadsheets read it as UTF-8; a text that one would
run as a formula gets an apostrophe in front, and a number stays a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import BinaryIO

from formats.codec import CHUNK_RECORDS
from formats.standard.sheets import SPREADSHEET_ROWS, text_workbook
from formats.standard.write_batch import FileFormat, csv_bytes, harmless

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_table(
    sink: BinaryIO, head: list[list[str]], rows: Iterable[list[str]], file_format: FileFormat, sheet_name: str
) -> int:
    """Write lines of a head (the last one are the headers), then the rows; how many rows.

    Raises `EncodeError` for a format that is no table, and beyond the rows of a workbook.
    """
    remaining, count = iter(rows), 0
    if file_format is FileFormat.XLSX:
        with text_workbook(sink, sheet_name, SPREADSHEET_ROWS) as write_row:
            for line in head:
                write_row(line)
            for row in remaining:
                write_row(row)
                count += 1
        return count
    sink.write(BYTE_ORDER_MARK + csv_bytes([[harmless(text) for text in line] for line in head]))
    while block := list(islice(remaining, CHUNK_RECORDS)):
        sink.write(csv_bytes([[harmless(text) for text in row] for row in block]))
        count += len(block)
    return count

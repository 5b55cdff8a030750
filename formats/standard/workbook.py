"""What a workbook would become unpacked, looked at before anything unpacks it.

calamine holds a sheet as a dense table: one cell far off fills the memory with empty ones.
"""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from io import BytesIO

from formats.standard import bytestream

LARGEST_SHEET_BYTES = 512 << 20
ARCHIVE_ERRORS = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, ValueError, NotImplementedError, RuntimeError),
)
"""What zipfile raises on damaged, encrypted or foreign archives."""

_FAR_CELL = re.compile(rb'r=["\'](?:[A-Z]{3}|[D-Z][A-Z])[0-9]')
"""A column beyond CZ: no table of ours has so many, and they would fill the memory."""
_OVERLAP_BYTES = 32


def look_before(content: bytes, far_row: re.Pattern[bytes], most_rows: int) -> str:
    """Why a workbook is too large; "" where it is not. Raises one of `ARCHIVE_ERRORS`.

    `far_row` finds a cell or row beyond `most_rows`.
    """
    with zipfile.ZipFile(BytesIO(content)) as archive:
        unpacked = 0
        for entry in archive.infolist():
            unpacked += entry.file_size
            if unpacked > LARGEST_SHEET_BYTES:
                return "it unpacks to far too much"
            if entry.filename.startswith("xl/worksheets/"):
                found = _look_at_sheet(archive, entry, far_row, most_rows)
                if found:
                    return found
    return ""


def _look_at_sheet(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, far_row: re.Pattern[bytes], most_rows: int
) -> str:
    tail, size = b"", 0
    with archive.open(entry) as sheet:
        while block := sheet.read(bytestream.BLOCK_BYTES):
            size += len(block)
            window = tail + block
            if size > LARGEST_SHEET_BYTES or far_row.search(window):
                return f"more than {most_rows} rows"
            if _FAR_CELL.search(window):
                return "cells beyond column CZ"
            tail = window[-_OVERLAP_BYTES:]
    return ""

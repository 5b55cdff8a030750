"""Writes a batch in any of the three file formats, byte for byte the same each time.

CSV and XLSX have every column of the table, or those asked for. A CSV cell that a
spreadsheet would run as a formula is refused, since a batch must come back as it was;
in XLSX such a text is a text cell and harmless. Streams, at constant memory.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from formats.codec import CHUNK_RECORDS
from formats.errors import EncodeError
from formats.records import Batch, Payment, Problem, RecordChunk
from formats.standard.amounts import format_yuan
from formats.standard.canonical import envelope_line, payment_texts, text_lines
from formats.standard.envelope import envelope_texts
from formats.standard.sheet_reader import LARGEST_ROW
from formats.standard.sheets import text_workbook
from formats.standard.table import BATCH_FIELDS, PAYMENT_BY_ATTRIBUTE, PAYMENT_FIELDS, Field

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NEGATIVE_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")
_ALL = tuple(field.attribute for field in PAYMENT_FIELDS)
_MEANINGS = [
    "payment.amount" if field.attribute == "amount_minor" else f"payment.{field.attribute}"
    for field in PAYMENT_FIELDS
]


class FileFormat(StrEnum):
    """The file formats that are written."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    XLSX = "xlsx"


class Language(StrEnum):
    """Whose header names are written."""

    ENGLISH = "en"
    CHINESE = "zh"


Payments = Iterable[Payment] | Iterable[RecordChunk]


def write_batch(
    target: str | Path | BinaryIO,
    batch: Batch,
    payments: Payments,
    file_format: FileFormat | str,
    *,
    language: Language | str = Language.ENGLISH,
    byte_order_mark: bool = False,
    columns: Sequence[str] = _ALL,
) -> None:
    """Write to a path or a binary stream. `columns` are attributes of `Payment`, for CSV and XLSX.

    `payments` may be chunks as a `BatchReader` gives them. Raises `EncodeError` where a text
    cannot be written, or a workbook would have too many rows.
    """
    rows = _text_rows(payments)
    write = _WRITERS[FileFormat(file_format)]
    fields = [PAYMENT_BY_ATTRIBUTE[attribute] for attribute in columns]
    with opened(target) as stream:
        if byte_order_mark and FileFormat(file_format) is not FileFormat.XLSX:
            stream.write(b"\xef\xbb\xbf")
        write(stream, batch, rows, fields, Language(language))


@contextmanager
def opened(target: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    """The stream itself, or a file at the path; a new one is for its owner only."""
    if isinstance(target, str | Path):
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            yield stream
    else:
        yield target


def header_name(field: Field, language: Language) -> str:
    return field.chinese[0] if language is Language.CHINESE else field.english


def csv_bytes(rows: list[list[str]]) -> bytes:
    """Rows as CSV by RFC 4180, CRLF after each. Raises `EncodeError` where a text is no Unicode text."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    try:
        return text.getvalue().encode("utf-8")
    except UnicodeEncodeError:
        raise EncodeError([Problem(code="text_invalid", message="a text is no Unicode text")]) from None


def harmless(text: str) -> str:
    """A cell for people: with an apostrophe in front where a spreadsheet would run it as a formula.

    What is a negative number and nothing else, such as `-2223.80`, stays one: it computes nothing.
    """
    runs = text.startswith(_FORMULA_STARTS) and _NEGATIVE_NUMBER.fullmatch(text) is None
    return "'" + text if runs else text


def _write_csv(
    stream: BinaryIO, batch: Batch, rows: Iterator[list[str]], fields: list[Field], language: Language
) -> None:
    head = _envelope_rows(batch, language)
    _refuse_formulas([texts[1:] for texts in head])
    stream.write(csv_bytes([*head, [], [header_name(field, language) for field in fields]]))
    pick = _picker(fields)
    while block := list(islice(rows, CHUNK_RECORDS)):
        picked = [pick(row) for row in block]
        _refuse_formulas(picked)
        stream.write(csv_bytes(picked))


def _write_json_lines(
    stream: BinaryIO, batch: Batch, rows: Iterator[list[str]], fields: list[Field], language: Language
) -> None:
    del fields, language
    stream.write(envelope_line(batch))
    while block := list(islice(rows, CHUNK_RECORDS)):
        stream.write(text_lines(block))


def _write_xlsx(
    stream: BinaryIO, batch: Batch, rows: Iterator[list[str]], fields: list[Field], language: Language
) -> None:
    pick = _picker(fields)
    with text_workbook(stream, "批次" if language is Language.CHINESE else "batch", LARGEST_ROW) as write_row:
        for row in _envelope_rows(batch, language):
            write_row(row)
        write_row([])
        write_row([header_name(field, language) for field in fields])
        for row in rows:
            write_row(pick(row))


_WRITERS: dict[FileFormat, Callable[[BinaryIO, Batch, Iterator[list[str]], list[Field], Language], None]] = {
    FileFormat.CSV: _write_csv,
    FileFormat.JSON_LINES: _write_json_lines,
    FileFormat.XLSX: _write_xlsx,
}


def _text_rows(payments: Payments) -> Iterator[list[str]]:
    for item in payments:
        if isinstance(item, Payment):
            yield payment_texts(item)
        else:
            columns = [item.columns[meaning] for meaning in _MEANINGS]
            place = _MEANINGS.index("payment.amount")
            columns[place] = list(map(format_yuan, columns[place]))
            yield from map(list, zip(*columns, strict=True))


def _picker(fields: list[Field]) -> Callable[[list[str]], list[str]]:
    places = [PAYMENT_FIELDS.index(field) for field in fields]
    return lambda row: [row[place] for place in places]


def _envelope_rows(batch: Batch, language: Language) -> list[list[str]]:
    texts = envelope_texts(batch)
    return [
        [header_name(field, language), texts[field.english]]
        for field in BATCH_FIELDS
        if field.english in texts
    ]


def _refuse_formulas(rows: list[list[str]]) -> None:
    for row in rows:
        for text in row:
            if text.startswith(_FORMULA_STARTS):
                message = f"a text begins with {text[0]!r}: a spreadsheet would run it as a formula"
                raise EncodeError([Problem(code="formula", message=message, hint="write JSON Lines or XLSX")])

"""The envelope of a batch, and the header row under it.

An envelope is a list of (line, key, value); keys are those of `table.BATCH_FIELDS` in
English or Chinese. Every mistake is collected; a batch with one cannot be read at all.
"""

from __future__ import annotations

from collections.abc import Iterable

from formats.errors import BatchError
from formats.masking import mask_text
from formats.records import Batch, Problem
from formats.standard.amounts import format_yuan, parse_yuan
from formats.standard.numbers import holds_citizen_id
from formats.standard.table import (
    BATCH_FIELDS,
    PAYMENT_FIELDS,
    Field,
    Kind,
    Presence,
    header_index,
)
from formats.standard.texts import IDENTIFIER_WANTED, identifier_valid, text_fault

MINIMUM_KNOWN_HEADERS = 2
"""With fewer the row is taken for something else, and nothing of it is shown."""
_LONGEST_SHOWN_HEADER = 20
_BATCH_HEADERS = header_index(BATCH_FIELDS)
_PAYMENT_HEADERS = header_index(PAYMENT_FIELDS)
_HEADER_CHARACTERS = frozenset(
    "".join(_PAYMENT_HEADERS) + "序手机电话联系地址备注性别年龄民族日期时间状态标志"
)
"""Hanzi of which the headers of lists are made; a name has others."""


def is_envelope_key(text: str) -> bool:
    return text.strip().lower() in _BATCH_HEADERS


def read_envelope(source: str, unit: str, entries: Iterable[tuple[int, str, str]]) -> Batch:
    """The batch that the entries describe.

    Raises `BatchError` with every unknown, repeated, missing or unreadable entry.
    """
    problems: list[Problem] = []
    values: dict[str, str] = {}

    def refuse(code: str, message: str, line: int | None, column: str, hint: str = "") -> None:
        problems.append(
            Problem(
                code=code, message=message, source=source, line=line, column=column, record="batch", hint=hint
            )
        )

    for line, key, value in entries:
        field = _BATCH_HEADERS.get(key.strip().lower())
        where = f"{unit} {line} {_shown(key, 'key')}"
        if field is None:
            refuse(
                "envelope_key_unknown", f"{where}: no such entry of the envelope", line, _shown(key, "key")
            )
        elif field.attribute in values:
            refuse("envelope_key_repeated", f"{where}: given twice", line, _shown(key, "key"))
        else:
            values[field.attribute] = value
            fault = _fault(field, value)
            if fault:
                refuse(
                    "envelope_value_invalid", f"{where}: found {mask_text(value)}, wanted {fault}", line, key
                )
    for field in BATCH_FIELDS:
        if field.presence is Presence.REQUIRED and field.attribute not in values:
            message = f"envelope without {field.english} ({field.chinese[0]})"
            hint = "the first rows name batch_id, source_platform, declared_count and declared_total"
            refuse("envelope_key_missing", message, None, field.english, hint)
    if problems:
        raise BatchError(problems)
    return _batch(values)


def check_batch(source: str, batch: Batch) -> None:
    """The same rules on a `Batch` made in Python; raises `BatchError`."""
    problems = []
    for field in BATCH_FIELDS:
        value = getattr(batch, field.attribute)
        wanted = "" if field.kind in (Kind.COUNT, Kind.AMOUNT) else "text"
        if not wanted:
            in_range = type(value) is int and 0 <= value < 10**field.limit
            fault = "" if in_range else "an integer that is not negative"
        else:
            fault = _fault(field, value) if type(value) is str else wanted
        if fault:
            message = f"batch {field.attribute}: found {mask_text(str(value))}, wanted {fault}"
            problems.append(
                Problem(
                    code="envelope_value_invalid",
                    message=message,
                    source=source,
                    column=field.attribute,
                    record="batch",
                )
            )
    if problems:
        raise BatchError(problems)


def envelope_texts(batch: Batch) -> dict[str, str]:
    """English key to text, in the order of the table, empty values left out."""
    texts = {}
    for field in BATCH_FIELDS:
        value = getattr(batch, field.attribute)
        text = format_yuan(value) if field.kind is Kind.AMOUNT else str(value)
        if text:
            texts[field.english] = text
    return texts


def read_header(source: str, unit: str, line: int, cells: list[str]) -> dict[str, int]:
    """Attribute to place (0-based) of each column.

    Raises `BatchError` with every unknown, repeated and missing column.
    """
    problems: list[Problem] = []
    places: dict[str, int] = {}
    known = sum(cell.strip().lower() in _PAYMENT_HEADERS for cell in cells)
    if known < MINIMUM_KNOWN_HEADERS:
        message = f"{unit} {line}: no header row here, {len(cells)} cells of which {known} name a column"
        hint = "after the envelope come an empty row, the header row and then the payments"
        raise BatchError(
            [Problem(code="header_missing", message=message, source=source, line=line, hint=hint)]
        )

    def refuse(code: str, message: str, column: str) -> None:
        problems.append(
            Problem(
                code=code,
                message=f"{unit} {line} {message}",
                source=source,
                line=line,
                column=column,
                record="header",
            )
        )

    for place, cell in enumerate(cells):
        field, column = _PAYMENT_HEADERS.get(cell.strip().lower()), f"column {place + 1}"
        if field is None:
            shown = _shown(cell, column)
            refuse("column_unknown", f"{shown}: no such column", shown)
        elif field.attribute in places:
            refuse("column_repeated", f"{_shown(cell, column)}: {field.english} is there twice", cell)
        else:
            places[field.attribute] = place
    for field in PAYMENT_FIELDS:
        if field.presence in (Presence.REQUIRED, Presence.WITH_CARD) and field.attribute not in places:
            refuse("column_missing", f"column {field.english} ({field.chinese[0]}) is missing", field.english)
    if problems:
        raise BatchError(problems)
    return places


def _batch(values: dict[str, str]) -> Batch:
    total = parse_yuan(values["declared_total_minor"])
    assert total is not None  # read_envelope has refused anything else
    currency = next(field for field in BATCH_FIELDS if field.attribute == "currency")
    return Batch(
        batch_id=values["batch_id"],
        source_platform=values["source_platform"],
        declared_count=int(values["declared_count"]),
        declared_total_minor=total,
        department=values.get("department", ""),
        programme=values.get("programme", ""),
        period=values.get("period", ""),
        currency=currency.choices.get(values.get("currency", ""), currency.default),
        summary=values.get("summary", ""),
        installation=values.get("installation", ""),
    )


def _fault(field: Field, value: str) -> str:
    """What is wanted instead, or ""."""
    fault = text_fault(field, value)
    if fault is not None:
        return fault.wanted
    if not value:
        return "a value" if field.presence is Presence.REQUIRED else ""
    if field.kind is Kind.IDENTIFIER:
        if not identifier_valid(value):
            return IDENTIFIER_WANTED
        return "an id without an ID number in it" if holds_citizen_id(value) else ""
    if field.kind is Kind.AMOUNT:
        return "" if parse_yuan(value) is not None else "yuan such as 1234.56"
    if field.kind is Kind.COUNT:
        return "" if value.isascii() and value.isdigit() else "a number of payments"
    if field.kind is Kind.CHOICE and value not in field.choices:
        return " or ".join(sorted(set(field.choices.values())))
    return ""


def _shown(header: str, otherwise: str) -> str:
    """A header as it may stand in a message: it can be anybody's cell, moved to where headers are.

    Digits are hidden; hanzi other than those of which headers are made hide it whole, and it
    is called `otherwise`.
    """
    text = "".join("*" if character.isdigit() else character for character in header.strip())
    if not text:
        return otherwise
    if not all(character.isascii() or character in _HEADER_CHARACTERS for character in text):
        return f"{otherwise}, {mask_text(text)}"
    return "".join(
        character if character.isprintable() else "?" for character in text[:_LONGEST_SHOWN_HEADER]
    )

"""A checked layout into plans: for each record a `%`-template and the cells of its columns.

No source text is made of a layout. What stands in it reaches the hot path as values only:
padded constants inside a template, and objects of `fields.py` for the columns. One
template over all columns of a chunk is what makes it fast, and it is built-in code.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from formats.charset import Charset, RareForm
from formats.codec import Purpose
from formats.field_cells import Cells, pad
from formats.fields import cells_for
from formats.layout_model import (
    Binding,
    Blank,
    Constant,
    Count,
    Field,
    Layout,
    Number,
    Record,
    Sum,
    Syntax,
)
from formats.records import FileIdentity

_ALWAYS_FILLED = ("payment.account", "payment.payee_name", "attempt.reference")
_MAY_BE_BLANK = ("file.code", "file.text")
_FILE_FAMILIES = ("file", "agreement", "profile")


class Role(StrEnum):
    """Where a field's value comes from."""

    FIXED_TEXT = "fixed_text"
    IGNORED = "ignored"
    FILE = "file"
    TOTAL = "total"
    NUMBER = "number"
    RECORD = "record"


class Column(Struct, frozen=True, kw_only=True):
    """One field, compiled.

    `cells` is None for a constant, whose padded `text` stands for bytes in Latin-1.
    `start` and `end` are 0-based byte offsets in a fixed line.
    """

    field: Field
    role: Role
    index: int
    name: str = ""
    cells: Cells | None = None
    text: str = ""
    selects: bool = False
    start: int = 0
    end: int = 0

    @property
    def title(self) -> str:
        """What problems call it."""
        return self.field.title


class RecordPlan(Struct, frozen=True, kw_only=True):
    """One record, compiled. `size_bytes` is that of a fixed line with separators, without line end."""

    name: str
    columns: tuple[Column, ...]
    size_bytes: int
    pieces: tuple[str, ...]
    """What stands before each field, and last what ends the record, line end included."""

    def needed(self) -> frozenset[str]:
        """Meanings that a chunk of this record must have."""
        return frozenset(
            column.name for column in self.columns if column.role is Role.RECORD and not column.field.optional
        )

    def selectors(self) -> tuple[Column, ...]:
        """The constants that tell this record from others."""
        return tuple(column for column in self.columns if column.selects)


class Plan(Struct, frozen=True, kw_only=True):
    """A layout, compiled: what writers and readers share."""

    layout: Layout
    charset: Charset
    records: dict[str, RecordPlan]
    totals: tuple[Count | Sum, ...]


def compile_plan(layout: Layout) -> Plan:
    """Compile a fixed or delimited layout."""
    charset = Charset(layout.framing.encoding, RareForm(layout.framing.rare_form), layout.alphabet)
    records = {record.name: _compile_record(layout, record, charset) for record in layout.records}
    totals = [
        field.meaning
        for record in layout.records
        for field in record.fields
        if isinstance(field.meaning, Count | Sum)
    ]
    return Plan(layout=layout, charset=charset, records=records, totals=tuple(totals))


def file_values(identity: FileIdentity) -> dict[str, Any]:
    """What an identity supplies, by meaning."""
    values: dict[str, Any] = {
        "file.name": identity.name,
        "file.message_id": identity.message_id,
        "file.sequence": identity.sequence,
        "file.created_at": identity.created_at,
        "file.created_on": identity.created_at.date(),
        "file.bank_day": identity.bank_day,
        "file.count": identity.count,
        "file.total": identity.total_minor,
        "file.currency": identity.currency,
        "file.original_name": identity.original_name,
        "file.original_message_id": identity.original_message_id,
        "file.code": identity.code,
        "file.text": identity.text,
    }
    values |= {f"agreement.{name}": value for name, value in identity.agreement.items()}
    values |= {f"profile.{name}": value for name, value in identity.profile.items()}
    return values


def _compile_record(layout: Layout, record: Record, charset: Charset) -> RecordPlan:
    framing = layout.framing
    fixed = layout.syntax is Syntax.FIXED
    separator = framing.after_each_field if fixed else framing.delimiter
    columns = []
    start = 0
    for index, field in enumerate(record.fields):
        width_bytes = field.width.bytes_ if field.width else 0
        columns.append(_compile_column(layout, field, charset, separator, index, start, start + width_bytes))
        start += width_bytes + len(separator)
    between = "" if fixed and not separator else separator
    ends = between if fixed or framing.after_last else ""
    pieces = ["", *[between] * (len(columns) - 1), ends + framing.line_end.decode("ascii")]
    return RecordPlan(name=record.name, columns=tuple(columns), size_bytes=start, pieces=tuple(pieces))


def _compile_column(
    layout: Layout, field: Field, charset: Charset, separator: str, index: int, start: int, end: int
) -> Column:
    meaning = field.meaning
    if isinstance(meaning, Constant | Blank):
        constant = meaning.text if isinstance(meaning, Constant) else ""
        # Blank is blank, also where numbers are filled with zeros.
        text = (
            " " * (end - start)
            if not constant
            else pad(charset.encode(constant).decode("latin-1"), field.width)
        )
        ignored = isinstance(meaning, Blank) and meaning.ignored
        return Column(
            field=field,
            role=Role.IGNORED if ignored else Role.FIXED_TEXT,
            index=index,
            text=text,
            selects=isinstance(meaning, Constant) and meaning.selects,
            start=start,
            end=end,
        )
    role, name = _role(meaning)
    return Column(
        field=field,
        role=role,
        index=index,
        name=name,
        cells=cells_for(field, charset, separator, _required(layout, field, name, role)),
        start=start,
        end=end,
    )


def _role(meaning: object) -> tuple[Role, str]:
    if isinstance(meaning, Number):
        return Role.NUMBER, "attempt.item"
    if isinstance(meaning, Count | Sum):
        return Role.TOTAL, meaning.text
    assert isinstance(meaning, Binding), "a field has a meaning"
    family = meaning.name.partition(".")[0]
    return (Role.FILE if family in _FILE_FAMILIES else Role.RECORD), meaning.name


def _required(layout: Layout, field: Field, name: str, role: Role) -> bool:
    if field.key:
        return True
    if field.optional:
        return False
    if role is Role.FILE:
        return name not in _MAY_BE_BLANK
    return layout.purpose is Purpose.REQUEST and name in _ALWAYS_FILLED

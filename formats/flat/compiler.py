"""A checked layout into plans: records with templates and cells, rows, scopes with their totals.

No source text is made of a layout. What stands in it reaches the hot path as values only:
padded constants inside a template, and objects of `fields.py` for the columns. One
template over all columns of a chunk is what makes it fast, and it is built-in code.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from msgspec import Struct

from formats.charset import Charset, RareForm
from formats.codec import Purpose
from formats.codes import CODES_JOIN, OutcomeCodes
from formats.flat.field_cells import Cells, pad
from formats.flat.fields import cells_for
from formats.flat.totals import TotalsPlan, hash_name
from formats.language.model import (
    Binding,
    Blank,
    Check,
    Constant,
    Count,
    Field,
    Has,
    Kind,
    Layout,
    Length,
    Lines,
    Node,
    Number,
    Parts,
    Record,
    Repetition,
    Sum,
    Syntax,
)
from formats.language.tree import FILE_SCOPE, Tree, records_of
from formats.records import FileIdentity, RecordChunk

_ALWAYS_FILLED = ("payment.account", "payment.payee_name", "attempt.reference")
_MAY_BE_BLANK = ("file.code", "file.text")
_FILE_FAMILIES = ("file", "agreement", "profile")
_CODES = ("outcome.code", "notice.code", "file.code")
ITEM = "attempt.item"
GROUP_ITEM = "group.item"
"""Column of a layout with scopes: the number of the scope that a row stands in."""


class Role(StrEnum):
    """Where a field's value comes from."""

    FIXED_TEXT = "fixed_text"
    IGNORED = "ignored"
    FILE = "file"
    GROUP = "group"
    TOTAL = "total"
    NUMBER = "number"
    CHILDREN = "children"
    CHECK = "check"
    RECORD = "record"


class Column(Struct, frozen=True, kw_only=True):
    """One field, compiled.

    `cells` is None for a constant, whose padded `text` stands for bytes in Latin-1. `start` and
    `end` are 0-based byte offsets in a fixed line. `name` is the meaning, or what is computed.
    `hash_name` is not "" where the cells are added up. `checked` are the columns whose check
    digit stands here.
    """

    field: Field
    role: Role
    index: int
    name: str = ""
    cells: Cells | None = None
    text: str = ""
    selecting: frozenset[str] = frozenset()
    """Padded cells, as bytes in Latin-1, by which the record is told."""
    start: int = 0
    end: int = 0
    hash_name: str = ""
    checked: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """What problems call it."""
        return self.field.title

    @property
    def span(self) -> tuple[int, int] | None:
        """The characters of the value that stand here, 0-based and exclusive; None for all."""
        meaning = self.field.meaning
        if isinstance(meaning, Binding) and meaning.is_slice:
            return meaning.first - 1, meaning.last
        return None


class Spread(Struct, frozen=True):
    """One meaning that stands in several columns of a record: slices of it, or the parts of a repeat."""

    name: str
    columns: tuple[int, ...]
    is_slices: bool
    is_amount: bool

    @property
    def join(self) -> str:
        """What stands between the parts of a repeat."""
        return join_of(self.name)


def join_of(name: str) -> str:
    """What stands between the values of one meaning in several parts."""
    return CODES_JOIN if name in _CODES else "; "


class RecordPlan(Struct, frozen=True, kw_only=True):
    """One record, or one variant of it. `size_bytes` is that of a fixed line with separators and
    without line end, filled up where the layout pads records.
    """

    name: str
    label: str
    columns: tuple[Column, ...]
    size_bytes: int
    pieces: tuple[str, ...]
    """What stands before each field, and last what ends the record, line end included."""
    spreads: tuple[Spread, ...]
    repetitions: tuple[Repetition, ...] = ()
    """How many parts its repeats have that may have more or fewer, in the same order in all variants."""
    least_bytes: int = 0
    """A short line must reach so far: padding never supplies a key, an amount, a number or a code."""

    def names(self) -> frozenset[str]:
        """Meanings of a row that stand in it."""
        return frozenset(column.name for column in self.columns if column.role is Role.RECORD)

    def needed(self) -> frozenset[str]:
        """Those that every row must have."""
        return frozenset(
            column.name
            for column in self.columns
            if column.role is Role.RECORD and not column.field.optional and not column.field.repeat
        )

    def selectors(self) -> tuple[Column, ...]:
        """The fields that tell this record from others."""
        return tuple(column for column in self.columns if column.selecting)


class RowPlan(Struct, frozen=True, kw_only=True):
    """What comes in chunks: the record that begins it, and records that may be below it.

    `records` are all records by name with their variants, `lead` is the name of the first.
    `scopes` are the scopes around it.
    """

    name: str
    node: Node
    lead: str
    records: dict[str, tuple[RecordPlan, ...]]
    scopes: tuple[str, ...]
    children: tuple[Node, ...]
    names: frozenset[str]
    """Meanings of a row that stand anywhere in it."""

    @property
    def is_single(self) -> bool:
        """Whether it is one record with one form."""
        return len(self.records) == 1 and len(self.records[self.lead]) == 1


class Plan(Struct, frozen=True, kw_only=True):
    """A layout, compiled: what writers and readers share."""

    layout: Layout
    charset: Charset
    codes: OutcomeCodes
    tree: Tree
    records: dict[str, tuple[RecordPlan, ...]]
    rows: dict[int, RowPlan]
    """By the line of `structure`."""
    totals: dict[str, TotalsPlan]
    """By scope; `FILE_SCOPE` is always there."""

    def row_of(self, chunk: RecordChunk) -> RowPlan | None:
        """The row that a chunk is written as: its own, or one that can also be a notice.

        Of several of one name it is the one whose scope is of the chunk's kind.
        """
        rows = [row for row in self.rows.values() if row.name == chunk.record]
        if not rows and chunk.record == "notice":
            rows = [
                row for row in self.rows.values() if any(name.startswith("notice.") for name in row.names)
            ]
        if len(rows) > 1:
            rows = [row for row in rows if self._accepts(row, chunk)]
        return rows[0] if rows else None

    def _accepts(self, row: RowPlan, chunk: RecordChunk) -> bool:
        """Whether the values of a scope are those by which the row's scope is told."""
        for name, place in self.tree.places.items():
            if place.row is not None or place.scopes != row.scopes:
                continue
            for plan in self.records[name]:
                for column in plan.columns:
                    known = chunk.columns.get(column.name)
                    if column.role is Role.GROUP and column.field.values and known:
                        return known[0] in column.field.values
        return True


def compile_plan(layout: Layout) -> Plan:
    """Compile a fixed or delimited layout."""
    charset = Charset(layout.framing.encoding, RareForm(layout.framing.rare_form), layout.alphabet)
    tree = Tree(layout.structure)
    records: dict[str, tuple[RecordPlan, ...]] = {}
    for record in layout.records:
        made = _compile_record(layout, tree, record, charset)
        records[record.name] = (*records.get(record.name, ()), made)
    several = any(
        spread.name == "outcome.code"
        for plans in records.values()
        for plan in plans
        for spread in plan.spreads
    ) or any(node.maximum != 1 for node in _code_nodes(layout, tree))
    codes = OutcomeCodes(layout.outcome_codes, several=several)
    totals = {
        scope: TotalsPlan(_totals_in(layout, tree, scope), layout, tree, codes)
        for scope in (FILE_SCOPE, *tree.scopes)
    }
    rows = {node.line: _compile_row(tree, node, records) for node in tree.row_nodes}
    return Plan(
        layout=layout, charset=charset, codes=codes, tree=tree, records=records, rows=rows, totals=totals
    )


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


def _code_nodes(layout: Layout, tree: Tree) -> Iterator[Node]:
    """Children of a row that bind a code and may come more than once."""
    bound = {
        record.name
        for record in layout.records
        for field in record.fields
        if isinstance(field.meaning, Binding) and field.meaning.name == "outcome.code"
    }
    for row in tree.row_nodes:
        for node in records_of(row)[1:]:
            if node.name in bound:
                yield node


def _totals_in(layout: Layout, tree: Tree, scope: str) -> Iterator[Count | Sum]:
    for record in layout.records:
        place = tree.places.get(record.name)
        if place is not None and place.row is None and place.scope == scope:
            for field in record.fields:
                if isinstance(field.meaning, Count | Sum):
                    yield field.meaning


def _compile_row(tree: Tree, node: Node, records: dict[str, tuple[RecordPlan, ...]]) -> RowPlan:
    nodes = records_of(node)
    own = {each.name: records[each.name] for each in nodes}
    return RowPlan(
        name=node.name,
        node=node,
        lead=nodes[0].name,
        records=own,
        scopes=tree.row_scopes[node.line],
        children=node.children[1:],
        names=frozenset().union(*(plan.names() for plans in own.values() for plan in plans)),
    )


def _compile_record(layout: Layout, tree: Tree, record: Record, charset: Charset) -> RecordPlan:
    framing = layout.framing
    fixed = layout.syntax is Syntax.FIXED
    separator = framing.after_each_field if fixed else framing.delimiter
    compiler = _ColumnCompiler(layout, tree, record, charset, separator)
    columns = []
    start = 0
    for index, field in enumerate(record.fields):
        width_bytes = field.width.bytes_ if field.width else 0
        columns.append(compiler.column(field, index, start, start + width_bytes))
        start += width_bytes + len(separator)
    between = "" if fixed and not separator else separator
    ends = between if fixed or framing.after_last else ""
    end = ends + framing.line_end.decode("ascii")
    return RecordPlan(
        name=record.name,
        label=record.label,
        columns=tuple(columns),
        size_bytes=start,
        pieces=("", *[between] * (len(columns) - 1), end),
        spreads=_spreads(columns),
        repetitions=record.repetitions,
        least_bytes=max((column.end for column in columns if _is_protected(column)), default=0),
    )


def _is_protected(column: Column) -> bool:
    field = column.field
    if column.role is Role.IGNORED or isinstance(field.meaning, Blank):
        return False
    if column.cells is None or field.key or column.name in (*_CODES, *_ALWAYS_FILLED):
        return True
    if field.kind is None or field.kind.name not in (Kind.TEXT, Kind.DIGITS):
        return not field.optional
    return column.role not in (Role.RECORD, Role.FILE, Role.GROUP)


def _spreads(columns: list[Column]) -> tuple[Spread, ...]:
    by_name: dict[str, list[Column]] = {}
    for column in columns:
        if column.role is Role.RECORD:
            by_name.setdefault(column.name, []).append(column)
    return tuple(
        Spread(
            name,
            tuple(column.index for column in sorted(parts, key=lambda one: one.span or (one.index, 0))),
            parts[0].span is not None,
            parts[0].field.kind is not None and parts[0].field.kind.name in (Kind.MONEY, Kind.YUAN),
        )
        for name, parts in by_name.items()
        if len(parts) > 1 or parts[0].span is not None
    )


class _ColumnCompiler:
    """Compiles the fields of one record."""

    def __init__(self, layout: Layout, tree: Tree, record: Record, charset: Charset, separator: str) -> None:
        self._layout, self._tree, self._record = layout, tree, record
        self._charset, self._separator = charset, separator
        self._place = tree.places.get(record.name)
        self._hashed = {
            title
            for other in layout.records
            for field in other.fields
            if isinstance(field.meaning, Sum)
            for name, title in field.meaning.fields
            if name == record.name
        }

    def column(self, field: Field, index: int, start: int, end: int) -> Column:
        """One field at its place."""
        meaning = field.meaning
        if isinstance(meaning, Constant | Blank | Length | Parts):
            return self._constant(field, index, start, end)
        role, name = self._role(field)
        cells = cells_for(
            field if field.part == 0 or not field.until_blank else _optional(field),
            self._charset,
            self._separator,
            self._required(field, name, role),
            self._layout.decimals,
            self._layout.framing.quote,
        )
        return Column(
            field=field,
            role=role,
            index=index,
            name=name,
            cells=cells,
            selecting=self._selecting(field, field.values),
            start=start,
            end=end,
            hash_name=hash_name(self._record.name, field.title) if field.title in self._hashed else "",
            checked=self._checked(field),
        )

    def _constant(self, field: Field, index: int, start: int, end: int) -> Column:
        meaning = field.meaning
        # What only tells the record is written as the first of its values.
        constant = meaning.text if isinstance(meaning, Constant) else next(iter(field.values), "")
        if isinstance(meaning, Length) and not constant:
            constant = str(self._record.length_bytes + len(self._record.fields) * len(self._separator))
        # Blank is blank, also where numbers are filled with zeros.
        text = " " * (end - start) if not constant else pad(self._bytes(constant), field.width)
        selects = isinstance(meaning, Constant) and meaning.selects
        return Column(
            field=field,
            role=Role.IGNORED if isinstance(meaning, Blank) and meaning.ignored else Role.FIXED_TEXT,
            index=index,
            text=text,
            selecting=self._selecting(field, (constant,) if selects else field.values),
            start=start,
            end=end,
            hash_name=hash_name(self._record.name, field.title) if field.title in self._hashed else "",
        )

    def _bytes(self, text: str) -> str:
        return self._charset.encode(text).decode("latin-1")

    def _selecting(self, field: Field, values: tuple[str, ...]) -> frozenset[str]:
        return frozenset(pad(self._bytes(value), field.width) for value in values)

    def _checked(self, field: Field) -> tuple[int, ...]:
        meaning = field.meaning
        if not isinstance(meaning, Check):
            return ()
        titles = {other.title: place for place, other in enumerate(self._record.fields)}
        return tuple(titles[title] for title in meaning.titles)

    def _role(self, field: Field) -> tuple[Role, str]:
        meaning = field.meaning
        in_row = self._place is not None and self._place.row is not None
        if isinstance(meaning, Number):
            is_item = not meaning.of and in_row and self._is_lead()
            return Role.NUMBER, ITEM if is_item else f"{meaning.text} of {self._record.name}"
        if isinstance(meaning, Has) or (isinstance(meaning, Count) and in_row):
            return Role.CHILDREN, meaning.text
        if isinstance(meaning, Count | Sum | Lines):
            return Role.TOTAL, meaning.text
        if isinstance(meaning, Check):
            return Role.CHECK, meaning.text
        assert isinstance(meaning, Binding), "a field has a meaning"
        family = meaning.name.partition(".")[0]
        if family in _FILE_FAMILIES:
            return Role.FILE, meaning.name
        if family == "group" and not in_row:
            return Role.GROUP, meaning.name
        return Role.RECORD, meaning.name

    def _is_lead(self) -> bool:
        assert self._place is not None, "asked for records of a row only"
        row = self._place.row
        return row is not None and records_of(row)[0].name == self._record.name

    def _required(self, field: Field, name: str, role: Role) -> bool:
        if field.key or role in (Role.CHECK, Role.CHILDREN):
            return True
        if field.optional or field.part:
            return False
        if role in (Role.FILE, Role.GROUP):
            return name not in _MAY_BE_BLANK
        return self._layout.purpose is Purpose.REQUEST and name in _ALWAYS_FILLED


def _optional(field: Field) -> Field:
    return Field(
        place=field.place,
        line=field.line,
        kind=field.kind,
        title=field.title,
        meaning=field.meaning,
        optional=True,
        width=field.width,
        part=field.part,
        parts=field.parts,
        until_blank=field.until_blank,
    )


def line_width(plan: Plan) -> int:
    """Bytes of the widest record of a fixed layout: that of a fill line."""
    return max(record.size_bytes for plans in plan.records.values() for record in plans)

"""Reads the tables of a layout: fields, repeats and overlays. Code tables are in `codes.py`.

Columns are separated by two or more spaces; what stands between double quotes is one word.
A remark starts with `#` after two spaces. Lines indented under `repeat 5` stand five times;
under `case` the same bytes have a meaning for each value of another field. Both are written
out here, so that nothing behind this module knows of them. Mistakes go into the `LayoutSource`.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from formats.language.kinds import read_kind
from formats.language.meanings import parse_marker, parse_meaning, parse_selection
from formats.language.model import (
    Binding,
    Blank,
    Constant,
    Field,
    FieldKind,
    Framing,
    Kind,
    Length,
    Meaning,
    Number,
    Parts,
    Record,
    Repetition,
    Syntax,
    Width,
)
from formats.language.source import LayoutSource

MAXIMUM_PARTS = 99
MAXIMUM_VARIANTS = 64

_CELL = re.compile(r'(?:"[^"]*"|[^" ]| (?! ))+')
_FIXED_PLACE = re.compile(r"(\d{1,5})(>?)(0?)")
_ASSERTED_OFFSET = re.compile(r"@(\d{1,6})")
_REPEAT = re.compile(r"repeat (\d{1,3})(?:\.\.(\d{1,3})|( until blank))?")
_FILLER = "(fill)"
_FLAGS = re.compile(r"\s+(key|optional)$")


class _Repeat(Struct):
    """`repeat 5 until blank` or `repeat 0..13`, with its lines; `least` is None where the number is fixed."""

    line: int
    parts: int
    until_blank: bool
    items: list[_Item]
    least: int | None = None


class _Branch(Struct):
    """One meaning of an overlay; no values: whatever no other branch takes."""

    line: int
    values: tuple[str, ...]
    items: list[_Item]


class _Case(Struct):
    """An overlay: `width` bytes whose meaning depends on the field `on`."""

    line: int
    width_bytes: int | None
    title: str
    on: str
    branches: list[_Branch]


_Item = Field | _Repeat | _Case


class _Variant(Struct):
    """One choice of branches and numbers of parts: its label, its fields, and what its branches depend on."""

    labels: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    depends: dict[int, dict[str, tuple[str, ...]]] = {}
    """By the place of the field."""
    repetitions: tuple[Repetition, ...] = ()

    def and_then(self, other: _Variant) -> _Variant:
        """This one with what comes behind it."""
        behind = {len(self.fields) + place: words for place, words in other.depends.items()}
        return _Variant(
            self.labels + other.labels,
            self.fields + other.fields,
            self.depends | behind,
            self.repetitions + other.repetitions,
        )


class _Line(Struct):
    """One line of a table with the lines indented under it."""

    number: int
    content: str
    indent: int
    children: list[_Line]


def split_cells(text: str) -> tuple[list[str], str]:
    """The cells of a line and its remark."""
    cells = [match[0].strip() for match in _CELL.finditer(text.strip())]
    for index, cell in enumerate(cells):
        if cell.startswith("#"):
            return cells[:index], "  ".join(cells[index:]).lstrip("#").strip()
    return cells, ""


def read_records(
    source: LayoutSource,
    name: str,
    text: object,
    syntax: Syntax,
    place: tuple[str, ...] = (),
    framing: Framing = Framing(),  # noqa: B008
) -> list[Record]:
    """A table of a fixed or delimited file: one record, or one for each variant of it.

    `place` is where it stands, where that is not `[record.NAME]`.
    """
    path = (*(place or ("record", name)), "table")
    reader = _TableReader(source, syntax)
    items = reader.items(_indented(source.block(text, *path)))
    if not items:
        source.add("table-empty", source.line_of(*path), f"{'.'.join(path)} has no line")
        return []
    records = []
    line = source.line_of(*path[:-1]) or 0
    variants = _variants(items)
    if len(variants) > MAXIMUM_VARIANTS:
        source.add("case", line, "too many variants", hint=f"at most {MAXIMUM_VARIANTS}")
        return []
    block_bytes = max(framing.record_multiple, 1)
    for variant in variants:
        placed = reader.placed(_selecting(source, variant), block_bytes)
        widths = [field.width.bytes_ for field in placed if field.width]
        record = Record(
            name=name,
            fields=placed,
            line=line,
            bytes_=sum(widths),
            length_bytes=sum(field.width.bytes_ for field in placed if field.width and not field.filler),
            variant=" ".join(variant.labels),
            repetitions=variant.repetitions,
        )
        records.append(told_by_numbers(record, framing) if record.repetitions else record)
    return records


def told_by_numbers(record: Record, framing: Framing) -> Record:
    """The record with its `= length` and `= parts` as values by which it is told."""
    separators = len(record.fields) * len(framing.after_each_field)

    def told(field: Field) -> Field:
        width = field.width
        if not isinstance(field.meaning, Length | Parts):
            return field
        number = record.parts if isinstance(field.meaning, Parts) else record.length_bytes + separators
        zeros = width.bytes_ if width is not None and width.fill == "0" else 0
        return replace(field, values=(f"{number:0{zeros}d}",))

    return replace(record, fields=tuple(map(told, record.fields)))


def read_xml_table(source: LayoutSource, text: object) -> tuple[Field, ...]:
    """The table of an XML layout, with the depth of each line."""
    fields: list[Field] = []
    indents: list[int] = []
    reader = _TableReader(source, Syntax.XML)
    for number, content in source.block(text, "table"):
        field = reader.field(number, content)
        if field is not None:
            fields.append(replace(field, depth=_depth(source, number, content, indents)))
    if not fields:
        source.add("table-empty", source.line_of("table"), "table has no line")
    return tuple(fields)


def _indented(lines: list[tuple[int, str]]) -> list[_Line]:
    """The lines as a tree; those without a word are left out."""
    top: list[_Line] = []
    open_lines: list[_Line] = []
    for number, content in lines:
        if not split_cells(content)[0]:
            continue
        line = _Line(number, content, len(content) - len(content.lstrip(" ")), [])
        while open_lines and open_lines[-1].indent >= line.indent:
            open_lines.pop()
        (open_lines[-1].children if open_lines else top).append(line)
        open_lines.append(line)
    return top


def _variants(items: list[_Item]) -> list[_Variant]:
    """Each choice of branches, and of how many parts there are; too many are not written out."""
    choices = [_choices(item) for item in items]
    total = 1
    for choice in choices:
        total *= len(choice)
    if total > MAXIMUM_VARIANTS:
        return [_Variant()] * (MAXIMUM_VARIANTS + 1)
    variants = []
    for chosen in product(*choices):
        whole = _Variant()
        for part in chosen:
            whole = whole.and_then(part)
        variants.append(whole)
    return variants


def _choices(item: _Item) -> list[_Variant]:
    if isinstance(item, Field):
        return [_Variant(fields=(item,))]
    if isinstance(item, _Case):
        return [_branch(item, branch) for branch in item.branches]
    if item.least is None:
        return [_Variant(fields=tuple(_repeated(item, item.parts)))]
    return [_parts(item, parts) for parts in range(item.least, item.parts + 1)]


def _branch(case: _Case, branch: _Branch) -> _Variant:
    fields = tuple(_plain(branch.items))
    depends = {place: {case.on: branch.values} for place in range(len(fields))}
    label = " ".join(branch.values)
    return _Variant((label,) if label else (), fields, depends)


def _parts(item: _Repeat, parts: int) -> _Variant:
    fields = tuple(_repeated(item, parts))
    repetition = Repetition(tuple(_plain(item.items)), parts)
    return _Variant((f"parts={parts}",), fields, repetitions=(repetition,))


def _plain(items: list[_Item]) -> list[Field]:
    """Fields of a branch; an overlay inside an overlay was refused when it was read."""
    fields: list[Field] = []
    for item in items:
        if isinstance(item, Field):
            fields.append(item)
        elif isinstance(item, _Repeat):
            fields += _repeated(item, item.parts)
    return fields


def _repeated(item: _Repeat, parts: int) -> list[Field]:
    """The fields of a repeat, written out."""
    varies = item.least is not None
    changes: dict[str, Any] = {"parts": parts, "until_blank": item.until_blank, "repeat": item.line * varies}
    return [
        replace(_going_on(field, part) if varies else field, part=part, **changes)
        for part in range(parts)
        for field in _plain(item.items)
    ]


def _going_on(field: Field, part: int) -> Field:
    """Characters 28 to 54 in the first part are 55 to 81 in the second."""
    meaning = field.meaning
    if not isinstance(meaning, Binding) or not meaning.is_slice:
        return field
    by = part * (meaning.last - meaning.first + 1)
    return replace(field, meaning=replace(meaning, first=meaning.first + by, last=meaning.last + by))


def _selecting(source: LayoutSource, variant: _Variant) -> list[Field]:
    """The fields of a variant: those that its overlays depend on select by the branch's values."""
    wanted: dict[str, tuple[str, ...]] = {}
    for place, depends in variant.depends.items():
        field = variant.fields[place]
        for on, values in depends.items():
            wanted[on] = values
            known = [
                other.line for other in variant.fields if _is_called(other, on) and other.line < field.line
            ]
            if not known:
                message = f"a case on {on}, which no field above is"
                source.add("case", field.line, message, hint="a bound meaning, or a title in quotes")
    return [
        replace(field, values=next((values for on, values in wanted.items() if _is_called(field, on)), ()))
        if any(_is_called(field, on) for on in wanted)
        else field
        for field in variant.fields
    ]


def _is_called(field: Field, on: str) -> bool:
    if on.startswith('"'):
        return field.title == on.strip('"')
    return isinstance(field.meaning, Binding) and field.meaning.name == on


def _same_part(one: Field, other: Field) -> bool:
    return one.repeat > 0 and (one.repeat, one.part) == (other.repeat, other.part)


def _filler(beside: Field, offset: int, size_bytes: int) -> Field:
    """Blanks up to the end of a block."""
    return Field(
        place=str(size_bytes),
        line=beside.line,
        kind=FieldKind(name=Kind.BLANK),
        title=_FILLER,
        meaning=Blank(),
        width=Width(bytes_=size_bytes, offset=offset),
        filler=True,
    )


class _TableReader:
    """Reads lines of one table."""

    def __init__(self, source: LayoutSource, syntax: Syntax) -> None:
        self._source = source
        self._syntax = syntax
        self._asserted: dict[int, int] = {}
        self._told: set[int] = set()

    def items(self, lines: list[_Line], *, inside: str = "") -> list[_Item]:
        """Fields, repeats and overlays, in their order."""
        items: list[_Item] = []
        for line in lines:
            cells, _ = split_cells(line.content)
            item: _Item | None
            if _REPEAT.fullmatch(cells[0]):
                item = self._repeat(line, cells, inside)
            elif len(cells) > 1 and cells[1] == "case":
                item = self._case(line, cells, inside)
            else:
                if line.children:
                    hint = "only under repeat and case"
                    self._source.add("indentation", line.children[0].number, "an indented line", hint=hint)
                item = self.field(line.number, line.content)
            if item is not None:
                items.append(item)
        return items

    def _repeat(self, line: _Line, cells: list[str], inside: str) -> _Repeat | None:
        match = _REPEAT.fullmatch(cells[0])
        assert match is not None, "only such lines come here"
        least = int(match[1]) if match[2] else None
        parts = int(match[2] or match[1])
        in_range = parts > 1 if least is None else max(least, 1) <= parts and least < parts
        nested = inside == "repeat" or (inside == "case" and least is not None)
        if nested or len(cells) > 1 or not line.children or not in_range or parts > MAXIMUM_PARTS:
            hint = f"repeat 2 to {MAXIMUM_PARTS}, or 0..5, with lines indented under it"
            self._source.add("repeat", line.number, f"not understood: {line.content.strip()}", hint=hint)
            return None
        items = self.items(line.children, inside="repeat")
        return _Repeat(line.number, parts, bool(match[3]), items, least)

    def _case(self, line: _Line, cells: list[str], inside: str) -> _Case | None:
        hint = "width, case, title, a field above; then each value with its lines indented under it"
        if inside or len(cells) != 4 or not line.children:
            self._source.add("case", line.number, f"not understood: {line.content.strip()}", hint=hint)
            return None
        width_bytes = None
        if self._syntax is Syntax.FIXED:
            width = self._width(line.number, cells[0])
            if width is None:
                return None
            width_bytes = width.bytes_
        case = _Case(line.number, width_bytes, cells[2], cells[3], [])
        for child in line.children:
            words = split_cells(child.content)[0]
            values = () if words == ["*"] else tuple(word.strip('"') for word in " ".join(words).split())
            items = self.items(child.children, inside="case")
            self._check_branch(case, child, values, items)
            case.branches.append(_Branch(child.number, values, items))
        case.branches.sort(key=lambda branch: not branch.values)
        return case

    def _check_branch(self, case: _Case, line: _Line, values: tuple[str, ...], items: list[_Item]) -> None:
        taken = {value for branch in case.branches for value in branch.values or ("*",)}
        for value in sorted(taken & set(values or ("*",))):
            self._source.add("case", line.number, f"a second branch for {value}")
        widths = [field.width.bytes_ for field in _plain(items) if field.width]
        if not items:
            self._source.add("case", line.number, "a branch without lines under it")
        elif case.width_bytes is not None and sum(widths) != case.width_bytes:
            message = f"{sum(widths)} bytes in a case of {case.width_bytes}"
            self._source.add("case", line.number, message, hint="every branch covers all bytes")

    def placed(self, fields: list[Field], block_bytes: int) -> tuple[Field, ...]:
        """The fields with their offsets, and what fills the blocks that they stand in.

        A part of a repeat that varies is never cut by the end of a block: it begins in the next one.
        """
        offset = 0
        placed = []
        for place, field in enumerate(fields):
            if field.width is None:
                placed.append(field)
                continue
            if field.repeat and (place == 0 or not _same_part(fields[place - 1], field)):
                part = [other.width for other in fields[place:] if _same_part(field, other) and other.width]
                room = -offset % block_bytes
                if room and sum(width.bytes_ for width in part) > room:
                    placed.append(_filler(field, offset, room))
                    offset += room
            asserted = self._asserted.get(field.line)
            if asserted is not None and asserted != offset + 1 and field.part == 0:
                self._tell_offset(field.line, asserted, offset + 1)
            placed.append(replace(field, width=replace(field.width, offset=offset)))
            offset += field.width.bytes_
        if -offset % block_bytes:
            placed.append(_filler(fields[-1], offset, -offset % block_bytes))
        return tuple(placed)

    def _tell_offset(self, line: int, asserted: int, found: int) -> None:
        if line in self._told:
            return
        self._told.add(line)
        message = f"@{asserted} asserted, but the field starts at {found}"
        self._source.add("offset", line, message, hint="compare the widths above with the bank's paper")

    def field(self, line: int, content: str) -> Field | None:
        """One line of a table; None where it is empty or wrong."""
        cells, remark = split_cells(content)
        if not cells:
            return None
        source, syntax = self._source, self._syntax
        if "\t" in content:
            source.add("tab", line, "a tab between columns", hint="separate columns by two or more spaces")
        marker = parse_marker(cells[-1])
        if marker is not None:
            cells = cells[:-1]
            if syntax is not Syntax.XML:
                source.add("marker", line, "[...] stands in XML tables only", hint="say it in `structure`")
        if not cells:
            source.add("field-columns", line, "a line without a place")
            return None
        place, rest = cells[0], [cell for cell in cells[1:] if not _ASSERTED_OFFSET.fullmatch(cell)]
        for match in filter(None, map(_ASSERTED_OFFSET.fullmatch, cells[1:])):
            self._asserted[line] = int(match[1])
        width = self._width(line, place) if syntax is Syntax.FIXED else None
        if syntax is Syntax.DELIMITED and place != "-":
            source.add("place", line, f"place {place}", hint="in a delimited file the place is -")
        if syntax is Syntax.XML and not rest:
            return Field(place=place, line=line, marker=marker, remark=remark)
        kind = read_kind(source, line, rest[0] if rest else "", syntax)
        if kind is None:
            return None
        if kind.name is Kind.BLANK and len(rest) == 2:
            rest = [*rest, "blank"]
        if len(rest) < 3:
            source.add("field-columns", line, f"{len(cells)} columns", hint="place, kind, name, meaning")
            return None
        meaning, values, flags = self._meaning(line, rest[2:])
        if meaning is None or (syntax is Syntax.FIXED and width is None):
            return None
        return Field(
            place=place,
            line=line,
            kind=kind,
            title=rest[1],
            meaning=meaning,
            key="key" in flags,
            optional="optional" in flags,
            marker=marker,
            remark=remark,
            width=width,
            values=values,
        )

    def _width(self, line: int, place: str) -> Width | None:
        match = _FIXED_PLACE.fullmatch(place)
        if match is None or int(match[1]) == 0 or (match[3] and not match[2]):
            hint = "20 (left), 17> (right), 10>0 (right, zeros)"
            self._source.add("place", line, f"no width: {place}", hint=hint)
            return None
        return Width(bytes_=int(match[1]), right=bool(match[2]), fill="0" if match[3] else " ")

    def _meaning(self, line: int, cells: list[str]) -> tuple[Meaning | None, tuple[str, ...], set[str]]:
        source = self._source
        text = "  ".join(cells)
        flags = set()
        while match := _FLAGS.search(text):
            flags.add(match[1])
            text = text[: match.start()].rstrip()
        plain, values = parse_selection(text)
        meaning = parse_meaning(plain)
        if meaning is None:
            hint = (
                '"constant", !"selects", blank, family.name, <echo, !name in A B, = count(..), = sum(..),'
                " = number, = lines, = has(..), = check.x(..), = length"
            )
            source.add("meaning", line, f"no such meaning: {text}", hint=hint)
        if isinstance(meaning, Constant | Blank) and flags:
            source.add("meaning", line, f"{' '.join(sorted(flags))} on a constant")
        if "key" in flags and not _may_be_key(meaning):
            hint = "a key is attempt.reference, attempt.item or = number"
            source.add("key", line, f"key on {text}", hint=hint)
        if {"key", "optional"} <= flags:
            source.add("key", line, "an optional key", hint="padding or absence never supplies a key")
        return meaning, values, flags


def _may_be_key(meaning: Meaning | None) -> bool:
    if isinstance(meaning, Binding):
        return meaning.name in ("attempt.reference", "attempt.item")
    return isinstance(meaning, Number) and not meaning.of


def _depth(source: LayoutSource, line: int, content: str, indents: list[int]) -> int:
    indent = len(content) - len(content.lstrip(" "))
    while indents and indents[-1] > indent:
        indents.pop()
    if not indents or indents[-1] < indent:
        indents.append(indent)
    if indents[0] > indent:
        source.add("indentation", line, "indented less than the first line")
    return len(indents) - 1

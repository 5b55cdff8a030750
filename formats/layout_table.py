"""Reads `structure` and the record tables of a layout; code tables are in `layout_codes.py`.

Columns are separated by two or more spaces; what stands between double quotes is one word.
A remark starts with `#` after two spaces. Mistakes go into the `LayoutSource`.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from formats.layout_model import (
    Binding,
    Blank,
    Constant,
    Field,
    FieldKind,
    Kind,
    Meaning,
    Node,
    Number,
    Syntax,
    Width,
)
from formats.layout_source import LayoutSource
from formats.meanings import parse_marker, parse_meaning, parse_occurrence

_CELL = re.compile(r'(?:"[^"]*"|[^" ]| (?! ))+')
_FIXED_PLACE = re.compile(r"(\d{1,5})(>?)(0?)")
_ASSERTED_OFFSET = re.compile(r"@(\d{1,6})")
_KIND = re.compile(r"([a-z]+)(?:\.(\d))?((?: .*)?)")
_LITERAL = re.compile(r'line "([^"]*)"(?:\s+(\S+))?')
_RECORD_LINE = re.compile(r"([a-z][a-z0-9_]*)(?:\s+(\S+))?")
_DATE_PATTERN = re.compile(r"(?:YYYY|YY|MM|DD|HH|SS|[-/.:T ])+")
_DEFAULT_PATTERNS = {
    Kind.DATE: ("YYYYMMDD", "YYYY-MM-DD"),
    Kind.TIME: ("HHMMSS", "HH:MM:SS"),
    Kind.DATETIME: ("YYYYMMDDHHMMSS", "YYYY-MM-DDTHH:MM:SS"),
}
_DECIMALS = {Kind.MONEY: (2,), Kind.YUAN: (0, 2)}


def split_cells(text: str) -> tuple[list[str], str]:
    """The cells of a line and its remark."""
    cells = [match[0].strip() for match in _CELL.finditer(text.strip())]
    for index, cell in enumerate(cells):
        if cell.startswith("#"):
            return cells[:index], "  ".join(cells[index:]).lstrip("#").strip()
    return cells, ""


def read_structure(source: LayoutSource, text: object) -> tuple[Node, ...]:
    """The sequence of records and literal lines of a fixed or delimited file."""
    nodes = []
    for line, content in source.block(text, "structure"):
        stripped = content.strip()
        if not stripped or (stripped.startswith("#") and not stripped.startswith("line")):
            continue
        if content[0] in " \t":
            source.add(
                "structure-nested", line, "an indented line", hint="fixed and delimited files are flat"
            )
        node = _node(source, line, stripped)
        if node is not None:
            nodes.append(node)
    return tuple(nodes)


def read_fields(source: LayoutSource, text: object, syntax: Syntax, *path: str) -> tuple[Field, ...]:
    """The fields of a table, with offsets (fixed) or depths (XML) worked out."""
    fields: list[Field] = []
    indents: list[int] = []
    offset = 0
    for line, content in source.block(text, *path):
        cells, remark = split_cells(content)
        if not cells:
            continue
        if "\t" in content:
            source.add("tab", line, "a tab between columns", hint="separate columns by two or more spaces")
        field = _field(source, line, cells, remark, syntax)
        if field is None:
            continue
        width = field.width
        if width is not None:
            _check_offset(source, line, cells, offset)
            field = replace(field, width=replace(width, offset=offset))
            offset += width.bytes_
        elif syntax is Syntax.XML:
            field = replace(field, depth=_depth(source, line, content, indents))
        fields.append(field)
    if not fields:
        source.add("table-empty", source.line_of(*path), f"{'.'.join(path)} has no line")
    return tuple(fields)


def _node(source: LayoutSource, line: int, text: str) -> Node | None:
    literal = _LITERAL.fullmatch(text)
    match = literal or _RECORD_LINE.fullmatch(text)
    if match is None:
        source.add(
            "structure-line", line, f"not understood: {text}", hint='a record and occurrence, or line "..."'
        )
        return None
    try:
        minimum, maximum = parse_occurrence(match[2] or "1")
    except ValueError:
        source.add("occurrence", line, f"no occurrence: {match[2]}", hint="1, 0..1, 1..* or 1..150000")
        return None
    if maximum is not None and (maximum < minimum or maximum == 0):
        source.add("occurrence", line, f"an empty range: {match[2]}")
    if not literal:
        return Node(line=line, record=match[1], minimum=minimum, maximum=maximum)
    prefix = len(match[1]) > 1 and match[1].endswith("*")
    if prefix and minimum:
        source.add(
            "occurrence", line, "a pattern line must be 0..n", hint="it is read over and never written"
        )
    if not prefix and (minimum, maximum) != (1, 1):
        source.add(
            "occurrence", line, "a literal line occurs exactly once", hint="or end it in * and say 0..*"
        )
    return Node(line=line, literal=match[1], prefix=prefix, minimum=minimum, maximum=maximum)


def _field(source: LayoutSource, line: int, cells: list[str], remark: str, syntax: Syntax) -> Field | None:
    marker = parse_marker(cells[-1])
    if marker is not None:
        cells = cells[:-1]
        if syntax is not Syntax.XML:
            source.add("marker", line, "[...] stands in XML tables only", hint="say it in `structure`")
    if not cells:
        source.add("field-columns", line, "a line without a place")
        return None
    place, rest = cells[0], [cell for cell in cells[1:] if not _ASSERTED_OFFSET.fullmatch(cell)]
    width = _width(source, line, place) if syntax is Syntax.FIXED else None
    if syntax is Syntax.DELIMITED and place != "-":
        source.add("place", line, f"place {place}", hint="in a delimited file the place is -")
    if syntax is Syntax.XML and not rest:
        return Field(place=place, line=line, marker=marker, remark=remark)
    kind = _kind(source, line, rest[0] if rest else "", syntax)
    if kind is None:
        return None
    if kind.name is Kind.BLANK and len(rest) == 2:
        rest = [*rest, "blank"]
    if len(rest) < 3:
        source.add("field-columns", line, f"{len(cells)} columns", hint="place, kind, name, meaning")
        return None
    meaning, flags = _meaning(source, line, rest[2:])
    if meaning is None:
        return None
    if syntax is Syntax.FIXED and width is None:
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
    )


def _width(source: LayoutSource, line: int, place: str) -> Width | None:
    match = _FIXED_PLACE.fullmatch(place)
    if match is None or int(match[1]) == 0 or (match[3] and not match[2]):
        source.add("place", line, f"no width: {place}", hint="20 (left), 17> (right), 10>0 (right, zeros)")
        return None
    return Width(bytes_=int(match[1]), right=bool(match[2]), fill="0" if match[3] else " ")


def _check_offset(source: LayoutSource, line: int, cells: list[str], offset: int) -> None:
    for cell in cells:
        match = _ASSERTED_OFFSET.fullmatch(cell)
        if match and int(match[1]) != offset + 1:
            source.add(
                "offset",
                line,
                f"{cell} asserted, but the field starts at {offset + 1}",
                hint="compare the widths above with the bank's paper",
            )


def _depth(source: LayoutSource, line: int, content: str, indents: list[int]) -> int:
    indent = len(content) - len(content.lstrip(" "))
    while indents and indents[-1] > indent:
        indents.pop()
    if not indents or indents[-1] < indent:
        indents.append(indent)
    if indents[0] > indent:
        source.add("indentation", line, "indented less than the first line")
    return len(indents) - 1


def _kind(source: LayoutSource, line: int, text: str, syntax: Syntax) -> FieldKind | None:
    match = _KIND.fullmatch(text)
    kind = None if match is None else _kind_word(match[1])
    if match is None or kind is None:
        source.add(
            "kind", line, f"no such kind: {text}", hint=f"one of {', '.join(word.value for word in Kind)}"
        )
        return None
    decimals = int(match[2]) if match[2] else 0
    permitted = _DECIMALS.get(kind)
    if (permitted is None) != (match[2] is None) or (permitted and decimals not in permitted):
        source.add(
            "decimals",
            line,
            f"{text} is not a kind of amount",
            hint="money.2 where the paper counts fen, yuan.2 with a point, yuan.0 for whole yuan",
        )
        return None
    return _kind_arguments(source, line, kind, decimals, match[3].strip(), syntax)


def _kind_arguments(
    source: LayoutSource, line: int, kind: Kind, decimals: int, text: str, syntax: Syntax
) -> FieldKind | None:
    pattern = suffix = ""
    maximum = exact = None
    if kind in _DEFAULT_PATTERNS:
        pattern = text or _DEFAULT_PATTERNS[kind][syntax is Syntax.XML]
        if not _DATE_PATTERN.fullmatch(pattern):
            source.add("pattern", line, f"no date or time pattern: {text}", hint="as YYYYMMDD or HH:MM:SS")
            return None
    elif match := re.fullmatch(r'suffix "([^"]+)"', text):
        suffix = match[1]
    elif match := re.fullmatch(r"<=(\d{1,6})", text):
        maximum = int(match[1])
    elif match := re.fullmatch(r"\d{1,6}", text):
        exact = int(match[0])
    elif text:
        source.add(
            "kind-argument", line, f"not understood: {kind.value} {text}", hint='<=35, 12, or suffix "元"'
        )
        return None
    if suffix and kind not in (Kind.MONEY, Kind.YUAN, Kind.NUMBER):
        source.add(
            "kind-argument", line, f"a suffix on {kind.value}", hint="numbers and amounts have suffixes"
        )
    return FieldKind(
        name=kind, decimals=decimals, pattern=pattern, suffix=suffix, maximum=maximum, exact=exact
    )


def _meaning(source: LayoutSource, line: int, cells: list[str]) -> tuple[Meaning | None, set[str]]:
    text = "  ".join(cells)
    flags = set()
    while match := re.search(r"\s+(key|optional)$", text):
        flags.add(match[1])
        text = text[: match.start()].rstrip()
    meaning = parse_meaning(text)
    if meaning is None:
        source.add(
            "meaning",
            line,
            f"no such meaning: {text}",
            hint='"constant", !"selects", blank, family.name, <echo, = count(..), = sum(..), = number',
        )
    if isinstance(meaning, Constant | Blank) and flags:
        source.add("meaning", line, f"{' '.join(sorted(flags))} on a constant")
    if "key" in flags and not (
        isinstance(meaning, Number)
        or (isinstance(meaning, Binding) and meaning.name in ("attempt.reference", "attempt.item"))
    ):
        source.add("key", line, f"key on {text}", hint="a key is attempt.reference, attempt.item or = number")
    if {"key", "optional"} <= flags:
        source.add("key", line, "an optional key", hint="padding or absence never supplies a key")
    return meaning, flags


def _kind_word(text: str) -> Kind | None:
    try:
        return Kind(text)
    except ValueError:
        return None

"""Reads `structure`: records, literal lines and scopes, nested by indentation.

A name with lines indented under it is a scope: what stands in it belongs together and is
counted together. `any` holds lines that come in any order; inside it an occurrence that is
not written means "as often as they come".
"""

from __future__ import annotations

import re

from msgspec import Struct

from formats.language.meanings import parse_occurrence
from formats.language.model import Node
from formats.language.source import LayoutSource

ANY = "any"

_LITERAL = re.compile(r'line "([^"]*)"(?:\s+(\S+))?')
_NAME_LINE = re.compile(r"([a-z][a-z0-9_]*)(?:\s+(\S+))?")
_REMARK = re.compile(r"\s+#.*")


class _Line(Struct):
    """One line that was understood, with what is indented under it."""

    number: int
    indent: int
    name: str
    literal: str | None
    occurrence: str
    children: list[_Line]


def read_structure(source: LayoutSource, text: object) -> tuple[Node, ...]:
    """The tree of a fixed or delimited file."""
    top: list[_Line] = []
    open_lines: list[_Line] = []
    for number, content in source.block(text, "structure"):
        stripped = content.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if "\t" in content:
            source.add("tab", number, "a tab before a line", hint="indent by blanks")
        line = _read_line(source, number, content)
        if line is None:
            continue
        while open_lines and open_lines[-1].indent >= line.indent:
            open_lines.pop()
        siblings = open_lines[-1].children if open_lines else top
        if siblings and siblings[0].indent != line.indent:
            hint = "lines of one scope begin in one column"
            source.add("structure-nested", number, "indented otherwise than the lines beside it", hint=hint)
        if open_lines and open_lines[-1].literal is not None:
            source.add("structure-nested", number, "indented under a literal line")
        siblings.append(line)
        open_lines.append(line)
    return tuple(_node(source, line, inside_any=False) for line in top)


def _read_line(source: LayoutSource, number: int, content: str) -> _Line | None:
    indent = len(content) - len(content.lstrip(" "))
    stripped = content.strip()
    literal = _LITERAL.fullmatch(stripped)
    match = literal or _NAME_LINE.fullmatch(_REMARK.sub("", stripped))
    if match is None:
        hint = 'a name and its occurrence, or line "..."'
        source.add("structure-line", number, f"not understood: {stripped}", hint=hint)
        return None
    name, text = ("", literal[1]) if literal else (match[1], None)
    return _Line(number, indent, name, text, match[2] or "", [])


def _node(source: LayoutSource, line: _Line, *, inside_any: bool) -> Node:
    written = line.occurrence or ("0..*" if inside_any else "1")
    try:
        minimum, maximum = parse_occurrence(written)
    except ValueError:
        hint = "1, 0..1, 1..* or 1..150000"
        source.add("occurrence", line.number, f"no occurrence: {written}", hint=hint)
        minimum, maximum = 1, 1
    if maximum is not None and (maximum < minimum or maximum == 0):
        source.add("occurrence", line.number, f"an empty range: {written}")
    if line.literal is not None:
        return _literal(source, line, minimum, maximum)
    if line.name == ANY and not line.children:
        source.add("structure-any", line.number, "any without lines under it")
    children = tuple(_node(source, child, inside_any=line.name == ANY) for child in line.children)
    return Node(
        line=line.number,
        name=line.name,
        minimum=minimum,
        maximum=maximum,
        any_order=line.name == ANY,
        children=children,
    )


def _literal(source: LayoutSource, line: _Line, minimum: int, maximum: int | None) -> Node:
    text = line.literal or ""
    prefix = len(text) > 1 and text.endswith("*")
    if prefix and minimum:
        hint = "it is read over and never written"
        source.add("occurrence", line.number, "a pattern line must be 0..n", hint=hint)
    if not prefix and (minimum, maximum) != (1, 1):
        hint = "or end it in * and say 0..*"
        source.add("occurrence", line.number, "a literal line occurs exactly once", hint=hint)
    return Node(line=line.number, literal=text, prefix=prefix, minimum=minimum, maximum=maximum)

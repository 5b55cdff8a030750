"""Checks what we write against a W3C schema while it is made, in constant memory.

The parser builds no tree: libxml2 validates each element as it is read and forgets it. On what banks
send a schema would be a diagnostic only, since their files break their own; here it is a condition.
The values of elements are not told: the schema library quotes them in its messages.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from formats.errors import LayoutError, SchemaError
from formats.records import Problem

_PIECE_BYTES = 1 << 14
"""So exactly an error's place is told: the library has no lines of what it does not keep."""

_ELEMENT = re.compile(r"Element '(?:\{[^}]*\})?([^']*)'(?:, attribute '(?:\{[^}]*\})?([^']*)')?")
_FACET = re.compile(r"\[facet '(\w+)'\]")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( ([^)]*) \)")
_NAMESPACE = re.compile(r"\{[^}]*\}")


class Schema:
    """A schema, compiled. Immutable; safe to share between threads."""

    def __init__(self, document: bytes, name: str) -> None:
        """Raises `LayoutError` where it is no schema. It may include nothing from a network."""
        self.name = name
        self.digest = hashlib.sha256(document).hexdigest()
        parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
        try:
            self._compiled = etree.XMLSchema(etree.fromstring(document, parser))
        except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
            message = f"{name}: no schema: {error}"
            problem = Problem(code="schema-invalid", message=message, source=name, hint="an XML schema (XSD)")
            raise LayoutError([problem]) from error

    def checked(self, blocks: Iterable[bytes], name: str) -> Iterator[bytes]:
        """The blocks as they come; `name` is whose they are. Raises `SchemaError` with all faults of a place.

        Without an error at its end the whole document was valid.
        """
        nothing: Any = _Nothing()
        parser = etree.XMLParser(
            target=nothing,
            schema=self._compiled,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
        )
        line = 1
        for block in blocks:
            for start in range(0, len(block), _PIECE_BYTES):
                piece = block[start : start + _PIECE_BYTES]
                last = line + piece.count(b"\n")
                try:
                    parser.feed(piece)
                except etree.XMLSyntaxError as error:
                    raise self._refused(parser, name, line, last) from error
                if len(parser.feed_error_log):
                    raise self._refused(parser, name, line, last)
                line = last
            yield block
        try:
            parser.close()
        except etree.XMLSyntaxError as error:
            raise self._refused(parser, name, line, line) from error
        if len(parser.feed_error_log):
            raise self._refused(parser, name, line, line)

    def _refused(self, parser: etree.XMLParser, name: str, first: int, last: int) -> SchemaError:
        lines = f"line {first}" if first == last else f"lines {first} to {last}"
        entries = list(parser.feed_error_log)
        told = dict.fromkeys(_words(entry) for entry in entries) or {("", "not well-formed XML"): None}
        problems = [
            Problem(
                code="schema-differs",
                message=f"{name} {lines}{f' {element}' if element else ''}: {what}; schema {self.name}",
                source=name,
                column=element,
                hint="the layout and the schema are of different versions, or a value does not fit its type",
            )
            for element, what in told
        ]
        return SchemaError(problems)


class _Nothing:
    """A parser's target that wants to be told of nothing."""

    def close(self) -> None:
        """Called at the end."""


def read_schema(path: Path) -> Schema:
    """The schema of a file. Raises `LayoutError`, `OSError`."""
    return Schema(path.read_bytes(), path.name)


def _words(entry: etree._LogEntry) -> tuple[str, str]:
    """The element, and what is wrong with it, without what stands in it."""
    if entry.domain_name != "SCHEMASV":
        return "", "not well-formed XML"
    found = _ELEMENT.match(entry.message)
    element = found[1] + (f"/@{found[2]}" if found[2] else "") if found else ""
    if facet := _FACET.search(entry.message):
        return element, f"found a value that its type does not take ({facet[1]})"
    if entry.type_name == "SCHEMAV_ELEMENT_CONTENT":
        expected = _EXPECTED.search(entry.message)
        wanted = f", wanted {_NAMESPACE.sub('', expected[1])}" if expected else ""
        return element, f"found where it may not stand, or something is missing in it{wanted}"
    if entry.type_name == "SCHEMAV_CVC_ELT_1":
        return element, "found a root element or a namespace that the schema does not know"
    return (
        element,
        f"found what the schema does not take ({entry.type_name.lower().removeprefix('schemav_')})",
    )

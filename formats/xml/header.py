"""What stands once in a file or a group: looked up in the small tree above the records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree

from formats.xml.columns import VALUES_JOIN, path_expression
from formats.xml.guard import refuse
from formats.xml.plan import Alternative, Leaf, Level
from formats.xml.values import ValueFault, read_column

_STRING = etree.XPath("string()", smart_strings=False)
_Search = Callable[[etree._Element], Any]


class HeaderReader:
    """Compiled for the lines of one level and one namespace."""

    def __init__(self, name: str, leaves: tuple[Leaf, ...], namespace: str) -> None:
        self._name = name
        names = {"n": namespace}
        self._leaves: list[tuple[Leaf, list[_Search]]] = [
            (
                leaf,
                [etree.XPath(_below(leaf, way), namespaces=names, smart_strings=False) for way in leaf.paths],
            )
            for leaf in leaves
        ]

    def read(self, element: etree._Element) -> dict[int, Any]:
        """Values by line of the layout, "" or None where absent. Raises `DecodeError`."""
        return {leaf.line: self._value(leaf, paths, element) for leaf, paths in self._leaves}

    def _value(self, leaf: Leaf, paths: list[_Search], element: etree._Element) -> Any:
        found = [_text(node) for path in paths for node in path(element)]
        if not leaf.repeats:
            for path in paths:
                if len(path(element)) > 1:
                    what = f"{leaf.title}: found {len(path(element))} elements, wanted 1"
                    raise refuse("xml-repeated", what, name=self._name, column=leaf.title)
            found = found[:1]
        text = VALUES_JOIN.get(leaf.name, "+" if leaf.is_code else "; ").join(filter(None, found))
        try:
            return read_column(leaf.kind, [text.strip(" \t\r\n")], lenient=True)[0]
        except ValueFault as fault:
            what = f"{leaf.title}: found {fault.found}, wanted {fault.wanted}"
            raise refuse("field-invalid", what, name=self._name, column=leaf.title) from None


def _below(leaf: Leaf, way: Alternative) -> str:
    """File paths begin with the root, which is where the search begins."""
    if leaf.level is Level.FILE:
        way = Alternative(way.steps[1:], way.attribute)
    return path_expression(way)


def _text(node: Any) -> str:
    return node if isinstance(node, str) else str(_STRING(node))

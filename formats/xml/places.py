"""Where a byte of an XML document stands, and whether the table looks there: for the conformance kit.

A small walk over the bytes of a document that is known to be well-formed: tags, texts, comments. It
judges nothing; the reader in `read.py` knows nothing of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from msgspec import Struct

from formats.language.model import Constant, Layout
from formats.xml.plan import Element, Leaf, build_plan

_PIECE = re.compile(
    rb"(?P<declaration><\?.*?\?>)|(?P<comment><!--.*?-->)|(?P<data><!\[CDATA\[.*?\]\]>)"
    rb"|(?P<tag><[^>]*>)|(?P<text>[^<]+)",
    re.DOTALL,
)
_NAME = re.compile(rb"</?(?:[^\s/>:]+:)?([^\s/>:]+)")

_DECIMALS = re.compile(rb"\s*[0-9]+\.[0-9]*0")
_BLANKS = b" \t\r\n"
_ATTRIBUTE = re.compile(rb"\s(?:[^\s=:/>]+:)?([^\s=:/>]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')")


class _Piece(Struct, frozen=True):
    start: int
    end: int
    kind: str
    path: tuple[str, ...]
    blank: bool


class XmlPlaces:
    """The bytes of one document."""

    def __init__(self, layout: Layout, raw: bytes) -> None:
        self._raw = raw
        plan = build_plan(layout)
        self._listed = _listed(plan.root, ())
        self._attributes = {
            (way.steps, way.attribute) for leaf in plan.leaves for way in leaf.local if way.attribute
        }
        self._unchecked = {
            leaf.local[0].steps[-2:]
            for leaf in plan.leaves
            if leaf.repeats and isinstance(leaf.meaning, Constant)
        }
        self._pieces = list(_pieces(raw))
        self._starts = [piece.start for piece in self._pieces]

    def name(self, place: int) -> str:
        """A byte by line and element."""
        piece = self._piece(place)
        line = self._raw.count(b"\n", 0, place) + 1
        path = "/".join(piece.path[-3:]) if piece is not None else ""
        return f"line {line} byte {place + 1} {path}".rstrip()

    def meaningless(self, place: int, byte: int) -> tuple[str, str]:
        """What kind of place it is and why this change of it means nothing; "" where there is no proof."""
        piece = self._piece(place)
        if piece is None:
            return self.name(place), ""
        if piece.kind == "declaration":
            return "the XML declaration", "version and spelling of the encoding"
        if piece.kind == "comment":
            return "comments", "they are no part of what a document says"
        if piece.path not in self._listed:
            return "/".join(piece.path[-2:]), "an element that the table does not name"
        if piece.kind == "text" and piece.blank:
            return "between elements", "white space"
        if piece.kind == "text" and piece.path[-2:] in self._unchecked:
            return "/".join(
                piece.path[-2:]
            ), "a constant of an element that repeats is written, and not looked at"
        if byte in _BLANKS and self._raw[place] in _BLANKS and piece.kind == "tag":
            return "inside tags", "white space between attributes"
        if byte in _BLANKS and piece.kind == "text" and self._is_last_zero(piece, place):
            return "/".join(piece.path[-2:]), "an amount without the zero at the end of its decimals"
        attribute = self._attribute(piece, place) if piece.kind == "tag" else ""
        if attribute and not self._names(piece.path, attribute):
            return f"{'/'.join(piece.path[-2:])}/@{attribute}", "an attribute that the table does not name"
        return self.name(place), ""

    def _is_last_zero(self, piece: _Piece, place: int) -> bool:
        text = self._raw[piece.start : place + 1]
        return _DECIMALS.fullmatch(text) is not None and not self._raw[place + 1 : piece.end].strip()

    def _names(self, path: tuple[str, ...], attribute: str) -> bool:
        return any(name == attribute and _ends(path, steps) for steps, name in self._attributes)

    def _attribute(self, piece: _Piece, place: int) -> str:
        """The attribute of a tag that a byte stands in, its name, quotes and value; "" for none."""
        for match in _ATTRIBUTE.finditer(self._raw, piece.start, piece.end):
            if match.start() <= place < match.end():
                return match[1].decode("utf-8", "replace")
        return ""

    def _piece(self, place: int) -> _Piece | None:
        index = bisect_right(self._starts, place) - 1
        return self._pieces[index] if index >= 0 else None


def _ends(path: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    """Whether a path may be the one that these last steps lead to."""
    return not steps or path[-len(steps) :] == steps


def _pieces(raw: bytes) -> list[_Piece]:
    pieces: list[_Piece] = []
    path: list[str] = []
    for match in _PIECE.finditer(raw):
        kind, text = str(match.lastgroup), match[0]
        name = _NAME.match(text)
        if kind == "tag" and name is not None and not text.startswith(b"</"):
            path.append(name[1].decode("utf-8", "replace"))
        pieces.append(_Piece(match.start(), match.end(), kind, tuple(path), not text.strip()))
        if kind == "tag" and (text.startswith(b"</") or text.endswith(b"/>")) and path:
            path.pop()
    return pieces


def _listed(element: Element, above: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Every path of elements that the table names, those of alternatives too."""
    own = (*above, element.name)
    found = {own}
    for child in element.children:
        if isinstance(child, Element):
            found |= _listed(child, own)
        else:
            found |= _of_leaf(child, own)
    for leaf in (*element.attributes, *((element.text,) if element.text is not None else ())):
        found |= _of_leaf(leaf, own)
    return found


def _of_leaf(leaf: Leaf, above: tuple[str, ...]) -> set[tuple[str, ...]]:
    found = set()
    for path in leaf.local:
        for depth in range(1, len(path.steps) + 1):
            found.add((*above, *path.steps[:depth]))
    return found

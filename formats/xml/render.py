"""Elements and columns of texts into one template: the hot path of writing.

A piece is a template with its columns. Where a value is absent in some records only,
the elements around it are made for each record and become a column of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from itertools import chain, repeat

from msgspec import Struct

from formats.xml.codes import REASON_SEPARATOR
from formats.xml.plan import LEVEL_MARKS, Alternative, Element, Leaf

HOLE = "\0"
"""Stands in a rendered file where its records go; no XML text can contain it."""

COLUMN = "\1"
"""Stands in a template where a column's text goes; no XML text can contain it either."""

Texts = Mapping[int, str | list[str]]
"""By line of the layout: one text for all records, or a column with "" where absent."""


class State(Enum):
    """In how many records a piece is written. `FIXED`: it has nothing that could be absent."""

    FIXED = "fixed"
    NEVER = "never"
    SOME = "some"
    ALWAYS = "always"


class Piece(Struct, frozen=True):
    """A template with one `COLUMN` for each of its columns.

    The first `attributes` columns are those of its element: they alone are no reason to write it.
    """

    template: str
    columns: tuple[list[str], ...]
    state: State
    attributes: int = 0


_NOTHING = Piece("", (), State.NEVER)
_HOLE = Piece(HOLE, (), State.ALWAYS)


def render_rows(element: Element, texts: Texts, count: int) -> str:
    """The element once for each record, one after the other."""
    piece = _content(element, texts, count)
    # One join over constants and columns in turn costs half of filling a template for each row.
    first, *others = piece.template.split(COLUMN)
    turns: list[Iterable[str]] = [repeat(first, count)]
    for column, constant in zip(piece.columns, others, strict=True):
        turns += [column, repeat(constant, count)]
    return "".join(chain.from_iterable(zip(*turns, strict=True)))


def render_around(root: Element, inner: Element | None, texts: Texts) -> tuple[str, str]:
    """The file's text before and after its records; all of it is before where `inner` is None."""
    before, _, after = _fill(_open_hole(root, texts, inner)).partition(HOLE)
    return before, after


def _fill(piece: Piece) -> str:
    return _percent(piece) % tuple(column[0] for column in piece.columns)


def _open_hole(root: Element, texts: Texts, inner: Element | None) -> Piece:
    return _content(root, texts, 1, inner)


def _content(element: Element, texts: Texts, count: int, inner: Element | None = None) -> Piece:
    """The element with what is inside, written whether or not that is anything."""
    attributes = [_attribute(leaf, texts) for leaf in element.attributes]
    pieces = [_text(element.text, texts)] if element.text is not None else []
    for child in element.children:
        if child is inner:
            pieces.append(_HOLE)
        elif isinstance(child, Leaf):
            pieces.append(_choice(child, texts))
        else:
            pieces.append(_element(child, texts, count, inner))
    opened = "".join(piece.template for piece in attributes)
    template = "".join(piece.template for piece in pieces)
    columns = tuple(column for piece in (*attributes, *pieces) for column in piece.columns)
    return Piece(
        f"<{element.name}{opened}>{template}</{element.name}>",
        columns,
        _joint_state(pieces),
        attributes=sum(len(piece.columns) for piece in attributes),
    )


def _element(element: Element, texts: Texts, count: int, inner: Element | None) -> Piece:
    """The element where anything inside has a value."""
    marker = element.marker
    if marker is not None and marker.maximum != 1 and marker.name not in LEVEL_MARKS:
        repeated = _repeated(element, texts)
        if repeated is not None:
            return repeated
    piece = _content(element, texts, count, inner)
    if piece.state is State.NEVER:
        return _NOTHING
    if piece.state is not State.SOME:
        return piece
    rows = zip(*piece.columns, strict=True)
    template = _percent(piece)
    column = [template % row if any(row[piece.attributes :]) else "" for row in rows]
    return Piece(COLUMN, (column,), State.SOME)


def _percent(piece: Piece) -> str:
    return piece.template.replace("%", "%%").replace(COLUMN, "%s")


def _joint_state(pieces: list[Piece]) -> State:
    states = {piece.state for piece in pieces}
    if State.ALWAYS in states:
        return State.ALWAYS
    if State.SOME in states:
        return State.SOME
    # An element without any content is not written either.
    return State.NEVER if State.NEVER in states or not states else State.FIXED


def _repeated(element: Element, texts: Texts) -> Piece | None:
    """An element written once for each reason of a code; None where no code has several."""
    split = [leaf for leaf in element.leaves() if leaf.is_code and leaf.repeats]
    column = texts.get(split[0].line) if split else None
    if not isinstance(column, list) or not any(REASON_SEPARATOR in text for text in column):
        return None
    code_line = split[0].line
    parts = [text.split(REASON_SEPARATOR) for text in column]
    spread: dict[int, str | list[str]] = {}
    for leaf in element.leaves():
        values = texts[leaf.line]
        if leaf.line == code_line:
            spread[leaf.line] = [part for reasons in parts for part in reasons]
        elif isinstance(values, list):
            # What is said beside several reasons stands with the first of them.
            spread[leaf.line] = [
                text
                for value, reasons in zip(values, parts, strict=True)
                for text in (value, *repeat("", len(reasons) - 1))
            ]
        else:
            spread[leaf.line] = values
    flat = Element(
        name=element.name,
        line=element.line,
        attributes=element.attributes,
        text=element.text,
        children=element.children,
    )
    piece = _element(flat, spread, sum(map(len, parts)), None)
    made = iter([_fill_row(piece, row) for row in range(sum(map(len, parts)))])
    return Piece(COLUMN, (["".join(next(made) for _ in reasons) for reasons in parts],), State.SOME)


def _fill_row(piece: Piece, row: int) -> str:
    return _percent(piece) % tuple(column[row] for column in piece.columns)


def _text(leaf: Leaf, texts: Texts) -> Piece:
    values = texts[leaf.line]
    if isinstance(values, str):
        return Piece(values, (), State.FIXED if values else State.NEVER)
    if "" not in values:
        return Piece(COLUMN, (values,), State.ALWAYS)
    return Piece(COLUMN, (values,), State.SOME) if any(values) else _NOTHING


def _choice(leaf: Leaf, texts: Texts) -> Piece:
    """A value that is written into one of several elements, by its form."""
    values = texts[leaf.line]
    column = [values] if isinstance(values, str) else values
    made = {value: _wrap(leaf, value) for value in set(column)}
    piece = [made[value] for value in column]
    if "" not in piece:
        return Piece(COLUMN, (piece,), State.ALWAYS)
    return Piece(COLUMN, (piece,), State.SOME) if any(piece) else _NOTHING


def _wrap(leaf: Leaf, value: str) -> str:
    if not value:
        return ""
    chosen = next((way for way in leaf.local if _takes(way, value)), leaf.local[-1])
    opened = "".join(f"<{step}>" for step in chosen.steps)
    closed = "".join(f"</{step}>" for step in reversed(chosen.steps))
    return f"{opened}{value}{closed}"


def _takes(way: Alternative, value: str) -> bool:
    if way.exact is None:
        return True
    return len(value) == way.exact and value.isascii() and value.isalnum() and value.upper() == value


def _attribute(leaf: Leaf, texts: Texts) -> Piece:
    """A blank, the name and the value; a column where the records do not all say the same."""
    values, name = texts[leaf.line], leaf.local[0].attribute
    if isinstance(values, str):
        return Piece(f' {name}="{values}"', (), State.FIXED)
    if values.count(values[0]) == len(values):
        return Piece(f' {name}="{values[0]}"', (), State.FIXED)
    return Piece(COLUMN, ([f' {name}="{value}"' if value else "" for value in values],), State.SOME)

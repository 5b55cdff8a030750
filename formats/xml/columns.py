"""The columns of many transactions at once: one generated stylesheet for the records of a layout.

The stylesheet writes, for each record and each column, the texts found at the column's path.
Noncharacters of Unicode separate columns, values and records. Where a file contains those itself
the number of columns does not come out, and the file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from lxml import etree

from formats.language.model import Kind
from formats.xml.plan import Alternative, Leaf, Plan

END_OF_COLUMN = "\ufdd0"
END_OF_VALUE = "\ufdd1"
END_OF_RECORD = "\ufdd2"
VALUES_JOIN = {"outcome.code": "+", "outcome.bank_text": "; "}
"""How several values of one record become one; other texts are joined as bank texts are."""

_XSLT = "http://www.w3.org/1999/XSL/Transform"


class ColumnError(Exception):
    """A record that does not come out: `row` is 0-based, or None for the whole block."""

    def __init__(self, row: int | None, leaf: Leaf | None, message: str) -> None:
        super().__init__(message)
        self.row, self.leaf, self.message = row, leaf, message


class Columns:
    """The columns of the records of one layout: which ways each has, and what their texts make."""

    def __init__(self, plan: Plan, leaves: tuple[Leaf, ...]) -> None:
        self._leaves = leaves
        self._alternatives = [_column_paths(leaf, plan) for leaf in leaves]
        self.paths = [ways for columns in self._alternatives for ways in columns]
        """The ways of each column, from the record (or the detail) on."""
        by_leaf = [_from_record(leaf, plan) for leaf in leaves]
        self.from_record = [ways for columns in by_leaf for ways in columns]
        """The same, all of them from the record on."""
        self.behind = _behind(by_leaf)
        """Of a column an earlier one of its line within its element: of `Sts` in `Sts/Cd | Sts` the first."""

    def texts(self, columns: Sequence[list[str]], *, several: bool) -> dict[int, list[str]]:
        """The texts by line of the layout, "" where a value is absent. Raises `ColumnError`.

        `several`: whether there are values of one record apart by `END_OF_VALUE`.
        """
        texts: dict[int, list[str]] = {}
        position = 0
        for leaf, alternatives in zip(self._leaves, self._alternatives, strict=True):
            found = list(columns[position : position + len(alternatives)])
            if several:
                found = [_join_values(leaf, column) for column in found]
            texts[leaf.line] = _first_present(found)
            position += len(alternatives)
        return texts


class ColumnReader:
    """Compiled for one layout and one namespace."""

    def __init__(self, plan: Plan, columns: Columns, namespace: str) -> None:
        self._columns = columns
        self._details = bool(plan.detail)
        self._width = len(columns.paths)
        self._stylesheet = etree.XSLT(_stylesheet(plan, columns.paths, namespace))
        self._count = etree.XPath(f"count(n:{plan.record})", namespaces={"n": namespace})

    def read(self, element: etree._Element, open_records: int) -> tuple[int, dict[int, list[str]], list[int]]:
        """The number of rows of complete records below an element, and their texts by line of the layout.

        An absent value is "". Last the number of rows of each record, [] where each is one.
        Raises `ColumnError`.
        """
        width = self._width
        made = str(self._stylesheet(element)).replace(END_OF_VALUE + END_OF_COLUMN, END_OF_COLUMN)
        several = END_OF_VALUE in made
        rows: list[int] = []
        if self._details:
            rows = [record.count(END_OF_COLUMN) // width for record in made.split(END_OF_RECORD)[:-1]]
            made = made.replace(END_OF_RECORD, "")
        cells = made.split(END_OF_COLUMN)
        count, rest = divmod(len(cells) - 1, width)
        records = len(rows) if self._details else count
        if rest or cells[-1] or records != self._count(element):
            raise ColumnError(None, None, "a noncharacter (U+FDD0 to U+FDD2) in a text")
        if self._details and open_records:
            count -= rows.pop()
        elif not self._details:
            count -= open_records
        columns = [cells[place : count * width : width] for place in range(width)]
        return count, self._columns.texts(columns, several=several), rows


def _column_paths(leaf: Leaf, plan: Plan) -> list[tuple[Alternative, ...]]:
    """Values that repeat keep the order of the file, so their alternatives are read together."""
    paths = leaf.paths
    if plan.detail:
        # The context is a detail, or a record that has none.
        here = plan.detail[-1] if leaf.detail else plan.record
        axis = f"self::{here}" if leaf.detail else f"ancestor-or-self::{here}"
        paths = tuple(Alternative((axis, *path.steps), path.attribute, path.exact) for path in paths)
    return [paths] if leaf.repeats else [(path,) for path in paths]


def _from_record(leaf: Leaf, plan: Plan) -> list[tuple[Alternative, ...]]:
    """The same columns, with the way from the record to a detail before what stands in that."""
    before = plan.detail if leaf.detail else ()
    paths = tuple(Alternative((*before, *path.steps), path.attribute, path.exact) for path in leaf.paths)
    return [paths] if leaf.repeats else [(path,) for path in paths]


def _behind(by_leaf: Sequence[Sequence[tuple[Alternative, ...]]]) -> dict[int, int]:
    found: dict[int, int] = {}
    first = 0
    for columns in by_leaf:
        for place, ways in enumerate(columns):
            for earlier, others in enumerate(columns[:place]):
                if len(ways) == len(others) == 1 and not ways[0].attribute and _is_within(others[0], ways[0]):
                    found[first + place] = first + earlier
        first += len(columns)
    return found


def _is_within(inner: Alternative, outer: Alternative) -> bool:
    size = len(outer.steps)
    return not inner.attribute and len(inner.steps) > size and inner.steps[:size] == outer.steps


def _join_values(leaf: Leaf, column: list[str]) -> list[str]:
    """A cell with several values as one text; amounts are left apart, to be added up."""
    if END_OF_VALUE not in "".join(column):
        return column
    for row, cell in enumerate(column):
        if END_OF_VALUE in cell and not leaf.repeats:
            found = cell.count(END_OF_VALUE) + 1
            raise ColumnError(row, leaf, f"found {found} elements, wanted 1")
    if leaf.kind.name in (Kind.YUAN, Kind.MONEY):
        return column
    join = VALUES_JOIN.get(leaf.name, VALUES_JOIN["outcome.bank_text"])
    return [join.join(filter(None, cell.split(END_OF_VALUE))) for cell in column]


def _first_present(columns: list[list[str]]) -> list[str]:
    first, *others = columns
    for other in others:
        if any(other):
            first = [text or second for text, second in zip(first, other, strict=True)]
    return first


def path_expression(way: Alternative) -> str:
    """An XPath from the element of the level; the namespace has the prefix `n`."""
    steps = [_step(step) for step in way.steps] + ([f"@{way.attribute}"] if way.attribute else [])
    return "/".join(steps)


def _step(name: str) -> str:
    axis, colons, element = name.rpartition("::")
    return f"{axis}{colons}n:{element}"


def _stylesheet(plan: Plan, paths: list[tuple[Alternative, ...]], namespace: str) -> etree._Element:
    made = _Maker(namespace)
    root = made("stylesheet", version="1.0")
    root.append(made("output", method="text", encoding="UTF-8"))
    template = made("template", match="/")
    each = made("for-each", select=f"/*/n:{plan.record}")
    if plan.detail:
        way = "/".join(f"n:{step}" for step in plan.detail)
        choose, when, otherwise = made("choose"), made("when", test=way), made("otherwise")
        details = made("for-each", select=way)
        details.extend(_row(made, paths))
        when.append(details)
        otherwise.extend(_row(made, paths))
        choose.extend((when, otherwise))
        each.extend((choose, made("text", END_OF_RECORD)))
    else:
        each.extend(_row(made, paths))
    template.append(each)
    root.append(template)
    return root


def _row(made: _Maker, paths: list[tuple[Alternative, ...]]) -> list[etree._Element]:
    """The columns of one row."""
    elements: list[etree._Element] = []
    for first, run in groupby(paths, key=_first_step):
        columns = [made.column(ways) for ways in run]
        if first and len(columns) > 1:
            columns = [made.guarded(first, columns)]
        elements += [element for column in columns for element in column]
    return elements


def _first_step(ways: tuple[Alternative, ...]) -> str:
    """The element that all paths of a column begin with, where it has something below."""
    steps = {way.steps[0] if len(way.steps) > 1 or way.attribute else "" for way in ways if way.steps}
    return steps.pop() if len(steps) == 1 else ""


class _Maker:
    """Elements of a stylesheet."""

    def __init__(self, namespace: str) -> None:
        self._names = {"xsl": _XSLT, "n": namespace}

    def __call__(self, name: str, text: str = "", **attributes: str) -> etree._Element:
        element = etree.Element(f"{{{_XSLT}}}{name}", attributes, nsmap=self._names)
        element.text = text or None
        return element

    def column(self, ways: tuple[Alternative, ...]) -> list[etree._Element]:
        """The values of one column, each with its end, and the end of the column."""
        values = self("for-each", select="|".join(path_expression(way) for way in ways))
        values.append(self("value-of", select="."))
        values.append(self("text", END_OF_VALUE))
        return [values, self("text", END_OF_COLUMN)]

    def guarded(self, first: str, columns: list[list[etree._Element]]) -> list[etree._Element]:
        """Columns below one element, looked for only where that is present."""
        choose = self("choose")
        when = self("when", test=_step(first))
        when.extend(element for column in columns for element in column)
        otherwise = self("otherwise")
        otherwise.append(self("text", END_OF_COLUMN * len(columns)))
        choose.extend((when, otherwise))
        return [choose]

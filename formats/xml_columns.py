"""The columns of many transactions at once: one generated stylesheet for the records of a layout.

The stylesheet writes, for each record and each column, the texts found at the column's path.
Two noncharacters of Unicode separate columns and values. Where a file contains those itself
the number of columns does not come out, and the file is refused.
"""

from __future__ import annotations

from itertools import groupby

from lxml import etree

from formats.layout_model import Kind
from formats.xml_plan import Alternative, Leaf, Plan

END_OF_COLUMN = "\ufdd0"
END_OF_VALUE = "\ufdd1"
VALUES_JOIN = {"outcome.code": "+", "outcome.bank_text": "; "}
"""How several values of one record become one; other texts are joined as bank texts are."""

_XSLT = "http://www.w3.org/1999/XSL/Transform"


class ColumnError(Exception):
    """A record that does not come out: `row` is 0-based, or None for the whole block."""

    def __init__(self, row: int | None, leaf: Leaf | None, message: str) -> None:
        super().__init__(message)
        self.row, self.leaf, self.message = row, leaf, message


class ColumnReader:
    """Compiled for one layout and one namespace."""

    def __init__(self, plan: Plan, leaves: tuple[Leaf, ...], namespace: str) -> None:
        self._leaves = leaves
        self._paths = [paths for leaf in leaves for paths in _column_paths(leaf)]
        self._stylesheet = etree.XSLT(_stylesheet(plan.record, self._paths, namespace))
        self._count = etree.XPath(f"count(n:{plan.record})", namespaces={"n": namespace})

    def read(self, element: etree._Element, open_records: int) -> tuple[int, dict[int, list[str]]]:
        """The number of complete records below an element, and their texts by line of the layout.

        An absent value is "". Raises `ColumnError`.
        """
        width = len(self._paths)
        made = str(self._stylesheet(element)).replace(END_OF_VALUE + END_OF_COLUMN, END_OF_COLUMN)
        several = END_OF_VALUE in made
        cells = made.split(END_OF_COLUMN)
        count, rest = divmod(len(cells) - 1, width)
        if rest or cells[-1] or count != self._count(element):
            raise ColumnError(None, None, "a noncharacter (U+FDD0 or U+FDD1) in a text")
        count -= open_records
        texts: dict[int, list[str]] = {}
        position = 0
        for leaf in self._leaves:
            alternatives = len(_column_paths(leaf))
            columns = [cells[position + i : count * width : width] for i in range(alternatives)]
            if several:
                columns = [_join_values(leaf, column) for column in columns]
            texts[leaf.line] = _first_present(columns)
            position += alternatives
        return count, texts


def _column_paths(leaf: Leaf) -> list[tuple[Alternative, ...]]:
    """Values that repeat keep the order of the file, so their alternatives are read together."""
    return [leaf.paths] if leaf.repeats else [(path,) for path in leaf.paths]


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
    steps = [f"n:{step}" for step in way.steps] + ([f"@{way.attribute}"] if way.attribute else [])
    return "/".join(steps)


def _stylesheet(record: str, paths: list[tuple[Alternative, ...]], namespace: str) -> etree._Element:
    made = _Maker(namespace)
    root = made("stylesheet", version="1.0")
    root.append(made("output", method="text", encoding="UTF-8"))
    template = made("template", match="/")
    each = made("for-each", select=f"/*/n:{record}")
    for first, run in groupby(paths, key=_first_step):
        columns = [made.column(ways) for ways in run]
        if first and len(columns) > 1:
            columns = [made.guarded(first, columns)]
        each.extend(element for column in columns for element in column)
    template.append(each)
    root.append(template)
    return root


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
        when = self("when", test=f"n:{first}")
        when.extend(element for column in columns for element in column)
        otherwise = self("otherwise")
        otherwise.append(self("text", END_OF_COLUMN * len(columns)))
        choose.extend((when, otherwise))
        return [choose]

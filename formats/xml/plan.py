"""The table of an XML layout as a tree of elements: what both the writer and the reader walk.

A line of the table is a path below the line it is indented under. Three levels matter:
the file, the group (a line marked `[group ...]`) and the record (`[payment ...]`, or
`[statement ...]` for an entry of a statement). What is marked `[detail ...]` inside a record makes
one row of each of its kind, with what the record says in all of them; a record without any is one
row. Any other mark says that an element may be absent (`0..`) or repeated (`..*`).

`A/B | A/C` are alternatives: each is read, the first one present wins; the first is
written, except that `A/B{4} | A/C` writes `A/B` only for a value of exactly four upper-case
letters or digits. Several lines of one level that bind `outcome.code` (or `file.code`) are its
parts, in their order, joined by `/`; where such a line repeats, its values are joined by `+`.
A constant inside an element that repeats is written, but not checked when read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum

from msgspec import Struct, field

from formats.errors import LayoutError
from formats.language.model import Binding, Count, Field, FieldKind, Layout, Marker, Meaning, Sum
from formats.records import Problem

CODE_NAMES = ("outcome.code", "file.code")
GROUP = "group"
RECORDS = ("payment", "statement")
DETAIL = "detail"
LEVEL_MARKS = (GROUP, *RECORDS, DETAIL)

_ALTERNATIVE = re.compile(
    r"([A-Za-z_][\w.-]*(?:/[A-Za-z_][\w.-]*)*)?(?:/?@([A-Za-z_][\w.-]*))?(?:\{(\d+)\})?"
)


class Level(IntEnum):
    """Where a line stands; also how specific a status is."""

    FILE = 0
    GROUP = 1
    RECORD = 2


class Alternative(Struct, frozen=True):
    """One path of a line, below the element of the line above it."""

    steps: tuple[str, ...]
    attribute: str = ""
    exact: int | None = None


class Leaf(Struct, frozen=True, kw_only=True):
    """A line that carries a value. `paths` start below the element of the line's level.

    `optional`: it, or an element around it, may be absent. `part` counts the lines of one
    level that bind the same code.
    """

    level: Level
    paths: tuple[Alternative, ...]
    local: tuple[Alternative, ...]
    line: int
    title: str
    kind: FieldKind
    meaning: Meaning
    key: bool = False
    optional: bool = False
    repeats: bool = False
    part: int = 0
    wanted_beside: bool = False
    """An attribute that its element must have wherever it is there: the line itself is not `optional`."""
    detail: bool = False
    """Inside the detail; then `paths` begin there."""

    @property
    def name(self) -> str:
        """The bound meaning, or "" for constants, totals and blanks."""
        return self.meaning.name if isinstance(self.meaning, Binding) else ""

    @property
    def is_code(self) -> bool:
        return self.name in CODE_NAMES

    @property
    def is_total(self) -> bool:
        return isinstance(self.meaning, Count | Sum)


class Element(Struct, kw_only=True):
    """An element to be written, with its children in the order of the schema."""

    name: str
    line: int
    attributes: list[Leaf] = field(default_factory=list)
    text: Leaf | None = None
    children: list[Element | Leaf] = field(default_factory=list)
    marker: Marker | None = None

    def leaves(self) -> Iterator[Leaf]:
        """Every value inside, in the order of writing."""
        yield from self.attributes
        if self.text is not None:
            yield self.text
        for child in self.children:
            if isinstance(child, Leaf):
                yield child
            else:
                yield from child.leaves()


class Plan(Struct, frozen=True, kw_only=True):
    """A layout made ready: the tree, the values of each level, and the names on the way down.

    `way` are the element names from the root to the one that holds the records (or groups);
    `group` is "" where there are none, `record` where the layout has no records. `row` is what a
    record is called in chunks, `detail` the way from a record to its details.
    """

    root: Element
    way: tuple[str, ...]
    group: str
    record: str
    minimum_records: int
    row: str
    detail: tuple[str, ...]
    leaves: tuple[Leaf, ...]

    def attributes_beside(self, level: Level) -> list[tuple[Leaf, Leaf]]:
        """Each value with an attribute that its element must have: the currency of an amount."""
        leaves = self.at(level)
        return [
            (value, attribute)
            for attribute in leaves
            if attribute.wanted_beside
            for value in leaves
            if [way.steps for way in value.paths] == [way.steps for way in attribute.paths]
            and not any(way.attribute for way in value.paths)
        ]

    def at(self, level: Level) -> tuple[Leaf, ...]:
        return tuple(leaf for leaf in self.leaves if leaf.level is level)


class _Open(Struct):
    """An element of the table whose indented lines are being read."""

    element: Element
    path: tuple[str, ...]
    level: Level
    optional: bool
    repeats: bool
    detail: bool = False


def build_plan(layout: Layout) -> Plan:
    """The plan of an XML layout. Raises `LayoutError` with every mistake."""
    return _Builder(layout).build()


class _Builder:
    """Reads the lines of the table once, from top to bottom."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._problems: list[Problem] = []
        self._root: Element | None = None
        self._open: list[_Open] = []
        self._leaves: list[Leaf] = []
        self._ways: dict[Level, tuple[str, ...]] = {}
        self._record_marker: Marker | None = None
        self._detail: tuple[str, ...] = ()

    def build(self) -> Plan:
        if not self._layout.namespaces:
            self._add(None, "an XML layout without namespaces", 'namespaces = ["urn:..."]')
        for line in self._layout.table:
            del self._open[line.depth :]
            if len(self._open) < line.depth:
                self._add(line, "indented under a line that carries a value")
            elif line.kind is None:
                self._open_element(line)
            else:
                self._add_leaf(line)
        way = self._ways.get(Level.GROUP) or self._ways.get(Level.RECORD) or ()
        if self._root is None:
            self._add(None, "a table without a root element")
        self._check_way(way)
        if self._problems or self._root is None:
            raise LayoutError(self._problems)
        record_way = self._ways.get(Level.RECORD, ())
        return Plan(
            root=self._root,
            way=way[:-1] if way else (self._root.name,),
            group=way[-1] if Level.GROUP in self._ways else "",
            record=record_way[-1] if record_way else "",
            minimum_records=self._record_marker.minimum if self._record_marker else 0,
            row=self._record_marker.name if self._record_marker else "",
            detail=self._detail,
            leaves=tuple(self._leaves),
        )

    def _add(self, line: Field | None, message: str, hint: str = "") -> None:
        self._problems.append(
            Problem(
                code="xml-table",
                message=f"{self._layout.source_name}: {message}",
                source=self._layout.source_name,
                line=None if line is None else line.line,
                column=line.title or line.place if line else "",
                hint=hint,
            )
        )

    def _check_way(self, way: tuple[str, ...]) -> None:
        group, record = self._ways.get(Level.GROUP), self._ways.get(Level.RECORD)
        if group and record and record[:-1] != group:
            self._add(None, "[payment] must stand directly under [group]")
        if self._layout.purpose != "acknowledgement" and not record:
            self._add(None, "no line is marked [payment ...] or [statement ...]")
        if way and len(way) < 2:
            self._add(None, "the root element cannot repeat")

    def _alternatives(self, line: Field) -> tuple[Alternative, ...]:
        found = []
        for text in line.place.split("|"):
            match = _ALTERNATIVE.fullmatch(text.strip())
            if match is None or not (match[1] or match[2]):
                self._add(line, f"no path: {text.strip()}", "A/B, A/B/@C, or A/B | A/C")
                return ()
            steps = tuple(match[1].split("/")) if match[1] else ()
            found.append(Alternative(steps, match[2] or "", int(match[3]) if match[3] else None))
        return tuple(found)

    def _open_element(self, line: Field) -> None:
        alternatives = self._alternatives(line)
        if not alternatives:
            return
        if len(alternatives) > 1 or alternatives[0].attribute:
            self._add(line, "a line that opens an element is one path of elements")
            return
        parent = self._open[-1] if self._open else None
        element = self._descend(parent.element if parent else None, alternatives[0].steps, line)
        marker = line.marker
        element.marker = marker
        path = ((*parent.path,) if parent else ()) + alternatives[0].steps
        level, optional, repeats, detail = Level.FILE, False, False, False
        if parent:
            level, optional, repeats, detail = parent.level, parent.optional, parent.repeats, parent.detail
        if marker and marker.name == DETAIL:
            if level is not Level.RECORD or self._detail:
                self._add(line, "one [detail] in a record")
            self._detail = path
            path, optional, repeats, detail = (), True, False, True
        elif marker and marker.name in (GROUP, *RECORDS):
            level = Level.GROUP if marker.name == GROUP else Level.RECORD
            if level in self._ways:
                self._add(line, f"a second [{marker.name}]")
            whole = self._ways.get(Level.GROUP, ()) + path if level is Level.RECORD else path
            self._ways[level] = whole
            self._record_marker = marker if level is Level.RECORD else self._record_marker
            path, optional, repeats = (), False, False
        elif marker:
            optional = optional or marker.minimum == 0
            repeats = repeats or marker.maximum != 1
        self._open.append(_Open(element, path, level, optional, repeats, detail))

    def _descend(self, parent: Element | None, steps: tuple[str, ...], line: Field) -> Element:
        """The element at that path, made where it is not the one opened last."""
        for name in steps:
            if parent is None:
                if self._root is None:
                    self._root = Element(name=name, line=line.line)
                elif self._root.name != name:
                    self._add(line, f"a second root element: {name}")
                parent = self._root
                continue
            last = parent.children[-1] if parent.children else None
            if isinstance(last, Element) and last.name == name and last.marker is None:
                parent = last
                continue
            if any(isinstance(child, Element) and child.name == name for child in parent.children):
                self._add(line, f"{name} is opened a second time", "keep the lines of one element together")
            made = Element(name=name, line=line.line)
            parent.children.append(made)
            parent = made
        assert parent is not None
        return parent

    def _add_leaf(self, line: Field) -> None:
        alternatives = self._alternatives(line)
        if not alternatives or line.kind is None or line.meaning is None:
            return
        if not self._open:
            self._add(line, "a value outside the root element")
            return
        parent = self._open[-1]
        marker = line.marker
        same = [leaf for leaf in self._leaves if leaf.level is parent.level and leaf.name in CODE_NAMES]
        leaf = Leaf(
            level=parent.level,
            paths=tuple(
                Alternative(parent.path + way.steps, way.attribute, way.exact) for way in alternatives
            ),
            local=alternatives,
            line=line.line,
            title=line.title,
            kind=line.kind,
            meaning=line.meaning,
            key=line.key,
            optional=line.optional
            or parent.optional
            or bool(marker and marker.minimum == 0)
            or self._beside_optional(parent, alternatives),
            repeats=parent.repeats or bool(marker and marker.maximum != 1),
            part=len(same),
            wanted_beside=not line.optional and all(way.attribute for way in alternatives),
            detail=parent.detail,
        )
        self._leaves.append(leaf)
        self._check_leaf(line, leaf)
        self._place(line, parent.element, leaf)

    def _beside_optional(self, parent: _Open, alternatives: tuple[Alternative, ...]) -> bool:
        """Whether these are attributes of an element whose own text may be absent."""
        steps = {parent.path + way.steps for way in alternatives if way.attribute}
        return any(
            leaf.optional and leaf.level is parent.level and steps & {way.steps for way in leaf.paths}
            for leaf in self._leaves
        )

    def _check_leaf(self, line: Field, leaf: Leaf) -> None:
        family = leaf.name.partition(".")[0]
        if leaf.level is not Level.RECORD and family in ("payment", "attempt", "fee", "notice", "statement"):
            self._add(line, f"{leaf.name} above the record")
        if leaf.level is Level.FILE and family == "outcome":
            self._add(line, f"{leaf.name} at the level of the file", "bind file.code")
        if leaf.is_total and leaf.level is Level.RECORD:
            self._add(line, "a total inside a record")
        if isinstance(leaf.meaning, Sum) and leaf.meaning.fields:
            self._add(line, "a hash total", "XML files have none")

    def _place(self, line: Field, parent: Element, leaf: Leaf) -> None:
        """Put the value where it is written: on the way of its first alternative, or as a choice."""
        first = leaf.local[0]
        if first.exact is not None:
            parent.children.append(leaf)
            return
        element = self._descend(parent, first.steps, line)
        if first.attribute:
            element.attributes.append(leaf)
        elif element.text is not None or element.children:
            self._add(line, f"{first.steps[-1]} has a second value")
        else:
            element.text = leaf
            element.marker = line.marker

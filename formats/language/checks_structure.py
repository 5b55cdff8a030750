"""Whether a structure can be followed: scopes, rows, and that each line is told from what may stand there."""

from __future__ import annotations

from formats.language.meanings import ROW_FAMILIES, Shape, shape_of
from formats.language.model import (
    ROW_NAMES,
    Binding,
    Blank,
    Constant,
    Layout,
    Node,
    Number,
    Record,
    Syntax,
)
from formats.language.source import LayoutSource
from formats.language.tree import FILE_SCOPE, Place, Tree, rivals

_Selectors = dict[tuple[int, int], frozenset[str]]


def check_structure(source: LayoutSource, layout: Layout, tree: Tree) -> None:
    """Add every mistake to `source.problems`."""
    if not layout.structure:
        source.add("structure-empty", source.line_of("structure"), "a structure without lines")
    tables: dict[str, list[Record]] = {}
    for record in layout.records:
        tables.setdefault(record.name, []).append(record)
    _check_names(source, layout, tables)
    for row in tree.row_nodes:
        _check_row(source, row)
    _check_same_rows(source, layout, tree)
    for node in (node for top in layout.structure for node in top.walk()):
        if node.any_order and not any(node in row.walk() for row in tree.row_nodes):
            _check_any(source, node)
    for name, place in tree.places.items():
        for record in tables.get(name, ()):
            _check_record(source, place, record)
    for nodes in rivals(layout.structure):
        _check_rivals(source, layout, nodes, tables)
    for name, variants in tables.items():
        _check_variants(source, name, variants, layout.syntax)
        _check_repeats(source, variants[0])
    if layout.framing.eol == "none":
        _check_widths(source, layout)


def _check_names(source: LayoutSource, layout: Layout, tables: dict[str, list[Record]]) -> None:
    seen: dict[str, int] = {}
    for node in (node for top in layout.structure for node in top.walk()):
        if not node.name or node.any_order:
            continue
        if node.name in seen and not node.is_row:
            message = f"{node.name} occurs in line {seen[node.name]} too"
            source.add("structure-twice", node.line, message)
        seen.setdefault(node.name, node.line)
        if not node.children and node.name not in tables:
            hint = f"[record.{node.name}]"
            source.add("record-missing", node.line, f"no table for {node.name}", hint=hint)
        if node.children and node.name in tables:
            hint = "call the record in it by a name of its own"
            source.add("structure-scope", node.line, f"{node.name} is a scope and a record", hint=hint)
    for name, records in tables.items():
        if name not in seen:
            source.add("record-unused", records[0].line, f"record {name} is not in the structure")


def _check_same_rows(source: LayoutSource, layout: Layout, tree: Tree) -> None:
    """Rows of one name stand in scopes that are told by a value of theirs, so that each has its own."""
    for name in tree.rows:
        nodes = [node for node in tree.row_nodes if node.name == name]
        for node in nodes if len(nodes) > 1 else ():
            scopes = tree.row_scopes[node.line]
            told = any(
                field.values
                and isinstance(field.meaning, Binding)
                and field.meaning.name.startswith("group.")
                for record in layout.records
                if (place := tree.places.get(record.name)) is not None
                and place.row is None
                and place.scopes == scopes
                for field in record.fields
            )
            if not told or not scopes:
                hint = "tell its scope by a value: !group.x in A B"
                source.add("structure-twice", node.line, f"{name} occurs in two places", hint=hint)


def _check_row(source: LayoutSource, row: Node) -> None:
    """A row begins with one record that is always there, and has records below it, no scopes."""
    if not row.children:
        return
    first = row.children[0]
    if first.children or first.literal is not None or (first.minimum, first.maximum) != (1, 1):
        hint = "the record that every one of them has comes first"
        source.add("structure-row", first.line, f"{row.name} begins with what may be missing", hint=hint)
    for child in row.children[1:]:
        for node in child.walk():
            if node.literal is not None:
                source.add("structure-row", node.line, f"a literal line inside {row.name}")
            if node.children and not (node is child and node.any_order):
                source.add("structure-row", node.line, f"a scope inside {row.name}", hint="records, and any")


def _check_any(source: LayoutSource, node: Node) -> None:
    for child in node.children:
        if child.literal is not None and not child.prefix:
            source.add("structure-any", child.line, "a literal line inside any")


def _check_record(source: LayoutSource, place: Place, record: Record) -> None:
    in_row = place.row is not None
    for field in record.fields:
        meaning = field.meaning
        family = meaning.name.partition(".")[0] if isinstance(meaning, Binding) else ""
        if not in_row and family in ROW_FAMILIES:
            assert isinstance(meaning, Binding), "only a binding has a family"
            message = f"{meaning.name} in a record that is no payment's"
            source.add("meaning-scope", field.line, message)
        if family == "group" and place.scope == FILE_SCOPE:
            assert isinstance(meaning, Binding), "only a binding has a family"
            hint = "profile.x is one for the file"
            source.add("meaning-scope", field.line, f"{meaning.name} outside any scope", hint=hint)
        if isinstance(meaning, Number) and not meaning.of and not in_row and place.scope == FILE_SCOPE:
            source.add("meaning-scope", field.line, "a running number in a record that occurs once")
    if not in_row and place.node.maximum != 1:
        bound = [field for field in record.fields if not isinstance(field.meaning, Constant | Blank)]
        if bound:
            hint = f"only {', '.join(ROW_NAMES)} repeat, and records that are read over"
            source.add("structure-repeat", place.node.line, f"{record.name} repeats", hint=hint)


def _check_rivals(
    source: LayoutSource, layout: Layout, nodes: list[Node], tables: dict[str, list[Record]]
) -> None:
    """Of two that may come next, the first must be told from the second by what selects it."""
    for index, node in enumerate(nodes):
        for later in nodes[index + 1 :]:
            if not node.name or not later.name or node.name == later.name:
                continue
            if not all(
                _tells(one, other, layout.syntax)
                for one in tables.get(node.name, ())
                for other in tables.get(later.name, ())
            ):
                hint = 'give each a selecting constant !"..." at the same place'
                message = f"{later.name} cannot be told from {node.name}"
                _add_once(source, later.line, message, hint)


def _check_variants(source: LayoutSource, name: str, variants: list[Record], syntax: Syntax) -> None:
    for index, record in enumerate(variants):
        for other in variants[index + 1 :]:
            if not _tells(record, other, syntax):
                hint = "bind = parts or = length" if record.repetitions else ""
                message = f"{name}: {other.variant} cannot be told from {record.variant}"
                _add_once(source, record.line, message, hint)


def _check_repeats(source: LayoutSource, record: Record) -> None:
    """A repeat of a number that varies stands behind what tells how many parts it has."""
    for repetition in record.repetitions:
        for field in repetition.fields:
            shape = shape_of(field.meaning.name) if isinstance(field.meaning, Binding) else Shape.TEXT
            if field.key or shape not in (Shape.TEXT, Shape.AMOUNT):
                hint = "texts, codes, amounts and constants"
                source.add("repeat", field.line, f"{field.title} in a repeat that varies", hint=hint)
    if record.repetitions and not any(
        isinstance(field.meaning, Binding) for one in record.repetitions for field in one.fields
    ):
        hint = "bind a text or an amount, by which its number of parts is known"
        source.add("repeat", record.line, f"{record.name}: nothing says how many parts to write", hint=hint)


def _check_widths(source: LayoutSource, layout: Layout) -> None:
    """Without line ends, records of several widths are told by themselves alone, whatever came before."""
    for index, record in enumerate(layout.records):
        for other in layout.records[index + 1 :]:
            if record.bytes_ != other.bytes_ and not _apart(record, other, layout.syntax):
                hint = 'give each a selecting constant !"..." at the same place, or = length'
                message = f"{other.name} of {other.bytes_} bytes cannot be told from {record.name}"
                _add_once(source, other.line, f"{message} of {record.bytes_}, without line ends", hint)


def _apart(first: Record, second: Record, syntax: Syntax) -> bool:
    """Whether no line can be of both."""
    selectors, others = _selectors(first, syntax), _selectors(second, syntax)
    return any(place in others and others[place].isdisjoint(values) for place, values in selectors.items())


def _add_once(source: LayoutSource, line: int, message: str, hint: str = "") -> None:
    if not any(problem.line == line and message in problem.message for problem in source.problems):
        source.add("structure-ambiguous", line, message, hint=hint)


def _tells(first: Record, second: Record, syntax: Syntax) -> bool:
    selectors, others = _selectors(first, syntax), _selectors(second, syntax)
    return any(others.get(place, frozenset()).isdisjoint(values) for place, values in selectors.items())


def _selectors(record: Record, syntax: Syntax) -> _Selectors:
    selectors: _Selectors = {}
    for index, field in enumerate(record.fields):
        if not field.selects:
            continue
        place = (field.width.offset, field.width.bytes_) if field.width else (index, 0)
        own = {field.meaning.text} if isinstance(field.meaning, Constant) else set()
        selectors[place] = frozenset(own | set(field.values))
    return selectors

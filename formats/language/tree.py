"""The structure of a layout as what its parts ask of it: which record stands in which scope and row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from formats.language.model import Node

FILE_SCOPE = ""
"""The name of the outermost scope."""


class Place(Struct, frozen=True):
    """Where a record stands: the scopes around it from the outside, and the row it is part of."""

    node: Node
    scopes: tuple[str, ...]
    row: Node | None

    @property
    def scope(self) -> str:
        """The innermost scope above the rows; `FILE_SCOPE` where there is none."""
        return self.scopes[-1] if self.scopes else FILE_SCOPE


class Tree:
    """Looks into a structure by name. Names that stand twice are told by the checks."""

    def __init__(self, structure: Sequence[Node]) -> None:
        self.structure = structure
        self.places: dict[str, Place] = {}
        """Records by name."""
        self.scopes: dict[str, tuple[str, ...]] = {}
        """Names of scopes that are no rows, each with those around it."""
        self.row_nodes: list[Node] = []
        """Every row; several may have one name, in scopes of different kinds."""
        self.row_scopes: dict[int, tuple[str, ...]] = {}
        """The scopes around each row, by its line."""
        for node in structure:
            self._place(node, (), None)

    def _place(self, node: Node, scopes: tuple[str, ...], row: Node | None) -> None:
        if node.literal is not None:
            return
        if node.is_row and row is None:
            self.row_nodes.append(node)
            self.row_scopes[node.line] = scopes
            row = node
        if not node.children:
            self.places.setdefault(node.name, Place(node, scopes, row))
            return
        if row is None and not node.any_order:
            self.scopes.setdefault(node.name, scopes)
            scopes = (*scopes, node.name)
        for child in node.children:
            self._place(child, scopes, row)

    def records_below(self, name: str) -> list[str]:
        """The records of a scope or row, or the record itself; [] for a name that is none."""
        for node in self._nodes():
            if node.name == name:
                return [part.name for part in node.walk() if not part.children and part.literal is None]
        return []

    def names_in(self, scope: str) -> set[str]:
        """What can be counted in a scope: every record, row and scope below it."""
        if scope == FILE_SCOPE:
            return {node.name for node in self._nodes() if node.name}
        found: set[str] = set()
        for node in self._nodes():
            if node.name == scope:
                found |= {part.name for part in node.walk() if part.name and part is not node}
        return found

    @property
    def rows(self) -> list[str]:
        """Names of the rows."""
        return list(dict.fromkeys(node.name for node in self.row_nodes))

    def row_records(self, row: str) -> list[Node]:
        """The records of all rows of a name."""
        return [part for node in self.row_nodes if node.name == row for part in records_of(node)]

    def _nodes(self) -> Iterator[Node]:
        for node in self.structure:
            yield from node.walk()


def records_of(row: Node) -> list[Node]:
    """The records of one row, the leading one first."""
    return [node for node in row.walk() if not node.children]


def first_leaves(node: Node) -> list[Node]:
    """The records and lines that a node may begin with."""
    if not node.children:
        return [node]
    found: list[Node] = []
    for child in node.children:
        found += first_leaves(child)
        if child.minimum > 0 and not node.any_order:
            break
    return found


def rivals(structure: Sequence[Node]) -> Iterator[list[Node]]:
    """Every set of records and lines of which any one may come next, in the order in which they are tried."""
    seen: set[tuple[int, ...]] = set()
    for found in _after(tuple(structure), (), any_order=False):
        key = tuple(node.line for node in found)
        if len(found) > 1 and key not in seen:
            seen.add(key)
            yield found


def _after(nodes: tuple[Node, ...], outside: tuple[Node, ...], *, any_order: bool) -> Iterator[list[Node]]:
    """What may come after each leaf; `outside` is what may come behind the last of `nodes`."""
    for index, node in enumerate(nodes):
        later = [leaf for other in nodes for leaf in first_leaves(other)] if any_order else []
        again = [] if node.maximum == 1 else first_leaves(node)
        # A fixed number of times says by itself when the next thing comes.
        fixed = node.minimum == node.maximum
        behind = [] if any_order else _first_of(nodes[index + 1 :], outside)
        following = tuple(_unique([*later, *outside] if any_order else [*again, *behind]))
        if node.children and node.is_row:
            # Lines are first held against the records of the row, in their order.
            yield _unique([*records_of(node), *following])
        elif node.children:
            yield from _after(node.children, following, any_order=node.any_order)
        elif fixed and not any_order:
            yield behind
        else:
            yield list(following)


def _first_of(nodes: tuple[Node, ...], outside: tuple[Node, ...]) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        found += first_leaves(node)
        if node.minimum > 0:
            return found
    return [*found, *outside]


def _unique(nodes: list[Node]) -> list[Node]:
    return list({node.line: node for node in nodes}.values())

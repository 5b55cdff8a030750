"""The structure as a state machine: which record or line may come next, and which scopes that ends.

It knows nothing of bytes. `candidates` are the moves that are possible now; whoever reads decides
by the line which of them is made. A scope is open from its first line to the line after its last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from formats.language.model import Node
from formats.language.tree import FILE_SCOPE


class Move(Struct, frozen=True):
    """One way on: `depth` frames stay open, child `index` of the last of them is entered by `path`.

    The last node of `path` is the record or literal line itself.
    """

    depth: int
    index: int
    path: tuple[Node, ...]

    @property
    def node(self) -> Node:
        """The record or line that would be taken."""
        return self.path[-1]


class _Frame:
    """An open scope: where in it we are, and how often that child was seen.

    In a scope of any order every child is counted for itself.
    """

    def __init__(self, node: Node, children: Sequence[Node], any_order: bool) -> None:
        self.node = node
        self.children = children
        self.any_order = any_order
        self.index = 0
        self.seen = [0] * len(children)

    def moves(self) -> Iterator[int]:
        """Children that may come; all of them are tried in this order."""
        maximum = self.node.maximum
        if self.any_order and maximum is not None and sum(self.seen) >= maximum:
            return
        first = 0 if self.any_order else self.index
        for index in range(first, len(self.children)):
            child = self.children[index]
            most = _most(child)
            if most is None or self.seen[index] < most:
                yield index
            if not self.any_order and self.seen[index] < _least(child):
                return

    def lacks(self) -> Node | None:
        """A child that must still come before the scope may end."""
        if self.any_order and sum(self.seen) < self.node.minimum:
            return self.children[0]
        first = 0 if self.any_order else self.index
        for index in range(first, len(self.children)):
            if self.seen[index] < _least(self.children[index]):
                return self.children[index]
        return None

    def enter(self, index: int) -> None:
        self.index = index
        self.seen[index] += 1


class Walker:
    """One walk through a structure."""

    def __init__(self, structure: Sequence[Node]) -> None:
        self._frames = [_Frame(Node(line=0, name=FILE_SCOPE), structure, any_order=False)]

    def candidates(self) -> list[Move]:
        """Every move that the structure permits, in the order in which they are tried."""
        moves: list[Move] = []
        for depth in range(len(self._frames), 0, -1):
            frame = self._frames[depth - 1]
            for index in frame.moves():
                moves += [Move(depth, index, path) for path in _entries(frame.children[index])]
            if frame.lacks() is not None:
                break
        return moves

    def make(self, move: Move) -> tuple[list[str], list[str]]:
        """Make a move: names of the scopes that it ends (innermost first) and begins (outermost first)."""
        ended = self._leave(move.depth)
        began = []
        frame = self._frames[-1]
        frame.enter(move.index)
        for node, following in zip(move.path, move.path[1:], strict=False):
            frame = _Frame(node, node.children, node.any_order)
            self._frames.append(frame)
            if _is_scope(node):
                began.append(node.name)
            frame.enter(next(index for index, child in enumerate(node.children) if child is following))
        return ended, began

    def repeat(self, times: int) -> None:
        """The record or row that was taken last came so many times more."""
        frame = self._frames[-1]
        frame.seen[frame.index] += times

    def room(self) -> int | None:
        """How often more what was taken last may come; None for no limit."""
        frame = self._frames[-1]
        maximum = _most(frame.children[frame.index])
        return None if maximum is None else maximum - frame.seen[frame.index]

    def finish(self) -> Node | list[str]:
        """What is missing at the end, or the names of the scopes that the end ends."""
        for frame in reversed(self._frames):
            missing = frame.lacks()
            if missing is not None:
                return missing
        return self._leave(1)

    def _leave(self, depth: int) -> list[str]:
        ended = [frame.node.name for frame in reversed(self._frames[depth:]) if _is_scope(frame.node)]
        del self._frames[depth:]
        return ended


def _least(node: Node) -> int:
    """How often a child must come. The occurrence of `any` is of what stands in it, it comes once."""
    return min(node.minimum, 1) if node.any_order else node.minimum


def _most(node: Node) -> int | None:
    return 1 if node.any_order else node.maximum


def _is_scope(node: Node) -> bool:
    return not node.any_order


def _entries(node: Node) -> list[tuple[Node, ...]]:
    """Every way from a node to a record or line that it may begin with; a row is one thing."""
    if not node.children or node.is_row:
        return [(node,)]
    ways: list[tuple[Node, ...]] = []
    for child in node.children:
        ways += [(node, *way) for way in _entries(child)]
        if child.minimum > 0 and not node.any_order:
            break
    return ways

"""Which record may follow which: a structure seen without counting, for readers that never stop.

A decoder counts and refuses (`flat/walker.py`). A tool that annotates a damaged file must go on instead:
from whatever record it met last it asks what may come next, so that after a record out of order it is
back in step with the very next line. How often something came is left to the decoder.
"""

from __future__ import annotations

from collections.abc import Sequence

from formats.language.model import Node


class Follow:
    """The records and literal lines of a structure, and what may come after each."""

    def __init__(self, structure: Sequence[Node]) -> None:
        self.leaves: list[Node] = []
        self._after: dict[int, list[Node]] = {}
        whole = Node(line=0, children=tuple(structure))
        self._first, last = self._visit(whole)
        self._last = {node.line for node in last}

    def after(self, leaf: Node | None) -> list[Node]:
        """What may come after a leaf, in the order of the structure; at the beginning after None."""
        return self._first if leaf is None else self._after[leaf.line]

    def may_end(self, leaf: Node) -> bool:
        """Whether the file may end behind a leaf."""
        return leaf.line in self._last

    def _visit(self, node: Node) -> tuple[list[Node], list[Node]]:
        """The leaves with which a node may begin, and those with which it may end."""
        if not node.children:
            self.leaves.append(node)
            self._after[node.line] = []
            first, last = [node], [node]
        else:
            parts = [self._visit(child) for child in node.children]
            if node.any_order:
                first = [leaf for begin, _ in parts for leaf in begin]
                last = [leaf for _, end in parts for leaf in end]
                self._join(last, first)
            else:
                first, last = self._sequence(node, parts)
        if node.maximum != 1:
            self._join(last, first)
        return first, last

    def _sequence(
        self, node: Node, parts: Sequence[tuple[list[Node], list[Node]]]
    ) -> tuple[list[Node], list[Node]]:
        optional = [_may_be_absent(child) for child in node.children]
        for index, (_, end) in enumerate(parts[:-1]):
            for later in range(index + 1, len(parts)):
                self._join(end, parts[later][0])
                if not optional[later]:
                    break
        first: list[Node] = []
        for (begin, _), absent in zip(parts, optional, strict=True):
            first += begin
            if not absent:
                break
        last: list[Node] = []
        for (_, end), absent in zip(reversed(parts), reversed(optional), strict=True):
            last += end
            if not absent:
                break
        return first, last

    def _join(self, before: Sequence[Node], after: Sequence[Node]) -> None:
        for leaf in before:
            known = {node.line for node in self._after[leaf.line]}
            self._after[leaf.line] += [node for node in after if node.line not in known]


def _may_be_absent(node: Node) -> bool:
    return node.minimum == 0 or bool(node.children and all(map(_may_be_absent, node.children)))


def node_words(node: Node) -> str:
    """What messages call a leaf."""
    return f'line "{node.literal}"' if node.literal is not None else f"record {node.name}"

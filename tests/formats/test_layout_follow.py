"""What may follow what: all that the counting walker permits, and nothing that no count could permit."""

from __future__ import annotations

from random import Random

import pytest

from formats.flat.walker import Walker
from formats.language.follow import Follow, node_words
from formats.language.model import Layout, Node
from formats.language.source import LayoutSource
from formats.language.structure import read_structure
from formats.language.tree import records_of
from formats.tools.files import all_layouts

STRUCTURED = [layout for layout in all_layouts() if layout.structure]


def structure(text: str) -> tuple[Node, ...]:
    source = LayoutSource(f"structure = '''\n{text}'''\n", "test")
    nodes = read_structure(source, text)
    assert source.problems == []
    return nodes


def leaves(node: Node) -> list[Node]:
    """The records that one row, or one record, stands for: its first, then each other once."""
    return records_of(node) if node.is_row and node.children else [node]


@pytest.mark.parametrize("layout", STRUCTURED, ids=lambda layout: layout.name)
def test_every_walk_through_a_shipped_structure_is_permitted(layout: Layout) -> None:
    follow = Follow(layout.structure)
    for seed in range(60):
        random, walker, last = Random(seed), Walker(layout.structure), None
        for _ in range(random.randrange(2, 40)):
            moves = walker.candidates()
            if not moves:
                break
            move = random.choice(moves)
            walker.make(move)
            lead = leaves(move.node)[0]
            assert lead in follow.after(last), (node_words(lead), last)
            last = lead
        if last is not None and not isinstance(walker.finish(), Node):
            assert follow.may_end(last)


NESTED = """head
lot 1..*
    lot_head
    payment 0..*
        entry
        any 0..*
            address
            refusal 0..1
    lot_end 0..1
line "*"
"""


def names(nodes: list[Node]) -> list[str]:
    return [node.name or "*" for node in nodes]


def test_what_may_come_after_each_record() -> None:
    follow = Follow(structure(NESTED))
    by_name = {node.name or "*": node for node in follow.leaves}
    assert names(follow.after(None)) == ["head"]
    assert names(follow.after(by_name["head"])) == ["lot_head"]
    assert sorted(names(follow.after(by_name["lot_head"]))) == ["*", "entry", "lot_end", "lot_head"]
    after_entry = ["*", "address", "entry", "lot_end", "lot_head", "refusal"]
    assert sorted(names(follow.after(by_name["entry"]))) == after_entry
    assert sorted(names(follow.after(by_name["refusal"]))) == after_entry
    assert sorted(names(follow.after(by_name["lot_end"]))) == ["*", "lot_head"]
    assert names(follow.after(by_name["*"])) == []
    assert [name for name, node in by_name.items() if follow.may_end(node)] == ["*"]

"""Annotating any bytes, by each layout that ships, by none, and by the one that they are recognised by."""

from __future__ import annotations

import io

from formats.dump.annotate import dump
from formats.dump.model import Passage
from formats.dump.recognition import recognise
from formats.language.model import Layout
from formats.tools.files import all_layouts
from tests.formats.samples import ACCOUNT_ONE, ACCOUNT_TWO
from tests.fuzz.pieces import Pieces
from tests.fuzz.target import MIB, Target
from tests.fuzz.targets.bank_files import REGISTRY, files_of

LAYOUTS: list[Layout | None] = [*all_layouts(), None]
PERSONAL = (ACCOUNT_ONE, ACCOUNT_TWO, "阿依古丽·买买提", "東䶮")
"""What stands in the seeds and in no annotation of them, whatever is changed."""


def examine(content: bytes) -> None:
    """Passages of any bytes: in order, inside the file, and without a full name or account."""
    pieces = Pieces(content)
    layout, raw = pieces.choose(LAYOUTS), pieces.rest()
    check_passages(raw, list(dump(io.BytesIO(raw), layout)))
    for guess in recognise(raw, [layout] if layout is not None else []):
        assert 0 <= guess.per_mille <= 1000


def check_passages(raw: bytes, passages: list[Passage]) -> None:
    """What holds for the annotation of any bytes."""
    assert passages
    place = 0
    for passage in passages:
        assert place <= passage.start <= passage.end <= len(raw)
        place = passage.start
        first = passage.start
        for piece in passage.pieces:
            assert first <= piece.start <= piece.end <= len(raw)
            first = piece.start
    told = "\n".join(
        f"{passage.name} {passage.doubts} {piece.title} {piece.shown} {piece.doubts}"
        for passage in passages
        for piece in passage.pieces
    )
    assert [word for word in PERSONAL if word in told] == []


def seeds() -> list[bytes]:
    """Well-formed files of every layout, each for its own layout and for none."""
    made = []
    for number, layout in enumerate(LAYOUTS):
        files = [] if layout is None else files_of(REGISTRY.get(layout.name))
        made += [bytes([number]) + content for content in files]
        made += [bytes([len(LAYOUTS) - 1]) + content for content in files[:1]]
    return made


TARGETS = [Target(name="dumps", examine=examine, seeds=seeds, memory_bytes=96 * MIB, changes=400)]

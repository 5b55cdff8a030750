"""Which of several layouts a file is in, told by its first bytes.

An XML file is told by its namespace. Of any other, the beginning is annotated by every layout: the one that
explains the most bytes without a doubt is named, if it explains at least half. That is a guess for who
looks at a file, never for who settles one: a gateway reads an answer by the layout of the bank's profile.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

from msgspec import Struct

from formats.codec import Purpose
from formats.dump.annotate import dump, looks_like_xml
from formats.dump.model import BESIDE
from formats.language.model import Layout, Syntax

FRAME_OPENING = b"{H:"
"""A header block begins so, in every paper that has one."""

LOOK_BYTES = 1 << 14
LEAST_PER_MILLE = 500

_ROOT = re.compile(rb"<[A-Za-z_][^<>]*>")
_LOCAL = re.compile(rb"<(?:[^\s/<>:]+:)?([^\s/<>:]*)")
_NAMESPACE = re.compile(rb"""\sxmlns\s*=\s*["']([^"']*)["']""")
_ORDER = (Purpose.REQUEST, Purpose.RESULT, Purpose.STATEMENT, Purpose.ACKNOWLEDGEMENT)
"""Of layouts that explain a file alike, the plainer purpose comes first."""


class Guess(Struct, frozen=True):
    """A layout that a file may be in, and how much of its beginning that explains, of a thousand bytes."""

    layout: Layout
    per_mille: int


def recognise(head: bytes, layouts: Iterable[Layout]) -> list[Guess]:
    """The layouts that a file may be in, the likeliest first; [] where none is."""
    head = head[:LOOK_BYTES]
    body, has_frame = _behind_frame(head)
    by_namespace = looks_like_xml(body)
    guesses = []
    for layout in layouts:
        if (layout.syntax is Syntax.XML) != by_namespace or (layout.frame is not None) != has_frame:
            continue
        if by_namespace and not _is_root(body, layout):
            continue
        per_mille = _explained(head, layout)
        if per_mille >= LEAST_PER_MILLE or by_namespace:
            guesses.append(Guess(layout, per_mille))
    namespace = namespace_of(body)

    def order(guess: Guess) -> tuple[int, int, int, str]:
        place = guess.layout.namespaces.index(namespace) if by_namespace else 0
        return (-guess.per_mille, place, _ORDER.index(guess.layout.purpose), guess.layout.name)

    return sorted(guesses, key=order)


def _is_root(body: bytes, layout: Layout) -> bool:
    """Whether the root element is the layout's, in one of its namespaces."""
    root = _ROOT.search(body)
    name = layout.table[0].place.partition("/")[0].encode()
    return root is not None and _local_name(root[0]) == name and namespace_of(body) in layout.namespaces


def _local_name(tag: bytes) -> bytes:
    match = _LOCAL.match(tag)
    return b"" if match is None else match[1]


def namespace_of(head: bytes) -> str:
    """The default namespace of the root element; "" where there is none."""
    root = _ROOT.search(head)
    found = None if root is None else _NAMESPACE.search(root[0])
    return "" if found is None else found[1].decode("utf-8", "replace")


def _explained(head: bytes, layout: Layout) -> int:
    """Bytes of fields without a doubt, of a thousand; of a line that is doubtful itself the half.

    Line ends, comments and fill lines explain nothing. The last line may be cut.
    """
    good = seen = 0
    last = head.rfind(b"\n") + 1 if layout.syntax is not Syntax.XML and len(head) >= LOOK_BYTES else 0
    for passage in dump(io.BytesIO(head[: last or len(head)]), layout):
        if passage.name in BESIDE:
            continue
        # What the layout ignores speaks neither for it nor against it.
        told = [piece for piece in passage.pieces if not (piece.is_gap and piece.meaning)]
        clear = sum(piece.end - piece.start for piece in told if not (piece.doubts or piece.is_gap))
        seen += 2 * sum(piece.end - piece.start for piece in told)
        good += clear * (0 if passage.is_guess else 1 if passage.doubts else 2)
    return 1000 * good // seen if seen else 0


def _behind_frame(head: bytes) -> tuple[bytes, bool]:
    """The body behind a header block, where there is one."""
    if not head.startswith(FRAME_OPENING):
        return head, False
    found = _ROOT.search(head)
    return (head[found.start() :] if found else head), True

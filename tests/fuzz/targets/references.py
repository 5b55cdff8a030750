"""References that come back from a bank: ours, or anybody's."""

from __future__ import annotations

from formats.names import normalize_names
from formats.reference import items_of_sequence, make_references, parse_reference
from tests.fuzz.pieces import Pieces
from tests.fuzz.target import Target


def references(content: bytes) -> None:
    """The bulk reading is the reading one by one; what is ours comes back as it was made."""
    pieces = Pieces(content)
    sequence = pieces.number(5)
    found = pieces.rest().decode("utf-8", "replace").split("\n")
    parsed = [parse_reference(reference) for reference in found]
    one_by_one = [None if pair is None or pair[0] != sequence else pair[1] for pair in parsed]
    assert items_of_sequence(found, sequence) == one_by_one
    for reference, pair in zip(found, parsed, strict=True):
        if pair is not None:
            assert make_references(pair[0], [pair[1]], len(reference)) == [reference]


def names(content: bytes) -> None:
    """Names as banks echo them: normalizing twice is normalizing once."""
    found = content.decode("gb18030", "replace").split("\n")
    once = normalize_names(found)
    assert normalize_names(once) == once


def _reference_seeds() -> list[bytes]:
    ours = "\n".join(make_references(7, range(1, 4), 20))
    return [
        b"\0\0\0\0\7" + ours.encode(),
        b"\0\0\0\0\7" + f"{ours}\n７\n-1\n".encode(),
        b"\0\0\0\0\7" + "\n".join(make_references(7, range(1, 3), 12)).encode(),
    ]


def _name_seeds() -> list[bytes]:
    lines = "阿依古丽·买买提\n阿依古丽・买买提\n東䶮\nＡＢ　Ｃ\n张  三"
    return [lines.encode("gb18030"), b"\xa8\xbc\xfe\x59\x95\x32\x90\x31\n\xa6\xd9"]


TARGETS = [
    Target(name="references", examine=references, seeds=_reference_seeds, input_limit_bytes=4096),
    Target(name="echoed-names", examine=names, seeds=_name_seeds, input_limit_bytes=4096),
]

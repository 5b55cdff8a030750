"""Files read by the quick readers and by the plain ones, which must say the same of any bytes."""

from __future__ import annotations

from formats.codec import Codec, Purpose
from formats.language.model import Syntax
from tests.formats.both_ways import rows_agree, xml_agrees
from tests.fuzz.pieces import Pieces
from tests.fuzz.target import MIB, Target
from tests.fuzz.targets.bank_files import REGISTRY, files_of, names_of

MANY_FAULTS = 99
"""Of a file with several the two may name different ones."""

_DATA = (Purpose.RESULT, Purpose.REQUEST)
_XML = [REGISTRY.get(name) for name in names_of(Syntax.XML, *_DATA)]
_FIXED = [REGISTRY.get(name) for name in names_of(Syntax.FIXED, *_DATA)]
_MOST_BYTES = (1 << 18, 512, 61)
"""What a stream gives at once: a run may end anywhere."""


def examine_xml(content: bytes) -> None:
    """With one record enough for a run."""
    pieces = Pieces(content)
    codec, most = pieces.choose(_XML), pieces.choose(_MOST_BYTES)
    xml_agrees(codec, pieces.rest(), most, faults=MANY_FAULTS)


def examine_fixed(content: bytes) -> None:
    """In blocks and line by line."""
    pieces = Pieces(content)
    rows_agree(pieces.choose(_FIXED), pieces.rest(), faults=MANY_FAULTS)


def _seeds(codecs: list[Codec], *choices: int) -> list[bytes]:
    return [
        bytes([number, *choices]) + content
        for number, codec in enumerate(codecs)
        for content in files_of(codec)
    ]


TARGETS = [
    Target(
        name="xml-both-ways",
        examine=examine_xml,
        seeds=lambda: [seed for place in range(len(_MOST_BYTES)) for seed in _seeds(_XML, place)],
        memory_bytes=96 * MIB,
        changes=500,
    ),
    Target(
        name="fixed-both-ways",
        examine=examine_fixed,
        seeds=lambda: _seeds(_FIXED),
        memory_bytes=96 * MIB,
        changes=500,
    ),
]

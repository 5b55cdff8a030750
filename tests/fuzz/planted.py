"""Targets with a mistake in them on purpose: whoever cannot find these finds nothing."""

from __future__ import annotations

from tests.fuzz.target import MIB, Target

_TELLING = frozenset(range(128, 256))
"""First bytes of inputs that the mistakes are about; the seed's is none of them."""


def _meant(content: bytes) -> bool:
    return bool(content) and content[0] in _TELLING


def raising(content: bytes) -> None:
    if _meant(content):
        raise KeyError("not a documented error")


def hanging(content: bytes) -> None:
    while _meant(content):
        pass


def hoarding(content: bytes) -> int:
    return len(bytearray(b"x") * (64 * MIB)) if _meant(content) else 0


def _seeds() -> list[bytes]:
    return [b"\0 a seed"]


PLANTED = [
    Target(
        name=f"planted-{examine.__name__}", examine=examine, seeds=_seeds, seconds=0.5, memory_bytes=8 * MIB
    )
    for examine in (raising, hanging, hoarding)
]

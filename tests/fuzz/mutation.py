"""Changes of bytes that a seed reproduces: for the tests that have no guide to new paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

TELLING = (
    *(b"\0", b"\xff", b"\x80", b"\r", b"\n", b"\t", b" ", b"|", b'"', b",", b"'''", b"[", b"{", b"<", b"&"),
    *(b"-1", b"0", b"1e999", b"9" * 30, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xe2\x80\xae"),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x81\x30", b"\x96\x7c", "\u3000".encode(), b"%n", b"../"),
)
"""What readers of bytes have stumbled over elsewhere."""


def mutated(seeds: Sequence[bytes], random: Random, limit_bytes: int) -> Iterator[bytes]:
    """Endless changed seeds, each at most `limit_bytes`; the same `random` gives the same."""
    while True:
        content = bytearray(random.choice(seeds))
        for _ in range(random.choice((1, 1, 2, 3, 8))):
            _change(content, seeds, random)
        yield bytes(content[:limit_bytes])


def _change(content: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    place = random.randint(0, len(content))
    length = random.choice((1, 1, 2, 4, 16, 100))
    match random.randrange(8):
        case 0 if content:
            content[min(place, len(content) - 1)] ^= 1 << random.randrange(8)
        case 1:
            content[place : place + length] = random.randbytes(length)
        case 2:
            content[place:place] = random.choice(TELLING) * random.choice((1, 1, 2, 200, 2000))
        case 3:
            del content[place : place + length]
        case 4:
            content[place:place] = content[place : place + length * 8]
        case 5:
            del content[place:]
        case 6:
            content[place : place + length] = random.choice(TELLING)
        case _:
            other = random.choice(seeds)
            start = random.randint(0, len(other))
            content[place:] = other[start:]

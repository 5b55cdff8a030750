"""Running digests by name: those of `hashlib`, and SM3 (GB/T 32905)."""

from __future__ import annotations

import hashlib
from typing import Protocol

from cryptography.hazmat.primitives import hashes

DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64, "sm3": 32}


class Hasher(Protocol):
    """A running digest, as in `hashlib`."""

    def update(self, block: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Sm3:
    """SM3 of the cryptography package: not every `hashlib` has it."""

    def __init__(self) -> None:
        self._running = hashes.Hash(hashes.SM3())

    def update(self, block: bytes, /) -> None:
        self._running.update(block)

    def digest(self) -> bytes:
        return self._running.copy().finalize()


def new_digest(name: str) -> Hasher:
    """A running digest by the name that is in the tables of `keys.algorithms`."""
    return _Sm3() if name == "sm3" else hashlib.new(name)


def digest_of(name: str, *blocks: bytes) -> bytes:
    """Digest of the blocks, one after the other."""
    running = new_digest(name)
    for block in blocks:
        running.update(block)
    return running.digest()

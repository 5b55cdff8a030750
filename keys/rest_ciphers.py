"""Ciphers of files at rest: AES-256-GCM, and SM4-GCM for sites that must use the SM algorithms.

A suite is everything that a master key needs: the cipher of file keys and texts, how keys are
derived from the master's secret, and the digest of what is bound into each piece. A master
key belongs to one suite for ever, as its key file says; a file's pieces are under the suite
that its header names, whichever master wraps its file key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hmac import HMAC
from msgspec import Struct

from keys.digests import digest_of

_TAG_BYTES = 16


class Aead(Protocol):
    """Seals with a tag of 16 bytes. `decrypt` raises `InvalidTag`."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class Suite(Struct, frozen=True):
    """One way to seal at rest."""

    name: str
    number: int
    """In the header of a file."""
    key_file_word: str
    """First word of a master's key file."""
    key_bytes: int
    """Of the 32 bytes that a file key or a derived key has, this many are used."""
    aead: Callable[[bytes], Aead]
    derive: Callable[[bytes, bytes, bytes], bytes]
    """(secret, purpose, salt of 0 or 16 bytes) -> 32 bytes."""
    digest: Callable[..., bytes]
    """Of blocks, one after the other; 32 bytes."""

    def cipher(self, key: bytes) -> Aead:
        return self.aead(key[: self.key_bytes])


class _Sm4Gcm:
    """SM4 in GCM (RFC 8998), with the two calls of `AESGCM`."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        encryptor = Cipher(self._algorithm, GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data or b"")
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        if len(data) < _TAG_BYTES:
            raise InvalidTag
        decryptor = Cipher(self._algorithm, GCM(nonce)).decryptor()
        decryptor.authenticate_additional_data(associated_data or b"")
        clear = decryptor.update(memoryview(data)[:-_TAG_BYTES])
        return clear + decryptor.finalize_with_tag(bytes(data[-_TAG_BYTES:]))


def _blake2b_key(secret: bytes, purpose: bytes, salt: bytes) -> bytes:
    return hashlib.blake2b(key=secret, person=purpose, salt=salt, digest_size=32).digest()


def _blake2b_digest(*blocks: bytes) -> bytes:
    return hashlib.blake2b(b"".join(blocks), digest_size=32).digest()


def _sm3_key(secret: bytes, purpose: bytes, salt: bytes) -> bytes:
    """HMAC with SM3; the length of the purpose keeps it apart from the salt."""
    running = HMAC(secret, hashes.SM3())
    running.update(bytes([len(purpose)]) + purpose + salt)
    return running.finalize()


def _sm3_digest(*blocks: bytes) -> bytes:
    return digest_of("sm3", *blocks)


AES_256_GCM = Suite("aes-256-gcm", 1, "bankgate-key-1", 32, AESGCM, _blake2b_key, _blake2b_digest)
SM4_GCM = Suite("sm4-gcm", 2, "bankgate-sm4-key-1", 16, _Sm4Gcm, _sm3_key, _sm3_digest)
SUITES = {suite.name: suite for suite in (AES_256_GCM, SM4_GCM)}
SUITE_NUMBERS = {suite.number: suite for suite in SUITES.values()}
SUITE_WORDS = {suite.key_file_word: suite for suite in SUITES.values()}

"""Ciphers of contents: AES-256 and SM4, each in CBC and in GCM, in blocks of any size.

CBC is padded as RFC 5652, section 6.3 has it, and proves nothing about who changed what:
something signed must be inside or around. Everything that does not open is one error.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES256, SM4
from msgspec import Struct

from keys.errors import DecryptionFailed

BLOCK_BYTES: Final = 16
TAG_BYTES: Final = 16
_GCM_NONCE_BYTES = 12


class ContentCipher(Struct, frozen=True):
    """A cipher with its mode."""

    name: str
    oid: str
    algorithm: type[AES256] | type[SM4]
    authenticated: bool

    @property
    def key_bytes(self) -> int:
        return 32 if self.algorithm is AES256 else 16

    @property
    def nonce_bytes(self) -> int:
        return _GCM_NONCE_BYTES if self.authenticated else BLOCK_BYTES

    def sealed_bytes(self, clear_bytes: int) -> int:
        """Length of the ciphertext, without the tag."""
        return clear_bytes if self.authenticated else clear_bytes + BLOCK_BYTES - clear_bytes % BLOCK_BYTES


CONTENT_CIPHERS = {
    cipher.name: cipher
    for cipher in (
        ContentCipher("aes-256-cbc", "2.16.840.1.101.3.4.1.42", AES256, False),
        ContentCipher("aes-256-gcm", "2.16.840.1.101.3.4.1.46", AES256, True),
        ContentCipher("sm4-cbc", "1.2.156.10197.1.104.2", SM4, False),
        ContentCipher("sm4-gcm", "1.2.156.10197.1.104.8", SM4, True),
    )
}
CIPHER_OIDS = {cipher.oid: cipher for cipher in CONTENT_CIPHERS.values()}
CIPHER_OIDS["1.2.156.10197.1.104"] = CONTENT_CIPHERS["sm4-cbc"]
"""Some write the name of the block cipher alone, and mean CBC."""


class ContentEncryptor:
    """Encrypts one content under a new random key."""

    def __init__(self, cipher: ContentCipher) -> None:
        self.key = secrets.token_bytes(cipher.key_bytes)
        self.nonce = secrets.token_bytes(cipher.nonce_bytes)
        self.tag = b""
        """Set by `finish`, where the mode has one."""
        self._cipher = cipher
        mode = modes.GCM(self.nonce) if cipher.authenticated else modes.CBC(self.nonce)
        self._encryptor = Cipher(cipher.algorithm(self.key), mode).encryptor()
        self._buffer = bytearray()
        self._clear_bytes = 0

    def update(self, block: bytes) -> bytes:
        """Ciphertext, as far as it is there."""
        length = len(block)
        self._clear_bytes += length
        if len(self._buffer) < length + BLOCK_BYTES:
            self._buffer = bytearray(length + BLOCK_BYTES)
        # Half again as fast as `update`, which allocates and zeroes for each block.
        return bytes(memoryview(self._buffer)[: self._encryptor.update_into(block, self._buffer)])

    def finish(self) -> bytes:
        """The rest of the ciphertext."""
        if self._cipher.authenticated:
            rest = self._encryptor.finalize()
            self.tag = self._encryptor.tag  # type: ignore[attr-defined]
            return rest
        padding = BLOCK_BYTES - self._clear_bytes % BLOCK_BYTES
        return self._encryptor.update(bytes([padding]) * padding) + self._encryptor.finalize()


class ContentDecryptor:
    """Decrypts one content; what it gives out is worth nothing before `finish` has returned."""

    def __init__(self, cipher: ContentCipher, key: bytes, nonce: bytes, associated: bytes = b"") -> None:
        self._cipher = cipher
        mode = modes.GCM(nonce) if cipher.authenticated else modes.CBC(nonce)
        self._decryptor = Cipher(cipher.algorithm(key), mode).decryptor()
        if associated:
            self._decryptor.authenticate_additional_data(associated)  # type: ignore[attr-defined]
        self._held = b""
        """The last block of CBC, which may be padding."""

    def update(self, block: bytes) -> bytes:
        clear = self._decryptor.update(block)
        if self._cipher.authenticated:
            return clear
        if not clear:
            return b""
        held, self._held = self._held, clear[-BLOCK_BYTES:]
        return held + clear[:-BLOCK_BYTES]

    def finish(self, tag: bytes = b"") -> bytes:
        """The rest of the content; raises `DecryptionFailed`."""
        try:
            if self._cipher.authenticated:
                return self._decryptor.finalize_with_tag(tag)  # type: ignore[attr-defined,no-any-return]
            self._decryptor.finalize()
        except (InvalidTag, ValueError):
            raise DecryptionFailed from None
        count = self._held[-1] if self._held else 0
        if not 0 < count <= BLOCK_BYTES or self._held[-count:] != bytes([count]) * count:
            raise DecryptionFailed
        return self._held[:-count]

"""The header of a sealed file, and the cipher of its pieces.

Layout of the header, 140 bytes, numbers big-endian:

    0    8  magic `BANKGATE`
    8    1  version 1
    9    1  kind: `S` stream, `F` frames
    10   1  cipher of the pieces: 1 AES-256-GCM, 2 SM4-GCM
    11   1  length of the key id
    12   4  bytes of clear text in a chunk (kind S)
    16  16  random id of the file
    32  48  key id of the master, padded with zeros
    80  12  nonce of the wrapping
    92  48  file key, wrapped; bound to bytes 0 to 79

Each piece is sealed with the file key, which no other file has, so a nonce is a counter.
Bound into each piece are the digest of the stable part (all but the key id and the wrapping,
so that a new master re-wraps the header alone), the context that the caller names, the
piece's role, and its number. A piece moved, dropped, repeated or taken from elsewhere fails.
"""

from __future__ import annotations

import secrets
from enum import Enum, IntEnum
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from msgspec import Struct

from keys.errors import SealedFileDamaged
from keys.master import KEY_ID_LIMIT_BYTES, MasterKey, Masters
from keys.rest_ciphers import SUITE_NUMBERS, Suite

HEADER_BYTES: Final = 140
TAG_BYTES: Final = 16
_MAGIC = b"BANKGATE"
_VERSION = 1
_CIPHER = 10
_FILE_KEY_BYTES = 32
_STABLE_PREFIX = slice(0, 11)
_STABLE_REST = slice(12, 32)
_BOUND = slice(0, 80)
_NONCE = slice(80, 92)
_WRAPPED = slice(92, 140)


class Source(Protocol):
    """Where sealed bytes are read from; a file opened for reading, never closed here."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...


class Sink(Protocol):
    """Where sealed bytes go; a file opened for writing, never synced or closed here."""

    def write(self, block: bytes, /) -> object: ...


class Kind(Enum):
    STREAM = b"S"
    FRAMES = b"F"


class Role(IntEnum):
    """What a piece is; bound into it."""

    CHUNK = 0
    LAST_CHUNK = 1
    FRAME = 2
    INDEX = 3


class PieceCipher:
    """Seals and opens the numbered pieces of one file."""

    def __init__(self, suite: Suite, file_key: bytes, stable: bytes, context: bytes) -> None:
        self._cipher = suite.cipher(file_key)
        self._bound = suite.digest(stable, len(context).to_bytes(4, "big"), context)

    def seal(self, role: Role, number: int, clear: bytes | bytearray | memoryview) -> bytes:
        """The piece, `TAG_BYTES` longer."""
        # The ciphers take any buffer; their types know only bytes.
        block: Any = clear
        return self._cipher.encrypt(number.to_bytes(12, "big"), block, self._associate(role, number))

    def open(self, role: Role, number: int, piece: bytes) -> bytes:
        """The clear bytes; raises `SealedFileDamaged`."""
        try:
            return self._cipher.decrypt(number.to_bytes(12, "big"), piece, self._associate(role, number))
        except InvalidTag:
            raise SealedFileDamaged(
                f"piece {number} of the sealed file was changed, cut or moved, or belongs elsewhere",
                "restore the file from a copy; never go on with this one",
            ) from None

    def _associate(self, role: Role, number: int) -> bytes:
        return self._bound + bytes([role]) + number.to_bytes(8, "big")


class Opened(Struct, frozen=True):
    """What a reader takes from a header."""

    cipher: PieceCipher
    chunk_bytes: int


def make_header(kind: Kind, master: MasterKey, context: bytes, chunk_bytes: int) -> tuple[bytes, PieceCipher]:
    """A header with a new random file key, and the cipher for the pieces."""
    file_key = secrets.token_bytes(_FILE_KEY_BYTES)
    rest = chunk_bytes.to_bytes(4, "big") + secrets.token_bytes(16)
    prefix = _MAGIC + bytes([_VERSION]) + kind.value + bytes([master.suite.number])
    header = _wrap(prefix, rest, master, file_key)
    return header, PieceCipher(master.suite, file_key, prefix + rest, context)


def open_header(header: bytes, kind: Kind, masters: Masters, context: bytes) -> Opened:
    """Raises `SealedFileDamaged`, or `KeyUnavailable` for a master that the ring does not have."""
    if header[9:10] != kind.value:
        raise SealedFileDamaged("the file is sealed in another way than wanted, or its header was changed")
    file_key = _unwrap(header, masters)
    stable = header[_STABLE_PREFIX] + header[_STABLE_REST]
    cipher = PieceCipher(SUITE_NUMBERS[header[_CIPHER]], file_key, stable, context)
    return Opened(cipher, int.from_bytes(header[12:16], "big"))


def rewrap_header(header: bytes, masters: Masters) -> bytes:
    """The same header under the current master; the rest of the file stays as it is.

    Writing the 140 bytes in place (they lie in one sector) and syncing is the caller's work.
    Raises like `open_header`.
    """
    file_key = _unwrap(header, masters)
    return _wrap(header[_STABLE_PREFIX], header[_STABLE_REST], masters.current, file_key)


def master_of(header: bytes) -> str:
    """Key id of the master that a header names (not yet verified)."""
    known = len(header) == HEADER_BYTES and header[_CIPHER] in SUITE_NUMBERS
    if not known or header[:9] != _MAGIC + bytes([_VERSION]):
        raise SealedFileDamaged("not a sealed file, or its header was changed or cut")
    length = header[11]
    padded = header[32:80]
    if not 0 < length <= KEY_ID_LIMIT_BYTES or padded[length:].strip(b"\0") or not padded.isascii():
        raise SealedFileDamaged("the header of the sealed file was changed")
    return padded[:length].decode("ascii")


def _unwrap(header: bytes, masters: Masters) -> bytes:
    master = masters.find(master_of(header))
    return master.unwrap(header[_WRAPPED], header[_NONCE], header[_BOUND])


def _wrap(prefix: bytes, rest: bytes, master: MasterKey, file_key: bytes) -> bytes:
    key_id = master.key_id.encode("ascii")
    bound = prefix + bytes([len(key_id)]) + rest + key_id.ljust(KEY_ID_LIMIT_BYTES, b"\0")
    nonce = secrets.token_bytes(12)
    return bound + nonce + master.wrap(file_key, nonce, bound)

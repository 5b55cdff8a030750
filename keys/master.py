"""Master keys of files at rest: they wrap a key for each file, and seal short texts.

A ring has one master for writing and any number for reading, so that keys roll over while
everything runs. A master in a device would be another class with the same three methods.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from msgspec import Struct

from keys.errors import KeyUnavailable, SealedFileDamaged
from keys.rest_ciphers import AES_256_GCM, SUITE_WORDS, SUITES, Suite
from keys.secret_sources import SecretSource, SourceKind, write_private_file

SECRET_BYTES = 32
KEY_ID_LIMIT_BYTES = 48
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")


class SymmetricKey(Struct, frozen=True):
    """What a key file holds: a word for the suite, the key id, and the secret in Base64."""

    key_id: str
    secret: bytes
    suite: Suite

    def __repr__(self) -> str:
        return f"SymmetricKey({self.key_id!r}, {self.suite.name!r})"


class MasterKey:
    """A 256-bit key under a name, for one suite. Its secret is never shown, not even by `repr`."""

    def __init__(self, key_id: str, secret: bytes, suite: Suite = AES_256_GCM) -> None:
        if not _KEY_ID.fullmatch(key_id):
            raise KeyUnavailable(
                f"{key_id!r} is not a key id", "up to 48 letters, digits, dots, hyphens and underscores"
            )
        if len(secret) != SECRET_BYTES:
            raise KeyUnavailable(f"key {key_id} has {len(secret)} bytes, wanted {SECRET_BYTES}")
        self.key_id = key_id
        self.suite = suite
        self._secret = secret
        self._wrapping = suite.cipher(self._derive(b"wrap file key"))

    def __repr__(self) -> str:
        return f"MasterKey({self.key_id!r})"

    def wrap(self, file_key: bytes, nonce: bytes, bound: bytes) -> bytes:
        """The file key, sealed (16 bytes longer) and bound to `bound`. A nonce is never reused."""
        return self._wrapping.encrypt(nonce, file_key, bound)

    def unwrap(self, wrapped: bytes, nonce: bytes, bound: bytes) -> bytes:
        """The file key; raises `SealedFileDamaged`."""
        try:
            return self._wrapping.decrypt(nonce, wrapped, bound)
        except InvalidTag:
            raise SealedFileDamaged(
                f"the header does not open with key {self.key_id}",
                "the file was changed, or another key bears this id",
            ) from None

    def text_key(self, salt: bytes) -> bytes:
        """A key of its own for texts sealed under one salt of 16 random bytes."""
        return self._derive(b"text", salt)

    def _derive(self, purpose: bytes, salt: bytes = b"") -> bytes:
        return self.suite.derive(self._secret, purpose, salt)


class Masters:
    """The master for writing and all masters for reading."""

    def __init__(self, current: MasterKey, others: Iterable[MasterKey] = ()) -> None:
        self.current = current
        self._by_id = {current.key_id: current}
        for master in others:
            if self._by_id.setdefault(master.key_id, master) is not master:
                raise KeyUnavailable(f"two master keys bear the id {master.key_id}")

    @property
    def key_ids(self) -> list[str]:
        """Current first."""
        return list(self._by_id)

    def find(self, key_id: str) -> MasterKey:
        """Raises `KeyUnavailable` with the ids that are there."""
        if key_id not in self._by_id:
            raise KeyUnavailable(
                f"no master key {key_id!r}; there are {', '.join(self._by_id)}",
                "keep old master keys in the ring until nothing is sealed under them",
            )
        return self._by_id[key_id]


def new_master_key_file(path: Path, key_id: str = "", cipher: str = AES_256_GCM.name) -> MasterKey:
    """Make a random master key and write it to a new file of mode 0600.

    Without `key_id` it gets a random one. `cipher` is `aes-256-gcm` or `sm4-gcm`. An existing
    file is never overwritten.
    """
    if cipher not in SUITES:
        raise KeyUnavailable(f"no cipher {cipher!r} for files at rest", f"there are {', '.join(SUITES)}")
    suite = SUITES[cipher]
    key_id = key_id or f"master-{secrets.token_hex(4)}"
    master_secret = secrets.token_bytes(SECRET_BYTES)
    master = MasterKey(key_id, master_secret, suite)
    write_private_file(path, format_key(key_id, master_secret, suite))
    return master


def load_master_key(source: Path | SecretSource) -> MasterKey:
    """The master key in a file of mode 0600, a variable or a credential; raises `KeyUnavailable`."""
    found = load_symmetric_key(source)
    return MasterKey(found.key_id, found.secret, found.suite)


def load_symmetric_key(source: Path | SecretSource) -> SymmetricKey:
    """What a key file holds; raises `KeyUnavailable`."""
    if isinstance(source, Path):
        source = SecretSource(SourceKind.FILE, str(source))
    words = source.read().split()
    suite = SUITE_WORDS.get(words[0].decode("ascii", "replace")) if words else None
    if len(words) != 3 or suite is None:
        raise KeyUnavailable(
            f"{source} is not a key file of Bankgate",
            f"wanted one line: {' or '.join(SUITE_WORDS)}, KEY-ID, BASE64",
        )
    try:
        return SymmetricKey(words[1].decode("ascii"), base64.b64decode(words[2], validate=True), suite)
    except (UnicodeDecodeError, binascii.Error):
        raise KeyUnavailable(f"{source}: the key is cut or mistyped") from None


def format_key(key_id: str, secret: bytes, suite: Suite = AES_256_GCM) -> bytes:
    """The line that `load_symmetric_key` reads."""
    words = [suite.key_file_word, key_id, base64.b64encode(secret).decode("ascii")]
    return " ".join(words).encode("ascii") + b"\n"

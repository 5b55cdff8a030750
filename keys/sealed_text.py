"""Short texts, sealed one by one: what a bank wrote about a person, in a row of the ledger.

A sealed text is version 1, length of the key id, key id, salt (16 bytes), number (4 bytes),
then the text in UTF-8 under the master's cipher with a tag of 16 bytes. Texts sealed in one call
share a salt, from which their key is derived, and are told apart by the number; so any
number of texts may be sealed under one master.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag

from keys.errors import SealedFileDamaged
from keys.master import MasterKey, Masters
from keys.rest_ciphers import Aead

_VERSION = 1
_SALT_BYTES = 16
_NUMBER_BYTES = 4
_TAG_BYTES = 16


def seal_text(master: MasterKey, text: str, context: bytes = b"") -> bytes:
    """Seal one text; `context` says what it is and must be given again to open it."""
    return seal_texts(master, [text], context)[0]


def open_text(masters: Masters, sealed: bytes, context: bytes = b"") -> str:
    """Raises `SealedFileDamaged`, or `KeyUnavailable` for a master that the ring does not have."""
    return open_texts(masters, [sealed], context)[0]


def seal_texts(master: MasterKey, texts: Sequence[str], context: bytes = b"") -> list[bytes]:
    """Seal many texts of one context, at about two microseconds each."""
    salt = secrets.token_bytes(_SALT_BYTES)
    prefix = text_prefix(master) + salt
    bound = prefix + context
    encrypt = master.suite.cipher(master.text_key(salt)).encrypt
    sealed = []
    for number, text in enumerate(texts):
        counter = number.to_bytes(_NUMBER_BYTES, "big")
        sealed.append(prefix + counter + encrypt(counter.rjust(12, b"\0"), text.encode(), bound))
    return sealed


def open_texts(masters: Masters, sealed: Iterable[bytes], context: bytes = b"") -> list[str]:
    """Open many texts; neighbours that were sealed in one call share the derived key."""
    texts = []
    prefix, cipher = b"", None
    for blob in sealed:
        start = _prefix_bytes(blob)
        if cipher is None or blob[:start] != prefix:
            prefix = blob[:start]
            cipher = _cipher_of(masters, prefix)
        counter = blob[start : start + _NUMBER_BYTES]
        piece = blob[start + _NUMBER_BYTES :]
        try:
            texts.append(cipher.decrypt(counter.rjust(12, b"\0"), piece, prefix + context).decode())
        except (InvalidTag, UnicodeDecodeError):
            raise SealedFileDamaged("a sealed text was changed, or belongs elsewhere") from None
    return texts


def text_prefix(master: MasterKey) -> bytes:
    """How every text under this master begins: version, length of the key id, key id."""
    key_id = master.key_id.encode("ascii")
    return bytes([_VERSION, len(key_id)]) + key_id


def _prefix_bytes(blob: bytes) -> int:
    """Length of version, key id and salt; raises where the blob cannot hold them."""
    if len(blob) < 2 or blob[0] != _VERSION:
        raise SealedFileDamaged("not a sealed text")
    start = 2 + blob[1] + _SALT_BYTES
    if len(blob) < start + _NUMBER_BYTES + _TAG_BYTES:
        raise SealedFileDamaged("a sealed text was cut")
    return start


def _cipher_of(masters: Masters, prefix: bytes) -> Aead:
    try:
        key_id = prefix[2:-_SALT_BYTES].decode("ascii")
    except UnicodeDecodeError:
        raise SealedFileDamaged("a sealed text was changed") from None
    master = masters.find(key_id)
    return master.suite.cipher(master.text_key(prefix[-_SALT_BYTES:]))

"""Pinned host keys: the server must show one of them before anything is said to it.

A bank has one key, or two while it changes them: the current and the next. A pin is an
OpenSSH public key line (`ssh-ed25519 AAAA... comment`) or a fingerprint (`SHA256:...`,
as `ssh-keygen -l` prints it). There is no trust on first use and no known_hosts file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable

from msgspec import Struct

_FINGERPRINT = "SHA256:"
_DIGEST_BYTES = 32
_RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")


class Pin(Struct, frozen=True):
    """One pinned key. `blob` is empty for a fingerprint, `kind` too."""

    digest: bytes
    kind: str = ""


def parse_pin(text: str) -> Pin:
    """Reads one pin. Raises `ValueError` with the reason."""
    if text.startswith(_FINGERPRINT):
        return Pin(digest=_parse_fingerprint(text.strip()))
    parts = text.split()
    if len(parts) < 2:
        raise ValueError("neither a public key line nor a SHA256: fingerprint")
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except binascii.Error as error:
        raise ValueError("the key is not base64") from error
    name_bytes = int.from_bytes(blob[:4], "big")
    if len(blob) < 36 or blob[4 : 4 + name_bytes] != parts[0].encode("utf-8"):
        raise ValueError("the key is not of the type that stands before it")
    return Pin(digest=hashlib.sha256(blob).digest(), kind=parts[0])


def fingerprint(blob: bytes) -> str:
    """The fingerprint of a public key in SSH's wire form, as `ssh-keygen -l` prints it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii")
    return _FINGERPRINT + digest.rstrip("=")


def is_pinned(blob: bytes, pins: Iterable[Pin]) -> bool:
    """Whether a key that a server showed is one of the pinned ones."""
    return any(pin.digest == hashlib.sha256(blob).digest() for pin in pins)


def signature_order(pins: Iterable[Pin], available: tuple[str, ...]) -> tuple[str, ...]:
    """Host key algorithms with those of the pinned keys first, as a server may hold several keys."""
    wanted: list[str] = []
    for pin in pins:
        wanted.extend(_RSA_SIGNATURES if pin.kind == "ssh-rsa" else (pin.kind,))
    return tuple(sorted(available, key=lambda name: (name not in wanted, available.index(name))))


def _parse_fingerprint(text: str) -> bytes:
    encoded = text.removeprefix(_FINGERPRINT)
    try:
        digest = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("the fingerprint is not base64") from error
    if len(digest) != _DIGEST_BYTES:
        raise ValueError(f"the fingerprint holds {len(digest)} bytes, wanted {_DIGEST_BYTES}")
    return digest

"""Keyed fingerprints: the same citizen ID gives the same 16 bytes, and nobody without the key
can tell which.

What must be found across batches is looked up by these; the ledger holds no ID in clear. A
fingerprint says nothing without the key's version, so both are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from keys.errors import KeyUnavailable

FINGERPRINT_BYTES = 16
_SHORTEST_KEY_BYTES = 32
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
"""GB 11643: by the weighted sum modulo 11."""


class Fingerprinter:
    """Makes fingerprints with one key, of 32 to 64 bytes."""

    def __init__(self, key: bytes, version: str = "") -> None:
        if not _SHORTEST_KEY_BYTES <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
            raise KeyUnavailable(f"a fingerprint key of {len(key)} bytes, wanted 32 to 64")
        self.version = version
        self._keyed = hashlib.blake2b(key=key, digest_size=FINGERPRINT_BYTES, person=b"citizen id")
        self._households = hashlib.blake2b(key=key, digest_size=FINGERPRINT_BYTES, person=b"household id")
        self._accounts = hashlib.blake2b(key=key, digest_size=FINGERPRINT_BYTES, person=b"account")
        self._names = hashlib.blake2b(key=key, digest_size=FINGERPRINT_BYTES, person=b"name")

    def __repr__(self) -> str:
        return f"Fingerprinter({self.version!r})"

    def of(self, values: Iterable[str]) -> list[bytes]:
        """Fingerprints of citizen IDs, `FINGERPRINT_BYTES` each, in order."""
        fingerprints = []
        for value in values:
            running = self._keyed.copy()
            # Most are in the one form already, and a million of them pass here.
            plain = len(value) == 18 and value.isdigit()
            running.update((value if plain else normalize_citizen_id(value)).encode())
            fingerprints.append(running.digest())
        return fingerprints

    def of_households(self, values: Iterable[str]) -> list[bytes]:
        """Fingerprints of household numbers, in order; never one of a person with the same digits."""
        return _digests(self._households, values)

    def of_accounts(self, values: Iterable[tuple[str, str]]) -> list[bytes]:
        """Fingerprints of accounts, each a bank and a number: two banks may have the same number."""
        return _digests(self._accounts, (f"{bank.strip()} {number.strip()}" for bank, number in values))

    def of_names(self, values: Iterable[str]) -> list[bytes]:
        """Fingerprints of names in their one form; only for comparing them, never kept."""
        return _digests(self._names, values)


def _digests(keyed: hashlib.blake2b, values: Iterable[str]) -> list[bytes]:
    fingerprints = []
    for value in values:
        running = keyed.copy()
        running.update(value.strip().encode())
        fingerprints.append(running.digest())
    return fingerprints


def normalize_citizen_id(value: str) -> str:
    """One form for the forms in which one ID occurs.

    15 digits become 18 (year 19.., check digit computed); a final `x` is upper case. What is
    no citizen ID is left as it is, without white space around it.
    """
    value = value.strip().upper()
    if len(value) != 15 or not (value.isascii() and value.isdigit()):
        return value
    body = value[:6] + "19" + value[6:]
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return body + _CHECK_DIGITS[total % 11]

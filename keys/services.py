"""Private keys at services and in devices that are not built in, each by one class.

A package registers a function under the entry point group `bankgate.keys`; an entry of the
ring names it (`service`), the key there (`service_key`), and where the word is that opens it
(`service_secret`). The function gives back an object with `sign_digest` (and `unwrap`, where
it decrypts), as `keys.signer` has them. How to write one: `docs/remote-signing.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from keys.algorithms import Algorithm, Transport
from keys.errors import DecryptionFailed, KeyUnavailable, SignatureInvalid
from keys.public import PublicKey
from keys.verifier import make_verifier

GROUP = "bankgate.keys"
Opener = Callable[[str, PublicKey, bytes | None], Any]
"""(name of the key there, its public key, secret) -> the object that signs."""


class ServiceKey:
    """A key at a service. What it signs is verified before it is given out."""

    def __init__(self, service: str, key_name: str, public_key: PublicKey, held: Any) -> None:
        self.public_key = public_key
        self._place = f"service {service}, key {key_name}"
        self._held = held

    def __repr__(self) -> str:
        return f"ServiceKey({self._place!r})"

    def sign_digest(self, algorithm: Algorithm, digest: bytes) -> bytes:
        signature = bytes(self._ask("sign_digest", algorithm, digest))
        try:
            make_verifier(self.public_key, algorithm).verify_digest(signature, digest)
        except SignatureInvalid:
            raise KeyUnavailable(
                f"{self._place}: what it signed does not fit its certificate",
                "compare the certificate with the key there; signatures on curves must be DER",
            ) from None
        return signature

    def unwrap(self, transport: Transport, wrapped: bytes) -> bytes:
        return bytes(self._ask("unwrap", transport, wrapped))

    def _ask(self, call: str, *arguments: object) -> Any:
        if not hasattr(self._held, call):
            raise KeyUnavailable(f"{self._place}: it has no {call}")
        try:
            return getattr(self._held, call)(*arguments)
        except (KeyUnavailable, DecryptionFailed):
            raise
        except OSError as error:
            # What the service says may name a secret; the kind of error does not.
            raise KeyUnavailable(
                f"{self._place}: {type(error).__name__}", "is it there, and may this machine ask it?"
            ) from None


def open_service_key(service: str, key_name: str, public_key: PublicKey, secret: bytes | None) -> ServiceKey:
    """The key that a ring's entry names; raises `KeyUnavailable` where there is no such service."""
    found = entry_points(group=GROUP, name=service)
    if len(found) != 1:
        known = ", ".join(sorted(point.name for point in entry_points(group=GROUP))) or "none"
        raise KeyUnavailable(
            f"{len(found)} packages offer a key service {service!r}; installed services: {known}",
            f"a package registers it under the entry point group {GROUP}",
        )
    opener: Opener = next(iter(found)).load()
    return ServiceKey(service, key_name, public_key, opener(key_name, public_key, secret))

"""What a simulated bank needs of the keys package: check our signatures, make its own."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from gateway.simulator.store import Blob, Sink
from keys.certificates import Trust
from keys.cms import sign_attached, sign_detached, verify_attached, verify_detached
from keys.signer import Signer


class Seals(Protocol):
    """Signatures between one gateway and one bank. `at` is an aware instant.

    Methods that check raise `keys.errors.SealError`.
    """

    def check_detached(self, content: Blob, signature: Blob, at: datetime) -> None:
        """Return where the gateway signed exactly this content."""
        ...

    def open_attached(self, sealed: Blob, at: datetime, sink: Sink) -> None:
        """Write the content that the gateway signed. Worth nothing where it raises."""
        ...

    def sign_detached(self, content: Blob, at: datetime) -> bytes:
        """The bank's signature over the content, as a file of its own."""
        ...

    def sign_attached(self, content: Blob, at: datetime, sink: Sink) -> None:
        """Write the content inside the bank's signature."""
        ...


class CmsSeals:
    """CMS with the bank's signing key and the certificates that the bank accepts of the gateway."""

    def __init__(self, signer: Signer, trust: Trust) -> None:
        self._signer = signer
        self._trust = trust

    def check_detached(self, content: Blob, signature: Blob, at: datetime) -> None:
        with content.open() as source, signature.open() as signed:
            verify_detached(source, signed.read(), self._trust, at)

    def open_attached(self, sealed: Blob, at: datetime, sink: Sink) -> None:
        with sealed.open() as source:
            verify_attached(source, self._trust, at, sink)

    def sign_detached(self, content: Blob, at: datetime) -> bytes:
        with content.open() as source:
            return sign_detached(source, self._signer, at)

    def sign_attached(self, content: Blob, at: datetime, sink: Sink) -> None:
        with content.open() as source:
            sign_attached(source, content.size_bytes, self._signer, at, sink)

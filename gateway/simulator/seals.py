"""What a simulated bank needs of the keys package: check our signatures, make its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from gateway.simulator.store import Blob


class Seals(Protocol):
    """Signatures of one pair of gateway and bank. Methods that check raise `keys.errors.SealError`."""

    def check_detached(self, content: Blob, signature: Blob) -> None:
        """Return where the gateway signed exactly this content."""
        ...

    def open_attached(self, sealed: Blob) -> Iterator[bytes]:
        """The content that the gateway signed. Trust no block before the last one is out."""
        ...

    def sign_detached(self, content: Blob) -> bytes:
        """The bank's signature over the content, as a file of its own."""
        ...

    def sign_attached(self, content: Blob) -> Iterator[bytes]:
        """The content inside the bank's signature."""
        ...

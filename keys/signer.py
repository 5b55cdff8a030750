"""The protocols behind which a key lives: in a file, in a token, at a remote service.

Nothing outside this package needs to know where. A signer signs a digest that its own
`hasher` made, so that SM2 (whose hash begins with the signer's identity) and devices that
only sign digests fit the same two calls.
"""

from __future__ import annotations

from typing import Protocol


class Hasher(Protocol):
    """A running digest, as in `hashlib`."""

    def update(self, block: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Signer(Protocol):
    """Makes signatures with one private key."""

    key_id: str
    """Name in the keyring, for messages and journals."""
    algorithm: str
    """`rsa-pkcs1-sha256`, `rsa-pss-sha256`, `ecdsa-sha256`, `ecdsa-sha384`."""
    certificate_der: bytes
    chain_der: tuple[bytes, ...]
    """Certificates of the CAs above, to send along with signatures."""

    def hasher(self) -> Hasher:
        """A new running digest of the kind that `sign_digest` takes."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature, in the algorithm's usual encoding (DER for EC)."""
        ...


class Verifier(Protocol):
    """Checks signatures with one public key."""

    algorithm: str

    def hasher(self) -> Hasher: ...

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        """Returns on success; raises `keys.errors.SignatureInvalid` otherwise."""
        ...

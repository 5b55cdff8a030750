"""The protocols behind which a key lives: in a file, in a token, at a remote service.

Nothing outside this package needs to know where. Whoever adds a place for keys writes one
class with the members of `SigningKey`, of `DecryptionKey`, or of both; `Signer` and
`Decrypter` around it are what the rest of the house uses. A key signs a digest that was made
here, so that SM2 (whose hash begins with the signer's identity) and devices that only sign
digests fit the same call. Signatures on curves are DER everywhere; those who want r and s side
by side convert them (`keys.signature_forms`).
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from keys.algorithms import Algorithm, Transport
from keys.digests import Hasher
from keys.public import PublicKey, new_hasher, require_fit

__all__ = ["Decrypter", "DecryptionKey", "Encrypter", "Hasher", "Signer", "SigningKey", "Verifier"]


class SigningKey(Protocol):
    """A private key that signs, wherever it is."""

    @property
    def public_key(self) -> PublicKey: ...

    def sign_digest(self, algorithm: Algorithm, digest: bytes) -> bytes:
        """The signature over a digest that `Signer.hasher` made, in DER on curves.

        `algorithm` fits the key. Raises `KeyUnavailable` where the device does not do it.
        """
        ...


class DecryptionKey(Protocol):
    """A private key that opens what was encrypted to it, wherever it is."""

    @property
    def public_key(self) -> PublicKey: ...

    def unwrap(self, transport: Transport, wrapped: bytes) -> bytes:
        """The content key that `Encrypter.wrap` wrapped.

        Raises `keys.errors.DecryptionFailed`, for whatever reason, where it does not open. Nobody
        outside may learn which it was: `keys.cms_open` goes on with a random key then. Raises
        `KeyUnavailable` only for what has nothing to do with `wrapped`: the device is not there.
        """
        ...


class Signer(Struct, frozen=True):
    """Makes signatures with one private key, by one algorithm."""

    key: SigningKey
    key_id: str
    """Name in the keyring, for messages and journals."""
    mechanism: Algorithm
    certificate_der: bytes = b""
    chain_der: tuple[bytes, ...] = ()
    """Certificates of the CAs above, to send along with signatures."""

    @property
    def algorithm(self) -> str:
        """`rsa-pkcs1-sha256`, `rsa-pss-sha256`, `ecdsa-sha256`, `ecdsa-sha384`, `sm2-sm3` ..."""
        return self.mechanism.name

    @property
    def public_key(self) -> PublicKey:
        return self.key.public_key

    def __repr__(self) -> str:
        return f"Signer({self.key_id!r}, {self.algorithm!r})"

    def using(self, mechanism: Algorithm) -> Signer:
        """The same key with another algorithm of its kind; raises `KeyUnavailable`."""
        require_fit(self.public_key, mechanism, self.key_id)
        return replace(self, mechanism=mechanism)

    def hasher(self) -> Hasher:
        """A new running digest of the kind that `sign_digest` takes."""
        return new_hasher(self.public_key, self.mechanism)

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature, in the algorithm's usual encoding (DER on curves)."""
        return self.key.sign_digest(self.mechanism, digest)


class Verifier(Protocol):
    """Checks signatures with one public key."""

    algorithm: str

    def hasher(self) -> Hasher: ...

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        """Returns on success; raises `keys.errors.SignatureInvalid` otherwise."""
        ...


class Encrypter(Protocol):
    """Encrypts content keys to the holder of one certificate."""

    certificate_der: bytes
    transport: Transport

    def wrap(self, content_key: bytes) -> bytes:
        """The content key, readable for the holder of the private key alone."""
        ...


class Decrypter(Struct, frozen=True):
    """Opens what was encrypted to one of our certificates."""

    key: DecryptionKey
    key_id: str
    """Name in the keyring."""
    certificate_der: bytes

    def __repr__(self) -> str:
        return f"Decrypter({self.key_id!r})"

    def unwrap(self, transport: Transport, wrapped: bytes) -> bytes:
        """As `DecryptionKey.unwrap`."""
        return self.key.unwrap(transport, wrapped)

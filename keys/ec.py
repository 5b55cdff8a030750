"""Keys in memory on the curves P-256, P-384 and P-521: ECDSA over a digest, signatures in DER."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from keys.algorithms import Algorithm
from keys.digests import Hasher
from keys.errors import SignatureInvalid
from keys.public import new_hasher, require_fit
from keys.rsa import HASHES


class EcKey:
    """Signs with an EC key in memory."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key()

    def sign_digest(self, algorithm: Algorithm, digest: bytes) -> bytes:
        return self._private_key.sign(digest, ec.ECDSA(Prehashed(HASHES[algorithm.digest])))


class EcVerifier:
    """Verifies with an EC key; raises `KeyUnavailable` for a curve that is not accepted."""

    def __init__(self, public_key: ec.EllipticCurvePublicKey, algorithm: Algorithm) -> None:
        require_fit(public_key, algorithm)
        self._public_key = public_key
        self._algorithm = algorithm
        self.algorithm = algorithm.name

    def hasher(self) -> Hasher:
        return new_hasher(self._public_key, self._algorithm)

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        try:
            self._public_key.verify(signature, digest, ec.ECDSA(Prehashed(HASHES[self._algorithm.digest])))
        except (InvalidSignature, ValueError):
            raise SignatureInvalid("the signature does not fit the bytes and the key") from None

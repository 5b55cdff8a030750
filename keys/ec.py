"""Keys in memory on the curves P-256, P-384 and P-521: ECDSA over a digest, signatures in DER."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from keys.algorithms import Algorithm
from keys.errors import NO_FIT, SignatureInvalid
from keys.rsa import HASHES


class EcKey:
    """Signs with an EC key in memory."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key()

    def sign_digest(self, algorithm: Algorithm, digest: bytes) -> bytes:
        return self._private_key.sign(digest, ec.ECDSA(Prehashed(HASHES[algorithm.digest])))


def verify_ec(
    public_key: ec.EllipticCurvePublicKey, algorithm: Algorithm, signature: bytes, digest: bytes
) -> None:
    """Raises `SignatureInvalid`."""
    try:
        public_key.verify(signature, digest, ec.ECDSA(Prehashed(HASHES[algorithm.digest])))
    except (InvalidSignature, ValueError):
        raise SignatureInvalid(NO_FIT) from None

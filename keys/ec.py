"""Keys on the curves P-256, P-384 and P-521: ECDSA over a digest, signatures in DER."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from keys.algorithms import ALGORITHMS, Algorithm, new_digest
from keys.errors import KeyUnavailable, SignatureInvalid
from keys.signer import Hasher

CURVES = {"secp256r1": "ecdsa-sha256", "secp384r1": "ecdsa-sha384", "secp521r1": "ecdsa-sha512"}
"""Curves that are accepted, and the algorithm that goes with each."""
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class EcSigner:
    """Signs with an EC key in memory; the algorithm follows the curve unless it is given."""

    def __init__(
        self,
        private_key: ec.EllipticCurvePrivateKey,
        key_id: str,
        certificate_der: bytes = b"",
        algorithm: str = "",
        chain_der: tuple[bytes, ...] = (),
    ) -> None:
        _refuse_curve(private_key.curve.name, key_id)
        self.algorithm = algorithm or CURVES[private_key.curve.name]
        self._digest = ALGORITHMS[self.algorithm].digest
        self._private_key = private_key
        self.key_id = key_id
        self.certificate_der = certificate_der
        self.chain_der = chain_der

    def hasher(self) -> Hasher:
        return new_digest(self._digest)

    def sign_digest(self, digest: bytes) -> bytes:
        return self._private_key.sign(digest, ec.ECDSA(Prehashed(_HASHES[self._digest])))


class EcVerifier:
    """Verifies with an EC key; raises `KeyUnavailable` for a curve that is not accepted."""

    def __init__(self, public_key: ec.EllipticCurvePublicKey, algorithm: Algorithm) -> None:
        _refuse_curve(public_key.curve.name, "public key")
        self._public_key = public_key
        self._digest = algorithm.digest
        self.algorithm = algorithm.name

    def hasher(self) -> Hasher:
        return new_digest(self._digest)

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        try:
            self._public_key.verify(signature, digest, ec.ECDSA(Prehashed(_HASHES[self._digest])))
        except (InvalidSignature, ValueError):
            raise SignatureInvalid("the signature does not fit the bytes and the key") from None


def _refuse_curve(curve: str, key_id: str) -> None:
    if curve not in CURVES:
        raise KeyUnavailable(f"{key_id} is on the curve {curve}, wanted {', '.join(CURVES)}")

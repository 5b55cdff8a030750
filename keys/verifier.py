"""Checks signatures with public keys of all kinds. These are never in a device."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keys.algorithms import Algorithm
from keys.digests import Hasher
from keys.ec import verify_ec
from keys.errors import KeyUnavailable
from keys.public import PublicKey, new_hasher, require_fit, usual_algorithm
from keys.rsa import verify_rsa
from keys.signer import Verifier
from keys.sm2 import verify_sm2
from keys.sm2_public import Sm2PublicKey


class PublicVerifier:
    """Verifies by one algorithm; raises `KeyUnavailable` for a key that is weak or of another kind."""

    def __init__(self, public_key: PublicKey, mechanism: Algorithm) -> None:
        require_fit(public_key, mechanism)
        self._public_key = public_key
        self._mechanism = mechanism
        self.algorithm = mechanism.name

    def hasher(self) -> Hasher:
        return new_hasher(self._public_key, self._mechanism)

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        key = self._public_key
        if isinstance(key, rsa.RSAPublicKey):
            verify_rsa(key, self._mechanism, signature, digest)
        elif isinstance(key, Sm2PublicKey):
            verify_sm2(key, signature, digest)
        else:
            verify_ec(key, self._mechanism, signature, digest)


def make_verifier(public_key: object, algorithm: Algorithm | None = None) -> Verifier:
    """A verifier around a public key; raises `KeyUnavailable` where key and algorithm do not fit.

    Without `algorithm`: the one that `keys.private.make_signer` takes.
    """
    if not isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Sm2PublicKey):
        raise KeyUnavailable("the public key is neither RSA nor EC nor SM2")
    return PublicVerifier(public_key, algorithm or usual_algorithm(public_key))

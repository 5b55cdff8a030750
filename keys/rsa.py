"""RSA keys: PKCS#1 v1.5 and PSS over a digest."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from keys.algorithms import ALGORITHMS, Algorithm, Scheme, new_digest
from keys.errors import KeyUnavailable, SignatureInvalid
from keys.signer import Hasher

MINIMUM_BITS = 2048
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class RsaSigner:
    """Signs with an RSA key in memory. PSS salts are as long as the digest."""

    def __init__(
        self,
        private_key: rsa.RSAPrivateKey,
        key_id: str,
        certificate_der: bytes = b"",
        algorithm: str = "rsa-pkcs1-sha256",
        chain_der: tuple[bytes, ...] = (),
    ) -> None:
        _refuse_small(private_key.key_size, key_id)
        self._algorithm = ALGORITHMS[algorithm]
        self._private_key = private_key
        self.key_id = key_id
        self.algorithm = algorithm
        self.certificate_der = certificate_der
        self.chain_der = chain_der

    def hasher(self) -> Hasher:
        return new_digest(self._algorithm.digest)

    def sign_digest(self, digest: bytes) -> bytes:
        prehashed = Prehashed(_HASHES[self._algorithm.digest])
        return self._private_key.sign(digest, _padding(self._algorithm), prehashed)


class RsaVerifier:
    """Verifies with an RSA key of at least 2048 bits; raises `KeyUnavailable` for a smaller one."""

    def __init__(self, public_key: rsa.RSAPublicKey, algorithm: Algorithm) -> None:
        _refuse_small(public_key.key_size, "public key")
        self._public_key = public_key
        self._algorithm = algorithm
        self.algorithm = algorithm.name

    def hasher(self) -> Hasher:
        return new_digest(self._algorithm.digest)

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        prehashed = Prehashed(_HASHES[self._algorithm.digest])
        try:
            self._public_key.verify(signature, digest, _padding(self._algorithm), prehashed)
        except (InvalidSignature, ValueError):
            # A ValueError is a salt or a digest length that cannot be.
            raise SignatureInvalid("the signature does not fit the bytes and the key") from None


def _padding(algorithm: Algorithm) -> padding.AsymmetricPadding:
    if algorithm.scheme is Scheme.RSA_PKCS1:
        return padding.PKCS1v15()
    hash_algorithm = _HASHES[algorithm.digest]
    salt_bytes = hash_algorithm.digest_size if algorithm.salt_bytes is None else algorithm.salt_bytes
    return padding.PSS(padding.MGF1(hash_algorithm), salt_bytes)


def _refuse_small(key_bits: int, key_id: str) -> None:
    if key_bits < MINIMUM_BITS:
        raise KeyUnavailable(
            f"{key_id} is an RSA key of {key_bits} bits, at least {MINIMUM_BITS} are wanted",
            "have a new key and certificate made",
        )

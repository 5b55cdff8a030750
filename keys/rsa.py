"""RSA keys in memory: PKCS#1 v1.5 and PSS over a digest, PKCS#1 v1.5 and OAEP for content keys."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from keys.algorithms import Algorithm, Scheme, Transport
from keys.errors import NO_FIT, DecryptionFailed, SignatureInvalid

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_VERIFIED_HASHES = {**HASHES, "sha1": hashes.SHA1()}
"""SHA-1 gets here only where a bank's profile permits it until a day (`keys.cms_forms`)."""
_OAEP_HASHES: dict[Transport, hashes.HashAlgorithm] = {
    Transport.RSA_OAEP_SHA1: hashes.SHA1(),
    Transport.RSA_OAEP_SHA256: hashes.SHA256(),
    Transport.RSA_OAEP_SHA384: hashes.SHA384(),
    Transport.RSA_OAEP_SHA512: hashes.SHA512(),
}


class RsaKey:
    """Signs and decrypts with an RSA key in memory. PSS salts are as long as the digest."""

    def __init__(self, private_key: rsa.RSAPrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key()

    def sign_digest(self, algorithm: Algorithm, digest: bytes) -> bytes:
        return self._private_key.sign(
            digest, signature_padding(algorithm), Prehashed(HASHES[algorithm.digest])
        )

    def unwrap(self, transport: Transport, wrapped: bytes) -> bytes:
        try:
            return self._private_key.decrypt(wrapped, transport_padding(transport))
        except ValueError:
            raise DecryptionFailed from None


def verify_rsa(public_key: rsa.RSAPublicKey, algorithm: Algorithm, signature: bytes, digest: bytes) -> None:
    """Raises `SignatureInvalid`."""
    prehashed = Prehashed(_VERIFIED_HASHES[algorithm.digest])
    try:
        public_key.verify(signature, digest, signature_padding(algorithm), prehashed)
    except (InvalidSignature, ValueError):
        # A ValueError is a salt or a digest length that cannot be.
        raise SignatureInvalid(NO_FIT) from None


def signature_padding(algorithm: Algorithm) -> padding.AsymmetricPadding:
    if algorithm.scheme is Scheme.RSA_PKCS1:
        return padding.PKCS1v15()
    hash_algorithm = HASHES[algorithm.digest]
    salt_bytes = hash_algorithm.digest_size if algorithm.salt_bytes is None else algorithm.salt_bytes
    return padding.PSS(padding.MGF1(hash_algorithm), salt_bytes)


def transport_padding(transport: Transport) -> padding.AsymmetricPadding:
    if transport is Transport.RSA_PKCS1:
        return padding.PKCS1v15()
    if transport not in _OAEP_HASHES:
        raise DecryptionFailed
    hash_algorithm = _OAEP_HASHES[transport]
    return padding.OAEP(padding.MGF1(hash_algorithm), hash_algorithm, None)

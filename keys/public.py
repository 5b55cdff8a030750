"""Public keys of all kinds: out of certificates and files, and what goes with which algorithm."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from keys import tlv
from keys.algorithms import ALGORITHMS, Algorithm, Scheme
from keys.digests import Hasher, new_digest
from keys.errors import KeyUnavailable
from keys.sm2_public import Sm2PublicKey, parse_sm2_spki

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Sm2PublicKey

MINIMUM_RSA_BITS = 2048
CURVES = {"secp256r1": "ecdsa-sha256", "secp384r1": "ecdsa-sha384", "secp521r1": "ecdsa-sha512"}
"""Curves that are accepted beside SM2's, and the algorithm that goes with each."""
_RSA_SCHEMES = (Scheme.RSA_PKCS1, Scheme.RSA_PSS)


def parse_spki(spki_der: bytes) -> PublicKey:
    """The key in a SubjectPublicKeyInfo; raises `KeyUnavailable`."""
    sm2 = parse_sm2_spki(spki_der)
    if sm2 is not None:
        return sm2
    try:
        key: object = load_der_public_key(spki_der)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnavailable("the public key cannot be read") from None
    return _require_known(key)


def parse_pem_public_key(content: bytes) -> PublicKey:
    """The key in a PEM public key; raises `KeyUnavailable`."""
    try:
        return _require_known(load_pem_public_key(content))
    except UnsupportedAlgorithm:
        return parse_spki(tlv.unwrap_pem(content, b"PUBLIC KEY"))
    except ValueError:
        raise KeyUnavailable("not a PEM public key") from None


def certified_key(certificate: x509.Certificate) -> PublicKey:
    """The key that a certificate is for; raises `KeyUnavailable`."""
    return parse_spki(_certificate_spki(certificate))


def public_key_der(key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo in DER."""
    if isinstance(key, Sm2PublicKey):
        return key.spki_der()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def usual_algorithm(key: PublicKey) -> Algorithm:
    """What a key signs with where nothing else is said; raises `KeyUnavailable`."""
    if isinstance(key, rsa.RSAPublicKey):
        return ALGORITHMS["rsa-pkcs1-sha256"]
    if isinstance(key, Sm2PublicKey):
        return ALGORITHMS["sm2-sm3"]
    if key.curve.name not in CURVES:
        raise KeyUnavailable(f"a key on the curve {key.curve.name}, wanted {', '.join(CURVES)} or SM2")
    return ALGORITHMS[CURVES[key.curve.name]]


def require_fit(key: PublicKey, algorithm: Algorithm, key_id: str = "public key") -> None:
    """Raises `KeyUnavailable` where the key is too weak, or of another kind than the algorithm's."""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < MINIMUM_RSA_BITS:
        raise KeyUnavailable(
            f"{key_id} is an RSA key of {key.key_size} bits, at least {MINIMUM_RSA_BITS} are wanted",
            "have a new key and certificate made",
        )
    if not fits(key, algorithm):
        raise KeyUnavailable(f"{key_id}: algorithm {algorithm.name} does not fit the kind of key")


def fits(key: PublicKey, algorithm: Algorithm) -> bool:
    """Whether the key is of the algorithm's kind; raises `KeyUnavailable` for a curve not accepted."""
    if isinstance(key, rsa.RSAPublicKey):
        return algorithm.scheme in _RSA_SCHEMES
    return algorithm.scheme is usual_algorithm(key).scheme


def new_hasher(key: PublicKey, algorithm: Algorithm) -> Hasher:
    """A running digest of what the algorithm signs; that of SM2 begins with the signer's identity."""
    hasher = new_digest(algorithm.digest)
    if isinstance(key, Sm2PublicKey):
        hasher.update(key.identity_digest(algorithm.signer_id))
    return hasher


def _certificate_spki(certificate: x509.Certificate) -> bytes:
    """RFC 5280, section 4.1: the field after the subject."""
    fields = tlv.read_elements(certificate.tbs_certificate_bytes)[0].children()
    # version [0] is left out of version 1 certificates.
    start = 1 if fields[0].identifier == tlv.CONTEXT_0 else 0
    return fields[start + 5].raw


def _require_known(key: object) -> PublicKey:
    if not isinstance(key, PublicKey):
        raise KeyUnavailable("the public key is neither RSA nor EC nor SM2")
    return key

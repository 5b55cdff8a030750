"""Whether a certificate or a revocation list was signed by the CA that it names."""

from __future__ import annotations

from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

from keys import tlv
from keys.algorithms import ALGORITHMS
from keys.errors import SealError
from keys.public import certified_key
from keys.sm2_public import Sm2PublicKey
from keys.verifier import PublicVerifier

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
Signed = x509.Certificate | x509.CertificateRevocationList

CERTIFICATE_ERRORS = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
    UserWarning,
)
"""What the parser of certificates raises on bytes that are none, or, with warnings as
errors, on those that it will refuse one day."""
SM2_WITH_SM3_OID = "1.2.156.10197.1.501"
_STRONG_HASHES = ("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512")


def object_signature(signed: Signed, issuer: x509.Certificate) -> str:
    """Why `issuer` did not sign it, or not well enough; empty where it did."""
    what = "certificate" if isinstance(signed, x509.Certificate) else "revocation list"
    no_issuer = f"its key did not make the signature of the {what} below"
    if signed.signature_algorithm_oid.dotted_string == SM2_WITH_SM3_OID:
        return "" if _is_sm2_signed(signed, issuer) else no_issuer
    try:
        algorithm = signed.signature_hash_algorithm
        if algorithm is not None and algorithm.name not in _STRONG_HASHES:
            return f"a {what} signed over {algorithm.name} is too weak"
        _verify(signed, issuer)
    except (*CERTIFICATE_ERRORS, InvalidSignature):
        return no_issuer
    return ""


def find_extension(extensions: x509.Extensions, kind: type[_Extension]) -> _Extension | None:
    """The value of the extension of that kind, if it is there."""
    return next((each.value for each in extensions if isinstance(each.value, kind)), None)


def _verify(signed: Signed, issuer: x509.Certificate) -> None:
    if isinstance(signed, x509.Certificate):
        signed.verify_directly_issued_by(issuer)
    # The library's types leave out keys that cannot verify; these raise.
    elif not signed.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
        raise InvalidSignature


def _is_sm2_signed(signed: Signed, issuer: x509.Certificate) -> bool:
    """GM/T 0015: SM2 with SM3, under the usual signer id."""
    try:
        key = certified_key(issuer)
        inner, outer, bits = tlv.read_elements(signed.public_bytes(Encoding.DER))[0].children()
        if not isinstance(key, Sm2PublicKey) or _named_inside(inner) != outer.raw:
            return False
        verifier = PublicVerifier(key, ALGORITHMS["sm2-sm3"])
        hasher = verifier.hasher()
        hasher.update(inner.raw)
        # The first octet of a bit string counts unused bits.
        verifier.verify_digest(bits.content[1:], hasher.digest())
    except (SealError, ValueError):
        return False
    return True


def _named_inside(inner: tlv.Element) -> bytes:
    """The algorithm inside of what is signed, which must be the one outside (RFC 5280, 4.1.1.2).

    Version and serial number stand before it, in lists the version alone: it is the first sequence.
    """
    return next((field.raw for field in inner.children() if field.identifier == tlv.SEQUENCE), b"")

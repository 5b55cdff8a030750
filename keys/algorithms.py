"""Names and object identifiers of digests, signatures and key transports; adding one is a line
in a table.

An algorithm's name is what `Signer.algorithm` says: scheme, then digest.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from keys.errors import SignatureInvalid
from keys.sm2_public import DEFAULT_SIGNER_ID


class Scheme(StrEnum):
    RSA_PKCS1 = "rsa-pkcs1"
    RSA_PSS = "rsa-pss"
    ECDSA = "ecdsa"
    SM2 = "sm2"


class Algorithm(Struct, frozen=True):
    """A signature scheme with its digest."""

    scheme: Scheme
    digest: str
    """Name as in `keys.digests`."""
    salt_bytes: int | None = None
    """PSS only: length of the salt in a signature to be verified; None is the digest's."""
    signer_id: bytes = DEFAULT_SIGNER_ID
    """SM2 only: the signer's identity, which signer and verifier must have agreed."""

    @property
    def name(self) -> str:
        return f"{self.scheme.value}-{self.digest}"


class Transport(StrEnum):
    """How a content key is carried to whoever holds the private key."""

    RSA_OAEP_SHA256 = "rsa-oaep-sha256"
    RSA_OAEP_SHA384 = "rsa-oaep-sha384"
    RSA_OAEP_SHA512 = "rsa-oaep-sha512"
    RSA_OAEP_SHA1 = "rsa-oaep-sha1"
    """What many devices offer alone; OAEP does not lean on the collisions that SHA-1 has."""
    RSA_PKCS1 = "rsa-pkcs1"
    SM2 = "sm2"


DIGEST_OIDS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "1.2.156.10197.1.401": "sm3",
}
SHA1_OID = "1.3.14.3.2.26"
WEAK_DIGEST_OIDS = {
    "1.2.840.113549.2.2": "md2",
    "1.2.840.113549.2.4": "md4",
    "1.2.840.113549.2.5": "md5",
    SHA1_OID: "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
OID_OF_DIGEST = {digest: oid for oid, digest in DIGEST_OIDS.items()}

RSA_ENCRYPTION_OID = "1.2.840.113549.1.1.1"
"""As a signature algorithm: PKCS#1 v1.5 with the digest that stands beside it."""
SHA1_WITH_RSA_OID = "1.2.840.113549.1.1.5"
RSA_PSS_OID = "1.2.840.113549.1.1.10"
MGF1_OID = "1.2.840.113549.1.1.8"

SIGNATURE_OIDS = {
    "1.2.840.113549.1.1.11": Algorithm(Scheme.RSA_PKCS1, "sha256"),
    "1.2.840.113549.1.1.12": Algorithm(Scheme.RSA_PKCS1, "sha384"),
    "1.2.840.113549.1.1.13": Algorithm(Scheme.RSA_PKCS1, "sha512"),
    "1.2.840.10045.4.3.2": Algorithm(Scheme.ECDSA, "sha256"),
    "1.2.840.10045.4.3.3": Algorithm(Scheme.ECDSA, "sha384"),
    "1.2.840.10045.4.3.4": Algorithm(Scheme.ECDSA, "sha512"),
    "1.2.156.10197.1.501": Algorithm(Scheme.SM2, "sm3"),
}
OID_OF_SIGNATURE = {algorithm.name: oid for oid, algorithm in SIGNATURE_OIDS.items()}

_INTERNATIONAL = ("sha256", "sha384", "sha512")
ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        *(
            Algorithm(scheme, digest)
            for scheme in (Scheme.RSA_PKCS1, Scheme.RSA_PSS, Scheme.ECDSA)
            for digest in _INTERNATIONAL
        ),
        Algorithm(Scheme.SM2, "sm3"),
    )
}
"""By name: everything that signs and is verified."""


def digest_named(oid: str) -> str:
    """Name of a digest that is strong enough; raises `SignatureInvalid` otherwise."""
    if oid in WEAK_DIGEST_OIDS:
        raise SignatureInvalid(
            f"digest {WEAK_DIGEST_OIDS[oid]} is too weak", "ask the signer for SHA-256 or stronger"
        )
    if oid not in DIGEST_OIDS:
        raise SignatureInvalid(f"digest {oid} is not supported")
    return DIGEST_OIDS[oid]

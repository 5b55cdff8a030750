"""Names and object identifiers of digests and signatures; adding one is a line in a table.

An algorithm's name is what `Signer.algorithm` says: scheme, then digest.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from msgspec import Struct

from keys.errors import SignatureInvalid
from keys.signer import Hasher


class Scheme(StrEnum):
    RSA_PKCS1 = "rsa-pkcs1"
    RSA_PSS = "rsa-pss"
    ECDSA = "ecdsa"


class Algorithm(Struct, frozen=True):
    """A signature scheme with its digest."""

    scheme: Scheme
    digest: str
    """Name as in `hashlib`."""
    salt_bytes: int | None = None
    """PSS only: length of the salt in a signature to be verified; None is the digest's."""

    @property
    def name(self) -> str:
        return f"{self.scheme.value}-{self.digest}"


DIGEST_OIDS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
WEAK_DIGEST_OIDS = {
    "1.2.840.113549.2.2": "md2",
    "1.2.840.113549.2.4": "md4",
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
OID_OF_DIGEST = {digest: oid for oid, digest in DIGEST_OIDS.items()}

RSA_ENCRYPTION_OID = "1.2.840.113549.1.1.1"
"""As a signature algorithm: PKCS#1 v1.5 with the digest that stands beside it."""
RSA_PSS_OID = "1.2.840.113549.1.1.10"
MGF1_OID = "1.2.840.113549.1.1.8"

SIGNATURE_OIDS = {
    "1.2.840.113549.1.1.11": Algorithm(Scheme.RSA_PKCS1, "sha256"),
    "1.2.840.113549.1.1.12": Algorithm(Scheme.RSA_PKCS1, "sha384"),
    "1.2.840.113549.1.1.13": Algorithm(Scheme.RSA_PKCS1, "sha512"),
    "1.2.840.10045.4.3.2": Algorithm(Scheme.ECDSA, "sha256"),
    "1.2.840.10045.4.3.3": Algorithm(Scheme.ECDSA, "sha384"),
    "1.2.840.10045.4.3.4": Algorithm(Scheme.ECDSA, "sha512"),
}
OID_OF_SIGNATURE = {algorithm.name: oid for oid, algorithm in SIGNATURE_OIDS.items()}

ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (Algorithm(scheme, digest) for scheme in Scheme for digest in OID_OF_DIGEST)
}
"""By name: everything that signs and is verified."""


def new_digest(name: str) -> Hasher:
    """A running digest by the name that is in the tables."""
    return hashlib.new(name)


def digest_named(oid: str) -> str:
    """Name of a digest that is strong enough; raises `SignatureInvalid` otherwise."""
    if oid in WEAK_DIGEST_OIDS:
        raise SignatureInvalid(
            f"digest {WEAK_DIGEST_OIDS[oid]} is too weak", "ask the signer for SHA-256 or stronger"
        )
    if oid not in DIGEST_OIDS:
        raise SignatureInvalid(f"digest {oid} is not supported")
    return DIGEST_OIDS[oid]

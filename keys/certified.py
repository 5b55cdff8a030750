"""Statements of machines that whoever has the bytes can check: they name their certificate.

The certificate and the algorithm stand inside the signed bytes, so that nothing about the
signature lies outside them. Whose certificate counts is the reader's choice: a `Trust` in
pinned certificates and CAs, or none, and then only that the statement is whole is known.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from msgspec import Struct

from keys.algorithms import ALGORITHMS, Algorithm
from keys.certificates import Anchor, AnchorKind, Trust, certificate_sha256, parse_certificate
from keys.errors import KeyUnavailable, SignatureInvalid, SignatureMalformed
from keys.public import PublicKey, certified_key, parse_spki, public_key_der
from keys.signer import Signer
from keys.statement import verify_statement
from keys.verifier import make_verifier


class Certified(Struct, frozen=True):
    """Who signed. `key_id` is the pin or root that took the certificate, "" without a trust."""

    subject: str
    certificate_sha256: str
    key_id: str


def certificate_text(signer: Signer) -> str:
    """The signer's certificate as a statement carries it: Base64 of its DER."""
    return base64.b64encode(signer.certificate_der).decode("ascii")


def verify_certified(
    statement: bytes, signature: bytes, certificate: str, algorithm: str, trust: Trust | None, at: datetime
) -> Certified:
    """Check a signature by the certificate (as `certificate_text`) that the statement names.

    `at` is when the certificate had to be valid. Raises `SignatureInvalid`,
    `SignatureMalformed`, or `SignerUntrusted` where `trust` does not take the certificate.
    """
    decode_base64(signature)
    parsed = parse_certificate(decode_base64(certificate.encode()))
    try:
        public_key = certified_key(parsed)
    except KeyUnavailable:
        raise SignatureMalformed("the certificate's public key cannot be read") from None
    verify_statement(make_verifier(public_key, _algorithm(algorithm)), statement, signature)
    key_id = "" if trust is None else trust.accept(parsed, [], at)
    return Certified(parsed.subject.rfc4514_string(), certificate_sha256(parsed), key_id)


def pin_certificates(owner: str, environment: str, certificates: Sequence[x509.Certificate]) -> Trust:
    """A trust in these certificates: a CA's in what it certified, any other in itself alone."""
    anchors = [
        Anchor(certificate_sha256(certificate)[:16], certificate, _kind(certificate))
        for certificate in certificates
    ]
    return Trust(owner, environment, anchors)


def verify_public(statement: bytes, signature: bytes, public_key: str, algorithm: str) -> None:
    """Check a signature by a public key (as `public_key_text`); raises as `verify_certified`."""
    try:
        key = parse_spki(decode_base64(public_key.encode()))
    except KeyUnavailable:
        raise SignatureMalformed("not a public key") from None
    verify_statement(make_verifier(key, _algorithm(algorithm)), statement, signature)


def public_key_text(key: PublicKey) -> str:
    """Base64 of the key's SubjectPublicKeyInfo in DER."""
    return base64.b64encode(public_key_der(key)).decode("ascii")


def decode_base64(text: bytes) -> bytes:
    """The bytes, of their one spelling only: a changed byte is never the same signature.

    Raises `SignatureMalformed`.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        raise SignatureMalformed("not Base64") from None
    if base64.b64encode(decoded) != text:
        raise SignatureMalformed("not in the one spelling of Base64")
    return decoded


def _algorithm(name: str) -> Algorithm:
    if name not in ALGORITHMS:
        raise SignatureInvalid(f"algorithm {name[:40]!r} is unknown; there are {', '.join(ALGORITHMS)}")
    return ALGORITHMS[name]


def _kind(certificate: x509.Certificate) -> AnchorKind:
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.BasicConstraints) and extension.value.ca:
            return AnchorKind.ROOT
    return AnchorKind.SIGNER

"""Certificates and certificate requests, signed by any `Signer`: keys in memory and in devices.

X.509 (RFC 5280) and PKCS#10 (RFC 2986) in DER; SM2 as GM/T 0015 has it. Nothing here opens
or verifies anything.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from msgspec import Struct

from keys import tlv
from keys.algorithms import OID_OF_SIGNATURE, Algorithm, Scheme
from keys.errors import KeyUnavailable
from keys.public import PublicKey, public_key_der
from keys.signer import Signer

_VERSION_3 = tlv.wrap(tlv.CONTEXT_0, tlv.encode_integer(2))
_EXTENSION_REQUEST_OID = "1.2.840.113549.1.9.14"
_SERIAL_BYTES = 16
_KEY_IDENTIFIER_BYTES = 20


class Use(Struct, frozen=True):
    """What a certificate is for, as its extensions say it."""

    permitted: tuple[str, ...]
    """Names of key usages as `x509.KeyUsage` has them."""
    authority: bool = False
    path_length: int | None = None


SIGNING = Use(("digital_signature", "content_commitment"))
RECEIVING = Use(("key_encipherment", "data_encipherment"))
"""For the second certificate of the pair that SM sites have: signing and encryption apart."""
SIGNING_AND_RECEIVING = Use((*SIGNING.permitted, *RECEIVING.permitted))


def authority_use(path_length: int | None) -> Use:
    return Use(("key_cert_sign", "crl_sign"), authority=True, path_length=path_length)


class Draft(Struct, frozen=True):
    """What goes into a certificate beside issuer and signature."""

    subject: x509.Name
    public_key: PublicKey
    valid_from: datetime
    valid_until: datetime
    use: Use


def make_certificate(
    draft: Draft, signer: Signer, issuer: x509.Certificate | None = None
) -> x509.Certificate:
    """A certificate signed by the key of `issuer`; without it `signer` certifies itself."""
    name = issuer.subject if issuer is not None else draft.subject
    issuer_key_id = _key_identifier(draft.public_key) if issuer is None else _issuer_key_identifier(issuer)
    identifier = signature_identifier(signer.mechanism)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=draft.use.authority, path_length=draft.use.path_length), True),
        (_key_usage(draft.use), True),
        (x509.SubjectKeyIdentifier(_key_identifier(draft.public_key)), False),
        (x509.AuthorityKeyIdentifier(issuer_key_id, None, None), False),
    ]
    # The first bit is clear: a serial number is above 0.
    serial = int.from_bytes(secrets.token_bytes(_SERIAL_BYTES), "big") >> 1 | 1
    fields = [
        _VERSION_3,
        tlv.encode_integer(serial),
        identifier,
        name.public_bytes(),
        tlv.wrap(tlv.SEQUENCE, _encode_time(draft.valid_from) + _encode_time(draft.valid_until)),
        draft.subject.public_bytes(),
        public_key_der(draft.public_key),
        tlv.wrap(tlv.CONTEXT_3, _encode_extensions(extensions)),
    ]
    return x509.load_der_x509_certificate(_sign(tlv.wrap(tlv.SEQUENCE, b"".join(fields)), identifier, signer))


def make_request(subject: x509.Name, signer: Signer, use: Use = SIGNING) -> bytes:
    """A certificate request (PKCS#10) in DER for the signer's own key."""
    wanted = tlv.wrap(tlv.SET, _encode_extensions([(_key_usage(use), True)]))
    attribute = tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(_EXTENSION_REQUEST_OID) + wanted)
    fields = [
        tlv.encode_integer(0),
        subject.public_bytes(),
        public_key_der(signer.public_key),
        tlv.wrap(tlv.CONTEXT_0, attribute),
    ]
    return _sign(tlv.wrap(tlv.SEQUENCE, b"".join(fields)), signature_identifier(signer.mechanism), signer)


def signature_identifier(algorithm: Algorithm) -> bytes:
    """AlgorithmIdentifier of a signature over a certificate; raises `KeyUnavailable` for PSS."""
    if algorithm.name not in OID_OF_SIGNATURE:
        raise KeyUnavailable(f"certificates are not signed with {algorithm.name} here")
    # RFC 4055 wants NULL with PKCS#1 v1.5, RFC 5758 and RFC 8998 want nothing on curves.
    parameters = tlv.wrap(tlv.NULL, b"") if algorithm.scheme is Scheme.RSA_PKCS1 else b""
    return tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(OID_OF_SIGNATURE[algorithm.name]) + parameters)


def _sign(inner: bytes, identifier: bytes, signer: Signer) -> bytes:
    hasher = signer.hasher()
    hasher.update(inner)
    signature = tlv.wrap(tlv.BIT_STRING, b"\0" + signer.sign_digest(hasher.digest()))
    return tlv.wrap(tlv.SEQUENCE, inner + identifier + signature)


def _key_identifier(key: PublicKey) -> bytes:
    """RFC 7093, section 2, method 1: SHA-256 of the key's bits, cut."""
    bits = tlv.read_elements(public_key_der(key))[0].children()[1].content[1:]
    return hashlib.sha256(bits).digest()[:_KEY_IDENTIFIER_BYTES]


def _issuer_key_identifier(issuer: x509.Certificate) -> bytes | None:
    for extension in issuer.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            return extension.value.digest
    return None


def _encode_extensions(extensions: Sequence[tuple[x509.ExtensionType, bool]]) -> bytes:
    encoded = []
    for value, critical in extensions:
        flag = tlv.wrap(tlv.BOOLEAN, b"\xff") if critical else b""
        octets = tlv.wrap(tlv.OCTET_STRING, value.public_bytes())
        encoded.append(tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(value.oid.dotted_string) + flag + octets))
    return tlv.wrap(tlv.SEQUENCE, b"".join(encoded))


def _key_usage(use: Use) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in use.permitted for name in names})


def _encode_time(instant: datetime) -> bytes:
    """RFC 5280, section 4.1.2.5."""
    instant = instant.astimezone(UTC)
    if instant.year < 2050:
        return tlv.wrap(tlv.UTC_TIME, f"{instant:%y%m%d%H%M%SZ}".encode())
    return tlv.wrap(tlv.GENERALIZED_TIME, f"{instant:%Y%m%d%H%M%SZ}".encode())

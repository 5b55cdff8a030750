"""Keys and certificates of the fuzz targets. The keys are fixed, so that a kept input still verifies."""

from __future__ import annotations

import functools
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys.authority import Authority, Identity
from keys.certificates import Anchor, AnchorKind, Trust
from keys.master import MasterKey, Masters
from keys.rest_ciphers import SM4_GCM

NOW = datetime(2026, 9, 1, 2, 0, tzinfo=UTC)
VALID = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
_ROOT, _SIGNER, _STRANGER = 20_260_901, 20_260_902, 20_260_903


@functools.cache
def authority() -> Authority:
    """A bank's CA."""
    return Authority(_identity("CN=Bank CA,O=Fuzz,C=CN", _ROOT, ca=True))


@functools.cache
def bank() -> Identity:
    """Who may sign for the bank."""
    subject = x509.Name.from_rfc4514_string("CN=Settlement,O=Fuzz,C=CN")
    key = _key(_SIGNER)
    builder = _builder(subject, authority().certificate.subject, key)
    return Identity(key, authority().sign(_with_use(builder, ca=False)))


@functools.cache
def stranger() -> Identity:
    """Somebody with a certificate that he made himself."""
    return _identity("CN=Settlement,O=Fuzz,C=CN", _STRANGER, ca=False)


@functools.cache
def trust() -> Trust:
    """In the CA, as a bank's ring has it."""
    return Trust("fuzz-bank", "test", [Anchor("root", authority().certificate, AnchorKind.ROOT)])


@functools.cache
def masters() -> Masters:
    """One for each cipher at rest."""
    return Masters(MasterKey("fuzz-2", b"\2" * 32), [MasterKey("fuzz-1", b"\1" * 32, SM4_GCM)])


def _identity(name: str, number: int, *, ca: bool) -> Identity:
    subject, key = x509.Name.from_rfc4514_string(name), _key(number)
    builder = _with_use(_builder(subject, subject, key), ca=ca)
    return Identity(key, builder.sign(key, hashes.SHA256()))


def _key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), serial_number=77)
        .not_valid_before(VALID[0])
        .not_valid_after(VALID[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _with_use(builder: x509.CertificateBuilder, *, ca: bool) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)

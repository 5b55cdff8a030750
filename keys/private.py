"""Keys out of files: PEM (encrypted too) and PKCS#12, into signers and verifiers."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
    pkcs12,
)

from keys.algorithms import ALGORITHMS, Algorithm, Scheme
from keys.certificates import CERTIFICATE_ERRORS
from keys.ec import CURVES, EcSigner, EcVerifier
from keys.errors import KeyUnavailable
from keys.rsa import RsaSigner, RsaVerifier
from keys.secret_sources import read_private_file, read_public_file
from keys.signer import Signer, Verifier

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def load_signer(
    key_id: str,
    private_key: Path | str,
    certificate: Path | str | None = None,
    password: bytes | None = None,
    algorithm: str = "",
) -> Signer:
    """A signer from a PEM file of mode 0600, with its certificate where there is one.

    The file of the certificate may hold those of the CAs after it, which are sent along.
    Without `algorithm`, RSA signs PKCS#1 v1.5 with SHA-256 and EC with its curve's digest.
    Raises `KeyUnavailable`; so it does where certificate and key do not belong together.
    """
    key_path = Path(private_key)
    key = _parse_private_key(read_private_file(key_path), key_path, password)
    certificates = load_certificates(Path(certificate)) if certificate is not None else []
    own, *chain = [each.public_bytes(Encoding.DER) for each in certificates] or [b""]
    return make_signer(key, key_id, own, algorithm, tuple(chain))


def load_pkcs12_signer(key_id: str, path: Path, password: bytes | None = None, algorithm: str = "") -> Signer:
    """A signer from a PKCS#12 file of mode 0600; other certificates in it are sent along."""
    content = read_private_file(path)
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(content, password)
    except ValueError:
        raise KeyUnavailable(
            f"{path} does not open", "not a PKCS#12 file, or the password is another"
        ) from None
    if certificate is None or not isinstance(key, PrivateKey):
        raise KeyUnavailable(f"{path} holds no RSA or EC key with its certificate")
    chain = tuple(other.public_bytes(Encoding.DER) for other in others)
    return make_signer(key, key_id, certificate.public_bytes(Encoding.DER), algorithm, chain)


def make_signer(
    private_key: PrivateKey,
    key_id: str,
    certificate_der: bytes = b"",
    algorithm: str = "",
    chain_der: tuple[bytes, ...] = (),
) -> Signer:
    """A signer around a key in memory; raises `KeyUnavailable`."""
    if certificate_der:
        _require_pair(private_key, certificate_der, key_id)
    if isinstance(private_key, rsa.RSAPrivateKey):
        algorithm = algorithm or "rsa-pkcs1-sha256"
        _require_scheme(algorithm, {Scheme.RSA_PKCS1, Scheme.RSA_PSS}, key_id)
        return RsaSigner(private_key, key_id, certificate_der, algorithm, chain_der)
    if algorithm:
        _require_scheme(algorithm, {Scheme.ECDSA}, key_id)
    return EcSigner(private_key, key_id, certificate_der, algorithm, chain_der)


def make_verifier(public_key: object, algorithm: Algorithm | None = None) -> Verifier:
    """A verifier around a public key; raises `KeyUnavailable` where key and algorithm do not fit.

    Without `algorithm`: the one that `make_signer` takes.
    """
    if isinstance(public_key, rsa.RSAPublicKey):
        algorithm = algorithm or ALGORITHMS["rsa-pkcs1-sha256"]
        _require_scheme(algorithm.name, {Scheme.RSA_PKCS1, Scheme.RSA_PSS}, "public key")
        return RsaVerifier(public_key, algorithm)
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        algorithm = algorithm or ALGORITHMS[CURVES.get(public_key.curve.name, "ecdsa-sha256")]
        _require_scheme(algorithm.name, {Scheme.ECDSA}, "public key")
        return EcVerifier(public_key, algorithm)
    raise KeyUnavailable("the public key is neither RSA nor EC")


def load_public_key(path: Path) -> PublicKey:
    """The key in a PEM public key or certificate; raises `KeyUnavailable`."""
    content = read_public_file(path)
    try:
        if b"-----BEGIN CERTIFICATE-----" in content:
            key: object = x509.load_pem_x509_certificate(content).public_key()
        else:
            key = load_pem_public_key(content)
    except CERTIFICATE_ERRORS:
        raise KeyUnavailable(f"{path} is neither a PEM public key nor a PEM certificate") from None
    if not isinstance(key, PublicKey):
        raise KeyUnavailable(f"{path} holds neither an RSA nor an EC key")
    return key


def load_certificates(path: Path) -> list[x509.Certificate]:
    """At least one certificate, PEM (one or more) or DER; raises `KeyUnavailable`."""
    content = read_public_file(path)
    try:
        if content.lstrip().startswith(b"\x30"):
            return [x509.load_der_x509_certificate(content)]
        return x509.load_pem_x509_certificates(content)
    except CERTIFICATE_ERRORS:
        raise KeyUnavailable(f"{path} is not a certificate, neither PEM nor DER") from None


def _parse_private_key(content: bytes, path: Path, password: bytes | None) -> PrivateKey:
    try:
        key = load_pem_private_key(content, password)
    except TypeError:
        wanted = "is encrypted and no password is given" if password is None else "is not encrypted"
        raise KeyUnavailable(f"{path} {wanted}", "compare the password entry with the file") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnavailable(
            f"{path} does not open", "not a PEM private key, or the password is another"
        ) from None
    if not isinstance(key, PrivateKey):
        raise KeyUnavailable(f"{path} holds neither an RSA nor an EC key")
    return key


def _require_pair(private_key: PrivateKey, certificate_der: bytes, key_id: str) -> None:
    certified = x509.load_der_x509_certificate(certificate_der).public_key()
    spki = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if load_der_public_key(spki) != certified:
        raise KeyUnavailable(f"{key_id}: the certificate belongs to another private key")


def _require_scheme(algorithm: str, schemes: set[Scheme], key_id: str) -> None:
    if algorithm not in ALGORITHMS:
        raise KeyUnavailable(
            f"{key_id}: algorithm {algorithm!r} is unknown; there are {', '.join(ALGORITHMS)}"
        )
    if ALGORITHMS[algorithm].scheme not in schemes:
        raise KeyUnavailable(f"{key_id}: algorithm {algorithm} does not fit the kind of key")

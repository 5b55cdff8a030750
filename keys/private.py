"""Keys out of files: PEM (encrypted too) and PKCS#12, into signers and decrypters."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from keys.algorithms import ALGORITHMS, Transport
from keys.ec import EcKey
from keys.errors import KeyUnavailable
from keys.public import (
    PublicKey,
    certified_key,
    parse_pem_public_key,
    public_key_der,
    require_fit,
    usual_algorithm,
)
from keys.rsa import RsaKey, transport_padding
from keys.secret_sources import read_private_file, read_public_file
from keys.signer import Decrypter, DecryptionKey, Encrypter, Signer, SigningKey
from keys.sm2 import Sm2Key, Sm2PrivateKey, sm2_encrypt
from keys.sm2_files import read_sm2_pem
from keys.sm2_public import Sm2PublicKey
from keys.x509_signatures import CERTIFICATE_ERRORS

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Sm2PrivateKey
"""Keys in memory."""


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
    key = load_private_key(Path(private_key), password)
    certificates = load_certificates(Path(certificate)) if certificate is not None else []
    own, *chain = [each.public_bytes(Encoding.DER) for each in certificates] or [b""]
    return make_signer(key, key_id, own, algorithm, tuple(chain))


def load_decrypter(
    key_id: str, private_key: Path, certificate: Path, password: bytes | None = None
) -> Decrypter:
    """A decrypter from a PEM file of mode 0600 and its certificate; raises `KeyUnavailable`."""
    certificate_der = load_certificates(certificate)[0].public_bytes(Encoding.DER)
    return make_decrypter(load_private_key(private_key, password), key_id, certificate_der)


def load_pkcs12_signer(key_id: str, path: Path, password: bytes | None = None, algorithm: str = "") -> Signer:
    """A signer from a PKCS#12 file of mode 0600; other certificates in it are sent along."""
    key, certificate, others = load_pkcs12(path, password)
    chain = tuple(other.public_bytes(Encoding.DER) for other in others)
    return make_signer(key, key_id, certificate.public_bytes(Encoding.DER), algorithm, chain)


def load_pkcs12(
    path: Path, password: bytes | None
) -> tuple[PrivateKey, x509.Certificate, list[x509.Certificate]]:
    """Key, its certificate, and others in a PKCS#12 file of mode 0600; raises `KeyUnavailable`."""
    content = read_private_file(path)
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(content, password)
    except UnsupportedAlgorithm:
        raise KeyUnavailable(f"{path} holds no RSA or EC key", "SM2 keys come as PEM") from None
    except ValueError:
        raise KeyUnavailable(
            f"{path} does not open", "not a PKCS#12 file, or the password is another"
        ) from None
    if certificate is None or not isinstance(key, PrivateKey):
        raise KeyUnavailable(f"{path} holds no RSA or EC key with its certificate")
    return key, certificate, others


def make_signer(
    private_key: PrivateKey | SigningKey,
    key_id: str,
    certificate_der: bytes = b"",
    algorithm: str = "",
    chain_der: tuple[bytes, ...] = (),
) -> Signer:
    """A signer around a key in memory, or around whatever signs; raises `KeyUnavailable`."""
    key: SigningKey = hold(private_key) if isinstance(private_key, PrivateKey) else private_key
    if algorithm and algorithm not in ALGORITHMS:
        raise KeyUnavailable(
            f"{key_id}: algorithm {algorithm!r} is unknown; there are {', '.join(ALGORITHMS)}"
        )
    mechanism = ALGORITHMS[algorithm] if algorithm else usual_algorithm(key.public_key)
    require_fit(key.public_key, mechanism, key_id)
    if certificate_der:
        _require_pair(key.public_key, certificate_der, key_id)
    return Signer(key, key_id, mechanism, certificate_der, chain_der)


def make_decrypter(private_key: PrivateKey | DecryptionKey, key_id: str, certificate_der: bytes) -> Decrypter:
    """A decrypter around a key in memory, or around whatever decrypts; raises `KeyUnavailable`."""
    held = hold(private_key) if isinstance(private_key, PrivateKey) else private_key
    if isinstance(held, EcKey):
        raise KeyUnavailable(f"{key_id} is an EC key; only RSA and SM2 keys receive")
    _require_pair(held.public_key, certificate_der, key_id)
    return Decrypter(held, key_id, certificate_der)


def make_encrypter(certificate: x509.Certificate, transport: Transport | None = None) -> Encrypter:
    """Encrypts content keys to a certificate; raises `KeyUnavailable` for one that cannot receive.

    Without `transport`: OAEP with SHA-256, or SM2.
    """
    key = certified_key(certificate)
    if isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyUnavailable("a certificate with an EC key; only RSA and SM2 keys receive")
    usual = Transport.SM2 if isinstance(key, Sm2PublicKey) else Transport.RSA_OAEP_SHA256
    transport = transport or usual
    if (transport is Transport.SM2) is not isinstance(key, Sm2PublicKey):
        raise KeyUnavailable(f"{transport.value} does not fit the kind of key in the recipient's certificate")
    require_fit(key, usual_algorithm(key), "the recipient's key")
    return _PublicEncrypter(key, certificate.public_bytes(Encoding.DER), transport)


class _PublicEncrypter:
    """Encrypts with a public key, which is never in a device."""

    def __init__(
        self, key: rsa.RSAPublicKey | Sm2PublicKey, certificate_der: bytes, transport: Transport
    ) -> None:
        self._key = key
        self.certificate_der = certificate_der
        self.transport = transport

    def wrap(self, content_key: bytes) -> bytes:
        if isinstance(self._key, Sm2PublicKey):
            return sm2_encrypt(self._key, content_key)
        return self._key.encrypt(content_key, transport_padding(self.transport))


def hold(private_key: PrivateKey) -> RsaKey | EcKey | Sm2Key:
    """A key in memory behind the protocols."""
    if isinstance(private_key, rsa.RSAPrivateKey):
        return RsaKey(private_key)
    if isinstance(private_key, Sm2PrivateKey):
        return Sm2Key(private_key)
    return EcKey(private_key)


def load_public_key(path: Path) -> PublicKey:
    """The key in a PEM public key or certificate; raises `KeyUnavailable`."""
    return parse_public_key(read_public_file(path), path)


def parse_public_key(content: bytes, path: Path) -> PublicKey:
    """As `load_public_key`; `path` is for messages."""
    try:
        if b"-----BEGIN CERTIFICATE-----" in content:
            return certified_key(x509.load_pem_x509_certificate(content))
        return parse_pem_public_key(content)
    except (*CERTIFICATE_ERRORS, KeyUnavailable):
        raise KeyUnavailable(
            f"{path} is neither a PEM public key nor a PEM certificate of an RSA, EC or SM2 key"
        ) from None


def load_certificates(path: Path) -> list[x509.Certificate]:
    """At least one certificate, PEM (one or more) or DER; raises `KeyUnavailable`."""
    return parse_certificates(read_public_file(path), path)


def parse_certificates(content: bytes, path: Path) -> list[x509.Certificate]:
    """As `load_certificates`; `path` is for messages."""
    try:
        if content.lstrip().startswith(b"\x30"):
            return [x509.load_der_x509_certificate(content)]
        return x509.load_pem_x509_certificates(content)
    except CERTIFICATE_ERRORS:
        raise KeyUnavailable(f"{path} is not a certificate, neither PEM nor DER") from None


def load_private_key(path: Path, password: bytes | None = None) -> PrivateKey:
    """The key in a PEM file of mode 0600: PKCS#8, encrypted or not, or SEC 1; raises `KeyUnavailable`."""
    content = read_private_file(path)
    try:
        key = load_pem_private_key(content, password)
    except TypeError:
        wanted = "is encrypted and no password is given" if password is None else "is not encrypted"
        raise KeyUnavailable(f"{path} {wanted}", "compare the password entry with the file") from None
    except UnsupportedAlgorithm:
        return read_sm2_pem(content, path, password)
    except ValueError:
        if b"BEGIN ENCRYPTED PRIVATE KEY" in content:
            # Files of SM2 are encrypted with SM4 too, which that library does not take.
            return read_sm2_pem(content, path, password)
        raise KeyUnavailable(
            f"{path} does not open", "not a PEM private key, or the password is another"
        ) from None
    if not isinstance(key, PrivateKey):
        raise KeyUnavailable(f"{path} holds neither an RSA nor an EC nor an SM2 key")
    return key


def _require_pair(public_key: PublicKey, certificate_der: bytes, key_id: str) -> None:
    certified = certified_key(x509.load_der_x509_certificate(certificate_der))
    if public_key_der(certified) != public_key_der(public_key):
        raise KeyUnavailable(f"{key_id}: the certificate belongs to another private key")

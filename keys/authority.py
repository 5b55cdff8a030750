"""Makes a certificate authority, certificates, keys and SSH key pairs.

For sites without a CA of their own, for the simulated banks, and for tests. Nothing here
opens or verifies anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12
from msgspec import Struct

from keys.certificate_make import SIGNING, Draft, Use, authority_use, make_certificate
from keys.errors import KeyUnavailable
from keys.private import PrivateKey, make_signer
from keys.secret_sources import write_private_file, write_public_file
from keys.signer import Signer
from keys.sm2 import Sm2PrivateKey
from keys.sm2_files import sm2_private_pem

KEY_KINDS = ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384", "sm2")
_CURVES: dict[str, ec.EllipticCurve] = {"ec-p256": ec.SECP256R1(), "ec-p384": ec.SECP384R1()}


class Identity(Struct, frozen=True):
    """A private key and the certificate for it."""

    private_key: PrivateKey
    certificate: x509.Certificate

    @property
    def certificate_der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def __repr__(self) -> str:
        return f"Identity({self.certificate.subject.rfc4514_string()!r})"

    def signer(self, key_id: str, algorithm: str = "", chain_der: tuple[bytes, ...] = ()) -> Signer:
        """A signer in memory; see `keys.private.make_signer`."""
        return make_signer(self.private_key, key_id, self.certificate_der, algorithm, chain_der)

    def write_pem(self, key_path: Path, certificate_path: Path, password: bytes | None = None) -> None:
        """Two new files: the key in PKCS#8 with mode 0600, and the certificate."""
        write_private_file(key_path, private_key_pem(self.private_key, password))
        write_public_file(certificate_path, certificate_pem(self.certificate))

    def write_pkcs12(self, path: Path, password: bytes, chain: Sequence[x509.Certificate] = ()) -> None:
        """A new PKCS#12 file with mode 0600: key, certificate and chain."""
        if isinstance(self.private_key, Sm2PrivateKey):
            raise KeyUnavailable("SM2 keys are not written to PKCS#12", "write PEM with a password")
        encryption = serialization.BestAvailableEncryption(password)
        content = pkcs12.serialize_key_and_certificates(
            None, self.private_key, self.certificate, list(chain) or None, encryption
        )
        write_private_file(path, content)


class Authority:
    """A CA: its own identity, and what it makes for others."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    @classmethod
    def create(
        cls,
        subject: str,
        valid_from: datetime,
        valid_until: datetime,
        kind: str = "ec-p256",
        path_length: int | None = None,
    ) -> Authority:
        """A self-signed root. `subject` as `CN=...,O=...,C=CN` (RFC 4514)."""
        key = new_private_key(kind)
        draft = _draft(subject, key, valid_from, valid_until, authority_use(path_length))
        return cls(Identity(key, make_certificate(draft, make_signer(key, "self"))))

    @property
    def certificate(self) -> x509.Certificate:
        return self.identity.certificate

    def issue(
        self,
        subject: str,
        valid_from: datetime,
        valid_until: datetime,
        kind: str = "rsa-3072",
        use: Use = SIGNING,
    ) -> Identity:
        """A key and a certificate, to sign files with where nothing else is said."""
        key = new_private_key(kind)
        draft = _draft(subject, key, valid_from, valid_until, use)
        return Identity(key, make_certificate(draft, self._signer(), self.certificate))

    def issue_authority(
        self,
        subject: str,
        valid_from: datetime,
        valid_until: datetime,
        kind: str = "ec-p256",
        path_length: int | None = 0,
    ) -> Authority:
        """A CA below this one."""
        return Authority(self.issue(subject, valid_from, valid_until, kind, authority_use(path_length)))

    def certify(self, draft: Draft) -> x509.Certificate:
        """A certificate for somebody else's key."""
        return make_certificate(draft, self._signer(), self.certificate)

    def _signer(self) -> Signer:
        return make_signer(self.identity.private_key, "authority")

    def sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """A certificate of any content, signed by this CA's key."""
        issuer_key = self.identity.private_key
        if isinstance(issuer_key, Sm2PrivateKey):
            raise KeyUnavailable("a builder's certificate is not signed with SM2", "make a draft")
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        return builder.add_extension(identifier, critical=False).sign(issuer_key, _hash_for(issuer_key))


def new_private_key(kind: str) -> PrivateKey:
    """A new key; `kind` is one of `KEY_KINDS`."""
    if kind not in KEY_KINDS:
        raise KeyUnavailable(f"no such kind of key: {kind!r}", f"there are {', '.join(KEY_KINDS)}")
    if kind == "sm2":
        return Sm2PrivateKey.generate()
    if kind in _CURVES:
        return ec.generate_private_key(_CURVES[kind])
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa-")))


def certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def private_key_pem(private_key: PrivateKey, password: bytes | None = None) -> bytes:
    """PKCS#8 in PEM, encrypted where there is a password."""
    if isinstance(private_key, Sm2PrivateKey):
        return sm2_private_pem(private_key, password)
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(password))


def write_ssh_key_pair(path: Path, comment: str, passphrase: bytes | None = None) -> str:
    """Write a new Ed25519 key for SSH to `path` (0600) and `path`.pub; the public line."""
    key = ed25519.Ed25519PrivateKey.generate()
    write_private_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, _encryption(passphrase)))
    public = key.public_key().public_bytes(Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    line = f"{public.decode('ascii')} {comment}"
    write_public_file(path.with_name(path.name + ".pub"), f"{line}\n".encode())
    return line


def _draft(subject: str, key: PrivateKey, valid_from: datetime, valid_until: datetime, use: Use) -> Draft:
    return Draft(x509.Name.from_rfc4514_string(subject), key.public_key(), valid_from, valid_until, use)


def _hash_for(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> hashes.SHA256 | hashes.SHA384:
    return hashes.SHA384() if key.key_size == 384 else hashes.SHA256()


def _encryption(password: bytes | None) -> serialization.KeySerializationEncryption:
    if password is None:
        return serialization.NoEncryption()
    return serialization.BestAvailableEncryption(password)

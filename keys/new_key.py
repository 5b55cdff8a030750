"""Makes our own keys: a private file, and what is handed over for it.

For a key to sign with that is a certificate request, or a certificate of its own making where
the other side pins. Nothing is ever overwritten: all names are looked at before a key is made,
and each file is created exclusively. Private files have mode 0600.
"""

from __future__ import annotations

import base64
import re
import textwrap
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from keys.authority import KEY_KINDS, new_private_key, private_key_pem, write_ssh_key_pair
from keys.certificate_make import RECEIVING, SIGNING, Draft, Use, make_certificate, make_request
from keys.errors import KeyUnavailable
from keys.master import new_master_key_file
from keys.pkcs11 import Token
from keys.pkcs11_new import new_token_key
from keys.pkcs11_pins import RefusedPins
from keys.pkcs11_uri import parse_uri
from keys.private import load_signer, make_signer
from keys.secret_sources import SecretSource, write_private_file, write_public_file
from keys.signer import Signer

SSH = "ssh"
MASTERS = {"master": "aes-256-gcm", "master-sm4": "sm4-gcm"}
"""Kinds of master keys, and the cipher at rest that goes with each."""
NEW_KEY_KINDS = (*KEY_KINDS, SSH, *MASTERS)
"""RSA, EC and SM2 to sign with; `ssh` to log in; `master` for the spool and for fingerprints."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")
_PEM_WIDTH = 64
_REFUSED_FILE = "refused-pins"
"""In the folder of new files: no ring is known here, beside which refused PINs are remembered."""


class MadeKey(Struct, frozen=True):
    """What was made. `entry` are lines for the ring, all but role and owner."""

    private: Path | None
    """None where the key is in a token."""
    public: Path | None
    """The file to hand over: a request, a certificate, or a public key; None for masters."""
    entry: tuple[str, ...]


class Certification(Struct, frozen=True):
    """Whom the certificate names. With a validity it is self-signed, else a request is made."""

    subject: x509.Name
    validity: tuple[datetime, datetime] | None = None
    use: Use = SIGNING

    @property
    def suffix(self) -> str:
        return ".csr" if self.validity is None else ".crt"


def certification(
    subject: str, validity: tuple[datetime, datetime] | None = None, use: Use = SIGNING
) -> Certification:
    """`subject` as `CN=...,O=...,C=CN` (RFC 4514); raises `KeyUnavailable`."""
    try:
        name = x509.Name.from_rfc4514_string(subject)
    except ValueError:
        name = x509.Name([])
    if not list(name):
        raise KeyUnavailable(f"subject {subject!r} is no name", "write it as CN=settlement,O=District,C=CN")
    return Certification(name, validity, use)


def new_signing_key(
    folder: Path, name: str, kind: str, wanted: Certification, password: bytes | None = None
) -> MadeKey:
    """A key of one of `KEY_KINDS` in `NAME.key`, encrypted where there is a password."""
    private, public = folder / f"{name}.key", folder / f"{name}{wanted.suffix}"
    require_new(name, private, public)
    write_private_file(private, private_key_pem(new_private_key(kind), password))
    # Read back from its file: what the ring will open is what signs here.
    write_certification(public, load_signer(name, private, password=password), wanted)
    entry = [f'private_key = "{private}"', f'certificate = "{public.with_suffix(".crt")}"']
    if password is not None:
        entry.append('password = { file = "..." }')
    return MadeKey(private, public, tuple(entry))


def new_key_in_token(
    folder: Path, name: str, kind: str, wanted: Certification, uri: str, pin: SecretSource | None
) -> MadeKey:
    """A key of one of `TOKEN_KEY_KINDS` in the token that a PKCS#11 URI names; it never comes out."""
    public = folder / f"{name}{wanted.suffix}"
    require_new(name, public)
    key_name = parse_uri(uri)
    token = Token(key_name.token, pin, RefusedPins(folder / _REFUSED_FILE))
    receives = RECEIVING.permitted[0] in wanted.use.permitted
    key = new_token_key(token, key_name, kind, receives=receives)
    write_certification(public, make_signer(key, name), wanted)
    entry = [f'pkcs11 = "{uri}"', f'certificate = "{public.with_suffix(".crt")}"']
    if pin is not None:
        entry.append(f'pin = {{ {pin.kind.value} = "{pin.name}" }}')
    return MadeKey(None, public, tuple(entry))


def new_login_key(folder: Path, name: str, password: bytes | None = None) -> MadeKey:
    """A key to log in with over SSH, in `NAME` and `NAME.pub`."""
    private, public = folder / name, folder / f"{name}.pub"
    require_new(name, private, public)
    write_ssh_key_pair(private, name, password)
    entry = [f'private_key = "{private}"']
    if password is not None:
        entry.append('password = { file = "..." }')
    return MadeKey(private, public, tuple(entry))


def new_master_key(folder: Path, name: str, kind: str = "master") -> MadeKey:
    """A key for the spool or for fingerprints, in `NAME.key`."""
    private = folder / f"{name}.key"
    require_new(name, private)
    new_master_key_file(private, name, MASTERS[kind])
    return MadeKey(private, None, (f'key = {{ file = "{private}" }}',))


def write_certification(path: Path, signer: Signer, wanted: Certification) -> None:
    """The request or certificate for the signer's key in PEM, in a new file."""
    if wanted.validity is None:
        content = pem(make_request(wanted.subject, signer, wanted.use), "CERTIFICATE REQUEST")
    else:
        draft = Draft(wanted.subject, signer.public_key, *wanted.validity, wanted.use)
        content = make_certificate(draft, signer).public_bytes(Encoding.PEM)
    write_public_file(path, content)


def require_new(name: str, *paths: Path) -> None:
    """Raises `KeyUnavailable` where `name` cannot be a key's, or one of its files is there."""
    if not _NAME.fullmatch(name):
        raise KeyUnavailable(
            f"{name!r} is no name of a key", "up to 48 letters, digits, dots, hyphens and underscores"
        )
    require_absent(*paths)


def require_absent(*paths: Path) -> None:
    """Raises `KeyUnavailable` where something is there under one of these names."""
    for path in paths:
        if path.exists() or path.is_symlink():
            raise KeyUnavailable(
                f"{path} is there already and is not overwritten", "take another name, or move it away"
            )


def pem(der: bytes, label: str) -> bytes:
    """Base64 in lines between `BEGIN` and `END`."""
    lines = textwrap.wrap(base64.b64encode(der).decode("ascii"), _PEM_WIDTH)
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()

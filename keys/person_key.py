"""A person's own key: made at home, its public half handed in, its fingerprint compared.

The fingerprint is the SHA-256 of the public key (SubjectPublicKeyInfo in DER), as journals
and bundles name it: `openssl pkey -pubin -in li.pub -outform DER | sha256sum`.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from msgspec import Struct

from keys.authority import new_private_key, private_key_pem
from keys.certified import public_key_text
from keys.errors import KeyUnavailable
from keys.keyring_listed import describe_public_key
from keys.new_key import pem, require_absent
from keys.pkcs11 import PinSource, Token, TokenKey
from keys.pkcs11_pins import RefusedPins
from keys.pkcs11_public import find_public_key
from keys.pkcs11_uri import parse_uri
from keys.private import load_private_key, make_signer, parse_public_key
from keys.public import PublicKey
from keys.secret_sources import read_private_file, read_public_file, write_private_file, write_public_file
from keys.signer import Signer
from keys.verifier import make_verifier

PERSON_KEY_KINDS = ("ec-p256", "ec-p384", "sm2")
"""What a person may make here; the ring takes RSA keys too."""
PUBLIC_SUFFIX = ".pub"


class PersonKey(Struct, frozen=True):
    """The public half of a person's key."""

    kind: str
    """Such as `EC P-256`."""
    algorithm: str
    """What it signs with."""
    public_key: str
    """Base64 of its SubjectPublicKeyInfo."""

    @property
    def sha256(self) -> str:
        """The fingerprint, lower-case hex."""
        return public_key_sha256(self.public_key)

    def to_pem(self) -> bytes:
        return pem(base64.b64decode(self.public_key), "PUBLIC KEY")


def public_key_sha256(public_key: str) -> str:
    """Fingerprint of a public key given as Base64 of its SubjectPublicKeyInfo; lower-case hex."""
    return hashlib.sha256(base64.b64decode(public_key)).hexdigest()


def new_person_key(path: Path, kind: str, passphrase: bytes | None) -> tuple[PersonKey, Path]:
    """A new key in `path` (0600, encrypted where there is a passphrase); its public half and that's file.

    The public half goes beside it, under the name with `.pub`. Nothing is overwritten. Raises
    `KeyUnavailable`.
    """
    public_path = require_both_absent(path)
    write_private_file(path, private_key_pem(new_private_key(kind), passphrase))
    # Read back from its file: what is handed in belongs to what will sign.
    public = _describe(load_private_key(path, passphrase).public_key())
    try:
        write_public_file(public_path, public.to_pem())
    except KeyUnavailable:
        # A half that nobody can hand in is none.
        path.unlink()
        raise
    return public, public_path


def require_both_absent(path: Path) -> Path:
    """The name of the public half beside a private file; raises `KeyUnavailable` where either is there."""
    public_path = path.with_suffix(PUBLIC_SUFFIX)
    if public_path == path:
        raise KeyUnavailable(f"{path} is the name of the public half", "name the private file li.pem")
    require_absent(path, public_path)
    return public_path


def read_person_key(path: Path) -> PersonKey:
    """What a person handed in: a PEM public key or certificate, strong enough to sign.

    Raises `KeyUnavailable`; so it does for a private key, which nobody may hand in.
    """
    content = read_public_file(path)
    if b"PRIVATE KEY" in content:
        raise KeyUnavailable(
            f"{path} holds a private key",
            "it is known to others now: have a new one made, and only its public half handed in",
        )
    return _describe(parse_public_key(content, path))


def is_protected(path: Path) -> bool:
    """Whether a PEM file of a private key wants a passphrase; raises `KeyUnavailable`."""
    content = read_private_file(path)
    return b"BEGIN ENCRYPTED PRIVATE KEY" in content or b"Proc-Type: 4,ENCRYPTED" in content


def _describe(public_key: PublicKey) -> PersonKey:
    algorithm = make_verifier(public_key).algorithm
    return PersonKey(describe_public_key(public_key), algorithm, public_key_text(public_key))


def load_token_signer(person: str, uri: str, pin: PinSource, refused: Path) -> Signer:
    """A person's key in a token, by PKCS#11 URI; its public half stands beside it there.

    `refused` is where PINs are remembered that the token refused. Raises `KeyUnavailable`.
    """
    name = parse_uri(uri)
    token = Token(name.token, pin, RefusedPins(refused))
    return make_signer(TokenKey(token, name, find_public_key(token, name)), person)

"""What a ring's entries come to when they are opened."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from msgspec import Struct, field

from keys.fingerprint import Fingerprinter
from keys.keyring_file import Entry
from keys.keyring_tokens import Tokens
from keys.master import MasterKey
from keys.pgp import PgpCertificate, PgpKey
from keys.revocation import Revocations
from keys.signer import Decrypter, Hasher, Signer, Verifier


class Login:
    """How to log in at a bank's server. Secrets are not shown by `repr`."""

    def __init__(
        self, key_id: str, private_key: Path | None, passphrase: str | None, password: str | None
    ) -> None:
        self.key_id = key_id
        self.private_key = private_key
        """File of the private key, of mode 0600; None for a login by password alone."""
        self.passphrase = passphrase
        """Opens `private_key`, where it is encrypted."""
        self.password = password
        """Of the account; None for a login by key alone."""

    def __repr__(self) -> str:
        return f"Login({self.key_id!r})"


class PersonVerifier:
    """A `Verifier` that knows its name in the ring."""

    def __init__(self, key_id: str, verifier: Verifier, public_key: str = "") -> None:
        self.key_id = key_id
        self.algorithm = verifier.algorithm
        self.public_key = public_key
        """Base64 of its SubjectPublicKeyInfo, for whoever checks the person's statements elsewhere."""
        self._verifier = verifier

    def hasher(self) -> Hasher:
        return self._verifier.hasher()

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        self._verifier.verify_digest(signature, digest)


class LoadedKeys(Struct):
    """What the entries name, opened, each by the entry's id."""

    entries: list[Entry]
    tokens: Tokens
    signers: dict[str, Signer] = field(default_factory=dict)
    decrypters: dict[str, Decrypter] = field(default_factory=dict)
    recipients: dict[str, x509.Certificate] = field(default_factory=dict)
    """To whom we encrypt."""
    certificates: dict[str, list[x509.Certificate]] = field(default_factory=dict)
    """Pins and roots; those of the other environment too, as far as their files are there."""
    pgp_keys: dict[str, PgpKey] = field(default_factory=dict)
    pgp_certificates: dict[str, PgpCertificate] = field(default_factory=dict)
    revocations: dict[str, Revocations] = field(default_factory=dict)
    persons: dict[str, PersonVerifier] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict)
    host_pins: dict[str, list[str]] = field(default_factory=dict)
    masters: dict[str, MasterKey] = field(default_factory=dict)
    fingerprinters: dict[str, Fingerprinter] = field(default_factory=dict)

"""What a ring holds, as rows for lists and for the watch over what ends when."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec import Struct

from keys.certificates import certificate_sha256
from keys.errors import KeyUnavailable
from keys.keyring_file import Entry, Role
from keys.keyring_loaded import LoadedKeys, PersonVerifier
from keys.public import PublicKey, certified_key, parse_spki

CRL = "crl"
"""Stands as role in the rows of revocation lists; an entry has them beside its CA."""
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


class Listed(Struct, frozen=True, kw_only=True):
    """One certificate of an entry, one revocation list, or an entry without either.

    Says nothing secret.
    """

    key_id: str
    role: str
    owner: str
    """Bank, platform or person; "" for keys of our own house."""
    kind: str
    """Such as `RSA 3072`; "" where the ring does not know. Of a revocation list, its file's name."""
    subject: str
    """Of the certificate, RFC 4514; "" without one."""
    fingerprint: str
    """SHA-256 of the certificate, of OpenPGP its own fingerprint; hex, to be compared with the owner."""
    valid_from: datetime | None
    """The later of the entry's own beginning and its certificate's; None: ever since."""
    valid_until: datetime | None
    """The earlier of the entry's own end and its certificate's; None: no end is known."""

    def in_force(self, at: datetime) -> bool:
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_until is None or at < self.valid_until)


class Enrolment(Struct, frozen=True, kw_only=True):
    """One key of a person: by which statements of his are checked, from when until when."""

    person: str
    key_id: str
    algorithm: str
    public_key: str
    """Base64 of its SubjectPublicKeyInfo."""
    path: Path
    """The file that the ring names."""
    valid_from: datetime | None
    valid_until: datetime | None

    def in_force(self, at: datetime) -> bool:
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_until is None or at < self.valid_until)


def list_enrolments(keys: LoadedKeys, entries: Sequence[Entry]) -> list[Enrolment]:
    """Every key of every person, ended ones too, in the order of the file."""
    return [
        Enrolment(
            person=entry.owner,
            key_id=entry.id,
            algorithm=keys.persons[entry.id].algorithm,
            public_key=keys.persons[entry.id].public_key,
            path=entry.public_key,
            valid_from=entry.valid_from,
            valid_until=entry.valid_until,
        )
        for entry in entries
        if entry.role is Role.PERSON and entry.public_key is not None
    ]


def list_keys(keys: LoadedKeys, entries: Sequence[Entry]) -> list[Listed]:
    """Rows of these entries, in their order; a pin file of two certificates makes two rows."""
    return [row for entry in entries for row in _rows(keys, entry)]


def describe_public_key(key: PublicKey) -> str:
    """Kind and size for lists, such as `EC P-256`."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    return "SM2"


def _rows(keys: LoadedKeys, entry: Entry) -> Iterator[Listed]:
    certificates = list(keys.certificates.get(entry.id, []))
    if entry.id in keys.signers:
        certificates = [x509.load_der_x509_certificate(keys.signers[entry.id].certificate_der)]
    elif entry.id in keys.decrypters:
        certificates = [x509.load_der_x509_certificate(keys.decrypters[entry.id].certificate_der)]
    elif entry.id in keys.recipients:
        certificates = [keys.recipients[entry.id]]
    for certificate in certificates:
        yield _row(
            entry,
            _kind_of_certificate(certificate),
            certificate.subject.rfc4514_string(),
            certificate_sha256(certificate),
            _later(entry.valid_from, certificate.not_valid_before_utc),
            _earlier(entry.valid_until, certificate.not_valid_after_utc),
        )
    for revocations in filter(None, [keys.revocations.get(entry.id)]):
        for one in revocations.lists:
            end = one.next_update + revocations.grace
            yield _row(entry, one.place, one.issuer.rfc4514_string(), "", one.this_update, end, CRL)
    pgp = keys.pgp_certificates.get(entry.id)
    if entry.id in keys.pgp_keys:
        pgp = keys.pgp_keys[entry.id].certificate
    if pgp is not None:
        ends = [instant for instant in (entry.valid_until, pgp.valid_until) if instant is not None]
        begin, last = _later(entry.valid_from, pgp.valid_from), min(ends, default=None)
        yield _row(entry, "OpenPGP", pgp.subject, pgp.fingerprint, begin, last)
    elif not certificates:
        kind = _kind_of_person(keys.persons[entry.id]) if entry.role is Role.PERSON else ""
        yield _row(entry, kind, "", "", entry.valid_from, entry.valid_until)


def _kind_of_certificate(certificate: x509.Certificate) -> str:
    """A CA may have a key of a kind that signs no files here."""
    try:
        return describe_public_key(certified_key(certificate))
    except KeyUnavailable:
        return ""


def _kind_of_person(person: PersonVerifier) -> str:
    return describe_public_key(parse_spki(base64.b64decode(person.public_key)))


def _row(
    entry: Entry,
    kind: str,
    subject: str,
    fingerprint: str,
    begin: datetime | None,
    end: datetime | None,
    role: str = "",
) -> Listed:
    return Listed(
        key_id=entry.id,
        role=role or entry.role.value,
        owner=entry.owner,
        kind=kind,
        subject=subject,
        fingerprint=fingerprint,
        valid_from=begin,
        valid_until=end,
    )


def _later(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else max(first, second)


def _earlier(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else min(first, second)

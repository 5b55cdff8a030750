"""Which key, for what, for whom, in which environment, valid when.

A ring is read from `keys.toml` (`docs/keys.md`); every mistake in it is found at once, with
file and line. Keys are asked for by role, owner and time, never by path. Entries of another
environment are never used; certificates in them are known only to be refused by name.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509

from keys.algorithms import ALGORITHMS
from keys.certificates import Anchor, AnchorKind, Trust, certificate_sha256
from keys.certified import pin_certificates
from keys.errors import KeyringInvalid, KeyringMistake, KeyUnavailable
from keys.fingerprint import Fingerprinter
from keys.keyring_file import Entry, Environment, Role, read_entries
from keys.keyring_keys import load_keys
from keys.keyring_listed import Enrolment, Listed, list_enrolments, list_keys
from keys.keyring_loaded import LoadedKeys, Login, PersonVerifier
from keys.keyring_shared import keys_of_machines
from keys.master import Masters
from keys.pgp import PgpAnchor, PgpCertificate, PgpKey, PgpTrust
from keys.public import PublicKey, fits
from keys.secret_sources import read_public_file
from keys.signer import Decrypter, Signer
from keys.statement import sign_statement

__all__ = ["Enrolment", "Keyring", "Listed", "Login", "PersonVerifier"]

_TRIAL = b"bankgate tries whether this key signs; it says nothing\n"
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Keyring:
    """All keys of one installation in one environment."""

    def __init__(self, path: Path, environment: Environment, keys: LoadedKeys) -> None:
        """Use `load`."""
        self.environment = environment.value
        self._path = path
        self._keys = keys
        self._entries = [entry for entry in keys.entries if entry.environment is environment]

    def __repr__(self) -> str:
        return f"Keyring({str(self._path)!r}, {self.environment!r}, {len(self._entries)} keys)"

    @classmethod
    def load(cls, path: Path, environment: str) -> Keyring:
        """Read the ring and open every key of `environment` (`test` or `production`) in it.

        Raises `KeyringInvalid` with all mistakes, `KeyUnavailable` where the file cannot be read.
        """
        if environment not in list(Environment):
            raise KeyUnavailable(f"no environment {environment!r}", f"one of {', '.join(Environment)}")
        wanted = Environment(environment)
        entries, mistakes = _read_file(path)
        keys, key_mistakes = load_keys(path, entries, wanted)
        mistakes += key_mistakes
        if mistakes:
            raise KeyringInvalid(sorted(mistakes, key=lambda mistake: mistake.line))
        return cls(path, wanted, keys)

    def signer(self, bank: str, at: datetime, algorithm: str = "") -> Signer:
        """Our key for files to `bank`: of those in force at `at`, the one that began last.

        With an `algorithm` of `keys.algorithms`: of those whose kind of key goes with it.
        """
        entries = self._entries_of(Role.SIGN, bank)
        usable = [entry for entry in entries if self._is_usable(entry, at)]
        if algorithm:
            usable = [entry for entry in usable if fits(self._public_key(entry), ALGORITHMS[algorithm])]
        if not usable:
            raise self._unavailable(Role.SIGN, bank, entries, at, algorithm)
        signer = self._keys.signers[_latest(usable).id]
        return signer.using(ALGORITHMS[algorithm]) if algorithm else signer

    def decrypters(self, bank: str, at: datetime) -> list[Decrypter]:
        """Our keys to open what `bank` encrypted: all in force, since it may not know the new one yet."""
        entries = self._entries_of(Role.DECRYPT, bank)
        usable = [entry for entry in entries if entry.in_force(at)]
        if not usable:
            raise self._unavailable(Role.DECRYPT, bank, entries, at)
        return [self._keys.decrypters[entry.id] for entry in usable]

    def recipient(self, bank: str, at: datetime) -> x509.Certificate:
        """To whom we encrypt for `bank`: of the certificates in force, the one that began last."""
        entries = self._entries_of(Role.ENCRYPT, bank)
        usable = [
            entry
            for entry in entries
            if entry.in_force(at) and _is_valid(self._keys.recipients[entry.id], at)
        ]
        if not usable:
            raise self._unavailable(Role.ENCRYPT, bank, entries, at)
        return self._keys.recipients[_latest(usable).id]

    def trust(self, bank: str) -> Trust:
        """Whose signatures count on files from `bank`."""
        return self._trust(Role.VERIFY, bank)

    def pgp_keys(self, bank: str, at: datetime) -> list[PgpKey]:
        """Our OpenPGP keys between us and `bank` in force at `at`: the one that signs first."""
        entries = self._entries_of(Role.PGP_KEY, bank)
        usable = [entry for entry in entries if entry.in_force(at) and self._pgp_valid(entry, at)]
        if not usable:
            raise self._unavailable(Role.PGP_KEY, bank, entries, at)
        newest = _latest(usable)
        ordered = [newest, *(entry for entry in usable if entry is not newest)]
        return [self._keys.pgp_keys[entry.id] for entry in ordered]

    def pgp_recipient(self, bank: str, at: datetime) -> PgpCertificate:
        """To whom we encrypt with OpenPGP: of the certificates in force, the one that began last."""
        entries = self._entries_of(Role.PGP_CERTIFICATE, bank)
        usable = [entry for entry in entries if entry.in_force(at) and self._pgp_valid(entry, at)]
        if not usable:
            raise self._unavailable(Role.PGP_CERTIFICATE, bank, entries, at)
        return self._keys.pgp_certificates[_latest(usable).id]

    def pgp_trust(self, bank: str) -> PgpTrust:
        """Whose OpenPGP signatures count on files from `bank`."""
        entries = self._entries_of(Role.PGP_CERTIFICATE, bank)
        if not entries:
            raise self._unavailable(Role.PGP_CERTIFICATE, bank, entries, None)
        anchors = [
            PgpAnchor(entry.id, self._keys.pgp_certificates[entry.id], entry.valid_from, entry.valid_until)
            for entry in entries
        ]
        strangers = {
            self._keys.pgp_certificates[entry.id].fingerprint: _whose(entry)
            for entry in self._keys.entries
            if entry.id in self._keys.pgp_certificates and entry not in entries
        }
        return PgpTrust(bank, self.environment, anchors, strangers)

    def _pgp_valid(self, entry: Entry, at: datetime) -> bool:
        certificate = self._keys.pgp_certificates.get(entry.id)
        if certificate is None:
            certificate = self._keys.pgp_keys[entry.id].certificate
        return not certificate.object(certificate.fingerprint, at)

    def platform_trust(self, platform: str) -> Trust:
        """Whose signatures count on batches from `platform`."""
        return self._trust(Role.PLATFORM_VERIFY, platform)

    def person_keys(self, name: str, at: datetime) -> list[PersonVerifier]:
        """All keys of a person in force at `at`: while two are alive, either may have signed."""
        entries = self._entries_of(Role.PERSON, name)
        usable = [entry for entry in entries if entry.in_force(at)]
        if not usable:
            raise self._unavailable(Role.PERSON, name, entries, at)
        return [self._keys.persons[entry.id] for entry in usable]

    def persons(self) -> list[tuple[str, PersonVerifier]]:
        """Every person's keys, ended ones too, as (person, key): what was signed stays checkable."""
        entries = [entry for entry in self._entries if entry.role is Role.PERSON]
        return [(entry.owner, self._keys.persons[entry.id]) for entry in entries]

    def enrolments(self) -> list[Enrolment]:
        """Every person's keys with their windows, ended ones too, in the order of the file."""
        return list_enrolments(self._keys, self._entries)

    def machine_with(self, public_key: str) -> str:
        """Which entry has this key (as `PersonKey.public_key`) and is no person's; "" for none."""
        entry = keys_of_machines(self._keys).get(public_key)
        return "" if entry is None else f"{entry.id} ({entry.role})"

    def journal_signer(self, at: datetime) -> Signer:
        """Our key for heads of the journal: of those in force at `at`, the one that began last."""
        entries = self._entries_of(Role.JOURNAL_SIGN, "")
        usable = [entry for entry in entries if self._is_usable(entry, at)]
        if not usable:
            raise self._unavailable(Role.JOURNAL_SIGN, "", entries, at)
        return self._keys.signers[_latest(usable).id]

    def journal_trust(self) -> Trust:
        """By whose certificates heads of the journal are our own: those of all our keys, ended ones too."""
        signers = [self._keys.signers[entry.id] for entry in self._entries_of(Role.JOURNAL_SIGN, "")]
        certificates = [x509.load_der_x509_certificate(signer.certificate_der) for signer in signers]
        return pin_certificates("the journal", self.environment, certificates)

    def ssh_login(self, bank: str, at: datetime | None = None) -> Login:
        """How to log in to the bank's server: a key file with its passphrase, a password, or both."""
        entries = self._entries_of(Role.SSH_LOGIN, bank)
        return self._keys.logins[self._pick(Role.SSH_LOGIN, bank, entries, at).id]

    def host_pins(self, bank: str, at: datetime | None = None) -> list[str]:
        """Keys that the bank's server may show, current and next.

        Each is `SHA256:...` or a public key line of OpenSSH (type and key, without comment).
        """
        entries = self._entries_of(Role.HOST_PIN, bank)
        usable = [entry for entry in entries if at is None or entry.in_force(at)]
        if not usable:
            raise self._unavailable(Role.HOST_PIN, bank, entries, at)
        return [pin for entry in usable for pin in self._keys.host_pins[entry.id]]

    def masters(self, at: datetime | None = None) -> Masters:
        """Master keys of the spool: the one that began last for writing, all for reading."""
        entries = self._entries_of(Role.SPOOL_MASTER, "")
        current = self._pick(Role.SPOOL_MASTER, "", entries, at)
        return Masters(self._keys.masters[current.id], [self._keys.masters[entry.id] for entry in entries])

    def fingerprinter(self, at: datetime | None = None) -> Fingerprinter:
        """The key of fingerprints that began last."""
        entries = self._entries_of(Role.FINGERPRINT, "")
        return self._keys.fingerprinters[self._pick(Role.FINGERPRINT, "", entries, at).id]

    def fingerprinters(self) -> list[Fingerprinter]:
        """All keys of fingerprints, for looking up what was stored under older ones."""
        return [self._keys.fingerprinters[entry.id] for entry in self._entries_of(Role.FINGERPRINT, "")]

    def listed(self) -> list[Listed]:
        """Every key of this environment in the order of the file, each certificate a row."""
        return list_keys(self._keys, self._entries)

    def try_signers(self) -> None:
        """Let every key to sign with sign once; raises `KeyUnavailable` for the first that does not."""
        for entry in self._entries:
            if entry.id in self._keys.signers:
                sign_statement(self._keys.signers[entry.id], _TRIAL)

    def _trust(self, role: Role, owner: str) -> Trust:
        entries = self._entries_of(role, owner)
        if not entries:
            raise self._unavailable(role, owner, entries, None)
        anchors = [
            Anchor(
                entry.id,
                certificate,
                AnchorKind.SIGNER if entry.ca is None else AnchorKind.ROOT,
                entry.subjects,
                entry.valid_from,
                entry.valid_until,
                self._keys.revocations.get(entry.id),
            )
            for entry in entries
            for certificate in self._keys.certificates[entry.id]
        ]
        return Trust(owner, self.environment, anchors, self._strangers(role, owner))

    def _strangers(self, role: Role, owner: str) -> dict[str, str]:
        """Pinned certificates of everybody else, by digest."""
        strangers = {}
        for entry in self._keys.entries:
            ours = (entry.role, entry.owner) == (role, owner) and entry in self._entries
            if not ours and entry.ca is None:
                for certificate in self._keys.certificates.get(entry.id, []):
                    strangers[certificate_sha256(certificate)] = _whose(entry)
        return strangers

    def _entries_of(self, role: Role, owner: str) -> list[Entry]:
        return [entry for entry in self._entries if entry.role is role and entry.owner == owner]

    def _pick(self, role: Role, owner: str, entries: Sequence[Entry], at: datetime | None) -> Entry:
        usable = [entry for entry in entries if at is None or entry.in_force(at)]
        if not usable:
            raise self._unavailable(role, owner, entries, at)
        return _latest(usable)

    def _is_usable(self, entry: Entry, at: datetime) -> bool:
        certificate = x509.load_der_x509_certificate(self._keys.signers[entry.id].certificate_der)
        return _is_valid(certificate, at) and entry.in_force(at)

    def _public_key(self, entry: Entry) -> PublicKey:
        return self._keys.signers[entry.id].public_key

    def _unavailable(
        self, role: Role, owner: str, entries: Sequence[Entry], at: datetime | None, algorithm: str = ""
    ) -> KeyUnavailable:
        wanted = f"no key of role {role.value}" + (f" for {owner}" if owner else "")
        wanted += f" and {algorithm}" if algorithm else ""
        when = f" at {at.isoformat()}" if at is not None and entries else ""
        if entries:
            found = "the ring has " + ", ".join(map(_describe, entries))
        else:
            others = sorted({entry.owner for entry in self._entries if entry.role is role} - {""})
            found = f"the ring has it for {', '.join(others)}" if others else "the ring has none of that role"
        return KeyUnavailable(
            f"{wanted} in {self.environment}{when}: {found}", f"add an entry to {self._path}, or renew it"
        )


def _read_file(path: Path) -> tuple[list[Entry], list[KeyringMistake]]:
    content = read_public_file(path)
    mode = path.stat().st_mode
    try:
        entries, mistakes = read_entries(path, content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return [], [KeyringMistake(str(path), line, "not UTF-8")]
    if mode & _WRITABLE_BY_OTHERS:
        # Whoever writes here decides whose signatures count.
        mistakes.append(KeyringMistake(str(path), 1, "others may write this file", f"chmod go-w {path}"))
    return entries, mistakes


def _latest(entries: Sequence[Entry]) -> Entry:
    """The entry that began last; of those without beginning, or of one day, the last in the file."""
    return max(entries, key=lambda entry: (entry.valid_from is not None, entry.valid_from, entry.line))


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _whose(entry: Entry) -> str:
    return f"{entry.owner} in {entry.environment.value} ({entry.id})"


def _describe(entry: Entry) -> str:
    start = f"{entry.valid_from:%Y-%m-%d}" if entry.valid_from else ""
    end = f"{entry.valid_until:%Y-%m-%d}" if entry.valid_until else ""
    return f"{entry.id} ({start} to {end})" if start or end else entry.id

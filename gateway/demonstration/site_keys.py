"""The keys of a demonstration site: a CA for each bank, signing keys, logins, persons, the spool.

Everything that one party keeps for itself lies in that party's folder only.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from gateway.demonstration.people import BANKS, DemonstrationBank
from gateway.demonstration.plan import PASSBOOK_PLATFORM, PLATFORM
from gateway.demonstration.settings_texts import (
    NATIONAL_BANKS,
    PASSWORD_BANKS,
    PERSONS,
    USER,
    Conduct,
    simulator_text,
    usual_conduct,
)
from keys.authority import Authority, write_ssh_key_pair
from keys.certificate_make import RECEIVING
from keys.master import new_master_key_file
from keys.secret_sources import write_private_file

RING_FILE = "keys.toml"
SPOOL_KEY = "spool-1"
FINGERPRINT_KEY = "fingerprint-1"
JOURNAL_KEY = "journal-1"
PLATFORM_KEY = "platform.pem"
PLATFORM_CERTIFICATE = "platform.crt"
_KEY_FILES = {
    PLATFORM: (PLATFORM_KEY, PLATFORM_CERTIFICATE),
    PASSBOOK_PLATFORM: ("passbook-platform.pem", "passbook-platform.crt"),
}

_SIGNING_KEY = "rsa-2048"
_VALID_DAYS = 3650
_ENVIRONMENT = 'environment = "test"'


def platform_files(platform: str) -> tuple[str, str]:
    """Names of a platform's private key and certificate, in the department's folder."""
    return _KEY_FILES[platform]


def validity(now: datetime, since: datetime | None = None) -> tuple[datetime, datetime]:
    """From when until when all certificates of a site made now are valid; `since` if that is earlier."""
    return min(now, since or now) - timedelta(days=1), now + timedelta(days=_VALID_DAYS)


class SiteKeys:
    """Makes all keys of a site below `folder`, valid for ten years from `now`: see `validity`.

    Each simulated bank behaves as `conducts` says, else as usual.
    """

    def __init__(
        self,
        folder: Path,
        now: datetime,
        since: datetime | None = None,
        conducts: Mapping[str, Conduct] | None = None,
        platforms: tuple[str, ...] = (PLATFORM,),
    ) -> None:
        self._gateway = folder / "gateway"
        self._department = folder / "department"
        self._banks = folder / "banks"
        self._valid = validity(now, since)
        self._conducts = conducts or {}
        self._platforms = platforms
        self._ring = ["# The keys of the demonstration; all of them were made for it.\n"]

    def make(self) -> None:
        """Every key file, `gateway/keys.toml` and each bank's `simulator.toml`."""
        (self._gateway / "keys").mkdir(parents=True)
        self._department.mkdir(parents=True, exist_ok=True)
        for bank in BANKS:
            self._make_bank(bank)
        for platform in self._platforms:
            self._make_platform(platform)
        self._make_persons()
        self._make_journal()
        for name, role in ((SPOOL_KEY, "spool-master"), (FINGERPRINT_KEY, "fingerprint")):
            new_master_key_file(self._gateway / "keys" / f"{name}.key", name)
            self._enter(name, role, f'key = {{ file = "keys/{name}.key" }}')
        # Whoever can write to the ring decides whose signatures count.
        write_private_file(self._gateway / RING_FILE, "\n".join(self._ring).encode())

    def add(self, bank: DemonstrationBank) -> None:
        """The keys of one bank more, entered behind those that the ring has, and its `simulator.toml`."""
        ring = self._gateway / RING_FILE
        self._ring = [ring.read_text("utf-8")]
        self._make_bank(bank)
        made = ring.with_name(f"{RING_FILE}.new")
        made.unlink(missing_ok=True)
        write_private_file(made, "\n".join(self._ring).encode())
        made.replace(ring)

    def _make_bank(self, bank: DemonstrationBank) -> None:
        name = bank.bank
        ours, theirs = self._gateway / "keys", self._banks / name / "keys"
        theirs.mkdir(parents=True)
        national = name in NATIONAL_BANKS
        kind = "sm2" if national else _SIGNING_KEY
        authority = Authority.create(
            f"CN={name} CA,O={name},C=CN", *self._valid, kind="sm2" if national else "ec-p256"
        )
        subject = f"CN=settlement,O={name},C=CN"
        authority.issue(subject, *self._valid, kind=kind).write_pem(
            theirs / "signing.pem", theirs / "signing.crt"
        )
        authority.identity.write_pem(theirs / "ca.pem", ours / f"{name}-ca.crt")
        client = authority.issue(f"CN=bankgate,O={name} client,C=CN", *self._valid, kind=kind)
        client.write_pem(ours / f"{name}-signing.pem", ours / f"{name}-signing.crt")
        (theirs / "gateway.crt").write_bytes((ours / f"{name}-signing.crt").read_bytes())
        self._enter(
            f"{name}-signing",
            "sign",
            f'bank = "{name}"',
            f'private_key = "keys/{name}-signing.pem"',
            f'certificate = "keys/{name}-signing.crt"',
        )
        self._enter(
            f"{name}-ca",
            "verify",
            f'bank = "{name}"',
            f'ca = "keys/{name}-ca.crt"',
            f'subjects = ["{subject}"]',
        )
        if national:
            self._make_envelope_keys(name, authority)
        host_key = write_ssh_key_pair(theirs / "host-key", f"{name} host")
        self._enter(f"{name}-host", "host-pin", f'bank = "{name}"', f'pins = ["{host_key}"]')
        self._make_login(bank, ours, theirs)

    def _make_envelope_keys(self, name: str, authority: Authority) -> None:
        """Keys to encrypt to, apart from those that sign, as SM sites have them."""
        ours, theirs = self._gateway / "keys", self._banks / name / "keys"
        for subject, key, certificate, copy in (
            (
                f"CN=settlement encryption,O={name},C=CN",
                theirs / "decryption.pem",
                theirs / "decryption.crt",
                ours / f"{name}-encryption.crt",
            ),
            (
                f"CN=bankgate encryption,O={name} client,C=CN",
                ours / f"{name}-decryption.pem",
                ours / f"{name}-decryption.crt",
                theirs / "gateway-encryption.crt",
            ),
        ):
            authority.issue(subject, *self._valid, kind="sm2", use=RECEIVING).write_pem(key, certificate)
            copy.write_bytes(certificate.read_bytes())
        self._enter(
            f"{name}-encryption",
            "encrypt",
            f'bank = "{name}"',
            f'certificate = "keys/{name}-encryption.crt"',
        )
        self._enter(
            f"{name}-decryption",
            "decrypt",
            f'bank = "{name}"',
            f'private_key = "keys/{name}-decryption.pem"',
            f'certificate = "keys/{name}-decryption.crt"',
        )

    def _make_login(self, bank: DemonstrationBank, ours: Path, theirs: Path) -> None:
        name = bank.bank
        public_line = ""
        if name in PASSWORD_BANKS:
            word = secrets.token_urlsafe(18).encode()
            write_private_file(ours / f"{name}-login-word", word)
            write_private_file(theirs / "login-word", word)
            source = f'login_password = {{ file = "keys/{name}-login-word" }}'
        else:
            public_line = write_ssh_key_pair(ours / f"{name}-login", USER)
            source = f'private_key = "keys/{name}-login"'
        self._enter(f"{name}-login", "ssh-login", f'bank = "{name}"', source)
        text = simulator_text(bank, public_line, self._conducts.get(name) or usual_conduct(name))
        (self._banks / name / "simulator.toml").write_text(text, "utf-8")

    def _make_platform(self, platform: str) -> None:
        authority = Authority.create(f"CN={platform} CA,C=CN", *self._valid)
        identity = authority.issue(f"CN={platform},C=CN", *self._valid, kind=_SIGNING_KEY)
        key_file, certificate_file = platform_files(platform)
        certificate = self._gateway / "keys" / certificate_file
        identity.write_pem(self._department / key_file, certificate)
        (self._department / certificate_file).write_bytes(certificate.read_bytes())
        self._enter(
            platform,
            "platform-verify",
            f'platform = "{platform}"',
            f'certificate = "keys/{certificate_file}"',
        )

    def _make_persons(self) -> None:
        authority = Authority.create("CN=Persons CA,C=CN", *self._valid)
        folder = self._department / "persons"
        folder.mkdir()
        for person in PERSONS:
            identity = authority.issue(f"CN={person},C=CN", *self._valid, kind="ec-p256")
            identity.write_pem(folder / f"{person}.pem", self._gateway / "keys" / f"{person}.crt")
            self._enter(person, "person", f'person = "{person}"', f'public_key = "keys/{person}.crt"')

    def _make_journal(self) -> None:
        authority = Authority.create("CN=Journal CA,C=CN", *self._valid)
        identity = authority.issue("CN=bankgate journal,C=CN", *self._valid, kind="ec-p256")
        folder = self._gateway / "keys"
        identity.write_pem(folder / f"{JOURNAL_KEY}.pem", folder / f"{JOURNAL_KEY}.crt")
        self._enter(
            JOURNAL_KEY,
            "journal-sign",
            f'private_key = "keys/{JOURNAL_KEY}.pem"',
            f'certificate = "keys/{JOURNAL_KEY}.crt"',
        )

    def _enter(self, key_id: str, role: str, *lines: str) -> None:
        """One entry of the ring."""
        entry = ["[[key]]", f'id = "{key_id}"', f'role = "{role}"', _ENVIRONMENT, *lines]
        self._ring.append("\n".join(entry) + "\n")

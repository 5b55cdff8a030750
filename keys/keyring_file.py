"""The file that lists the keys (`keys.toml`): text to entries, and every mistake with its line.

Nothing is opened here but that file. What the fields mean is in `docs/keys.md`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography import x509
from msgspec import Struct

from keys.algorithms import ALGORITHMS
from keys.certificates import parse_subjects
from keys.errors import KeyringMistake, KeyUnavailable
from keys.pkcs11_uri import TokenKeyName, parse_uri
from keys.secret_sources import SecretSource, SourceKind


class Role(StrEnum):
    SIGN = "sign"
    VERIFY = "verify"
    DECRYPT = "decrypt"
    ENCRYPT = "encrypt"
    PGP_KEY = "pgp-key"
    PGP_CERTIFICATE = "pgp-certificate"
    PLATFORM_VERIFY = "platform-verify"
    SSH_LOGIN = "ssh-login"
    HOST_PIN = "host-pin"
    SPOOL_MASTER = "spool-master"
    FINGERPRINT = "fingerprint"
    PERSON = "person"
    JOURNAL_SIGN = "journal-sign"


class Environment(StrEnum):
    TEST = "test"
    PRODUCTION = "production"


class Entry(Struct, frozen=True, kw_only=True):
    """One `[[key]]` block, checked as far as that goes without opening files."""

    id: str
    role: Role
    environment: Environment
    line: int
    """Where its block begins."""
    bank: str = ""
    platform: str = ""
    person: str = ""
    private_key: Path | None = None
    certificate: Path | None = None
    pkcs12: Path | None = None
    pkcs11: TokenKeyName | None = None
    pin: SecretSource | None = None
    service: str = ""
    service_key: str = ""
    service_secret: SecretSource | None = None
    ca: Path | None = None
    subjects: tuple[x509.Name, ...] = ()
    any_subject: bool = False
    crls: tuple[Path, ...] = ()
    crl_grace: timedelta | None = None
    """How long a list is still taken after its own end."""
    password: SecretSource | None = None
    login_password: SecretSource | None = None
    algorithm: str = ""
    public_key: Path | None = None
    host_keys: Path | None = None
    pins: tuple[str, ...] = ()
    key: SecretSource | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @property
    def owner(self) -> str:
        """Bank, platform or person; empty for keys of our own house."""
        return self.bank or self.platform or self.person

    def in_force(self, at: datetime) -> bool:
        """Whether the entry's own window holds `at`: from inclusive, until exclusive."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_until is None or at < self.valid_until)


class _RoleRule(Struct, frozen=True):
    """Fields of a role. Of `one_of` exactly one must be there."""

    required: tuple[str, ...]
    one_of: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def permitted(self) -> tuple[str, ...]:
        return (*_COMMON, *self.required, *self.one_of, *self.optional)


_PRIVATE = ("private_key", "pkcs12", "pkcs11", "service")
"""Where a private key of ours is: of these one."""
_BESIDE_RECEIVING = ("certificate", "password", "pin", "service_key", "service_secret")
_BESIDE_PRIVATE = (*_BESIDE_RECEIVING, "algorithm")
_BESIDE_CA = ("subjects", "any_subject", "crls", "crl_grace_days")
_GRACE_LIMIT_DAYS = 30
_COMMON = ("id", "role", "environment", "valid_from", "valid_until")
_RULES = {
    Role.SIGN: _RoleRule(("bank",), _PRIVATE, _BESIDE_PRIVATE),
    Role.VERIFY: _RoleRule(("bank",), ("certificate", "ca"), _BESIDE_CA),
    Role.DECRYPT: _RoleRule(("bank",), _PRIVATE, _BESIDE_RECEIVING),
    Role.ENCRYPT: _RoleRule(("bank", "certificate")),
    Role.PGP_KEY: _RoleRule(("bank", "private_key"), (), ("password",)),
    Role.PGP_CERTIFICATE: _RoleRule(("bank", "certificate")),
    Role.PLATFORM_VERIFY: _RoleRule(("platform",), ("certificate", "ca"), _BESIDE_CA),
    Role.SSH_LOGIN: _RoleRule(("bank",), (), ("private_key", "login_password", "password")),
    Role.HOST_PIN: _RoleRule(("bank",), ("host_keys", "pins")),
    Role.SPOOL_MASTER: _RoleRule(("key",)),
    Role.FINGERPRINT: _RoleRule(("key",)),
    Role.PERSON: _RoleRule(("person",), ("public_key",), ("algorithm",)),
    Role.JOURNAL_SIGN: _RoleRule((), _PRIVATE, _BESIDE_PRIVATE),
}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")
_HEADER = re.compile(r"\s*\[\[\s*key\s*\]\]")
_PIN = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?|(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?")


class _Wrong(Exception):
    """A value that a field does not take; its text says what was wanted."""


def read_entries(path: Path, text: str) -> tuple[list[Entry], list[KeyringMistake]]:
    """All entries that are right, and all mistakes, in the order of the file."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits and deep nesting are no TOMLDecodeError.
        place = re.search(r"at line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        return [], [KeyringMistake(str(path), line, f"not TOML: {error}")]
    reading = _Reading(path, text)
    for name in document:
        if name != "key":
            reading.add(reading.line_of_top(name), f"unknown key {name}", "keys are in [[key]] blocks")
    blocks = document.get("key", [])
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        reading.add(1, "key is not a list of blocks", "begin each with [[key]]")
        return [], reading.mistakes
    entries = [reading.read_entry(number, block) for number, block in enumerate(blocks)]
    kept = [entry for entry in entries if entry is not None]
    reading.require_unique_ids(kept)
    return kept, reading.mistakes


class _Reading:
    """The mistakes found so far, and where in the text things are."""

    def __init__(self, path: Path, text: str) -> None:
        self.mistakes: list[KeyringMistake] = []
        self._path = path
        self._lines = text.split("\n")
        self._headers = [number for number, line in enumerate(self._lines, 1) if _HEADER.match(line)]

    def add(self, line: int, message: str, hint: str = "") -> None:
        self.mistakes.append(KeyringMistake(str(self._path), line, message, hint))

    def line_of_top(self, name: str) -> int:
        pattern = re.compile(rf"\s*\[*\s*\"?{re.escape(name)}\b")
        return next((number for number, line in enumerate(self._lines, 1) if pattern.match(line)), 1)

    def read_entry(self, number: int, block: dict[str, Any]) -> Entry | None:
        """The entry of one block, or None with at least one mistake added."""
        before = len(self.mistakes)
        role = self._read_role(number, block)
        if role is None:
            return None
        self._check_names(number, block, role)
        values = self._read_values(number, block, role)
        if len(self.mistakes) > before:
            return None
        entry = Entry(role=role, line=self._line_of_block(number), **values)
        self._check_together(number, entry)
        return entry if len(self.mistakes) == before else None

    def require_unique_ids(self, entries: list[Entry]) -> None:
        seen: dict[str, int] = {}
        for entry in entries:
            first = seen.setdefault(entry.id, entry.line)
            if first != entry.line:
                self.add(entry.line, f"id {entry.id} is taken already in line {first}")

    def _read_role(self, number: int, block: dict[str, Any]) -> Role | None:
        found = block.get("role")
        if isinstance(found, str) and found in list(Role):
            return Role(found)
        if found is None:
            self.add(self._line_of_block(number), "role is missing", f"one of {', '.join(Role)}")
        else:
            hint = _nearest(str(found), list(Role)) or f"one of {', '.join(Role)}"
            self.add(self._line_of(number, "role"), f"role: found {found!r}, which is no role", hint)
        return None

    def _check_names(self, number: int, block: dict[str, Any], role: Role) -> None:
        rule = _RULES[role]
        for name in block:
            if name not in rule.permitted:
                kind = "does not belong to" if name in _READERS else "is not known in"
                hint = _nearest(name, rule.permitted) or f"it has {', '.join(rule.permitted)}"
                self.add(self._line_of(number, name), f"{name} {kind} an entry of role {role}", hint)
        for name in ("id", "environment", *rule.required):
            if name not in block:
                self.add(self._line_of_block(number), f"{name} is missing in an entry of role {role}")
        given = [name for name in rule.one_of if name in block]
        if rule.one_of and len(given) != 1:
            found = f"found {' and '.join(given) or 'none'}"
            self.add(
                self._line_of_block(number), f"exactly one of {', '.join(rule.one_of)} is wanted, {found}"
            )

    def _read_values(self, number: int, block: dict[str, Any], role: Role) -> dict[str, Any]:
        values = {}
        for name, value in block.items():
            if name == "role" or name not in _RULES[role].permitted:
                continue
            try:
                values[_FIELDS.get(name, name)] = _READERS[name](value, self._path.parent)
            except _Wrong as wrong:
                self.add(self._line_of(number, name), f"{name}: {wrong}")
        return values

    def _check_together(self, number: int, entry: Entry) -> None:
        """What holds between the fields of one entry."""
        here = self._line_of_block(number)
        if entry.valid_from and entry.valid_until and entry.valid_from >= entry.valid_until:
            self.add(self._line_of(number, "valid_until"), "valid_until is not after valid_from")
        ours = entry.role in {Role.SIGN, Role.DECRYPT, Role.JOURNAL_SIGN}
        if ours and (entry.pkcs12 is None) is (entry.certificate is None):
            self.add(
                here,
                "a certificate is wanted beside private_key, pkcs11 or service; a PKCS#12 file has its own",
            )
        if bool(entry.service) is not bool(entry.service_key):
            self.add(here, "service and service_key go together: the service, and the name of the key there")
        if entry.service_secret is not None and not entry.service:
            self.add(here, "service_secret opens a service, and no service is named")
        if entry.pin is not None and entry.pkcs11 is None:
            self.add(here, "pin opens a token, and no pkcs11 names one", "the word of a file is password")
        if entry.password is not None and entry.pkcs11 is not None:
            self.add(here, "password opens a file, and pkcs11 names a token", "the word of a token is pin")
        if entry.ca is not None and bool(entry.subjects) == entry.any_subject:
            self.add(
                here,
                "a CA needs subjects, or any_subject = true",
                "name whom the CA certified for this bank; any_subject only for a CA that is the bank's own",
            )
        if entry.ca is None and entry.crls:
            self.add(here, "crls go with ca; a pinned certificate is withdrawn by ending its entry")
        if entry.crl_grace is not None and not entry.crls:
            self.add(self._line_of(number, "crl_grace_days"), "crl_grace_days goes with crls")
        if entry.ca is None and (entry.subjects or entry.any_subject):
            self.add(here, "subjects and any_subject go with ca; a pinned certificate names itself")
        if entry.role is Role.SSH_LOGIN and entry.private_key is None:
            if entry.login_password is None:
                self.add(
                    here, "private_key or login_password is wanted, or both", "a few servers ask for both"
                )
            if entry.password is not None:
                self.add(
                    here, "password opens private_key, which is not there", "the account's is login_password"
                )

    def _line_of_block(self, number: int) -> int:
        return self._headers[number] if number < len(self._headers) else 1

    def _line_of(self, number: int, name: str) -> int:
        """The line in block `number` where `name` is set."""
        start = self._line_of_block(number)
        end = self._headers[number + 1] if number + 1 < len(self._headers) else len(self._lines) + 1
        pattern = re.compile(rf"\s*(\[\s*key\s*\.\s*)?\"?{re.escape(name)}\"?\s*[=.\]]")
        matches = (line for line in range(start, end) if pattern.match(self._lines[line - 1]))
        return next(matches, start)


def _nearest(name: str, known: list[Any] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, [str(each) for each in known], 1)
    return f"did you mean {close[0]}?" if close else ""


def _read_text(value: object, folder: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(f"found {_kind(value)}, wanted a text")
    return value


def _read_id(value: object, folder: Path) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _Wrong("wanted up to 48 letters, digits, dots, hyphens and underscores")
    return value


def _read_path(value: object, folder: Path) -> Path:
    return folder / _read_text(value, folder)


def _read_paths(value: object, folder: Path) -> tuple[Path, ...]:
    return tuple(folder / text for text in _read_texts(value, folder))


def _read_grace(value: object, folder: Path) -> timedelta:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _GRACE_LIMIT_DAYS:
        raise _Wrong(f"wanted a number of days, 0 to {_GRACE_LIMIT_DAYS}")
    return timedelta(days=value)


def _read_environment(value: object, folder: Path) -> Environment:
    if value not in list(Environment):
        raise _Wrong(f"found {value!r}, wanted one of {', '.join(Environment)}")
    return Environment(str(value))


def _read_instant(value: object, folder: Path) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _Wrong("a time without zone; write 2026-01-31T00:00:00+08:00")
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise _Wrong(f"found {_kind(value)}, wanted a date such as 2026-01-31, without quotes")


def _read_source(value: object, folder: Path) -> SecretSource:
    if not isinstance(value, dict) or len(value) != 1:
        raise _Wrong('wanted { file = "..." }, { env = "..." } or { credential = "..." }')
    ((kind, name),) = value.items()
    if kind not in list(SourceKind):
        raise _Wrong(f"found {kind}, wanted one of {', '.join(SourceKind)}")
    name = _read_text(name, folder)
    return SecretSource(SourceKind(kind), str(folder / name) if kind == SourceKind.FILE else name)


def _read_uri(value: object, folder: Path) -> TokenKeyName:
    try:
        return parse_uri(_read_text(value, folder))
    except KeyUnavailable as error:
        raise _Wrong(f"{error}; {error.hint}") from None


def _read_flag(value: object, folder: Path) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"found {_kind(value)}, wanted true or false")
    return value


def _read_texts(value: object, folder: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise _Wrong(f"found {_kind(value)}, wanted a list of texts")
    return tuple(_read_text(each, folder) for each in value)


def _read_subjects(value: object, folder: Path) -> tuple[x509.Name, ...]:
    try:
        return parse_subjects(_read_texts(value, folder))
    except ValueError:
        raise _Wrong("wanted names such as CN=Settlement,O=Bank,C=CN (RFC 4514)") from None


def _read_pins(value: object, folder: Path) -> tuple[str, ...]:
    pins = _read_texts(value, folder)
    for pin in pins:
        if not _PIN.fullmatch(pin):
            raise _Wrong(f"found {pin!r}, wanted SHA256:... or a public key line of OpenSSH")
    return pins


def _read_algorithm(value: object, folder: Path) -> str:
    if value not in ALGORITHMS:
        raise _Wrong(f"found {value!r}, wanted one of {', '.join(ALGORITHMS)}")
    return str(value)


def _kind(value: object) -> str:
    """What was found, without showing it: somebody may have put a secret there."""
    return "an empty text" if value == "" else f"a value of type {type(value).__name__}"


_FIELDS = {"crl_grace_days": "crl_grace"}
"""Keys of the file whose values have another name here."""
_READERS: dict[str, Callable[[object, Path], Any]] = {
    "id": _read_id,
    "role": _read_text,
    "environment": _read_environment,
    "valid_from": _read_instant,
    "valid_until": _read_instant,
    "bank": _read_text,
    "platform": _read_text,
    "person": _read_text,
    "private_key": _read_path,
    "certificate": _read_path,
    "pkcs12": _read_path,
    "pkcs11": _read_uri,
    "service": _read_text,
    "service_key": _read_text,
    "service_secret": _read_source,
    "pin": _read_source,
    "ca": _read_path,
    "subjects": _read_subjects,
    "any_subject": _read_flag,
    "crls": _read_paths,
    "crl_grace_days": _read_grace,
    "password": _read_source,
    "login_password": _read_source,
    "algorithm": _read_algorithm,
    "public_key": _read_path,
    "host_keys": _read_path,
    "pins": _read_pins,
    "key": _read_source,
}


def parse_host_keys(text: str) -> list[str]:
    """Public key lines of OpenSSH; comments and the host column of `known_hosts` are left out.

    Raises `ValueError` with the line number where a line is none.
    """
    pins = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        start = next((index for index in (0, 1) if _PIN.fullmatch(" ".join(words[index : index + 2]))), None)
        if start is None:
            raise ValueError(f"line {number} is no public key of OpenSSH")
        pins.append(" ".join(words[start : start + 2]))
    if not pins:
        raise ValueError("there is no key in it")
    return pins

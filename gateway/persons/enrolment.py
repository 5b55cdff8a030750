"""Persons who may decide: enrolled with their public keys, renewed, ended.

Two files say who they are: `[person.NAME]` in the configuration, and the key ring. A change
is written beside them and looked at as a whole before it takes their place: first the public
key's own file, then the ring, then the configuration. A crash between them leaves somebody who
cannot decide yet, and the same command completes it. Nothing is ever taken out: what a person
signed must stay checkable. What the journal tells of it is in `enrolled`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from formats.registry import Registry
from gateway.configuration.config import Configuration, load_configuration
from gateway.configuration.profile import Key
from gateway.configuration.toml_edit import with_block, with_end
from gateway.errors import Conflict, NotPermitted, Refused, Unknown
from gateway.settlement.replacement import Replacement, only_one
from gateway.store.folders import sync_folder
from keys.keyring import Enrolment, Keyring
from keys.person_key import PUBLIC_SUFFIX, PersonKey, public_key_sha256, read_person_key
from keys.secret_sources import read_public_file, write_public_file

_SECOND = timedelta(seconds=1)
_FINGERPRINT_DIGITS = 16
"""At least so many: nobody makes a second key that begins with the same."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ChangedKey(Struct, frozen=True):
    """A key that began or ended; `sha256` is its fingerprint."""

    key_id: str
    sha256: str
    begins: bool


class EnrolmentChange(Struct, frozen=True, kw_only=True):
    """What a change of the enrolments came to. `files` were written, in this order."""

    person: str
    keys: list[ChangedKey]
    at: datetime
    files: list[Path]
    completed: bool = False
    """An interrupted command had begun it."""
    may_decide: list[str]
    """Everybody who has a key in force now."""


def enrol(
    path: Path,
    person: str,
    public_key: Path,
    at: datetime,
    *,
    title: str = "",
    renew: bool = False,
    fingerprint: str = "",
) -> EnrolmentChange:
    """Enrol a person with a public key, from `at` on, in the installation of this `bankgate.toml`.

    With `renew`, somebody who is enrolled gets another key, and the one before ends. `fingerprint`
    is what its owner reads out: at least 16 hex digits of the key's SHA-256. Raises
    `ConfigurationError`, `keys.errors.KeyUnavailable`, `Conflict` where the name or the key is
    taken, `Refused` where the fingerprint is another one's or a file cannot be changed safely; in
    each case nothing was changed.
    """
    at, path = at.replace(microsecond=0), path.absolute()
    key = read_person_key(public_key)
    if fingerprint:
        _require_fingerprint(public_key, key, fingerprint)
    with only_one(path.parent):
        site = _Site(path)
        known = _check_name(site, person, title)
        alive = [one for one in _enrolments(site, person, key) if one.in_force(at)]
        begun = [one for one in alive if one.public_key == key.public_key]
        if begun and known:
            raise Conflict(f"{person} is enrolled with this key already, as {begun[-1].key_id}")
        if alive and not begun and not renew:
            raise Conflict(
                f"{person} has another key in force, {alive[-1].key_id}",
                hint="--renew ends that one, and begins with the new one",
            )
        change = _Change(site)
        if not begun:
            change.end_keys(alive, at)
            change.add_key(person, key, at)
        if not known:
            change.add_person(person, title)
        files = change.carry_out()
    began = begun[-1].key_id if begun else change.new_key_id
    ended = [] if begun else [_told(one) for one in alive]
    return EnrolmentChange(
        person=person,
        keys=[*ended, ChangedKey(began, key.sha256, begins=True)],
        at=at,
        files=files,
        completed=bool(begun),
        may_decide=_may_decide(path, at),
    )


def end_enrolment(path: Path, person: str, at: datetime) -> EnrolmentChange:
    """End every key of a person from `at` on; what was signed before stays valid.

    Raises `Unknown` where nobody of that name is enrolled, `NotPermitted` where no key is in
    force, else as `enrol`.
    """
    at, path = at.replace(microsecond=0), path.absolute()
    with only_one(path.parent):
        site = _Site(path)
        if person not in site.configuration.persons and not site.enrolments(person):
            known = ", ".join(sorted(site.configuration.persons)) or "nobody"
            raise Unknown(f"{person!r} is not enrolled", hint=f"enrolled: {known}")
        alive = [one for one in site.enrolments(person) if one.valid_until is None or at < one.valid_until]
        later = [one.key_id for one in alive if not one.in_force(at)]
        if later:
            hint = "take its block out of the ring by hand: nothing can rest on it"
            raise NotPermitted(f"{later[0]} has not begun yet", hint=hint)
        if not alive:
            raise NotPermitted(f"{person} has no key in force")
        change = _Change(site)
        change.end_keys(alive, at)
        files = change.carry_out()
    return EnrolmentChange(
        person=person,
        keys=[_told(one) for one in alive],
        at=at,
        files=files,
        may_decide=_may_decide(path, at + _SECOND),
    )


class _Site:
    """Configuration and ring as they are on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.configuration = _load(path)
        self.ring = Keyring.load(self.configuration.keys, self.configuration.environment)

    def enrolments(self, person: str) -> list[Enrolment]:
        return [one for one in self.ring.enrolments() if one.person == person]


class _Text:
    """A TOML file, and what becomes of its text; line ends and byte order mark stay."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = path.read_bytes()
        decoded = self.before.decode("utf-8-sig")
        self._crlf = "\r\n" in decoded
        self._original = self.text = decoded.replace("\r\n", "\n")

    @property
    def changed(self) -> bool:
        return self.text != self._original

    def to_bytes(self) -> bytes:
        content = (self.text.replace("\n", "\r\n") if self._crlf else self.text).encode()
        return _BYTE_ORDER_MARK + content if self.before.startswith(_BYTE_ORDER_MARK) else content


class _Change:
    """Changes of both files, carried out together."""

    def __init__(self, site: _Site) -> None:
        self._site = site
        self._main = _Text(site.path)
        self._ring = _Text(site.configuration.keys)
        self._public: tuple[Path, bytes] | None = None
        self.new_key_id = ""

    def add_person(self, person: str, title: str) -> None:
        values: dict[str, str | datetime] = {"name": title}
        self._main.text = with_block(self._main.text, ("person", person), values)

    def add_key(self, person: str, key: PersonKey, at: datetime) -> None:
        """One more block in the ring, and the key's own file beside those of the others."""
        self.new_key_id = self._free_id(person)
        others = self._site.ring.enrolments()
        home = self._ring.path.parent
        folder = others[-1].path.parent if others else home / "keys"
        path = folder / f"{self.new_key_id}{PUBLIC_SUFFIX}"
        self._public = path, key.to_pem()
        values: dict[str, str | datetime] = {
            "id": self.new_key_id,
            "role": "person",
            "person": person,
            "environment": str(self._site.configuration.environment),
            "public_key": str(path.relative_to(home) if path.is_relative_to(home) else path),
            "valid_from": at,
        }
        self._ring.text = with_block(self._ring.text, ("key",), values, of_list=True)

    def end_keys(self, ending: Sequence[Enrolment], at: datetime) -> None:
        blocks = tomllib.loads(self._ring.text)["key"]
        for one in ending:
            place = next(number for number, block in enumerate(blocks) if block["id"] == one.key_id)
            # A window that is empty would be a mistake in the ring.
            end = at if one.valid_from is None or one.valid_from < at else one.valid_from + _SECOND
            self._ring.text = with_end(self._ring.text, place, end)

    def carry_out(self) -> list[Path]:
        """Write beside, look at all of it, put in place: the key's file, the ring, the configuration."""
        files = []
        with ExitStack() as undo:
            if self._public is not None:
                files.append(self._public[0])
                if self._write_public(*self._public):
                    undo.callback(self._public[0].unlink)
            drafts = []
            for text in (self._ring, self._main):
                if text.changed:
                    draft = Replacement(text.path, text.before, text.to_bytes())
                    undo.callback(draft.discard)
                    drafts.append(draft)
            self._look_at(drafts)
            for draft in drafts:
                draft.publish()
                # The ring names the key's file now: only drafts may still go.
                undo.pop_all()
                for other in drafts:
                    undo.callback(other.discard)
            files += [draft.path for draft in drafts]
        return files

    def _look_at(self, drafts: list[Replacement]) -> None:
        """The whole configuration must load as it will be."""
        seen = {draft.path: draft.draft for draft in drafts}
        configuration = _load(seen.get(self._main.path, self._main.path))
        Keyring.load(seen.get(self._ring.path, self._ring.path), configuration.environment)

    def _write_public(self, path: Path, content: bytes) -> bool:
        """Whether it was written now; an interrupted command may have done so before."""
        if path.exists():
            if read_public_file(path) == content:
                return False
            raise Conflict(f"{path} is there already, with another key", hint="move it away")
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_public_file(path, content)
        sync_folder(path.parent)
        return True

    def _free_id(self, person: str) -> str:
        taken = {block.get("id") for block in tomllib.loads(self._ring.text).get("key", [])}
        number = 1
        while (key_id := person if number == 1 else f"{person}-{number}") in taken:
            number += 1
        return key_id


def _load(path: Path) -> Configuration:
    return load_configuration(path, lambda folders: Registry(folders).purposes())


def _check_name(site: _Site, person: str, title: str) -> bool:
    """Whether the configuration knows the person; raises where it cannot."""
    try:
        msgspec.convert(person, Key)
    except msgspec.ValidationError:
        hint = "lower-case letters, digits, - and _, at most 32 characters"
        raise Refused(f"{person!r} cannot be a person's name here", hint=hint) from None
    known = site.configuration.persons.get(person)
    if known is None and not title.strip():
        raise Refused(f"{person} is new: the title is wanted", hint="give the name as people write it")
    if known is not None and title not in ("", known.name):
        raise Conflict(f"{person} is called {known.name!r} in the configuration", hint="change it there")
    return known is not None


def _require_fingerprint(public_key: Path, key: PersonKey, told: str) -> None:
    digits = re.sub("[ :]", "", told).lower()
    if not re.fullmatch(f"[0-9a-f]{{{_FINGERPRINT_DIGITS},64}}", digits):
        hint = f"{_FINGERPRINT_DIGITS} to 64 hex digits; blanks and colons may stand between them"
        raise Refused(f"{told!r} is no fingerprint", hint=hint)
    if not key.sha256.startswith(digits):
        raise Refused(
            f"{public_key} has the fingerprint {key.sha256[:_FINGERPRINT_DIGITS]}..., not {digits[:16]}...",
            hint="this is not the key that its owner reads out: do not enrol it, ask where it comes from",
        )


def _enrolments(site: _Site, person: str, key: PersonKey) -> list[Enrolment]:
    """Those of the person; raises `Conflict` where the key is, or was, somebody else's or a machine's."""
    if machine := site.ring.machine_with(key.public_key):
        raise Conflict(
            f"the key {key.sha256[:16]}... is {machine} in the ring already",
            hint="a person's key is no machine's: have the person make one (bankgate operator new-key)",
        )
    for one in site.ring.enrolments():
        if one.public_key == key.public_key and one.person != person:
            raise Conflict(
                f"the key {key.sha256[:16]}... is enrolled for {one.person}, as {one.key_id}",
                hint="each person makes a key of the own",
            )
    return site.enrolments(person)


def _may_decide(path: Path, at: datetime) -> list[str]:
    site = _Site(path)
    alive = {one.person for one in site.ring.enrolments() if one.in_force(at)}
    return sorted(alive & site.configuration.persons.keys())


def _told(ended: Enrolment) -> ChangedKey:
    return ChangedKey(ended.key_id, public_key_sha256(ended.public_key), begins=False)

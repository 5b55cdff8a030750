"""Who may decide, as the journal tells it: an event whenever it is another than the one before.

Whoever can write the configuration decides who may decide. That cannot be prevented here, but
it cannot be hidden either: before anything is done or decided under a changed set of persons
and keys, the journal says so, whoever changed the files and how.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from gateway import evidence
from gateway.configuration.config import Configuration
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.identity import tell_identity
from gateway.ledger.persons import ENROLLED, decisions_by_key, last_enrolled
from keys.keyring import Keyring
from keys.person_key import public_key_sha256


class EnrolledKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's key as the journal names it: no title, no key, its fingerprint; instants in UTC."""

    person: str
    key_id: str
    algorithm: str
    key_sha256: str
    valid_from: datetime | None
    valid_until: datetime | None

    def in_force(self, at: datetime) -> bool:
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_until is None or at < self.valid_until)


class EnrolledPersons(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of the event: everybody who may decide, in the order of (person, key_id)."""

    persons: list[EnrolledKey]

    @classmethod
    def parse(cls, body: dict[str, Any]) -> EnrolledPersons:
        """Raises `ValueError` where it is something else, instants without a zone included."""
        try:
            told = msgspec.convert(body, cls)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None
        instants = [at for key in told.persons for at in (key.valid_from, key.valid_until) if at is not None]
        if any(at.tzinfo is None for at in instants):
            raise ValueError("an instant without a zone")
        return told


class Operator(Struct, frozen=True, kw_only=True):
    """A person, or one of the keys of a person, for lists. `decisions` were signed with it."""

    person: str
    title: str
    key_id: str
    algorithm: str
    key_sha256: str
    valid_from: datetime | None
    valid_until: datetime | None
    state: str
    """`in_force`, `later`, `ended`, `no_key` (enrolled without one), `no_person` (key without him)."""
    decisions: int


def note_enrolled(installation: Installation, transaction: Transaction) -> list[str]:
    """Record who may decide where that is not what the journal said last; what has changed, in words.

    Call it before anything is done for which persons count. The ledger's identity, which they sign, is
    told before them.
    """
    tell_identity(transaction, installation.clock.now())
    now = enrolled_persons(installation.configuration, installation.keyring)
    before = last_enrolled(transaction)
    # Never told, and nobody is there: nothing has changed.
    known = EnrolledPersons([]) if before is None else EnrolledPersons.parse(msgspec.json.decode(before))
    if now == known:
        return []
    at = installation.clock.now()
    evidence.record(transaction, at, ENROLLED, persons=now.persons)
    return [] if before is None else _differences(known, now)


def enrolled_persons(configuration: Configuration, keyring: Keyring) -> EnrolledPersons:
    """Every key of a person whom the configuration names, ended ones and later ones too."""
    keys = [
        EnrolledKey(
            person=one.person,
            key_id=one.key_id,
            algorithm=one.algorithm,
            key_sha256=public_key_sha256(one.public_key),
            valid_from=one.valid_from,
            valid_until=one.valid_until,
        )
        for one in keyring.enrolments()
        if one.person in configuration.persons
    ]
    return EnrolledPersons(sorted(keys, key=lambda key: (key.person, key.key_id)))


def operators(installation: Installation) -> list[Operator]:
    """Every person and every key, in the order of the ring; persons without a key last."""
    with installation.ledger.read() as transaction:
        decisions = decisions_by_key(transaction)
    persons, at = installation.configuration.persons, installation.clock.now()
    found = []
    for one in installation.keyring.enrolments():
        known = persons.get(one.person)
        state = "in_force" if one.in_force(at) else "ended"
        if one.valid_from is not None and at < one.valid_from:
            state = "later"
        found.append(
            Operator(
                person=one.person,
                title="" if known is None else known.name,
                key_id=one.key_id,
                algorithm=one.algorithm,
                key_sha256=public_key_sha256(one.public_key),
                valid_from=one.valid_from,
                valid_until=one.valid_until,
                state="no_person" if known is None else state,
                decisions=decisions.get((one.person, one.key_id), 0),
            )
        )
    without = [name for name in persons if name not in {one.person for one in found}]
    return found + [_without_key(name, persons[name].name) for name in without]


def _without_key(person: str, title: str) -> Operator:
    return Operator(
        person=person,
        title=title,
        key_id="",
        algorithm="",
        key_sha256="",
        valid_from=None,
        valid_until=None,
        state="no_key",
        decisions=0,
    )


def _differences(before: EnrolledPersons, after: EnrolledPersons) -> list[str]:
    """A line for each key that came, went, or has other dates."""
    old = {(key.person, key.key_id, key.key_sha256): key for key in before.persons}
    new = {(key.person, key.key_id, key.key_sha256): key for key in after.persons}
    came = [
        f"{name[0]} has key {_short(name[2])}, which counts {_window(new[name])}"
        for name in new.keys() - old.keys()
    ]
    went = [f"{person}'s key {_short(digest)} is gone" for person, _, digest in old.keys() - new.keys()]
    moved = [
        f"{name[0]}'s key {_short(name[2])} counts {_window(new[name])}"
        for name in old.keys() & new.keys()
        if old[name] != new[name]
    ]
    return sorted(came) + sorted(went) + sorted(moved)


def _window(key: EnrolledKey) -> str:
    begin = "ever since" if key.valid_from is None else f"from {key.valid_from:%Y-%m-%d %H:%M}"
    return begin if key.valid_until is None else f"{begin} until {key.valid_until:%Y-%m-%d %H:%M}"


def _short(digest: str) -> str:
    return digest[:16]

"""Signed statements of enrolled persons, recorded once and checkable for ever."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from gateway import evidence
from gateway.errors import DecisionRefused
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.decisions import (
    SignedRow,
    insert_decision,
    mark_carried_out,
    signed_about,
    signed_so,
)
from gateway.persons.enrolled import note_enrolled
from keys.errors import SealError
from keys.keyring import PersonVerifier
from keys.statement import verify_statement

EXHIBIT = "exhibit"
"""In a statement's `about`: SHA-256 of what the decision rests on, absent where it rests on nothing."""
INSTALLATION = "installation"
"""In a statement's `about`: identity of the ledger for which it is signed; absent before there were any."""
REASON = "why"
"""In a statement's `about`: SHA-256 of why, in the person's own words, absent where none are given."""
TERMS = "terms"
"""In a statement's `about`: how much and on what ground, absent where the decision leaves nothing to say."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person says within a decision: `amount_minor` in minor units, and a ground of its list."""

    amount_minor: int | None = None
    ground: str = ""

    def told(self) -> dict[str, Any]:
        """As a statement's `about` has it; empty where nothing is said."""
        said: dict[str, Any] = msgspec.to_builtins(self)
        return {TERMS: said} if said else {}


class Basis(Struct, frozen=True, kw_only=True):
    """What a decision rests on: digests of what was kept before ("" for none), and its terms."""

    exhibit: str = ""
    reason: str = ""
    terms: Terms = Terms()

    def told(self) -> dict[str, Any]:
        """As a statement's `about` has it."""
        digests = {EXHIBIT: self.exhibit, REASON: self.reason}
        return {name: sha256 for name, sha256 in digests.items() if sha256} | self.terms.told()


class Statement(Struct, frozen=True, kw_only=True):
    """What a person signs: who decides what about which object, and what it was then.

    `about` holds the digests and figures that the person saw, so that a decision cannot be
    carried over to something else.
    """

    object: str
    decision: str
    person: str
    at: str
    about: dict[str, Any]

    def to_bytes(self) -> bytes:
        """The exact bytes that are signed: JSON with sorted keys."""
        return msgspec.json.encode(self, order="sorted")

    @property
    def installation(self) -> str:
        """Identity of the ledger for which it was signed, "" where it names none."""
        return str(self.about.get(INSTALLATION, ""))

    @property
    def exhibit(self) -> str:
        """SHA-256 of what it rests on, "" for none."""
        return str(self.about.get(EXHIBIT, ""))

    @property
    def reason(self) -> str:
        """SHA-256 of the person's own words, kept as an exhibit is; "" for none."""
        return str(self.about.get(REASON, ""))

    @property
    def basis(self) -> Basis:
        """What it rests on. Raises `DecisionRefused` where its terms are none."""
        try:
            terms = msgspec.convert(self.about.get(TERMS, {}), Terms)
        except msgspec.ValidationError as error:
            raise DecisionRefused(f"the terms of {self.person}'s statement are none: {error}") from None
        return Basis(exhibit=self.exhibit, reason=self.reason, terms=terms)

    @property
    def seen(self) -> dict[str, Any]:
        """What the person saw of the object itself."""
        return {name: value for name, value in self.about.items() if name not in (EXHIBIT, REASON, TERMS)}

    @property
    def subject(self) -> str:
        """The object as it was: two persons agree only where both saw the same."""
        seen = hashlib.sha256(msgspec.json.encode(self.about, order="sorted")).hexdigest()
        return f"{self.object}#{seen[:32]}"


class Signed(Struct, frozen=True, kw_only=True):
    """One person's signature of a decision. `counts` while the key that made it may decide."""

    decision: str
    person: str
    key_id: str
    signed_at: str
    exhibit: str
    counts: bool
    terms: Terms = Terms()


def record_decision(
    installation: Installation,
    transaction: Transaction,
    statement: Statement,
    signature: bytes,
    persons_needed: int,
) -> list[str]:
    """Verify and record a decision; everybody whose signature of it counts now, in their order.

    Where they are as many as are needed the journal says whose signatures they are: the decision
    is to be carried out in the same transaction. Raises `DecisionRefused`.
    """
    now = installation.clock.now()
    note_enrolled(installation, transaction)
    enrolled = installation.configuration.persons
    if statement.person not in enrolled:
        raise DecisionRefused(
            f"person {statement.person!r} is not enrolled",
            hint=f"enrolled: {', '.join(sorted(enrolled)) or 'nobody'}",
        )
    try:
        person = _signed_with(installation.keyring.person_keys(statement.person, now), statement, signature)
    except SealError as error:
        raise DecisionRefused(f"the signature is not {statement.person}'s: {error}") from error
    before = _counting(installation, transaction, statement, now)
    if statement.person in (row.person for row in before):
        raise DecisionRefused(
            f"{statement.person} has decided this already", hint="another person must decide too"
        )
    insert_decision(
        transaction,
        object=statement.subject,
        decision=statement.decision,
        person=statement.person,
        key_id=person.key_id,
        statement=statement.to_bytes(),
        signature=signature,
        recorded_at=now.isoformat(),
    )
    counting = _counting(installation, transaction, statement, now)
    complete = len(counting) >= persons_needed
    if complete:
        mark_carried_out(transaction, statement.subject, statement.decision)
    evidence.record(
        transaction,
        now,
        "decision",
        object=statement.subject,
        decision=statement.decision,
        person=statement.person,
        statement_sha256=hashlib.sha256(statement.to_bytes()).hexdigest(),
        signature_sha256=hashlib.sha256(signature).hexdigest(),
        key_sha256=hashlib.sha256(base64.b64decode(person.public_key)).hexdigest(),
        **({"carried_out_by": [[row.person, row.key_id] for row in counting]} if complete else {}),
    )
    return [row.person for row in counting]


def _counting(
    installation: Installation, transaction: Transaction, statement: Statement, at: datetime
) -> list[SignedRow]:
    """Whose signatures of the same count, the first of each person."""
    rows = signed_so(transaction, statement.subject, statement.decision)
    alive = keys_in_force(installation, at)
    return list({row.person: row for row in rows if (row.person, row.key_id) in alive}.values())


def keys_in_force(installation: Installation, at: datetime) -> set[tuple[str, str]]:
    """(person, key_id) of everybody who may decide; the ring refuses one key under two names.

    A signature counts while its own key may decide: one that was lost and ended takes with it what
    was signed with it and still waits, also where its owner has another one now.
    """
    return {
        (one.person, one.key_id)
        for one in installation.keyring.enrolments()
        if one.in_force(at) and one.person in installation.configuration.persons
    }


def _signed_with(keys: list[PersonVerifier], statement: Statement, signature: bytes) -> PersonVerifier:
    """Which of a person's keys in force made the signature; raises `SealError` where none did."""
    for key in keys[:-1]:
        try:
            verify_statement(key, statement.to_bytes(), signature)
        except SealError:
            continue
        return key
    verify_statement(keys[-1], statement.to_bytes(), signature)
    return keys[-1]


def signed_so_far(
    installation: Installation, transaction: Transaction, name: str, seen: dict[str, Any]
) -> list[Signed]:
    """What persons have signed about an object as it is now, whatever they rest it on."""
    alive = keys_in_force(installation, installation.clock.now())
    found = []
    for row in signed_about(transaction, name):
        statement = msgspec.json.decode(row.statement, type=Statement)
        if statement.seen == seen:
            found.append(
                Signed(
                    decision=row.decision,
                    person=row.person,
                    key_id=row.key_id,
                    signed_at=row.recorded_at,
                    exhibit=statement.exhibit,
                    counts=(row.person, row.key_id) in alive,
                    terms=statement.basis.terms,
                )
            )
    return found

"""Signed statements of enrolled persons, recorded once and checkable for ever."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from gateway import evidence
from gateway.enrolled import note_enrolled
from gateway.errors import DecisionRefused
from gateway.installation import Installation
from gateway.ledger import Transaction
from gateway.ledger_decisions import deciders, insert_decision, signed_about
from keys.errors import SealError
from keys.keyring import PersonVerifier
from keys.statement import verify_statement

EXHIBIT = "exhibit"
"""In a statement's `about`: SHA-256 of what the decision rests on, absent where it rests on nothing."""


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
    def exhibit(self) -> str:
        """SHA-256 of what it rests on, "" for none."""
        return str(self.about.get(EXHIBIT, ""))

    @property
    def subject(self) -> str:
        """The object as it was: two persons agree only where both saw the same."""
        seen = hashlib.sha256(msgspec.json.encode(self.about, order="sorted")).hexdigest()
        return f"{self.object}#{seen[:32]}"


def record_decision(
    installation: Installation, transaction: Transaction, statement: Statement, signature: bytes
) -> list[str]:
    """Verify and record a decision; everybody who has decided so. Raises `DecisionRefused`."""
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
    if statement.person in deciders(transaction, statement.subject, statement.decision):
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
    )
    return _in_force(installation, deciders(transaction, statement.subject, statement.decision), now)


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


def _in_force(installation: Installation, persons: list[str], at: datetime) -> list[str]:
    """Those who still may decide; the ring refuses one key under two names."""
    enrolments = installation.keyring.enrolments()
    alive = {one.person for one in enrolments if one.in_force(at)} & installation.configuration.persons.keys()
    return [name for name in persons if name in alive]


def signed_so_far(transaction: Transaction, name: str, seen: dict[str, Any]) -> list[Statement]:
    """What persons have signed about an object as it is now, whatever they rest it on."""
    statements = [
        msgspec.json.decode(row.statement, type=Statement) for row in signed_about(transaction, name)
    ]
    return [statement for statement in statements if without_exhibit(statement.about) == seen]


def without_exhibit(about: dict[str, Any]) -> dict[str, Any]:
    """What a person saw of the object itself."""
    return {name: value for name, value in about.items() if name != EXHIBIT}

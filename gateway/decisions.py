"""Signed statements of enrolled persons, recorded once and checkable for ever."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec
from msgspec import Struct

from gateway import evidence
from gateway.errors import DecisionRefused
from gateway.installation import Installation
from gateway.ledger import Transaction
from keys.errors import SealError
from keys.statement import verify_statement


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
    def subject(self) -> str:
        """The object as it was: two persons agree only where both saw the same."""
        seen = hashlib.sha256(msgspec.json.encode(self.about, order="sorted")).hexdigest()
        return f"{self.object}#{seen[:32]}"


def record_decision(
    installation: Installation, transaction: Transaction, statement: Statement, signature: bytes
) -> list[str]:
    """Verify and record a decision; everybody who has decided so. Raises `DecisionRefused`."""
    enrolled = installation.configuration.persons
    if statement.person not in enrolled:
        raise DecisionRefused(
            f"person {statement.person!r} is not enrolled",
            hint=f"enrolled: {', '.join(sorted(enrolled)) or 'nobody'}",
        )
    try:
        person = installation.keyring.person(statement.person)
        verify_statement(person, statement.to_bytes(), signature)
    except SealError as error:
        raise DecisionRefused(f"the signature is not {statement.person}'s: {error}") from error
    if statement.person in deciders(transaction, statement.subject, statement.decision):
        raise DecisionRefused(
            f"{statement.person} has decided this already", hint="another person must decide too"
        )
    now = installation.clock.now()
    transaction.run(
        "INSERT INTO decision (object, decision, person, key_id, statement, signature, recorded_at)"
        " VALUES (:object, :decision, :person, :key_id, :statement, :signature, :at)",
        object=statement.subject,
        decision=statement.decision,
        person=statement.person,
        key_id=person.key_id,
        statement=statement.to_bytes(),
        signature=signature,
        at=now.isoformat(),
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
    return deciders(transaction, statement.subject, statement.decision)


def deciders(transaction: Transaction, subject: str, decision: str) -> list[str]:
    """Who has decided so about this object as it is."""
    rows = transaction.all(
        "SELECT person FROM decision WHERE object = :object AND decision = :decision ORDER BY decision_pk",
        object=subject,
        decision=decision,
    )
    return [row.person for row in rows]


def decision_counts(transaction: Transaction, name: str) -> list[tuple[str, int]]:
    """For each state in which an object was decided about: the decision and its number of persons."""
    rows = transaction.all(
        "SELECT decision, COUNT(*) AS persons FROM decision WHERE object >= :first AND object < :end"
        " GROUP BY object, decision",
        first=f"{name}#",
        # "$" follows "#": every subject of this object, and of no other.
        end=f"{name}$",
    )
    return [(row.decision, row.persons) for row in rows]

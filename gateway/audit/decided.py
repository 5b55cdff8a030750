"""Who decided: signatures, the statements they are over, and whether the persons were enrolled."""

from __future__ import annotations

import hashlib

import msgspec

from gateway.audit.beside import Beside
from gateway.audit.bundle import (
    DecisionLine,
    PersonLine,
)
from gateway.audit.chain import Told
from gateway.audit.identity import IdentityChecks
from gateway.audit.persons import EnrolmentChecks, SignedBy
from gateway.persons.decisions import Statement
from keys.certified import decode_base64, verify_public
from keys.errors import SealError


class DecidedChecks:
    """Decisions and the keys that signed them."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._add = beside.add

    def decisions(self) -> None:
        persons = self._persons()
        digests = {key_id: _key_digest(person) for key_id, person in persons.items()}
        enrolments = EnrolmentChecks(self._beside.bundle, self._beside.journal)
        identity = IdentityChecks(self._beside.bundle, self._beside.journal)
        used = set()
        signed: dict[tuple[str, str], list[SignedBy]] = {}
        events = iter(self._beside.journal.of("decision"))
        for place, line in self._beside.ascending("decisions", DecisionLine):
            used.add(line.key_id)
            person = persons.get(line.key_id)
            if person is None or person.person != line.person:
                self._add(place, f"the key {line.key_id} of {line.person} is not in the bundle")
            else:
                self._check_signature(place, line, person)
            told = next(events, None)
            self._check_statement(place, line, told, identity)
            self._beside.agree(
                place, told, "decision", object=line.object, decision=line.decision, person=line.person
            )
            self._agree_digests(place, told, line, person)
            enrolments.check_decision(place, told, line.person, line.key_id, digests.get(line.key_id, ""))
            signed.setdefault((line.object, line.decision), []).append((line.person, line.key_id))
            if told is not None and "carried_out_by" in told.body:
                counted = self._counted(place, told, signed[line.object, line.decision])
                enrolments.check_completion(place, told, counted, digests)
        enrolments.check_persons(persons, digests)
        for key_id in persons.keys() - used:
            self._add("persons.jsonl", f"no decision was signed with the key {key_id}")
        for told in events:
            self._add(told.place, f"a decision about {told.body.get('object')} is not in the bundle")

    def _counted(self, place: str, told: Told, signed: list[SignedBy]) -> list[SignedBy]:
        """Whose signatures carried a decision out: the last one, and those of others before it."""
        try:
            counted = msgspec.convert(told.body["carried_out_by"], list[SignedBy])
        except msgspec.ValidationError:
            self._add(told.place, "does not tell whose signatures carried it out")
            return []
        if len({person for person, _ in counted}) < len(counted):
            self._add(told.place, "counts a person twice")
        if signed[-1] not in counted:
            self._add(told.place, f"does not count the signature of {signed[-1][0]} that completed it")
        for person, key_id in counted:
            if (person, key_id) not in signed:
                self._add(place, f"was carried out by {person} with the key {key_id}, who had not signed it")
        return counted

    def _persons(self) -> dict[str, PersonLine]:
        persons: dict[str, PersonLine] = {}
        for place, line in self._beside.bundle.lines("persons", PersonLine):
            if persons.setdefault(line.key_id, line) is not line:
                self._add(place, f"the key {line.key_id} stands there a second time")
        return persons

    def _check_signature(self, place: str, line: DecisionLine, person: PersonLine) -> None:
        try:
            signature = b"".join(line.signature.encode().split())
            verify_public(line.statement.encode(), signature, person.public_key, person.algorithm)
        except SealError as error:
            self._add(place, f"the signature is not {line.person}'s: {error}")

    def _check_statement(
        self, place: str, line: DecisionLine, told: Told | None, identity: IdentityChecks
    ) -> None:
        try:
            statement = msgspec.json.decode(line.statement, type=Statement)
        except msgspec.DecodeError as error:
            self._add(place, f"the statement cannot be read: {error}")
            return
        if (statement.subject, statement.decision, statement.person) != (
            line.object,
            line.decision,
            line.person,
        ):
            self._add(place, "the statement that was signed says something else")
        identity.check(place, told, statement.installation)

    def _agree_digests(
        self, place: str, told: Told | None, line: DecisionLine, person: PersonLine | None
    ) -> None:
        if told is None or "statement_sha256" not in told.body:
            return
        key = "" if person is None else _key_digest(person)
        self._beside.agree(
            place,
            told,
            "decision",
            statement_sha256=hashlib.sha256(line.statement.encode()).hexdigest(),
            signature_sha256=hashlib.sha256(line.signature.encode()).hexdigest(),
            key_sha256=key,
        )


def _key_digest(person: PersonLine) -> str:
    """ "" where there is no key in it, which its signatures tell."""
    try:
        return hashlib.sha256(decode_base64(person.public_key.encode())).hexdigest()
    except SealError:
        return ""

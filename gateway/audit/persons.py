"""Whether those who decided were enrolled then, as the journal of a bundle tells it."""

from __future__ import annotations

from bisect import bisect_left

from gateway.audit.bundle import PersonLine
from gateway.audit.chain import Journal, Told
from gateway.audit.heads import instant
from gateway.audit.report import Bundle
from gateway.ledger.persons import ENROLLED
from gateway.persons.enrolled import EnrolledKey, EnrolledPersons

SignedBy = tuple[str, str]
"""Person and key_id."""


class EnrolmentChecks:
    """The events that tell who may decide, and what is held against them."""

    def __init__(self, bundle: Bundle, journal: Journal) -> None:
        self._bundle = bundle
        self._events: list[int] = []
        self._told: list[EnrolledPersons] = []
        self._before_the_first = 0
        for told in journal.of(ENROLLED):
            try:
                self._told.append(EnrolledPersons.parse(told.body))
                self._events.append(told.event)
            except ValueError as error:
                bundle.report.add(told.place, f"does not tell who is enrolled: {error}")

    def check_decision(
        self, place: str, told: Told | None, person: str, key_id: str, key_sha256: str
    ) -> None:
        """The event of a decision comes after one that enrols its person with its key, in force then."""
        if told is None:
            return
        number = bisect_left(self._events, told.event) - 1
        if number < 0:
            self._before_the_first += 1
            return
        wanted = (person, key_id, key_sha256)
        key = next((one for one in self._told[number].persons if _name(one) == wanted), None)
        who = f"{person} was not enrolled with the key {key_id}"
        if key is None:
            self._add(place, f"{who} when event {told.event} told of it: see event {self._events[number]}")
        elif not _in_force(key, told.recorded_at):
            self._add(place, f"the key {key_id} of {person} was not in force at {told.recorded_at[:19]}")

    def check_completion(
        self, place: str, told: Told, counted: list[SignedBy], digests: dict[str, str]
    ) -> None:
        """Each key that counted was in force still when the decision was carried out."""
        number = bisect_left(self._events, told.event) - 1
        if number < 0:
            return
        persons = {_name(one): one for one in self._told[number].persons}
        for person, key_id in counted:
            key = persons.get((person, key_id, digests.get(key_id, "")))
            if key is None or not _in_force(key, told.recorded_at):
                self._add(
                    place,
                    f"was carried out at {told.recorded_at[:19]} by a signature of {person}, whose key"
                    f" {key_id} was not in force then",
                )

    def check_persons(self, persons: dict[str, PersonLine], digests: dict[str, str]) -> None:
        """Every key of the table is one that the journal enrolled, with that algorithm."""
        known = {(*_name(one), one.algorithm) for told in self._told for one in told.persons}
        for key_id, line in persons.items():
            if self._told and (line.person, key_id, digests[key_id], line.algorithm) not in known:
                self._add(
                    "persons.jsonl", f"no event of the journal enrols {line.person} with the key {key_id}"
                )
        if self._before_the_first:
            self._bundle.report.notes.append(
                f"{self._before_the_first} decisions are older than the first event that tells who was"
                " enrolled: for them the signatures alone speak"
            )

    def _add(self, place: str, message: str) -> None:
        self._bundle.report.add(place, message)


def _name(key: EnrolledKey) -> tuple[str, str, str]:
    return key.person, key.key_id, key.key_sha256


def _in_force(key: EnrolledKey, at: str) -> bool:
    try:
        return key.in_force(instant(at))
    except ValueError:
        return False

"""Whether what a bundle says of recovered money is what persons signed and the journal tells.

There are few recoveries: all of them, and the decisions about them, are kept while this looks.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec

from gateway.audit.bundle import DecisionLine, ReceiptLine, RecoveryLine
from gateway.audit.chain import Journal, Told
from gateway.audit.payments import PackedPayments
from gateway.audit.report import Bundle
from gateway.errors import DecisionRefused
from gateway.ledger.recoveries import Ending
from gateway.money import money
from gateway.persons.decisions import Statement, Terms
from gateway.ways.recoveries import TABLES

MARKED, RECEIVED = "recovery marked", "recovery received"
STRUCK, GIVEN_UP = "recovery receipt struck", "recovery given up"
_DECISIONS = {MARKED: "recover", RECEIVED: "recovered", STRUCK: "strike", GIVEN_UP: "give-up"}
_PERSONS = {decision: way.persons_needed for table in TABLES for decision, way in table.items()}


class RecoveryChecks:
    """One pass over the tables `recoveries` and `receipts`, then `finish`."""

    def __init__(self, bundle: Bundle, journal: Journal, payments: PackedPayments) -> None:
        self._add = bundle.report.add
        self._payments = payments
        self._marked = self._by(journal, MARKED, "recovery")
        self._received = self._by(journal, RECEIVED, "receipt")
        self._struck = self._by(journal, STRUCK, "receipt")
        self._given_up = self._by(journal, GIVEN_UP, "recovery")
        self._rows: dict[int, tuple[str, RecoveryLine]] = {}
        self._came_back: dict[int, int] = defaultdict(int)
        self._taken_off: dict[int, int] = defaultdict(int)
        self._signed: dict[tuple[str, str], list[DecisionLine]] = defaultdict(list)
        for _, line in bundle.lines("decisions", DecisionLine):
            if line.object.startswith("recovery:"):
                self._signed[line.object, line.decision].append(line)

    def recovery(self, place: str, row: RecoveryLine) -> None:
        """It was marked so, by two persons who signed this amount and ground."""
        self._rows[row.recovery] = place, row
        if self._payments.find(row.payment) is None:
            self._add(place, f"payment {row.payment} is not in the bundle")
        told = self._marked.pop(row.recovery, None)
        self._agree(
            place,
            told,
            MARKED,
            payment=row.payment,
            amount_minor=row.amount_minor,
            ground=row.ground,
            exhibit=row.exhibit,
            object=row.decided,
        )
        terms = Terms(amount_minor=row.amount_minor, ground=row.ground)
        self._check_signed(place, MARKED, row.decided, terms, row.exhibit)
        kept = None if told is None else told.body.get("kept_minor")
        if isinstance(kept, int) and row.amount_minor > kept:
            self._add(place, f"{money(row.amount_minor)} are asked back of {money(kept)} that were kept")

    def receipt(self, place: str, row: ReceiptLine) -> None:
        """It was noted so by a person who signed amount and voucher; two persons struck what is struck."""
        if row.recovery not in self._rows:
            self._add(place, f"is of recovery {row.recovery}, which is not in the bundle")
        self._agree(
            place,
            self._received.pop(row.receipt, None),
            RECEIVED,
            recovery=row.recovery,
            amount_minor=row.amount_minor,
            voucher_sha256=row.voucher_sha256,
            object=row.decided,
        )
        terms = Terms(amount_minor=row.amount_minor)
        self._check_signed(place, RECEIVED, row.decided, terms, row.voucher_sha256)
        struck = self._struck.pop(row.receipt, None)
        if row.struck_at is None:
            self._came_back[row.recovery] += row.amount_minor
            if struck is not None:
                self._add(place, f"was struck by event {struck.event}, and counts still")
            return
        self._taken_off[row.recovery] += row.amount_minor
        self._agree(place, struck, STRUCK, recovery=row.recovery, amount_minor=row.amount_minor)
        if struck is not None:
            self._check_signed(place, STRUCK, str(struck.body.get("object")), Terms(), row.voucher_sha256)

    def finish(self) -> None:
        """How each stands is what came back of it; and nothing that is told is left out."""
        for key, (place, row) in self._rows.items():
            back, given_up = self._came_back[key], self._given_up.pop(key, None)
            if row.ending == Ending.GIVEN_UP:
                self._agree(place, given_up, GIVEN_UP, payment=row.payment)
                if given_up is not None:
                    exhibit = str(given_up.body.get("exhibit"))
                    self._check_signed(place, GIVEN_UP, str(given_up.body.get("object")), Terms(), exhibit)
            elif given_up is not None:
                self._add(place, f"was given up by event {given_up.event}, and is not shown so")
            # What was struck after another one was begun does not open it again.
            elif row.ending == Ending.WHOLE and back + self._taken_off[key] < row.amount_minor:
                self._add(place, f"is said to be whole; {money(back)} of {money(row.amount_minor)} came back")
            if row.ending == Ending.OPEN and back >= row.amount_minor:
                self._add(place, "all of it came back, and it is said to be open")
            if back > row.amount_minor:
                self._add(place, f"{money(back)} came back of {money(row.amount_minor)}")
        for left in (self._marked, self._received, self._struck, self._given_up):
            for told in left.values():
                self._add(told.place, "tells of a recovery that the bundle does not show")

    def _check_signed(self, place: str, kind: str, subject: str, terms: Terms, exhibit: str) -> None:
        """As many persons as it takes signed exactly this."""
        decision = _DECISIONS[kind]
        persons = {line.person for line in self._signed[subject, decision] if _says(line, terms, exhibit)}
        if len(persons) < _PERSONS[decision]:
            signed = ", ".join(sorted(persons)) or "nobody"
            self._add(place, f"{decision} of {subject.rpartition('#')[0]} was signed by {signed}")

    def _by(self, journal: Journal, kind: str, name: str) -> dict[int, Told]:
        """The events of a kind by the number that they tell of, each told once."""
        found: dict[int, Told] = {}
        for told in journal.of(kind):
            number = told.body.get(name)
            if not isinstance(number, int) or found.setdefault(number, told) is not told:
                self._add(told.place, f"tells of no {name}, or of one that was told before")
        return found

    def _agree(self, place: str, told: Told | None, kind: str, **values: object) -> None:
        if told is None:
            self._add(place, f"no event '{kind}' of the journal tells of it")
            return
        for name, value in values.items():
            if told.body.get(name) != value:
                self._add(place, f"{name} is {value}, event {told.event} says {told.body.get(name)}")


def _says(line: DecisionLine, terms: Terms, exhibit: str) -> bool:
    try:
        basis = msgspec.json.decode(line.statement, type=Statement).basis
    except (msgspec.DecodeError, DecisionRefused):
        # What cannot be read is told where decisions are checked.
        return False
    return (basis.terms, basis.exhibit) == (terms, exhibit)

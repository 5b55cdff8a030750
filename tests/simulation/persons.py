"""Persons who decide, by what the banks really did.

They ask the bank, and the bank confirms in writing: what it confirmed binds it from then on. Of
the decisions that are right they take any, so that over many histories every way is taken.
"""

from __future__ import annotations

import io
from collections import Counter
from random import Random

from formats.records import AcknowledgementVerdict
from gateway.api import Gateway
from gateway.demonstration.plan import PLATFORM
from gateway.errors import GatewayError
from gateway.ledger.database import Transaction
from gateway.persons import exhibits
from gateway.simulator.books import Paid
from gateway.states import PaymentState
from keys.statement import sign_statement
from tests.simulation.bank import BLANK, BLANK_SUCCESS, Statement, Told, told_money
from tests.simulation.books import Attempt, ledger_rows
from tests.simulation.department import Department
from tests.simulation.server import BankServer
from tests.simulation.world import World

_ALONE = 0.15
"""How often only one of two persons signs; the other may come later, or never."""
_FALSE = 0.06
"""How often a bank writes that it has not what it has, and how often persons believe such an answer."""


_UNTOLD = frozenset({"accepted", "held", "dispatched"})
"""States of a payment of which the ledger knows no outcome."""
_BY_STATE = ("batch", "file", "received")
"""Kinds of objects whose state alone decides which ways there are."""


class Persons:
    """`ways` counts the decisions that were carried out: (kind of object, its state, decision)."""

    def __init__(self, world: World, department: Department) -> None:
        self.ways: Counter[tuple[str, str, str]] = Counter()
        self._world = world
        self._department = department
        self._signers = world.base.persons
        self._servers = world.servers

    def decide(
        self, gateway: Gateway, random: Random, *, all_of_it: bool = False, deceived: bool = False
    ) -> None:
        """Decide what waits; in a storm some of it only, and not always with all signatures.

        Who is `deceived` takes what a bank's answers say for the truth.
        """
        for payment_id in self._world.lost:
            # With each bank it is looked through what it paid by files that a restored ledger forgot.
            for decision in ("accept", "credited"):
                self._decide_about(gateway, f"payment:{PLATFORM}/{payment_id}", random, only=decision)
        self._reopen_what_was_paid(gateway, random)
        for item in gateway.held():
            if all_of_it or random.random() < 0.7:
                self._decide_about(gateway, item.object, random, alone=not all_of_it, deceived=deceived)

    def _reopen_what_was_paid(self, gateway: Gateway, random: Random) -> None:
        """What is held of payments that a bank paid by a file which was given up, on a false word."""
        with gateway.installation.ledger.read() as transaction:
            held = [row for row in ledger_rows(transaction) if row.state == "held"]
        for row in held:
            for bank, name, _ in row.attempts:
                if self._servers[bank].bank.took(name):
                    self._decide_about(gateway, f"file:{bank}/{name}", random, only="reopen")

    def insist(self, gateway: Gateway, about: str, decision: str, random: Random) -> None:
        """Two persons make one decision, by what the bank's answers say."""
        self._decide_about(gateway, about, random, only=decision, deceived=True)

    def ask_for_answers(self, gateway: Gateway, random: Random) -> None:
        """A bank that says nothing is asked: it answers once more, or two persons write down what it says."""
        with gateway.installation.ledger.read() as transaction:
            rows = transaction.all(
                "SELECT file.bank, file.name, source_platform, payment.payment_id FROM attempt"
                " JOIN file USING (file_pk) JOIN payment USING (payment_pk) JOIN batch USING (batch_pk)"
                " LEFT JOIN outcome AS latest ON latest.outcome_pk = (SELECT MAX(outcome_pk) FROM outcome"
                "  WHERE outcome.payment_pk = payment.payment_pk)"
                " WHERE live = 1 AND (latest.status IS NULL OR latest.status = 'unknown')"
                " AND file.state IN ('sent', 'acknowledged', 'settled')"
                " ORDER BY attempt.file_pk, attempt.item"
            )
        files = sorted({(row.bank, row.name) for row in rows})
        silent = {file for file in files if random.random() < 0.5}
        for bank, name in sorted(silent):
            server = self._servers[bank]
            truths = {paid.item: Told.TRUTH for paid in server.bank.truth_of(name)}
            server.say(server.bank.tell(name, truths, server.moment))
        for row in rows:
            if (row.bank, row.name) not in silent or not self._servers[row.bank].bank.took(row.name):
                about = f"payment:{row.source_platform}/{row.payment_id}"
                self._decide_about(gateway, about, random)

    def meddle(self, gateway: Gateway, random: Random) -> None:
        """Decide about something that need not wait."""
        with gateway.installation.ledger.read() as transaction:
            objects = _objects(transaction)
        objects += [f"bank:{bank}" for bank in self._servers]
        self._decide_about(gateway, random.choice(objects), random, alone=True)

    def _decide_about(
        self,
        gateway: Gateway,
        about: str,
        random: Random,
        *,
        alone: bool = False,
        only: str = "",
        deceived: bool = False,
    ) -> None:
        try:
            ways = gateway.ways(about)
        except GatewayError:
            return
        deceived = deceived or random.random() < _FALSE
        look = _Look(gateway, self._world, self._department, about, deceived=deceived)
        # Who ends what waits does not hold it again.
        right = [
            way
            for way in ways
            if look.permits(way.decision) and (alone or way.decision != "hold") and only in ("", way.decision)
        ]
        if not right:
            return
        way = random.choice(right)
        state = look.state
        look.confirm(way.decision)
        persons = list(self._signers)
        random.shuffle(persons)
        signing = persons[:1] if alone and random.random() < _ALONE else persons[: way.persons_needed]
        for person in signing:
            if self._sign(gateway, about, way.decision, person, needs_exhibit=way.needs_exhibit):
                kind = about.partition(":")[0]
                self.ways[kind, state if kind in _BY_STATE else "", way.decision] += 1
                look.carried_out(way.decision)

    def _sign(self, gateway: Gateway, about: str, decision: str, person: str, *, needs_exhibit: bool) -> bool:
        """Whether that carried the decision out. What is refused was decided before, or has changed."""
        letter = ""
        try:
            if needs_exhibit:
                words = io.BytesIO(f"{about} {decision}".encode())
                letter = exhibits.attach(gateway.installation, words, "letter")
            statement = gateway.statement(about, decision, person, exhibit=letter)
            signature = sign_statement(self._signers[person], statement.to_bytes())
            return gateway.decide(statement, signature)
        except GatewayError:
            return False


class _Look:
    """One object, and what a person learns about it from the bank."""

    def __init__(
        self, gateway: Gateway, world: World, department: Department, about: str, *, deceived: bool
    ) -> None:
        self._world = world
        self._department = department
        self._servers = world.servers
        self._deceived = deceived
        self._kind, _, key = about.partition(":")
        owner, _, rest = key.partition("/")
        self._owner, self._rest, self._key = owner, rest, key
        self._attempts: list[Attempt] = []
        self._known: list[Attempt] = []
        self.state = ""
        with gateway.installation.ledger.read() as transaction:
            self._read(transaction)

    def permits(self, decision: str) -> bool:
        """Whether the decision is right, by what the bank did and will do."""
        if self._kind == "payment":
            return self._permits_payment(decision)
        if self._kind == "file":
            return self._permits_file(decision)
        if self._kind == "received":
            return self._permits_received(decision)
        if self._kind == "bank" and decision == "reconciled":
            return self._is_reconciled()
        # What a forgotten file may have paid is looked at payment by payment.
        return not (self._kind == "batch" and decision == "withdraw" and self._world.lost)

    def confirm(self, decision: str) -> None:
        """The bank writes what the decision rests on; that binds it."""
        if self._kind == "file" and decision in ("not-received", "not-processed", "resend"):
            server = self._servers[self._owner]
            if server.bank.took(self._rest) or server.will_take(self._rest):
                server.false_letters.add(self._rest)
            else:
                server.bank.attested.add(self._rest)
        if self._kind == "payment" and decision in ("failed", "returned"):
            for bank, name, _ in self._attempts:
                if not self._servers[bank].bank.truth_of(name):
                    self._servers[bank].bank.attested.add(name)
        if self._kind == "payment" and decision == "credited":
            for bank, name, item in self._attempts:
                self._servers[bank].bank.make_good(name, item)

    def carried_out(self, decision: str) -> None:
        """What binds the bank only once it is decided: before, it may still make good what is missing."""
        if self._kind == "payment" and decision == "discrepant":
            for bank, name, item in self._attempts:
                self._servers[bank].bank.stays_short.add((name, item))

    def _read(self, transaction: Transaction) -> None:
        if self._kind == "payment":
            row = next((row for row in ledger_rows(transaction) if row.payment_id == self._rest), None)
            self.state = "" if row is None else row.state
            self._known = [] if row is None else row.attempts
            self._amount_minor = 0 if row is None else row.amount_minor
            self._kept_minor = 0 if row is None else row.kept_minor
            lost = self._world.lost.get(self._rest, [])
            behind = transaction.one("SELECT 1 FROM bank_hold WHERE cause = 'behind' LIMIT 1")
            self._behind = behind is not None
            self._attempts = list(dict.fromkeys([*self._known, *lost]))
        elif self._kind == "file":
            row = transaction.one(
                "SELECT state FROM file WHERE bank = :bank AND name = :name",
                bank=self._owner,
                name=self._rest,
            )
            self.state = "" if row is None else row.state
            self._rows = ledger_rows(transaction) if self._world.lost else []
        elif self._kind == "received":
            row = transaction.one(
                "SELECT bank, sha256, state FROM received WHERE received_pk = :pk", pk=int(self._key)
            )
            self.state = "" if row is None else row.state
            self._received = ("", "") if row is None else (row.bank, row.sha256)
        elif self._kind == "bank":
            self._waits = {row.payment_id: row.state for row in ledger_rows(transaction)}
        elif self._kind == "batch":
            row = transaction.one("SELECT state FROM batch WHERE batch_id = :id", id=self._rest)
            self.state = "" if row is None else row.state

    # Files.

    def _permits_file(self, decision: str) -> bool:
        server = self._servers[self._owner]
        took_it, will_take = server.bank.took(self._rest), server.will_take(self._rest)
        if decision in ("arrived", "reopen"):
            return took_it or (will_take and decision == "arrived")
        if decision == "resend" and self._is_lost():
            return False
        if decision in ("not-received", "not-processed", "resend"):
            return self._deceived or not (took_it or will_take)
        if decision == "withdraw" and self._is_lost():
            return False
        if decision == "clear" and self.state == "rejected":
            # What the bank took after all is reopened.
            return not took_it
        if decision in ("redispatch", "withdraw"):
            told = AcknowledgementVerdict.REJECTED in server.verdicts.get(self._rest, [])
            return (self._deceived and told) or not (took_it or will_take)
        return True

    def _is_lost(self) -> bool:
        """Whether a forgotten file paid a payment of this one, and the ledger does not say so."""
        attempt = (self._owner, self._rest)
        here = {
            row.payment_id
            for row in self._rows
            if any(one[:2] == attempt for one in row.attempts) and row.state in _UNTOLD
        }
        forgotten = [attempt for payment_id in here for attempt in self._world.lost.get(payment_id, [])]
        if any(self._servers[bank].will_take(name) for bank, name, _ in forgotten):
            return True
        return any(
            one.credited_minor > one.returned_minor
            for bank, name, item in forgotten
            for one in self._truth(bank, name, item)
        )

    # Payments.

    def _permits_payment(self, decision: str) -> bool:
        paid = [one for bank, name, item in self._attempts for one in self._truth(bank, name, item)]
        credited = sum(one.credited_minor for one in paid)
        kept = credited - sum(one.returned_minor for one in paid)
        short = any(
            (name, item) in self._servers[bank].bank.stays_short for bank, name, item in self._attempts
        )
        if decision == "credited":
            return kept > 0 and (not short or kept == self._amount_minor)
        if decision == "discrepant":
            # The bank's word is the amount that it told, which may be another than it paid.
            return 0 < kept < self._amount_minor and (short or kept == self._kept_minor)
        if decision == "returned":
            # Also where the bank said wrongly that it credited something: nothing is with the payee.
            came_back = credited > 0 or self.state != PaymentState.DISPATCHED
            return kept == 0 and came_back and not self._may_still_be_paid()
        if decision == "failed":
            here = [one for bank, name, item in self._known for one in self._truth(bank, name, item)]
            moved = any(one.credited_minor for one in here)
            return kept == 0 and not moved and not self._may_still_be_paid()
        if decision == "accept" and self._behind and self._rest in self._world.lost:
            # Nothing leaves yet: first it is accepted again, as it was, then what the bank paid is told.
            return True
        if decision in ("accept", "withdraw", "set-aside"):
            return kept == 0 and not (self._rest in self._world.lost and self._may_still_be_paid())
        return True

    def _may_still_be_paid(self) -> bool:
        return any(self._servers[bank].will_take(name) for bank, name, _ in self._attempts)

    def _truth(self, bank: str, name: str, item: int) -> list[Paid]:
        return [one for one in self._servers[bank].bank.truth_of(name) if one.item == item]

    # Banks.

    def _is_reconciled(self) -> bool:
        """Every list is here again, and of what the forgotten files paid nothing waits to be paid."""
        server, lost = self._servers[self._owner], self._world.lost
        if not all(handed.taken for handed in self._department.lists):
            return False
        if any(server.will_take(name) for bank, name in self._world.lost_files if bank == self._owner):
            return False
        return not any(
            one.credited_minor > one.returned_minor
            for payment_id, attempts in lost.items()
            if self._waits.get(payment_id) in ("accepted", "held")
            for bank, name, item in attempts
            for one in self._truth(bank, name, item)
        )

    # What a bank put there.

    def _permits_received(self, decision: str) -> bool:
        bank, sha256 = self._received
        if decision != "accept":
            return True
        statement = self._servers[bank].bank.statements.get(sha256)
        return statement is not None and is_true(self._servers[bank], statement)


def is_true(server: BankServer, statement: Statement) -> bool:
    """Whether an answer says what the bank did: of every payment, and of the file."""
    bank = server.bank
    truths = {paid.item: paid for paid in bank.truth_of(statement.file_name)}
    if statement.verdict is not None:
        accepted = statement.verdict is AcknowledgementVerdict.ACCEPTED
        return accepted is bool(truths)
    for item, status in statement.items.items():
        paid = truths.get(item)
        money = told_money(status)
        if paid is None or status in (BLANK, BLANK_SUCCESS):
            return False
        if money is not None and money is not (paid.credited_minor - paid.returned_minor > 0):
            return False
    return True


def _objects(transaction: Transaction) -> list[str]:
    """Names of everything that the ledger has."""
    batches = transaction.all("SELECT source_platform, batch_id FROM batch ORDER BY batch_pk")
    payments = transaction.all(
        "SELECT source_platform, payment_id FROM payment JOIN batch USING (batch_pk) ORDER BY payment_pk"
    )
    files = transaction.all("SELECT bank, name FROM file ORDER BY file_pk")
    received = transaction.all("SELECT received_pk FROM received ORDER BY received_pk")
    return [
        *[f"batch:{row.source_platform}/{row.batch_id}" for row in batches],
        *[f"payment:{row.source_platform}/{row.payment_id}" for row in payments],
        *[f"file:{row.bank}/{row.name}" for row in files],
        *[f"received:{row.received_pk}" for row in received],
    ]

"""Knows the truth (what the banks really paid) and holds the books of a real process against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol

import msgspec

from formats import Payment, Status
from gateway.api import Gateway
from gateway.evidence import first_broken_event
from gateway.ledger.database import Transaction
from gateway.simulator.bank import SimulatedBank
from gateway.simulator.books import Paid
from gateway.simulator.scenario import Kind
from gateway.states import PaymentState
from tests.simulation.auditor import Violation

_STATE_QUERY = """SELECT payment.payment_id, payment.disposition, latest.status, latest.reason,
    latest.file_pk, EXISTS (SELECT 1 FROM attempt WHERE attempt.payment_pk = payment.payment_pk
    AND live = 1) AS live FROM payment LEFT JOIN outcome AS latest ON latest.outcome_pk =
    (SELECT MAX(outcome_pk) FROM outcome WHERE outcome.payment_pk = payment.payment_pk)"""

_NEVER_PAID = (PaymentState.ACCEPTED, PaymentState.SET_ASIDE, PaymentState.WITHDRAWN, PaymentState.HELD)


class Behind(Protocol):
    """All that the auditor wants of a server: the bank behind it."""

    bank: SimulatedBank


class Auditor:
    """Looks after every step of a history. `payments` are those handed over so far."""

    def __init__(self, servers: Mapping[str, Behind]) -> None:
        self.payments: dict[str, Payment] = {}
        self._servers = servers
        self.checks = 0
        self._known: dict[str, tuple[int, list[Paid]]] = {}

    def look(self, gateway: Gateway) -> None:
        """Raises `Violation`."""
        self.checks += 1
        paid = self._paid()
        self._nobody_is_paid_twice(paid)
        for batch in gateway.status():
            if not batch.adds_up:
                raise Violation(f"the sum of {batch.batch_id} does not hold: {batch}")
        with gateway.installation.ledger.read() as transaction:
            self._books_agree(transaction, paid)
            self._journal_agrees(transaction)

    def finished(self, gateway: Gateway) -> None:
        """After the calm end: nothing is lost, nothing hangs."""
        self.look(gateway)
        with gateway.installation.ledger.read() as transaction:
            known = {row.payment_id for row in transaction.all("SELECT payment_id FROM payment")}
            stuck = transaction.all(
                "SELECT name, state FROM file WHERE state IN ('planned', 'sealed', 'uploading', 'releasing')"
                " AND attention IS NULL"
            )
            sent = transaction.all(
                "SELECT bank, name, state FROM file WHERE state IN ('sent', 'acknowledged', 'settled')"
            )
        for row in sent:
            if not self._servers[row.bank].bank.saw(row.name):
                raise Violation(f"file {row.name} is {row.state}, and the bank never saw it")
        if known != self.payments.keys():
            raise Violation(f"payments lost: {sorted(self.payments.keys() - known)[:3]}")
        if stuck:
            raise Violation(f"files hang: {[(row.name, row.state) for row in stuck]}")

    def _paid(self) -> dict[str, tuple[int, int]]:
        """(credited, still there) minor units by account; every payment has an account of its own."""
        paid: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for name, server in self._servers.items():
            taken, known = self._known.get(name, (-1, []))
            if taken != server.bank.files_taken:
                known = list(server.bank.paid())
                self._known[name] = server.bank.files_taken, known
            for one in known:
                credited, kept = paid[one.account]
                credited += one.credited_minor
                paid[one.account] = credited, kept + one.credited_minor - one.returned_minor
        return paid

    def _nobody_is_paid_twice(self, paid: dict[str, tuple[int, int]]) -> None:
        instructed: defaultdict[str, int] = defaultdict(int)
        for payment in self.payments.values():
            instructed[payment.account] += payment.amount_minor
        for account, (_, amount) in paid.items():
            if amount > instructed[account]:
                raise Violation(f"account ...{account[-4:]} has {amount}, instructed {instructed[account]}")

    def _books_agree(self, transaction: Transaction, paid: dict[str, tuple[int, int]]) -> None:
        # A bank that says "failed" of what it paid cannot be seen through before it says otherwise.
        lies = any(server.bank.scenario.has(Kind.CONTRADICTING) for server in self._servers.values())
        for row in transaction.stream(_STATE_QUERY):
            payment = self.payments.get(row.payment_id)
            if payment is None:
                raise Violation(f"payment {row.payment_id} was never handed over")
            # A return may be on its way: what was credited counts until the bank has said so.
            amount, _ = paid.get(payment.account, (0, 0))
            state = _state(row.disposition, row.status, row.file_pk, row.live)
            if amount and state in _NEVER_PAID:
                raise Violation(f"{row.payment_id} is {state}, and the bank paid {amount}")
            if amount and state is PaymentState.FAILED and not lies:
                raise Violation(f"{row.payment_id} is failed, and the bank paid {amount}")
            if state is PaymentState.CREDITED and amount != payment.amount_minor and not lies:
                raise Violation(f"{row.payment_id} is credited, and the bank paid {amount}")

    def _journal_agrees(self, transaction: Transaction) -> None:
        broken = first_broken_event(transaction)
        if broken is not None:
            raise Violation(f"the journal is broken at event {broken}")
        told = sum(
            msgspec.json.decode(row.body)["count"]
            for row in transaction.all("SELECT body FROM event WHERE kind = 'outcomes'")
        )
        kept = transaction.one("SELECT COUNT(*) AS number FROM outcome WHERE file_pk IS NOT NULL")
        assert kept is not None
        if told != kept.number:
            raise Violation(f"the journal tells of {told} outcomes, the ledger has {kept.number}")


def _state(disposition: str, status: str | None, file_pk: int | None, live: int) -> PaymentState:
    if status is not None and file_pk is not None:
        return PaymentState(Status(status).value)
    if disposition != "accepted":
        return PaymentState(disposition)
    return PaymentState.DISPATCHED if live else PaymentState.ACCEPTED

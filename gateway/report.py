"""What a person or a program asks of the gateway: sums, files, one payment's story. Read only."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from formats import FeeFinding, Notice, Outcome, Problem, Reason, Status
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.decisions import signed_about, signed_so
from gateway.ledger.files import FileRow, files_in, files_of_batch
from gateway.ledger.intake import BatchRow, batch_by_key
from gateway.ledger.notices import notices
from gateway.ledger.outcomes import decided_outcomes, fee_findings, outcomes
from gateway.ledger.payments import (
    PaymentRow,
    StateTotal,
    attempts_of,
    reason_totals,
    state_totals,
    subject_of,
    submitted_totals,
)
from gateway.ledger.received import ReceivedRow, received_in, received_of_batch
from gateway.ledger.reissues import ChainMember, chain_members, relatives_of
from gateway.ledger.repeats import SamePerson
from gateway.ledger.rule_holds import HoldRow, holds_of
from gateway.ledger.statements import StatementEntry, statement_entries
from gateway.persons.decisions import Statement
from gateway.rules.recoveries import Recovery, told_recoveries
from gateway.rules.repeats import others_of_repeat
from gateway.rules.rule import Rule, rule_of
from gateway.rules.verifications import Verification, verifications
from gateway.states import PaymentState

OPEN_STATES = (PaymentState.ACCEPTED, PaymentState.DISPATCHED)


class BatchStatus(Struct, frozen=True, kw_only=True):
    """One batch, summed up. The sum that must hold: `submitted` equals all the others together."""

    batch_id: str
    source_platform: str
    state: str
    declared_count: int
    declared_total_minor: int
    left_out_count: int
    left_out_minor: int
    submitted_count: int
    submitted_minor: int
    credited_minor: int
    states: list[StateTotal]
    reasons: list[tuple[Status, Reason, int, int]]

    @property
    def open_count(self) -> int:
        return sum(total.count for total in self.states if total.state in OPEN_STATES)

    @property
    def adds_up(self) -> bool:
        """Declared equals submitted and left out, in count and in minor units."""
        return (
            self.declared_count == self.submitted_count + self.left_out_count
            and self.declared_total_minor == self.submitted_minor + self.left_out_minor
            and self.submitted_count == sum(total.count for total in self.states)
            and self.submitted_minor == sum(total.instructed_minor for total in self.states)
        )


class FileStatus(Struct, frozen=True, kw_only=True):
    """One outgoing file."""

    bank: str
    name: str
    state: str
    payments: int
    total_minor: int
    bank_day: str
    sent_at: str | None
    attention: str | None


class ReceivedStatus(Struct, frozen=True, kw_only=True):
    """One file of a bank."""

    bank: str
    name: str
    kind: str
    state: str
    received_at: str
    problems: list[Problem]
    tolerated: dict[str, Any] = {}
    """What was read over, as the layout permits: by name how often (`count`) and where first (`line`)."""


class DecidedOutcome(Struct, frozen=True):
    """Who stated the outcome of that cursor, and the SHA-256 of the letter that it rests on."""

    cursor: int
    persons: list[str]
    exhibit: str


class Story(Struct, frozen=True, kw_only=True):
    """Everything that happened to one payment, in order; no name, ID or account."""

    payment_id: str
    batch_id: str
    source_platform: str
    amount_minor: int
    department: str
    programme: str
    period: str
    state: str
    attempts: list[dict[str, Any]]
    outcomes: list[Outcome]
    decisions: list[dict[str, Any]]
    decided: list[DecidedOutcome] = []
    """Outcomes that no file of a bank says, but persons."""
    notices: list[Notice] = []
    charges: list[FeeFinding] = []
    """Evidence that the bank charged something on it; one charge may have several."""
    entries: list[StatementEntry] = []
    """What the bank's statements book of it."""
    chain: list[ChainMember] = []
    """All payments that stand for the same money, the first one first; empty where it is alone."""
    holds: list[HoldRow] = []
    """Why it waits for a person, or waited for one."""
    rules: list[Rule] = []
    """The rules of the plan for which it was held or set aside."""
    others: list[SamePerson] = []
    """Where it waits, or waited, as a repeat: what the person has, or may get, for the same programme and
    period as things stand."""
    recoveries: list[Recovery] = []
    """What persons asked back of it, and what came."""
    replaces: str = ""
    replaced_by: str = ""
    verifications: list[Verification] = []
    """Who verified each payment of the chain that replaces another, when, on what ground; masked."""


def batch_status(installation: Installation, batch: BatchRow) -> BatchStatus:
    with installation.ledger.read() as transaction:
        totals = state_totals(transaction, batch.batch_pk)
        count, total_minor = submitted_totals(transaction, batch.batch_pk)
        reasons = reason_totals(transaction, batch.batch_pk)
    return BatchStatus(
        batch_id=batch.batch_id,
        source_platform=batch.source_platform,
        state=batch.state,
        declared_count=batch.declared_count,
        declared_total_minor=batch.declared_total_minor,
        left_out_count=batch.left_out_count,
        left_out_minor=batch.left_out_minor,
        submitted_count=count,
        submitted_minor=total_minor,
        credited_minor=sum(total.credited_minor for total in totals),
        states=totals,
        reasons=reasons,
    )


def file_statuses(installation: Installation, batch: BatchRow | None = None) -> list[FileStatus]:
    """Every outgoing file, or those of a batch, oldest first."""
    with installation.ledger.read() as transaction:
        files = files_in(transaction, None) if batch is None else files_of_batch(transaction, batch.batch_pk)
        return [_file_status(file) for file in files]


def received_statuses(installation: Installation, batch: BatchRow | None = None) -> list[ReceivedStatus]:
    """Every received file, or those that answer a batch, oldest first."""
    with installation.ledger.read() as transaction:
        rows = (
            received_in(transaction, None)
            if batch is None
            else received_of_batch(transaction, batch.batch_pk)
        )
        return [_received_status(row) for row in rows]


def story(installation: Installation, payment: PaymentRow) -> Story:
    """One payment from its batch to its last outcome."""
    with installation.ledger.read() as transaction:
        batch = batch_by_key(transaction, payment.batch_pk)
        department, programme, period = subject_of(transaction, payment.payment_pk)
        replaces, replaced_by = relatives_of(transaction, payment.payment_pk)
        chain = chain_members(transaction, payment.payment_pk)
        name = f"payment:{batch.source_platform}/{payment.payment_id}"
        batch_name = f"batch:{batch.source_platform}/{batch.batch_id}"
        attempts = attempts_of(transaction, payment.payment_pk)
        files = [f"file:{attempt['bank']}/{attempt['name']}" for attempt in attempts]
        # What persons let go or took back keeps its reasons: somebody will ask.
        holds = holds_of(transaction, payment.payment_pk)
        said = list(outcomes(transaction, payment_pk=payment.payment_pk))
        return Story(
            payment_id=payment.payment_id,
            batch_id=batch.batch_id,
            source_platform=batch.source_platform,
            amount_minor=payment.amount_minor,
            department=department,
            programme=programme,
            period=period,
            state=payment.state,
            attempts=attempts,
            outcomes=said,
            notices=list(notices(transaction, payment_pk=payment.payment_pk)),
            charges=list(fee_findings(transaction, payment_pk=payment.payment_pk)),
            entries=list(statement_entries(transaction, payment_pk=payment.payment_pk)),
            decisions=[
                decision
                for about in (batch_name, *files, name)
                for decision in _decisions(transaction, about)
            ],
            decided=_decided(transaction, payment.payment_pk),
            chain=chain if len(chain) > 1 else [],
            holds=holds,
            rules=_rules([*(hold.reason for hold in holds), *(outcome.reason for outcome in said)]),
            others=others_of_repeat(transaction, installation.configuration.catalogue, payment.payment_pk)
            if any(hold.reason is Reason.REPEAT_IN_PERIOD for hold in holds)
            else [],
            recoveries=told_recoveries(transaction, installation.clock.now(), payment_pk=payment.payment_pk),
            replaces=replaces,
            replaced_by=replaced_by,
            verifications=verifications(installation, transaction, payment.payment_pk),
        )


def _rules(reasons: list[Reason]) -> list[Rule]:
    return [rule for rule in map(rule_of, dict.fromkeys(reasons)) if rule is not None]


def _decisions(transaction: Transaction, name: str) -> list[dict[str, Any]]:
    """Signed decisions about an object: object, decision, person, recorded_at."""
    return [
        {"object": name, "decision": row.decision, "person": row.person, "recorded_at": row.recorded_at}
        for row in signed_about(transaction, name)
    ]


def _decided(transaction: Transaction, payment_pk: int) -> list[DecidedOutcome]:
    """Outcomes of a payment that persons stated."""
    found = []
    for cursor, subject, status in decided_outcomes(transaction, payment_pk):
        signed = signed_so(transaction, subject, status)
        letters = {msgspec.json.decode(row.statement, type=Statement).exhibit for row in signed}
        found.append(DecidedOutcome(cursor, [row.person for row in signed], "".join(sorted(letters)[:1])))
    return found


def _file_status(file: FileRow) -> FileStatus:
    return FileStatus(
        bank=file.bank,
        name=file.name,
        state=file.state,
        payments=file.payment_count,
        total_minor=file.total_minor,
        bank_day=file.bank_day,
        sent_at=file.sent_at,
        attention=file.attention,
    )


def _received_status(row: ReceivedRow) -> ReceivedStatus:
    return ReceivedStatus(
        bank=row.bank,
        name=row.name,
        kind=row.kind,
        state=row.state,
        received_at=row.received_at,
        problems=msgspec.json.decode(row.problems, type=list[Problem]),
        tolerated=msgspec.json.decode(row.tolerated, type=dict[str, Any]),
    )

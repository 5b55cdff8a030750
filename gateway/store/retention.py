"""Whose personal data is over its term, and what pauses the term.

A batch is the unit: its own bytes name everybody in it. The term begins with the last thing
that became known of it, and is as long as the longest of its agreements says. While anything
of it is open nothing is destroyed: what is shown as paused needs a person. How it is
destroyed is in `destruction`; which data that is, and what stays, in `docs/retention.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

from gateway.installation import Installation
from gateway.ledger.card_lists import CardListRow, CardListState, stored_card_lists
from gateway.ledger.database import Transaction
from gateway.ledger.holds import BEHIND, bank_holds
from gateway.ledger.payments import short_count, state_totals
from gateway.ledger.recoveries import open_recoveries
from gateway.ledger.retention import (
    LooseFile,
    StoredBatch,
    agreements_of,
    batch_of_object,
    exhibit_uses,
    is_anything_to_forget,
    is_batch_destroyed,
    last_word,
    loose_answers,
    note_forgotten,
    note_strays,
    open_answers,
    open_files,
    open_oddities_of,
    open_successors,
    stored_batches,
    strays,
)
from gateway.ledger.spool import referred_files
from gateway.rules.known_cards import counts_until
from gateway.states import BatchState, PaymentState
from gateway.store.destruction import Ended, destroy_batch, destroy_loose, finish_begun
from gateway.store.locks import destroying_files, if_spool_is_idle, running

_OPEN_PAYMENTS = frozenset(
    {
        PaymentState.ACCEPTED,
        PaymentState.HELD,
        PaymentState.DISPATCHED,
        PaymentState.UNKNOWN,
        PaymentState.DISCREPANT,
    }
)
"""Without a final outcome: the next word about them needs to be compared with whom they were for."""

_CLOSED_BATCHES = (BatchState.RELEASED, BatchState.WITHDRAWN)

_FOLDERS_OF_STRAYS = ("batch/", "lane/", "in/", "exhibits/", "cards/")
"""Not `out/`: a number there that the ledger does not know is how it learns that it is behind."""


class Due(Struct, frozen=True, kw_only=True):
    """Personal data whose term is over; `since` is what the term was counted from."""

    object: str
    since: str
    days: int


class Paused(Due, frozen=True, kw_only=True):
    """The same where something is open still; each reason names what a person can close."""

    reasons: list[str]


class RetentionReport(Struct, kw_only=True):
    """What was destroyed, or would be; what is paused; how much waits for its term.

    `next_due` is when the next term ends. `is_forgotten`: nothing of it is left in the database's
    own files; else a reader keeps them, and the next turn sees to it.
    """

    dry_run: bool
    destroyed: list[Ended] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)
    paused: list[Paused] = field(default_factory=list)
    waiting: int = 0
    next_due: datetime | None = None
    is_forgotten: bool = True

    def wait_until(self, instant: datetime) -> None:
        self.waiting += 1
        if self.next_due is None or instant < self.next_due:
            self.next_due = instant


def retain(installation: Installation, *, dry_run: bool = False) -> RetentionReport:
    """Destroy what is over its term and needed by nothing; with `dry_run` only say what that is.

    Raises `Locked` beside a run, a backup or an export, `StorageFailed`.
    """
    report = RetentionReport(dry_run=dry_run)
    if dry_run:
        report.due += [due for _, due in _due_batches(installation, report)]
        report.due += [due for _, due in _due_loose(installation, report)]
        return report
    with running(installation), destroying_files(installation):
        report.destroyed += finish_begun(installation)
        _note_strays(installation)
        if batches := _due_batches(installation, report):
            present = list(installation.spool.names())
            for batch, due in batches:
                report.destroyed.append(destroy_batch(installation, batch, present, due.since, due.days))
        for file, due in _due_loose(installation, report):
            report.destroyed.append(destroy_loose(installation, file.object, file.names, due.since, due.days))
        report.is_forgotten = _forget(installation)
    return report


def _forget(installation: Installation) -> bool:
    """Leave nothing of it in the database's own files; False where a reader keeps them: next time."""
    with installation.ledger.read() as transaction:
        if not is_anything_to_forget(transaction):
            return True
    if not installation.ledger.forget():
        return False
    with installation.ledger.write() as transaction:
        note_forgotten(transaction, installation.clock.now())
    return True


def _due_batches(installation: Installation, report: RetentionReport) -> list[tuple[StoredBatch, Due]]:
    """Batches to be destroyed; what is paused or waits goes into the report."""
    found = []
    with installation.ledger.read() as transaction:
        behind = _behind(transaction)
        for batch in stored_batches(transaction):
            due = _term_over(installation, transaction, batch, report)
            if due is not None and _is_free(report, due, behind + _reasons(transaction, batch)):
                found.append((batch, due))
    return found


def _due_loose(installation: Installation, report: RetentionReport) -> list[tuple[LooseFile, Due]]:
    """The same for stored files that belong to no batch."""
    days = installation.configuration.retention.days
    found = []
    with installation.ledger.read() as transaction:
        behind = _behind(transaction)
        for file, reasons in _loose(installation, transaction):
            due = Due(object=file.object, since=file.since, days=days)
            if _is_over(installation, due, report) and _is_free(report, due, behind + reasons):
                found.append((file, due))
    return found


def _term_over(
    installation: Installation, transaction: Transaction, batch: StoredBatch, report: RetentionReport
) -> Due | None:
    """The batch as due; None where its term goes on."""
    terms = _terms(installation)
    first = Due(object=batch.object, since=batch.submitted_at, days=min(terms.values()))
    if not _is_over(installation, first, report):
        # Nothing became known of it before it was there: no need to look further.
        return None
    numbers = [number for number in agreements_of(transaction, batch.batch_pk) if number in terms]
    days = max((terms[number] for number in numbers), default=terms[_INSTALLATION])
    since = last_word(transaction, batch.batch_pk).isoformat()
    due = Due(object=batch.object, since=since, days=days)
    return due if _is_over(installation, due, report) else None


_INSTALLATION = ""


def _terms(installation: Installation) -> dict[str, int]:
    """Days by number of an agreement; that of the installation under no number."""
    configuration = installation.configuration
    days = configuration.retention.days
    agreements = [each for group in configuration.agreements.values() for each in group]
    return {_INSTALLATION: days} | {each.number: each.retention_days or days for each in agreements}


def _is_over(installation: Installation, due: Due, report: RetentionReport) -> bool:
    until = datetime.fromisoformat(due.since) + timedelta(days=due.days)
    if installation.clock.now() >= until:
        return True
    report.wait_until(until)
    return False


def _is_free(report: RetentionReport, due: Due, reasons: list[str]) -> bool:
    if reasons:
        report.paused.append(Paused(object=due.object, since=due.since, days=due.days, reasons=reasons))
    return not reasons


def _behind(transaction: Transaction) -> list[str]:
    """Banks with which a person must reconcile: who was paid what may still be asked."""
    return [f"bank {hold.bank} is not reconciled" for hold in bank_holds(transaction) if hold.cause == BEHIND]


def _reasons(transaction: Transaction, batch: StoredBatch) -> list[str]:
    """Everything of a batch that is open."""
    key = batch.batch_pk
    reasons = [] if batch.state in _CLOSED_BATCHES else [f"the batch is {batch.state}"]
    over = {PaymentState.DISCREPANT: short_count(transaction, key)}
    reasons += [
        f"payments that are {total.state}: {open_count}"
        for total in state_totals(transaction, key)
        if total.state in _OPEN_PAYMENTS and (open_count := total.count - over.get(total.state, 0))
    ]
    if recoveries := open_recoveries(transaction, key):
        reasons.append(f"payments that are being recovered: {recoveries}")
    if successors := open_successors(transaction, key):
        reasons.append(f"payments in the chains of some of it are open: {successors}")
    reasons += [f"file {name} for {bank} is {state}" for bank, name, state in open_files(transaction, key)]
    reasons += [f"{name} of {bank} is {state}" for bank, name, state in open_answers(transaction, key)]
    reasons += [f"{kind} of {bank}: {name}" for bank, kind, name in open_oddities_of(transaction, key)]
    return reasons


def _loose(installation: Installation, transaction: Transaction) -> Iterator[tuple[LooseFile, list[str]]]:
    """Stored files that belong to no batch, with what is open about them."""
    for file in (*loose_answers(transaction), *strays(transaction)):
        yield file, []
    for exhibit in exhibit_uses(transaction):
        batches = {batch_of_object(transaction, name) for name in exhibit.objects} - {None}
        if all(is_batch_destroyed(transaction, key) for key in batches if key is not None):
            name = f"exhibit:{exhibit.sha256}"
            reasons = ["what it shows is open"] if exhibit.is_open else []
            yield LooseFile(object=name, names=[exhibit.spool_name], since=exhibit.since), reasons
    for row in stored_card_lists(transaction):
        reasons = ["nobody has taken or dropped it"] if row.state == CardListState.BROUGHT else []
        names = [row.stored_as, row.spool_name]
        yield LooseFile(object=row.object, names=names, since=_needed_until(installation, row)), reasons


def _needed_until(installation: Installation, row: CardListRow) -> str:
    """When a card list ended, or was too old to count; of one that nobody took, when it was brought."""
    if row.state == CardListState.IN_FORCE:
        # The day after the last one on which it counts has begun everywhere by then.
        last = counts_until(installation, row) + timedelta(days=2)
        return datetime(last.year, last.month, last.day, tzinfo=UTC).isoformat()
    return row.ended_at or row.brought_at


def _note_strays(installation: Installation) -> None:
    """Remember what nothing refers to, as a crash between file and ledger leaves it."""
    with if_spool_is_idle(installation) as idle:
        if not idle:
            return
        present = {name for name in installation.spool.names() if name.startswith(_FOLDERS_OF_STRAYS)}
        with installation.ledger.write() as transaction:
            referred = {referred.name for referred in referred_files(transaction)}
            note_strays(transaction, present - referred, installation.clock.now())

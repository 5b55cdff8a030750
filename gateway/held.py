"""What waits for a person, and the decisions that persons take.

Every object has a name (`targets`), every state of it the decisions that it permits, each
with the number of persons that it needs (`ways`). A decision is a signed statement about the
object as it is; it is carried out in the transaction that records the last signature it
needed. Also things that do not wait may be decided about: a released batch may be held.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from formats import Problem
from gateway.decisions import EXHIBIT, Statement, record_decision, signed_so_far, without_exhibit
from gateway.errors import DecisionRefused, NotPermitted
from gateway.exhibits import require_exhibit
from gateway.installation import Installation
from gateway.ledger import Transaction
from gateway.ledger_decisions import mark_carried_out
from gateway.ledger_files import FileRow, bank_holds, files_waiting
from gateway.ledger_intake import BatchRow, batches
from gateway.ledger_oddities import OddityRow, open_oddities
from gateway.ledger_payments import PaymentRow, held_payments, payments_in_doubt
from gateway.ledger_received import ReceivedRow, received_waiting
from gateway.money import yuan
from gateway.states import BatchState
from gateway.targets import Target, find_target, name_of, seen_of
from gateway.ways.banks import bank_ways
from gateway.ways.batches import batch_ways
from gateway.ways.files import file_ways
from gateway.ways.payments import payment_ways
from gateway.ways.received import oddity_ways, received_ways
from gateway.ways.way import Carried, Decision, Ways


class Way(Struct, frozen=True):
    """One decision that is possible, how many persons it needs and who has signed already."""

    decision: str
    persons_needed: int
    persons: list[str]
    meaning: str
    needs_exhibit: bool = False
    exhibits: list[str] = []
    """SHA-256 of what those who signed rest it on: who agrees with them signs the same one."""


class HeldItem(Struct, frozen=True, kw_only=True):
    """Something that waits. `problems` are complete and masked."""

    object: str
    message: str
    ways: list[Way]
    problems: list[Problem] = []


def held_items(installation: Installation) -> Iterator[HeldItem]:
    """Everything that waits for a person: banks and batches first, then files, then payments."""
    with installation.ledger.read() as transaction:
        for target, message, problems in _waiting(transaction):
            yield _item(installation, transaction, target, message, problems)


def anything_held(installation: Installation) -> bool:
    """Whether `held_items` gives anything, without looking further than the first."""
    with installation.ledger.read() as transaction:
        return next((True for _ in _waiting(transaction)), False)


def ways_out(installation: Installation, about: str) -> list[Way]:
    """What may be decided now about any object, waiting or not. Raises `Unknown`."""
    with installation.ledger.read() as transaction:
        target = find_target(installation, transaction, about)
        return _item(installation, transaction, target, "", []).ways


def statement_for(
    installation: Installation, about: str, decision: str, person: str, exhibit: str = ""
) -> Statement:
    """What a person signs to decide this about an object as it is now.

    `exhibit` is the SHA-256 of what it rests on, kept before by `exhibits.attach`.
    """
    with installation.ledger.read() as transaction:
        target = find_target(installation, transaction, about)
        _permitted(installation, transaction, target, about, decision, exhibit)
        seen = seen_of(transaction, target)
    if exhibit:
        require_exhibit(installation, exhibit)
    return Statement(
        object=about,
        decision=decision,
        person=person,
        at=installation.clock.now().isoformat(),
        about=seen | ({EXHIBIT: exhibit} if exhibit else {}),
    )


def decide(installation: Installation, statement: Statement, signature: bytes) -> bool:
    """Record a signed decision; True when it was the last one needed and was carried out.

    Raises `DecisionRefused` where the signature or the person does not count, or the object
    is not any more what the person saw.
    """
    if statement.exhibit:
        require_exhibit(installation, statement.exhibit)
    with installation.ledger.write() as transaction:
        target = find_target(installation, transaction, statement.object)
        chosen = _permitted(
            installation, transaction, target, statement.object, statement.decision, statement.exhibit
        )
        if seen_of(transaction, target) != without_exhibit(statement.about):
            raise DecisionRefused(
                f"{statement.object} has changed since {statement.person} looked",
                hint="look again, then sign",
            )
        persons = record_decision(installation, transaction, statement, signature)
        if len(persons) < chosen.persons_needed:
            return False
        mark_carried_out(transaction, statement.subject, statement.decision)
        carried = Carried(
            decision=statement.decision,
            subject=statement.subject,
            persons=persons,
            exhibit=statement.exhibit,
            at=installation.clock.now(),
        )
        chosen.act(installation, transaction, target, carried)
        return True


def _waiting(transaction: Transaction) -> Iterator[tuple[Target, str, list[Problem]]]:
    """What waits, in words."""
    for bank in sorted({bank for bank, _, _ in bank_holds(transaction)}):
        causes = [f"{cause}: {message}" for _, cause, message in bank_holds(transaction, bank)]
        yield bank, "; ".join(causes), []
    for batch in batches(transaction):
        if batch.state is BatchState.SUBMITTED:
            yield batch, "not released: no signature of its platform", []
        elif batch.state is BatchState.HELD:
            yield batch, "held: what has not left stays here", []
    for file in files_waiting(transaction):
        yield file, f"{file.state}: {file.attention or 'the next run looks for it'}", []
    for received in received_waiting(transaction):
        problems = msgspec.json.decode(received.problems, type=list[Problem])
        yield received, f"{received.bank} {received.name} {received.state}", problems
    for oddity in open_oddities(transaction):
        yield oddity, f"{oddity.bank} {oddity.name}: {oddity.message}", []
    for payment in held_payments(transaction):
        label = " ".join(payment.reason.label)
        yield payment, f"{yuan(payment.amount_minor)} held: {label}", []
    for payment in payments_in_doubt(transaction):
        yield payment, f"{yuan(payment.amount_minor)} {payment.state}", []


def _item(
    installation: Installation,
    transaction: Transaction,
    target: Target,
    message: str,
    problems: list[Problem],
) -> HeldItem:
    name = name_of(transaction, target)
    signed = signed_so_far(transaction, name, seen_of(transaction, target))
    return HeldItem(
        object=name,
        message=message,
        ways=[
            Way(
                word,
                chosen.persons_needed,
                [one.person for one in signed if one.decision == word],
                chosen.meaning,
                chosen.needs_exhibit,
                sorted({one.exhibit for one in signed if one.decision == word and one.exhibit}),
            )
            for word, chosen in _ways(installation, transaction, target).items()
        ],
        problems=problems,
    )


def _ways(installation: Installation, transaction: Transaction, target: Target) -> Ways:
    """The decisions that an object's present state permits."""
    if isinstance(target, BatchRow):
        return batch_ways(installation, target)
    if isinstance(target, PaymentRow):
        return payment_ways(transaction, target)
    if isinstance(target, FileRow):
        return file_ways(transaction, target)
    if isinstance(target, ReceivedRow):
        return received_ways(transaction, target)
    if isinstance(target, OddityRow):
        return oddity_ways(target)
    return bank_ways(transaction, target)


def _permitted(
    installation: Installation,
    transaction: Transaction,
    target: Target,
    name: str,
    decision: str,
    exhibit: str,
) -> Decision:
    ways = _ways(installation, transaction, target)
    if decision not in ways:
        known = ", ".join(ways) or "none: nothing is to be decided"
        raise NotPermitted(f"{name} does not take the decision {decision!r}", hint=f"possible: {known}")
    if ways[decision].needs_exhibit and not exhibit:
        raise NotPermitted(
            f"{name}: {decision!r} rests on what the bank wrote", hint="attach it: --evidence FILE"
        )
    return ways[decision]

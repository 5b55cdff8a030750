"""What waits for a person, and the ways out of it.

Every object has a name (`targets`), every state of it the decisions that it permits, each with
the number of persons that it needs (`ways`). Also things that do not wait may be decided about:
a released batch may be held. Where one person has signed such a decision and another is wanted,
it waits for that one, and is shown like everything that waits. Deciding is in `deciding`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from formats import Problem, Reason
from gateway.errors import Unknown
from gateway.installation import Installation
from gateway.ledger.card_lists import brought_card_lists
from gateway.ledger.database import Transaction
from gateway.ledger.decisions import begun_objects
from gateway.ledger.files import files_waiting
from gateway.ledger.funding import FundingRow, find_funding, lanes_that_wait
from gateway.ledger.holds import bank_holds
from gateway.ledger.intake import batch_by_key, batches
from gateway.ledger.oddities import OddityRow, open_oddities
from gateway.ledger.payments import PaymentRow, held_payments, payments_in_doubt
from gateway.ledger.received import received_in, received_waiting
from gateway.ledger.repeats import SamePerson
from gateway.ledger.rule_holds import holds_of
from gateway.ledger.unfit import unfit_of
from gateway.ledger.whereabouts import Whereabouts
from gateway.local_time import local
from gateway.money import yuan
from gateway.persons.decisions import Signed, signed_so_far
from gateway.persons.targets import Target, find_target, name_of, seen_of, whereabouts_of
from gateway.rules.repeats import others_of_repeat
from gateway.sending.stops import Stop, stop_of
from gateway.settlement.pairs import awaited, is_late
from gateway.states import BatchState, ReceivedState
from gateway.texts import ENGLISH, Said, state_in_both
from gateway.ways.card_lists import brought_list
from gateway.ways.permitted import permitted_ways


class Way(Struct, frozen=True):
    """One decision that is possible, how many persons it needs and who has signed already.

    `persons` and `exhibits` are of the signatures that count; `signatures` has the others too.
    """

    decision: str
    persons_needed: int
    persons: list[str]
    meaning: str
    needs_exhibit: bool = False
    exhibits: list[str] = []
    """SHA-256 of what those who signed rest it on: who agrees with them signs the same one."""
    signatures: list[Signed] = []
    most_minor: int | None = None
    """The most that may be said, where the decision says how much, in minor units."""
    grounds: list[str] = []
    """One of them is said, where there are any."""
    needs_reason: bool = False
    """Whether the person says why."""
    open_points: list[Said] = []
    """What is not settled while it is decided."""


class HeldItem(Struct, frozen=True, kw_only=True):
    """Something that waits. `problems` are complete and masked.

    `message` is in English; `said` is the same for programs, and for other languages.
    `exhibit` is the SHA-256 of what is kept of it, "" for none; `stopped` says who stopped it, and
    why; `whereabouts` are of a batch, file or bank: how much of it is where.
    """

    object: str
    message: str
    said: Said
    ways: list[Way]
    problems: list[Problem] = []
    exhibit: str = ""
    stopped: Stop | None = None
    whereabouts: list[Whereabouts] = []


def held_items(installation: Installation) -> Iterator[HeldItem]:
    """Everything that waits for a person: banks and batches first, then files, payments, what was begun."""
    told = set()
    with installation.ledger.read() as transaction:
        for target, said, problems in _waiting(installation, transaction):
            item = _item(installation, transaction, target, said, problems)
            told.add(item.object)
            yield item
        for name in begun_objects(transaction):
            if name not in told and (begun := _begun(installation, transaction, name)) is not None:
                yield begun


def anything_held(installation: Installation) -> bool:
    """Whether `held_items` gives anything, without looking further than the first."""
    with installation.ledger.read() as transaction:
        if next((True for _ in _waiting(installation, transaction, late_only=True)), False):
            return True
        return any(_begun(installation, transaction, name) for name in begun_objects(transaction))


def ways_out(installation: Installation, about: str) -> list[Way]:
    """What may be decided now about any object, waiting or not. Raises `Unknown`."""
    with installation.ledger.read() as transaction:
        target = find_target(installation, transaction, about)
        return _ways(installation, transaction, target)


def _waiting(
    installation: Installation, transaction: Transaction, *, late_only: bool = False
) -> Iterator[tuple[Target, Said, list[Problem]]]:
    """What waits, in words; `late_only`: without what most likely ends by itself."""
    for bank in sorted({hold.bank for hold in bank_holds(transaction)}):
        causes = [f"{hold.cause}: {hold.message}" for hold in bank_holds(transaction, bank)]
        yield bank, Said("held_bank", ["; ".join(causes)]), []
    for batch in batches(transaction):
        if batch.state is BatchState.SUBMITTED:
            yield batch, Said("held_batch_not_released"), []
        elif batch.state is BatchState.HELD:
            yield batch, Said("held_batch_stopped"), []
    for unfit in unfit_of(transaction):
        batch = batch_by_key(transaction, unfit.batch_pk)
        told = [str(unfit.count), yuan(unfit.instructed_minor), unfit.bank, unfit.message]
        yield batch, Said("held_batch_unfit", told), []
    for file in files_waiting(transaction):
        if file.attention is None:
            yield file, Said("held_file_looked_for", [file.state]), []
        else:
            yield file, Said("held_file", [file.state, file.attention]), []
    for received in received_waiting(transaction):
        problems = msgspec.json.decode(received.problems, type=list[Problem])
        yield received, Said("held_received", [received.bank, received.name, received.state]), problems
    now = installation.clock.now()
    for half in received_in(transaction, None, ReceivedState.VERIFIED):
        if (missing := awaited(installation, transaction, half)) and (is_late(half, now) or not late_only):
            waited = str(now - datetime.fromisoformat(half.received_at)).partition(".")[0]
            yield (
                half,
                Said("held_half", [half.bank, half.name, missing, local(half.received_at), waited]),
                [],
            )
    for oddity in open_oddities(transaction):
        yield oddity, Said("held_oddity", [oddity.bank, oddity.name, oddity.message]), []
    for funding in _unfunded(installation, transaction):
        batch_name = f"{funding.source_platform}/{funding.batch_id}"
        amounts = [yuan(funding.missing_minor), yuan(funding.wanted_minor)]
        yield funding, Said("held_funding", [*amounts, funding.department, funding.bank, batch_name]), []
    for row in brought_card_lists(transaction):
        told = [row.source_platform, row.drawn_on, str(row.person_count), str(row.doubted_count)]
        yield brought_list(transaction, row), Said("held_card_list", [*told, str(row.left_out_count)]), []
    for payment in held_payments(transaction):
        yield (
            payment,
            Said("held_payment", [yuan(payment.amount_minor), _why(installation, transaction, payment)]),
            [],
        )
    for payment in payments_in_doubt(transaction):
        yield payment, Said("held_payment_in_doubt", [yuan(payment.amount_minor), payment.state]), []


def _unfunded(installation: Installation, transaction: Transaction) -> Iterator[FundingRow]:
    """The money that must be confirmed before payments of released batches may leave."""
    asked = {
        (agreement.bank, agreement.department)
        for group in installation.configuration.agreements.values()
        for agreement in group
        if agreement.funding.required
    }
    for lane_pk, bank, department in lanes_that_wait(transaction) if asked else ():
        if (bank, department) in asked:
            funding = find_funding(transaction, lane_pk)
            if funding is not None and funding.missing_minor:
                yield funding


def _why(installation: Installation, transaction: Transaction, payment: PaymentRow) -> str:
    """Every reason, with all payments that it repeats, as they stand now."""
    told = [hold.reason for hold in holds_of(transaction, payment.payment_pk)]
    words = []
    for reason in dict.fromkeys((payment.reason, *told)):
        others = ""
        if reason is Reason.REPEAT_IN_PERIOD:
            catalogue = installation.configuration.catalogue
            named = [_named(other) for other in others_of_repeat(transaction, catalogue, payment.payment_pk)]
            others = f": {', '.join(named)}" if named else ""
        words.append(" ".join(reason.label) + others)
    return "; ".join(words)


def _named(other: SamePerson) -> str:
    back = f", 已追回 recovered {yuan(other.recovered_minor)}" if other.recovered_minor else ""
    return (
        f"{other.payment_id} ({other.batch}, {state_in_both(other.state)} {yuan(other.amount_minor)}{back})"
    )


def _begun(installation: Installation, transaction: Transaction, name: str) -> HeldItem | None:
    """An object about which a decision was begun that can still be completed; else None."""
    try:
        target = find_target(installation, transaction, name)
    except Unknown:
        return None
    ways = _ways(installation, transaction, target)
    begun = ", ".join(way.decision for way in ways if way.persons)
    if not begun:
        return None
    return _item(installation, transaction, target, Said("held_begun", [begun]), [], ways)


def _item(
    installation: Installation,
    transaction: Transaction,
    target: Target,
    said: Said,
    problems: list[Problem],
    ways: list[Way] | None = None,
) -> HeldItem:
    return HeldItem(
        object=name_of(transaction, target),
        message=ENGLISH.say(said),
        said=said,
        ways=_ways(installation, transaction, target) if ways is None else ways,
        problems=problems,
        exhibit=target.exhibit if isinstance(target, OddityRow) else "",
        stopped=stop_of(installation, transaction, target),
        # Of one payment the message says as much.
        whereabouts=[] if isinstance(target, PaymentRow) else whereabouts_of(transaction, target),
    )


def _ways(installation: Installation, transaction: Transaction, target: Target) -> list[Way]:
    name = name_of(transaction, target)
    signed = signed_so_far(installation, transaction, name, seen_of(installation, transaction, target))
    # Of what was carried out nothing is seen any more as it was then.
    permitted = permitted_ways(installation, transaction, target, begun=any(one.counts for one in signed))
    return [
        Way(
            word,
            chosen.persons_needed,
            [one.person for one in signed if one.decision == word and one.counts],
            chosen.meaning,
            chosen.needs_exhibit,
            sorted({one.exhibit for one in signed if one.decision == word and one.counts and one.exhibit}),
            [one for one in signed if one.decision == word],
            chosen.most_minor if chosen.needs_amount else None,
            list(chosen.grounds),
            chosen.needs_reason,
            list(chosen.open_points),
        )
        for word, chosen in permitted.items()
        if not chosen.obstacle
    ]

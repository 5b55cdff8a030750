"""Persons decide: a signed statement about an object as it is, carried out with its last signature.

The decision is carried out in the transaction that records the signature which completes it.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.errors import DecisionRefused
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.identity import identity_of
from gateway.ledger.whereabouts import Whereabouts
from gateway.persons.decisions import Basis, Signed, Statement, Terms, record_decision, signed_so_far
from gateway.persons.exhibits import require_exhibit
from gateway.persons.targets import Target, find_target, seen_of, whereabouts_of
from gateway.texts import Said
from gateway.ways.permitted import chosen_way, permitted_ways
from gateway.ways.way import Carried, Decision


class Decided(Struct, frozen=True, kw_only=True):
    """What a signature came to.

    `persons` are those whose signatures of the same decision count. `before` and `after` say where
    the object's payments were and are, in count and instructed minor units. `other_letters` are the
    SHA-256 of letters on which others rest the same decision, `other_terms` the amounts and grounds
    that others signed in it: theirs and this one are apart. `open_points` were not settled as it was
    signed, and are not by it.
    """

    object: str
    decision: str
    carried_out: bool
    persons: list[str]
    persons_needed: int
    before: list[Whereabouts]
    after: list[Whereabouts]
    other_letters: list[str] = []
    other_terms: list[Terms] = []
    open_points: list[Said] = []


_NOTHING = Basis()


def statement_for(
    installation: Installation, about: str, decision: str, person: str, basis: Basis = _NOTHING
) -> Statement:
    """What a person signs to decide this about an object as it is now.

    `basis` is what it rests on; exhibit and reason were kept before by `exhibits`.
    """
    with installation.ledger.read() as transaction:
        target = find_target(installation, transaction, about)
        _chosen(installation, transaction, target, about, decision, basis)
        seen = seen_of(installation, transaction, target)
    for sha256 in filter(None, (basis.exhibit, basis.reason)):
        require_exhibit(installation, sha256)
    return Statement(
        object=about,
        decision=decision,
        person=person,
        at=installation.clock.now().isoformat(),
        about=seen | basis.told(),
    )


def decide(installation: Installation, statement: Statement, signature: bytes) -> Decided:
    """Record a signed decision, and carry it out where the signature was the last one needed.

    Raises `DecisionRefused` where the signature or the person does not count, or the object
    is not any more what the person saw.
    """
    basis = statement.basis
    for sha256 in filter(None, (basis.exhibit, basis.reason)):
        require_exhibit(installation, sha256)
    with installation.ledger.write() as transaction:
        _require_ours(transaction, statement)
        target = find_target(installation, transaction, statement.object)
        chosen = _chosen(installation, transaction, target, statement.object, statement.decision, basis)
        seen = seen_of(installation, transaction, target)
        if seen != statement.seen:
            raise DecisionRefused(
                f"{statement.object} has changed since {statement.person} looked",
                hint="look again, then sign",
            )
        before = whereabouts_of(transaction, target)
        persons = record_decision(installation, transaction, statement, signature, chosen.persons_needed)
        done = len(persons) >= chosen.persons_needed
        others = [] if done else _others(installation, transaction, statement)
        if done:
            carried = Carried(
                decision=statement.decision,
                subject=statement.subject,
                persons=persons,
                exhibit=statement.exhibit,
                at=installation.clock.now(),
                terms=basis.terms,
            )
            chosen.act(installation, transaction, target, carried)
        return Decided(
            object=statement.object,
            decision=statement.decision,
            carried_out=done,
            persons=persons,
            persons_needed=chosen.persons_needed,
            before=before,
            after=whereabouts_of(transaction, target) if done else before,
            other_letters=sorted({one.exhibit for one in others} - {statement.exhibit, ""}),
            other_terms=[one.terms for one in others if one.terms != basis.terms],
            open_points=list(chosen.open_points),
        )


def _require_ours(transaction: Transaction, statement: Statement) -> None:
    """Raises `DecisionRefused` where it was signed for another installation, or for none."""
    ours = identity_of(transaction)
    if statement.installation != ours:
        raise DecisionRefused(
            f"the decision about {statement.object} was signed for"
            f" {statement.installation or 'no installation'}, this is {ours}",
            hint="look at it here (`bankgate status` shows this installation), then sign",
        )


def _chosen(
    installation: Installation,
    transaction: Transaction,
    target: Target,
    name: str,
    decision: str,
    basis: Basis,
) -> Decision:
    signed = signed_so_far(installation, transaction, name, seen_of(installation, transaction, target))
    ways = permitted_ways(installation, transaction, target, begun=any(one.counts for one in signed))
    return chosen_way(ways, name, decision, basis)


def _others(installation: Installation, transaction: Transaction, statement: Statement) -> list[Signed]:
    """What counts of the same decision about the same, on whatever it rests."""
    signed = signed_so_far(installation, transaction, statement.object, statement.seen)
    return [one for one in signed if one.decision == statement.decision and one.counts]

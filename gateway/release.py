"""Who lets a batch leave: the platform by its signature, or two enrolled persons.

A person's decision is a signed statement over what exactly is decided, so that "two
persons" can be checked later by anybody who has their public keys.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from formats import Batch
from gateway import evidence
from gateway.decisions import Statement, decide, deciders
from gateway.errors import NotPermitted
from gateway.installation import Installation, canonical
from gateway.ledger import Transaction
from gateway.ledger_intake import BatchRow, batch_by_key, move_batch
from gateway.ledger_payments import state_totals
from gateway.states import BatchState
from keys.cms import Verdict, verify_detached

PERSONS_NEEDED = 2


class PlatformSignature(Struct, frozen=True):
    """A platform's signature that held, and when we judged it."""

    verdict: Verdict
    judged_at: datetime


def verify_platform_signature(
    installation: Installation, stored: str, batch: Batch, signature: bytes | None
) -> PlatformSignature | None:
    """Check a detached CMS signature over the batch's own bytes; None where there is none.

    The bytes contain the envelope, so count, total and platform are signed too; the key must
    be enrolled for the very platform that the envelope names. Raises `keys.errors.SealError`.
    """
    if signature is None:
        return None
    now = installation.clock.now()
    trust = installation.keyring.platform_trust(batch.source_platform)
    with installation.spool.open(stored) as stream:
        return PlatformSignature(verify_detached(stream, signature, trust, now), now)


def release_by_platform(
    installation: Installation, transaction: Transaction, batch_pk: int, signed: PlatformSignature
) -> None:
    """Move the batch to released on the platform's word."""
    evidence_text = canonical({"by": "platform", "verdict": signed.verdict})
    _release(installation, transaction, batch_by_key(transaction, batch_pk), evidence_text)


def release_statement(installation: Installation, row: BatchRow, person: str) -> Statement:
    """What a person signs to release a batch: its content, and what of it would leave."""
    with installation.ledger.read() as transaction:
        totals = [(total.state, total.count, total.instructed_minor) for total in state_totals(transaction, row.batch_pk)]
    return Statement(
        object=f"batch:{row.source_platform}/{row.batch_id}",
        decision="release",
        person=person,
        at=installation.clock.now().isoformat(),
        about={
            "content_sha256": row.content_sha256,
            "declared_count": row.declared_count,
            "declared_total_minor": row.declared_total_minor,
            "totals": totals,
        },
    )


def release_by_person(
    installation: Installation, row: BatchRow, statement: Statement, signature: bytes
) -> bool:
    """Record one person's release; True when it was the one that released the batch."""
    if row.state is not BatchState.SUBMITTED:
        raise NotPermitted(f"batch {row.batch_id} is {row.state} already")
    with installation.ledger.write() as transaction:
        decide(installation, transaction, statement, signature)
        persons = deciders(transaction, statement.object, "release")
        if len(persons) < PERSONS_NEEDED:
            return False
        _release(installation, transaction, row, canonical({"by": "persons", "persons": persons}))
        return True


def _release(installation: Installation, transaction: Transaction, row: BatchRow, how: str) -> None:
    now = installation.clock.now()
    move_batch(transaction, row.batch_pk, BatchState.SUBMITTED, BatchState.RELEASED, now, how)
    evidence.record(
        transaction,
        now,
        "batch released",
        platform=row.source_platform,
        batch=row.batch_id,
        content_sha256=row.content_sha256,
        how=how,
    )

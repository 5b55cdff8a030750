"""Who lets a batch leave: the platform by its signature, or two enrolled persons (`held`)."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

from formats import Batch, Problem
from gateway import evidence
from gateway.errors import DecisionRefused, InputRefused
from gateway.installation import Installation, canonical
from gateway.ledger.database import Transaction
from gateway.ledger.identity import identity_of
from gateway.ledger.intake import BatchRow, batch_by_key, move_batch
from gateway.states import BatchState
from keys.cms import Verdict, verify_detached

_IDENTITY = re.compile("[0-9a-f]{32}")


class PlatformSignature(Struct, frozen=True):
    """A platform's signature that held, and when we judged it."""

    verdict: Verdict
    judged_at: datetime


def verify_platform_signature(
    installation: Installation, stored: str, batch: Batch, signature: bytes | None
) -> PlatformSignature | None:
    """Check a detached CMS signature over the batch's own bytes; None where there is none.

    The bytes contain the envelope, so count, total and platform are signed too; the key must
    be enrolled for the very platform that the envelope names. Raises `keys.errors.SealError`, and
    `InputRefused` where the platform's batches must name this installation and this one does not.
    """
    if signature is None:
        return None
    _require_named(installation, batch)
    now = installation.clock.now()
    trust = installation.keyring.platform_trust(batch.source_platform)
    with installation.spool.open(stored) as stream:
        return PlatformSignature(verify_detached(stream, signature, trust, now), now)


def require_ours(installation: Installation, batch: Batch) -> None:
    """Raises `InputRefused` where the batch says that it is for another gateway."""
    with installation.ledger.read() as transaction:
        ours = identity_of(transaction)
    if batch.installation not in ("", ours):
        # What is no identity may be anything that slipped into the column: it is not said again.
        named = batch.installation if _IDENTITY.fullmatch(batch.installation) else "with another name"
        raise _refused(
            f"batch {batch.batch_id} is for the gateway {named}, this is {ours}",
            "hand it over there, or name this one (`bankgate status`) and sign again",
        )


def _require_named(installation: Installation, batch: Batch) -> None:
    platform = installation.configuration.platforms.get(batch.source_platform)
    if platform is not None and platform.names_installation and not batch.installation:
        raise _refused(
            f"batch {batch.batch_id} does not say for which gateway {batch.source_platform} signed it",
            "let the platform put the entry `installation` into the envelope (`bankgate status` shows it),"
            " and sign again",
        )


def _refused(message: str, hint: str) -> InputRefused:
    problem = Problem(code="installation", message=message, column="installation", record="batch", hint=hint)
    return InputRefused([problem], hint="nothing was stored")


def release_by_platform(
    installation: Installation, transaction: Transaction, batch_pk: int, signed: PlatformSignature
) -> None:
    """Move the batch to released on the platform's word."""
    evidence_text = canonical({"by": "platform", "verdict": signed.verdict})
    _release(installation, transaction, batch_by_key(transaction, batch_pk), evidence_text)


def release_by_persons(
    installation: Installation, transaction: Transaction, row: BatchRow, persons: list[str]
) -> None:
    """Move the batch to released on two persons' word."""
    platform = installation.configuration.platforms.get(row.source_platform)
    if platform is not None and platform.require_signature:
        raise DecisionRefused(
            f"platform {row.source_platform} must sign its batches itself",
            hint="submit the batch again with the platform's signature",
        )
    _release(installation, transaction, row, canonical({"by": "persons", "persons": persons}))


def _release(installation: Installation, transaction: Transaction, row: BatchRow, how: str) -> None:
    now = installation.clock.now()
    move_batch(
        transaction,
        row.batch_pk,
        BatchState.SUBMITTED,
        BatchState.RELEASED,
        released_at=now.isoformat(),
        release_evidence=how,
    )
    evidence.record(
        transaction,
        now,
        "batch released",
        platform=row.source_platform,
        batch=row.batch_id,
        content_sha256=row.content_sha256,
        how=how,
    )

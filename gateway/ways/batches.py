"""What persons decide about a batch: release, hold, resume, withdraw."""

from __future__ import annotations

from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.intake import BatchRow, move_batch, withdraw_payments
from gateway.sending.release import release_by_persons
from gateway.states import BatchState
from gateway.ways.way import Carried, Decision, Ways


def batch_ways(installation: Installation, batch: BatchRow) -> Ways:
    """The decisions that a batch's present state permits."""
    ways = _WAYS.get(batch.state, {})
    platform = installation.configuration.platforms.get(batch.source_platform)
    signed_only = platform is not None and platform.require_signature
    return {name: way for name, way in ways.items() if not (signed_only and name == "release")}


def _release(installation: Installation, transaction: Transaction, batch: BatchRow, carried: Carried) -> None:
    release_by_persons(installation, transaction, batch, carried.persons)


def _hold(_installation: Installation, transaction: Transaction, batch: BatchRow, carried: Carried) -> None:
    move_batch(transaction, batch.batch_pk, BatchState.RELEASED, BatchState.HELD)
    _tell(transaction, batch, "batch held", carried)


def _resume(_installation: Installation, transaction: Transaction, batch: BatchRow, carried: Carried) -> None:
    move_batch(transaction, batch.batch_pk, BatchState.HELD, BatchState.RELEASED)
    _tell(transaction, batch, "batch resumed", carried)


def _withdraw(
    _installation: Installation, transaction: Transaction, batch: BatchRow, carried: Carried
) -> None:
    """Take back what no bank can have; a file that has not left is voided at its next turn."""
    move_batch(transaction, batch.batch_pk, batch.state, BatchState.WITHDRAWN)
    count = withdraw_payments(transaction, carried.at, batch_pk=batch.batch_pk)
    _tell(transaction, batch, "batch withdrawn", carried, count=count)


def _tell(transaction: Transaction, batch: BatchRow, kind: str, carried: Carried, **more: object) -> None:
    evidence.record(
        transaction,
        carried.at,
        kind,
        batch=batch.batch_id,
        platform=batch.source_platform,
        by=carried.persons,
        **more,
    )


_WITHDRAW_THE_REST = Decision(2, "what has not left is taken back", _withdraw)
_WAYS: dict[BatchState, Ways] = {
    BatchState.SUBMITTED: {
        "release": Decision(2, "its payments may leave", _release),
        "withdraw": Decision(1, "taken back as a whole", _withdraw),
    },
    BatchState.RELEASED: {
        "hold": Decision(1, "what has not left stays here for now", _hold, takes_reason=True),
        "withdraw": _WITHDRAW_THE_REST,
    },
    BatchState.HELD: {
        "resume": Decision(2, "its payments may leave again", _resume),
        "withdraw": _WITHDRAW_THE_REST,
    },
}
TABLES: tuple[Ways, ...] = tuple(_WAYS.values())
"""Every decision about a batch."""

"""Every state and every permitted move, as tables; nothing else decides what may follow what.

A move that is not listed does not exist: `gateway.ledger_files` turns each into one
compare-and-set (`UPDATE ... WHERE state = :expected`), so two workers cannot both make it.
"""

from __future__ import annotations

from enum import StrEnum

from formats import Reason, Status


class BatchState(StrEnum):
    """A batch waits for its release; nothing of it leaves before."""

    SUBMITTED = "submitted"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


class Disposition(StrEnum):
    """What the gateway itself decided about a payment; its outcomes say the rest."""

    ACCEPTED = "accepted"
    HELD = "held"
    SET_ASIDE = "set_aside"
    WITHDRAWN = "withdrawn"


class FileState(StrEnum):
    """A file on its way out."""

    PLANNED = "planned"
    SEALED = "sealed"
    UPLOADING = "uploading"
    RELEASING = "releasing"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    SETTLED = "settled"
    REJECTED = "rejected"
    VOIDED = "voided"


class ReceivedState(StrEnum):
    """A file that a bank put there."""

    RECEIVED = "received"
    VERIFIED = "verified"
    HELD = "held"
    SETTLED = "settled"
    REFUSED = "refused"


class PaymentState(StrEnum):
    """Where a payment stands: derived from its disposition, attempts and outcomes."""

    ACCEPTED = "accepted"
    HELD = "held"
    SET_ASIDE = "set_aside"
    WITHDRAWN = "withdrawn"
    DISPATCHED = "dispatched"
    CREDITED = "credited"
    DISCREPANT = "discrepant"
    FAILED = "failed"
    UNKNOWN = "unknown"
    RETURNED = "returned"


BATCH_MOVES: dict[BatchState, tuple[BatchState, ...]] = {
    BatchState.SUBMITTED: (BatchState.RELEASED, BatchState.WITHDRAWN),
    BatchState.RELEASED: (),
    BatchState.WITHDRAWN: (),
}

DISPOSITION_MOVES: dict[Disposition, tuple[Disposition, ...]] = {
    Disposition.ACCEPTED: (Disposition.WITHDRAWN, Disposition.SET_ASIDE),
    Disposition.HELD: (Disposition.ACCEPTED, Disposition.SET_ASIDE, Disposition.WITHDRAWN),
    Disposition.SET_ASIDE: (),
    Disposition.WITHDRAWN: (),
}

FILE_MOVES: dict[FileState, tuple[FileState, ...]] = {
    FileState.PLANNED: (FileState.SEALED, FileState.VOIDED),
    FileState.SEALED: (FileState.UPLOADING, FileState.VOIDED),
    # An interrupted upload is harmless: nothing is visible to the bank yet.
    FileState.UPLOADING: (FileState.SEALED, FileState.RELEASING, FileState.VOIDED),
    # From here on the bank may have the file, whatever we were able to see.
    FileState.RELEASING: (FileState.SENT, FileState.UNCERTAIN),
    FileState.UNCERTAIN: (
        FileState.SENT,
        FileState.ACKNOWLEDGED,
        FileState.SETTLED,
        FileState.REJECTED,
    ),
    FileState.SENT: (
        FileState.ACKNOWLEDGED,
        FileState.SETTLED,
        FileState.REJECTED,
        FileState.UNCERTAIN,
    ),
    FileState.ACKNOWLEDGED: (FileState.SETTLED, FileState.REJECTED),
    FileState.SETTLED: (),
    FileState.REJECTED: (),
    FileState.VOIDED: (),
}

RECEIVED_MOVES: dict[ReceivedState, tuple[ReceivedState, ...]] = {
    ReceivedState.RECEIVED: (ReceivedState.VERIFIED, ReceivedState.REFUSED, ReceivedState.HELD),
    ReceivedState.VERIFIED: (ReceivedState.SETTLED, ReceivedState.HELD, ReceivedState.REFUSED),
    ReceivedState.HELD: (ReceivedState.SETTLED, ReceivedState.REFUSED),
    ReceivedState.SETTLED: (),
    # A person may have it judged again, after the right certificate was enrolled.
    ReceivedState.REFUSED: (ReceivedState.RECEIVED,),
}

BEFORE_RELEASE: frozenset[FileState] = frozenset({FileState.PLANNED, FileState.SEALED, FileState.UPLOADING})
"""While a file is in one of these the bank cannot have it."""

AT_THE_BANK: frozenset[FileState] = frozenset(
    {FileState.RELEASING, FileState.UNCERTAIN, FileState.SENT, FileState.ACKNOWLEDGED, FileState.SETTLED}
)
"""States in which a result may arrive and is believed."""

_CONTRADICTED = (Status.UNKNOWN, Reason.CONTRADICTED)

OUTCOME_MOVES: dict[Status, dict[Status, tuple[Status, Reason | None]]] = {
    # current -> what new evidence states -> what the payment is then (None keeps the stated reason).
    # A weaker statement never undoes a stronger one, and nothing that says "paid" becomes
    # "failed" by itself, since a failed payment may be paid again.
    Status.UNKNOWN: {
        Status.CREDITED: (Status.CREDITED, None),
        Status.FAILED: (Status.FAILED, None),
        Status.DISCREPANT: (Status.DISCREPANT, None),
        Status.RETURNED: (Status.RETURNED, None),
        Status.UNKNOWN: (Status.UNKNOWN, None),
    },
    Status.CREDITED: {
        Status.CREDITED: (Status.CREDITED, None),
        Status.FAILED: _CONTRADICTED,
        Status.DISCREPANT: (Status.DISCREPANT, None),
        Status.RETURNED: (Status.RETURNED, None),
        Status.UNKNOWN: (Status.CREDITED, Reason.NONE),
    },
    Status.FAILED: {
        Status.CREDITED: (Status.CREDITED, None),
        Status.FAILED: (Status.FAILED, None),
        Status.DISCREPANT: (Status.DISCREPANT, None),
        Status.RETURNED: _CONTRADICTED,
        Status.UNKNOWN: (Status.UNKNOWN, None),
    },
    Status.DISCREPANT: {
        # Closed only by a person, on the exact difference or a full return.
        Status.CREDITED: (Status.DISCREPANT, Reason.CONTRADICTED),
        Status.FAILED: (Status.DISCREPANT, Reason.CONTRADICTED),
        Status.DISCREPANT: (Status.DISCREPANT, None),
        Status.RETURNED: (Status.DISCREPANT, Reason.CONTRADICTED),
        Status.UNKNOWN: (Status.DISCREPANT, Reason.CONTRADICTED),
    },
    Status.RETURNED: {
        Status.CREDITED: _CONTRADICTED,
        Status.FAILED: (Status.RETURNED, Reason.RETURNED),
        Status.DISCREPANT: (Status.DISCREPANT, None),
        Status.RETURNED: (Status.RETURNED, None),
        Status.UNKNOWN: (Status.RETURNED, Reason.RETURNED),
    },
}

REISSUABLE: frozenset[Status] = frozenset({Status.SET_ASIDE, Status.FAILED, Status.RETURNED})
"""Outcomes after which a payment may be replaced; never while unknown or discrepant."""


def effective_outcome(
    current: tuple[Status, Reason] | None, stated: tuple[Status, Reason]
) -> tuple[Status, Reason]:
    """What a payment is after new evidence: `OUTCOME_MOVES` applied.

    A contradiction is never ended by a third statement of the bank, only by a person: else
    "credited, failed, failed" would end as failed and be paid again.
    """
    if current is None:
        return stated
    if current[1] is Reason.CONTRADICTED:
        return current
    status, reason = OUTCOME_MOVES[current[0]][stated[0]]
    return status, stated[1] if reason is None else reason

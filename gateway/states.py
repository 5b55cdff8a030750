"""Every state and every permitted move, as tables; nothing else decides what may follow what.

A move that is not listed does not exist: `gateway.ledger.files` turns each into one
compare-and-set (`UPDATE ... WHERE state = :expected`), so two workers cannot both make it.
"""

from __future__ import annotations

from enum import StrEnum

from formats import Reason, Status


class BatchState(StrEnum):
    """A batch waits for its release; nothing of it leaves before, nor while a person holds it."""

    SUBMITTED = "submitted"
    RELEASED = "released"
    HELD = "held"
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
    # What has left is not called back: a hold and a withdrawal concern the rest.
    BatchState.RELEASED: (BatchState.HELD, BatchState.WITHDRAWN),
    BatchState.HELD: (BatchState.RELEASED, BatchState.WITHDRAWN),
    BatchState.WITHDRAWN: (),
}

DISPOSITION_MOVES: dict[Disposition, tuple[Disposition, ...]] = {
    Disposition.ACCEPTED: (Disposition.HELD, Disposition.WITHDRAWN, Disposition.SET_ASIDE),
    # Set aside: its programme was listed meanwhile, and the catalogue refuses it.
    Disposition.HELD: (Disposition.ACCEPTED, Disposition.WITHDRAWN, Disposition.SET_ASIDE),
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
        # Parts that are missing beside released data of ours are about to become visible.
        FileState.RELEASING,
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
    # Two persons have the bank's word that it took the file after all.
    FileState.REJECTED: (FileState.SENT,),
    FileState.VOIDED: (),
}

RECEIVED_MOVES: dict[ReceivedState, tuple[ReceivedState, ...]] = {
    ReceivedState.RECEIVED: (ReceivedState.VERIFIED, ReceivedState.REFUSED),
    ReceivedState.VERIFIED: (ReceivedState.SETTLED, ReceivedState.HELD, ReceivedState.REFUSED),
    # A person may have it judged again, after the cause was mended: the right certificate is
    # enrolled, the layout's table is complete, the file that it answers counts as sent.
    ReceivedState.HELD: (ReceivedState.SETTLED, ReceivedState.REFUSED, ReceivedState.RECEIVED),
    ReceivedState.SETTLED: (),
    ReceivedState.REFUSED: (ReceivedState.RECEIVED,),
}

BEFORE_RELEASE: frozenset[FileState] = frozenset({FileState.PLANNED, FileState.SEALED, FileState.UPLOADING})
"""While a file is in one of these the bank cannot have it."""

AT_THE_BANK: frozenset[FileState] = frozenset(
    {FileState.RELEASING, FileState.UNCERTAIN, FileState.SENT, FileState.ACKNOWLEDGED, FileState.SETTLED}
)
"""States in which a result may arrive and is believed."""

_CONTRADICTED = (Status.UNKNOWN, Reason.CONTRADICTED)
_OWN = (Status.WITHDRAWN, Status.SET_ASIDE)

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
        # Closed only by persons: on the exact amount, a full return, or that it stays short.
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
    # What the gateway took back or never sent, and a bank speaks of all the same: a file was given
    # up on a wrong word. Money that moved is shown; anything else changes nothing.
    **{
        own: {
            Status.CREDITED: (Status.DISCREPANT, Reason.CONTRADICTED),
            Status.FAILED: (own, reason),
            Status.DISCREPANT: (Status.DISCREPANT, None),
            Status.RETURNED: (own, reason),
            Status.UNKNOWN: _CONTRADICTED,
        }
        for own, reason in ((Status.WITHDRAWN, Reason.WITHDRAWN), (Status.SET_ASIDE, Reason.REISSUE_REFUSED))
    },
}

RESOLUTIONS: dict[PaymentState, tuple[Status, ...]] = {
    # What two persons may say of a payment on the bank's written word.
    PaymentState.UNKNOWN: (Status.CREDITED, Status.FAILED, Status.RETURNED),
    # The exact amount or a full return ends it; "nothing was paid" where nothing was credited; that it
    # stays short where what was credited is known and too little.
    PaymentState.DISCREPANT: (Status.CREDITED, Status.RETURNED, Status.FAILED, Status.DISCREPANT),
    # The bank has the file and has not answered yet: its letter says what its file would.
    PaymentState.DISPATCHED: (Status.CREDITED, Status.FAILED, Status.RETURNED),
    # The bank's letter says more than its files.
    PaymentState.CREDITED: (Status.RETURNED,),
    PaymentState.FAILED: (Status.CREDITED,),
    PaymentState.RETURNED: (Status.CREDITED,),
}

REISSUABLE: frozenset[Status] = frozenset({Status.SET_ASIDE, Status.FAILED, Status.RETURNED})
"""Outcomes after which a payment may be replaced; never while unknown or in doubt."""


def is_over(status: Status, reason: Reason) -> bool:
    """Whether nothing more of a payment reaches the payee, so that another may stand for what is missing."""
    return status in REISSUABLE or reason is Reason.PAID_SHORT


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
    if status is current[0] and status in _OWN:
        return current
    return status, stated[1] if reason is None else reason


def outcome_across_files(
    current: tuple[Status, Reason], stated: tuple[Status, Reason]
) -> tuple[Status, Reason]:
    """What a payment is that left in two files: `current` by the other one, `stated` by this one.

    They are two attempts: that one failed says nothing of the other.
    """
    if current[0] in _OWN or current[0] in (Status.FAILED, Status.RETURNED):
        return stated
    if stated[0] in (Status.FAILED, Status.RETURNED):
        return current
    if current[0] is stated[0] is Status.CREDITED or Reason.PAID_TWICE in (current[1], stated[1]):
        return Status.DISCREPANT, Reason.PAID_TWICE
    doubtful = Status.DISCREPANT in (current[0], stated[0])
    return Status.DISCREPANT if doubtful else Status.UNKNOWN, Reason.CONTRADICTED

"""What persons decide about a file that cannot go on by itself."""

from __future__ import annotations

from formats import Reason
from gateway import evidence
from gateway.errors import NotPermitted
from gateway.installation import Installation
from gateway.ledger.attempts import has_live_attempts, other_attempts, renew_attempts
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, mark_file, move_file, set_attention
from gateway.ledger.intake import move_payment, withdraw_payments
from gateway.ledger.lanes import lane_by_key, reopen_lane
from gateway.ledger.payments import payments_of_file, payments_stopped
from gateway.ledger.received import is_answered, retry_held
from gateway.sending.give_back import give_back
from gateway.sending.transmit import was_uploaded
from gateway.settlement.double_payments import tell_of_heirs, tell_of_other_files
from gateway.states import BEFORE_RELEASE, BatchState, Disposition, FileState
from gateway.ways.way import Carried, Decision, Ways


def file_ways(transaction: Transaction, file: FileRow) -> Ways:
    """The decisions that a file's present state permits."""
    gone = {"clear"} if file.attention is None else {"hold"}
    if is_answered(transaction, file.file_pk):
        # Its payments are not given back against an answer: that is settled or refused first.
        gone |= _GIVES_BACK
    if file.state is FileState.REJECTED:
        gone |= {"clear"} if has_live_attempts(transaction, file.file_pk) else {"redispatch", "withdraw"}
        if lane_by_key(transaction, file.lane_pk).batch_state is BatchState.WITHDRAWN:
            gone.add("redispatch")
    if not _stopped_payments(transaction, file):
        gone.add("resend")
    return {name: way for name, way in _WAYS.get(file.state, {}).items() if name not in gone}


def _stopped_payments(transaction: Transaction, file: FileRow) -> list[int]:
    """Payments of a file that was given up, stopped since the bank spoke of it after all."""
    if file.state not in (FileState.REJECTED, FileState.VOIDED):
        return []
    return payments_stopped(transaction, file.file_pk)


def _arrived(installation: Installation, transaction: Transaction, file: FileRow, carried: Carried) -> None:
    move_file(
        transaction,
        file.file_pk,
        FileState.UNCERTAIN,
        FileState.SENT,
        attention=None,
        sent_at=carried.at.isoformat(),
    )
    _tell(transaction, file, "file sent", carried)


def _given_up(installation: Installation, transaction: Transaction, file: FileRow, carried: Carried) -> None:
    """The bank will not pay by this file. What of it lies there is removed before anything leaves again."""
    move_file(transaction, file.file_pk, file.state, FileState.REJECTED, attention=None, leftovers=1)
    give_back(transaction, file.file_pk, file.lane_pk, carried.at)
    _tell(transaction, file, "file given up", carried)


def _resend(installation: Installation, transaction: Transaction, file: FileRow, carried: Carried) -> None:
    """The bank paid nothing by the file that was given up: its stopped payments go again."""
    stopped = payments_stopped(transaction, file.file_pk)
    for payment_pk in stopped:
        move_payment(transaction, payment_pk, Disposition.HELD, Disposition.ACCEPTED, Reason.NONE)
    reopen_lane(transaction, file.lane_pk)
    set_attention(transaction, file.file_pk, None)
    _tell(transaction, file, "payments accepted", carried, payments=stopped)


def _redispatch(
    installation: Installation, transaction: Transaction, file: FileRow, carried: Carried
) -> None:
    set_attention(transaction, file.file_pk, None)
    give_back(transaction, file.file_pk, file.lane_pk, carried.at)
    _tell(transaction, file, "file redispatched", carried)


def _withdraw(installation: Installation, transaction: Transaction, file: FileRow, carried: Carried) -> None:
    """Take back what a rejected file would have paid; its payments end as withdrawn."""
    set_attention(transaction, file.file_pk, None)
    give_back(transaction, file.file_pk, file.lane_pk, carried.at)
    count = withdraw_payments(transaction, carried.at, file_pk=file.file_pk)
    _tell(transaction, file, "file withdrawn", carried, count=count)


def _reopen(installation: Installation, transaction: Transaction, file: FileRow, carried: Carried) -> None:
    """The bank took the file after all. What has not left by another file stays here; of what has
    left twice, or has an heir that left, a person is told at once.
    """
    for other in other_attempts(transaction, file.file_pk):
        if other.state is FileState.UPLOADING:
            raise NotPermitted(
                f"payments of file {file.name} are just being uploaded in file {other.name}",
                hint=f"bankgate hold bank:{file.bank}, then decide again",
            )
        if other.state in BEFORE_RELEASE:
            _void(installation, transaction, other, carried)
    tell_of_other_files(transaction, file, carried.at)
    dispositions = payments_of_file(transaction, file.file_pk)
    held = [key for key, state in dispositions.items() if state is Disposition.HELD]
    for key in held:
        move_payment(transaction, key, Disposition.HELD, Disposition.ACCEPTED, Reason.NONE)
    live = renew_attempts(transaction, file.file_pk)
    tell_of_heirs(transaction, dispositions, carried.at)
    retry_held(transaction, file.file_pk, carried.at, f"file {file.name} is reopened")
    move_file(
        transaction,
        file.file_pk,
        FileState.REJECTED,
        FileState.SENT,
        attention=None,
        sent_at=file.sent_at or carried.at.isoformat(),
    )
    _tell(transaction, file, "file reopened", carried, payments=held, live=live)


def _hold(installation: Installation, transaction: Transaction, file: FileRow, carried: Carried) -> None:
    if not mark_file(transaction, file.file_pk, FileState.SEALED, f"held by {', '.join(carried.persons)}"):
        raise NotPermitted(f"file {file.name} is not sealed any more")
    _tell(transaction, file, "file held", carried)


def _clear(installation: Installation, transaction: Transaction, file: FileRow, carried: Carried) -> None:
    set_attention(transaction, file.file_pk, None)
    _tell(transaction, file, "file cleared", carried)


def _void(installation: Installation, transaction: Transaction, file: FileRow, carried: Carried) -> None:
    leftovers = int(was_uploaded(file, file.state))
    move_file(transaction, file.file_pk, file.state, FileState.VOIDED, attention=None, leftovers=leftovers)
    give_back(transaction, file.file_pk, file.lane_pk, carried.at)
    _tell(transaction, file, "file voided", carried)


def _tell(transaction: Transaction, file: FileRow, kind: str, carried: Carried, **more: object) -> None:
    evidence.record(transaction, carried.at, kind, bank=file.bank, file=file.name, by=carried.persons, **more)


_GIVES_BACK = {"not-received", "not-processed", "redispatch", "withdraw", "resend"}
_NOT_PROCESSED = Decision(
    2,
    "the bank confirms in writing that it did not and will not pay by it: its payments go again",
    _given_up,
    needs_exhibit=True,
)
_RESEND = Decision(
    2,
    "the bank confirms in writing that it paid none of its stopped payments: they go again",
    _resend,
    needs_exhibit=True,
)
_CLEAR = Decision(1, "looked into, and settled with the bank", _clear)
_WAYS: dict[FileState, Ways] = {
    FileState.SEALED: {
        "hold": Decision(1, "it stays here for now", _hold, takes_reason=True),
        "clear": Decision(1, "the cause is mended: try again", _clear),
        "void": Decision(1, "its payments go into a new file", _void),
    },
    FileState.UNCERTAIN: {
        "arrived": Decision(
            2, "the bank confirms in writing that it has the file", _arrived, needs_exhibit=True
        ),
        "not-received": Decision(
            2,
            "the bank confirms in writing that it never had the file: its payments go again",
            _given_up,
            needs_exhibit=True,
        ),
    },
    FileState.REJECTED: {
        "redispatch": Decision(2, "its payments go into a new file", _redispatch),
        "withdraw": Decision(2, "its payments are taken back", _withdraw),
        "reopen": Decision(
            2, "the bank confirms in writing that it took the file after all", _reopen, needs_exhibit=True
        ),
        "resend": _RESEND,
        "clear": _CLEAR,
    },
    FileState.SENT: {"not-processed": _NOT_PROCESSED},
    FileState.ACKNOWLEDGED: {"not-processed": _NOT_PROCESSED},
    FileState.VOIDED: {"resend": _RESEND, "clear": _CLEAR},
}
TABLES: tuple[Ways, ...] = tuple(_WAYS.values())
"""Every decision about a file."""

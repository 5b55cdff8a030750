"""A bank's word about a file as a whole: taken, refused, or known to it already."""

from __future__ import annotations

from datetime import datetime

from formats import AcknowledgementVerdict, Status
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, add_attention, move_file
from gateway.ledger.oddities import OddityKind, note_oddity
from gateway.ledger.outcomes import latest_outcomes, was_rejected
from gateway.ledger.received import ReceivedRow, retry_held
from gateway.settlement.correlate import Hold, problem_of
from gateway.states import FileState


def move_by_verdict(
    transaction: Transaction,
    file: FileRow,
    verdict: AcknowledgementVerdict,
    code: str,
    received: ReceivedRow,
    now: datetime,
) -> None:
    """What the bank's word about a file as a whole does to it; raises `Hold` where it cannot be so.

    `received` is the file in which the bank says so.
    """
    open_states = (FileState.SENT, FileState.UNCERTAIN)
    if verdict is AcknowledgementVerdict.UNMAPPED:
        raise Hold([problem_of(received, "unmapped-code", f"code {code!r} of the file is not in the layout")])
    if file.state is FileState.REJECTED:
        # Only another word of rejection comes here: nothing new.
        return
    took = (AcknowledgementVerdict.ACCEPTED, AcknowledgementVerdict.COMPLETE)
    if verdict in took and file.state in open_states:
        move_file(transaction, file.file_pk, file.state, FileState.ACKNOWLEDGED, attention=None)
        # A result that came first may have waited for just this.
        retry_held(transaction, file.file_pk, now, f"file {file.name} is acknowledged")
    elif verdict is AcknowledgementVerdict.REJECTED:
        if was_rejected(transaction, file.file_pk):
            # Two persons know since that the bank took it after all.
            return
        outcomes = latest_outcomes(transaction, file.file_pk).values()
        if any(not one.decided or one.status is not Status.FAILED for one in outcomes):
            message = f"file {file.name} has results already"
            raise Hold([problem_of(received, "rejected-after-results", message)])
        attention = f"the bank rejected the file with {code!r}: redispatch it, or withdraw its payments"
        move_file(transaction, file.file_pk, file.state, FileState.REJECTED, attention=attention)
    elif verdict is AcknowledgementVerdict.DUPLICATE:
        if file.state is FileState.SENT:
            move_file(transaction, file.file_pk, file.state, FileState.UNCERTAIN)
        attention = "the bank says that it has this file already: ask which one it took"
        if file.state in open_states:
            add_attention(transaction, file.file_pk, attention)
        else:
            kind = OddityKind.DUPLICATE_AFTER_RECEIPT
            note_oddity(transaction, now, kind, file.bank, file.name, attention, code=code, state=file.state)

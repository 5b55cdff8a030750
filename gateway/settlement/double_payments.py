"""Money that may have left twice is told to persons at once: no gateway can call it back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from formats import Reason
from gateway import evidence
from gateway.ledger.attempts import other_attempts
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, add_attention
from gateway.ledger.intake import hold_payments
from gateway.ledger.oddities import OddityKind, note_oddity
from gateway.ledger.reissues import heirs_that_left, payment_names
from gateway.states import BEFORE_RELEASE, FileState


def tell_of_heirs(transaction: Transaction, payment_keys: Iterable[int], at: datetime) -> None:
    """Of payments that were paid after all: others of their chains that cannot be stopped any more."""
    for payment_pk in payment_keys:
        for heir in heirs_that_left(transaction, payment_pk):
            paid = payment_names(transaction, [payment_pk])[0]
            note_oddity(
                transaction,
                at,
                OddityKind.PAID_TWICE,
                heir.bank,
                heir.file_name,
                f"{heir.payment_id} in {heir.file_name} stands for the same money as {paid},"
                " which was paid after all",
                payment=heir.payment_id,
                paid=paid,
            )


def tell_of_other_files(transaction: Transaction, file: FileRow, at: datetime) -> None:
    """Files that left with payments of this one, which the bank seems to have taken after all."""
    for other in other_attempts(transaction, file.file_pk):
        if other.state not in BEFORE_RELEASE:
            note_oddity(
                transaction,
                at,
                OddityKind.PAID_TWICE,
                file.bank,
                other.name,
                f"payments of {other.name} were in {file.name} before, about which the bank has spoken now",
                given_up=file.name,
            )


def stop_payments_of(transaction: Transaction, file: FileRow, at: datetime) -> None:
    """A bank answered about a file that was given up: what it would have paid must not leave again.

    Payments that have not left are held for a person; what has left in another file is
    pointed out, since nothing can be done about it here.
    """
    add_attention(transaction, file.file_pk, f"the bank answered about it while it was {file.state}")
    if file.state not in (FileState.REJECTED, FileState.VOIDED):
        return
    tell_of_other_files(transaction, file, at)
    stopped = hold_payments(transaction, file.file_pk, Reason.CONTRADICTED)
    if stopped:
        evidence.record(
            transaction, at, "payments held", payments=stopped, reason=Reason.CONTRADICTED, file=file.name
        )

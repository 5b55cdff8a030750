"""A file that ends without its payments gives them back, and they go where they may."""

from __future__ import annotations

from datetime import datetime

from formats import Reason
from gateway import evidence
from gateway.ledger.attempts import fall_back, release_attempts
from gateway.ledger.database import Transaction
from gateway.ledger.files import file_by_key, is_doubted
from gateway.ledger.holds import is_behind
from gateway.ledger.intake import hold_payments, withdraw_payments
from gateway.ledger.lanes import lane_by_key
from gateway.ledger.payments import live_item
from gateway.ledger.reissues import payments_to_stop
from gateway.sending.set_aside import set_aside
from gateway.states import BatchState, Disposition


def give_back(transaction: Transaction, file_pk: int, lane_pk: int, at: datetime) -> None:
    """End the file's attempts. Its payments may go into another file, except

    * those that the bank has in another file still, which was reopened: they count there;
    * those in whose chain another may be paid, or not just so much is missing: they are set aside;
    * those of a file that is older than a restore of the ledger: a file that it forgot may have paid
      them, so they are held until two persons have the bank's word (while the bank is not
      reconciled nothing leaves in any case);
    * those of a batch that was withdrawn meanwhile: they are withdrawn too.
    """
    stopped = payments_to_stop(transaction, file_pk)
    release_attempts(transaction, file_pk)
    for other, live in fall_back(transaction, file_pk):
        evidence.record(transaction, at, "attempts renewed", bank=other.bank, file=other.name, live=live)
    stopped = [payment_pk for payment_pk in stopped if live_item(transaction, payment_pk) is None]
    forgotten = is_doubted(transaction, file_pk)
    set_aside(transaction, stopped, Disposition.ACCEPTED, Reason.REISSUE_REFUSED, at, forgotten=forgotten)
    lane = lane_by_key(transaction, lane_pk)
    if forgotten and not is_behind(transaction, lane.bank):
        _hold(transaction, file_pk, at)
        return
    if lane.batch_state is BatchState.WITHDRAWN:
        count = withdraw_payments(transaction, at, file_pk=file_pk)
        evidence.record(transaction, at, "payments withdrawn", lane=lane_pk, count=count)


def _hold(transaction: Transaction, file_pk: int, at: datetime) -> None:
    file = file_by_key(transaction, file_pk)
    held = hold_payments(transaction, file_pk, Reason.PAID_PERHAPS)
    if held:
        evidence.record(
            transaction, at, "payments held", payments=held, reason=Reason.PAID_PERHAPS, file=file.name
        )

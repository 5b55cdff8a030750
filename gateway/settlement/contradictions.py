"""What a bank's statements and its results say differently of one payment: for a person, never by itself.

A booking is no outcome. It is compared with the outcome whenever either of them comes in, in
whichever order they do.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import datetime

from formats import Status
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow
from gateway.ledger.oddities import OddityKind, note_oddity
from gateway.ledger.statements import BookedItem, booked_items, is_in_statements
from gateway.states import BEFORE_RELEASE, FileState

_SHOWN_PAYMENTS = 5
_NEVER_LEFT = (*BEFORE_RELEASE, FileState.VOIDED)


def tell_of_contradictions(transaction: Transaction, file: FileRow, at: datetime) -> None:
    """Note once what statements and results of a file say differently, by kind, with some payments."""
    if not is_in_statements(transaction, file.file_pk):
        return
    found: dict[str, list[str]] = defaultdict(list)
    for item in booked_items(transaction, file.file_pk):
        if what := _contradiction(item, left=file.state not in _NEVER_LEFT):
            found[what].append(item.payment_id)
    if not found:
        return
    told = "; ".join(
        f"{what}: {len(ids)} ({', '.join(ids[:_SHOWN_PAYMENTS])}{', ...' * (len(ids) > _SHOWN_PAYMENTS)})"
        for what, ids in sorted(found.items())
    )
    note_oddity(
        transaction,
        at,
        OddityKind.STATEMENT_DIFFERS,
        file.bank,
        file.name,
        f"statements and results differ: {told}",
        once=True,
        counts={what: len(ids) for what, ids in sorted(found.items())},
        payments_sha256=hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest(),
    )


def _contradiction(item: BookedItem, *, left: bool) -> str:
    """What does not fit together; "" where nothing does not."""
    kept_minor = item.debited_minor - item.returned_minor
    if item.debited_minor and not left:
        return "booked, and never sent"
    if item.debited_minor > item.instructed_minor:
        return "booked with more than instructed"
    if item.status in (Status.FAILED, Status.SET_ASIDE, Status.WITHDRAWN) and kept_minor > 0:
        return "booked, and reported as failed"
    if item.status == Status.CREDITED and item.returned_minor:
        return "came back, and reported as credited"
    if item.status == Status.CREDITED and 0 < item.debited_minor < item.instructed_minor:
        return "booked with less than instructed, and reported as credited"
    return ""

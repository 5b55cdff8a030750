"""The kinds of objects that persons decide about: how each is named and found, and what is seen of it.

A next kind is an entry of `KINDS`, and its ways in `gateway/ways`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from formats import Reason
from gateway.installation import Installation
from gateway.ledger.attempts import has_live_attempts
from gateway.ledger.card_lists import card_list_by_key
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, find_file
from gateway.ledger.funding import FundingRow, find_funding
from gateway.ledger.holds import bank_holds
from gateway.ledger.intake import BatchRow, batch_by_key, find_batch
from gateway.ledger.oddities import OddityRow, open_oddity
from gateway.ledger.parts import parts_of
from gateway.ledger.payments import PaymentRow, find_payment, state_totals
from gateway.ledger.received import ReceivedRow, received_by_key
from gateway.ledger.rule_holds import holds_of
from gateway.ledger.whereabouts import (
    Whereabouts,
    whereabouts_of_bank,
    whereabouts_of_batch,
    whereabouts_of_file,
    whereabouts_of_payment,
)
from gateway.persons.holding import problems_digest
from gateway.rules.books import sums_digest
from gateway.rules.repeats import others_of_repeat
from gateway.states import BatchState, PaymentState
from gateway.ways.books import Books
from gateway.ways.card_lists import BroughtList, brought_list
from gateway.ways.recoveries import Recoverable, recoverable

_ROW_KEY = re.compile("[0-9]{1,18}")
"""What an integer key of SQLite takes, in the digits that `int` takes."""

Looks = dict[str, Any]
Find = Callable[[Installation, Transaction, str], Any]


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of object: `PREFIX:KEY` names one of its rows.

    `find` gives the row of a key, or None; `looks` what a person sees of it, enough that a decision
    fits nothing else; `whereabouts` where its payments are.
    """

    prefix: str
    row: type
    key: Callable[[Transaction, Any], str]
    find: Find
    looks: Callable[[Installation, Transaction, Any], Looks]
    whereabouts: Callable[[Transaction, Any], list[Whereabouts]] = lambda _transaction, _row: []


def _split(key: str) -> tuple[str, str]:
    """(rest, owner) of `OWNER/REST`."""
    owner, _, rest = key.partition("/")
    return rest, owner


def _by_number(find: Callable[[Transaction, int], Any]) -> Find:
    """Finds a row by the ledger's number of it."""

    def found(_installation: Installation, transaction: Transaction, key: str) -> Any:
        return find(transaction, int(key)) if _ROW_KEY.fullmatch(key) else None

    return found


# Batches and their books.


def _find_batch(_installation: Installation, transaction: Transaction, key: str) -> BatchRow | None:
    return next(iter(find_batch(transaction, *_split(key))), None)


def _batch_looks(_installation: Installation, transaction: Transaction, batch: BatchRow) -> Looks:
    # Of a released batch what has left is no matter of a decision, and changes all the time.
    shown = (*PaymentState,) if batch.state is BatchState.SUBMITTED else (PaymentState.HELD,)
    totals = [total for total in state_totals(transaction, batch.batch_pk) if total.state in shown]
    return {
        "state": str(batch.state),
        "content_sha256": batch.content_sha256,
        "declared_count": batch.declared_count,
        "declared_total_minor": batch.declared_total_minor,
        "totals": [[str(total.state), total.count, total.instructed_minor] for total in totals],
    }


def _find_books(installation: Installation, transaction: Transaction, key: str) -> Books | None:
    batch = _find_batch(installation, transaction, key)
    return None if batch is None else Books(batch, sums_digest(transaction, batch))


# Payments, and what of them is to come back.


def _find_payment(_installation: Installation, transaction: Transaction, key: str) -> PaymentRow | None:
    return next(iter(find_payment(transaction, *_split(key))), None)


def _payment_key(transaction: Transaction, payment: PaymentRow) -> str:
    return f"{batch_by_key(transaction, payment.batch_pk).source_platform}/{payment.payment_id}"


def _payment_looks(installation: Installation, transaction: Transaction, payment: PaymentRow) -> Looks:
    looks: Looks = {
        "payment_id": payment.payment_id,
        "amount_minor": payment.amount_minor,
        "state": str(payment.state),
        "reason": str(payment.reason),
        "outcome": payment.outcome_pk,
    }
    if payment.state is PaymentState.HELD and (holds := holds_of(transaction, payment.payment_pk)):
        looks["holds"] = [str(hold.reason) for hold in holds]
        if any(hold.reason is Reason.REPEAT_IN_PERIOD for hold in holds):
            catalogue = installation.configuration.catalogue
            others = others_of_repeat(transaction, catalogue, payment.payment_pk)
            looks["others"] = [list(msgspec.structs.astuple(other)) for other in others]
    return looks


def _find_recoverable(installation: Installation, transaction: Transaction, key: str) -> Recoverable | None:
    payment = _find_payment(installation, transaction, key)
    return None if payment is None else recoverable(transaction, payment, _split(key)[1])


def _recoverable_looks(_installation: Installation, _transaction: Transaction, owed: Recoverable) -> Looks:
    return {
        "payment_id": owed.payment.payment_id,
        "outcome": owed.payment.outcome_pk,
        "kept_minor": owed.kept_minor,
        "recovered_minor": owed.recovered_minor,
        "outstanding_minor": owed.outstanding_minor,
        "recoveries": len(owed.recoveries),
    }


# Files out, files in, and what else a bank put there.


def _find_file(_installation: Installation, transaction: Transaction, key: str) -> FileRow | None:
    name, bank = _split(key)
    return find_file(transaction, bank, name=name)


def _file_looks(_installation: Installation, transaction: Transaction, file: FileRow) -> Looks:
    return {
        "state": str(file.state),
        "attention": file.attention or "",
        "has_payments": has_live_attempts(transaction, file.file_pk),
        "parts": [part.sha256 for part in parts_of(transaction, file.file_pk)],
    }


def _received_looks(_installation: Installation, _transaction: Transaction, received: ReceivedRow) -> Looks:
    return {
        "state": str(received.state),
        "sha256": received.sha256,
        "problems_sha256": problems_digest(received.problems),
    }


def _oddity_looks(_installation: Installation, _transaction: Transaction, oddity: OddityRow) -> Looks:
    return {
        "bank": oddity.bank,
        "kind": str(oddity.kind),
        "name": oddity.name,
        "evidence": oddity.evidence,
    }


# Money that stands ready, and banks.


def _funding_looks(_installation: Installation, _transaction: Transaction, funding: FundingRow) -> Looks:
    return {
        "batch": f"{funding.source_platform}/{funding.batch_id}",
        "bank": funding.bank,
        "department": funding.department,
        "wanted_minor": funding.wanted_minor,
        "funded_minor": funding.funded_minor,
    }


# Card lists.


def _find_card_list(transaction: Transaction, list_pk: int) -> BroughtList | None:
    row = card_list_by_key(transaction, list_pk)
    return None if row is None else brought_list(transaction, row)


def _card_list_looks(_installation: Installation, _transaction: Transaction, brought: BroughtList) -> Looks:
    row, current = brought.row, brought.current
    return {
        "platform": row.source_platform,
        "content_sha256": row.content_sha256,
        "drawn_on": row.drawn_on,
        "rows": row.row_count,
        "persons": row.person_count,
        "left_out": row.left_out_count,
        "doubted": row.doubted_count,
        "state": row.state,
        "in_force": "" if current is None else current.content_sha256,
    }


def _find_bank(installation: Installation, transaction: Transaction, bank: str) -> str | None:
    known = bank in installation.configuration.profiles or bank_holds(transaction, bank)
    return bank if known else None


def _bank_looks(_installation: Installation, transaction: Transaction, bank: str) -> Looks:
    return {"hold": [[hold.bank, hold.cause, hold.message] for hold in bank_holds(transaction, bank)]}


KINDS = (
    Kind(
        prefix="batch",
        row=BatchRow,
        key=lambda _, batch: f"{batch.source_platform}/{batch.batch_id}",
        find=_find_batch,
        looks=_batch_looks,
        whereabouts=lambda transaction, batch: whereabouts_of_batch(transaction, batch.batch_pk),
    ),
    Kind(
        prefix="books",
        row=Books,
        key=lambda _, books: f"{books.batch.source_platform}/{books.batch.batch_id}",
        find=_find_books,
        looks=lambda _installation, _transaction, books: {"sums_sha256": books.sums_sha256},
    ),
    Kind(
        prefix="payment",
        row=PaymentRow,
        key=_payment_key,
        find=_find_payment,
        looks=_payment_looks,
        whereabouts=lambda transaction, payment: whereabouts_of_payment(transaction, payment.payment_pk),
    ),
    Kind(
        prefix="recovery",
        row=Recoverable,
        key=lambda _, owed: f"{owed.source_platform}/{owed.payment.payment_id}",
        find=_find_recoverable,
        looks=_recoverable_looks,
        whereabouts=lambda transaction, owed: whereabouts_of_payment(transaction, owed.payment.payment_pk),
    ),
    Kind(
        prefix="file",
        row=FileRow,
        key=lambda _, file: f"{file.bank}/{file.name}",
        find=_find_file,
        looks=_file_looks,
        whereabouts=lambda transaction, file: whereabouts_of_file(transaction, file.file_pk),
    ),
    Kind(
        prefix="received",
        row=ReceivedRow,
        key=lambda _, received: str(received.received_pk),
        find=_by_number(received_by_key),
        looks=_received_looks,
    ),
    Kind(
        prefix="oddity",
        row=OddityRow,
        key=lambda _, oddity: str(oddity.oddity_pk),
        find=_by_number(open_oddity),
        looks=_oddity_looks,
    ),
    Kind(
        prefix="funding",
        row=FundingRow,
        key=lambda _, funding: str(funding.lane_pk),
        find=_by_number(find_funding),
        looks=_funding_looks,
    ),
    Kind(
        prefix="card-list",
        row=BroughtList,
        key=lambda _, brought: str(brought.row.list_pk),
        find=_by_number(_find_card_list),
        looks=_card_list_looks,
    ),
    Kind(
        prefix="bank",
        row=str,
        key=lambda _, bank: bank,
        find=_find_bank,
        looks=_bank_looks,
        whereabouts=whereabouts_of_bank,
    ),
)

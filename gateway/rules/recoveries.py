"""Recovery (追回): what was wrongly paid, what of it came back on which voucher, and what is outstanding.

Plan, section 四(五): a payment that went wrong is verified again and set right. Persons ask money
back and note what comes (`gateway.ways.recoveries`); here it is only told. What a recovery says changes
no outcome: what the bank did stays what it did.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.intake import BatchRow
from gateway.ledger.recoveries import (
    Ending,
    ListedRecovery,
    ReceiptRow,
    RecoveryRow,
    listed_recoveries,
    receipts_of,
)


class Receipt(Struct, frozen=True, kw_only=True):
    """A part that came back, by the voucher that shows it; `struck_at` where it was noted by mistake."""

    amount_minor: int
    voucher_sha256: str
    noted_by: str
    noted_at: datetime
    struck_by: str = ""
    struck_at: datetime | None = None


class Recovery(Struct, frozen=True, kw_only=True):
    """What persons asked back of one payment; amounts in minor units.

    `excess_minor` is what came back or is asked back beyond what is with the payee by the banks'
    word: as a rule the bank gave it back too. `days` is how long it is open, or was.
    """

    payment_id: str
    source_platform: str
    batch_id: str
    bank: str
    department: str
    programme: str
    period: str
    ground: str
    amount_minor: int
    recovered_minor: int
    outstanding_minor: int
    excess_minor: int
    marked_by: str
    marked_at: datetime
    exhibit_sha256: str
    days: int
    ending: Ending
    closed_by: str = ""
    closed_at: datetime | None = None
    receipts: list[Receipt] = []


def recoveries(
    installation: Installation, batch: BatchRow | None = None, *, only_open: bool = False
) -> list[Recovery]:
    """Everything that was asked back, or what is outstanding still, the oldest first."""
    batch_pk = None if batch is None else batch.batch_pk
    with installation.ledger.read() as transaction:
        found = told_recoveries(transaction, installation.clock.now(), batch_pk)
    return [one for one in found if not only_open or one.ending is Ending.OPEN]


def told_recoveries(
    transaction: Transaction, now: datetime, batch_pk: int | None = None, payment_pk: int | None = None
) -> list[Recovery]:
    """The same within a view of the ledger: of all batches, of one, or of one payment."""
    listed = listed_recoveries(transaction, batch_pk, payment_pk)
    receipts: dict[int, list[ReceiptRow]] = {}
    for receipt in receipts_of(transaction, [row.recovery_pk for _, row in listed]):
        receipts.setdefault(receipt.recovery_pk, []).append(receipt)
    asked: dict[int, int] = {}
    for _, row in listed:
        asked[row.payment_pk] = asked.get(row.payment_pk, 0) + row.recovered_minor + _outstanding(row)
    return [
        _told(one, row, receipts.get(row.recovery_pk, ()), asked[row.payment_pk], now) for one, row in listed
    ]


def _told(
    listed: ListedRecovery, row: RecoveryRow, receipts: Iterable[ReceiptRow], asked_minor: int, now: datetime
) -> Recovery:
    marked_at = datetime.fromisoformat(row.marked_at)
    closed_at = None if row.closed_at is None else datetime.fromisoformat(row.closed_at)
    return Recovery(
        payment_id=listed.payment_id,
        source_platform=listed.source_platform,
        batch_id=listed.batch_id,
        bank=listed.bank,
        department=listed.department,
        programme=listed.programme,
        period=listed.period,
        ground=row.ground,
        amount_minor=row.amount_minor,
        recovered_minor=row.recovered_minor,
        outstanding_minor=_outstanding(row),
        excess_minor=max(0, asked_minor - listed.kept_minor),
        marked_by=row.persons,
        marked_at=marked_at,
        exhibit_sha256=row.exhibit,
        days=((closed_at or now) - marked_at) // timedelta(days=1),
        ending=Ending(row.ending),
        closed_by=row.closed_by or "",
        closed_at=closed_at,
        receipts=[_receipt(each) for each in receipts],
    )


def _outstanding(row: RecoveryRow) -> int:
    return row.amount_minor - row.recovered_minor if row.ending == Ending.OPEN else 0


def _receipt(row: ReceiptRow) -> Receipt:
    return Receipt(
        amount_minor=row.amount_minor,
        voucher_sha256=row.voucher,
        noted_by=row.persons,
        noted_at=datetime.fromisoformat(row.noted_at),
        struck_by=row.struck_by or "",
        struck_at=None if row.struck_at is None else datetime.fromisoformat(row.struck_at),
    )

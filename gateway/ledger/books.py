"""What was instructed, sent, credited, failed and returned, in sums over the whole ledger or a batch.

Asked by a person: every payment is looked at once, grouped by the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from formats import FeeKind
from gateway.ledger.database import Transaction
from gateway.ledger.payments import LATEST_OUTCOME, STATE_OF_PAYMENT
from gateway.states import AT_THE_BANK

_AT_THE_BANK = ",".join(f"'{state.value}'" for state in sorted(AT_THE_BANK))


class BookRow(Struct, frozen=True, kw_only=True):
    """Payments alike in everything that sums are asked by; amounts in minor units.

    `day` is the bank day of the file that they are in, "" while they are in none. `reissued` is 1 where
    they replace others: the same money, handed over again. `several_programmes` and `several_periods`
    are 1 where a statement books the whole file that they are in, with others, and so says of no
    programme or no period how much it booked. `oldest` is when the first of them was handed over, an
    ISO instant.
    """

    source_platform: str
    batch_id: str
    bank: str
    department: str
    programme: str
    period: str
    account_kind: str
    day: str
    state: str
    at_the_bank: int
    reissued: int
    several_programmes: int
    several_periods: int
    count: int
    instructed_minor: int
    credited_minor: int
    returned_minor: int
    oldest: str


class FoundCharge(Struct, frozen=True, kw_only=True):
    """Fee findings alike. Programme and period are of the payment that was charged.

    Where a whole file was charged they are "", and `file_programme` and `file_period` are those of its
    payments, "" where these have several. Where a charge is only in a statement all of these
    are "", batch, day and file too.
    """

    source_platform: str
    batch_id: str
    bank: str
    department: str
    programme: str
    period: str
    day: str
    kind: str
    month: str
    file_name: str
    file_programme: str
    file_period: str
    count: int
    amount_minor: int


_BOOKINGS = " AND entry.booked = 1 AND entry.kind IN ('payment', 'return')"
_BOOKED_FILES = (
    "WITH whole AS (SELECT attempt.file_pk, MIN(programme) AS programme, MIN(period) AS period,"
    " MIN(programme) <> MAX(programme) AS several_programmes, MIN(period) <> MAX(period) AS several_periods"
    " FROM (SELECT DISTINCT file_pk FROM statement_entry AS entry"
    f"  WHERE file_pk IS NOT NULL AND payment_pk IS NULL {_BOOKINGS})"
    " JOIN attempt USING (file_pk) JOIN payment USING (payment_pk) JOIN subject USING (subject_pk)"
    " GROUP BY 1)"
)
"""Files of which a statement books sums that name no payment: of which programmes and periods they are."""
_REPLACES = "EXISTS (SELECT 1 FROM reissue WHERE reissue.successor_pk = payment.payment_pk)"
_CHARGED_FILES = (
    "WITH charged AS (SELECT attempt.file_pk,"
    " CASE WHEN MIN(programme) = MAX(programme) THEN MIN(programme) ELSE '' END AS programme,"
    " CASE WHEN MIN(period) = MAX(period) THEN MIN(period) ELSE '' END AS period"
    " FROM (SELECT DISTINCT file_pk FROM fee_finding WHERE payment_pk IS NULL AND file_pk IS NOT NULL)"
    " JOIN attempt USING (file_pk) JOIN payment USING (payment_pk) JOIN subject USING (subject_pk)"
    " GROUP BY 1)"
)
"""Programme and period of all payments of each file that was charged as a whole."""


def book_rows(transaction: Transaction, batch_pk: int | None = None) -> list[BookRow]:
    """Everything that was handed over, summed up."""
    rows = transaction.all(
        f"{_BOOKED_FILES} SELECT source_platform, batch_id, COALESCE(lane.bank, '') AS bank,"
        " subject.department, subject.programme, subject.period, account_kind,"
        f" COALESCE(file.bank_day, '') AS day, {STATE_OF_PAYMENT} AS state,"
        f" COALESCE(file.state IN ({_AT_THE_BANK}), 0) AS at_the_bank, {_REPLACES} AS reissued,"
        " COALESCE(several_programmes, 0) AS several_programmes,"
        " COALESCE(several_periods, 0) AS several_periods, COUNT(*) AS count,"
        " SUM(payment.amount_minor) AS instructed_minor,"
        " SUM(CASE WHEN latest.status IN ('credited', 'discrepant', 'returned')"
        "  THEN COALESCE(latest.credited_minor, 0) ELSE 0 END) AS credited_minor,"
        " SUM(COALESCE(latest.returned_minor, 0)) AS returned_minor, MIN(submitted_at) AS oldest"
        " FROM payment JOIN batch USING (batch_pk) JOIN subject USING (subject_pk)"
        " LEFT JOIN lane ON lane.lane_pk = payment.lane_pk"
        " LEFT JOIN attempt ON attempt.payment_pk = payment.payment_pk AND attempt.live = 1"
        " LEFT JOIN file ON file.file_pk = attempt.file_pk"
        f" LEFT JOIN whole ON whole.file_pk = attempt.file_pk {LATEST_OUTCOME}"
        " WHERE :batch IS NULL OR payment.batch_pk = :batch"
        " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13",
        batch=batch_pk,
    )
    return [BookRow(**row._mapping) for row in rows]


_SIDES = (
    *("source_platform", "batch_id", "bank", "department", "programme", "period", "day", "kind", "month"),
    *("file_name", "file_programme", "file_period"),
)
_DEBITED = (FeeKind.FEE_LINE, FeeKind.FEE_COLUMN)
"""Charges that leave the account: a statement books them too. What is credited short leaves nothing more."""
_CHARGE_SIDES = (
    "COALESCE(source_platform, '') AS source_platform, COALESCE(batch_id, '') AS batch_id, fee_finding.bank,"
    " COALESCE(lane.department, '') AS department, COALESCE(subject.programme, '') AS programme,"
    " COALESCE(subject.period, '') AS period, COALESCE(file.bank_day, '') AS day, fee_finding.kind,"
    " substr(fee_finding.recorded_at, 1, 7) AS month, COALESCE(file.name, '') AS file_name,"
    " CASE WHEN subject.subject_pk IS NULL THEN COALESCE(charged.programme, '') ELSE '' END"
    "  AS file_programme,"
    " CASE WHEN subject.subject_pk IS NULL THEN COALESCE(charged.period, '') ELSE '' END AS file_period"
)
_OF_STATEMENT = "(file.file_pk IS NOT NULL AND fee_finding.kind = 'fee_line' AND received.kind = 'statement')"


def found_charges(transaction: Transaction, batch_pk: int | None = None) -> list[FoundCharge]:
    """What banks charged, summed up; what a result tells and a statement books is one charge.

    They are the same where file and amount are.
    """
    rows = transaction.all(
        f"{_CHARGED_FILES} SELECT {_CHARGE_SIDES}, {_OF_STATEMENT} AS of_statement, fee_finding.file_pk,"
        " fee_finding.amount_minor AS each_minor, COUNT(*) AS count"
        " FROM fee_finding JOIN received USING (received_pk)"
        " LEFT JOIN file ON file.file_pk = fee_finding.file_pk"
        " LEFT JOIN lane USING (lane_pk) LEFT JOIN batch ON batch.batch_pk = lane.batch_pk"
        " LEFT JOIN payment ON payment.payment_pk = fee_finding.payment_pk"
        " LEFT JOIN subject USING (subject_pk) LEFT JOIN charged ON charged.file_pk = fee_finding.file_pk"
        " WHERE :batch IS NULL OR lane.batch_pk = :batch"
        " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 ORDER BY 13, 3, 9, 8, 2, 10",
        batch=batch_pk,
    )
    sums: dict[tuple[str, ...], list[int]] = {}
    for sides, count, each_minor in _told_once(rows):
        total = sums.setdefault(sides, [0, 0])
        total[0] += count
        total[1] += count * each_minor
    return [
        FoundCharge(**dict(zip(_SIDES, sides, strict=True)), count=count, amount_minor=minor)
        for sides, (count, minor) in sums.items()
    ]


def charges_of_no_file(transaction: Transaction, first: datetime, last: datetime) -> list[FoundCharge]:
    """What statements charged for no file of ours, told from the first instant on and before the last."""
    nothing = dict.fromkeys(_SIDES, "")
    rows = transaction.all(
        "SELECT bank, kind, substr(recorded_at, 1, 7) AS month, COUNT(*) AS count,"
        " SUM(amount_minor) AS amount_minor FROM fee_finding"
        " WHERE file_pk IS NULL AND recorded_at >= :first AND recorded_at < :last GROUP BY 1, 2, 3",
        first=first.astimezone(UTC).isoformat(),
        last=last.astimezone(UTC).isoformat(),
    )
    return [FoundCharge(**{**nothing, **row._mapping}) for row in rows]


def _told_once(rows: Iterable[Any]) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """(sides, count, minor units of each), those of results first; of a file's debits only what is more."""
    told: Counter[tuple[int, int]] = Counter()
    for row in rows:
        charge, count = (row.file_pk, row.each_minor), row.count
        if row.of_statement:
            known = min(count, told[charge])
            told[charge] -= known
            count -= known
        elif row.kind in _DEBITED:
            told[charge] += count
        if count:
            yield tuple(row[: len(_SIDES)]), count, row.each_minor


class BookedRow(Struct, frozen=True, kw_only=True):
    """What statements booked for files of ours, or for single payments: net of what came back."""

    source_platform: str
    batch_id: str
    bank: str
    department: str
    programme: str
    period: str
    day: str
    booked_minor: int


class Gap(Struct, frozen=True, kw_only=True):
    """One payment of which results and statements say different amounts, net of what came back."""

    payment_id: str
    batch_id: str
    bank: str
    file_name: str
    item: int
    status: str
    by_results_minor: int
    by_statements_minor: int


class LaneBook(Struct, frozen=True, kw_only=True):
    """One department's payments of a batch at one bank; amounts in minor units.

    `open_count` have no final state; what persons closed as paid short has one.
    """

    bank: str
    department: str
    open_count: int
    open_minor: int
    kept_minor: int


_OPEN = (
    f"({STATE_OF_PAYMENT} IN ('accepted', 'held', 'dispatched', 'unknown', 'discrepant')"
    " AND COALESCE(latest.reason, '') <> 'PAID_SHORT')"
)


def lane_books(transaction: Transaction, batch_pk: int) -> list[LaneBook]:
    """By bank and department; what was set aside before it had a bank is in none."""
    rows = transaction.all(
        f"SELECT lane.bank, lane.department, SUM({_OPEN}) AS open_count,"
        f" SUM(CASE WHEN {_OPEN} THEN payment.amount_minor ELSE 0 END) AS open_minor,"
        " SUM(CASE WHEN latest.status IN ('credited', 'discrepant', 'returned')"
        "  THEN COALESCE(latest.credited_minor, 0) - COALESCE(latest.returned_minor, 0) ELSE 0 END)"
        "  AS kept_minor"
        f" FROM payment JOIN lane USING (lane_pk) {LATEST_OUTCOME} WHERE payment.batch_pk = :batch"
        " AND lane.bank <> '' GROUP BY 1, 2 ORDER BY 1, 2",
        batch=batch_pk,
    )
    return [LaneBook(**row._mapping) for row in rows]


class OpenState(Struct, frozen=True, kw_only=True):
    """Payments without a final state that are in the same one, in instructed minor units."""

    state: str
    count: int
    minor: int


def open_states(transaction: Transaction, batch_pk: int) -> list[OpenState]:
    """Of a batch; what persons closed as paid short is final."""
    rows = transaction.all(
        f"SELECT {STATE_OF_PAYMENT} AS state, COUNT(*) AS count, SUM(payment.amount_minor) AS minor"
        f" FROM payment {LATEST_OUTCOME} WHERE payment.batch_pk = :batch AND {_OPEN} GROUP BY 1 ORDER BY 1",
        batch=batch_pk,
    )
    return [OpenState(**row._mapping) for row in rows]


def lane_files(transaction: Transaction, batch_pk: int, bank: str, department: str) -> dict[str, str]:
    """Numbers of the agreements under which a lane's files were made, each with the last bank day (ISO)."""
    rows = transaction.all(
        "SELECT agreement, MAX(bank_day) AS last_day FROM file JOIN lane USING (lane_pk)"
        " WHERE lane.batch_pk = :batch AND lane.bank = :bank AND lane.department = :department"
        " AND file.state NOT IN ('voided', 'rejected') GROUP BY 1",
        batch=batch_pk,
        bank=bank,
        department=department,
    )
    return {row.agreement: row.last_day for row in rows}


def booked_rows(transaction: Transaction, by_payment: bool, batch_pk: int | None = None) -> list[BookedRow]:
    """Bookings by file, whole sums too; with `by_payment` by programme and period of the payment that they
    name, or of the file where all of it is of one: else that is "".
    """
    amount, subject, whole = "entry.entry_minor", "'' AS programme, '' AS period", ""
    if by_payment:
        amount = (
            "CASE WHEN entry.payment_pk IS NULL AND entry.item IS NULL THEN entry.entry_minor"
            " ELSE entry.amount_minor END"
        )
        subject = (
            "COALESCE(subject.programme, CASE several_programmes WHEN 0 THEN whole.programme END, '')"
            " AS programme,"
            " COALESCE(subject.period, CASE several_periods WHEN 0 THEN whole.period END, '') AS period"
        )
        whole = " LEFT JOIN whole ON whole.file_pk = entry.file_pk"
    rows = transaction.all(
        f"{_BOOKED_FILES if by_payment else ''}"
        f" SELECT source_platform, batch_id, file.bank, lane.department, {subject}, file.bank_day AS day,"
        f" SUM(CASE entry.direction WHEN 'debit' THEN 1 ELSE -1 END * COALESCE({amount}, 0)) AS booked_minor"
        " FROM statement_entry AS entry JOIN file ON file.file_pk = entry.file_pk JOIN lane USING (lane_pk)"
        " JOIN batch ON batch.batch_pk = lane.batch_pk"
        " LEFT JOIN payment ON payment.payment_pk = entry.payment_pk"
        f" LEFT JOIN subject ON subject.subject_pk = payment.subject_pk{whole}"
        f" WHERE (:batch IS NULL OR lane.batch_pk = :batch) {_BOOKINGS} GROUP BY 1, 2, 3, 4, 5, 6, 7",
        batch=batch_pk,
    )
    return [BookedRow(**row._mapping) for row in rows]


def gaps(transaction: Transaction, batch_pk: int | None = None) -> Iterator[Gap]:
    """Payments of files of which statements name items, where the two differ; line by line."""
    rows = transaction.stream(
        "SELECT * FROM (SELECT payment.payment_id, batch_id, file.bank, file.name AS file_name, attempt.item,"
        " COALESCE(latest.status, '') AS status,"
        " CASE WHEN latest.status IN ('credited', 'discrepant', 'returned')"
        "  THEN COALESCE(latest.credited_minor, 0) - COALESCE(latest.returned_minor, 0) ELSE 0 END"
        "  AS by_results_minor,"
        " (SELECT COALESCE(SUM(CASE entry.direction WHEN 'debit' THEN 1 ELSE -1 END * entry.amount_minor), 0)"
        f"  FROM statement_entry AS entry WHERE entry.payment_pk = payment.payment_pk {_BOOKINGS})"
        "  AS by_statements_minor"
        " FROM file JOIN attempt USING (file_pk) JOIN payment USING (payment_pk) JOIN batch USING (batch_pk)"
        f" {LATEST_OUTCOME} WHERE attempt.live = 1 AND (:batch IS NULL OR batch.batch_pk = :batch)"
        " AND EXISTS (SELECT 1 FROM statement_entry AS entry WHERE entry.file_pk = file.file_pk"
        f"  AND entry.item IS NOT NULL {_BOOKINGS}) ORDER BY file.file_pk, attempt.item)"
        " WHERE by_results_minor <> by_statements_minor",
        batch=batch_pk,
    )
    for row in rows:
        yield Gap(**row._mapping)


class Closing(Struct, frozen=True):
    """A reconciliation that a person closed: what the sums were then."""

    sums_sha256: str
    persons: str
    closed_at: str


def last_closing(transaction: Transaction, batch_pk: int) -> Closing | None:
    row = transaction.one(
        "SELECT sums_sha256, persons, closed_at FROM closing WHERE batch_pk = :batch"
        " ORDER BY closing_pk DESC LIMIT 1",
        batch=batch_pk,
    )
    return None if row is None else Closing(row.sums_sha256, row.persons, row.closed_at)


def insert_closing(
    transaction: Transaction, batch_pk: int, sums_sha256: str, persons: str, at: datetime
) -> None:
    transaction.run(
        "INSERT INTO closing (batch_pk, sums_sha256, persons, closed_at)"
        " VALUES (:batch, :sums, :persons, :at)",
        batch=batch_pk,
        sums=sums_sha256,
        persons=persons,
        at=at.isoformat(),
    )

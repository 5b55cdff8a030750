"""Entries of banks' statements: taken once each, read back by bank and period in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from formats import FeeKind, SealedText
from gateway.ledger.database import Transaction


class EntryKind(StrEnum):
    """What a booking is, as far as it says."""

    PAYMENT = "payment"
    """Money that left for a payment or a file of ours."""
    RETURN = "return"
    """Money that came back of one."""
    FEE = "fee"
    """What the profile says is a charge."""
    OTHER = "other"


class StatementEntry(Struct, frozen=True, kw_only=True):
    """One booking, or one payment in a booking. Amounts are minor units, never negative.

    `amount_minor` is of this row, None where the bank gives only the sum of several;
    `entry_minor` is of the whole booking and stands at its first row only, so that it adds up.
    `booked` is False for what is only announced. `text` has the bank's words, names and accounts.
    """

    cursor: int
    bank: str
    account: str
    statement: str
    direction: str
    amount_minor: int | None
    entry_minor: int | None
    currency: str
    booked_on: date | None
    value_date: date | None
    booked: bool
    kind: EntryKind
    serial: str
    code: str
    file_name: str
    item: int | None
    payment_id: str
    evidence_sha256: str
    evidence_line: int
    recorded_at: datetime
    text: SealedText | None


StagedEntry = tuple[
    int, str, str, str, "int | None", "int | None", str, "str | None", "str | None", int, str, str, str,
    "int | None", "int | None", str, "bytes | None", "bytes | None",
]  # fmt: skip
"""line, account, statement, direction, amount_minor, entry_minor, currency, booked_on, value_date, booked,
kind, serial, code, file_pk, item, identity, sealed text, sealed label"""

_STAGED = (
    "line, account, statement, direction, amount_minor, entry_minor, currency, booked_on, value_date,"
    " booked, kind, serial, code, file_pk, item, identity, text, label"
)
_PLACES = ",".join("?" * len(_STAGED.split(",")))
_FINDINGS = {EntryKind.FEE: FeeKind.FEE_LINE, EntryKind.OTHER: FeeKind.UNEXPLAINED_DEBIT}
_TOLD = (
    "bank, account, statement, received_pk, line, direction, amount_minor, entry_minor, currency, booked_on,"
    " value_date, booked, kind, serial, code, file_pk, item, payment_pk, recorded_at"
)
"""What an event digests of an entry, in the order of an audit's columns."""


@contextmanager
def staged_entries(transaction: Transaction) -> Iterator[None]:
    """A place where the entries of one statement wait until it was read to its end."""
    transaction.run(f"CREATE TEMP TABLE staged_entry ({_STAGED})")
    try:
        yield
    finally:
        transaction.run("DROP TABLE staged_entry")


def stage_entries(transaction: Transaction, rows: Sequence[StagedEntry]) -> None:
    transaction.many(f"INSERT INTO staged_entry ({_STAGED}) VALUES ({_PLACES})", rows)


def take_entries(transaction: Transaction, bank: str, received_pk: int, at: datetime) -> tuple[int, int]:
    """Take what was not taken from another statement; (new entries, new findings).

    Of entries that are alike the first of one statement is the first of another, and so on.
    """
    numbered = (
        "SELECT staged_entry.*, ROW_NUMBER() OVER (PARTITION BY identity ORDER BY line) AS occurrence"
        " FROM staged_entry"
    )
    taken = transaction.run(
        "INSERT INTO statement_entry (bank, account, statement, received_pk, line, direction, amount_minor,"
        " entry_minor, currency, booked_on, value_date, booked, kind, serial, code, file_pk, item,"
        " payment_pk, identity, occurrence, recorded_at, text)"
        " SELECT :bank, account, statement, :received, line, direction, amount_minor, entry_minor, currency,"
        " booked_on, value_date, booked, kind, serial, code, staged.file_pk, staged.item, attempt.payment_pk,"
        f" identity, occurrence, :at, text FROM ({numbered}) AS staged"
        " LEFT JOIN attempt ON attempt.file_pk = staged.file_pk AND attempt.item = staged.item"
        " WHERE 1 ORDER BY line ON CONFLICT (bank, identity, occurrence) DO NOTHING",
        bank=bank,
        received=received_pk,
        at=at.isoformat(),
    )
    charged = 0
    for kind, finding in _FINDINGS.items():
        charged += transaction.run(
            "INSERT INTO fee_finding (bank, kind, amount_minor, file_pk, item, payment_pk, received_pk, line,"
            " label, recorded_at) SELECT :bank, :finding, COALESCE(entry.entry_minor, entry.amount_minor),"
            " entry.file_pk, entry.item, entry.payment_pk, :received, entry.line, staged_entry.label, :at"
            " FROM statement_entry AS entry JOIN staged_entry"
            " ON staged_entry.line = entry.line WHERE entry.received_pk = :received AND entry.kind = :kind"
            " AND entry.direction = 'debit' AND entry.booked = 1"
            " AND COALESCE(entry.entry_minor, entry.amount_minor) > 0 ORDER BY entry.line",
            bank=bank,
            finding=finding,
            kind=kind,
            received=received_pk,
            at=at.isoformat(),
        )
    return taken, charged


def told_rows(transaction: Transaction, received_pk: int) -> Iterator[tuple[Any, ...]]:
    """The entries that one received file brought, as an event digests them, in their order."""
    for row in transaction.stream(
        f"SELECT {_TOLD} FROM statement_entry WHERE received_pk = :received ORDER BY entry_pk",
        received=received_pk,
    ):
        yield tuple(row)


def files_of_entries(transaction: Transaction, received_pk: int) -> list[int]:
    """Our files of which the entries of one received file speak."""
    rows = transaction.all(
        "SELECT DISTINCT file_pk FROM statement_entry WHERE received_pk = :received AND file_pk IS NOT NULL"
        " ORDER BY 1",
        received=received_pk,
    )
    return [row.file_pk for row in rows]


def statement_entries(
    transaction: Transaction,
    *,
    bank: str | None = None,
    first: date | None = None,
    last: date | None = None,
    payment_pk: int | None = None,
    since: int = 0,
) -> Iterator[StatementEntry]:
    """Entries booked in a period (days of the bank, ends included), in the order taken; constant memory.

    Those without a day of booking are in every period.
    """
    rows = transaction.stream(
        "SELECT entry_pk, entry.bank, account, statement, direction, amount_minor, entry_minor,"
        " entry.currency, booked_on, value_date, booked, entry.kind, serial, code,"
        " COALESCE(file.name, '') AS file_name, entry.item,"
        " COALESCE((SELECT payment_id FROM payment WHERE payment.payment_pk = entry.payment_pk), '')"
        "  AS payment_id, received.sha256, line, recorded_at, text"
        " FROM statement_entry AS entry JOIN received USING (received_pk)"
        " LEFT JOIN file ON file.file_pk = entry.file_pk"
        " WHERE entry_pk > :since AND (:bank IS NULL OR entry.bank = :bank)"
        " AND (:payment IS NULL OR entry.payment_pk = :payment)"
        " AND COALESCE(booked_on >= :first, 1) AND COALESCE(booked_on <= :last, 1) ORDER BY entry_pk",
        bank=bank,
        payment=payment_pk,
        since=since,
        first=None if first is None else first.isoformat(),
        last=None if last is None else last.isoformat(),
    )
    for row in rows:
        yield StatementEntry(
            cursor=row.entry_pk,
            bank=row.bank,
            account=row.account,
            statement=row.statement,
            direction=row.direction,
            amount_minor=row.amount_minor,
            entry_minor=row.entry_minor,
            currency=row.currency,
            booked_on=_day(row.booked_on),
            value_date=_day(row.value_date),
            booked=bool(row.booked),
            kind=EntryKind(row.kind),
            serial=row.serial,
            code=row.code,
            file_name=row.file_name,
            item=row.item,
            payment_id=row.payment_id,
            evidence_sha256=row.sha256,
            evidence_line=row.line,
            recorded_at=datetime.fromisoformat(row.recorded_at),
            text=None if row.text is None else SealedText(row.text),
        )


class BookedItem(Struct, frozen=True):
    """What statements say of one item of a file, beside what its results say. Minor units."""

    payment_id: str
    instructed_minor: int
    debited_minor: int
    returned_minor: int
    status: str | None


def booked_items(transaction: Transaction, file_pk: int) -> Iterator[BookedItem]:
    """Every item of a file of which a statement speaks, in order."""
    for row in transaction.stream(
        "SELECT booked.item, payment.payment_id, payment.amount_minor, booked.debited, booked.returned,"
        " latest.status FROM (SELECT item, payment_pk,"
        "  SUM(CASE direction WHEN 'debit' THEN amount_minor ELSE 0 END) AS debited,"
        "  SUM(CASE direction WHEN 'credit' THEN amount_minor ELSE 0 END) AS returned"
        "  FROM statement_entry WHERE file_pk = :file AND item IS NOT NULL AND payment_pk IS NOT NULL"
        "  AND booked = 1 AND kind IN ('payment', 'return') AND amount_minor IS NOT NULL"
        "  GROUP BY item, payment_pk) AS booked"
        " JOIN payment ON payment.payment_pk = booked.payment_pk"
        " LEFT JOIN outcome AS latest ON latest.outcome_pk = (SELECT MAX(outcome_pk) FROM outcome"
        "  WHERE outcome.payment_pk = booked.payment_pk) ORDER BY booked.item",
        file=file_pk,
    ):
        yield BookedItem(row.payment_id, row.amount_minor, row.debited, row.returned, row.status)


def booked_days(transaction: Transaction, payment_pks: Iterable[int]) -> dict[tuple[int, str], date]:
    """The day on which statements booked each of these payments or its return, by payment and direction.

    The first `debit`, the last `credit`; the value date where a booking has no day.
    """
    chosen = ",".join(str(int(key)) for key in payment_pks) or "NULL"
    rows = transaction.all(
        "SELECT payment_pk, direction, MIN(COALESCE(booked_on, value_date)) AS first,"
        " MAX(COALESCE(booked_on, value_date)) AS last FROM statement_entry"
        f" WHERE payment_pk IN ({chosen}) AND booked = 1 AND kind IN ('payment', 'return')"
        " AND COALESCE(booked_on, value_date) IS NOT NULL GROUP BY payment_pk, direction"
    )
    return {
        (int(row.payment_pk), row.direction): date.fromisoformat(
            row.first if row.direction == "debit" else row.last
        )
        for row in rows
    }


def is_in_statements(transaction: Transaction, file_pk: int) -> bool:
    """Whether any statement speaks of a file's payments."""
    row = transaction.one("SELECT 1 FROM statement_entry WHERE file_pk = :file LIMIT 1", file=file_pk)
    return row is not None


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)

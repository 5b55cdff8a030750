"""Reconciliation (对账): what was instructed against what banks say, in count and fen, by any side.

Plan, section 四(四): each agreement fixes how accounts are reconciled. Sums come from the banks'
result files; what statements booked, what a bank charged, and what persons recovered of wrong payments
stands beside them and is in none. Money that is paid again after a failure is instructed once: the payments
that carry it again are `reissued`. A batch is closed by a person, and open again as soon as its sums
are others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.installation import Installation
from gateway.ledger.books import (
    BookedRow,
    BookRow,
    FoundCharge,
    Gap,
    book_rows,
    booked_rows,
    found_charges,
    gaps,
    last_closing,
)
from gateway.ledger.database import Transaction
from gateway.ledger.intake import BatchRow
from gateway.ledger.recoveries import RecoveredRow, recovered_rows
from gateway.rules.catalogue import Catalogue

FINAL = frozenset({"credited", "failed", "returned", "set_aside", "withdrawn"})
"""States that end by themselves in no other; of the rest somebody waits for a word."""
_AGES_DAYS = (3, 7, 30)


class By(StrEnum):
    """What sums are taken by. A day is the bank day of the file."""

    BATCH = "batch"
    BANK = "bank"
    DEPARTMENT = "department"
    PROGRAMME = "programme"
    PERIOD = "period"
    DAY = "day"


class Extent(StrEnum):
    """What a line of a reconciliation is of."""

    ONE = "one"
    """The one thing that its key names: a batch, a bank, a programme."""
    NONE = "none"
    """Payments that have none: no bank, or no file and so no day."""
    FILE = "file"
    """Charges on a whole file whose payments have several programmes or periods; the key is `BANK/NAME`."""
    BANK = "bank"
    """Charges that a bank's statement names neither file nor payment for; the key is the bank."""


class Sum(Struct, kw_only=True):
    """So many payments of so many minor units."""

    count: int = 0
    minor: int = 0

    def add(self, count: int, minor: int) -> None:
        self.count += count
        self.minor += minor


class Book(Struct, kw_only=True):
    """One line of a reconciliation. `states` add up to all that was handed over: `instructed` and `reissued`.

    `instructed` has each sum of money once; `reissued` are payments that replace others, and carry what
    these did not bring. `sent` is what banks have of both; `credited_minor` what they say they credited,
    `returned_minor` what came back of it. Findings are charges beside all that.
    """

    key: str
    extent: Extent = Extent.ONE
    instructed: Sum = msgspec.field(default_factory=Sum)
    reissued: Sum = msgspec.field(default_factory=Sum)
    sent: Sum = msgspec.field(default_factory=Sum)
    states: dict[str, Sum] = msgspec.field(default_factory=dict)
    credited_minor: int = 0
    returned_minor: int = 0
    findings: Sum = msgspec.field(default_factory=Sum)
    recovered_minor: int = 0
    """What came back of wrong payments otherwise than by the bank."""
    to_recover: Sum = msgspec.field(default_factory=Sum)
    """Payments of which something is asked back still, and how much."""
    booked_minor: int | None = None
    """What statements booked, net of what came back; None where none speaks of it."""
    unassigned_minor: int = 0
    """What results say is with payees of files that a statement books whole, of several programmes or
    periods: how much of a booking is of which cannot be told, and no difference is made of it.
    """

    @property
    def gap_minor(self) -> int | None:
        """What results say is with payees beyond what statements booked; 0 where they agree."""
        if self.booked_minor is None:
            return None
        return self.kept_minor - self.unassigned_minor - self.booked_minor

    @property
    def handed_over(self) -> Sum:
        """Every payment, also those that carry the same money again."""
        return Sum(
            count=self.instructed.count + self.reissued.count,
            minor=self.instructed.minor + self.reissued.minor,
        )

    def state(self, name: str) -> Sum:
        """The payments in a state; to be added to."""
        return self.states.setdefault(name, Sum())

    @property
    def open(self) -> Sum:
        """What has no final state."""
        total = Sum()
        for state, each in self.states.items():
            if state not in FINAL:
                total.add(each.count, each.minor)
        return total

    @property
    def adds_up(self) -> bool:
        return self.handed_over == Sum(
            count=sum(each.count for each in self.states.values()),
            minor=sum(each.minor for each in self.states.values()),
        )

    @property
    def kept_minor(self) -> int:
        """What is with payees by the banks' word, charges not taken off."""
        return self.credited_minor - self.returned_minor


class Aged(Struct, frozen=True, kw_only=True):
    """Payments without a final state that were handed over about as long ago."""

    batch_id: str
    bank: str
    programme: str
    period: str
    state: str
    oldest: datetime
    days: int
    age: str
    """`0-3`, `4-7`, `8-30` or `31+` days."""
    count: int
    minor: int


class Charge(Struct, frozen=True, kw_only=True):
    """What one bank charged in one month, by kind, for the bank and for the supervisor."""

    bank: str
    month: str
    kind: str
    batch_id: str
    count: int
    minor: int


class Closed(Struct, frozen=True, kw_only=True):
    """Whether a batch's reconciliation is closed. `reopened`: it was, and its sums are others since."""

    closed: bool
    reopened: bool
    persons: str = ""
    closed_at: str = ""
    explanation: str = ""
    """What the person said who closed it, "" where nothing was to be said or it is destroyed."""


def books(installation: Installation, by: By, batch: BatchRow | None = None) -> list[Book]:
    """Sums by one side, in its order."""
    batch_pk = None if batch is None else batch.batch_pk
    with installation.ledger.read() as transaction:
        rows, charges = book_rows(transaction, batch_pk), found_charges(transaction, batch_pk)
        booked = booked_rows(transaction, by in (By.PROGRAMME, By.PERIOD), batch_pk)
        recovered = recovered_rows(transaction, batch_pk)
    return sum_up(installation.configuration.catalogue, by, rows, charges, booked, recovered)


def differences(installation: Installation, batch: BatchRow | None = None) -> Iterator[Gap]:
    """Line by line where results and statements differ; of files whose items no statement names: none."""
    with installation.ledger.read() as transaction:
        yield from gaps(transaction, None if batch is None else batch.batch_pk)


def ageing(installation: Installation, batch: BatchRow | None = None) -> list[Aged]:
    """Everything without a final state, the oldest first."""
    now = installation.clock.now()
    with installation.ledger.read() as transaction:
        rows = book_rows(transaction, None if batch is None else batch.batch_pk)
    return aged_rows(rows, now)


def aged_rows(rows: Iterable[BookRow], now: datetime) -> list[Aged]:
    """Those of the rows that have no final state, the oldest first."""
    found: dict[tuple[str, ...], list[BookRow]] = {}
    for row in rows:
        if row.state not in FINAL:
            found.setdefault((row.batch_id, row.bank, row.programme, row.period, row.state), []).append(row)
    aged = [_aged(key, group, now) for key, group in found.items()]
    return sorted(aged, key=lambda one: (one.oldest, one.batch_id, one.bank, one.programme, one.state))


def charges(installation: Installation, bank: str | None = None) -> list[Charge]:
    """What banks charged, by bank, month, kind and batch."""
    with installation.ledger.read() as transaction:
        rows = found_charges(transaction)
    sums: dict[tuple[str, str, str, str], Sum] = {}
    for row in rows:
        if bank in (None, row.bank):
            key = (row.bank, row.month, row.kind, row.batch_id)
            sums.setdefault(key, Sum()).add(row.count, row.amount_minor)
    return [
        Charge(bank=key[0], month=key[1], kind=key[2], batch_id=key[3], count=each.count, minor=each.minor)
        for key, each in sorted(sums.items())
    ]


def closing_of(transaction: Transaction, batch: BatchRow) -> Closed:
    """Whether a batch's reconciliation is closed by what is known now."""
    last = last_closing(transaction, batch.batch_pk)
    if last is None:
        return Closed(closed=False, reopened=False)
    same = last.sums_sha256 == sums_digest(transaction, batch)
    return Closed(closed=same, reopened=not same, persons=last.persons, closed_at=last.closed_at)


def sums_digest(transaction: Transaction, batch: BatchRow) -> str:
    """SHA-256 over a batch's sums and charges: another one as soon as anything of them changes.

    What is reissued, and where a charge on a whole file belongs, is told apart since; the digest is not,
    so that what persons closed before stays closed.
    """
    rows = book_rows(transaction, batch.batch_pk)
    charged = found_charges(transaction, batch.batch_pk)
    booked = [msgspec.structs.astuple(row) for row in booked_rows(transaction, False, batch.batch_pk)]
    sums = [_alike(rows), _alike(charged), sorted(booked)]
    # Where nothing is recovered the digest stays what it was before there were recoveries.
    if recovered := [msgspec.structs.astuple(row) for row in recovered_rows(transaction, batch.batch_pk)]:
        sums.append(sorted(recovered))
    return hashlib.sha256(msgspec.json.encode(sums)).hexdigest()


_ADDED = ("count", "instructed_minor", "credited_minor", "returned_minor", "amount_minor")
_APART = (
    *("reissued", "several_programmes", "several_periods"),
    *("file_name", "file_programme", "file_period"),
)


def _alike(rows: Sequence[BookRow | FoundCharge]) -> list[tuple[object, ...]]:
    """Rows that differ in nothing but what was not told apart before, as one, in their order."""
    found: dict[tuple[object, ...], dict[str, Any]] = {}
    for row in rows:
        values = {name: value for name, value in msgspec.structs.asdict(row).items() if name not in _APART}
        same = tuple(values[name] for name in values if name not in (*_ADDED, "oldest"))
        one = found.setdefault(same, values)
        if one is values:
            continue
        for name in values:
            if name in _ADDED:
                one[name] += values[name]
            elif name == "oldest":
                one[name] = min(one[name], values[name])
    return sorted(tuple(one.values()) for one in found.values())


def sum_up(
    catalogue: Catalogue | None,
    by: By,
    rows: Iterable[BookRow],
    charged: Iterable[FoundCharge],
    booked: Iterable[BookedRow],
    recovered: Iterable[RecoveredRow],
) -> list[Book]:
    """Rows of the ledger by one side, in its order; what belongs to a whole file or bank comes last.

    Programmes that the catalogue has under several spellings are one.
    """
    found: dict[tuple[Extent, str], Book] = {}

    def book_of(place: tuple[Extent, str]) -> Book:
        return found.setdefault(place, Book(extent=place[0], key=place[1]))

    for row in rows:
        book = book_of(_place(catalogue, by, row))
        (book.reissued if row.reissued else book.instructed).add(row.count, row.instructed_minor)
        if row.at_the_bank:
            book.sent.add(row.count, row.instructed_minor)
        book.state(row.state).add(row.count, row.instructed_minor)
        book.credited_minor += row.credited_minor
        book.returned_minor += row.returned_minor
        if (by is By.PROGRAMME and row.several_programmes) or (by is By.PERIOD and row.several_periods):
            book.unassigned_minor += row.credited_minor - row.returned_minor
    for charge in charged:
        book_of(_place_of_charge(catalogue, by, charge)).findings.add(charge.count, charge.amount_minor)
    for entry in booked:
        if by in (By.PROGRAMME, By.PERIOD) and not _key(catalogue, by, entry):
            # Of a file of several: its payments are `unassigned_minor` where they stand.
            continue
        book = book_of(_place(catalogue, by, entry))
        book.booked_minor = (book.booked_minor or 0) + entry.booked_minor
    for back in recovered:
        book = book_of(_place(catalogue, by, back))
        book.recovered_minor += back.recovered_minor
        book.to_recover.add(back.open_count, back.outstanding_minor)
    order = list(Extent)
    return [found[place] for place in sorted(found, key=lambda place: (order.index(place[0]), place[1]))]


def _place(
    catalogue: Catalogue | None, by: By, row: BookRow | BookedRow | RecoveredRow
) -> tuple[Extent, str]:
    """Under which key payments and bookings stand."""
    key = _key(catalogue, by, row)
    return (Extent.ONE if key else Extent.NONE), key


def _place_of_charge(catalogue: Catalogue | None, by: By, charge: FoundCharge) -> tuple[Extent, str]:
    """Under which key a charge stands; one on a whole file under what all its payments share."""
    known = replace(
        charge,
        programme=charge.programme or charge.file_programme,
        period=charge.period or charge.file_period,
    )
    if key := _key(catalogue, by, known):
        return Extent.ONE, key
    if charge.file_name:
        return Extent.FILE, f"{charge.bank}/{charge.file_name}"
    return Extent.BANK, charge.bank


def _key(catalogue: Catalogue | None, by: By, row: BookRow | FoundCharge | BookedRow | RecoveredRow) -> str:
    if by is By.BATCH:
        return f"{row.source_platform}/{row.batch_id}" if row.batch_id else ""
    if by is By.PROGRAMME:
        known = None if catalogue is None else catalogue.find(row.programme)
        return row.programme if known is None else known.name
    return {By.BANK: row.bank, By.DEPARTMENT: row.department, By.PERIOD: row.period, By.DAY: row.day}[by]


def _aged(key: tuple[str, ...], rows: list[BookRow], now: datetime) -> Aged:
    oldest = min(datetime.fromisoformat(row.oldest) for row in rows)
    days = (now - oldest) // timedelta(days=1)
    batch_id, bank, programme, period, state = key
    return Aged(
        batch_id=batch_id,
        bank=bank,
        programme=programme,
        period=period,
        state=state,
        oldest=oldest,
        days=days,
        age=_age(days),
        count=sum(row.count for row in rows),
        minor=sum(row.instructed_minor for row in rows),
    )


def _age(days: int) -> str:
    first = 0
    for last in _AGES_DAYS:
        if days <= last:
            return f"{first}-{last}"
        first = last + 1
    return f"{first}+"

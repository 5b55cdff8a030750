"""What a report says of a batch, or of all batches that were handed over in a month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from formats import FeeKind, Reason, Status
from gateway.installation import Installation
from gateway.ledger.books import (
    BookRow,
    FoundCharge,
    book_rows,
    booked_rows,
    charges_of_no_file,
    found_charges,
)
from gateway.ledger.intake import BatchRow, batches
from gateway.ledger.payments import reason_totals
from gateway.ledger.recoveries import RecoveredRow, recovered_rows
from gateway.ledger.reissues import chains_of
from gateway.local_time import LOCAL
from gateway.rules.books import Aged, Book, By, Sum, aged_rows, sum_up
from gateway.rules.deadlines import Breach, breaches
from gateway.rules.fates import Fates, Followed, fates
from gateway.rules.recoveries import Recovery, told_recoveries
from gateway.rules.shares import earlier_targets, target_percent


class ReasonLine(Struct, frozen=True, kw_only=True):
    """Payments that did not arrive as instructed, by reason, and what followed on them."""

    status: Status
    reason: Reason
    count: int
    minor: int
    followed: Followed

    @property
    def remaining_count(self) -> int:
        """Payments that are still to be paid, or cleared up; of what was withdrawn none is."""
        if self.status is Status.WITHDRAWN:
            return 0
        known = (self.followed.again, self.followed.under_way, self.followed.elsewhere)
        return self.count - sum(each.count for each in known)


class ChargeLine(Struct, kw_only=True):
    """What one bank charged; `payees_minor` of it was taken off what payees were credited."""

    bank: str
    charges: Sum
    payees_minor: int


class CardShare(Struct, frozen=True, kw_only=True):
    """How many of a department's credited payments went to a card, and to a passbook."""

    department: str
    card_count: int
    passbook_count: int

    @property
    def per_mille(self) -> int | None:
        """The share by card, rounded down; None where nothing was credited."""
        credited = self.card_count + self.passbook_count
        return self.card_count * 1000 // credited if credited else None


class RecoveryLine(Struct, frozen=True, kw_only=True):
    """Wrong payments of one programme that are asked back on one ground; `oldest` is of what is open."""

    programme: str
    ground: str
    count: int
    asked_minor: int
    recovered_minor: int
    outstanding_minor: int
    oldest: datetime | None


class Contents(Struct, frozen=True, kw_only=True):
    """Everything that a report shows; amounts in minor units."""

    title: tuple[str, str]
    """Chinese and English."""
    made_at: datetime
    batches: list[str]
    fates: Fates
    total: Book
    by_department: list[Book]
    by_programme: list[Book]
    by_bank: list[Book]
    reasons: list[ReasonLine]
    charges: list[ChargeLine]
    aged: list[Aged]
    share: CardShare
    shares: list[CardShare]
    """By department, in their order."""
    target_percent: int | None
    earlier_targets: dict[int, int]
    """Percent by year, of the years before."""
    breaches: list[Breach]
    recoveries: list[RecoveryLine]
    bank_names: dict[str, str]

    @property
    def part_of_open_minor(self) -> int:
        """What banks credited of payments that have not arrived, and of which more may come."""
        credited = self.total.states.get("credited", Sum())
        return self.total.kept_minor - credited.minor - self.fates.short_minor


def batch_contents(installation: Installation, batch: BatchRow) -> Contents:
    """The report of one batch."""
    return _contents(installation, (f"批次 {batch.batch_id}", f"Batch {batch.batch_id}"), [batch])


def month_contents(installation: Installation, year: int, month: int) -> Contents:
    """The report of the batches that were handed over in a month of the district's clock.

    Charges for no file of ours belong to the month in which a statement told of them.
    """
    with installation.ledger.read() as transaction:
        chosen = [
            batch
            for batch in batches(transaction)
            if (local := datetime.fromisoformat(batch.submitted_at).astimezone(LOCAL)).year == year
            and local.month == month
        ]
        first = datetime(year, month, 1, tzinfo=LOCAL)
        beside = charges_of_no_file(transaction, first, (first + timedelta(days=31)).replace(day=1))
    return _contents(installation, (f"{year} 年 {month} 月", f"{year}-{month:02d}"), chosen, beside)


def _contents(
    installation: Installation,
    title: tuple[str, str],
    chosen: Sequence[BatchRow],
    beside: Sequence[FoundCharge] = (),
) -> Contents:
    now = installation.clock.now()
    catalogue = installation.configuration.catalogue
    rows: list[BookRow] = []
    charged = list(beside)
    booked, booked_by_payment = [], []
    recovered: list[RecoveredRow] = []
    asked_back: list[Recovery] = []
    reasons: dict[tuple[Status, Reason], Sum] = {}
    with installation.ledger.read() as transaction:
        for batch in chosen:
            rows += book_rows(transaction, batch.batch_pk)
            charged += found_charges(transaction, batch.batch_pk)
            booked += booked_rows(transaction, False, batch.batch_pk)
            booked_by_payment += booked_rows(transaction, True, batch.batch_pk)
            recovered += recovered_rows(transaction, batch.batch_pk)
            asked_back += told_recoveries(transaction, now, batch.batch_pk)
            for status, reason, count, minor in reason_totals(transaction, batch.batch_pk):
                reasons.setdefault((status, reason), Sum()).add(count, minor)
        chains = chains_of(transaction, [batch.batch_pk for batch in chosen])
    told = fates(rows, chains)
    by_bank = sum_up(catalogue, By.BANK, rows, charged, booked, recovered)
    names = {f"{batch.source_platform}/{batch.batch_id}" for batch in chosen}
    departments = sorted({row.department for row in rows})
    return Contents(
        title=title,
        made_at=now.astimezone(LOCAL),
        batches=sorted(names),
        fates=told,
        total=whole(by_bank),
        by_department=sum_up(catalogue, By.DEPARTMENT, rows, charged, booked, recovered),
        by_programme=sum_up(catalogue, By.PROGRAMME, rows, charged, booked_by_payment, recovered),
        by_bank=by_bank,
        reasons=[
            ReasonLine(
                status=key[0],
                reason=key[1],
                count=each.count,
                minor=each.minor,
                followed=told.followed.get(key, Followed()),
            )
            for key, each in sorted(reasons.items(), key=lambda item: -item[1].count)
            if key[0] is not Status.CREDITED
        ],
        charges=_charge_lines(charged),
        aged=aged_rows(rows, now),
        share=_share(rows, ""),
        shares=[_share([row for row in rows if row.department == name], name) for name in departments],
        target_percent=target_percent(now.astimezone(LOCAL).year),
        earlier_targets=earlier_targets(now.astimezone(LOCAL).year),
        breaches=[one for one in breaches(installation) if _is_of(one, rows)],
        recoveries=_recovery_lines(asked_back),
        bank_names={key: profile.name for key, profile in installation.configuration.profiles.items()},
    )


def _share(rows: Sequence[BookRow], department: str) -> CardShare:
    return CardShare(
        department=department,
        card_count=_credited(rows, "card"),
        passbook_count=_credited(rows, "passbook"),
    )


def _charge_lines(charged: Sequence[FoundCharge]) -> list[ChargeLine]:
    """By bank."""
    lines: dict[str, ChargeLine] = {}
    for one in charged:
        line = lines.setdefault(one.bank, ChargeLine(bank=one.bank, charges=Sum(), payees_minor=0))
        line.charges.add(one.count, one.amount_minor)
        if one.kind == FeeKind.SHORT_CREDIT:
            line.payees_minor += one.amount_minor
    return [lines[bank] for bank in sorted(lines)]


def _recovery_lines(found: Sequence[Recovery]) -> list[RecoveryLine]:
    """By programme and ground, what is outstanding longest first."""
    groups: dict[tuple[str, str], list[Recovery]] = {}
    for one in found:
        groups.setdefault((one.programme, one.ground), []).append(one)
    lines = [
        RecoveryLine(
            programme=programme,
            ground=ground,
            count=len(group),
            asked_minor=sum(one.amount_minor for one in group),
            recovered_minor=sum(one.recovered_minor for one in group),
            outstanding_minor=sum(one.outstanding_minor for one in group),
            oldest=min((one.marked_at for one in group if one.outstanding_minor), default=None),
        )
        for (programme, ground), group in groups.items()
    ]
    return sorted(lines, key=lambda line: (str(line.oldest or "~"), line.programme, line.ground))


def _credited(rows: Sequence[BookRow], kind: str) -> int:
    return sum(row.count for row in rows if row.state == "credited" and row.account_kind == kind)


def whole(books: Sequence[Book]) -> Book:
    """All of them as one."""
    total = Book(key="")
    for book in books:
        total.instructed.add(book.instructed.count, book.instructed.minor)
        total.reissued.add(book.reissued.count, book.reissued.minor)
        total.sent.add(book.sent.count, book.sent.minor)
        total.findings.add(book.findings.count, book.findings.minor)
        total.credited_minor += book.credited_minor
        total.returned_minor += book.returned_minor
        total.recovered_minor += book.recovered_minor
        total.to_recover.add(book.to_recover.count, book.to_recover.minor)
        if book.booked_minor is not None:
            total.booked_minor = (total.booked_minor or 0) + book.booked_minor
        for state, each in book.states.items():
            total.state(state).add(each.count, each.minor)
    return total


def _is_of(breach: Breach, rows: Sequence[BookRow]) -> bool:
    """A file carries one batch: by bank, department and bank day that is enough for a report."""
    day = breach.sent_at.astimezone(LOCAL).date().isoformat()
    return any((row.bank, row.department, row.day) == (breach.bank, breach.department, day) for row in rows)

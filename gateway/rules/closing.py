"""When a batch's books may close for a bank, by the agreement's reconciliation rule (对账办法).

Plan, section 四(四). Results must have said a final word of every payment; where the rule wants
statements too, these must have booked exactly what results say is with payees. Nothing is tolerated: a fen of
difference keeps the books open. Where an agreement has no rule a person explains what differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from msgspec import Struct

from gateway.configuration.agreement import Agreement
from gateway.installation import Installation
from gateway.ledger.books import (
    LaneBook,
    book_rows,
    booked_rows,
    found_charges,
    gaps,
    lane_books,
    lane_files,
    open_states,
)
from gateway.ledger.database import Transaction
from gateway.ledger.intake import BatchRow, batches
from gateway.ledger.recoveries import recovered_rows
from gateway.money import money, yuan
from gateway.rules.books import Book, By, closing_of, sum_up
from gateway.states import BatchState
from gateway.texts import Said

STATEMENTS = "statements"


class OpenPoint(Struct, frozen=True):
    """Something that is not settled while books close. `to_explain`: whoever closes them says why."""

    said: Said
    to_explain: bool


class Standing(Struct, frozen=True, kw_only=True):
    """One department's payments of a batch at one bank, held against the agreement's rule.

    Amounts in minor units. `kept_minor` is with payees by results, `booked_minor` by statements, None
    where the rule does not want them; `differing` counts the batch's payments at the bank of which the two
    say different amounts. `due` is the last day on which the books are to be closed, None where
    nothing is agreed or nothing has left; `is_overdue` while they are not closed after it.
    """

    batch_id: str
    bank: str
    department: str
    agreements: list[str]
    against: str
    open_count: int
    open_minor: int
    kept_minor: int
    booked_minor: int | None
    differing: int
    due: date | None
    is_closed: bool
    is_overdue: bool

    @property
    def agrees(self) -> bool:
        """Whether the rule lets the books close."""
        return not self.open_count and not self.differing and self.booked_minor in (None, self.kept_minor)

    def obstacles(self) -> list[str]:
        """What keeps them open, for the person who would close them."""
        told = []
        if self.open_count:
            told.append(f"{self.open_count} payments, {money(self.open_minor)}, have no final result")
        if self.booked_minor not in (None, self.kept_minor):
            told.append(
                f"results say {money(self.kept_minor)}, statements booked {money(self.booked_minor or 0)}"
            )
        if self.differing:
            told.append(f"{self.differing} payments are booked otherwise than their results")
        return [f"{self.bank}, {self.department}: {each}" for each in told]


def standings(installation: Installation, batch: BatchRow) -> list[Standing]:
    """Every bank and department of a batch whose agreement has a rule."""
    with installation.ledger.read() as transaction:
        return list(standings_of(installation, transaction, batch))


def all_standings(installation: Installation) -> list[Standing]:
    """The same of all batches whose books are not closed; what is due first comes first."""
    with installation.ledger.read() as transaction:
        found = [
            one
            for batch in batches(transaction)
            if batch.state in (BatchState.RELEASED, BatchState.HELD)
            for one in standings_of(installation, transaction, batch)
            if not one.is_closed
        ]
    return sorted(found, key=lambda one: (one.due or date.max, one.batch_id, one.bank, one.department))


def open_points(transaction: Transaction, batch: BatchRow) -> list[OpenPoint]:
    """What a person closes a batch's books in spite of: payments without a final state, sums and lines that
    statements book otherwise; then what banks charged and what is asked back.
    """
    found = [
        OpenPoint(Said("point_state", [one.state, str(one.count), yuan(one.minor)]), True)
        for one in open_states(transaction, batch.batch_pk)
    ]
    rows = book_rows(transaction, batch.batch_pk)
    booked = booked_rows(transaction, False, batch.batch_pk)
    (whole,) = sum_up(None, By.BATCH, rows, (), booked, ()) or [Book(key="")]
    if whole.gap_minor:
        told = Said("point_gap", [yuan(whole.kept_minor), yuan(whole.booked_minor or 0)])
        found.append(OpenPoint(told, True))
    if differing := sum(1 for _ in gaps(transaction, batch.batch_pk)):
        found.append(OpenPoint(Said("point_differing", [str(differing)]), True))
    charged = found_charges(transaction, batch.batch_pk)
    if count := sum(one.count for one in charged):
        minor = yuan(sum(one.amount_minor for one in charged))
        found.append(OpenPoint(Said("point_charged", [str(count), minor]), False))
    recovered = recovered_rows(transaction, batch.batch_pk)
    if count := sum(one.open_count for one in recovered):
        minor = yuan(sum(one.outstanding_minor for one in recovered))
        found.append(OpenPoint(Said("point_recovering", [str(count), minor]), False))
    return found


def standings_of(installation: Installation, transaction: Transaction, batch: BatchRow) -> Iterator[Standing]:
    """The same within a view of the ledger."""
    found = [
        (lane, *_ruled(installation, transaction, batch.batch_pk, lane))
        for lane in lane_books(transaction, batch.batch_pk)
    ]
    found = [(lane, ruled, last_day) for lane, ruled, last_day in found if ruled]
    if not found:
        return
    closed = closing_of(transaction, batch).closed
    by_statements = any(_against(ruled) == STATEMENTS for _, ruled, _ in found)
    booked: Counter[tuple[str, str]] = Counter()
    differing: Counter[str] = Counter()
    if by_statements:
        for row in booked_rows(transaction, False, batch.batch_pk):
            booked[row.bank, row.department] += row.booked_minor
        differing.update(gap.bank for gap in gaps(transaction, batch.batch_pk))
    for lane, ruled, last_day in found:
        wants = _against(ruled) == STATEMENTS
        due = None if last_day is None else _due(installation, ruled, last_day)
        yield Standing(
            batch_id=batch.batch_id,
            bank=lane.bank,
            department=lane.department,
            agreements=[agreement.number for agreement in ruled],
            against=_against(ruled),
            open_count=lane.open_count,
            open_minor=lane.open_minor,
            kept_minor=lane.kept_minor,
            booked_minor=booked[lane.bank, lane.department] if wants else None,
            differing=differing[lane.bank] if wants else 0,
            due=due,
            is_closed=closed,
            is_overdue=not closed and due is not None and _today(installation, lane.bank) > due,
        )


def _ruled(
    installation: Installation, transaction: Transaction, batch_pk: int, lane: LaneBook
) -> tuple[list[Agreement], date | None]:
    """Agreements with a rule that a lane's files were made under, and the last bank day of these.

    What has not left is held to all that department and bank have.
    """
    files = lane_files(transaction, batch_pk, lane.bank, lane.department)
    group = installation.configuration.agreements.get((lane.department, lane.bank), [])
    ruled = [
        agreement
        for agreement in group
        if agreement.reconciliation is not None and (not files or agreement.number in files)
    ]
    last = max(files.values(), default="")
    return ruled, date.fromisoformat(last) if last else None


def _against(ruled: list[Agreement]) -> str:
    """The strictest of them."""
    wanted = {agreement.reconciliation.against for agreement in ruled if agreement.reconciliation}
    return max(wanted)


def _due(installation: Installation, ruled: list[Agreement], last_day: date) -> date | None:
    calendar = installation.configuration.calendar
    found = [agreement.reconciliation_due(last_day, calendar) for agreement in ruled]
    return min((due for due in found if due is not None), default=None)


def _today(installation: Installation, bank: str) -> date:
    profile = installation.configuration.profiles[bank]
    return installation.clock.now().astimezone(profile.time_zone).date()

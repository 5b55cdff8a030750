"""How much of a lane may go into the next file: limits of file, day and programme, and funding.

Payments of a programme with a limit of its own go into files of their own, a period each, so
that what a file took from the budget can be told from the file alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from gateway.agreement import Agreement, ProgrammeLimits
from gateway.ledger import Transaction
from gateway.ledger_files import LaneRow, sent_today
from gateway.ledger_funding import budgets_of, taken_of_programme, unused_funding
from gateway.ledger_intake import Subject


class Load(Struct):
    """What of a lane goes together: one agreement, and one budget where a programme has a limit."""

    agreement: Agreement
    programme: str = ""
    period: str = ""
    subjects: list[int] = []

    @property
    def budget(self) -> str:
        """The budget's name in the ledger, "" for none."""
        return f"{self.programme}/{self.period}" if self.programme else ""

    @property
    def limits(self) -> ProgrammeLimits | None:
        return self.agreement.limits.programme.get(self.programme) if self.programme else None


class Left(Struct, frozen=True):
    """The most minor units of the next file, None for no bound, and what bounds it in words."""

    minor: int | None
    why: str


class Loads:
    """The waiting subjects of a lane, put together."""

    def __init__(self) -> None:
        self._loads: dict[tuple[str, str], Load] = {}

    def add(
        self, agreement: Agreement, subject_pk: int, subject: Subject, spellings: tuple[str, ...]
    ) -> None:
        """`spellings` are all names of the subject's programme."""
        limited = next((name for name in spellings if name in agreement.limits.programme), "")
        period = subject.period if limited else ""
        budget = f"{limited}/{period}" if limited else ""
        load = self._loads.setdefault((agreement.number, budget), Load(agreement, limited, period, []))
        load.subjects.append(subject_pk)

    def all(self) -> list[Load]:
        return list(self._loads.values())


def amount_left(
    transaction: Transaction, lane: LaneRow, load: Load, day: date, bounds_of_bank: Sequence[Left]
) -> Left:
    """The smallest of all bounds; those of the bank, of which there is at least one, come first."""
    agreement = load.agreement
    number = f"agreement {agreement.number}"
    bounds = list(bounds_of_bank)
    day_limit = agreement.limits.amount_per_day_minor
    if day_limit is not None:
        today = sent_today(transaction, lane.bank, agreement.number, day)
        why = f"{number}: the next payment is over the amount left for today"
        bounds.append(Left(day_limit - today.agreement_minor, why))
    bounds += _of_programme(transaction, lane, load, day)
    if agreement.funding.required:
        why = f"{number}: the money is not confirmed on the payer account: funding:{lane.lane_pk}"
        bounds.append(Left(unused_funding(transaction, lane.lane_pk), why))
    known = [bound for bound in bounds if bound.minor is not None]
    return min(known, key=lambda bound: bound.minor or 0, default=bounds[0])


def _of_programme(transaction: Transaction, lane: LaneRow, load: Load, day: date) -> list[Left]:
    limits, number = load.limits, load.agreement.number
    if limits is None:
        return []
    bounds = []
    if limits.amount_per_day_minor is not None:
        budgets = {load.budget, *budgets_of(transaction, lane.bank, number, load.programme)}
        today, _ = taken_of_programme(transaction, lane.bank, number, sorted(budgets), day)
        why = f"agreement {number}: the next payment is over the amount left for {load.programme} today"
        bounds.append(Left(limits.amount_per_day_minor - today, why))
    if limits.amount_per_period_minor is not None:
        _, total = taken_of_programme(transaction, lane.bank, number, [load.budget], day)
        why = (
            f"agreement {number}: the next payment is over the amount left for {load.programme} {load.period}"
        )
        bounds.append(Left(limits.amount_per_period_minor - total, why))
    return bounds

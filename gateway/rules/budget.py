"""How much of a lane may go into the next file: limits of file, day and programme, and funding.

Payments of a programme with a limit of its own go into files of their own, a period each, so
that what a file took from the budget can be told from the file alone. What is left of a limit bounds the
next file; the whole of it bounds each payment, which else would wait for ever before all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from gateway.configuration.agreement import Agreement, ProgrammeLimits
from gateway.ledger.database import Transaction
from gateway.ledger.funding import budgets_of, taken_of_programme, unused_funding
from gateway.ledger.intake import Subject
from gateway.ledger.lanes import LaneRow
from gateway.ledger.sequences import sent_today
from gateway.money import money


class Load(Struct):
    """What of a lane goes together: one agreement, and one budget where a programme has a limit."""

    agreement: Agreement
    programme: str = ""
    period: str = ""
    subjects: list[int] = []
    spellings: tuple[str, ...] = ()
    """Every name of the programme: what went under another one has taken from the same budget."""

    @property
    def budget(self) -> str:
        """The budget's name in the ledger, "" for none."""
        return f"{self.programme}/{self.period}" if self.programme else ""

    @property
    def limits(self) -> ProgrammeLimits | None:
        return self.agreement.limits.programme.get(self.programme) if self.programme else None


class Left(Struct, frozen=True):
    """The most minor units of the next file, None for no bound, and what bounds it in words.

    `whole_minor` is what the bound is before anything is taken from it, `name` that limit in words: no
    payment above it can ever leave. None where more may be added, such as funding.
    """

    minor: int | None
    why: str
    whole_minor: int | None = None
    name: str = ""


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
        names = spellings if limited else ()
        load = self._loads.setdefault((agreement.number, budget), Load(agreement, limited, period, [], names))
        load.subjects.append(subject_pk)

    def all(self) -> list[Load]:
        return list(self._loads.values())


def bounds_of(transaction: Transaction, lane: LaneRow, load: Load, day: date) -> list[Left]:
    """What the department's agreement and its funding leave for the next file."""
    agreement = load.agreement
    number = f"agreement {agreement.number}"
    bounds = []
    day_limit = agreement.limits.amount_per_day_minor
    if day_limit is not None:
        today = sent_today(transaction, lane.bank, agreement.number, day)
        why = f"{number}: the next payment is over the amount left for today"
        bounds.append(Left(day_limit - today.agreement_minor, why, day_limit, f"{number}: one day"))
    bounds += _of_programme(transaction, lane, load, day)
    if agreement.funding.required:
        why = (
            f"{number}: the money is not confirmed on the payer account"
            f" (on its voucher: bankgate held fund funding:{lane.lane_pk})"
        )
        bounds.append(Left(unused_funding(transaction, lane.lane_pk), why))
    return bounds


def least_left(bounds: Sequence[Left]) -> Left:
    """The bound that leaves the least; the first one where none is a bound."""
    known = [bound for bound in bounds if bound.minor is not None]
    return min(known, key=lambda bound: bound.minor or 0, default=bounds[0])


class Ceiling(Struct, frozen=True):
    """What no single payment may be above, in minor units, and which limit that is."""

    minor: int
    why: str


def ceiling_of(bounds: Sequence[Left]) -> Ceiling | None:
    """The smallest of the whole limits; None where there is none."""
    whole = [(bound.whole_minor, bound.name) for bound in bounds if bound.whole_minor is not None]
    if not whole:
        return None
    minor, name = min(whole)
    return Ceiling(minor, f"{name} takes {money(minor)}, less than one of them")


def _of_programme(transaction: Transaction, lane: LaneRow, load: Load, day: date) -> list[Left]:
    limits, number = load.limits, load.agreement.number
    if limits is None:
        return []
    bounds = []
    if limits.amount_per_day_minor is not None:
        budgets = {load.budget}
        for name in load.spellings:
            budgets.update(budgets_of(transaction, lane.bank, number, name))
        today, _ = taken_of_programme(transaction, lane.bank, number, sorted(budgets), day)
        why = f"agreement {number}: the next payment is over the amount left for {load.programme} today"
        whole = f"agreement {number}: one day of {load.programme}"
        bounds.append(Left(limits.amount_per_day_minor - today, why, limits.amount_per_day_minor, whole))
    if limits.amount_per_period_minor is not None:
        budgets = {f"{name}/{load.period}" for name in load.spellings}
        _, total = taken_of_programme(transaction, lane.bank, number, sorted(budgets), day)
        why = (
            f"agreement {number}: the next payment is over the amount left for {load.programme} {load.period}"
        )
        whole = f"agreement {number}: {load.programme} {load.period}"
        bounds.append(
            Left(limits.amount_per_period_minor - total, why, limits.amount_per_period_minor, whole)
        )
    return bounds

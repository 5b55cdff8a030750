"""Promises about time: banks that answer late, payments that are overdue, credits that lie apart.

Plan, sections 四(四), 四(五) and 五(二): feedback in time, payment at the time that the programme's
rule says, and about the same time everywhere in the district.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from msgspec import Struct

from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.deadlines import (
    AnsweredFile,
    SubjectState,
    all_subjects,
    answered_files,
    states_of_subject,
)
from gateway.rules.catalogue import Catalogue, Programme

_OWED = frozenset(
    {"accepted", "held", "dispatched", "unknown", "discrepant", "failed", "returned", "set_aside"}
)
"""States in which somebody still waits for the money, or for a word about it."""
_CREDITED = "credited"
_WHOLE_DAY = timedelta(days=1)


class Breach(Struct, frozen=True, kw_only=True):
    """A file that was not answered for all its payments by the agreement's deadline.

    `answered_at` is None while payments are open; `late_hours` then grows.
    """

    bank: str
    department: str
    agreement: str
    file_name: str
    sent_at: datetime
    due: datetime
    answered_at: datetime | None
    late_hours: int
    payments: int
    open_count: int
    total_minor: int


class Overdue(Struct, frozen=True, kw_only=True):
    """Payments of one programme, period and bank after the programme's due date."""

    code: str
    programme: str
    period: str
    department: str
    bank: str
    due: date
    states: dict[str, int]
    open_count: int
    open_minor: int
    credited_late: bool
    """Some of what is credited came after the due date."""


class Spread(Struct, frozen=True, kw_only=True):
    """When one bank's people got a programme's period; `apart_days` is over all banks."""

    code: str
    programme: str
    period: str
    bank: str
    count: int
    first: date
    last: date
    apart_days: int


def breaches(installation: Installation, bank: str | None = None) -> Iterator[Breach]:
    """Deadlines that banks missed, oldest file first. An agreement that is gone has none any more."""
    now = installation.clock.now()
    with installation.ledger.read() as transaction:
        for file in answered_files(transaction, bank):
            due = _due(installation, file)
            if due is None:
                continue
            answered = None
            if not file.open_count and file.answered_at is not None:
                answered = datetime.fromisoformat(file.answered_at)
            late = (answered or now) - due
            if late > timedelta(0):
                yield Breach(
                    bank=file.bank,
                    department=file.department,
                    agreement=file.agreement,
                    file_name=file.name,
                    sent_at=datetime.fromisoformat(file.sent_at),
                    due=due,
                    answered_at=answered,
                    late_hours=late // timedelta(hours=1),
                    payments=file.payment_count,
                    open_count=file.open_count,
                    total_minor=file.total_minor,
                )


def overdue(installation: Installation, catalogue: Catalogue) -> Iterator[Overdue]:
    """What is owed after its due date, or came after it; programmes without a due date are not judged."""
    now = installation.clock.now()
    owed: dict[tuple[str, str, str, str], tuple[Programme, date, list[SubjectState]]] = {}
    with installation.ledger.read() as transaction:
        for subject_pk, department, name, period in all_subjects(transaction):
            programme = catalogue.find(name)
            due = None if programme is None else programme.due_on(period)
            if programme is None or due is None:
                continue
            # However its name is spelled, and whatever kinds of accounts and payees it has.
            for state in states_of_subject(transaction, subject_pk):
                if due < _day(installation, state.bank, now):
                    key = (programme.code, period, department, state.bank)
                    owed.setdefault(key, (programme, due, []))[2].append(state)
    for (_, period, department, bank), (programme, due, states) in owed.items():
        row = _overdue(installation, programme, (period, department, bank), due, states)
        if row.open_count or row.credited_late:
            yield row


def spreads(installation: Installation, catalogue: Catalogue | None) -> list[Spread]:
    """First and last credit of each programme and period by bank, widest apart first."""
    found: dict[tuple[str, str, str], dict[str, list[tuple[date, date, int]]]] = {}
    with installation.ledger.read() as transaction:
        for subject_pk, _, name, period in all_subjects(transaction):
            programme = None if catalogue is None else catalogue.find(name)
            key = (programme.code, programme.name, period) if programme else ("", name, period)
            for bank, first, last, count in _credits(installation, transaction, subject_pk):
                found.setdefault(key, {}).setdefault(bank, []).append((first, last, count))
    rows = [row for key, banks in found.items() for row in _spread(key, banks)]
    return sorted(rows, key=lambda row: (-row.apart_days, row.code, row.programme, row.period, row.bank))


def _due(installation: Installation, file: AnsweredFile) -> datetime | None:
    profile = installation.configuration.profiles.get(file.bank)
    for agreement in installation.configuration.agreements.get((file.department, file.bank), []):
        if agreement.number == file.agreement and profile is not None:
            sent = datetime.fromisoformat(file.sent_at)
            return agreement.feedback_due(sent, profile.time_zone, installation.configuration.calendar)
    return None


def _overdue(
    installation: Installation,
    programme: Programme,
    place: tuple[str, str, str],
    due: date,
    states: list[SubjectState],
) -> Overdue:
    period, department, bank = place
    owed = [state for state in states if state.state in _OWED]
    last = [_last(installation, bank, state) for state in states if state.state == _CREDITED]
    counts: Counter[str] = Counter()
    for state in states:
        counts[state.state] += state.count
    return Overdue(
        code=programme.code,
        programme=programme.name,
        period=period,
        department=department,
        bank=bank,
        due=due,
        states=dict(counts),
        open_count=sum(state.count for state in owed),
        open_minor=sum(state.instructed_minor for state in owed),
        credited_late=any(day is not None and day > due for day in last),
    )


def _credits(
    installation: Installation, transaction: Transaction, subject_pk: int
) -> Iterator[tuple[str, date, date, int]]:
    for state in states_of_subject(transaction, subject_pk):
        first, last = _first(installation, state.bank, state), _last(installation, state.bank, state)
        if state.state == _CREDITED and first is not None and last is not None:
            yield state.bank, first, last, state.count


def _spread(key: tuple[str, str, str], banks: dict[str, list[tuple[date, date, int]]]) -> Iterator[Spread]:
    everything = [entry for entries in banks.values() for entry in entries]
    apart = (max(last for _, last, _ in everything) - min(first for first, _, _ in everything)) // _WHOLE_DAY
    for bank, entries in sorted(banks.items()):
        yield Spread(
            code=key[0],
            programme=key[1],
            period=key[2],
            bank=bank,
            count=sum(count for _, _, count in entries),
            first=min(first for first, _, _ in entries),
            last=max(last for _, last, _ in entries),
            apart_days=apart,
        )


def _first(installation: Installation, bank: str, state: SubjectState) -> date | None:
    days = _days(installation, bank, state.first_value, state.first_recorded)
    return min(days, default=None)


def _last(installation: Installation, bank: str, state: SubjectState) -> date | None:
    days = _days(installation, bank, state.last_value, state.last_recorded)
    return max(days, default=None)


def _days(installation: Installation, bank: str, value: str | None, recorded: str | None) -> list[date]:
    """The day that the bank states, and the bank's day on which a credit without one was recorded."""
    stated = [] if value is None else [date.fromisoformat(value)]
    if recorded is None:
        return stated
    return [*stated, _day(installation, bank, datetime.fromisoformat(recorded))]


def _day(installation: Installation, bank: str, at: datetime) -> date:
    profile = installation.configuration.profiles.get(bank)
    return at.date() if profile is None else installation.bank_day(profile, at)

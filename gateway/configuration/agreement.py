"""What a department and a bank agreed: programmes, payer account, windows, deadlines, limits.

One agreement (补贴资金发放委托代理协议) is one TOML file. What is technical is in `configuration/profile.py`.
Amounts are minor units. Times of day are the bank's own, in the profile's zone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct, field

from gateway.configuration.profile import Key, PositiveInteger, Text
from gateway.rules.calendar import LONGEST_LOOK_DAYS, WorkingCalendar

EVERY = "*"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

TimeOfDay = Annotated[
    str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z", description='a time such as "09:30"')
]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "workday"]
"""`workday`: a working day in China, moved ones included (`rules.calendar`)."""
WORKDAY = "workday"
RetentionDays = Annotated[int, Meta(ge=30, le=36_500, description="30 to 36500 days")]
"""How long personal data stays after the last word about it."""

_BINDABLE = (
    "number",
    "department",
    "bank",
    "payer_account",
    "payer_name",
    "payer_bank",
    "payer_bank_code",
    "business_no",
    "unit_no",
    "currency",
)
_DEADLINE = re.compile(r"^([1-9][0-9]{0,3}) (hours?|days?|workdays?)\Z")
_AHEAD_DAYS = 8
"""A weekday in a window comes round within seven days: today's may be over."""


ANY_PUBLISHED_YEAR = WorkingCalendar()
"""Without days that a site has entered itself."""


class Window(Struct, frozen=True, kw_only=True):
    """When files may become visible to the bank: from `opens` on, until before `closes`."""

    days: Annotated[list[Weekday], Meta(min_length=1)]
    opens: TimeOfDay
    closes: TimeOfDay

    @property
    def opens_minute(self) -> int:
        """Minutes after midnight."""
        return minute_of_day(self.opens)

    @property
    def closes_minute(self) -> int:
        """Minutes after midnight, at most 1440."""
        return minute_of_day(self.closes)

    def on(self, day: date, calendar: WorkingCalendar) -> bool:
        """Whether the window opens that day; not on a working day of a year that is not known."""
        named = WEEKDAYS[day.weekday()] in self.days
        return named or (WORKDAY in self.days and calendar.is_working(day) is True)


class ProgrammeLimits(Struct, frozen=True, kw_only=True):
    """What the department allows for one programme: a bank day, and all payments of one period."""

    amount_per_day_minor: PositiveInteger | None = None
    amount_per_period_minor: PositiveInteger | None = None


class AgreementLimits(Struct, frozen=True, kw_only=True):
    """What the department allows; None is no limit. A day is the bank's day."""

    amount_per_payment_minor: PositiveInteger | None = None
    amount_per_file_minor: PositiveInteger | None = None
    amount_per_day_minor: PositiveInteger | None = None
    records_per_file: PositiveInteger | None = None
    programme: dict[Text, ProgrammeLimits] = field(default_factory=dict)


class Funding(Struct, frozen=True, kw_only=True):
    """Whether the money must be confirmed to be on the payer account before anything leaves."""

    required: bool = False


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What must agree before a batch's books may close for the bank, to the fen, and by when.

    `results`: the bank said a final word of every payment. `statements`: they booked exactly that too.
    `within_workdays` counts from the bank day of the last file.
    """

    against: Literal["results", "statements"] = "results"
    within_workdays: PositiveInteger | None = None


class Agreement(Struct, frozen=True, kw_only=True):
    """One agreement. Immutable; `digest` is pinned with every file."""

    number: Annotated[str, Meta(pattern=r"^\S.{0,63}\Z", description="text of at most 64 characters")]
    department: Text
    bank: Key
    payer_account: Annotated[str, Meta(pattern=r"^[0-9]{1,35}\Z", description="1 to 35 digits, as text")]
    payer_name: Text
    valid_from: date
    valid_until: date
    programmes: Annotated[list[Text], Meta(min_length=1)]
    feedback_deadline: Annotated[str, Meta(pattern=_DEADLINE.pattern, description='such as "3 days"')]
    platforms: Annotated[list[Text], Meta(min_length=1)] = field(default_factory=lambda: [EVERY])
    payer_bank: str = ""
    payer_bank_code: Annotated[str, Meta(pattern=r"^([0-9]{12})?\Z", description="12 digits")] = ""
    business_no: str = ""
    unit_no: str = ""
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z", description="three capital letters")] = "CNY"
    windows: list[Window] = field(default_factory=list)
    limits: AgreementLimits = field(default_factory=AgreementLimits)
    funding: Funding = field(default_factory=Funding)
    reconciliation: Reconciliation | None = None
    retention_days: RetentionDays | None = None
    values: dict[Key, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of `canonical`, lower-case hex."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def canonical(self) -> bytes:
        """The whole content as JSON, defaults too, whatever the order and comments of its TOML."""
        return msgspec.json.encode(self, order="sorted")

    @classmethod
    def from_canonical(cls, content: bytes) -> Self:
        """What `canonical` gave, also by an earlier version. Raises `msgspec.ValidationError`."""
        return msgspec.json.decode(content, type=cls)

    def texts(self) -> dict[str, str]:
        """What a layout may bind as `agreement.x`: the agreement's own fields and its values."""
        return {**self.values, **{name: getattr(self, name) for name in _BINDABLE}}

    def name_texts(self) -> dict[str, str]:
        """What a file's name may hold: no account, no names."""
        return {**self.values, "business_no": self.business_no, "unit_no": self.unit_no}

    def entrusts(self, programme: str, on: date, platform: str = EVERY) -> bool:
        """Whether the bank may pay this programme for this platform on that bank day."""
        if not self.valid_from <= on <= self.valid_until:
            return False
        served = EVERY in (*self.platforms, platform) or platform in self.platforms
        return served and (EVERY in self.programmes or programme in self.programmes)

    def window_open(
        self, at: datetime, zone: ZoneInfo, calendar: WorkingCalendar = ANY_PUBLISHED_YEAR
    ) -> bool:
        """Whether a file may be released at this instant (aware). No windows: always."""
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        return not self.windows or any(
            window.on(local.date(), calendar) and window.opens_minute <= minute < window.closes_minute
            for window in self.windows
        )

    def next_opening(
        self, at: datetime, zone: ZoneInfo, calendar: WorkingCalendar = ANY_PUBLISHED_YEAR
    ) -> datetime | None:
        """The first instant (UTC) not before `at` at which a window is open.

        None where the working days of the time until then are not known.
        """
        if self.window_open(at, zone, calendar):
            return at.astimezone(UTC)
        today = at.astimezone(zone).date()
        by_working_days = any(WORKDAY in window.days for window in self.windows)
        ahead = LONGEST_LOOK_DAYS if by_working_days else _AHEAD_DAYS
        days = [today + timedelta(days=number) for number in range(ahead)]
        openings = (
            _instant(day, window, zone) for day in days for window in self.windows if window.on(day, calendar)
        )
        return min((opening for opening in openings if opening > at), default=None)

    def feedback_due(
        self, sent_at: datetime, zone: ZoneInfo, calendar: WorkingCalendar = ANY_PUBLISHED_YEAR
    ) -> datetime:
        """When the bank must have answered (UTC). Days keep the bank's time of day.

        Working days of a year that is not known count as days from Monday to Friday.
        """
        found = _DEADLINE.match(self.feedback_deadline)
        if found is None:
            raise ValueError(f"agreement {self.number}: feedback_deadline is no deadline")
        amount = int(found[1])
        if found[2].startswith("hour"):
            return (sent_at + timedelta(hours=amount)).astimezone(UTC)
        local = sent_at.astimezone(zone)
        if found[2].startswith("day"):
            return (local + timedelta(days=amount)).astimezone(UTC)
        last = calendar.after(local.date(), amount) or _weekdays_after(local.date(), amount)
        return datetime.combine(last, local.time(), zone).astimezone(UTC)

    def reconciliation_due(
        self, bank_day: date, calendar: WorkingCalendar = ANY_PUBLISHED_YEAR
    ) -> date | None:
        """The last day on which books are to be closed of what was sent on a bank day; None: not agreed.

        Working days of a year that is not known count as days from Monday to Friday.
        """
        if self.reconciliation is None or self.reconciliation.within_workdays is None:
            return None
        count = self.reconciliation.within_workdays
        return calendar.after(bank_day, count) or _weekdays_after(bank_day, count)


def _weekdays_after(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < len(WEEKDAYS) - 2
    return day


def closed_window(opening: datetime | None) -> str:
    """Why nothing is sent; `opening` as `next_opening` gives it."""
    if opening is not None:
        return "sending window closed"
    return "sending window closed, and the working days to come are not known: enter them in [calendar]"


def minute_of_day(time: str) -> int:
    """Minutes after midnight of `09:30`."""
    return int(time[:2]) * 60 + int(time[3:])


def overlapping(
    one: Agreement, other: Agreement, name_of: Callable[[str], str] = lambda programme: programme
) -> list[str]:
    """Programmes that both entrust to the same bank on some day; [] where they are apart.

    `name_of` is the one name of all spellings of a programme: else each would have limits of its own.
    """
    if (one.department, one.bank, one.currency) != (other.department, other.bank, other.currency):
        return []
    if one.valid_from > other.valid_until or other.valid_from > one.valid_until:
        return []
    if not _common(one.platforms, other.platforms):
        return []
    return _common(list(map(name_of, one.programmes)), list(map(name_of, other.programmes)))


def _common(one: list[str], other: list[str]) -> list[str]:
    if EVERY in one:
        return other
    return one if EVERY in other else [name for name in one if name in other]


def _instant(day: date, window: Window, zone: ZoneInfo) -> datetime:
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (local + timedelta(minutes=window.opens_minute)).astimezone(UTC)

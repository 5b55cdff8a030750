"""What an agreement fixes beyond programmes: working days, limits of programmes, funding, feedback."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from formats import AccountKind, PayeeRole, Payment
from formats.records import PayeeKind
from gateway import Gateway, NotPermitted
from gateway.configuration.agreement import Agreement, Window
from gateway.demonstration.people import BANKS, make_account
from gateway.rules import calendar
from gateway.rules.calendar import WorkingCalendar
from tests.gateway.commands import Commands
from tests.gateway.sites import (
    CITY,
    DEPARTMENT,
    ISO,
    PERSONS,
    RURAL,
    Ground,
    credited,
    current,
    payments_of,
    states,
)

A, B = PERSONS
SHANGHAI = ZoneInfo("Asia/Shanghai")
PUBLISHED = WorkingCalendar()


def agreed(**changes: object) -> Agreement:
    whole: dict[str, object] = {
        "number": "A-1",
        "department": "区民政局",
        "bank": "rural",
        "payer_account": "88",
        "payer_name": "专户",
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2030, 12, 31),
        "programmes": ["*"],
        "feedback_deadline": "3 days",
        "windows": [Window(days=["workday"], opens="09:00", closes="16:30")],
    }
    return Agreement(**{**whole, **changes})  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


# Working days: the State Council's notices of 2025-11-04 (for 2026) and 2024-11-12 (for 2025).


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 2, 14), True),  # a Saturday before the spring festival
        (date(2026, 2, 16), False),  # a Monday of it
        (date(2026, 10, 7), False),
        (date(2026, 10, 10), True),
        (date(2026, 9, 30), True),
        (date(2026, 9, 26), False),
        (date(2025, 1, 26), True),  # a Sunday
    ],
)
def test_moved_working_days_are_known(day: date, working: bool) -> None:
    assert PUBLISHED.is_working(day) is working


def test_of_a_year_without_a_notice_nothing_is_guessed() -> None:
    assert PUBLISHED.is_working(date(2199, 3, 4)) is None
    assert not PUBLISHED.knows(2199)
    own = WorkingCalendar(holidays=[date(2199, 1, 1)], workdays=[date(2199, 1, 5)], source="notice of 2198")
    assert [own.is_working(date(2199, 1, day)) for day in (1, 2, 3, 4, 5, 6, 7)] == [
        False,
        True,
        True,
        True,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-09-30 16:30", "2026-10-08 09:00"),
        ("2026-02-13 17:00", "2026-02-14 09:00"),
        ("2026-02-14 17:00", "2026-02-24 09:00"),
        ("2026-10-10 10:00", "2026-10-10 10:00"),
    ],
)
def test_a_window_of_working_days_opens_on_them_alone(now: str, opens: str) -> None:
    assert agreed().next_opening(at(now), SHANGHAI, PUBLISHED) == at(opens)
    assert agreed().window_open(at(now), SHANGHAI, PUBLISHED) is (now == opens)


def test_a_window_of_working_days_stays_closed_in_an_unknown_year() -> None:
    assert not agreed().window_open(at("2199-03-04 10:00"), SHANGHAI, PUBLISHED)
    assert agreed().next_opening(at("2199-03-04 10:00"), SHANGHAI, PUBLISHED) is None


@pytest.mark.parametrize(
    ("sent", "due"),
    [
        ("2026-09-30 15:00", "2026-10-09 15:00"),
        ("2026-10-08 15:00", "2026-10-10 15:00"),
        ("2199-03-08 15:00", "2199-03-12 15:00"),  # a Friday: weekdays alone, where no notice is known
    ],
)
def test_feedback_within_working_days(sent: str, due: str) -> None:
    two = agreed(feedback_deadline="2 workdays")
    assert two.feedback_due(at(sent), SHANGHAI, PUBLISHED) == at(due)


# In the gateway.


def agreement_path(ground: Ground, bank: str = CITY) -> Path:
    found = [
        path
        for path in (ground.site.configuration.parent / "agreements").glob(f"{bank}-*.toml")
        if "区教育和体育局" in path.read_text("utf-8")
    ]
    assert len(found) == 1
    return found[0]


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def test_nothing_leaves_on_a_holiday(ground: Ground) -> None:
    append(agreement_path(ground), '\n[[windows]]\ndays = ["workday"]\nopens = "09:00"\ncloses = "24:00"\n')
    ground.bank(CITY)
    ground.clock.moment = at("2026-10-05 10:00")
    payments = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        report = gateway.run()
        assert [line for line in report.waiting if "window" in line] != []
        assert report.next_due == at("2026-10-08 09:00")
        ground.clock.moment = at("2026-10-08 09:00")
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)


def test_an_unknown_year_says_what_to_do(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    append(agreement_path(ground), '\n[[windows]]\ndays = ["workday"]\nopens = "00:00"\ncloses = "24:00"\n')
    monkeypatch.setattr(calendar, "_published", lambda year: False)
    ground.bank(CITY)
    payments = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        assert any("enter them in [calendar]" in line for line in gateway.run().waiting)
        assert states(gateway) == []
    append(ground.site.configuration, "\n[calendar]\nholidays = [2026-01-01]\n")
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)


def limited(ground: Ground, text: str) -> None:
    append(agreement_path(ground), f'\n[limits.programme."学前教育政府助学金"]\n{text}\n')


def test_a_programme_stays_within_its_day(ground: Ground) -> None:
    limited(ground, "amount_per_day_minor = 20101")
    ground.bank(CITY)
    payments = payments_of(CITY, 3)
    other = payments_of(CITY, 1, prefix="O", start=3, programme="普通高中国家助学金", amount_minor=99_999_00)
    with ground.open() as gateway:
        ground.submit(gateway, [*payments, *other])
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([*payments[:2], *other])
        waits = gateway.run().waiting
        assert any("over the amount left for 学前教育政府助学金 today" in line for line in waits)
        ground.clock.turn(days=1)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([*payments, *other])


@pytest.mark.parametrize("first", ["A", "B"])
def test_each_agreement_bounds_its_own_payments(ground: Ground, first: str) -> None:
    """A department may have two agreements with a bank: the limit of one is none of the other."""
    path, name = agreement_path(ground), "普通高中国家助学金"
    text = path.read_text("utf-8")
    entrusted = re.compile(r"(?ms)^programmes +=.*?\]$")
    second = entrusted.sub(f'programmes = ["{name}"]', re.sub("(?m)^number .*$", 'number = "B-2"', text))
    path.with_name(f"{CITY}-second.toml").write_text(
        f"{second}\n[limits]\namount_per_payment_minor = 9999\n", "utf-8"
    )
    path.write_text(entrusted.sub('programmes = ["学前教育政府助学金"]', text), "utf-8")
    wide = payments_of(CITY, 1)
    narrow = payments_of(CITY, 2, prefix="O", start=1, programme=name)
    narrow[1] = msgspec.structs.replace(narrow[1], amount_minor=99_99)
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, [*wide, *narrow] if first == "A" else [*narrow, *wide])
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([*wide, narrow[1]]) | {
            "O-00002": ("set_aside", "AMOUNT_LIMIT", None)
        }


def test_a_programme_stays_within_its_period(ground: Ground) -> None:
    limited(ground, "amount_per_period_minor = 20101")
    ground.bank(CITY)
    payments = payments_of(CITY, 3)
    other = payments_of(CITY, 1, prefix="O", start=3, period="2026-T1")
    with ground.open() as gateway:
        ground.submit(gateway, [*payments, *other])
        ground.run_to_the_end(gateway)
        ground.clock.turn(days=1)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([*payments[:2], *other])


def test_a_day_of_a_programme_counts_periods_of_any_form(ground: Ground) -> None:
    limited(ground, "amount_per_day_minor = 20100")
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    catalogue.write_text(catalogue.read_text("utf-8").replace('"term"', '"request"'), "utf-8")
    ground.bank(CITY)
    payments = payments_of(CITY, 2)
    periods = [
        msgspec.structs.replace(one, period=period)
        for one, period in zip(payments, ("2026/09", "2026/10"), strict=True)
    ]
    with ground.open() as gateway:
        ground.submit(gateway, periods)
        ground.run_to_the_end(gateway)
        assert len(current(gateway)) == 1


def funded(ground: Ground) -> None:
    append(agreement_path(ground), "\n[funding]\nrequired = true\n")


def funding(gateway: Gateway) -> list[str]:
    return [one.object for one in gateway.held() if one.object.startswith("funding:")]


def test_nothing_leaves_before_the_money_is_confirmed(ground: Ground) -> None:
    funded(ground)
    ground.bank(CITY)
    payments = payments_of(CITY, 2)
    with ground.open() as gateway:
        ground.submit(gateway, payments, "FUNDED")
        ground.run_to_the_end(gateway)
        assert states(gateway) == []
        (about,) = funding(gateway)
        with pytest.raises(NotPermitted, match="rests on"):
            gateway.statement(about, "fund", A)
        assert ground.decide(gateway, about, "fund", A) == [True]
        assert funding(gateway) == []
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
        ((amount, voucher, persons),) = ground.rows("SELECT amount_minor, voucher, persons FROM funding")
        assert (amount, persons) == (sum(one.amount_minor for one in payments), A)
        ((body,),) = ground.rows("SELECT body FROM event WHERE kind = 'funding confirmed'")
        assert str(voucher) in str(body)


def test_who_looks_reads_whose_money_is_missing_and_how_to_confirm_it(
    ground: Ground, bankgate: Commands
) -> None:
    funded(ground)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2), "FUNDED")
        (about,) = funding(gateway)
        (waits,) = gateway.run().waiting
    assert f"(on its voucher: bankgate held fund {about})" in waits
    told = bankgate("held").out
    assert f"{about}  batch yikatong/FUNDED, {DEPARTMENT} at {CITY}: of 201.01 yuan, 201.01 yuan are" in told
    assert "not confirmed on the payer account and wait for that" in told
    assert "to decide: bankgate held DECISION OBJECT --as NAME --key FILE" in told


def test_funding_is_for_what_was_seen(ground: Ground) -> None:
    """What is let go after the confirmation was not in it."""
    funded(ground)
    ground.bank(CITY)
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    text = catalogue.read_text("utf-8")
    ruled = '\n[programme.other_account]\nrule = "办法第九条"\n'
    first, _, rest = text.partition('frequency = "term"\n')
    catalogue.write_text(f'{first}frequency = "term"\n{ruled}{rest}', "utf-8")
    payments = payments_of(CITY, 1)
    other = payments_of(
        CITY, 1, prefix="O", start=1, payee_role=PayeeRole.OTHER, payee_name="李四", payee_ground="第九条"
    )
    with ground.open() as gateway:
        ground.submit(gateway, [*payments, *other], "FUNDED")
        statement = gateway.statement(funding(gateway)[0], "fund", A, exhibit=exhibit(ground, gateway))
        ground.decide(gateway, "payment:yikatong/O-00002", "withdraw", A)
        with pytest.raises(Exception, match="has changed since"):
            gateway.decide(statement, ground.signature(statement))
        ground.decide(gateway, funding(gateway)[0], "fund", A)
        ground.run_to_the_end(gateway)
        assert current(gateway)["P-00001"][0] == "credited"


def exhibit(ground: Ground, gateway: Gateway) -> str:
    voucher = ground.site.folder / "voucher.txt"
    voucher.write_text("voucher", "utf-8")
    return gateway.attach(voucher)


def test_a_voucher_stays_as_long_as_what_it_paid_for(ground: Ground) -> None:
    """One that belonged to no batch would be destroyed by a term of its own."""
    funded(ground)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        ground.decide(gateway, funding(gateway)[0], "fund", A)
        ground.clock.turn(days=20_000)
        report = gateway.retain(dry_run=True)
        about = [one.object for one in (*report.due, *report.paused)]
        assert about != []
        assert [one for one in about if one.startswith("exhibit:")] == []


def test_a_file_that_is_given_up_gives_its_funding_back(ground: Ground) -> None:
    funded(ground)
    ground.bank(CITY, "reject")
    payments = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.decide(gateway, funding(gateway)[0], "fund", A)
        ground.run_to_the_end(gateway)
        assert states(gateway) == ["rejected"]
        (rejected,) = [one.object for one in gateway.held() if one.object.startswith("file:")]
        ground.bank(CITY)
        ground.decide(gateway, rejected, "redispatch", A, B)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)


# Deadlines.


def test_a_bank_that_answers_late_or_never_is_listed(ground: Ground, bankgate: Commands) -> None:
    ground.bank(CITY)
    late, never = payments_of(CITY, 1), payments_of(ISO, 1, prefix="I", start=5)
    with ground.open() as gateway:
        ground.submit(gateway, [*late, *never])
        gateway.run()
        # The bank answers at once; what counts is when the answer was there for us.
        ground.banks_look()
        assert gateway.plan.breaches() == []
        ground.clock.turn(days=3, hours=5)
        (first, second) = gateway.plan.breaches()
        assert {(one.bank, one.late_hours, one.open_count) for one in (first, second)} == {
            (CITY, 5, 1),
            (ISO, 5, 1),
        }
        ground.run_to_the_end(gateway)
        ground.clock.turn(days=9)
        answered, silent = sorted(gateway.plan.breaches(), key=lambda one: one.bank)
        assert (answered.bank, answered.open_count, answered.late_hours) == (CITY, 0, 5)
        assert answered.answered_at is not None
        assert (silent.bank, silent.answered_at, silent.open_count) == (ISO, None, 1)
        assert [one.bank for one in gateway.plan.breaches(ISO)] == [ISO]
    told = bankgate("breaches")
    assert (told.code, "2 deadlines missed, by 2 banks" in told.out) == (1, True)
    assert bankgate("breaches", "--bank", RURAL).code == 0


def poor(bank: str, count: int, **changes: object) -> list[Payment]:
    return payments_of(
        bank,
        count,
        department="区民政局",
        programme="城乡居民最低生活保障补贴",
        period="2026-08",
        payee_kind=PayeeKind.HOUSEHOLD,
        payee_role=PayeeRole.HOUSEHOLD_HEAD,
        **changes,
    )


def test_what_is_owed_after_the_due_date_is_overdue(ground: Ground, bankgate: Commands) -> None:
    """Due on the tenth of the month; it is September, and the payments are for August."""
    ground.bank(CITY, "failures")
    payments = poor(CITY, 2)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        (row,) = gateway.plan.overdue()
        assert (row.due, row.open_count, row.states) == (date(2026, 8, 10), 2, {"accepted": 2})
        ground.run_to_the_end(gateway)
        (row,) = gateway.plan.overdue()
        assert row.states == {"failed": 2}
        ground.bank(CITY)
        again = poor(CITY, 1, prefix="R", amount_minor=payments[0].amount_minor, reissue_of="P-00001")
        ground.submit(gateway, again)
        ground.run_to_the_end(gateway)
        (row,) = gateway.plan.overdue()
        assert (row.states, row.open_count, row.credited_late) == ({"credited": 1, "failed": 1}, 1, True)
    told = bankgate("overdue")
    assert (told.code, "1 payments owed" in told.out) == (1, True)


def test_cards_and_passbooks_of_one_programme_are_overdue_together(ground: Ground) -> None:
    with ground.open() as gateway:
        payments = poor(CITY, 2)
        book = msgspec.structs.replace(
            payments[1],
            account=make_account(3, 7, AccountKind.PASSBOOK, next(one for one in BANKS if one.bank == CITY)),
            account_kind=AccountKind.PASSBOOK,
        )
        ground.submit(gateway, [payments[0], book])
        (row,) = gateway.plan.overdue()
        assert (row.open_count, row.states) == (2, {"accepted": 2})


def test_what_is_not_due_yet_is_not_overdue(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, poor(CITY, 1))
        ground.clock.moment = at("2026-08-10 23:00")
        assert gateway.plan.overdue() == []
        ground.clock.turn(hours=2)
        assert len(gateway.plan.overdue()) == 1


def test_credits_of_one_programme_lie_apart_by_so_many_days(ground: Ground, bankgate: Commands) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        ground.run_to_the_end(gateway)
        ground.clock.turn(days=4)
        ground.bank(RURAL)
        ground.submit(gateway, payments_of(RURAL, 1, prefix="R", start=5))
        ground.run_to_the_end(gateway)
        rows = gateway.plan.spreads()
        assert {(one.bank, one.count) for one in rows} == {(CITY, 1), (RURAL, 1)}
        days = {day for one in rows for day in (one.first, one.last)}
        assert {one.apart_days for one in rows} == {(max(days) - min(days)) // timedelta(days=1)}
        assert max(days) - min(days) >= timedelta(days=4)
    assert "学前教育政府助学金" in bankgate("spread").out

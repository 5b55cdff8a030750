"""What the demonstrated month consists of, whatever its size; and its clock."""

from __future__ import annotations

import shlex
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from formats.records import AccountKind, PayeeKind, Payment
from gateway.configuration.toml_source import TomlSource
from gateway.demonstration.days import moment
from gateway.demonstration.month import FEWEST, Month, Size
from gateway.demonstration.month_clock import MonthClock
from gateway.demonstration.month_files import next_id
from gateway.demonstration.people import BANKS
from gateway.demonstration.plan import FIELDS
from gateway.demonstration.site import Site
from gateway.demonstration.tour import commands_to_try
from gateway.rules.catalogue import read_catalogue, shipped_text

SIZES = [Size(FEWEST, seed) for seed in range(12)] + [Size(2000, 20211117)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_field_hands_over_a_batch_and_every_role_is_played(size: Size) -> None:
    month = Month(size)
    assert [batch.field for batch in month.cards] == list(FIELDS)
    assert [batch.field.number for batch in month.passbooks] == [4, 5, 6]
    assert sum(batch.order.count for batch in month.batches) == size.payments
    conducts = month.setting().conducts
    named = [one for conduct in conducts.values() for one in conduct.payments]
    accounts = Counter(one.account for one in named)
    assert (len(named), max(accounts.values())) == (16, 1)
    assert month.overpaid.account in accounts
    assert {bank.bank for bank in BANKS} == set(conducts)
    assert sum(one.returned_after_hours > 0 for one in named) == 1
    assert sum(one.result_after_hours > 0 for one in named) == 1
    assert {one.charged for one in named} == {"", "fee-lines", "statement-debit"}
    assert month.repeated.account not in accounts


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_each_platform_has_its_accounts_and_two_people_have_both(size: Size) -> None:
    """One by right, for two subsidies; the other would be paid twice for one."""
    month = Month(size)
    ways: dict[str, dict[AccountKind, Payment]] = {}
    for batch in month.batches:
        for index in range(batch.order.count):
            payment = batch.payment(index)
            ways.setdefault(payment.beneficiary_id, {})[payment.account_kind] = payment
            by_book = payment.account_kind is AccountKind.PASSBOOK
            assert by_book is (batch in month.passbooks or payment.payee_kind is PayeeKind.ORGANISATION)
            assert not (batch in month.passbooks and payment.bank != "rural-credit")
    both = [kinds for kinds in ways.values() if len(kinds) > 1]
    assert len(both) == 2
    repeated = month.repeated
    card = ways[repeated.beneficiary_id][AccountKind.CARD]
    told = ("beneficiary_name", "programme", "period", "amount_minor")
    assert [getattr(repeated, name) for name in told] == [getattr(card, name) for name in told]
    (other,) = [kinds for kinds in both if repeated not in kinds.values()]
    assert len({payment.programme for payment in other.values()}) == 2


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_limit_of_a_day_is_above_each_payment_and_below_all(size: Size) -> None:
    month = Month(size)
    ((where, limit_minor),) = month.setting().day_limits_minor.items()
    order = month.limited.order
    payments = [month.limited.payment(index) for index in range(order.count)]
    amounts = [one.amount_minor for one in payments if (one.department, one.bank) == where]
    assert max(amounts) <= limit_minor
    assert len(amounts) == 1 or limit_minor < sum(amounts)


def test_each_payment_is_its_fields_and_found_again_by_its_id() -> None:
    month = Month(Size(FEWEST, 3))
    kinds = set()
    for batch in month.batches:
        for index in range(batch.order.count):
            payment = batch.payment(index)
            kinds.add(payment.account_kind)
            assert payment.department == batch.field.department
            for payment_id in (payment.payment_id, next_id(payment.payment_id)):
                assert month.original(payment_id) == (batch, index)
    assert kinds == {AccountKind.CARD, AccountKind.PASSBOOK}


def test_amounts_are_those_of_the_catalogue_where_it_has_some(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text(shipped_text(), "utf-8")
    catalogue = read_catalogue(TomlSource(path))
    assert catalogue is not None
    compared = 0
    month = Month(Size(2000, 1))
    overpaid = month.overpaid
    assert (overpaid.programme, overpaid.amount_minor) == ("国家励志奖学金", 6_000_000)
    for batch in month.batches:
        for index in range(batch.order.count):
            payment = batch.payment(index)
            programme = catalogue.find(payment.programme)
            assert programme is not None
            if programme.standard is not None and payment != overpaid:
                assert payment.amount_minor in programme.standard.amounts_minor
                compared += 1
    assert compared > 10


def test_ids_of_payments_that_are_paid_again_count_on() -> None:
    assert [next_id("P-1"), next_id("P-1-R1"), next_id("P-1-R9")] == ["P-1-R1", "P-1-R2", "P-1-R10"]


def test_the_clock_goes_forward_only() -> None:
    clock = MonthClock(moment(1, 9))
    clock.go_to(moment(11, 9))
    clock.go_to(moment(3, 9))
    assert moment(11, 9) <= clock.now() < moment(11, 10)
    clock.wait_until(moment(11, 15))
    assert clock.now() >= moment(11, 15)


def test_the_clock_is_not_put_beyond_the_machines_own() -> None:
    clock = MonthClock(datetime.now(UTC))
    clock.wait_until(datetime.now(UTC) + timedelta(milliseconds=20))
    assert clock.now() < datetime.now(UTC) + timedelta(minutes=5)


def test_commands_are_written_as_somebody_there_would_type_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = commands_to_try(Site(tmp_path / "my demo"), Month(Size(FEWEST, 1)))
    assert all(shlex.split(command)[0] == "bankgate" for command in commands)
    (published,) = [shlex.split(command) for command in commands if "publish-check" in command]
    assert published[-1] == "my demo/department/month/published-02.csv"
    # Each way to look at a month is named once.
    assert len(commands) == len(set(commands))

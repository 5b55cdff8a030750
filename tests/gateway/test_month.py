"""What the demonstrated month consists of, whatever its size; and its clock."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from formats.records import AccountKind
from gateway.configuration.toml_source import TomlSource
from gateway.demonstration.month import FEWEST, Month, Size, moment
from gateway.demonstration.month_clock import MonthClock
from gateway.demonstration.people import BANKS
from gateway.demonstration.plan import FIELDS
from gateway.demonstration.story import next_id
from gateway.rules.catalogue import read_catalogue, shipped_text

SIZES = [Size(FEWEST, seed) for seed in range(12)] + [Size(2000, 20211117)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_field_hands_over_a_batch_and_every_role_is_played(size: Size) -> None:
    month = Month(size)
    assert [batch.field for batch in month.batches] == list(FIELDS)
    assert sum(batch.order.count for batch in month.batches) == size.payments
    conducts = month.setting().conducts
    named = [one for conduct in conducts.values() for one in conduct.payments]
    accounts = Counter(one.account for one in named)
    assert (len(named), max(accounts.values())) == (13, 1)
    assert month.overpaid.account in accounts
    assert {bank.bank for bank in BANKS} == set(conducts)
    assert sum(one.returned_after_hours > 0 for one in named) == 1
    assert sum(one.result_after_hours > 0 for one in named) == 1
    assert sum(bool(one.charged) for one in named) == 1


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_somebody_is_paid_by_card_and_by_passbook(size: Size) -> None:
    ways: dict[str, set[AccountKind]] = {}
    for batch in Month(size).batches:
        for index in range(batch.order.count):
            payment = batch.payment(index)
            ways.setdefault(payment.beneficiary_id, set()).add(payment.account_kind)
    assert [kinds for kinds in ways.values() if len(kinds) > 1] == [set(AccountKind)]


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

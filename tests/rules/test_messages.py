"""What people are told of their payments: once each, without names and whole numbers."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

from gateway import Gateway
from gateway.rules.messages import DayOf, _day
from tests.gateway.commands import Commands
from tests.gateway.shapes import add_statements
from tests.gateway.sites import RURAL, Ground, payments_of
from tests.gateway.test_settle import Sent, result, row
from tests.gateway.test_statements import Account


def settled(ground: Ground, gateway: Gateway) -> Sent:
    """The first payment fails, the others are credited."""
    sent = Sent(ground, gateway)
    sent.say(result(sent.name, [row(1, sent.payments[0], "F44"), *sent.all()[1:]]))
    return sent


def test_each_credit_is_told_once_and_a_failure_not_at_all(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = settled(ground, gateway)
        told = list(gateway.plan.messages())
        assert [one.payment_id for one in told] == [one.payment_id for one in sent.payments[1:]]
        first, payment = told[0], sent.payments[1]
        assert first.account_ending == payment.account[-4:]
        assert f"{payment.programme}({payment.period})101.01元" in first.text
        assert f"尾号{payment.account[-4:]}账户" in first.text
        for message in told:
            assert all(one.account not in message.text for one in sent.payments)
            assert all(one.beneficiary_name not in message.text for one in sent.payments)
        # The bank says the same again in another file.
        sent.say(result(sent.name, sent.all()[1:]), number=2)
        assert [one.payment_id for one in gateway.plan.messages(told[-1].cursor)] == []
        assert len(list(gateway.plan.messages(told[0].cursor))) == len(told) - 1


def test_a_return_is_told_too(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = settled(ground, gateway)
        last = max(one.cursor for one in gateway.plan.messages())
        sent.say(result(sent.name, [row(2, sent.payments[1], "R")]), number=2)
        (told,) = gateway.plan.messages(last)
        assert (told.payment_id, "已退回" in told.text) == (sent.payments[1].payment_id, True)
        (returned,) = [one for one in gateway.plan.booklet(gateway.status()[0].batch_id) if one.returned]
        assert returned.payment_id == sent.payments[1].payment_id


def test_the_feed_and_the_booklet_have_no_whole_number(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    with ground.open() as gateway:
        sent = settled(ground, gateway)
        batch_id = gateway.status()[0].batch_id
    told = bankgate("messages")
    assert told.code == 0
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert len(lines) == len(sent.payments) - 1
    first, *rest = told.out.splitlines()
    assert bankgate("messages", "--limit", 1).out.splitlines() == [first]
    cursor = json.loads(first)["cursor"]
    assert bankgate("messages", "--since", cursor, "--limit", 99).out.splitlines() == rest
    assert bankgate("booklet", batch_id, "--output", tmp_path / "lines.csv").code == 0
    with (tmp_path / "lines.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    assert [cells[0] for cells in rows] == [one.payment_id for one in sent.payments[1:]]
    text = told.out + (tmp_path / "lines.csv").read_text("utf-8")
    for payment in sent.payments:
        assert payment.account not in text
        assert payment.beneficiary_id not in text
        assert payment.beneficiary_name not in text


def test_of_two_days_the_better_one_is_told() -> None:
    """The value date, else the booking, else the day in the district on which the report was taken."""
    value, booked = date(2026, 9, 1), date(2026, 9, 2)
    late = datetime(2026, 9, 3, 16, 30, tzinfo=UTC)
    assert _day(value, booked, late) == (value, DayOf.VALUE)
    assert _day(None, booked, late) == (booked, DayOf.BOOKING)
    assert _day(None, None, late) == (date(2026, 9, 4), DayOf.REPORT)


def test_another_amount_is_told_with_what_arrived(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        first = sent.payments[0]
        sent.say(result(sent.name, [row(1, first, "S", 6000), *sent.all()[1:]]))
        told = next(iter(gateway.plan.messages()))
        assert (told.payment_id, told.credited_minor, told.day_of) == (first.payment_id, 6000, DayOf.REPORT)
        assert f"{told.day:%Y年%m月%d日}回报" in told.text
        assert ("60.00元" in told.text, "正在核实" in told.text) == (True, True)
        lines = {one.payment_id: one for one in gateway.plan.booklet(gateway.status()[0].batch_id)}
        assert [one.in_question for one in lines.values()] == [True, False, False]
        assert (lines[first.payment_id].credited_minor, lines[first.payment_id].day) == (6000, told.day)


def test_nothing_is_told_of_an_amount_that_did_not_arrive(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        sent.say(result(sent.name, [row(1, sent.payments[0], "S", 0), *sent.all()[1:]]))
        told = [one.payment_id for one in gateway.plan.messages()]
        assert told == [one.payment_id for one in sent.payments[1:]]


def test_a_statement_gives_the_day_that_results_do_not(ground: Ground) -> None:
    add_statements(ground)
    with ground.open() as gateway:
        account = Account(ground, gateway, payments_of(RURAL, 4))
        account.send()
        account.result()
        batch_id = gateway.status()[0].batch_id
        before = {one.payment_id: one.day_of for one in gateway.plan.booklet(batch_id)}
        account.book([account.line(1, serial="B1", day="20260901")])
        after = {one.payment_id: (one.day, one.day_of) for one in gateway.plan.booklet(batch_id)}
        assert before["P-00001"] is DayOf.REPORT
        assert after["P-00001"] == (date(2026, 9, 1), DayOf.BOOKING)
        assert after["P-00002"][1] is DayOf.REPORT
        assert next(iter(gateway.plan.messages())).text.count("于2026年09月01日存入") == 1

"""Reconciliation: sums by every side, what has no final state, charges apart, closed and opened again."""

from __future__ import annotations

from pathlib import Path

import pytest
import python_calamine
from msgspec.structs import replace

from gateway import Gateway
from gateway.demonstration.plan import FIELDS
from gateway.rules.books import Book, By, Sum
from tests.gateway.answers import Answers, file_of
from tests.gateway.commands import Commands
from tests.gateway.shapes import add_statements
from tests.gateway.sites import CITY, PERSONS, PROGRAMME, RURAL, Ground, payments_of
from tests.gateway.test_settle import Sent, result, row
from tests.gateway.test_statements import Account

A, B = PERSONS
OTHER = FIELDS[0].programmes[1].name


def said(book: Book) -> dict[str, tuple[int, int]]:
    return {state: (each.count, each.minor) for state, each in book.states.items()}


def settled(ground: Ground, gateway: Gateway) -> Sent:
    """One payment failed, one unknown, the others credited; and one of another bank waits."""
    sent = Sent(ground, gateway)
    rows = [row(1, sent.payments[0], "F44"), row(2, sent.payments[1], "Z9"), *sent.all()[2:]]
    sent.say(result(sent.name, rows))
    ground.submit(gateway, payments_of(RURAL, 1, prefix="W", start=40, period="2026-T1"), "WAITS")
    return sent


def test_sums_by_every_side_add_up_to_the_same(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = settled(ground, gateway)
        whole = [*sent.payments, *payments_of(RURAL, 1, prefix="W", start=40)]
        for by in By:
            found = gateway.plan.books(by)
            assert all(book.adds_up for book in found)
            assert sum(book.instructed.count for book in found) == len(whole)
            assert sum(book.instructed.minor for book in found) == sum(one.amount_minor for one in whole)
        credited = sum(one.amount_minor for one in sent.payments[2:])
        assert sum(book.credited_minor for book in gateway.plan.books(By.PROGRAMME)) == credited


def test_one_bank_is_told_apart_from_another(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = settled(ground, gateway)
        city, rural = gateway.plan.books("bank")
        total = sum(one.amount_minor for one in sent.payments)
        first, second = (one.amount_minor for one in sent.payments[:2])
        assert (city.key, city.sent.count, city.sent.minor) == (CITY, len(sent.payments), total)
        assert said(city) == {
            "credited": (len(sent.payments) - 2, total - first - second),
            "failed": (1, first),
            "unknown": (1, second),
        }
        assert (city.open.count, city.open.minor) == (1, second)
        assert (rural.key, rural.sent.count, list(said(rural))) == (RURAL, 0, ["accepted"])
        days = {book.key: book.instructed.count for book in gateway.plan.books("day")}
        assert days == {"": 1, "2026-09-01": len(sent.payments)}


def test_what_has_no_final_state_is_listed_by_age(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        settled(ground, gateway)
        ground.clock.turn(days=5)
        aged = gateway.plan.ageing()
        assert [(one.bank, one.state, one.days, one.age, one.count) for one in aged] == [
            (CITY, "unknown", 5, "4-7", 1),
            (RURAL, "accepted", 5, "4-7", 1),
        ]
        ground.clock.turn(days=40)
        assert {one.age for one in gateway.plan.ageing("WAITS")} == {"31+"}
    told = bankgate("reconcile", "--ageing")
    assert (told.code, "2 payments open" in told.out) == (1, True)


def test_charges_stand_beside_the_sums(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    ground.bank(RURAL, "fee-lines")
    payments = payments_of(RURAL, 2)
    with ground.open() as gateway:
        ground.submit(gateway, payments, "CHARGED")
        ground.run_to_the_end(gateway)
        (book,) = gateway.plan.books(By.BATCH, "CHARGED")
        found = list(gateway.findings())
        assert (book.findings.count, book.findings.minor) == (
            len(found),
            sum(one.amount_minor for one in found),
        )
        assert book.findings.count > 0
        assert book.credited_minor == book.kept_minor == sum(one.amount_minor for one in payments)
        assert {(one.bank, one.kind) for one in gateway.plan.charges()} == {(RURAL, "fee_line")}
        assert sum(one.minor for one in gateway.plan.charges(RURAL)) == book.findings.minor
        assert gateway.plan.charges(CITY) == []
    told = bankgate("charges", "--output", tmp_path / "charges.csv")
    assert (told.code, (tmp_path / "charges.csv").exists()) == (1, True)
    assert bankgate("charges", "--bank", CITY).code == 0


@pytest.mark.parametrize("results_first", [True, False])
def test_a_charge_that_result_and_statement_tell_is_one(ground: Ground, results_first: bool) -> None:
    """Each is evidence of its own; what the statement has beyond the result is another charge."""
    add_statements(ground)
    with ground.open() as gateway:
        account = Account(ground, gateway, payments_of(RURAL, 4))
        account.send()
        answers = Answers(gateway, RURAL, file_of(gateway, RURAL))
        rows = answers.paid(account.payments)
        rows[0].fee_minor = rows[1].fee_minor = 50
        name = gateway.files()[0].name
        booked = [(50, name), (50, name), (50, name), (70, name), (50, "")]
        lines = [
            account.line(minor=minor, serial=f"B{number}", file=file, text="手续费")
            for number, (minor, file) in enumerate(booked)
        ]
        if not results_first:
            account.book(lines)
        account.say(answers.name("result", 1), answers.result(rows))
        if results_first:
            account.book(lines)
        assert len(list(gateway.findings())) == 7
        batch_id = gateway.status()[0].batch_id
        charges = {(one.batch_id, one.kind): (one.count, one.minor) for one in gateway.plan.charges()}
        assert charges == {(batch_id, "fee_line"): (4, 220), ("", "fee_line"): (1, 50)}
        (book,) = gateway.plan.books(By.BATCH, batch_id)
        assert (book.findings.count, book.findings.minor) == (4, 220)


def test_a_batch_is_closed_by_a_person_and_open_again_by_a_new_fact(
    ground: Ground, bankgate: Commands
) -> None:
    with ground.open() as gateway:
        sent = settled(ground, gateway)
        batch_id = gateway.status()[0].batch_id
        about = f"books:yikatong/{batch_id}"
        assert gateway.plan.closed(batch_id).closed is False
        assert ground.decide(gateway, about, "close-books", A, reason="银行来函,待查一笔") == [True]
        assert (gateway.plan.closed(batch_id).closed, gateway.plan.closed(batch_id).persons) == (True, A)
        assert [way.decision for way in gateway.ways(about)] == []
        statement_before = gateway.plan.closed(batch_id).closed_at
        sent.say(result(sent.name, [row(2, sent.payments[1], "S")]), number=2)
        closed = gateway.plan.closed(batch_id)
        assert (closed.closed, closed.reopened, closed.closed_at) == (False, True, statement_before)
        ground.decide(gateway, about, "close-books", B)
        assert gateway.plan.closed(batch_id).closed
    told = bankgate("reconcile", batch_id)
    assert (told.code, f"reconciliation closed: {B}" in told.out) == (0, True)


@pytest.mark.parametrize("by", list(By))
def test_the_command_shows_every_side(ground: Ground, bankgate: Commands, tmp_path: Path, by: By) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1), "ONE")
    told = bankgate("reconcile", "--by", by.value)
    assert (told.code, "instructed: 1 / 100.00" in told.out) == (1, True)
    assert bankgate("reconcile", "--by", by.value, "--output", tmp_path / "books.xlsx").code == 1
    rows = python_calamine.load_workbook(str(tmp_path / "books.xlsx")).get_sheet_by_index(0).to_python()
    assert (rows[0][1:3], rows[1][1:3]) == (["instructed count", "instructed yuan"], [1, 100])


@pytest.mark.parametrize("several", [False, True], ids=["one programme", "two programmes"])
def test_a_booking_of_a_whole_file_makes_no_difference_that_is_none(ground: Ground, several: bool) -> None:
    """The statement names the file and no payment: whose it is can be told of one programme alone."""
    add_statements(ground)
    payments = payments_of(RURAL, 3)
    if several:
        payments[2] = replace(payments[2], programme=OTHER)
    total = sum(payment.amount_minor for payment in payments)
    with ground.open() as gateway:
        account = Account(ground, gateway, payments)
        account.send()
        account.result()
        (file,) = gateway.files()
        account.book([account.line(minor=total, serial="B1", file=file.name)])
        (bank,) = gateway.plan.books(By.BANK)
        assert (bank.booked_minor, bank.unassigned_minor, bank.gap_minor) == (total, 0, 0)
        found = {book.key: book for book in gateway.plan.books(By.PROGRAMME)}
        told = {key: (one.booked_minor, one.unassigned_minor, one.gap_minor) for key, one in found.items()}
        if several:
            apart = payments[2].amount_minor
            assert told == {PROGRAMME: (None, total - apart, None), OTHER: (None, apart, None)}
        else:
            assert told == {PROGRAMME: (total, 0, 0)}
        (period,) = gateway.plan.books(By.PERIOD)
        assert (period.booked_minor, period.gap_minor) == (total, 0)


def test_statements_are_held_against_results_line_by_line(ground: Ground, bankgate: Commands) -> None:
    """Paid and booked; failed and booked; credited and not booked; booked and given back."""
    add_statements(ground)
    with ground.open() as gateway:
        account = Account(ground, gateway, payments_of(RURAL, 4))
        account.send()
        account.result(failed=(2, 4))
        one, two, three, _ = (payment.amount_minor for payment in account.payments)
        account.book(
            [
                account.line(1, serial="B1"),
                account.line(2, serial="B2"),
                account.line(4, serial="B4"),
                account.line(4, serial="B5", direction="C"),
                account.line(minor=50, serial="B6", text="手续费"),
            ]
        )
        found = list(gateway.plan.differences())
        assert [
            (gap.payment_id, gap.status, gap.by_results_minor, gap.by_statements_minor) for gap in found
        ] == [("P-00002", "failed", 0, two), ("P-00003", "credited", three, 0)]
        book, bank = gateway.plan.books("programme")
        assert (bank.extent, bank.key, bank.findings) == ("bank", RURAL, Sum(count=1, minor=50))
        assert (book.booked_minor, book.gap_minor) == (one + two, three - two)
        book, bank = gateway.plan.books()
        assert (bank.extent, bank.key, bank.findings.minor) == ("bank", RURAL, 50)
        assert (book.booked_minor, book.gap_minor) == (one + two, three - two)
        (charge,) = gateway.plan.charges()
        assert (charge.kind, charge.minor, charge.batch_id) == ("fee_line", 50, "")
        batch_id = gateway.status()[0].batch_id
        ground.decide(gateway, f"books:yikatong/{batch_id}", "close-books", A, reason="已去函询问")
        account.book([account.line(3, serial="B7")], number=2)
        assert gateway.plan.closed(batch_id).reopened
    told = bankgate("reconcile", "--differences")
    assert (told.code, "1 payments differ" in told.out) == (1, True)

"""Reconciliation rules of agreements: books close only when all that is agreed agrees, to the fen."""

from __future__ import annotations

from datetime import date

import pytest

from gateway import Gateway, NotPermitted
from gateway.configuration.agreement import Agreement
from gateway.ledger.retention import batch_of_object, exhibit_uses, forget_exhibit
from gateway.money import yuan
from gateway.rules.calendar import WorkingCalendar
from tests.gateway.commands import Commands
from tests.gateway.shapes import add_statements
from tests.gateway.sites import CITY, PERSONS, RURAL, Ground, payments_of
from tests.gateway.test_settle import Sent, result, row
from tests.gateway.test_statements import Account
from tests.rules.test_agreements import agreement_path, append

A, B = PERSONS
BY_RESULTS = "\n[reconciliation]\nwithin_workdays = 3\n"
BY_STATEMENTS = '\n[reconciliation]\nagainst = "statements"\n'


def rule_for(ground: Ground, bank: str, text: str) -> None:
    """The rule in the agreement that the bank's payments are made under."""
    append(agreement_path(ground, bank), text)


def test_books_close_by_results_only_with_a_final_word_of_all(ground: Ground, bankgate: Commands) -> None:
    rule_for(ground, CITY, BY_RESULTS)
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        sent.say(result(sent.name, [row(1, sent.payments[0], "Z9"), *sent.all()[1:]]))
        about = f"books:yikatong/{sent.batch_id}"
        (standing,) = gateway.plan.standings(sent.batch_id)
        assert (standing.agrees, standing.open_count, standing.open_minor) == (
            False,
            1,
            sent.payments[0].amount_minor,
        )
        # 2026-09-01 is a Tuesday.
        assert (str(standing.due), standing.is_overdue) == ("2026-09-04", False)
        assert gateway.ways(about) == []
        with pytest.raises(NotPermitted, match=r"yet: .*1 payments, .* have no final result"):
            gateway.statement(about, "close-books", A)
        told = bankgate("reconcile", sent.batch_id)
        assert (told.code, "1 payments, 100.00 yuan, have no final result" in told.out) == (1, True)
        ground.clock.turn(days=4)
        told = bankgate("reconcile", "--due")
        assert (told.code, "1 open, 1 overdue" in told.out) == (1, True)
        sent.say(result(sent.name, [row(1, sent.payments[0], "F44")]), number=2)
        (standing,) = gateway.plan.standings(sent.batch_id)
        assert (standing.agrees, standing.is_overdue) == (True, True)
        assert ground.decide(gateway, about, "close-books", A) == [True]
        assert [one.is_overdue for one in gateway.plan.standings(sent.batch_id)] == [False]
        assert gateway.plan.standings() == []
    assert bankgate("reconcile", "--due").code == 0
    assert bankgate("reconcile", sent.batch_id).code == 0


def test_what_was_signed_before_a_doubt_came_closes_nothing(ground: Ground) -> None:
    rule_for(ground, CITY, BY_RESULTS)
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        sent.say(result(sent.name, sent.all()))
        statement = gateway.statement(f"books:yikatong/{sent.batch_id}", "close-books", A)
        sent.say(result(sent.name, [row(1, sent.payments[0], "F44")]), number=2)
        with pytest.raises(NotPermitted, match="yet"):
            gateway.decide(statement, ground.signature(statement))
        assert not gateway.plan.closed(sent.batch_id).closed


def test_books_close_by_statements_only_to_the_fen(ground: Ground, bankgate: Commands) -> None:
    add_statements(ground)
    rule_for(ground, RURAL, BY_STATEMENTS)
    with ground.open() as gateway:
        account = Account(ground, gateway, payments_of(RURAL, 3))
        account.send()
        account.result(failed=(3,))
        first, second, _ = (payment.amount_minor for payment in account.payments)
        batch_id = gateway.status()[0].batch_id
        about = f"books:yikatong/{batch_id}"
        (standing,) = gateway.plan.standings(batch_id)
        assert (standing.kept_minor, standing.booked_minor, standing.due) == (first + second, 0, None)
        with pytest.raises(NotPermitted, match=r"statements booked 0\.00 yuan"):
            gateway.statement(about, "close-books", A)
        # The sums agree, the payments do not.
        account.book(
            [account.line(1, minor=first + 1, serial="B1"), account.line(2, minor=second - 1, serial="B2")]
        )
        (standing,) = gateway.plan.standings(batch_id)
        assert (standing.booked_minor, standing.differing, standing.agrees) == (first + second, 2, False)
        told = bankgate("reconcile", batch_id)
        assert (told.code, "2 payments booked otherwise" in told.out) == (1, True)
        account.book(
            [
                account.line(1, minor=1, serial="B3", direction="C"),
                account.line(2, minor=1, serial="B4"),
                account.line(minor=50, serial="B5", text="手续费"),
            ],
            number=2,
        )
        assert [one.agrees for one in gateway.plan.standings(batch_id)] == [True]
        assert ground.decide(gateway, about, "close-books", A) == [True]


def doubted(ground: Ground, gateway: Gateway) -> Sent:
    """A file with one payment in doubt, and a charge on each; no agreement has a rule."""
    sent = Sent(ground, gateway)
    sent.say(result(sent.name, [row(1, sent.payments[0], "Z9"), *sent.all()[1:]], fee="0.50元"))
    return sent


def test_without_a_rule_a_person_explains_what_is_open(ground: Ground) -> None:
    """Charges are told too, but they are no reason that books are open."""
    with ground.open() as gateway:
        sent = doubted(ground, gateway)
        about = f"books:yikatong/{sent.batch_id}"
        amount = yuan(sent.payments[0].amount_minor)
        assert gateway.plan.standings(sent.batch_id) == []
        assert [(point.said.key, point.said.values) for point in gateway.plan.open_points(sent.batch_id)] == [
            ("point_state", ["unknown", "1", amount]),
            ("point_charged", ["3", "1.50"]),
        ]
        (way,) = gateway.ways(about)
        assert (way.needs_reason, len(way.open_points)) == (True, 2)
        with pytest.raises(NotPermitted, match=rf"explanation while this is open: 1 payments, {amount} yuan"):
            gateway.statement(about, "close-books", A)
        assert ground.decide(gateway, about, "close-books", A, reason="已去函询问") == [True]
        assert gateway.plan.closed(sent.batch_id).explanation == "已去函询问"
        sent.say(result(sent.name, [row(1, sent.payments[0], "F44")]), number=2)
        assert gateway.plan.closed(sent.batch_id).reopened
        (way,) = gateway.ways(about)
        assert (way.needs_reason, [point.key for point in way.open_points]) == (False, ["point_charged"])
        assert ground.decide(gateway, about, "close-books", A) == [True]
        assert gateway.plan.closed(sent.batch_id).explanation == ""


def test_the_command_tells_what_is_open_and_what_closing_means(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        sent = doubted(ground, gateway)
    amount = yuan(sent.payments[0].amount_minor)
    told = bankgate("reconcile", sent.batch_id).out
    assert f"open still: 1 payments, {amount} yuan: unknown; 3 charges of banks, 1.50 yuan" in told
    close = ("held", "close-books", f"books:yikatong/{sent.batch_id}", "--as", A)
    key = ("--key", ground.person_key(A))
    refused = bankgate(*close, *key)
    assert (refused.code, "--reason TEXT" in refused.err) == (3, True)
    closed = bankgate(*close, *key, "--reason", "已去函询问")
    assert (closed.code, f"open still: 1 payments, {amount} yuan: unknown" in closed.out) == (0, True)
    assert "closing says that a person compared and explained" in closed.out
    assert "explained: 已去函询问" in bankgate("reconcile", sent.batch_id).out


def test_an_explanation_belongs_to_its_batch_and_goes_with_its_personal_data(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = doubted(ground, gateway)
        about = f"books:yikatong/{sent.batch_id}"
        ground.decide(gateway, about, "close-books", A, reason="已去函询问")
        with gateway.installation.ledger.read() as transaction:
            (words,) = [use for use in exhibit_uses(transaction) if use.objects == [about]]
            assert batch_of_object(transaction, about) == gateway._batch(sent.batch_id).batch_pk
        gateway.installation.spool.remove(words.spool_name)
        with gateway.installation.ledger.write() as transaction:
            forget_exhibit(transaction, words.sha256)
        assert gateway.plan.closed(sent.batch_id).explanation == ""


def test_what_statements_book_otherwise_is_explained(ground: Ground) -> None:
    add_statements(ground)
    with ground.open() as gateway:
        account = Account(ground, gateway, payments_of(RURAL, 2))
        account.send()
        account.result(failed=())
        first, second = (payment.amount_minor for payment in account.payments)
        account.book([account.line(1, serial="B1")])
        batch_id = gateway.status()[0].batch_id
        points = [(point.said.key, point.said.values) for point in gateway.plan.open_points(batch_id)]
        assert points == [
            ("point_gap", [yuan(first + second), yuan(first)]),
            ("point_differing", ["1"]),
        ]
        with pytest.raises(NotPermitted, match="wants an explanation"):
            gateway.statement(f"books:yikatong/{batch_id}", "close-books", A)


def test_only_what_takes_a_reason_is_signed_with_one(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1), "ONE")
        reason = gateway.keep_reason("x")
        with pytest.raises(NotPermitted, match="takes no reason"):
            gateway.statement("batch:yikatong/ONE", "withdraw", A, reason=reason)


def test_what_has_not_left_keeps_them_open(ground: Ground) -> None:
    rule_for(ground, CITY, BY_RESULTS)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2), "WAITS")
        (standing,) = gateway.plan.standings("WAITS")
        assert (standing.open_count, standing.due, standing.agrees) == (2, None, False)


@pytest.mark.parametrize("text", ['against = "nothing"\n', "within_workdays = 0\n", "tolerance_minor = 5\n"])
def test_a_rule_has_no_tolerance_and_no_other_words(ground: Ground, bankgate: Commands, text: str) -> None:
    rule_for(ground, CITY, f"\n[reconciliation]\n{text}")
    assert bankgate("status").code == 2


def test_moved_working_days_count(ground: Ground) -> None:
    with ground.open() as gateway:
        agreement = next(iter(gateway.configuration.agreements.values()))[0]
    ruled = Agreement.from_canonical(
        agreement.canonical().replace(
            b'"reconciliation":null', b'"reconciliation":{"against":"results","within_workdays":2}'
        )
    )
    calendar = WorkingCalendar()
    # 2024-10-01 to 07 are holidays, and Saturday the 12th is worked.

    assert ruled.reconciliation_due(date(2024, 9, 30), calendar) == date(2024, 10, 9)
    assert ruled.reconciliation_due(date(2024, 10, 11), calendar) == date(2024, 10, 14)
    assert agreement.reconciliation_due(date(2024, 9, 30), calendar) is None

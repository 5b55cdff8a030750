"""A payment that replaces another: only after that one surely was not paid, and never twice."""

from __future__ import annotations

import msgspec
import pytest

from formats import Payment
from gateway import Gateway
from tests.gateway.sites import CITY, Ground, credited, current, payments_of, states
from tests.gateway.test_settle import Sent, result, row

REFUSED = ("set_aside", "REISSUE_REFUSED", None)


@pytest.fixture
def sent(ground: Ground) -> object:
    with ground.open() as gateway:
        yield Sent(ground, gateway)


def replacing(old: Payment, number: int = 0, more_minor: int = 0) -> Payment:
    return payments_of(
        CITY,
        1,
        prefix="Q",
        start=number,
        amount_minor=old.amount_minor + more_minor,
        reissue_of=old.payment_id,
    )[0]


def verdict(ground: Ground, gateway: Gateway, payment: Payment) -> tuple[str, str, int | None] | None:
    """What becomes of it at once; None where it goes its way."""
    ground.submit(gateway, [payment])
    return current(gateway).get(payment.payment_id)


def test_an_open_or_absent_predecessor_is_not_replaced(sent: Sent) -> None:
    first = replacing(sent.payments[0])
    assert verdict(sent.ground, sent.gateway, first) == REFUSED
    absent = payments_of(CITY, 1, prefix="X", start=7, reissue_of="P-99999")[0]
    assert verdict(sent.ground, sent.gateway, absent) == REFUSED


@pytest.mark.parametrize("code", ["S", "U", "Z9", "D1", "L"])
def test_a_predecessor_that_may_have_been_paid_is_not_replaced(sent: Sent, code: str) -> None:
    sent.say(result(sent.name, [row(1, sent.payments[0], code), *sent.all()[1:]]))
    assert current(sent.gateway)["P-00001"][0] != "failed"
    assert verdict(sent.ground, sent.gateway, replacing(sent.payments[0])) == REFUSED


def test_a_failure_in_a_file_that_is_not_settled_is_not_replaced_yet(sent: Sent) -> None:
    sent.say(result(sent.name, [row(1, sent.payments[0], "F44")]))
    assert verdict(sent.ground, sent.gateway, replacing(sent.payments[0])) == REFUSED
    sent.say(result(sent.name, sent.all()[1:]), number=2)
    assert verdict(sent.ground, sent.gateway, replacing(sent.payments[0], 1)) is None


@pytest.mark.parametrize("code", ["F44", "R"])
def test_a_failed_or_returned_payment_is_replaced_once_by_the_same_amount(sent: Sent, code: str) -> None:
    old = sent.payments[0]
    sent.say(result(sent.name, [row(1, old, code), *sent.all()[1:]]))
    assert verdict(sent.ground, sent.gateway, replacing(old, 0, more_minor=1)) == REFUSED
    assert verdict(sent.ground, sent.gateway, replacing(old, 1)) is None
    assert verdict(sent.ground, sent.gateway, replacing(old, 2)) == REFUSED
    sent.gateway.run()
    assert states(sent.gateway) == ["settled", "sent"]
    assert sent.gateway.trace("P-00001").replaced_by == "Q-00002"
    assert sent.gateway.trace("Q-00002").replaces == "P-00001"


def test_two_successors_in_one_batch(sent: Sent) -> None:
    old = sent.payments[0]
    sent.say(result(sent.name, [row(1, old, "F44"), *sent.all()[1:]]))
    sent.ground.submit(sent.gateway, [replacing(old, 0), replacing(old, 1)])
    assert current(sent.gateway).get("Q-00001") is None
    assert current(sent.gateway)["Q-00002"] == REFUSED


def test_a_payment_that_was_set_aside_is_replaced(ground: Ground) -> None:
    bad = payments_of(CITY, 1, account="")[0]
    good = payments_of(CITY, 1, start=1)[0]
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, [bad, good])
        new = replacing(bad)
        assert verdict(ground, gateway, new) is None
        ground.run_to_the_end(gateway)
        assert current(gateway) == {"P-00001": ("set_aside", "NO_CARD", None), **credited([good, new])}
        ground.check_sound(gateway)


def test_a_successor_is_stopped_at_the_last_moment(sent: Sent) -> None:
    """The file is sealed already when the bank says that it paid after all."""
    old = sent.payments[0]
    sent.say(result(sent.name, [row(1, old, "F44"), *sent.all()[1:]]))
    outbox = sent.ground.outbox(CITY)
    away = outbox.with_name("away")
    outbox.rename(away)
    beside = payments_of(CITY, 1, prefix="Q", start=5)[0]
    sent.ground.submit(sent.gateway, [replacing(old), beside])
    sent.gateway.run()
    assert states(sent.gateway) == ["settled", "sealed"]
    away.rename(outbox)
    sent.ground.post(CITY, f"{sent.stem}_R2.bxt", result(sent.name, sent.all()[:1]))
    with sent.gateway.installation.ledger.write() as transaction:
        transaction.run("DELETE FROM bank_hold")
        # The bank's word is taken while its window for files is closed.
        transaction.run("UPDATE file SET attention = 'wait' WHERE state = 'sealed'")
    sent.ground.take(sent.gateway)
    assert current(sent.gateway)["P-00001"] == ("credited", "", old.amount_minor)
    with sent.gateway.installation.ledger.write() as transaction:
        transaction.run("UPDATE file SET attention = NULL WHERE state = 'sealed'")
    for _ in range(3):
        sent.gateway.run()
    assert states(sent.gateway) == ["settled", "voided", "sent"]
    assert current(sent.gateway)["Q-00001"] == REFUSED
    assert [attempt["state"] for attempt in sent.gateway.trace("Q-00006").attempts] == ["voided", "sent"]
    assert len(list(outbox.glob("*.bxt"))) == 2


def test_the_amount_of_a_chain_is_that_of_its_first_payment(sent: Sent) -> None:
    """A reissue that was refused for its amount is no measure for the one that replaces it."""
    old = sent.payments[0]
    sent.say(result(sent.name, [row(1, old, "F44"), *sent.all()[1:]]))
    wrong = replacing(old, 0, more_minor=1)
    assert verdict(sent.ground, sent.gateway, wrong) == REFUSED
    assert verdict(sent.ground, sent.gateway, replacing(wrong, 1)) == REFUSED
    right = msgspec.structs.replace(replacing(old, 2), reissue_of=wrong.payment_id)
    assert verdict(sent.ground, sent.gateway, right) is None

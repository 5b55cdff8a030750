"""Two persons decide: who counts, what they saw, and that each time needs its own signatures."""

from __future__ import annotations

import msgspec
import pytest

from formats import PayeeRole
from gateway import DecisionRefused, ExitCode, Gateway, NotPermitted, Unknown
from gateway.persons.held import HeldItem
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, credited, current, edit, payments_of, states

A, B = PERSONS


def unsigned(ground: Ground, gateway: Gateway, batch_id: str = "B-1", count: int = 3) -> str:
    payments = payments_of(CITY, count)
    gateway.submit(ground.write(ground.batch(payments, batch_id), payments))
    return f"batch:yikatong/{batch_id}"


def only(items: list[HeldItem]) -> HeldItem:
    assert len(items) == 1, items
    return items[0]


def test_two_persons_release_a_batch(ground: Ground) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        about = unsigned(ground, gateway)
        assert ground.decide(gateway, about, "release", A) == [False]
        way = next(way for way in only(gateway.held()).ways if way.decision == "release")
        assert (way.persons, way.persons_needed) == ([A], 2)
        gateway.run()
        assert states(gateway) == []
        assert ground.decide(gateway, about, "release", B) == [True]
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments_of(CITY, 3))
        assert gateway.held() == []


def test_the_same_person_twice_is_one_person(ground: Ground) -> None:
    with ground.open() as gateway:
        about = unsigned(ground, gateway)
        ground.decide(gateway, about, "release", A)
        with pytest.raises(DecisionRefused, match="has decided this already"):
            ground.decide(gateway, about, "release", A)
        gateway.run()
        assert states(gateway) == []


def test_one_person_does_not_count_as_two_with_the_other_ones_name(ground: Ground) -> None:
    with ground.open() as gateway:
        about = unsigned(ground, gateway)
        ground.decide(gateway, about, "release", A)
        statement = gateway.statement(about, "release", B)
        with pytest.raises(DecisionRefused, match="not reviewer-b's"):
            gateway.decide(statement, ground.signature(statement, key_of=A))


def test_a_signature_covers_the_decision(ground: Ground) -> None:
    with ground.open() as gateway:
        about = unsigned(ground, gateway)
        signature = ground.signature(gateway.statement(about, "withdraw", A))
        with pytest.raises(DecisionRefused):
            gateway.decide(gateway.statement(about, "release", A), signature)


def test_a_person_who_is_not_enrolled(ground: Ground) -> None:
    with ground.open() as gateway:
        about = unsigned(ground, gateway)
        statement = gateway.statement(about, "release", "nobody")
        with pytest.raises(DecisionRefused, match="not enrolled"):
            gateway.decide(statement, ground.signature(statement, key_of=A))


def test_an_object_that_changed_between_the_signatures(ground: Ground) -> None:
    """A payment is taken back between two looks: the batch is not what the first one saw."""
    payments = payments_of(CITY, 2) + payments_of(
        CITY, 1, start=2, payee_role=PayeeRole.OTHER, payee_name="王五", payee_ground="监护"
    )
    with ground.open() as gateway:
        gateway.submit(ground.write(ground.batch(payments, "B-1"), payments))
        about = "batch:yikatong/B-1"
        seen_before = gateway.statement(about, "release", B)
        ground.decide(gateway, about, "release", A)
        ground.decide(gateway, "payment:yikatong/P-00003", "withdraw", A)
        with pytest.raises(DecisionRefused, match="has changed since"):
            gateway.decide(seen_before, ground.signature(seen_before))
        assert ground.decide(gateway, about, "release", B, A) == [False, True]


def test_a_statement_about_one_batch_fits_no_other(ground: Ground) -> None:
    with ground.open() as gateway:
        unsigned(ground, gateway, "B-1", 3)
        other = payments_of(CITY, 2, prefix="Q")
        gateway.submit(ground.write(ground.batch(other, "B-2"), other))
        statement = gateway.statement("batch:yikatong/B-1", "release", A)
        moved = msgspec.structs.replace(statement, object="batch:yikatong/B-2")
        with pytest.raises(DecisionRefused):
            gateway.decide(moved, ground.signature(moved))


def test_a_released_batch_is_not_released_again(ground: Ground) -> None:
    with ground.open() as gateway:
        about = unsigned(ground, gateway)
        ground.decide(gateway, about, "release", A, B)
        with pytest.raises(NotPermitted):
            gateway.statement(about, "release", A)


def test_a_withdrawn_batch_never_leaves(ground: Ground) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        about = unsigned(ground, gateway)
        assert ground.decide(gateway, about, "withdraw", A) == [True]
        ground.run_to_the_end(gateway)
        assert states(gateway) == []
        assert set(current(gateway).values()) == {("withdrawn", "WITHDRAWN", None)}
        ground.check_sound(gateway)


def test_persons_cannot_stand_in_for_a_platform_that_must_sign(ground: Ground) -> None:
    edit(ground.site.configuration, "require_signature = false", "require_signature = true")
    with ground.open() as gateway:
        about = unsigned(ground, gateway)
        with pytest.raises(NotPermitted, match="does not take the decision 'release'"):
            ground.decide(gateway, about, "release", A)
        assert [way.decision for way in only(gateway.held()).ways] == ["withdraw"]
        gateway.run()
        assert states(gateway) == []


@pytest.mark.parametrize("decision", ["accept", "withdraw"])
def test_another_persons_account_waits_for_two_persons(ground: Ground, decision: str) -> None:
    payments = payments_of(CITY, 1) + payments_of(
        CITY, 1, start=1, payee_role=PayeeRole.OTHER, payee_name="王五", payee_ground="监护"
    )
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments[:1])
        about = only(gateway.held()).object
        assert about == "payment:yikatong/P-00002"
        done = ground.decide(gateway, about, decision, *(PERSONS if decision == "accept" else (A,)))
        assert done[-1]
        ground.run_to_the_end(gateway)
        expected = credited(payments)
        if decision == "withdraw":
            expected["P-00002"] = ("withdrawn", "WITHDRAWN", None)
        assert current(gateway) == expected
        ground.check_sound(gateway)


def test_an_unknown_object_or_decision(ground: Ground) -> None:
    with ground.open() as gateway:
        about = unsigned(ground, gateway)
        with pytest.raises(Unknown):
            gateway.statement("batch:yikatong/none", "release", A)
        with pytest.raises(Unknown):
            gateway.statement("nonsense", "release", A)
        with pytest.raises(NotPermitted, match="does not take the decision"):
            gateway.statement(about, "redispatch", A)


def test_a_held_result_is_believed_after_two_persons(ground: Ground) -> None:
    ground.bank(CITY, "unmatched")
    payments = payments_of(CITY, 3)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        item = only(gateway.held())
        assert [problem.code for problem in item.problems] == ["unmatched"]
        assert ground.decide(gateway, item.object, "accept", A) == [False]
        gateway.run()
        assert current(gateway) == {}
        assert ground.decide(gateway, item.object, "accept", B) == [True]
        gateway.run()
        assert current(gateway) == credited(payments)
        assert states(gateway) == ["settled"]
        assert gateway.held() == []
        ground.check_sound(gateway)


def test_who_accepts_accepts_exactly_the_problems_shown(ground: Ground) -> None:
    ground.bank(CITY, "unmatched")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        ground.run_to_the_end(gateway)
        with gateway.installation.ledger.write() as transaction:
            transaction.run("UPDATE received SET problems = '[]' WHERE state = 'held'")
        item = only(gateway.held())
        assert ground.decide(gateway, item.object, "accept", A, B) == [False, True]
        gateway.run()
        assert current(gateway) == {}
        again = only(gateway.held())
        assert [problem.code for problem in again.problems] == ["unmatched"]
        assert all(way.persons == [] for way in again.ways)


def test_a_refused_result_is_not_believed_and_may_be_judged_again(ground: Ground) -> None:
    ground.bank(CITY, "unmatched")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        ground.run_to_the_end(gateway)
        about = only(gateway.held()).object
        for _ in range(2):
            # The same point is reached twice: each time takes its own signature.
            assert ground.decide(gateway, about, "refuse", A) == [True]
            gateway.run()
            assert current(gateway) == {}
            assert ground.decide(gateway, about, "judge-again", A) == [True]
            gateway.run()
            item = only(gateway.held())
            assert [problem.code for problem in item.problems] == ["unmatched"]


def test_an_old_signature_does_not_clear_a_new_hold(ground: Ground) -> None:
    (ground.site.bank(CITY) / "files" / "from-bank").rename(ground.site.folder / "away")
    with ground.open() as gateway:
        before, signature = None, b""
        for _ in range(3):
            gateway.run()
            item = only(gateway.held())
            assert item.object == f"bank:{CITY}"
            statement = gateway.statement(item.object, "clear", A)
            if before is not None:
                with pytest.raises(DecisionRefused):
                    gateway.decide(before, signature)
            before, signature = statement, ground.signature(statement)
            assert gateway.decide(before, signature)
            assert gateway.held() == []


def test_the_commands_of_two_persons(ground: Ground, bankgate: Commands) -> None:
    ground.bank(CITY)
    payments = payments_of(CITY, 3)
    path = ground.write(ground.batch(payments, "B-1"), payments)
    assert bankgate("submit", path).code == ExitCode.NEEDS_PERSON
    shown = bankgate("held")
    assert shown.code == ExitCode.NEEDS_PERSON
    assert "batch:yikatong/B-1  not released" in shown.out
    assert "release: its payments may leave (2 person(s))" in shown.out
    first = bankgate("release", "B-1", "--as", A, "--key", ground.person_key(A))
    assert (first.code, "another person must decide" in first.out) == (ExitCode.NEEDS_PERSON, True)
    again = bankgate("release", "B-1", "--as", A, "--key", ground.person_key(A))
    assert again.code == ExitCode.REFUSED_INPUT
    assert "hint: another person must decide too" in again.err
    wrong = bankgate("release", "B-1", "--as", B, "--key", ground.person_key(A))
    assert wrong.code == ExitCode.REFUSED_INPUT
    absent = bankgate("release", "B-1", "--as", B, "--key", ground.site.folder / "none.pem")
    assert absent.code == ExitCode.BAD_USAGE
    other = bankgate("release", "B-2", "--as", B, "--key", ground.person_key(B))
    assert (other.code, "there is no batch 'B-2'" in other.err) == (ExitCode.BAD_USAGE, True)
    second = bankgate("held", "release", "batch:yikatong/B-1", "--as", B, "--key", ground.person_key(B))
    assert (second.code, "carried out" in second.out) == (ExitCode.DONE, True)
    assert bankgate("run").code == ExitCode.DONE
    assert bankgate("held").code == ExitCode.DONE

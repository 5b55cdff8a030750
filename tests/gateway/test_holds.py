"""What has not left can be stopped and taken back up to the last moment; what has left cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway import DecisionRefused, ExitCode, Gateway, NotPermitted
from gateway.run_report import RunReport
from gateway.sending.dispatch import dispatch
from gateway.states import FileState
from keys.errors import KeyringInvalid
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, credited, current, edit, payments_of, states

A, B = PERSONS
WITHDRAWN = ("withdrawn", "WITHDRAWN", None)


@pytest.fixture
def gateway(ground: Ground) -> Iterator[Gateway]:
    ground.bank(CITY)
    with ground.open() as opened:
        yield opened


def seal(gateway: Gateway) -> None:
    """Make the files that are due, and send nothing."""
    assert len(list(dispatch(gateway.installation, gateway.installation.profile(CITY)))) == 1
    assert states(gateway)[-1] == FileState.SEALED


def said(report: RunReport) -> str:
    return " ".join([*report.waiting, *(item.message for item in report.attention)])


def test_a_held_batch_makes_no_file_until_two_persons_resume_it(ground: Ground, gateway: Gateway) -> None:
    payments = payments_of(CITY, 3)
    about = f"batch:yikatong/{ground.submit(gateway, payments)}"
    assert ground.decide(gateway, about, "hold", A) == [True]
    ground.run_to_the_end(gateway)
    assert states(gateway) == []
    assert [item.object for item in gateway.held()] == [about]
    assert ground.decide(gateway, about, "resume", A, B) == [False, True]
    ground.run_to_the_end(gateway)
    assert current(gateway) == credited(payments)
    ground.check_sound(gateway)


def test_a_held_batch_stops_a_file_that_is_made_already(ground: Ground, gateway: Gateway) -> None:
    payments = payments_of(CITY, 3)
    about = f"batch:yikatong/{ground.submit(gateway, payments)}"
    seal(gateway)
    ground.decide(gateway, about, "hold", A)
    assert "its batch is on hold" in said(gateway.run())
    assert states(gateway) == ["sealed"]
    assert list(ground.outbox(CITY).iterdir()) == []
    ground.decide(gateway, about, "resume", A, B)
    ground.run_to_the_end(gateway)
    assert (states(gateway), current(gateway)) == (["settled"], credited(payments))


def test_a_hold_that_comes_during_the_upload_stops_the_release(
    ground: Ground, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = f"batch:yikatong/{ground.submit(gateway, payments_of(CITY, 2))}"
    from gateway.sending import transmit

    put = transmit._put

    def put_and_hold(*arguments: object) -> object:
        done = put(*arguments)  # type: ignore[arg-type]
        monkeypatch.setattr(transmit, "_put", put)
        with ground.open() as other:
            ground.decide(other, about, "hold", A)
        return done

    monkeypatch.setattr(transmit, "_put", put_and_hold)
    gateway.run()
    assert states(gateway) == ["sealed"]
    there = {path.name for path in ground.outbox(CITY).iterdir()}
    assert (len(there), gateway.files()[0].name in there) == (2, False)


def test_a_withdrawn_batch_takes_back_only_what_has_not_left(ground: Ground) -> None:
    edit(ground.profile_path(CITY), "records_per_file = 100000", "records_per_file = 2")
    ground.bank(CITY)
    payments = payments_of(CITY, 4)
    with ground.open() as gateway:
        about = f"batch:yikatong/{ground.submit(gateway, payments)}"
        list(dispatch(gateway.installation, gateway.installation.profile(CITY)))
        second = gateway.files()[1].name
        ground.decide(gateway, f"file:{CITY}/{second}", "hold", A)
        gateway.run()
        assert states(gateway) == ["sent", "sealed"]
        assert ground.decide(gateway, about, "withdraw", A, B) == [False, True]
        ground.decide(gateway, f"file:{CITY}/{second}", "clear", A)
        ground.run_to_the_end(gateway)
        assert states(gateway) == ["settled", "voided"]
        taken_back = dict.fromkeys((one.payment_id for one in payments[2:]), WITHDRAWN)
        assert current(gateway) == credited(payments[:2]) | taken_back
        ground.check_sound(gateway)


def test_withdrawing_a_released_batch_before_anything_left(ground: Ground, gateway: Gateway) -> None:
    payments = payments_of(CITY, 3)
    about = f"batch:yikatong/{ground.submit(gateway, payments)}"
    seal(gateway)
    assert ground.decide(gateway, about, "withdraw", A, B) == [False, True]
    assert current(gateway) == dict.fromkeys((one.payment_id for one in payments), WITHDRAWN)
    ground.run_to_the_end(gateway)
    assert states(gateway) == ["voided"]
    assert list(ground.outbox(CITY).iterdir()) == []
    ground.check_sound(gateway)


def test_what_has_left_is_not_withdrawn(ground: Ground, gateway: Gateway) -> None:
    payments = payments_of(CITY, 3)
    about = f"batch:yikatong/{ground.submit(gateway, payments)}"
    gateway.run()
    assert ground.decide(gateway, about, "withdraw", A, B) == [False, True]
    with pytest.raises(NotPermitted, match="does not take the decision"):
        ground.decide(gateway, "payment:yikatong/P-00001", "withdraw", A)
    ground.run_to_the_end(gateway)
    assert current(gateway) == credited(payments)
    ground.check_sound(gateway)


def test_payments_of_a_withdrawn_batch_end_when_their_rejected_file_gives_them_back(ground: Ground) -> None:
    ground.bank(CITY, "reject")
    with ground.open() as gateway:
        payments = payments_of(CITY, 2)
        about = f"batch:yikatong/{ground.submit(gateway, payments)}"
        ground.run_to_the_end(gateway)
        ground.decide(gateway, about, "withdraw", A, B)
        ways = [way.decision for item in gateway.held() for way in item.ways]
        assert ways == ["withdraw", "reopen"]
        ground.decide(gateway, gateway.held()[0].object, "withdraw", A, B)
        assert set(current(gateway).values()) == {WITHDRAWN}
        ground.check_sound(gateway)


def test_a_held_payment_leaves_its_sealed_file_and_the_others_go(ground: Ground, gateway: Gateway) -> None:
    payments = payments_of(CITY, 3)
    ground.submit(gateway, payments)
    seal(gateway)
    about = "payment:yikatong/P-00002"
    assert ground.decide(gateway, about, "hold", A) == [True]
    ground.run_to_the_end(gateway)
    assert states(gateway) == ["voided", "settled"]
    assert current(gateway) == credited([payments[0], payments[2]])
    assert [(item.object, "ON_HOLD" in item.message) for item in gateway.held()] == [(about, False)]
    assert ground.decide(gateway, about, "accept", A, B) == [False, True]
    ground.run_to_the_end(gateway)
    assert current(gateway) == credited(payments)
    ground.check_sound(gateway)


def test_a_payment_held_twice_takes_new_signatures_each_time(ground: Ground, gateway: Gateway) -> None:
    ground.submit(gateway, payments_of(CITY, 1))
    about = "payment:yikatong/P-00001"
    ground.decide(gateway, about, "hold", A)
    ground.decide(gateway, about, "accept", A, B)
    ground.decide(gateway, about, "hold", A)
    assert ground.decide(gateway, about, "accept", A) == [False]
    assert states(gateway) == []


def test_who_stops_a_payment_does_not_take_it_back_alone(ground: Ground, gateway: Gateway) -> None:
    ground.submit(gateway, payments_of(CITY, 1))
    about = "payment:yikatong/P-00001"
    assert ground.decide(gateway, about, "hold", A) == [True]
    assert ground.decide(gateway, about, "withdraw", A, B) == [False, True]


def test_two_persons_take_back_a_payment_in_a_sealed_file(ground: Ground, gateway: Gateway) -> None:
    payments = payments_of(CITY, 2)
    ground.submit(gateway, payments)
    seal(gateway)
    assert ground.decide(gateway, "payment:yikatong/P-00001", "withdraw", A, B) == [False, True]
    ground.run_to_the_end(gateway)
    assert current(gateway) == {"P-00001": WITHDRAWN, **credited(payments[1:])}
    ground.check_sound(gateway)


def test_a_held_bank_sends_nothing_and_is_still_listened_to(ground: Ground, gateway: Gateway) -> None:
    payments = payments_of(CITY, 2)
    ground.submit(gateway, payments)
    gateway.run()
    assert ground.decide(gateway, f"bank:{CITY}", "hold", A) == [True]
    later = payments_of(CITY, 1, prefix="L")
    ground.submit(gateway, later)
    ground.banks_look()
    ground.run_to_the_end(gateway)
    assert current(gateway) == credited(payments)
    report = gateway.run()
    assert (report.exit_code, "held by reviewer-a" in said(report)) == (ExitCode.NEEDS_PERSON, True)
    assert ground.decide(gateway, f"bank:{CITY}", "resume", B, A) == [False, True]
    ground.run_to_the_end(gateway)
    assert current(gateway) == credited(payments + later)


def test_a_held_file_waits_and_its_payments_with_it(ground: Ground, gateway: Gateway) -> None:
    payments = payments_of(CITY, 2)
    ground.submit(gateway, payments)
    seal(gateway)
    about = f"file:{CITY}/{gateway.files()[0].name}"
    assert ground.decide(gateway, about, "hold", A) == [True]
    ground.run_to_the_end(gateway)
    assert states(gateway) == ["sealed"]
    assert ground.decide(gateway, about, "void", B) == [True]
    ground.run_to_the_end(gateway)
    assert (states(gateway), current(gateway)) == (["voided", "settled"], credited(payments))


def test_a_person_who_left_meanwhile_does_not_count(ground: Ground) -> None:
    with ground.open() as gateway:
        payments = payments_of(CITY, 1)
        gateway.submit(ground.write(ground.batch(payments, "B-1"), payments))
        assert ground.decide(gateway, "batch:yikatong/B-1", "release", A) == [False]
    text = ground.site.configuration.read_text("utf-8")
    start = text.index(f"[person.{A}]")
    end = text.index("[person.", start + 1) if "[person." in text[start + 1 :] else len(text)
    ground.site.configuration.write_text(text[:start] + text[end:], "utf-8")
    with ground.open() as gateway:
        assert ground.decide(gateway, "batch:yikatong/B-1", "release", B) == [False]
        assert gateway.run().files_made == 0


def test_one_key_under_two_names_is_no_second_person(ground: Ground) -> None:
    keys = ground.site.configuration.parent / "keys"
    (keys / f"{B}.crt").write_bytes((keys / f"{A}.crt").read_bytes())
    with pytest.raises(KeyringInvalid, match="the same key is enrolled"), ground.open():
        pass


def test_the_short_commands(ground: Ground, bankgate: Commands) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        batch_id = ground.submit(gateway, payments_of(CITY, 2))
    by_a, by_b = (("--as", name, "--key", ground.person_key(name)) for name in PERSONS)
    assert bankgate("hold", batch_id, *by_a).code == ExitCode.DONE
    assert bankgate("held").code == ExitCode.NEEDS_PERSON
    assert bankgate("withdraw", batch_id, *by_a).code == ExitCode.NEEDS_PERSON
    assert bankgate("withdraw", f"batch:yikatong/{batch_id}", *by_b).code == ExitCode.DONE
    assert bankgate("run").code == ExitCode.DONE
    assert bankgate("hold", f"bank:{CITY}", *by_a).code == ExitCode.DONE
    unknown = bankgate("hold", "bank:nobody", *by_a)
    assert (unknown.code, "nothing is called 'bank:nobody'" in unknown.err) == (ExitCode.BAD_USAGE, True)
    again = bankgate("hold", f"bank:{CITY}", *by_b)
    assert (again.code, "hint: possible: resume" in again.err) == (ExitCode.REFUSED_INPUT, True)


def test_a_decision_about_what_changed_meanwhile_is_refused(ground: Ground, gateway: Gateway) -> None:
    ground.submit(gateway, payments_of(CITY, 1))
    statement = gateway.statement("payment:yikatong/P-00001", "withdraw", A)
    ground.decide(gateway, "payment:yikatong/P-00001", "hold", B)
    with pytest.raises(DecisionRefused, match="has changed since"):
        gateway.decide(statement, ground.signature(statement))


def test_a_batch_that_is_handed_over_again_says_what_became_of_it(
    ground: Ground, gateway: Gateway, bankgate: Commands
) -> None:
    """Else a clerk would hand over under new ids what is paid already."""
    payments = payments_of(CITY, 2)
    path = ground.write(ground.batch(payments, "B-7"), payments)
    gateway.submit(path, signature=ground.sign(path.read_bytes()))
    ground.run_to_the_end(gateway)
    again = bankgate("submit", path)
    assert "as it stands now: credited 2" in again.out
    assert "not released" not in again.out
    ground.decide(gateway, "batch:yikatong/B-7", "hold", A)
    assert "on hold: what has not left stays here" in bankgate("submit", path).out
    ground.decide(gateway, "batch:yikatong/B-7", "withdraw", A, B)
    assert "withdrawn: what had not left was taken back" in bankgate("submit", path).out

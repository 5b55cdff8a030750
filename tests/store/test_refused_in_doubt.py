"""What a restored ledger would set aside, and a bank has perhaps paid: it waits for the bank's word."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from formats import Payment
from gateway import Gateway
from gateway.sending.dispatch import dispatch
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, credited, current, edit, payments_of
from tests.store.test_restore import lose, restore

FIRST = payments_of(RURAL, 1)[0]
AGAIN = payments_of(RURAL, 1, prefix="Q", reissue_of=FIRST.payment_id)[0]
ABOUT = f"payment:yikatong/{AGAIN.payment_id}"


def hand_over(ground: Ground, gateway: Gateway, payment: Payment, name: str) -> None:
    ground.submit(gateway, [payment], name)


def fail_and_pay_again(ground: Ground, gateway: Gateway, *, pays: bool = True) -> None:
    """The bank fails the first payment, and pays its reissue, or fails it too."""
    ground.bank(RURAL, "failures")
    ground.run_to_the_end(gateway)
    assert current(gateway)[FIRST.payment_id][0] == "failed"
    bank = ground.bank(RURAL, "all-well" if pays else "failures")
    hand_over(ground, gateway, AGAIN, "AGAIN")
    ground.run_to_the_end(gateway)
    assert [one.credited_minor for one in bank.paid()] == [0, AGAIN.amount_minor if pays else 0]


def go_back(ground: Ground, tmp_path: Path) -> None:
    """To the ledger in which the first payment was only handed over."""
    lose(ground)
    restore(ground, tmp_path / "backup")


def reconcile(ground: Ground, gateway: Gateway) -> None:
    for one in (CITY, ISO, RURAL):
        ground.decide(gateway, f"bank:{one}", "reconciled", *PERSONS)
    ground.run_to_the_end(gateway)


def ways(gateway: Gateway, about: str = ABOUT) -> list[tuple[str, int, bool]]:
    return [(way.decision, way.persons_needed, way.needs_exhibit) for way in gateway.ways(about)]


@pytest.mark.parametrize("policy", ["set-aside", "refuse"])
def test_a_reissue_that_was_paid_in_the_lost_time(ground: Ground, tmp_path: Path, policy: str) -> None:
    """The first payment has not failed here yet: its reissue may not go, and was paid."""
    with ground.open() as gateway:
        hand_over(ground, gateway, FIRST, "FIRST")
        gateway.backup(tmp_path / "backup")
        fail_and_pay_again(ground, gateway)
    go_back(ground, tmp_path)
    edit(ground.site.configuration, 'policy = "set-aside"', f'policy = "{policy}"')
    with ground.open() as gateway:
        hand_over(ground, gateway, AGAIN, "AGAIN")
        assert current(gateway) == {}
        (item,) = [one for one in gateway.held() if one.object == ABOUT]
        assert "perhaps paid by a file that was lost with the ledger" in item.message
        assert ways(gateway) == [("set-aside", 2, True), ("credited", 2, True)]
        assert [hold.reason for hold in gateway.trace(AGAIN.payment_id).holds] == ["REISSUE_REFUSED"]
        assert ground.decide(gateway, ABOUT, "credited", *PERSONS) == [False, True]
        reconcile(ground, gateway)
        # The money is with the payee: the first payment, which waited to be sent, does not go.
        assert current(gateway) == {
            **credited([AGAIN]),
            FIRST.payment_id: ("set_aside", "REISSUE_REFUSED", None),
        }
    assert [one.credited_minor for one in ground.fronts[RURAL].bank.paid()] == [0, AGAIN.amount_minor]


def test_a_reissue_that_was_not_paid_is_set_aside_as_the_rule_says(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        hand_over(ground, gateway, FIRST, "FIRST")
        gateway.backup(tmp_path / "backup")
        fail_and_pay_again(ground, gateway, pays=False)
    go_back(ground, tmp_path)
    ground.bank(RURAL)
    with ground.open() as gateway:
        hand_over(ground, gateway, AGAIN, "AGAIN")
        assert ground.decide(gateway, ABOUT, "set-aside", *PERSONS) == [False, True]
        assert current(gateway) == {AGAIN.payment_id: ("set_aside", "REISSUE_REFUSED", None)}
        reconcile(ground, gateway)
        assert current(gateway)[FIRST.payment_id] == credited([FIRST])[FIRST.payment_id]
        ground.check_sound(gateway)


def test_while_it_waits_the_first_payment_does_not_go(ground: Ground, tmp_path: Path) -> None:
    """Persons reconcile the bank, and have forgotten it."""
    with ground.open() as gateway:
        hand_over(ground, gateway, FIRST, "FIRST")
        gateway.backup(tmp_path / "backup")
        fail_and_pay_again(ground, gateway)
    go_back(ground, tmp_path)
    with ground.open() as gateway:
        hand_over(ground, gateway, AGAIN, "AGAIN")
        reconcile(ground, gateway)
        assert current(gateway) == {FIRST.payment_id: ("set_aside", "REISSUE_REFUSED", None)}
        assert [one.object for one in gateway.held()] == [ABOUT]


def test_a_file_of_before_that_gives_it_back_later_does_not_say_that_it_was_not_paid(
    ground: Ground, tmp_path: Path
) -> None:
    """The first payment lay in a sealed file, another file paid it in the lost time; a reissue of it is
    looked at before, and stops it.
    """
    bank = ground.bank(RURAL)
    with ground.open() as gateway:
        hand_over(ground, gateway, FIRST, "FIRST")
        list(dispatch(gateway.installation, gateway.installation.profile(RURAL)))
        (name,) = [file.name for file in gateway.files()]
        gateway.backup(tmp_path / "backup")
        ground.decide(gateway, f"file:{RURAL}/{name}", "void", PERSONS[0])
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([FIRST])
    go_back(ground, tmp_path)
    about = f"payment:yikatong/{FIRST.payment_id}"
    with ground.open() as gateway:
        hand_over(ground, gateway, AGAIN, "AGAIN")
        reconcile(ground, gateway)
        assert ground.decide(gateway, f"file:{RURAL}/{name}", "not-received", *PERSONS) == [False, True]
        assert current(gateway) == {}
        assert ways(gateway, about) == [("set-aside", 2, True), ("credited", 2, True)]
        assert ground.decide(gateway, about, "credited", *PERSONS) == [False, True]
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([FIRST])
    assert [one.credited_minor for one in bank.paid()] == [FIRST.amount_minor]


def test_a_row_that_is_wrong_in_itself_was_never_paid(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        gateway.backup(tmp_path / "backup")
    go_back(ground, tmp_path)
    wrong = msgspec.structs.replace(
        FIRST, account=FIRST.account[:-1] + str((int(FIRST.account[-1]) + 1) % 10)
    )
    with ground.open() as gateway:
        hand_over(ground, gateway, wrong, "WRONG")
        assert current(gateway) == {FIRST.payment_id: ("set_aside", "INVALID_ACCOUNT", None)}


def test_check_says_that_it_would_be_held(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    with ground.open() as gateway:
        path = ground.write(ground.batch([AGAIN], "AGAIN"), [AGAIN])
        report = gateway.check(path)
        assert (report.sets_aside, report.holds) == (True, False)
        gateway.backup(tmp_path / "backup")
    go_back(ground, tmp_path)
    with ground.open() as gateway:
        report = gateway.check(path)
        assert (report.sets_aside, report.holds) == (False, True)

"""The very bytes of a file that was refused come again: nothing that a bank says is dropped."""

from __future__ import annotations

import os
import shutil

import pytest

from gateway import Gateway
from tests.gateway.sites import CITY, PERSONS, RURAL, Ground, credited, current, payments_of
from tests.gateway.test_rotation import remove_entry

REVIEWER = PERSONS[0]


def put_there_again(ground: Ground, bank: str) -> None:
    """The bank copies the same bytes over its own files, an hour later."""
    for path in ground.inbox(bank).iterdir():
        seen = path.stat()
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns + 3600 * 10**9))


def answers_held(gateway: Gateway) -> list[str]:
    return [item.object for item in gateway.held() if item.object.startswith("received:")]


def states_of_answers(gateway: Gateway) -> list[str]:
    return [received.state for received in gateway.received()]


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
def test_what_a_certificate_was_wanting_for_is_judged_anew(ground: Ground, closed: bool) -> None:
    ground.bank(RURAL)
    ring = ground.site.configuration.parent / "keys.toml"
    known = shutil.copy(ring, ring.with_suffix(".known"))
    payments = payments_of(RURAL, 3)
    remove_entry(ground, f"{RURAL}-ca")
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        about = answers_held(gateway)
        assert states_of_answers(gateway) == ["refused"] * len(about) != []
        for item in about if closed else []:
            assert ground.decide(gateway, item, "close", REVIEWER) == [True]
    shutil.move(known, ring)
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
        assert current(gateway) == {}
        put_there_again(ground, RURAL)
        ground.run_to_the_end(gateway)
        assert (current(gateway), gateway.held()) == (credited(payments), [])
        ground.check_sound(gateway)


def test_what_is_still_not_to_be_believed_waits_for_a_person_again(ground: Ground) -> None:
    ground.bank(RURAL)
    remove_entry(ground, f"{RURAL}-ca")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(RURAL, 3))
        ground.run_to_the_end(gateway)
        about = answers_held(gateway)
        for item in about:
            assert ground.decide(gateway, item, "close", REVIEWER) == [True]
        put_there_again(ground, RURAL)
        ground.run_to_the_end(gateway)
        assert (answers_held(gateway), current(gateway)) == (about, {})


def test_what_a_person_refused_is_shown_again_and_not_decided_over_his_head(ground: Ground) -> None:
    ground.bank(CITY, "unmatched")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        ground.run_to_the_end(gateway)
        (item,) = gateway.held()
        assert ground.decide(gateway, item.object, "refuse", REVIEWER) == [True]
        ground.run_to_the_end(gateway)
        assert gateway.held() == []
        put_there_again(ground, CITY)
        ground.run_to_the_end(gateway)
        (again,) = gateway.held()
        assert (again.object, states_of_answers(gateway)) == (item.object, ["settled", "refused"])
        assert [way.decision for way in again.ways] == ["judge-again", "close"]
        assert ground.decide(gateway, again.object, "close", REVIEWER) == [True]
        assert (gateway.held(), current(gateway)) == ([], {})
        ground.check_sound(gateway)

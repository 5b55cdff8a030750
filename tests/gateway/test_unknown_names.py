"""A name that nobody knows is refused wherever a command takes one: it must not look clean."""

from __future__ import annotations

import pytest

from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, RURAL, Ground
from tests.gateway.test_settle import Sent

_BANK = "bank 'nobank' has no profile"


@pytest.mark.parametrize(
    ("typed", "said", "known"),
    [
        (("charges", "--bank", "nobank"), _BANK, RURAL),
        (("breaches", "--bank", "nobank"), _BANK, RURAL),
        (("statements", "nobank"), _BANK, RURAL),
        (("lists", "no-card", "--bank", "nobank"), _BANK, RURAL),
        (("cards", "offers", "--bank", "nobank"), _BANK, RURAL),
        (("run", "--bank", "nobank"), _BANK, RURAL),
        (("cards", "movable", "--department", "nobody"), "there is no department 'nobody'", "区教育和体育局"),
        (("trace", "P-1", "--platform", "nobody"), "there is no platform 'nobody'", "yikatong"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_an_unknown_name_is_refused_and_the_known_ones_are_told(
    bankgate: Commands, typed: tuple[str, ...], said: str, known: str
) -> None:
    ended = bankgate(*typed)
    assert (ended.code, ended.out) == (2, "")
    error, hint = ended.err.splitlines()
    assert error == f"error: {said}"
    assert known in hint


def test_a_bank_without_a_profile_is_known_by_what_was_paid_through_it(ground: Ground) -> None:
    with ground.open() as gateway:
        Sent(ground, gateway)
        del gateway.configuration.profiles[CITY]
        assert gateway.plan.charges(CITY) == []

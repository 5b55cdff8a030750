"""No name, ID, account or bank text comes out in clear, whatever happens; and what is written is private."""

from __future__ import annotations

import pytest

from tests.canary import stories, told
from tests.canary.life import Life
from tests.gateway.sites import CITY


def nothing_leaked(life: Life) -> None:
    found = life.leaks()
    whole = [leak for leak in found if leak.form != "piece"] or found
    assert found == [], "\n".join(f"{leak.place}: {leak.form}: {leak.around!r}" for leak in whole[:40])
    assert life.open_to_others() == []


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "banks", [(CITY,), pytest.param(stories.BANKS, marks=pytest.mark.heavy)], ids=["one bank", "all banks"]
)
def test_a_good_life_and_every_odd_answer(life: Life, banks: tuple[str, ...]) -> None:
    stories.good_batches(life)
    life.run()
    for bank in banks:
        stories.answers_of_all_kinds(life, bank)
    if len(banks) > 1:
        life.show_everything()
    stories.decide_everything(life)
    stories.hold_and_withdraw(life)
    stories.wrong_arguments(life)
    life.show_everything()
    life.back_up_and_restore()
    nothing_leaked(life)


def test_values_where_they_do_not_belong(life: Life) -> None:
    stories.misplaced_values(life)
    stories.misplaced_in_the_envelope(life)
    stories.broken_batches(life)
    stories.mistaken_calls(life)
    stories.strange_names(life)
    life.show_everything()
    nothing_leaked(life)


def test_what_is_told_besides_and_what_people_are_shown(life: Life) -> None:
    published = told.told_and_shown(life)
    assert published == set()
    nothing_leaked(life)


@pytest.mark.heavy
@pytest.mark.timeout(400)
@pytest.mark.parametrize("bank", stories.BANKS)
def test_values_in_every_place_of_an_answer(life: Life, bank: str) -> None:
    stories.good_batches(life)
    life.run()
    stories.misplaced_in_answers(life, bank)
    stories.strange_names(life)
    life.show_everything()
    nothing_leaked(life)

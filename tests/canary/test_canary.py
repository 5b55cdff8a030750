"""No name, ID, account or bank text comes out in clear, whatever happens; and what is written is private."""

from __future__ import annotations

import pytest

from tests.canary import stories
from tests.canary.life import Life


def nothing_leaked(life: Life) -> None:
    found = life.leaks()
    whole = [leak for leak in found if leak.form != "piece"] or found
    assert found == [], "\n".join(f"{leak.place}: {leak.form}: {leak.around!r}" for leak in whole[:40])
    assert life.open_to_others() == []


def test_a_good_life_and_every_odd_answer(life: Life) -> None:
    stories.good_batches(life)
    life.run()
    for bank in stories.BANKS:
        stories.answers_of_all_kinds(life, bank)
    life.show_everything()
    stories.decide_everything(life)
    life.show_everything()
    nothing_leaked(life)


def test_values_where_they_do_not_belong(life: Life) -> None:
    stories.misplaced_values(life)
    stories.misplaced_in_the_envelope(life)
    stories.broken_batches(life)
    stories.mistaken_calls(life)
    life.show_everything()
    nothing_leaked(life)


@pytest.mark.heavy
@pytest.mark.parametrize("bank", stories.BANKS)
def test_values_in_every_place_of_an_answer(life: Life, bank: str) -> None:
    stories.good_batches(life)
    life.run()
    stories.misplaced_in_answers(life, bank)
    stories.strange_names(life)
    life.show_everything()
    nothing_leaked(life)

"""The process may be killed at any step: started again without any flag, it pays everybody once."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.gateway.sites import ISO, RURAL
from tests.kills.histories import KINDS, Deadly, Plan, Theatre, make_plan, plans
from tests.kills.scene import BANKS, Habits
from tests.simulation.auditor import Violation

QUICK_HISTORIES = (0, 4, 8, 9)
"""Each bank, and each of the four habits."""
QUICK_KILLS = 6
OF_HISTORIES = 48
HEAVY_HISTORIES = 16
HEAVY_KILLS = 8


@pytest.mark.parametrize("seed", QUICK_HISTORIES)
def test_killed_again_and_again(theatre: Theatre, seed: int) -> None:
    told = theatre.play(make_plan(seed, OF_HISTORIES, QUICK_KILLS))
    # The last ones may wait for steps that do not come any more.
    assert sum(told.kills.values()) > QUICK_KILLS // 2


def test_undisturbed_history_has_every_kind_of_step(theatre: Theatre) -> None:
    told = theatre.play(Plan(1_000, BANKS, Habits(), (), migrated=False))
    assert (set(told.seen), told.kills, told.decided) == (set(KINDS), {}, {})


def test_a_file_sent_again_after_a_crash_is_found(theatre: Theatre) -> None:
    """The laboratory can fail: killed after the rename, a gateway with this bug sends the file twice."""
    # The bank sees the second one, and says so.
    with pytest.raises(Violation, match="has this file already"):
        theatre.play(_killed_after_the_rename(1_001), bug="send-again")


@pytest.mark.heavy
def test_the_same_kill_without_the_bug_sends_once(theatre: Theatre) -> None:
    """The file is uncertain, then the bank's answer about its payments proves that it arrived."""
    told = theatre.play(_killed_after_the_rename(1_002))
    assert (told.kills, told.decided) == ({"after channel rename": 1}, {})


def _killed_after_the_rename(seed: int) -> Plan:
    """With one rename a file is complete at this bank, which takes it away at once."""
    deadly = Deadly(1, "after channel rename", patience_steps=1_000)
    return Plan(seed, (ISO,), Habits(keeps=False, eager=True), (deadly,), migrated=True)


def test_killed_between_two_parts_of_an_answer_that_is_archived(theatre: Theatre) -> None:
    """Data, signature and flag are moved one by one; this bank releases by flag, so all renames are these."""
    deadly = tuple(Deadly(1, "after channel rename", patience_steps=1_000) for _ in range(3))
    told = theatre.play(Plan(1_003, (RURAL,), Habits(), deadly, migrated=True))
    assert (told.kills, told.decided) == ({"after channel rename": 3}, {})


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_many_histories(theatre: Theatre) -> None:
    kills: Counter[str] = Counter()
    for plan in plans(HEAVY_HISTORIES, HEAVY_KILLS):
        kills.update(theatre.play(plan).kills)
    assert sum(kills.values()) > HEAVY_HISTORIES * HEAVY_KILLS // 2

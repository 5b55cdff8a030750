"""Histories with crashes and faults keep the one promise; they can be repeated, and made small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.history import Ended, play, play_seed
from tests.simulation.laboratory import scratch
from tests.simulation.mutants import BUGS
from tests.simulation.script import read_script, write_script
from tests.simulation.shrink import shrink
from tests.simulation.world import Base

QUICK_SEEDS = range(6)
HEAVY_SEEDS = range(1000, 1060)
KEPT = sorted((Path(__file__).parent / "kept").glob("*.json"))


@pytest.fixture(scope="module")
def base() -> Iterator[Base]:
    with scratch() as folder:
        yield Base(folder / "base")


@pytest.mark.parametrize("seed", QUICK_SEEDS)
def test_history_keeps_the_promise(base: Base, seed: int) -> None:
    assert play_seed(base, seed).violation == ""


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_kept_history_keeps_the_promise(base: Base, path: Path) -> None:
    assert play(base, read_script(path)).violation == ""


def test_same_seed_gives_the_same_history(base: Base) -> None:
    first, second = play_seed(base, 3), play_seed(base, 3)
    assert first.trace == second.trace
    assert first == second


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_many_histories_keep_the_promise(base: Base) -> None:
    ended = [play_seed(base, seed) for seed in HEAVY_SEEDS]
    assert [one.violation for one in ended if one.violation] == []
    assert sum(one.faults for one in ended) > 10 * len(HEAVY_SEEDS)


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_a_failing_history_is_made_small_and_kept(
    base: Base, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    BUGS["lost_cursor"](monkeypatch)
    failing = next(_failing(base))
    small = shrink(base, failing, tries=40)
    assert len(small.steps) < len(failing.script.steps)
    write_script(tmp_path / "kept.json", small)
    assert play(base, read_script(tmp_path / "kept.json")).violation != ""
    monkeypatch.undo()
    assert play(base, small).violation == ""


def _failing(base: Base) -> Iterator[Ended]:
    for seed in range(60):
        ended = play_seed(base, seed)
        if ended.violation:
            yield ended

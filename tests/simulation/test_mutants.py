"""The test of the tests: plausible bugs, each of which the laboratory finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.history import play_seed
from tests.simulation.laboratory import scratch
from tests.simulation.mutants import BUGS
from tests.simulation.world import Base

SEEDS = range(400)
"""Histories enough that one of them finds the bug; the first that does ends the test."""

_QUICK = ("rename_before_sync", "lost_cursor")
"""Found within the first histories; the others take up to some minutes."""


@pytest.fixture(scope="module")
def base() -> Iterator[Base]:
    with scratch() as folder:
        yield Base(folder / "base")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "bug", [pytest.param(bug, marks=() if bug in _QUICK else pytest.mark.heavy) for bug in BUGS]
)
def test_bug_is_found(base: Base, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    BUGS[bug](monkeypatch)
    found = next((one.violation for one in (play_seed(base, seed) for seed in SEEDS) if one.violation), "")
    # What is found is a broken promise, not a mistake of the patch itself.
    assert found
    assert not any(word in found for word in ("TypeError", "AttributeError", "NameError")), found

"""The demonstration, killed at any moment, ends with the outcomes of an undisturbed one."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from gateway import Gateway, Outcome, Reason
from gateway.demonstration.site import Site
from tests.gateway.commands import start

COUNT = 300
SEED = 7


def demo(folder: Path) -> subprocess.Popen[str]:
    return start("demo", "--payments", COUNT, "--seed", SEED, "--folder", folder, "--json")


def ended(folder: Path, said: str) -> dict[str, Outcome]:
    """The last outcome of each payment, after the sum and the banks' own books were compared."""
    result = json.loads(said)
    with Gateway.open(Site(folder).configuration) as gateway:
        assert [one.adds_up for one in gateway.status()] == [True]
        last = {one.payment_id: one for one in gateway.outcomes(only_current=True)}
    # A payment under a code that no table lists was paid, and says so nowhere.
    unsaid = sum(one.amount_minor for one in last.values() if one.reason is Reason.UNMAPPED)
    assert result["adds_up"]
    assert result["really_paid_minor"] == result["credited_minor"] + unsaid
    return last


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_killed_at_any_moment_it_goes_on(tmp_path: Path) -> None:
    undisturbed = demo(tmp_path / "undisturbed")
    out, err = undisturbed.communicate(timeout=300)
    assert undisturbed.returncode == 0, out + err
    expected = ended(tmp_path / "undisturbed", out)
    assert len(expected) == COUNT
    draw = random.Random(SEED)
    folder = tmp_path / "disturbed"
    for _ in range(6):
        process = demo(folder)
        try:
            process.communicate(timeout=draw.uniform(0.5, 9))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    process = demo(folder)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    found = ended(folder, out)
    assert {name: _told(one) for name, one in found.items()} == {
        name: _told(one) for name, one in expected.items()
    }


def _told(outcome: Outcome) -> tuple[str, str, int | None]:
    return outcome.status, outcome.reason, outcome.credited_minor

"""The demonstration, killed at any moment, ends with the outcomes of an undisturbed one."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway import Gateway
from gateway.demonstration.site import Site
from tests.gateway.commands import start

COUNT = 300
SEED = 7


def demo(folder: Path) -> subprocess.Popen[str]:
    return start("demo", "--payments", COUNT, "--seed", SEED, "--folder", folder)


def ended(folder: Path) -> list[tuple[object, ...]]:
    with Gateway.open(Site(folder).configuration) as gateway:
        status = gateway.status()
        assert [one.adds_up for one in status] == [True]
        return sorted(
            (one.payment_id, one.status, one.reason, one.credited_minor)
            for one in gateway.outcomes(only_current=True)
        )


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_killed_at_any_moment_it_goes_on(tmp_path: Path) -> None:
    undisturbed = demo(tmp_path / "undisturbed")
    out, err = undisturbed.communicate(timeout=300)
    assert undisturbed.returncode == 0, out + err
    expected = ended(tmp_path / "undisturbed")
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
    assert ended(folder) == expected
    shutil.rmtree(folder)

"""`bankgate demo`, killed at any step and started again with the same folder, ends the same."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from gateway import Gateway
from gateway.demonstration.site import Site
from tests.gateway.sites import current
from tests.kills.histories import Theatre
from tests.kills.launcher import Ended, Process
from tests.kills.process import Order

PAYMENTS = 30
MOMENTS = (0.05, 0.25, 0.45, 0.65, 0.85)


def _demo(theatre: Theatre, folder: Path, deadly: int = 0) -> tuple[Ended, int]:
    """Run it, to the end or to the deadly step; how many steps it took."""
    arguments = ["demo", "--folder", str(folder), "--payments", str(PAYMENTS), "--json"]
    process = Process(theatre.launcher, Order(arguments=arguments, at=None))
    steps = 0
    while process.next_step() is not None:
        steps += 1
        if steps == deadly:
            process.kill()
            break
        process.go_on()
    return process.end(), steps


def _outcomes(folder: Path) -> dict[str, tuple[str, str, int | None]]:
    with Gateway.open(Site(folder).configuration) as gateway:
        assert all(status.adds_up for status in gateway.status())
        return current(gateway)


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_killed_demo(theatre: Theatre, tmp_path: Path) -> None:
    ended, steps = _demo(theatre, tmp_path / "undisturbed")
    assert ended.code == 0, ended.output
    undisturbed = _outcomes(tmp_path / "undisturbed")
    assert len(undisturbed) == PAYMENTS
    random = Random(1)
    for share in MOMENTS:
        folder = tmp_path / f"killed-{share}"
        killed, _ = _demo(theatre, folder, int(steps * share) + random.randrange(steps // 20))
        assert killed.killed
        again, _ = _demo(theatre, folder)
        assert again.code == 0, again.output
        assert (share, _outcomes(folder)) == (share, undisturbed)

"""`bankgate demo`, killed at a numbered step and started again with the same folder, ends the same.

What a simulated bank does with a payment is drawn from its reference, which holds the file's
number. A file that was numbered and not yet sealed when the process died is given up, and its
payments go under the next number: then the bank draws anew, and only what is not drawn is equal.
"""

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
Outcomes = dict[str, tuple[str, str, int | None]]
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


def _outcomes(folder: Path) -> tuple[bool, Outcomes]:
    """Whether every number was used, and what became of the payments."""
    with Gateway.open(Site(folder).configuration) as gateway:
        assert [status.batch_id for status in gateway.status() if not status.adds_up] == []
        assert {file.state for file in gateway.files()} <= {"settled", "voided"}
        return all(file.state == "settled" for file in gateway.files()), current(gateway)


def _not_drawn(outcomes: Outcomes) -> dict[str, str]:
    """Whose payments went to a bank, and why the others did not."""
    return {name: reason if status == "set_aside" else "" for name, (status, reason, _) in outcomes.items()}


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_killed_demo(theatre: Theatre, tmp_path: Path) -> None:
    ended, steps = _demo(theatre, tmp_path / "undisturbed")
    assert ended.code == 0, ended.output
    all_used, undisturbed = _outcomes(tmp_path / "undisturbed")
    assert (all_used, len(undisturbed)) == (True, PAYMENTS)
    random = Random(1)
    for share in MOMENTS:
        folder = tmp_path / f"killed-{share}"
        killed, _ = _demo(theatre, folder, int(steps * share) + random.randrange(steps // 20))
        assert killed.killed
        again, _ = _demo(theatre, folder)
        assert again.code == 0, again.output
        all_used, outcomes = _outcomes(folder)
        assert (share, _not_drawn(outcomes)) == (share, _not_drawn(undisturbed))
        if all_used:
            assert (share, outcomes) == (share, undisturbed)

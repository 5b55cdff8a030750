"""A process that is stopped in the middle of its work keeps the lock; a dead one gives it up."""

from __future__ import annotations

import pytest

from tests.gateway.sites import CITY
from tests.kills.histories import Theatre
from tests.kills.launcher import Process
from tests.kills.scene import Scene
from tests.proxy import Proxy

MOMENTS = ("during channel put", pytest.param("before channel rename", marks=pytest.mark.heavy))


def _run_until(scene: Scene, step: str, times: int = 1) -> Process:
    """A run that stands at the step; it has not been told to go on."""
    process = scene.start("run")
    while times:
        reached = process.next_step()
        assert reached is not None
        times -= reached == step
        if times:
            process.go_on()
    return process


def _submitted(theatre: Theatre, name: str, bank: str, port: int | None = None) -> Scene:
    scene = theatre.scene(name, banks=[bank], port=port)
    scene.use_migrated_ledger()
    assert scene.command("submit").code == 0
    return scene


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_second_run_beside_a_stopped_one_is_refused(theatre: Theatre, moment: str) -> None:
    scene = _submitted(theatre, f"stopped-{moment.replace(' ', '-')}", CITY)
    process = _run_until(scene, moment)
    process.stop()
    process.go_on()
    second = scene.command("run")
    assert (second.code, "another process is running this instance" in second.output) == (2, True)
    process.wake()
    assert process.run_out().code == 0
    scene.pass_time()
    scene.finish()
    assert scene.decided == {}


@pytest.mark.heavy
def test_a_connection_that_broke_while_the_process_was_stopped(theatre: Theatre) -> None:
    with Proxy(theatre.server.host, theatre.server.port) as proxy:
        scene = _submitted(theatre, "stopped-line", CITY, proxy.port)
        process = _run_until(scene, "during channel put")
        process.stop()
        process.go_on()
        proxy.sever()
        process.wake()
        assert process.run_out().code == 4
        assert scene.states() == ["sealed", "sealed"]
        scene.pass_time()
        scene.finish()
    assert scene.decided == {}


def test_a_killed_process_gives_the_lock_up(theatre: Theatre) -> None:
    scene = _submitted(theatre, "lock", CITY)
    process = _run_until(scene, "during channel put")
    assert scene.states() == ["uploading", "sealed"]
    process.kill()
    assert process.end().killed
    assert scene.command("run").code == 0
    assert scene.states() == ["sent", "sent"]
    scene.finish()
    assert scene.decided == {}


def test_nothing_is_at_the_bank_before_its_release_is_committed(theatre: Theatre) -> None:
    """At every step of a run: what the bank has taken is `releasing` in the ledger, or further."""
    scene = _submitted(theatre, "order", CITY)
    process = scene.start("run")
    bank = scene.fronts[CITY].bank
    taken_early = []
    while (step := process.next_step()) is not None:
        scene.banks_work()
        early = [
            name for name, state in scene.files() if bank.saw(name) and state not in ("releasing", "sent")
        ]
        taken_early += [(step, name) for name in early]
        process.go_on()
    assert (process.end().code, taken_early, scene.states()) == (0, [], ["sent", "sent"])

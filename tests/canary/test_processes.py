"""What can be seen of the real process from outside, at every step, and what it leaves when it dies.

At each step of a command: its arguments and environment, every file that it holds open (also
one whose name is gone already), and everything that lies on the disk then.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from formats import Payment
from formats.records import PayeeRole
from tests.canary import marks
from tests.canary.search import Leak, leaks_below, leaks_in, open_to_others
from tests.gateway.sites import CITY, RURAL
from tests.kills import scene as kills_scene
from tests.kills.histories import Theatre, open_theatre
from tests.kills.launcher import Ended, Process
from tests.kills.scene import Scene

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]
COMMANDS = ("submit", "run", "run", "run")
_GIVEN = ("profiles", "agreements", "keys", "keys.toml", "bankgate.toml")
_KILLED_EVERY = 7
_LIMITS_BYTES = (16 << 10, 48 << 10)


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Processes whose temporary files lie in a folder that is searched."""
    folder = tmp_path_factory.mktemp("processes")
    temporary = folder / "temporary"
    temporary.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TMPDIR", "SQLITE_TMPDIR"):
            patch.setenv(name, str(temporary))
        patch.setattr(kills_scene, "payments_of", _marked)
        with open_theatre(folder) as opened:
            yield opened


def _marked(bank: str, count: int, *, prefix: str = "P") -> list[Payment]:
    """As the scene asks for them: payments that leave without anybody's decision."""
    plain = {"payee_role": PayeeRole.SELF, "payee_name": "", "payee_id": "", "payee_ground": ""}
    return [msgspec.structs.replace(one, **plain) for one in marks.payments(bank, count, prefix=prefix)]


class Watch:
    """Looks at one scene from outside. `looks` counts how often, so that a test shows it did."""

    def __init__(self, scene: Scene, temporary: Path) -> None:
        self._scene = scene
        self._temporary = temporary
        self._given = [scene.gateway_folder / name for name in _GIVEN]
        self.found: set[Leak] = set()
        self.looks = 0

    def command(self, command: str, die_at: int | None = None) -> Ended:
        """Run a command, look at each of its steps, kill it at one of them."""
        process = self._scene.start(command)
        number = 0
        while (step := process.next_step()) is not None:
            number += 1
            self._look(process, step)
            if number == die_at:
                process.kill()
            else:
                process.go_on()
        return self.hear(command, process.end())

    def hear(self, command: str, ended: Ended) -> Ended:
        self.found |= leaks_in(f"said by {command}", ended.output.encode(), text=True)
        self.found |= self.on_disk()
        return ended

    def on_disk(self) -> set[Leak]:
        folders = (self._scene.gateway_folder, self._temporary)
        return {leak for folder in folders for leak in leaks_below(folder, self._given)}

    def open_to_others(self) -> list[str]:
        return open_to_others(self._scene.gateway_folder, self._given)

    def _look(self, process: Process, step: str) -> None:
        self.looks += 1
        own = Path(f"/proc/{process.pid}")
        for name in ("cmdline", "environ"):
            self.found |= leaks_in(f"{name} {step}", (own / name).read_bytes(), text=True)
        for handle in (own / "fd").iterdir():
            self.found |= self._held_open(handle, step)
        if not self.looks % 5:
            self.found |= self.on_disk()

    def _held_open(self, handle: Path, step: str) -> set[Leak]:
        """What a file that the process holds open contains; files that others gave are left out."""
        target = Path(os.readlink(handle))
        given = (self._scene.site.batch.parent, self._scene.site.folder / "banks", *self._given)
        if any(folder == target or folder in target.parents for folder in given):
            return set()
        if not stat.S_ISREG(handle.stat().st_mode):
            return set()
        return leaks_in(f"open file {target} {step}", handle.read_bytes())


def _watch(theatre: Theatre, name: str, **options: object) -> tuple[Scene, Watch]:
    scene = theatre.scene(name, banks=[CITY, RURAL], payments=4, **options)  # type: ignore[arg-type]
    scene.use_migrated_ledger()
    scene.ledger_path.chmod(0o600)
    return scene, Watch(scene, Path(os.environ.get("TMPDIR", "/tmp")))


def test_nothing_is_seen_from_outside_at_any_step(theatre: Theatre) -> None:
    scene, watch = _watch(theatre, "watched")
    for command in COMMANDS:
        watch.command(command)
        scene.pass_time()
    assert watch.looks > 100
    assert sorted(watch.found) == []
    assert watch.open_to_others() == []
    assert "settled" in scene.states()


def test_nothing_is_left_in_clear_by_a_process_that_dies(theatre: Theatre) -> None:
    scene, watch = _watch(theatre, "killed")
    killed = 0
    for command in COMMANDS:
        die_at = 1
        while watch.command(command, die_at).killed:
            killed += 1
            die_at += _KILLED_EVERY
            scene.pass_time()
    assert killed > 10
    assert sorted(watch.found) == []
    assert watch.open_to_others() == []


@pytest.mark.parametrize("limit_bytes", _LIMITS_BYTES)
def test_nothing_is_said_or_left_by_a_full_disk(theatre: Theatre, limit_bytes: int) -> None:
    scene, watch = _watch(theatre, f"full-{limit_bytes}")
    codes = []
    for command in COMMANDS:
        codes.append(watch.hear(command, scene.command(command, largest_file_bytes=limit_bytes)).code)
        watch.hear(command, scene.command(command))
        scene.pass_time()
    assert 5 in codes
    assert sorted(watch.found) == []


def test_nothing_is_said_or_left_by_a_broken_line(theatre: Theatre) -> None:
    """A server that is not there, then one that is stopped in the middle of an exchange."""
    scene, watch = _watch(theatre, "no-line", port=1)
    for command in COMMANDS:
        watch.hear(command, scene.command(command))
        scene.pass_time()
    assert sorted(watch.found) == []
    assert watch.open_to_others() == []

"""Histories of a small batch whose commands are killed at numbered steps and started again.

Steps are counted over the whole history, those that are done again after a kill included.
A seed decides which are deadly, so a history can be played again; only a kill between two
steps (some microseconds into whatever comes next) falls where it falls.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct

from gateway.demonstration.site import Site
from tests.gateway.sites import CITY, ISO, RURAL
from tests.kills.launcher import Launcher
from tests.kills.scene import BANKS, Habits, Scene, make_master
from tests.servers import OpenSshServer
from tests.simulation.auditor import Violation

COMMANDS = ("submit", "run", "run", "run")
"""What an undisturbed history needs: hand over; make and send; fetch; settle what needed a second look."""
STEPS_PER_HISTORY = 250
"""An undisturbed history with one bank has at least as many; the first kill falls on one of them."""
KINDS = tuple(
    f"{moment} {what}"
    for what in (
        "channel rename",
        "ledger commit",
        "channel put",
        "channel get",
        "disk publish",
        "channel stat",
        "channel list",
        "disk sync",
        "channel remove",
        "disk create",
        "channel open",
        "disk remove",
        "ledger migrate",
    )
    for moment in ("before", "after", "during")
    if moment != "during" or what in ("channel put", "channel get")
)
"""Every kind of step that there is; every other kill waits for one of them in turn."""
_GAPS = (5, 60)
_BETWEEN_SECONDS = 0.003
_BETWEEN_EVERY = 4


class Deadly(Struct, frozen=True):
    """The process dies so many steps after the last kill, or at the first step of the kind after that."""

    steps: int
    kind: str = ""
    patience_steps: int = 60
    """So long is a step of the kind waited for; then any will do."""


class Plan(Struct, frozen=True):
    """One history: whose banks, their habits, and its deadly steps, one after the other."""

    seed: int
    banks: tuple[str, ...]
    habits: Habits
    deadly: tuple[Deadly, ...]
    migrated: bool


class Told(Struct, frozen=True):
    """What a history came to."""

    plan: Plan
    seen: dict[str, int]
    """Steps by kind."""
    kills: dict[str, int]
    """By kind of step."""
    decided: dict[str, int]
    """What persons were asked."""


def make_plan(seed: int, of: int, kills: int, banks: Sequence[str] = ()) -> Plan:
    """History `seed` of `of`: its first kill is on its own share of all the steps, the others follow."""
    random = Random(seed)
    lone = (RURAL, CITY, ISO)[seed % 3]
    chosen = tuple(banks) or (lone,)
    # Each bank meets all four habits, whatever the number of histories.
    habits = Habits(keeps=seed // 3 % 2 == 0, eager=seed // 6 % 2 == 0)
    width = STEPS_PER_HISTORY * len(chosen) / of
    deadly = [Deadly(1 + int(seed % of * width + random.random() * width))]
    for number in range(1, kills):
        kind = KINDS[(seed * kills + number) % len(KINDS)] if number % 2 else ""
        deadly.append(Deadly(random.randint(*_GAPS), kind))
    return Plan(seed, chosen, habits, tuple(deadly), migrated=random.random() < 0.8)


class Theatre:
    """What histories are played with: a folder, a master site, a server and a launcher."""

    def __init__(self, folder: Path, master: Site, server: OpenSshServer, launcher: Launcher) -> None:
        self.folder = folder
        self.master = master
        self.server = server
        self.launcher = launcher

    def scene(self, name: str, **given: Any) -> Scene:
        """A scene in a folder of its own."""
        return Scene(self.master, self.folder / name, self.launcher, self.server, **given)

    def play(self, plan: Plan, bug: str = "") -> Told:
        """Play a history to its end and audit it. Raises `Violation`; its folder is kept then."""
        scene = self.scene(f"history-{plan.seed}{bug}", banks=plan.banks, habits=plan.habits, bug=bug)
        if plan.migrated:
            scene.use_migrated_ledger()
        history = _History(scene, plan)
        try:
            history.play()
            scene.finish()
        except Violation as violation:
            raise Violation(f"{plan}: killed {history.told}: {violation}") from violation
        shutil.rmtree(scene.site.folder)
        return Told(plan, dict(history.seen), dict(history.kills), dict(scene.decided))


class _History:
    def __init__(self, scene: Scene, plan: Plan) -> None:
        self.seen: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.told: list[str] = []
        self._scene = scene
        self._habits = plan.habits
        self._migrated = plan.migrated
        self._deadly = list(reversed(plan.deadly))
        self._since = 0
        self._random = Random(plan.seed)

    def play(self) -> None:
        # Where nothing was migrated the first command makes the ledger.
        for command in COMMANDS if self._migrated else ("begin", *COMMANDS):
            while self._killed(command):
                self._scene.banks_work()
            self._scene.pass_time()

    def _killed(self, command: str) -> bool:
        """Start the command; whether it was killed."""
        process = self._scene.start(command)
        while (step := process.next_step()) is not None:
            self.seen[step] += 1
            if self._habits.eager:
                self._scene.banks_work()
            if not self._is_deadly(step):
                process.go_on()
                continue
            kind = step
            if self._random.randrange(_BETWEEN_EVERY) == 0:
                process.go_on()
                if not process.steps_within(self._random.random() * _BETWEEN_SECONDS):
                    kind = "between steps"
            process.kill()
            self.kills[kind] += 1
            self.told.append(f"{self.seen.total()} {command}: {kind}, at {step}")
            process.end()
            return True
        ended = process.end()
        if ended.code not in (0, 1):
            raise Violation(f"{command} ended with {ended.code}: {ended.output}")
        return False

    def _is_deadly(self, step: str) -> bool:
        self._since += 1
        if not self._deadly or self._since < self._deadly[-1].steps:
            return False
        waited = self._since - self._deadly[-1].steps
        if self._deadly[-1].kind not in ("", step) and waited < self._deadly[-1].patience_steps:
            return False
        self._deadly.pop()
        self._since = 0
        return True


@contextmanager
def open_theatre(folder: Path) -> Iterator[Theatre]:
    """Everything that histories need, below a folder."""
    with OpenSshServer(folder) as server, Launcher() as launcher:
        yield Theatre(folder, make_master(folder / "master", server), server, launcher)


def plans(histories: int, kills: int) -> Iterator[Plan]:
    """Histories of one bank each, and every eighth with all banks at once."""
    for seed in range(histories):
        yield make_plan(seed, histories, kills, BANKS if seed % 8 == 7 else ())

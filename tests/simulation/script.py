"""A history on paper: what the world is like, what is done step by step, and what goes wrong.

A script of a seed alone leaves the faults open: its steps draw them. Played, every step has the
faults that it met, and the script can be kept, changed and played again without the seed's draws.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from gateway.demonstration.people import BANKS
from gateway.simulator.scenario import Kind
from tests.simulation.faults import Given

STORM_STEPS = 64

_RATES = (0.0, 0.03, 0.08, 0.2)
"""Shares of a step's I/Os that go wrong: where everything fails at once nothing gets far."""


class Act(StrEnum):
    """What a step does."""

    RUN = "run"
    SUBMIT = "submit"
    REISSUE = "reissue"
    DECIDE = "decide"
    MEDDLE = "meddle"
    """Persons decide about things that do not wait: they hold, withdraw, void."""
    WAIT = "wait"
    TELL = "tell"
    """A bank says something out of turn, true or not."""
    CONFUSE = "confuse"
    """A bank answers about one file in the name of another."""
    TAKE_BACK = "take back"
    """A bank refuses in an acknowledgement what it took."""
    REPEAT = "repeat"
    """A bank posts its answers about a file again."""
    SWEEP = "sweep"
    FAIL_OVER = "fail over"
    BEHAVE = "behave"
    """A bank follows another scenario from now on."""
    ANCHOR_FAILS = "anchor fails"
    """The anchor's server fails over to an older state."""
    ANCHOR_STUCK = "anchor stuck"
    """Nobody reaches the anchor, or it is well again."""
    STRANGE_FILE = "strange file"
    """A bank puts something into its folder that is no answer to us."""
    BACKUP = "backup"
    RESTORE = "restore"
    """Ledger and spool are lost, and restored from the backup."""
    ROLL_BACK = "roll back"
    """Ledger and spool are those of the backup, and nobody says so: the anchor knows."""
    DISTRUST = "distrust"
    """A bank's certificate is missing in the ring, or there again."""


_SHARES: dict[Act, int] = {
    Act.RUN: 36,
    Act.SUBMIT: 8,
    Act.REISSUE: 6,
    Act.DECIDE: 12,
    Act.MEDDLE: 6,
    Act.WAIT: 13,
    Act.TELL: 7,
    Act.CONFUSE: 1,
    Act.TAKE_BACK: 1,
    Act.REPEAT: 1,
    Act.SWEEP: 1,
    Act.FAIL_OVER: 2,
    Act.BEHAVE: 3,
    Act.ANCHOR_FAILS: 1,
    Act.ANCHOR_STUCK: 1,
    Act.STRANGE_FILE: 1,
    Act.DISTRUST: 1,
}


class Step(Struct, kw_only=True):
    """One step. Its number seeds whatever it draws; `faults` None: they are drawn, by `rate`."""

    number: int
    act: Act
    rate: float = 0.0
    faults: list[Given] | None = None


class BankTraits(Struct, frozen=True, kw_only=True):
    """One bank of a history, as far as the profile or the machine room decides."""

    bank: str
    kinds: list[Kind]
    seed: int
    share_per_mille: int
    late_looks: int
    late_hours: int
    keeps_files: bool
    may_be_read: bool
    takes_at_once: bool
    archive: bool
    records_per_file: int
    file_bytes: int | None
    retry_bound: int


class Traits(Struct, frozen=True, kw_only=True):
    """What a history's world is like."""

    banks: list[BankTraits]
    platform_must_sign: bool
    windows: bool
    anchor: bool


class Script(Struct, kw_only=True):
    """One history. `why` says in a kept one what it once showed."""

    seed: int
    traits: Traits
    steps: list[Step]
    why: str = ""


def draw_script(seed: int, rate: float = 1.0) -> Script:
    """The history of a seed; `rate` multiplies the shares of I/Os that go wrong."""
    random = Random(f"{seed}/script")
    acts = random.choices(list(_SHARES), list(_SHARES.values()), k=STORM_STEPS)
    # Without a batch nothing moves.
    acts[0] = Act.SUBMIT
    rates = [rate * random.choice(_RATES) for _ in acts]
    steps = [
        Step(number=n, act=act, rate=each) for n, (act, each) in enumerate(zip(acts, rates, strict=True), 1)
    ]
    if random.random() < _RESTORED:
        _insert_restore(random, steps)
    return Script(seed=seed, traits=_draw_traits(random), steps=steps)


_RESTORED = 0.15
"""Share of histories in which the ledger goes back to a backup."""


def _insert_restore(random: Random, steps: list[Step]) -> None:
    first = random.randint(4, STORM_STEPS // 2)
    second = random.randint(first + 2, STORM_STEPS - 4)
    steps[first].act, steps[second].act = Act.BACKUP, random.choice([Act.RESTORE, Act.ROLL_BACK])


def _draw_traits(random: Random) -> Traits:
    names = random.sample([bank.bank for bank in BANKS], random.choice([1, 1, 2]))
    return Traits(
        banks=[draw_bank(random, name) for name in names],
        platform_must_sign=random.random() < 0.3,
        windows=random.random() < 0.4,
        anchor=random.random() < 0.5,
    )


def draw_bank(random: Random, name: str) -> BankTraits:
    """A bank with up to three behaviours; those that its layouts cannot write are left out later."""
    kinds = [kind for kind in Kind if kind is not Kind.ALL_WELL]
    return BankTraits(
        bank=name,
        kinds=random.sample(kinds, random.choice([0, 1, 2, 2, 3])),
        seed=random.getrandbits(32),
        share_per_mille=random.choice([50, 200, 400]),
        late_looks=random.randint(1, 4),
        late_hours=random.choice([0, 0, 1, 30]),
        keeps_files=random.random() < 0.5,
        may_be_read=random.random() < 0.7,
        takes_at_once=random.random() < 0.6,
        archive=random.random() < 0.4,
        records_per_file=random.choice([1, 3, 7, 100]),
        file_bytes=random.choice([None, None, None, 8000]),
        retry_bound=random.choice([3, 5, 8]),
    )


def read_script(path: Path) -> Script:
    """A script that was kept. Raises `msgspec.ValidationError`."""
    return msgspec.json.decode(path.read_bytes(), type=Script)


def write_script(path: Path, script: Script) -> None:
    """Keep a script: JSON with a step a line."""
    whole = msgspec.to_builtins(script)
    steps = ",\n  ".join(msgspec.json.encode(step).decode() for step in whole.pop("steps"))
    head = msgspec.json.format(msgspec.json.encode(whole), indent=1).decode().rstrip()
    path.write_text(f'{head.removesuffix("}").rstrip()},\n "steps": [\n  {steps}\n ]\n}}\n', "utf-8")

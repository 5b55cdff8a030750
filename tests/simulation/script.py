"""A history on paper: what the world is like, what is done step by step, and what goes wrong.

A script of a seed alone leaves the faults open: its steps draw them. Played, every step has the
faults that it met, and the script can be kept, changed and played again without the seed's draws.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from gateway.demonstration.people import BANKS
from gateway.simulator.scenario import Kind
from tests.simulation.acts import ALL, PLOTS, SHARES, Act, Move
from tests.simulation.faults import Given

STORM_STEPS = 64

_RATES = (0.0, 0.03, 0.08, 0.2)
"""Shares of a step's I/Os that go wrong: where everything fails at once nothing gets far."""
_QUIET_RATES = (0.0, 0.0, 0.03)
"""The same within a plot, of which something should be left."""
_PLOTTED = 0.5
"""Share of histories with a plot."""
_RELEASED = 0.6
"""Share of lists of which everything that waits is decided at once."""
_RESTORED = 0.1
"""Share of histories in which the ledger goes back to a backup."""


class Step(Struct, kw_only=True):
    """One step. Its number seeds whatever it draws; `faults` None: they are drawn, by `rate`.

    `aim` and `say` narrow down what is drawn, for steps of a plot: which of a bank's files, which
    word about its payments, how long, how much.
    """

    number: int
    act: Act
    aim: str = ""
    say: str = ""
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
    catalogue: bool = False
    """Payments are held to a catalogue, which lacks some programmes."""


class Script(Struct, kw_only=True):
    """One history. `why` says in a kept one what it once showed."""

    seed: int
    traits: Traits
    steps: list[Step]
    why: str = ""


def draw_script(seed: int, rate: float = 1.0) -> Script:
    """The history of a seed; `rate` multiplies the shares of I/Os that go wrong."""
    random = Random(f"{seed}/script")
    acts = random.choices(list(SHARES), list(SHARES.values()), k=STORM_STEPS)
    # Without a batch nothing moves.
    acts[0] = Act.SUBMIT
    chosen = [move for act in acts for move in _with_release(random, act)][:STORM_STEPS]
    plot: range = range(0)
    if random.random() < _PLOTTED:
        moves = random.choice(random.choice(PLOTS))
        at = random.randint(1, len(chosen) - 1)
        chosen[at:at], plot = moves, range(at, at + len(moves))
    elif random.random() < _RESTORED:
        _insert_restore(random, chosen)
    rates = [rate * random.choice(_QUIET_RATES if place in plot else _RATES) for place in range(len(chosen))]
    steps = [
        Step(number=number, act=move.act, aim=move.aim, say=move.say, rate=each, faults=_given(move))
        for number, (move, each) in enumerate(zip(chosen, rates, strict=True), 1)
    ]
    return Script(seed=seed, traits=_draw_traits(random), steps=steps)


def _with_release(random: Random, act: Act) -> list[Move]:
    """Most lists are decided upon at once, or hardly anything would leave while it storms."""
    if act is Act.SUBMIT and random.random() < _RELEASED:
        return [Move(act), Move(Act.DECIDE, ALL)]
    return [Move(act)]


def _given(move: Move) -> list[Given] | None:
    return None if move.faults is None else list(move.faults)


def _insert_restore(random: Random, moves: list[Move]) -> None:
    first = random.randint(4, STORM_STEPS // 2)
    second = random.randint(first + 2, STORM_STEPS - 4)
    moves[first], moves[second] = Move(Act.BACKUP), Move(random.choice([Act.RESTORE, Act.ROLL_BACK]))


def _draw_traits(random: Random) -> Traits:
    names = random.sample([bank.bank for bank in BANKS], random.choice([1, 1, 2]))
    return Traits(
        banks=[draw_bank(random, name) for name in names],
        platform_must_sign=random.random() < 0.3,
        windows=random.random() < 0.4,
        anchor=random.random() < 0.5,
        catalogue=random.random() < 0.3,
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

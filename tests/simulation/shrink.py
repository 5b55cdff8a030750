"""A failing history made small: fewer steps, fewer faults, a plainer world, the same violation.

Delta debugging over the recorded script: what is left out is left out for good if the violation
stays. Steps draw from their own numbers and faults have an address of their own within a step, so
that what stays does what it did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from tests.simulation.faults import Given
from tests.simulation.history import Ended, play
from tests.simulation.script import Script, Step, Traits
from tests.simulation.world import Base

_Part = TypeVar("_Part")
_Play = Callable[[Script], Ended]

TRIES = 400
"""Histories played at most while one is made small."""


def shrink(base: Base, ended: Ended, tries: int = TRIES) -> Script:
    """The smallest script found that still breaks the same promise; `why` says which."""
    search = _Search(base, ended.violation, tries)
    script = replace(ended.script, why=ended.violation)
    # What comes after the violation, and a storm that the calm alone repeats, is not needed.
    steps = [step for step in script.steps if step.number <= ended.at_step]
    script = search.first_that_fails([replace(script, steps=steps), script])
    steps = search.fewest(script.steps, lambda kept: replace(script, steps=kept))
    script = replace(script, steps=steps)
    given = [(step.number, fault) for step in script.steps for fault in step.faults or ()]
    given = search.fewest(given, lambda kept: _with_faults(script, kept))
    script = _with_faults(script, given)
    for plainer in _plainer(script.traits):
        script = search.first_that_fails([replace(script, traits=plainer(script.traits)), script])
    steps = search.fewest(script.steps, lambda kept: replace(script, steps=kept))
    return replace(script, steps=steps)


class _Search:
    def __init__(self, base: Base, violation: str, tries: int) -> None:
        self._base = base
        self._wanted = _kind(violation)
        self._left = tries

    def fails(self, script: Script) -> bool:
        """Whether the script breaks the same promise; False once the tries are used up."""
        if self._left <= 0:
            return False
        self._left -= 1
        return _kind(play(self._base, script).violation) == self._wanted

    def first_that_fails(self, scripts: list[Script]) -> Script:
        """The first one, or the last where none does."""
        return next((script for script in scripts[:-1] if self.fails(script)), scripts[-1])

    def fewest(self, parts: Sequence[_Part], make: Callable[[list[_Part]], Script]) -> list[_Part]:
        """As few parts as still fail (Zeller's ddmin, by complements)."""
        kept, pieces = list(parts), 2
        while len(kept) > 1:
            size = max(1, len(kept) // pieces)
            shorter = next(
                (
                    rest
                    for start in range(0, len(kept), size)
                    if (rest := kept[:start] + kept[start + size :]) and self.fails(make(rest))
                ),
                None,
            )
            if shorter is not None:
                kept, pieces = shorter, max(pieces - 1, 2)
            elif size == 1:
                return kept
            else:
                pieces = min(pieces * 2, len(kept))
        return kept


def _kind(violation: str) -> str:
    """A violation without what names single payments, files and amounts."""
    return re.sub(r"\S*\d\S*", "#", violation)[:80]


def _with_faults(script: Script, given: list[tuple[int, Given]]) -> Script:
    steps: list[Step] = [
        replace(step, faults=[fault for number, fault in given if number == step.number])
        for step in script.steps
    ]
    return replace(script, steps=steps)


def _plainer(traits: Traits) -> list[Callable[[Traits], Traits]]:
    """Ways to a plainer world, tried one after the other."""
    return [
        *(
            lambda now, bank=bank: replace(now, banks=[one for one in now.banks if one.bank != bank.bank])
            for bank in traits.banks[1:]
        ),
        lambda now: replace(now, banks=now.banks[-1:]),
        lambda now: replace(now, windows=False),
        lambda now: replace(now, anchor=False),
        lambda now: replace(now, banks=[replace(bank, kinds=[]) for bank in now.banks]),
        lambda now: replace(now, banks=[replace(bank, archive=False) for bank in now.banks]),
        lambda now: replace(now, banks=[replace(bank, takes_at_once=True) for bank in now.banks]),
    ]

"""What was found once stays mended, and no change of a well-formed input breaks its reader."""

from __future__ import annotations

import collections
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.findings import FOLDER, findings_of, keep
from tests.fuzz.mutation import mutated
from tests.fuzz.planted import PLANTED
from tests.fuzz.target import Target, TooLarge, TooSlow, check
from tests.fuzz.targets import TARGETS

PLANTED_NAMES = [target.name for target in PLANTED]
FINDINGS = [(name, path) for name in TARGETS for path in findings_of(name)]


def test_every_folder_of_findings_belongs_to_a_target() -> None:
    assert {path.name for path in FOLDER.iterdir()} <= TARGETS.keys()


@pytest.mark.parametrize(("name", "path"), FINDINGS, ids=[f"{name}-{path.name}" for name, path in FINDINGS])
def test_a_finding_stays_mended(name: str, path: Path) -> None:
    check(TARGETS[name], path.read_bytes())


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_changed_inputs(target: Target) -> None:
    seeds = target.seeds()
    assert seeds
    for content in seeds:
        check(target, content)
    changes = mutated(seeds, Random(target.name), target.input_limit_bytes)
    for _ in range(target.changes):
        content = next(changes)
        try:
            check(target, content)
        except Exception as error:
            # Signatures differ from run to run: the input itself is the only way back to this.
            error.add_note(f"the input is kept as {keep(target.name, content)}")
            raise


@pytest.mark.parametrize(
    ("target", "kind"), list(zip(PLANTED, (KeyError, TooSlow, TooLarge), strict=True)), ids=PLANTED_NAMES
)
def test_planted_mistakes_are_found_out(target: Target, kind: type[Exception]) -> None:
    changes = islice(mutated(target.seeds(), Random(1), target.input_limit_bytes), target.changes)
    with pytest.raises(kind):
        collections.deque((check(target, content) for content in changes), maxlen=0)

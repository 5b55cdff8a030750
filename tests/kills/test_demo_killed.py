"""`bankgate demo`, killed at any step and started again with the same folder, ends the same.

The simulated banks of a demonstration draw what becomes of a payment from its account and
amount, so that it does not matter in which file it goes at last. Where a file was just being
released, the demonstration's persons ask the bank. What the machine's clock says is no part of it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from msgspec import Struct

from gateway import Gateway
from gateway.demonstration.settings_texts import SCENARIOS
from gateway.demonstration.site import Site
from tests.gateway.sites import current, edit
from tests.kills.histories import KINDS, Deadly, Theatre
from tests.kills.launcher import Ended, Process
from tests.kills.process import Order

PAYMENTS = 150
HISTORIES = 4
"""Among them each kind of step is deadly once."""
_GAP_STEPS = 250
_PATIENCE_STEPS = 1_000


class Books(Struct, frozen=True):
    """What a demonstration came to: of each payment status, reason and credit; and every finding."""

    outcomes: dict[str, tuple[str, str, int | None]]
    findings: list[tuple[str, str, int]]
    credited_minor: int


def prepare(theatre: Theatre, folder: Path) -> Path:
    """A demonstration that has just begun, with banks that let every other payment go wrong somehow."""
    # The first file of the spool comes after the whole site.
    assert killed_at(theatre, folder, Deadly(1, "before disk create")) == "before disk create"
    for bank in Site(folder).banks:
        settings = Site(folder).bank(bank) / "simulator.toml"
        edit(settings, "share_per_mille = 20", "share_per_mille = 300")
        edit(settings, '= "failures"', f'= "{SCENARIOS[bank]}"')
    return folder


def start(theatre: Theatre, folder: Path) -> Process:
    arguments = ["demo", "--folder", str(folder), "--payments", str(PAYMENTS), "--json"]
    return Process(theatre.launcher, Order(arguments=arguments, at=None))


def killed_at(theatre: Theatre, folder: Path, deadly: Deadly) -> str:
    """Run it up to a deadly step; which kind that was, "" where it came to its end before."""
    process = start(theatre, folder)
    steps = 0
    while (step := process.next_step()) is not None:
        steps += 1
        waited = steps - deadly.steps
        if waited >= 0 and (step == deadly.kind or waited >= deadly.patience_steps):
            process.kill()
            process.end()
            return step
        process.go_on()
    _expect_the_end(process.end())
    return ""


def books(theatre: Theatre, folder: Path) -> Books:
    """Run it to its end, and see that it adds up and agrees with what the banks really did."""
    result = json.loads(_expect_the_end(start(theatre, folder).run_out()))
    with Gateway.open(Site(folder).configuration) as gateway:
        assert [status.batch_id for status in gateway.status() if not status.adds_up] == []
        # Acknowledged is what has a payment under an unknown code.
        ends = {"settled", "acknowledged", "voided", "rejected"}
        assert {str(file.state) for file in gateway.files()} <= ends
        outcomes = current(gateway)
        amounts = {one.payment_id: one.amount_minor for one in gateway.outcomes(only_current=True)}
        # Paid in full, under a code that no table lists.
        unsaid = sum(amounts[name] for name, (_, reason, _) in outcomes.items() if reason == "UNMAPPED")
        assert result["really_paid_minor"] == result["credited_minor"] + unsaid
        findings = sorted((str(one.kind), one.payment_id, one.amount_minor) for one in gateway.findings())
    return Books(outcomes, findings, result["credited_minor"])


def _expect_the_end(ended: Ended) -> str:
    assert ended.code in (0, 1), ended.output
    return ended.output.splitlines()[-1]


@pytest.fixture(scope="module")
def undisturbed(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> Books:
    told = books(theatre, prepare(theatre, tmp_path_factory.mktemp("undisturbed") / "demo"))
    again = {name for name in told.outcomes if "-R" in name}
    assert len(told.outcomes) - len(again) == PAYMENTS
    assert len(again) > PAYMENTS // 10
    statuses = Counter(status for status, _, _ in told.outcomes.values())
    assert min(statuses[name] for name in ("credited", "failed", "unknown", "discrepant")) > PAYMENTS // 20
    assert len(told.findings) > PAYMENTS // 20
    return told


def deadlies(seed: int) -> Iterator[Deadly]:
    """Every kind of step, shared out over the histories, in any order."""
    random = Random(seed)
    kinds = [kind for number, kind in enumerate(KINDS) if number % HISTORIES == seed]
    random.shuffle(kinds)
    return (Deadly(random.randint(1, _GAP_STEPS), kind, _PATIENCE_STEPS) for kind in kinds)


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_killed_again_and_again_it_ends_the_same(
    theatre: Theatre, tmp_path: Path, undisturbed: Books, seed: int
) -> None:
    folder = prepare(theatre, tmp_path / "demo")
    kills: Counter[str] = Counter()
    for deadly in deadlies(seed):
        if kind := killed_at(theatre, folder, deadly):
            kills[kind] += 1
    # The last ones may wait for steps that do not come any more.
    assert kills.total() > len(KINDS) // HISTORIES // 2, kills
    assert books(theatre, folder) == undisturbed, kills


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_where_only_the_bank_knows_its_persons_ask_it(
    theatre: Theatre, tmp_path: Path, undisturbed: Books
) -> None:
    """Died between "the release is committed" and the release: nothing of the file is to be seen."""
    folder = prepare(theatre, tmp_path / "demo")
    assert killed_at(theatre, folder, Deadly(1, "before channel rename", 10_000)) == "before channel rename"
    with Gateway.open(Site(folder).configuration) as gateway:
        (name,) = [file.name for file in gateway.files() if file.state == "releasing"]
    assert books(theatre, folder) == undisturbed
    with Gateway.open(Site(folder).configuration) as gateway:
        assert [file.name for file in gateway.files() if file.state == "rejected"] == [name]
        letters = [path.name for path in (folder / "department" / "letters").iterdir()]
        assert [letter for letter in letters if name in letter] == letters != []

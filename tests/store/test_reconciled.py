"""The procedure of `docs/operators.md`, by its commands, from the lost disk on: nobody is paid twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from formats import Payment
from gateway.demonstration.plan import PLATFORM
from gateway.errors import ExitCode
from gateway.simulator.bank import SimulatedBank
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, current, payments_of
from tests.store.test_restore import lose

DONE, PERSON, INTEGRITY = ExitCode.DONE, ExitCode.NEEDS_PERSON, ExitCode.INTEGRITY


class Operator:
    """Types the commands of the procedure, for both persons."""

    def __init__(self, ground: Ground, bankgate: Commands) -> None:
        self._ground = ground
        self._bankgate = bankgate
        self.letter = ground.site.folder / "letter-of-the-bank.txt"
        self.letter.write_text("what we have from you since", "utf-8")

    def decide(self, *words: object, persons: int = 2, evidence: bool = False) -> None:
        """Each person gives the same command; the last one carries it out."""
        rest = ["--evidence", self.letter] if evidence else []
        for number, person in enumerate(PERSONS[:persons], start=1):
            key = self._ground.person_key(person)
            ended = self._bankgate(*words, "--as", person, "--key", key, *rest)
            assert ended.code == (DONE if number == persons else PERSON), (words, ended)

    def hand_over(self, path: Path, code: ExitCode = DONE) -> str:
        """The platform's batch with its signature beside it."""
        path.with_name(f"{path.name}.p7s").write_bytes(self._ground.sign(path.read_bytes()))
        ended = self._bankgate("submit", path)
        assert ended.code == code, ended
        return ended.out


def batch_of(ground: Ground, payments: list[Payment], batch_id: str) -> Path:
    return ground.write(ground.batch(payments, batch_id), payments)


def truth(bank: SimulatedBank) -> Counter[str]:
    """How often the bank credited each account."""
    return Counter(paid.account for paid in bank.paid() if paid.credited_minor)


def work(ground: Ground, bankgate: Commands, turns: int = 3) -> list[int]:
    codes = []
    for _ in range(turns):
        codes.append(bankgate("run").code)
        ground.banks_look()
    return codes


@pytest.mark.timeout(300)
def test_from_the_lost_disk_to_the_last_payment(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    bank = ground.bank(CITY, "failures", 400)
    operator = Operator(ground, bankgate)
    first = payments_of(CITY, 3, prefix="A")
    second = payments_of(CITY, 8, prefix="B", start=10)
    third = payments_of(CITY, 4, prefix="C", start=30)
    paths = [
        batch_of(ground, payments, name)
        for payments, name in ((first, "BATCH-A"), (second, "BATCH-B"), (third, "BATCH-C"))
    ]
    operator.hand_over(paths[0])
    work(ground, bankgate)
    operator.hand_over(paths[1])
    assert bankgate("backup", tmp_path / "backup").code == DONE
    # What is lost: the second batch leaves and is answered, the third is handed over, leaves, is answered.
    work(ground, bankgate)
    operator.hand_over(paths[2])
    work(ground, bankgate)
    with ground.open() as gateway:
        before = current(gateway)
    paid_before = truth(bank)
    assert 0 < sum(paid_before[one.account] for one in second + third) < 12
    lose(ground)

    ended = bankgate("restore", tmp_path / "backup")
    assert (ended.code, "city-bank: its last number was 1" in ended.out) == (PERSON, True)
    left = sorted(path.name for path in ground.outbox(CITY).iterdir())
    # What was archived since the backup is put back; the files of before are known as ever.
    for path in (ground.site.bank(CITY) / "files" / "archive").iterdir():
        path.rename(ground.inbox(CITY) / path.name)
    for path in paths:
        known = "submitted before" in operator.hand_over(path)
        assert known == (path != paths[2])
    assert set(work(ground, bankgate)) == {INTEGRITY}
    assert sorted(path.name for path in ground.outbox(CITY).iterdir()) == left
    with ground.open() as gateway:
        held = {item.object: item for item in gateway.held() if item.object.startswith("received:")}
        assert {problem.code for item in held.values() for problem in item.problems} == {"unknown-file"}
        # Acknowledgement and result of each of the two lost files.
        assert len(held) == 4
        states = {name: told for name, told in current(gateway).items() if name.startswith(("B", "C"))}
        assert states == {}

    # The bank's list: what it paid by files that this ledger does not know.
    for payment in (*second, *third):
        if paid_before[payment.account]:
            name = f"payment:{PLATFORM}/{payment.payment_id}"
            operator.decide("resolve", name, "credited", evidence=True)
    for name in held:
        operator.decide("held", "refuse", name, persons=1)
    for one in (CITY, ISO, RURAL):
        operator.decide("held", "reconciled", f"bank:{one}")
    assert INTEGRITY not in work(ground, bankgate, turns=4)

    after = truth(bank)
    assert {account: times for account, times in after.items() if times > 1} == {}
    assert all(after[account] for account in paid_before)
    with ground.open() as gateway:
        told = {name: status for name, (status, _, _) in current(gateway).items()}
        assert told == {
            one.payment_id: "credited" if after[one.account] else "failed" for one in first + second + third
        }
        assert all(status.adds_up for status in gateway.status())
        numbers = sorted(int(file.name[-12:-4]) for file in gateway.files())
        assert (numbers[0], numbers[1] > 1000) == (1, True)
        assert {name for name, (status, _, _) in before.items() if status == "credited"} <= {
            name for name, status in told.items() if status == "credited"
        }


def test_without_the_persons_work_they_would_be_paid_again(ground: Ground, tmp_path: Path) -> None:
    """The test above can fail: the banks are cleared, and nobody has compared anything."""
    bank = ground.bank(RURAL)
    payments = payments_of(RURAL, 3)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        gateway.backup(tmp_path / "backup")
        ground.run_to_the_end(gateway)
    lose(ground)
    type(gateway).restore(ground.site.configuration, tmp_path / "backup", clock=ground.clock)
    with ground.open() as gateway:
        for one in (CITY, ISO, RURAL):
            ground.decide(gateway, f"bank:{one}", "reconciled", *PERSONS)
        ground.run_to_the_end(gateway)
    assert set(truth(bank).values()) == {2}

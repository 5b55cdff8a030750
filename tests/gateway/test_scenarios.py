"""Every way in which a simulated bank can misbehave, at each bank that can write it."""

from __future__ import annotations

import pytest
from msgspec import Struct

from formats import Reason, Status
from gateway import Outcome
from gateway.simulator.scenario import Kind, Scenario
from gateway.simulator.support import supported
from tests.gateway.sites import CITY, ISO, RURAL, Ground, credited, current, payments_of, shipped_desk

COUNT = 6


class Expected(Struct, frozen=True):
    """What everything comes to where all payments meet the same fate."""

    status: str | None
    reason: str = ""
    file: str = "settled"
    held: str = ""
    """Code of the problem for which a received file is held or refused; "" where none is."""


ALL_CREDITED = Expected("credited")
EXPECTED = {
    Kind.ALL_WELL: ALL_CREDITED,
    Kind.FEE_LINES: ALL_CREDITED,
    Kind.FEE_COLUMN: ALL_CREDITED,
    Kind.LATE: ALL_CREDITED,
    Kind.TWICE: ALL_CREDITED,
    Kind.IN_PARTS: ALL_CREDITED,
    Kind.RESULT_FIRST: ALL_CREDITED,
    Kind.HALF_FILE: ALL_CREDITED,
    Kind.SHORT_CREDIT: Expected("discrepant", "AMOUNT_DIFFERS"),
    Kind.RETURNED: Expected("returned", "RETURNED"),
    Kind.CONTRADICTING: Expected("unknown", "CONTRADICTED"),
    Kind.UNKNOWN_CODE: Expected("unknown", "UNMAPPED", "acknowledged"),
    Kind.WRONG_TOTAL: Expected(None, "", "acknowledged", "total"),
    Kind.BAD_SIGNATURE: Expected(None, "", "acknowledged", "refused"),
    Kind.ECHO: Expected(None, "", "acknowledged", "refused"),
    Kind.UNMATCHED: Expected(None, "", "acknowledged", "unmatched"),
    Kind.SILENT: Expected(None, "", "sent"),
    Kind.REJECT: Expected(None, "", "rejected"),
}
QUICK = {
    CITY: {Kind.TWICE, Kind.LATE, Kind.HALF_FILE, Kind.BAD_SIGNATURE, Kind.ECHO, Kind.SILENT, Kind.REJECT},
    ISO: {Kind.BAD_SIGNATURE, Kind.HALF_FILE, Kind.ECHO, Kind.WRONG_TOTAL, Kind.UNKNOWN_CODE},
    RURAL: {Kind.ALL_WELL, Kind.HALF_FILE, Kind.RESULT_FIRST, Kind.CONTRADICTING, Kind.RETURNED},
}
CASES = [
    pytest.param(bank, kind, marks=[] if kind in QUICK[bank] else [pytest.mark.heavy])
    for bank in (CITY, ISO, RURAL)
    for kind in EXPECTED
    if kind in supported(shipped_desk(bank))
]


@pytest.mark.parametrize(("bank", "kind"), CASES)
def test_scenario(ground: Ground, bank: str, kind: Kind) -> None:
    simulated, expected = ground.bank(bank, kind), EXPECTED[kind]
    payments = payments_of(bank, COUNT)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        latest = list(gateway.outcomes(only_current=True))
        if expected.status is None:
            assert latest == []
        else:
            assert {(one.payment_id, one.status, one.reason) for one in latest} == {
                (payment.payment_id, expected.status, expected.reason) for payment in payments
            }
        assert [file.state for file in gateway.files()] == [expected.file]
        problems = [row.problems[0].code for row in gateway.received() if row.problems]
        assert len(problems) == bool(expected.held), problems
        held = "other-file" if (bank, kind) == (ISO, Kind.WRONG_TOTAL) else expected.held
        assert all(held in problem for problem in problems)
        assert _is_true(latest, simulated.truth().credited_minor - simulated.truth().returned_minor)
        ground.check_sound(gateway)


def _is_true(latest: list[Outcome], really_minor: int) -> bool:
    """The ledger's credited sum is the bank's own, where no outcome leaves it open."""
    if len(latest) < COUNT or any(one.status is Status.UNKNOWN for one in latest):
        return True
    return really_minor == sum(
        one.credited_minor or 0 for one in latest if one.status in (Status.CREDITED, Status.DISCREPANT)
    )


@pytest.mark.parametrize("bank", [CITY, ISO, RURAL])
def test_failures_keep_their_reason_and_the_others_are_paid(ground: Ground, bank: str) -> None:
    simulated = ground.bank(bank, "failures", share_per_mille=400)
    payments = payments_of(bank, 40)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        latest = {one.payment_id: one for one in gateway.outcomes(only_current=True)}
        really = {(paid.account, paid.payee_name): paid.credited_minor for paid in simulated.paid()}
        for payment in payments:
            outcome = latest[payment.payment_id]
            paid = really[payment.account, payment.beneficiary_name]
            assert (outcome.status is Status.CREDITED) == (paid == payment.amount_minor)
            assert (outcome.status is Status.FAILED) == (paid == 0)
            assert (outcome.reason is Reason.NONE) == (outcome.status is Status.CREDITED)
        assert {one.status for one in latest.values()} == {Status.CREDITED, Status.FAILED}
        ground.check_sound(gateway)


def test_money_credited_elsewhere_is_discrepant(ground: Ground) -> None:
    ground.bank(RURAL, "other-account")
    payments = payments_of(RURAL, COUNT)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        assert current(gateway) == {
            one.payment_id: ("discrepant", "CREDITED_ELSEWHERE", one.amount_minor) for one in payments
        }
        ground.check_sound(gateway)


def test_other_echoes_under_a_mere_position_hold_the_file(ground: Ground) -> None:
    ground.bank(CITY, "other-account")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, COUNT))
        ground.run_to_the_end(gateway)
        assert current(gateway) == {}
        codes = [[problem.code for problem in row.problems] for row in gateway.received() if row.problems]
        assert codes == [["other-payment"] * COUNT]
        ground.check_sound(gateway)


@pytest.mark.parametrize(
    ("bank", "scenario", "kind", "minor"),
    [
        (RURAL, "fee-lines", "fee_line", 50),
        (CITY, "fee-column", "fee_column", 50),
        (ISO, "short-credit", "short_credit", 200),
    ],
)
def test_a_charge_is_a_finding_and_never_an_outcome(
    ground: Ground, bank: str, scenario: str, kind: str, minor: int
) -> None:
    ground.bank(bank, scenario)
    payments = payments_of(bank, COUNT)
    with ground.open() as gateway:
        batch_id = ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        found = [(one.kind, one.amount_minor, one.payment_id) for one in gateway.findings(batch_id)]
        named = [payment.payment_id if scenario != "fee-lines" else "" for payment in payments]
        assert found == [(kind, minor, payment_id) for payment_id in named]
        if scenario != "short-credit":
            assert current(gateway) == credited(payments)


def test_a_rejected_file_waits_and_is_not_sent_again_by_itself(ground: Ground) -> None:
    simulated = ground.bank(CITY, "reject")
    payments = payments_of(CITY, COUNT)
    with ground.open() as gateway:
        batch_id = ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        first = [path.name for path in ground.outbox(CITY).iterdir()]
        for _ in range(5):
            ground.clock.turn(days=1)
            gateway.run()
            ground.banks_look()
        assert [path.name for path in ground.outbox(CITY).iterdir()] == first
        held = gateway.held()
        assert [[way.decision for way in item.ways] for item in held] == [
            ["redispatch", "withdraw", "reopen"]
        ]
        assert ground.decide(gateway, held[0].object, "redispatch", "reviewer-a") == [False]
        gateway.run()
        assert [file.state for file in gateway.files()] == ["rejected"]
        simulated.play(Scenario())
        assert ground.decide(gateway, held[0].object, "redispatch", "reviewer-b") == [True]
        ground.run_to_the_end(gateway)
        assert [file.state for file in gateway.files()] == ["rejected", "settled"]
        assert current(gateway, batch_id) == credited(payments)
        assert gateway.held() == []
        assert simulated.truth().credited_count == COUNT
        ground.check_sound(gateway)


def test_payments_of_a_rejected_file_can_be_taken_back(ground: Ground) -> None:
    ground.bank(CITY, "reject")
    payments = payments_of(CITY, COUNT)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        about = gateway.held()[0].object
        assert ground.decide(gateway, about, "withdraw", "reviewer-a", "reviewer-b") == [False, True]
        ground.run_to_the_end(gateway)
        assert current(gateway) == {one.payment_id: ("withdrawn", "WITHDRAWN", None) for one in payments}
        assert [file.state for file in gateway.files()] == ["rejected"]
        assert gateway.held() == []
        ground.check_sound(gateway)

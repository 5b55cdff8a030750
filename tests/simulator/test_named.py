"""Payments that a simulated bank knows by their account: each meets what was written down for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from formats.reasons import Reason, Status
from gateway.demonstration.people import BANKS
from gateway.demonstration.settings_texts import Conduct, simulator_text
from gateway.simulator.bank import SimulatedBank
from gateway.simulator.errors import ScenarioUnsupported, SettingsWrong
from gateway.simulator.scenario import DrawnBy, Fate, Kind, NamedPayment, Scenario
from gateway.simulator.settings import SETTINGS_FILE, read_settings
from gateway.simulator.store import MemoryStore
from tests.simulator.banks import START, Answer, desk, make_request, payments, results, seals

NAME = "rural-credit"
COUNT = 150


def bank_with(*named: NamedPayment, bank: str = NAME, kinds: tuple[Kind, ...] = ()) -> SimulatedBank:
    scenario = Scenario(
        kinds=frozenset(kinds), named=named, drawn_by=DrawnBy.PAYMENT, share_per_mille=200, reasons=_REASONS
    )
    return SimulatedBank(desk(bank), seals(bank, "bank", "gateway"), MemoryStore(), scenario)


_REASONS = (Reason.ACCOUNT_CLOSED, Reason.CARD_LOST)


def account(item: int) -> str:
    return payments(NAME, COUNT)[item - 1].account


def said(answer: Answer) -> dict[int, tuple[Status, Reason]]:
    """What is not credited, by item."""
    columns = zip(
        answer.items(), answer.column("outcome.status"), answer.column("outcome.reason"), strict=True
    )
    return {item: (status, reason) for item, status, reason in columns if status is not Status.CREDITED}


def test_a_named_payment_fails_for_its_reason_and_no_other_does() -> None:
    bank = bank_with(NamedPayment(account=account(3), fate=Fate.FAILED, reason=Reason.NOT_ACTIVATED))
    (result,) = results(NAME, bank.arrive(make_request(NAME), START))
    assert said(result) == {3: (Status.FAILED, Reason.NOT_ACTIVATED)}
    assert bank.truth().credited_count == COUNT - 1


def test_a_named_payment_is_credited_where_the_draws_would_let_it_fail() -> None:
    drawn = bank_with(kinds=(Kind.FAILURES,))
    failing = next(iter(said(results(NAME, drawn.arrive(make_request(NAME), START))[0])))
    bank = bank_with(NamedPayment(account=account(failing)), kinds=(Kind.FAILURES,))
    (result,) = results(NAME, bank.arrive(make_request(NAME), START))
    assert failing not in said(result)
    assert said(result)


def test_payments_fail_for_the_reasons_of_the_scenario() -> None:
    bank = bank_with(kinds=(Kind.FAILURES,))
    (result,) = results(NAME, bank.arrive(make_request(NAME), START))
    assert {reason for _, reason in said(result).values()} == set(_REASONS)


def test_a_named_payment_comes_back_after_its_hours() -> None:
    named = NamedPayment(account=account(7), fate=Fate.RETURNED, returned_after_hours=48)
    bank = bank_with(named)
    first, back = results(NAME, bank.arrive(make_request(NAME), START))
    assert said(first) == {}
    assert said(back) == {7: (Status.RETURNED, Reason.RETURNED)}
    assert (first.due, back.due.at) == (START, START.at + timedelta(hours=48))
    truth = bank.truth()
    assert truth.returned_minor == payments(NAME, COUNT)[6].amount_minor


def test_the_whole_result_is_late_for_a_named_payment() -> None:
    bank = bank_with(NamedPayment(account=account(7), result_after_hours=120))
    (result,) = results(NAME, bank.arrive(make_request(NAME), START))
    assert result.due.at == START.at + timedelta(hours=120)
    elsewhere = bank_with(NamedPayment(account="6231910000000000000", result_after_hours=120))
    (result,) = results(NAME, elsewhere.arrive(make_request(NAME), START))
    assert result.due == START


def test_only_a_named_payment_is_charged() -> None:
    bank = bank_with(NamedPayment(account=account(5), charged="fee-lines"))
    (result,) = results(NAME, bank.arrive(make_request(NAME), START))
    fees = [chunk for chunk in result.chunks if chunk.record == "fee"]
    assert [chunk.columns["fee.amount"] for chunk in fees] == [[50]]
    assert said(result) == {}


def test_what_a_bank_cannot_write_of_a_named_payment_is_refused() -> None:
    with pytest.raises(ScenarioUnsupported, match="returned: no code says that a payment was given back"):
        bank_with(NamedPayment(account=account(1), fate=Fate.RETURNED), bank="iso-bank")
    with pytest.raises(ScenarioUnsupported, match="failures: no code says DUPLICATE"):
        bank_with(NamedPayment(account=account(1), fate=Fate.FAILED, reason=Reason.DUPLICATE))


def written(folder: Path, named: NamedPayment, drawn_by: str = "payment") -> Path:
    conduct = Conduct(scenario="failures", reasons=("CARD_LOST",), payments=(named,))
    text = simulator_text(BANKS[0], "ssh-ed25519 AAAA", conduct)
    assert 'drawn_by        = "payment"' in text
    changed = text.replace('drawn_by        = "payment"', f'drawn_by        = "{drawn_by}"')
    (folder / SETTINGS_FILE).write_text(changed, "utf-8")
    return folder


NAMED = NamedPayment(account="6231910000000010011", fate=Fate.RETURNED, returned_after_hours=24)


def test_named_payments_stand_in_the_banks_settings(tmp_path: Path) -> None:
    scenario = read_settings(written(tmp_path, NAMED)).as_scenario()
    assert (scenario.named, scenario.reasons) == ((NAMED,), (Reason.CARD_LOST,))


def test_accounts_cannot_be_named_where_references_decide(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="names accounts, but references decide"):
        read_settings(written(tmp_path, NAMED, "reference"))

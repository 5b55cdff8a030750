"""What a simulated bank books on the payer's account, and on which day it says so."""

from __future__ import annotations

import io
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from formats.records import RecordChunk
from formats.reference import parse_reference
from gateway.simulator.bank import SimulatedBank
from gateway.simulator.errors import ScenarioUnsupported
from gateway.simulator.moments import Posting
from gateway.simulator.scenario import DrawnBy, Fate, Kind, NamedPayment, Scenario
from gateway.simulator.store import MemoryStore
from tests.simulator.banks import (
    REGISTRY,
    START,
    configuration,
    desk,
    make_request,
    payments,
    read,
    results,
    seals,
)

NAME = "rural-credit"
COUNT = 150
PAID, BACK, FEE, DEBIT = "代发", "退汇", "手续费", "账户服务"


def account(item: int) -> str:
    return payments(NAME, COUNT)[item - 1].account


def bank_with(*named: NamedPayment, kinds: tuple[Kind, ...] = (), statements: bool = True) -> SimulatedBank:
    scenario = Scenario(kinds=frozenset(kinds), named=named, drawn_by=DrawnBy.PAYMENT)
    mine = seals(NAME, "bank", "gateway")
    return SimulatedBank(desk(NAME, statements=statements), mine, MemoryStore(), scenario)


class Statement:
    """One statement, read to its end."""

    def __init__(self, posting: Posting) -> None:
        self.name, self.due = posting.name, posting.due
        decoder = REGISTRY.get("delimited-statement").decode(io.BytesIO(read(posting.content)))
        self._chunks: list[RecordChunk] = list(decoder)
        assert decoder.problems == []

    def column(self, meaning: str) -> list[Any]:
        return [value for chunk in self._chunks for value in chunk.columns[meaning]]

    @property
    def texts(self) -> Counter[str]:
        return Counter(self.column("statement.text"))

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        """Direction, minor units, reference and file of what is called so."""
        names = ("statement.direction", "statement.amount", "attempt.reference", "statement.file_reference")
        columns = zip(*map(self.column, (*names, "statement.text")), strict=True)
        return [tuple(row) for *row, said in columns if said == text]


def statements(postings: list[Posting]) -> list[Statement]:
    is_data = (one for one in postings if one.name.startswith("DZ") and one.name.endswith(".txt"))
    return [Statement(posting) for posting in is_data]


def test_every_credit_is_booked_after_the_result() -> None:
    model = bank_with(NamedPayment(account=account(3), fate=Fate.FAILED))
    request = make_request(NAME)
    (booked,) = statements(model.arrive(request, START))
    assert booked.texts == {PAID: COUNT - 1}
    assert sum(booked.column("statement.amount")) == model.truth().credited_minor
    assert set(booked.column("statement.file_reference")) == {request.name}
    assert set(booked.column("statement.booked_on")) == {date(2026, 9, 1)}
    agreement = next(group[0] for (_, bank), group in configuration().agreements.items() if bank == NAME)
    assert set(booked.column("statement.account")) == {agreement.payer_account}
    assert len(set(booked.column("statement.serial"))) == COUNT - 1
    parsed = [parse_reference(reference) for reference in booked.column("attempt.reference")]
    assert [one and one[1] for one in parsed] == [item for item in range(1, COUNT + 1) if item != 3]
    assert booked.due.look > START.look


def test_what_comes_back_later_is_booked_on_its_day() -> None:
    returned = NamedPayment(account=account(7), fate=Fate.RETURNED, returned_after_hours=48)
    first, later = statements(bank_with(returned).arrive(make_request(NAME), START))
    minor = payments(NAME, COUNT)[6].amount_minor
    assert (first.texts, later.texts) == ({PAID: COUNT}, {BACK: 1})
    (back,) = later.rows(BACK)
    assert back[:2] == ("贷", minor)
    assert (later.column("statement.booked_on"), later.due.at) == (
        [date(2026, 9, 3)],
        START.at + timedelta(hours=48),
    )
    assert first.name != later.name
    assert set(first.column("statement.serial")).isdisjoint(later.column("statement.serial"))


def test_a_charge_of_which_a_result_tells_is_booked_for_its_file() -> None:
    bank = bank_with(NamedPayment(account=account(5), charged="fee-lines"))
    request = make_request(NAME)
    (booked,) = statements(bank.arrive(request, START))
    assert booked.texts == {PAID: COUNT, FEE: 1}
    assert booked.rows(FEE) == [("借", 50, "", request.name)]


def test_a_debit_that_only_the_statement_has_is_for_nothing_of_ours() -> None:
    bank = bank_with(NamedPayment(account=account(5), charged="statement-debit"))
    postings = bank.arrive(make_request(NAME), START)
    (booked,) = statements(postings)
    assert booked.texts == {PAID: COUNT, DEBIT: 1}
    assert booked.rows(DEBIT) == [("借", 50, "", "")]
    (result,) = results(NAME, [one for one in postings if not one.name.startswith("DZ")])
    assert [chunk.record for chunk in result.chunks if chunk.record == "fee"] == []


def test_a_share_of_payments_is_debited_so() -> None:
    (booked,) = statements(bank_with(kinds=(Kind.STATEMENT_DEBIT,)).arrive(make_request(NAME), START))
    debited = booked.texts[DEBIT]
    assert 0 < debited < COUNT
    assert booked.texts == {PAID: COUNT, DEBIT: debited}


def test_a_bank_without_statements_cannot_debit_in_them() -> None:
    with pytest.raises(ScenarioUnsupported, match="statement-debit: no statements"):
        bank_with(kinds=(Kind.STATEMENT_DEBIT,), statements=False)

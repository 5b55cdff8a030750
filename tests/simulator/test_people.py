"""Demonstration data: valid where it should be, wrong where it was asked to be, always the same."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import date

import pytest
from msgspec.structs import replace

from formats.identity import bank_code_valid, citizen_id_valid, luhn_valid, social_credit_code_valid
from formats.records import AccountKind, PayeeKind, PayeeRole
from gateway.demonstration.payments import Defect, Order, defect_of, make_batch, make_payment, make_payments
from gateway.demonstration.people import BANKS, make_person
from gateway.demonstration.plan import DEPARTMENTS, FIELDS, Frequency, period_of, programmes_of

ORDER = Order(count=3000, seed=7)
PAYMENTS = list(make_payments(ORDER))


def test_the_plan_has_twelve_fields_and_eleven_lead_departments() -> None:
    assert [field.number for field in FIELDS] == list(range(1, 13))
    assert len(DEPARTMENTS) == 11
    assert {programme.name for programme in programmes_of("区农业农村局")} >= {
        "耕地地力保护补贴",
        "雨露计划资金",
    }


def test_every_field_and_bank_is_paid() -> None:
    assert {payment.programme for payment in PAYMENTS} == {
        programme.name for field in FIELDS for programme in field.programmes
    }
    assert {payment.bank for payment in PAYMENTS} == {bank.bank for bank in BANKS}


def test_identities_have_valid_check_characters() -> None:
    for payment in PAYMENTS:
        if payment.payee_kind is PayeeKind.ORGANISATION:
            assert social_credit_code_valid(payment.beneficiary_id), payment.beneficiary_id
        else:
            assert citizen_id_valid(payment.beneficiary_id), payment.beneficiary_id
        for other in filter(None, (payment.payee_id, payment.custodian_id)):
            assert citizen_id_valid(other), other


def test_no_identity_belongs_to_a_real_district() -> None:
    persons = [payment for payment in PAYMENTS if payment.payee_kind is not PayeeKind.ORGANISATION]
    assert {payment.beneficiary_id[:5] for payment in persons} == {"37099"}


def test_accounts_look_like_their_kind() -> None:
    digits = {bank.bank: bank.passbook_digits for bank in BANKS}
    prefixes = {bank.bank: bank.card_prefix for bank in BANKS}
    for payment in PAYMENTS:
        if payment.account_kind is AccountKind.CARD:
            assert luhn_valid(payment.account)
            assert payment.account.startswith(prefixes[payment.bank])
        else:
            assert (payment.account.isdigit(), len(payment.account)) == (True, digits[payment.bank])


def test_bank_codes_are_valid() -> None:
    assert [bank_code_valid(bank.code) for bank in BANKS] == [True, True, True]


def test_names_fit_their_bank() -> None:
    banks = {bank.bank: bank for bank in BANKS}
    for payment in PAYMENTS:
        bank = banks[payment.bank]
        for name in (payment.beneficiary_name, payment.payee_name):
            assert len(name.encode(bank.charset)) <= bank.name_width_bytes


def test_names_have_separators_and_rare_characters() -> None:
    names = "".join(payment.beneficiary_name for payment in PAYMENTS)
    assert "\u00b7" in names
    assert {"䶮", "𠅤"} <= set(names)
    assert not set(names) & set("•・‧．●")


def test_a_bank_with_a_narrow_charset_gets_no_rare_character() -> None:
    narrow = tuple(replace(bank, charset="gbk") for bank in BANKS)
    for payment in make_payments(Order(count=2000, seed=7, banks=narrow)):
        payment.beneficiary_name.encode("gbk")


def test_households_name_their_payee_by_role() -> None:
    households = [payment for payment in PAYMENTS if payment.payee_kind is PayeeKind.HOUSEHOLD]
    roles = Counter(payment.payee_role for payment in households)
    assert set(roles) == {PayeeRole.HOUSEHOLD_HEAD, PayeeRole.HOUSEHOLD_DESIGNATED}
    assert all(payment.household_id for payment in households)
    designated = [payment for payment in households if payment.payee_role is PayeeRole.HOUSEHOLD_DESIGNATED]
    assert all(payment.designation_reference and payment.payee_name for payment in designated)
    assert all(payment.payee_role is PayeeRole.SELF for payment in PAYMENTS if payment not in households)


def test_custody_is_of_the_card_and_has_a_ground() -> None:
    custody = [payment for payment in PAYMENTS if payment.custodian_name]
    assert custody
    assert all(payment.custodian_id and payment.custody_ground for payment in custody)
    assert {(payment.account_kind, payment.payee_name) for payment in custody} == {(AccountKind.CARD, "")}


def test_twins_differ_in_their_period_only() -> None:
    first, twin = PAYMENTS[48], PAYMENTS[49]
    assert (first.account, first.amount_minor, first.programme) == (
        twin.account,
        twin.amount_minor,
        twin.programme,
    )
    assert first.period != twin.period
    assert len({payment.payment_id for payment in PAYMENTS}) == len(PAYMENTS)


def test_nobody_gets_the_same_programme_twice_in_a_period() -> None:
    keys = Counter((payment.beneficiary_id, payment.programme, payment.period) for payment in PAYMENTS)
    assert max(keys.values()) == 1


def test_the_same_order_gives_the_same_payments_in_any_order() -> None:
    assert list(make_payments(ORDER)) == PAYMENTS
    assert make_payment(ORDER, 2222) == PAYMENTS[2222]
    assert make_payment(Order(count=3000, seed=8), 2222) != PAYMENTS[2222]


def test_the_envelope_declares_what_the_rows_add_up_to() -> None:
    batch = make_batch(ORDER)
    assert (batch.declared_count, batch.declared_total_minor) == (
        3000,
        sum(payment.amount_minor for payment in PAYMENTS),
    )


def test_defects_are_as_many_and_as_wrong_as_ordered() -> None:
    order = Order(count=400, seed=7, defects=8)
    payments = list(make_payments(order))
    placed = {index: defect for index in range(400) if (defect := defect_of(order, index))}
    assert Counter(placed.values()) == dict.fromkeys(Defect, 2)
    narrow = BANKS[0]
    for index, defect in placed.items():
        payment = payments[index]
        names = (payment.beneficiary_name, payment.payee_name)
        widest = max(len(name.encode("gb18030")) for name in names)
        seen = {
            Defect.NO_CARD: not payment.account,
            Defect.BAD_ID: not citizen_id_valid(payment.beneficiary_id),
            Defect.BAD_ACCOUNT: payment.account_kind is AccountKind.CARD and not luhn_valid(payment.account),
            Defect.LONG_NAME: payment.bank == narrow.bank and widest > narrow.name_width_bytes,
        }
        assert seen[defect], (defect, payment)


@pytest.mark.parametrize(
    ("frequency", "period"),
    [
        (Frequency.MONTH, "2026-09"),
        (Frequency.QUARTER, "2026-Q3"),
        (Frequency.TERM, "2026-T2"),
        (Frequency.YEAR, "2026"),
    ],
)
def test_periods(frequency: Frequency, period: str) -> None:
    assert period_of(frequency, 2026, 9) == period


def test_different_numbers_are_different_people() -> None:
    made = [make_person(1, number, (18, 20), date(2026, 9, 1), BANKS[0]) for number in range(5000)]
    assert len({person.id_number for person in made}) == 5000
    assert all(2005 <= int(person.id_number[6:10]) <= 2008 for person in made)


def test_a_stream_of_payments_takes_no_memory() -> None:
    tracemalloc.start()
    for _ in make_payments(Order(count=3000, seed=2)):
        pass
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 200_000

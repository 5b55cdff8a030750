"""Check digits against public valid numbers, and every damage of one character."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.identity import (
    CREDIT_CODE_ALPHABET,
    CheckScheme,
    as_eighteen_digits,
    bank_code_valid,
    birth_date,
    citizen_id_valid,
    invalid_person_ids,
    luhn_valid,
    luhn_valid_column,
    old_citizen_id_valid,
    person_id_valid,
    region_known,
    social_credit_code_valid,
    with_check_digit,
)

CITIZENS = [
    "11010519491231002X",
    "440524188001010014",
    "370902199001011235",
    "810000199809020113",
    "83000019810715006X",
]
BANK_CODES = ["102100099996", "103100000026", "105100000017", "313463000993", "402451000010"]
CREDIT_CODE = "91350100M000100Y43"
CARD = "6231990000001208674"

digits = st.text(alphabet="0123456789", min_size=1)


@pytest.mark.parametrize("number", CITIZENS)
def test_published_citizen_numbers_are_valid(number: str) -> None:
    assert citizen_id_valid(number)
    assert with_check_digit(CheckScheme.CITIZEN, number[:17]) == number


@pytest.mark.parametrize("number", CITIZENS)
def test_every_single_wrong_digit_is_seen(number: str) -> None:
    damaged = [
        number[:place] + digit + number[place + 1 :]
        for place in range(18)
        for digit in "0123456789X"
        if digit != number[place]
    ]
    assert [wrong for wrong in damaged if citizen_id_valid(wrong)] == []
    assert invalid_person_ids(damaged) == list(range(len(damaged)))


@pytest.mark.parametrize(
    "body", ["11010519490230002", "11010519491331002", "11010517991231002", "11010500000000002"]
)
def test_a_birth_date_that_does_not_exist_is_refused_though_the_check_digit_fits(body: str) -> None:
    number = with_check_digit(CheckScheme.CITIZEN, body)
    assert not citizen_id_valid(number)
    assert invalid_person_ids([number, CITIZENS[0]]) == [0]


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("110105491231002", True),
        ("110105490230002", False),
        ("010105491231002", False),
        ("USA123456789012", True),
        ("usa123456789012", False),
        ("USA12345678901", False),
        ("11010519491231002x", False),
        ("", False),
        ("１1010519491231002X", False),
        ("11010519491231002X\n", False),
        ("91350100M000100Y43", False),
    ],
)
def test_forms_of_a_persons_number(number: str, valid: bool) -> None:
    assert person_id_valid(number) is valid
    assert invalid_person_ids([number]) == ([] if valid else [0])


def test_a_foreigners_card_of_2023_follows_the_citizen_rule() -> None:
    number = with_check_digit(CheckScheme.CITIZEN, "91184019900101123")
    assert person_id_valid(number)
    assert region_known(number)


def test_line_ends_inside_numbers_do_not_hide_them_from_the_column_check() -> None:
    joined = "\n".join(CITIZENS[:2])
    assert invalid_person_ids([joined, CITIZENS[0]]) == [0]
    assert invalid_person_ids([joined, ""]) == [0, 1]


def test_credit_codes() -> None:
    assert social_credit_code_valid(CREDIT_CODE)
    assert with_check_digit(CheckScheme.SOCIAL_CREDIT, CREDIT_CODE[:17]) == CREDIT_CODE
    damaged = [
        CREDIT_CODE[:place] + letter + CREDIT_CODE[place + 1 :]
        for place in range(18)
        for letter in CREDIT_CODE_ALPHABET
        if letter != CREDIT_CODE[place]
    ]
    assert [wrong for wrong in damaged if social_credit_code_valid(wrong)] == []
    assert not social_credit_code_valid("9135O100M000100Y43")


@pytest.mark.parametrize("code", BANK_CODES)
def test_published_bank_codes_are_valid(code: str) -> None:
    assert bank_code_valid(code)
    assert with_check_digit(CheckScheme.BANK_CODE, code[:11]) == code
    for digit in set("0123456789") - {code[11]}:
        assert not bank_code_valid(code[:11] + digit)
    assert not bank_code_valid(code + "0")


def test_luhn() -> None:
    assert luhn_valid(CARD)
    assert [luhn_valid(CARD[:18] + digit) for digit in "0123456789"] == [False] * 4 + [True] + [False] * 5
    assert not luhn_valid("0")
    assert not luhn_valid("")
    assert not luhn_valid("６231990000001208674")


@given(st.lists(st.text(alphabet="0123456789x", min_size=0, max_size=24)))
def test_luhn_of_a_column_is_luhn_of_each(accounts: list[str]) -> None:
    assert luhn_valid_column(accounts) == [luhn_valid(account) for account in accounts]


@given(st.lists(st.text(alphabet="0123456789", min_size=2, max_size=20), min_size=1))
def test_luhn_of_digit_columns_is_luhn_of_each(accounts: list[str]) -> None:
    assert luhn_valid_column(accounts) == [luhn_valid(account) for account in accounts]


@given(digits)
def test_made_luhn_numbers_are_valid(body: str) -> None:
    number = with_check_digit(CheckScheme.LUHN, body)
    assert luhn_valid_column([number]) == [True]


@given(st.from_regex(r"[1-9][0-9]{5}", fullmatch=True), st.dates(date(1900, 1, 1)), st.integers(0, 999))
def test_made_citizen_numbers_are_valid_and_state_their_birth_date(
    region: str, born: date, order: int
) -> None:
    number = with_check_digit(CheckScheme.CITIZEN, f"{region}{born:%Y%m%d}{order:03d}")
    assert invalid_person_ids([number]) == []
    assert birth_date(number) == born


def test_a_body_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="16 characters"):
        with_check_digit(CheckScheme.CITIZEN, "1" * 16)


def test_an_old_number_and_its_successor() -> None:
    assert old_citizen_id_valid("110105491231002")
    assert as_eighteen_digits("110105491231002") == "11010519491231002X"
    assert as_eighteen_digits("11010519491231002X") == "11010519491231002X"
    assert birth_date("110105491231002") == date(1949, 12, 31)


@pytest.mark.parametrize(
    ("number", "known"),
    [(CITIZENS[0], True), (CITIZENS[3], True), ("USA123456789012", True), ("160105491231002", False)],
)
def test_regions(number: str, known: bool) -> None:
    assert region_known(number) is known


@pytest.mark.parametrize(
    ("day", "valid"), [("20000229", True), ("19000229", False), ("19960229", True), ("19970229", False)]
)
def test_the_29th_of_february_depends_on_the_year(day: str, valid: bool) -> None:
    number = with_check_digit(CheckScheme.CITIZEN, f"110105{day}002")
    assert citizen_id_valid(number) is valid
    assert invalid_person_ids([CITIZENS[0], number]) == ([] if valid else [1])


@given(st.lists(st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True), min_size=1))
def test_the_column_check_is_the_single_check(numbers: list[str]) -> None:
    wrong = [place for place, number in enumerate(numbers) if not person_id_valid(number)]
    assert invalid_person_ids(numbers) == wrong

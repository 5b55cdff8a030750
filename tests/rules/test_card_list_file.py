"""What is wrong with a card list, or with a row of it, is told, all of it, and nothing personal with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gateway import Gateway, InputRefused
from gateway.demonstration.site import Site
from tests.gateway.sites import CITY, ISO, RURAL, HandClock, payments_of
from tests.rules.card_lists import HEADERS, card, cells, listed, own_account
from tests.rules.sheets import sheet


@pytest.fixture(scope="module")
def gateway(judged_site: Site) -> Iterator[Gateway]:
    """One for all: nothing is stored here."""
    with Gateway.open(judged_site.configuration, clock=HandClock()) as opened:
        yield opened


# What is in a list.


def test_a_list_that_is_in_order_has_no_problem(gateway: Gateway, tmp_path: Path) -> None:
    rows = [cells(one, number) for number, one in enumerate(payments_of(CITY, 3))]
    found = gateway.plan.check_card_list(listed(tmp_path, rows))
    assert (found.rows, found.persons, found.left_out, found.doubted) == (3, 3, 0, 0)
    assert (found.problems, found.drawn_on) == ([], date(2026, 8, 20))
    assert gateway.plan.card_lists() == []


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"姓名": ""}, "beneficiary_name"),
        ({"姓名": "6231920000000000017"}, "beneficiary_name"),
        ({"身份证号": "370990195203150211"}, "beneficiary_id"),
        ({"身份证号": ""}, "beneficiary_id"),
        ({"身份证号": "37099020990315002X"}, "beneficiary_id"),
        ({"一本通银行": "nobodys-bank"}, "passbook_bank"),
        ({"一本通账号": "123456789"}, "passbook_account"),
        ({"社保卡银行账号": "6231920000000000018"}, "card_account"),
        ({"社保卡银行账号": "6.23192E+18"}, "card_account"),
        ({"社保卡银行": RURAL}, "card_account"),
        ({"一本通账号": card(1)}, "card_account"),
        ({"社保卡号": "A" * 21}, "social_card_number"),
    ],
)
def test_a_row_that_is_wrong_is_left_out_and_told_and_the_rest_counts(
    gateway: Gateway, tmp_path: Path, changes: dict[str, str], column: str
) -> None:
    first, second = payments_of(CITY, 2)
    rows = [cells(first, 1, **changes), cells(second, 2)]
    found = gateway.plan.check_card_list(listed(tmp_path, rows))
    assert (found.rows, found.persons, found.left_out) == (1, 1, 1)
    (problem,) = found.problems
    assert (problem.line, problem.column, problem.code) == (6, column, "card-list")
    assert not any(len(value) > 4 and value in problem.message for value in rows[0].values() if value != CITY)


def test_every_problem_is_told_in_one_pass(gateway: Gateway, tmp_path: Path) -> None:
    people = payments_of(CITY, 4)
    rows = [cells(one, number) for number, one in enumerate(people)]
    rows[0]["身份证号"], rows[0]["社保卡银行"], rows[2]["姓名"] = "1", "x", ""
    with pytest.raises(InputRefused) as refused:
        gateway.plan.check_card_list(listed(tmp_path, rows, drawn_on="2026-13-01", count=5))
    told = [(one.line, one.column) for one in refused.value.problems]
    assert told == [(None, ""), (2, ""), (6, "beneficiary_id"), (6, "card_bank"), (8, "beneficiary_name")]
    assert "says 5 rows and has 4" in refused.value.problems[0].message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("来源平台,yikatong", "来源平台,elsewhere", "source_platform is"),
        ("导出日期,2026-08-20", "导出日期,2026-09-03", "drawn_on is"),
        ("导出日期,2026-08-20\n", "", "drawn_on is nothing"),
        ("总行数,1", "总行数,2", "was it cut?"),
        ("总行数,1", "总行数,一", "declared_count is"),
        ("总行数,1", "总行数,1\n总行数,1", "says declared_count twice"),
        ("姓名,", "名字,", "lacks beneficiary_name"),
        ("社保卡号", "社保卡银行账号", "has twice card_account"),
        ("社保卡号", "工资", "unknown columns 7 "),
        (HEADERS, "", "lacks beneficiary_name, beneficiary_id"),
        ("姓名", '"姓名', "it is no CSV in UTF-8"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(
    gateway: Gateway, tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = listed(tmp_path, [cells(payments_of(CITY, 1)[0], 1)])
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputRefused) as refused:
        gateway.plan.check_card_list(path)
    assert any(message in one.message for one in refused.value.problems), refused.value.problems


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", "来源平台,卡\n".encode("gb18030"), b"x" * (2 << 20)])
def test_bytes_that_are_no_list_are_refused(gateway: Gateway, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cards.csv"
    path.write_bytes(content)
    with pytest.raises(InputRefused):
        gateway.plan.check_card_list(path)


def test_a_workbook_is_a_list_too_and_a_number_in_it_is_no_account(gateway: Gateway, tmp_path: Path) -> None:
    first, second = (list(cells(one, number).values()) for number, one in enumerate(payments_of(CITY, 2)))
    head: list[list[object]] = [["来源平台", "yikatong"], ["导出日期", date(2026, 8, 20)], ["总行数", 2], []]
    typed: list[object] = [*second]
    typed[5] = float(second[5])
    path = sheet(tmp_path / "cards.xlsx", [*head, HEADERS.split(","), [*first], typed])
    found = gateway.plan.check_card_list(path)
    assert (found.rows, found.left_out, found.drawn_on) == (1, 1, date(2026, 8, 20))
    assert [one.message.partition(":")[0] for one in found.problems] == ["cell F7 card_account"]


# A list that contradicts itself knows nothing of those whom it is about.


def contradictions(
    gateway: Gateway, folder: Path, rows: list[dict[str, str]]
) -> tuple[int, list[int | None]]:
    found = gateway.plan.check_card_list(listed(folder, rows))
    return found.doubted, [one.line for one in found.problems]


@pytest.mark.parametrize(
    ("changes", "doubted"),
    [
        ({"社保卡银行账号": card(1)}, 2),
        ({"一本通账号": own_account(1)}, 2),
        ({"社保卡银行": ISO, "社保卡银行账号": card(9, ISO)}, 0),
    ],
    ids=["one card of two persons", "one passbook of two persons", "another bank"],
)
def test_an_account_is_one_persons(
    gateway: Gateway, tmp_path: Path, changes: dict[str, str], doubted: int
) -> None:
    first, second, third = payments_of(CITY, 3)
    rows = [cells(first, 1), cells(second, 2, **changes), cells(third, 3)]
    assert contradictions(gateway, tmp_path, rows) == (doubted, [6, 7] if doubted else [])


def test_a_person_has_one_card_and_one_name(gateway: Gateway, tmp_path: Path) -> None:
    first, second, third = payments_of(CITY, 3)
    rows = [
        cells(first, 1),
        cells(first, 2),
        cells(second, 3),
        cells(second, 3, 姓名="王二"),
        cells(third, 4),
    ]
    doubted, lines = contradictions(gateway, tmp_path, rows)
    assert (doubted, set(lines)) == (2, {6, 7, 8, 9})


def test_a_person_may_have_two_passbooks_and_a_row_twice_is_only_told(
    gateway: Gateway, tmp_path: Path
) -> None:
    (first,) = payments_of(CITY, 1)
    rows = [cells(first, 1), cells(first, 1, 一本通账号=own_account(2)), cells(first, 1)]
    assert contradictions(gateway, tmp_path, rows) == (0, [8])


def test_fifteen_and_eighteen_digits_are_one_person(gateway: Gateway, tmp_path: Path) -> None:
    (first,) = payments_of(CITY, 1, beneficiary_id="370902199001011235")
    rows = [cells(first, 1), cells(first, 2, 身份证号="370902900101123")]
    assert contradictions(gateway, tmp_path, rows)[0] == 1

"""A limit is of a programme, whatever it is called: two names of it are no two budgets."""

from __future__ import annotations

import re

import pytest

from gateway import ConfigurationError
from tests.gateway.sites import CITY, Ground, credited, current, edit, payments_of
from tests.rules.test_agreements import agreement_path, limited

NAME, OTHER = "学前教育政府助学金", "学前助学金"


@pytest.fixture
def two_names(ground: Ground) -> Ground:
    """The programme of the payments has another name in the catalogue."""
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    edit(catalogue, f'name      = "{NAME}"\n', f'name      = "{NAME}"\nalso = ["{OTHER}"]\n')
    return ground


def limit(ground: Ground, programme: str, text: str) -> None:
    with agreement_path(ground).open("a", encoding="utf-8") as sink:
        sink.write(f'\n[limits.programme."{programme}"]\n{text}\n')


def refusals(ground: Ground) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as refused, ground.open():
        pass
    return [
        (problem.code, problem.message) for problem in refused.value.problems if problem.severity != "warns"
    ]


def test_two_limits_of_one_programme_are_refused(two_names: Ground) -> None:
    limit(two_names, NAME, "amount_per_day_minor = 20101")
    limit(two_names, OTHER, "amount_per_day_minor = 20101")
    ((code, message),) = refusals(two_names)
    assert code == "configuration.repeated"
    assert f"is the programme of {NAME} too: it would have two limits" in message


@pytest.mark.parametrize("name", ["学前教育 政府助学金", "没有的项目"])
def test_a_limit_of_nothing_is_refused(ground: Ground, name: str) -> None:
    limit(ground, name, "amount_per_day_minor = 20101")
    ((code, message),) = refusals(ground)
    assert code == "configuration.limit"
    assert "is a limit of nothing that the agreement entrusts" in message


def test_a_limit_by_another_name_bounds_the_programme(two_names: Ground) -> None:
    limit(two_names, OTHER, "amount_per_day_minor = 20101")
    two_names.bank(CITY)
    payments = payments_of(CITY, 3)
    with two_names.open() as gateway:
        two_names.submit(gateway, payments)
        two_names.run_to_the_end(gateway)
        assert current(gateway) == credited(payments[:2])


@pytest.mark.parametrize(("first", "then"), [(NAME, OTHER), (OTHER, NAME)])
def test_two_agreements_do_not_divide_the_names_of_a_programme(
    two_names: Ground, first: str, then: str
) -> None:
    path = agreement_path(two_names)
    text = path.read_text("utf-8")
    entrusted = re.compile(r"(?ms)^programmes +=.*?\]$")
    second = entrusted.sub(f'programmes = ["{then}"]', re.sub("(?m)^number .*$", 'number = "B-2"', text))
    path.with_name(f"{CITY}-second.toml").write_text(second, "utf-8")
    path.write_text(entrusted.sub(f'programmes = ["{first}"]', text), "utf-8")
    ((code, message),) = refusals(two_names)
    assert code == "configuration.overlap"
    assert f"{NAME} at the same bank and time by" in message


@pytest.mark.parametrize("kind", ["day", "period"])
def test_another_name_in_the_agreement_does_not_begin_a_budget_anew(two_names: Ground, kind: str) -> None:
    limited(two_names, f"amount_per_{kind}_minor = 20101")
    two_names.bank(CITY)
    payments = payments_of(CITY, 3)
    with two_names.open() as gateway:
        two_names.submit(gateway, payments)
        two_names.run_to_the_end(gateway)
    edit(agreement_path(two_names), f'[limits.programme."{NAME}"]', f'[limits.programme."{OTHER}"]')
    with two_names.open() as gateway:
        two_names.run_to_the_end(gateway)
        assert current(gateway) == credited(payments[:2])

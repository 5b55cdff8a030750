"""Payments that fit no file of their bank: tried once, shown, and tried again when something changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway import ExitCode, Gateway
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, Ground, credited, current, payments_of, states


def limit(ground: Ground, size_bytes: int) -> None:
    path = ground.profile_path(CITY)
    text = re.sub(r"file_bytes = \d+\n", "", path.read_text("utf-8"))
    path.write_text(text.replace("[limits]\n", f"[limits]\nfile_bytes = {size_bytes}\n"), "utf-8")


def numbers(ground: Ground) -> list[object]:
    return [row[0] for row in ground.rows("SELECT last FROM bank_sequence")]


def test_where_no_payment_fits_no_number_is_spent_at_each_run(ground: Ground, bankgate: Commands) -> None:
    limit(ground, 20)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 5))
    first = bankgate("run")
    assert first.code == ExitCode.NEEDS_PERSON
    # 5, 2, 1, and from the start again, until a second one does not fit alone: then no other is tried.
    assert numbers(ground) == [6]
    assert "5 payments, 510.10 yuan, fit no file: file of 1 payments has" in first.out
    again = bankgate("run")
    assert (again.code, numbers(ground)) == (ExitCode.NEEDS_PERSON, [6])
    assert "5 payments, 510.10 yuan, fit no file" in again.out
    assert "5 payments, 510.10 yuan, fit no file for city-bank: file of 1" in bankgate("held").out


def size_of_one(ground: Ground, gateway: Gateway) -> int:
    """Bytes of a file with one short payment."""
    ground.submit(gateway, payments_of(CITY, 1, prefix="S"))
    gateway.run()
    (size,) = ground.rows("SELECT size_bytes FROM file_part WHERE part = 'data'")[0]
    assert isinstance(size, int)
    return size


def test_what_fits_goes_and_what_does_not_stays(ground: Ground) -> None:
    """One long summary before short ones."""
    ground.bank(CITY)
    payments = payments_of(CITY, 2, start=1)
    long = payments_of(CITY, 1, start=3, summary="助" * 10)
    with ground.open() as gateway:
        limit(ground, size_of_one(ground, gateway) + 8)
        ground.run_to_the_end(gateway)
        before = current(gateway)
        ground.submit(gateway, [*long, *payments])
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
        assert current(gateway) == before | credited(payments)
        spent = numbers(ground)
        gateway.run()
        assert numbers(ground) == spent
        (item,) = gateway.held()
        assert item.said.values[:3] == ["1", "103.03", CITY]
    limit(ground, 1 << 20)
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
        assert current(gateway) == before | credited([*payments, *long])
        assert (gateway.held(), states(gateway)[-1]) == ([], "settled")
        ground.check_sound(gateway)


# Over the whole of a limit by amount.

FILE = "amount_per_file_minor = 20000"
DAY = "amount_per_day_minor = 20000"
PROGRAMME = '[limits.programme."学前教育政府助学金"]\n'


def agreement_path(ground: Ground) -> Path:
    (path,) = (ground.site.configuration.parent / "agreements").glob(f"{CITY}*.toml")
    return path


def agreed(ground: Ground, limits: str) -> None:
    path = agreement_path(ground)
    assert "[limits" not in path.read_text("utf-8")
    with path.open("a", encoding="utf-8") as sink:
        sink.write(f"\n{limits}\n")


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        (f"[limits]\n{FILE}", "one file takes 200.00 yuan, less"),
        (f"[limits]\n{DAY}", "one day takes 200.00 yuan, less"),
        (f"{PROGRAMME}{DAY}", "one day of 学前教育政府助学金 takes 200.00 yuan, less"),
        (f"{PROGRAMME}amount_per_period_minor = 20000", "学前教育政府助学金 2026-T2 takes 200.00 yuan, less"),
        (
            f"[limits]\n{FILE}\n{PROGRAMME}amount_per_day_minor = 19000",
            "one day of 学前教育政府助学金 takes 190",
        ),
    ],
)
def test_one_payment_over_a_limit_waits_and_the_others_go(ground: Ground, limits: str, named: str) -> None:
    agreed(ground, limits)
    ground.bank(CITY)
    first = payments_of(CITY, 1, prefix="L", amount_minor=20_001)
    others = payments_of(CITY, 1, start=1)
    with ground.open() as gateway:
        ground.submit(gateway, [*first, *others])
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(others)
        (item,) = gateway.held()
        assert item.said.values[:3] == ["1", "200.01", CITY]
        assert named in item.message
        assert any(named in line for line in gateway.run().waiting)
    path = agreement_path(ground)
    path.write_text(re.sub(r"(_minor = )\d+", r"\g<1>9000000", path.read_text("utf-8")), "utf-8")
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([*first, *others])
        assert gateway.held() == []
        ground.check_sound(gateway)


def test_a_limit_of_one_payment_that_came_after_the_batch_counts_when_it_leaves(ground: Ground) -> None:
    ground.bank(CITY)
    first = payments_of(CITY, 1, prefix="L", amount_minor=20_001)
    others = payments_of(CITY, 1, start=1)
    with ground.open() as gateway:
        ground.submit(gateway, [*first, *others])
    agreed(ground, "[limits]\namount_per_payment_minor = 20000")
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(others)
        (item,) = gateway.held()
        assert "one payment takes 200.00 yuan, less" in item.message


def test_what_is_left_of_a_day_still_waits_for_the_next_one(ground: Ground) -> None:
    agreed(ground, f"[limits]\n{DAY}")
    ground.bank(CITY)
    payments = payments_of(CITY, 2)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments[:1])
        assert gateway.held() == []
        ground.clock.turn(days=1)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)

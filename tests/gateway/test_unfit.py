"""Payments that fit no file of their bank: tried once, shown, and tried again when something changes."""

from __future__ import annotations

import re

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

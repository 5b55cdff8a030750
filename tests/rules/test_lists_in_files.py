"""Lists for a bank or a supervisor go to a file as well: the same rows, with plain numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from gateway.reports.numbers import count_text, yuan_text
from gateway.screens.listing import Column, Listing
from tests.gateway.commands import Commands
from tests.gateway.sites import Ground
from tests.rules.test_messages import settled

_AMOUNTS: Listing[int] = Listing(
    "amounts",
    Column(("编号", "id"), lambda minor: str(minor)),
    Column(("金额", "amount"), lambda minor: yuan_text(minor), number=True),
    Column(("笔数", "count"), lambda minor: count_text(minor), number=True),
    Column(("空", "none"), lambda minor: yuan_text(None)),
)


def _cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))[1:]


def test_numbers_have_commas_on_a_screen_and_none_in_a_file(
    bankgate: Commands, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _AMOUNTS.show([180_000, -222_380])
    shown = [line.split("│") for line in capfd.readouterr().out.splitlines()[-2:]]
    assert [[cell.strip() for cell in cells] for cells in shown] == [
        ["180000", "1,800.00", "180,000", ""],
        ["-222380", "-2,223.80", "-222,380", ""],
    ]
    _AMOUNTS.write([180_000, -222_380], tmp_path / "amounts.csv")
    assert _cells(tmp_path / "amounts.csv") == [
        ["180000", "1800.00", "180000", ""],
        ["-222380", "-2223.80", "-222380", ""],
    ]


@pytest.mark.parametrize(
    "name", ["breaches", "overdue", "spread", "share", "findings", "statements", "warnings", "publish-check"]
)
def test_a_file_has_the_rows_that_programs_are_told(
    ground: Ground, bankgate: Commands, tmp_path: Path, name: str
) -> None:
    with ground.open() as gateway:
        settled(ground, gateway)
        batch_id = gateway.status()[0].batch_id
    ground.clock.turn(days=90)
    typed: tuple[object, ...] = (name,)
    if name == "warnings":
        typed = name, batch_id
    if name == "publish-check":
        assert bankgate("publish", batch_id, "--output", tmp_path / "public.csv").code == 0
        typed = name, batch_id, tmp_path / "public.csv"
    told, written = bankgate(*typed, "--json"), bankgate(*typed, "--output", tmp_path / "list.csv")
    lines = [json.loads(line) for line in told.out.splitlines()] if told.out[:1] == "{" else None
    found = json.loads(told.out) if told.out[:1] == "[" else lines or []
    rows = {"share": lambda: found[0]["rows"], "publish-check": lambda: found[0]["differences"]}
    expected = len(rows[name]() if name in rows else found)
    assert (written.code, len(_cells(tmp_path / "list.csv"))) == (told.code, expected)
    assert written.out == f"{tmp_path / 'list.csv'}: {expected} rows\n"
    assert expected or name in ("breaches", "overdue", "findings", "statements", "warnings")

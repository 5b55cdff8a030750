"""`bankgate layout` for engineers: what the commands print, where they write, how they end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from formats.registry import SHIPPED_FOLDER
from gateway import cli
from tests.gateway.commands import Ended

Layout = Callable[..., Ended]


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Layout:
    """`bankgate layout ...`, without an installation."""

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["bankgate", "layout", *map(str, arguments)])
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfdbinary.readouterr()
        return Ended(int(ended.value.code or 0), said.out.decode(), said.err.decode())

    return call


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a changed copy of a layout, under its own name."""
    text = (SHIPPED_FOLDER / "rural-credit-result.toml").read_text("utf-8")
    changed = text.replace("41        failed       ACCOUNT_NOT_FOUND", "41        credited")
    (tmp_path / "rural-credit-result.toml").write_text(changed, "utf-8")
    return tmp_path


def test_show_prints_what_ships_and_what_lies_in_a_folder(layout: Layout, own: Path) -> None:
    shipped, mine = (
        layout("show", "rural-credit-result"),
        layout("show", "rural-credit-result", "--folder", own),
    )
    assert (shipped.code, mine.code) == (0, 0)
    assert "41           failed      ACCOUNT_NOT_FOUND" in shipped.out
    assert "41           credited" in mine.out


def test_show_writes_every_form_to_a_file(layout: Layout, tmp_path: Path) -> None:
    begins = {"text": b"plain-", "markdown": b"# plain-", "html": b"<!DOCTYPE html>", "xlsx": b"PK\x03\x04"}
    for form, beginning in begins.items():
        output = tmp_path / f"table.{form}"
        ended = layout("show", "plain-payroll-result", "--as", form, "--output", output)
        assert (ended.code, ended.out) == (0, "")
        assert output.read_bytes().startswith(beginning)


def test_show_of_a_choice_shows_all_that_it_names(layout: Layout, tmp_path: Path) -> None:
    choice = (
        'layout = "either"\nversion = "1"\npurpose = "result"\n'
        "choose = '''\nstarts \"1\"  rural-credit-result\notherwise  plain-payroll-result\n'''\n"
    )
    (tmp_path / "either.toml").write_text(choice, "utf-8")
    ended = layout("show", "either", "--folder", tmp_path)
    assert [line for line in ended.out.splitlines() if line.endswith("result 1")] == [
        "rural-credit-result 1",
        "plain-payroll-result 1",
    ]
    refused = layout("show", "either", "--folder", tmp_path, "--as", "xlsx", "--output", tmp_path / "x.xlsx")
    assert (refused.code, "name one of rural-credit-result, plain-payroll-result" in refused.err) == (2, True)


def test_show_of_what_is_not_there_or_wrong(layout: Layout, tmp_path: Path) -> None:
    missing = layout("show", "nobodys-layout")
    assert (missing.code, missing.err.splitlines()[0]) == (3, "error: there is no layout nobodys-layout")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('layout = "wrong"\n', "utf-8")
    ended = layout("show", wrong)
    assert (ended.code, "wrong.toml: no version" in ended.err) == (3, True)
    assert layout("show", "plain-payroll-result", "--as", "xlsx").code == 2


def test_diff_tells_what_touches_money_and_ends_with_one(layout: Layout, own: Path) -> None:
    mine = own / "rural-credit-result.toml"
    ended = layout("diff", "rural-credit-result", mine)
    assert (ended.code, ended.out.splitlines()) == (
        1,
        [
            "money  outcome code 41: means: failed ACCOUNT_NOT_FOUND -> credited",
            "1 differences, 1 touch money",
        ],
    )
    told = json.loads(layout("diff", "rural-credit-result", mine, "--json").out)
    assert [difference["weight"] for difference in told["differences"]] == ["money"]
    same = layout("diff", "rural-credit-result", "rural-credit-result")
    assert (same.code, same.out) == (0, "0 differences, 0 touch money\n")

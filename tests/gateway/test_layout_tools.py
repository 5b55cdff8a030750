"""`bankgate layout` for engineers: what the commands print, where they write, how they end."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from formats.registry import SHIPPED_FOLDER, Registry
from formats.tools.schema import SHIPPED_SCHEMA
from gateway.cli import root as cli
from tests.docs.paper import PAPER
from tests.formats.samples import ACCOUNT_ONE, ACCOUNT_TWO, encode, request_chunk
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


@pytest.fixture
def bank_file(tmp_path: Path) -> Path:
    """A request of two payments, its second line cut."""
    raw = encode(Registry().get("rural-credit-request"), [request_chunk()])
    file = tmp_path / "DF.txt"
    file.write_bytes(raw[:-40])
    return file


def test_dump_names_what_is_doubtful_and_what_the_decoder_says(layout: Layout, bank_file: Path) -> None:
    ended = layout("dump", bank_file)
    lines = ended.out.splitlines()
    assert ended.code == 1
    assert lines[0].startswith("layout rural-credit-request, by the looks of it (")
    assert "line 3  offset 202-262  record payment" in lines
    assert "? not there: 状态, 笔数, 金额, 返回码" in lines
    plain = [" ".join(line.split()) for line in lines]
    assert "123 23-45 账号 ************8674 payment.account" in plain
    assert [line for line in plain if line.startswith("? 2")] == [
        "? 247 46-61 户名 東* payment.payee_name <- cut: 16 of 20 bytes"
    ]
    assert lines[-3] == "263 bytes: 1 record header, 2 record payment; 24 fields, 0 gaps, 4 doubts"
    assert lines[-2] == "read by rural-credit-request: 1 problem"
    assert "the end of the file inside a line" in lines[-1]


def test_dump_masks_unless_asked_and_says_when_it_does_not(layout: Layout, bank_file: Path) -> None:
    masked, shown = layout("dump", bank_file), layout("dump", bank_file, "--unmasked")
    for word in (ACCOUNT_ONE, ACCOUNT_TWO, "阿依古丽", "9020001234567890"):
        assert word not in masked.out + masked.err
        assert word in shown.out
    assert shown.err.startswith("warning: names, accounts and IDs are shown as they stand")
    assert masked.err == ""
    as_json = layout("dump", bank_file, "--unmasked", "--json")
    assert [json.loads(line) for line in as_json.out.splitlines()]


def test_dump_of_a_file_that_is_right_ends_well(layout: Layout, tmp_path: Path) -> None:
    raw = encode(Registry().get("rural-credit-request"), [request_chunk()])
    (tmp_path / "DF.gz").write_bytes(gzip.compress(raw))
    ended = layout("dump", tmp_path / "DF.gz", "--layout", "rural-credit-request", "--doubtful")
    assert (ended.code, ended.out.splitlines()) == (
        0,
        [
            "303 bytes: 1 record header, 2 record payment; 28 fields, 0 gaps, 0 doubts",
            "read by rural-credit-request: no problems",
        ],
    )
    (tmp_path / "cut.gz").write_bytes(gzip.compress(raw)[:-9])
    assert "damaged gzip" in layout("dump", tmp_path / "cut.gz").err


def test_dump_of_what_nothing_fits_and_as_json(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\x00\xff whatever\n")
    ended = layout("dump", tmp_path / "x", "--json")
    passage, total = map(json.loads, ended.out.splitlines())
    assert ended.code == 1
    assert (passage["name"], passage["start"], passage["end"]) == ("line", 0, 12)
    assert total == {"layout": "", "passages": {"line": 1}, "gaps": 1, "doubts": 1, "problems": []}
    assert layout("dump", tmp_path / "x").out.startswith("no layout fits")


# Drafts.


def draft(layout: Layout, folder: Path, *more: object) -> Ended:
    return layout("new", PAPER, "--sheet", "代发文件", "--bank", "town-bank", "--output", folder, *more)


def test_new_writes_a_draft_with_its_schema_and_says_what_to_do(layout: Layout, tmp_path: Path) -> None:
    ended = draft(layout, tmp_path / "layouts")
    path = tmp_path / "layouts" / "town-bank-request.toml"
    assert (ended.code, ended.out) == (0, f"{path}: 13 guesses to confirm, 0 questions\n")
    assert path.read_text("utf-8").startswith("#:schema ./layout.schema.json\n# A draft of town-bank.xlsx")
    assert (tmp_path / "layouts" / "layout.schema.json").read_bytes() == SHIPPED_SCHEMA.read_bytes()
    checked = layout("check", tmp_path / "layouts")
    assert checked.code == 3
    assert (checked.out + checked.err).count("a guess that nobody has confirmed") == 13


def test_new_overwrites_nothing_and_takes_no_strange_names(layout: Layout, tmp_path: Path) -> None:
    draft(layout, tmp_path)
    (tmp_path / "town-bank-request.toml").write_text("mine", "utf-8")
    again = draft(layout, tmp_path)
    assert (again.code, (tmp_path / "town-bank-request.toml").read_text("utf-8")) == (3, "mine")
    assert "is there already" in again.err
    for wrong in (("--bank", "../x"), ("--delimiter", '"'), ("--delimiter", "||")):
        assert draft(layout, tmp_path / "other", *wrong).code == 2
    assert draft(layout, tmp_path / "other", "--sheet", "没有").code == 3


def test_new_tells_questions_and_mistakes(layout: Layout, tmp_path: Path) -> None:
    table = tmp_path / "paper.csv"
    table.write_text('名称,长度,类型,备注\n金额,"16,2",N,\n返回码,4,C,0-成功;9-其它\n', "utf-8")
    ended = layout("new", table, "--bank", "town", "--purpose", "result", "--output", tmp_path, "--json")
    told = json.loads(ended.out)
    assert [question for question in told["questions"] if "money.2 (fen" in question]
    assert 'code 9: what does "其它 (返回码)" mean?' in told["questions"]
    # What may only follow from an open question is not told before that is answered.
    assert told["mistakes"] == []
    table.write_text(table.read_text("utf-8").replace("N,", "N,以分为单位"), "utf-8")
    elsewhere = tmp_path / "elsewhere"
    ended = layout("new", table, "--bank", "town", "--purpose", "result", "--output", elsewhere, "--json")
    told = json.loads(ended.out)
    assert [mistake for mistake in told["mistakes"] if "outcome.code without a table" in mistake]

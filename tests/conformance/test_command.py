"""`bankgate layout check`, and the kit as a plug-in of pytest in a repository of somebody's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from gateway.cli import root as cli
from gateway.screens import screen
from gateway.texts import Words
from tests.conformance.conftest import Bench
from tests.gateway.commands import Ended

Check = Callable[..., Ended]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    """The command, and how it ended."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(screen, "_words", Words("en"))

    def checked(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["bankgate", "layout", "check", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return checked


def test_what_conforms_ends_with_0_and_says_what_was_done(check: Check) -> None:
    ended = check("--all", "--only", "rural-credit-acknowledgement", "--changes", 1)
    assert (ended.code, ended.err) == (0, "")
    assert "rural-credit-acknowledgement 1 (layout, acknowledgement): conforms" in ended.out
    assert "header 状态, 1 changes: the layout says `ignored`" in ended.out
    assert ended.out.endswith("1 formats conform\n")


def test_what_does_not_conform_ends_with_3_and_says_what_to_do(bench: Bench, check: Check) -> None:
    bench.take("rural-credit-acknowledgement", ("record_bytes = 222\n", ""))
    ended = check(bench.folder, "--changes", 1)
    assert ended.code == 3
    assert "record.header: nothing asserts its width" in ended.out
    assert "hint: record_bytes = 222, if that is the sum that the paper prints" in ended.out
    assert "1 of 1 formats do not conform: rural-credit-acknowledgement" in ended.out


def test_programs_get_everything_as_json(bench: Bench, check: Check) -> None:
    bench.take("rural-credit-acknowledgement", ("0190      in_progress", "*         accepted"))
    ended = check(bench.folder, "--json")
    assert ended.code == 3
    said = json.loads(ended.out)
    assert said["passed"] is False
    [report] = said["formats"]
    assert (report["name"], report["passed"]) == ("rural-credit-acknowledgement", False)
    [problem] = report["parts"][0]["problems"]
    assert (problem["code"], problem["hint"]) == ("code-default", "`*  unmapped`, or no such line")


@pytest.mark.parametrize("arguments", [[], [".", "--all"], ["--all", "--only", "no-such"], ["tests"]])
def test_bad_usage_ends_with_2(arguments: list[str], check: Check) -> None:
    assert check(*arguments).code == 2


def test_a_draft_counts_for_nothing_until_a_person_has_looked(bench: Bench, check: Check) -> None:
    bench.take("rural-credit-acknowledgement")
    path = bench.vectors("rural-credit-acknowledgement") / "duplicate.json"
    meaning = json.loads(path.read_text("utf-8"))
    path.unlink()
    ended = check(bench.folder, "--draft", "--changes", 1)
    assert (ended.code, "a draft that nobody has looked at" in ended.out) == (3, True)
    drafted = json.loads(path.read_text("utf-8"))
    assert drafted == {"draft": True, **meaning}
    path.write_text(json.dumps(meaning), "utf-8")
    assert check(bench.folder, "--draft", "--changes", 1).code == 0


def test_the_plug_in_gives_a_test_for_each_part_of_each_format(bench: Bench) -> None:
    layouts = bench.folder / "layouts"
    layouts.mkdir()
    own = Bench(layouts)
    own.take("rural-credit-acknowledgement")
    own.take("comment-style-acknowledgement", ("F03       rejected     PAYER_FUNDS\n", ""))
    (bench.folder / "pytest.ini").write_text(
        "[pytest]\nbankgate_layouts = layouts\nbankgate_changes = 1\ntestpaths = layouts\n", "utf-8"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v"],
        cwd=bench.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    for part in ("lint", "vectors", "round-trip", "limits", "totals", "codes", "mutation"):
        assert f"rural-credit-acknowledgement.toml::{part} PASSED" in run.stdout
    assert "comment-style-acknowledgement.toml::vectors FAILED" in run.stdout
    assert (
        "comment-style-acknowledgement.codes line 10: F03 is a code of the bank, and not mapped" in run.stdout
    )
    assert "2 failed, 12 passed" in run.stdout

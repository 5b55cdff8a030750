"""What the pages for layouts tell a reader to type is typed here, in order."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from gateway.cli.root import main
from gateway.demonstration.site import create_site
from gateway.screens import screen
from tests.docs.markdown import ROOT, commands

TOOLS = ROOT / "docs" / "layout-tools.md"
TUTORIAL = ROOT / "docs" / "add-a-bank.md"
TUTORIAL_ENDINGS = {
    "bankgate layout check layouts --draft": 3,
    "bankgate submit docs/examples/batch-town-bank.csv": 1,
    "bankgate release MZ-2026-11-002 --as reviewer-a --key demo/department/persons/reviewer-a.pem": 1,
    "bankgate layout diff layouts/town-bank-request.toml next/town-bank-request.toml": 1,
}
DUMPED = "bankgate layout dump docs/examples/rural-credit-result.txt --layout rural-credit-result --doubtful"
ENDINGS = {
    "bankgate layout diff rural-credit-request rural-credit-result": 1,
    "bankgate layout dump docs/examples/rural-credit-result.txt": 1,
    DUMPED: 1,
}
"""Exit codes of commands that do not end with 0."""


class _Told(io.TextIOWrapper):
    """Standard output with bytes below it, kept as text."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        raw = self.buffer
        assert isinstance(raw, io.BytesIO)
        return raw.getvalue().decode("utf-8", "replace")


def typed(command: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """How a command of ours ends in this process, and what it says."""
    words = shlex.split(command)
    assert words[0] == "bankgate"
    told, complained = _Told(), io.StringIO()
    monkeypatch.setattr(sys, "argv", words)
    # One that was made before would keep the width of that time.
    monkeypatch.setattr(screen, "_console", Console(highlight=False, soft_wrap=False))
    with (
        contextlib.redirect_stdout(told),
        contextlib.redirect_stderr(complained),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return int(ended.value.code or 0), told.text() + complained.getvalue()


def _environment(place: Path) -> dict[str, str]:
    """A reader's shell: our commands first, English, a wide screen."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    configuration = str(place / "demo" / "gateway" / "bankgate.toml")
    return {"PATH": path, "LC_ALL": "C.UTF-8", "COLUMNS": "160", "BANKGATE_CONFIG": configuration}


def _typed_at_a_shell(command: str) -> tuple[int, str]:
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=100)
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def _second_terminal(command: str) -> Iterator[list[str]]:
    """A command that serves until Ctrl-C, and what it said; the block begins when it listens."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if "listens on" in line:
                break
        assert "listens on" in "".join(said[-1:]), "".join(said)
        yield said
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def _type(command: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    if command.startswith("bankgate") and "$(" not in command:
        return typed(command, monkeypatch)
    return _typed_at_a_shell(command)


@pytest.mark.timeout(300)
def test_the_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the paper to payments through the new bank: every command of the page in its order.

    The demonstration's own batch is not run here but by the README's tour; its site is the same.
    """
    monkeypatch.chdir(tmp_path)
    for name, value in _environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    create_site(tmp_path / "demo", datetime.now(UTC))
    page = TUTORIAL.read_text("utf-8")
    wanted = [one for one in commands(TUTORIAL) if not one.startswith(("bankgate demo", "export "))]
    (served,) = [one for one in wanted if one.startswith("bankgate simulate")]
    checks = [place for place, one in enumerate(wanted) if one == "bankgate layout check layouts"]
    assert len(checks) == 2
    said: dict[int, str] = {}
    place = wanted.index(served)

    def run(places: range) -> None:
        for at in places:
            code, said[at] = _type(wanted[at], monkeypatch)
            ending = 3 if at == checks[0] else TUTORIAL_ENDINGS.get(wanted[at], 0)
            assert code == ending, f"{wanted[at]}\n{said[at]}"

    run(range(place))
    with _second_terminal(served) as greeting:
        run(range(place + 1, len(wanted)))
    drafted = said[0] + said[1]
    assert f"```\n{drafted}```\n" in page
    problems = page.partition("```\ntown-bank-request (layout)")[2].partition("...\n")[0]
    assert said[checks[0]].startswith(f"town-bank-request (layout){problems}")
    assert said[checks[1]].splitlines()[-1] == "2 formats conform"
    assert greeting[0].startswith("town-bank is set up in ")
    outcomes = said[wanted.index("bankgate outcomes MZ-2026-11-002")]
    assert [line.split("│")[1:3] for line in outcomes.splitlines() if "MZ-2026" in line] == [
        [" credited ", " success           "],
        [" failed   ", " account not found "],
        [" credited ", " success           "],
    ]
    dumped = [said[at] for at, one in enumerate(wanted) if "layout dump" in one]
    assert [text.splitlines()[-1] for text in dumped] == [
        "read by town-bank-result: no problems",
        "read by town-bank-request: no problems",
        "read by town-bank-result: no problems",
    ]
    assert f"```\n{said[len(wanted) - 1]}```\n" in page


def test_the_tools_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    said = {}
    for command in commands(TOOLS):
        code, said[command] = typed(command, monkeypatch)
        assert code == ENDINGS.get(command, 0), f"{command}\n{said[command]}"
    page = TOOLS.read_text("utf-8")
    shown = said["bankgate layout show rural-credit-result"]
    printed = page.partition("```\nrecord payment\n")[2].partition("...\n```")[0]
    assert printed
    assert printed in shown
    assert f"```\n{said[DUMPED]}```\n" in page
    assert {path.name for path in tmp_path.iterdir()} >= {"rural.md", "rural.html", "rural.xlsx"}

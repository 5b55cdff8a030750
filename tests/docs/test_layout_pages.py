"""What the pages for layouts tell a reader to type is typed here, in order."""

from __future__ import annotations

import contextlib
import io
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from gateway.cli import main
from tests.docs.markdown import ROOT, commands

TOOLS = ROOT / "docs" / "layout-tools.md"
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
    with (
        contextlib.redirect_stdout(told),
        contextlib.redirect_stderr(complained),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return int(ended.value.code or 0), told.text() + complained.getvalue()


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

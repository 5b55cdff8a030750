"""Ctrl-C during the command's imports ends it with a line and 130; a library's user is left alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gateway._interrupt import is_command

_INTERRUPT_AFTER_IMPORT = """
import os, signal, sys
sys.argv = [{program!r}]
import gateway
os.kill(os.getpid(), signal.SIGINT)
"""


def _interrupted(program: str, locale: str = "C.UTF-8") -> subprocess.CompletedProcess[str]:
    script = _INTERRUPT_AFTER_IMPORT.format(program=program)
    environment = os.environ | {"LC_ALL": locale, "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=environment,
    )


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        ("C.UTF-8", "error: interrupted\nhint: nothing was begun\n"),
        ("zh_CN.UTF-8", "错误: 已中断\n提示: 尚未开始任何操作\n"),
    ],
)
def test_the_command_ends_with_a_line(locale: str, line: str) -> None:
    ended = _interrupted("/usr/local/bin/bankgate", locale)
    assert (ended.returncode, ended.stderr) == (130, line)


def test_another_program_keeps_its_own_way() -> None:
    assert "KeyboardInterrupt" in _interrupted("platform.py").stderr


@pytest.mark.parametrize(
    ("program", "expected"), [("/a/bankgate", True), ("bankgate.py", False), ("", False)]
)
def test_only_the_command_is_touched(program: str, expected: bool) -> None:
    assert is_command(program) is expected

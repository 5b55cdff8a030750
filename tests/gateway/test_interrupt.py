"""Ctrl-C during the command's imports ends it with a line and 130; a library's user is left alone."""

from __future__ import annotations

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


def _interrupted(program: str) -> subprocess.CompletedProcess[str]:
    script = _INTERRUPT_AFTER_IMPORT.format(program=program)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_the_command_ends_with_a_line() -> None:
    ended = _interrupted("/usr/local/bin/bankgate")
    assert (ended.returncode, ended.stderr) == (130, "error: interrupted\nhint: nothing was begun\n")


def test_another_program_keeps_its_own_way() -> None:
    assert "KeyboardInterrupt" in _interrupted("platform.py").stderr


@pytest.mark.parametrize(
    ("program", "expected"), [("/a/bankgate", True), ("bankgate.py", False), ("", False)]
)
def test_only_the_command_is_touched(program: str, expected: bool) -> None:
    assert is_command(program) is expected

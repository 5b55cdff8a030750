"""Commands run as an operator runs them, in this process or in one of their own."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import Struct
from rich.console import Console

from gateway import api
from gateway.cli import keys as cli_keys
from gateway.cli import root as cli
from gateway.screens import screen
from gateway.texts import Words
from keys.errors import KeyUnavailable
from keys.person_key import read_person_key
from tests.gateway.sites import Ground

ROOT = Path(__file__).parents[2]
PROGRAM = "from gateway.cli.root import main; main()"
_TAKE_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
"""Makes what standard input is the terminal of this process, at which it asks for passphrases."""


class Ended(Struct, frozen=True):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


class Commands:
    """`bankgate ...` on one site, in this process, by the site's clock."""

    def __init__(
        self, ground: Ground, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self._ground = ground
        self._monkeypatch = monkeypatch
        self._capture = capfd
        for module in (api, cli_keys):
            monkeypatch.setattr(module, "SystemClock", lambda: ground.clock)
        monkeypatch.setenv("BANKGATE_CONFIG", str(ground.site.configuration))
        monkeypatch.setenv("COLUMNS", "200")
        # One that was made before would keep the width of that time.
        monkeypatch.setattr(screen, "_console", Console(highlight=False, soft_wrap=False))
        monkeypatch.setattr(screen, "_words", Words("en"))
        monkeypatch.setattr(screen, "speak", lambda configured: None)

    def __call__(self, *arguments: object) -> Ended:
        arguments = _with_fingerprint(arguments)
        self._monkeypatch.setattr(sys, "argv", ["bankgate", *map(str, arguments)])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self._capture.readouterr()
        assert ended.value.code is not None
        return Ended(int(ended.value.code), said.out, said.err)


def _with_fingerprint(arguments: tuple[object, ...]) -> tuple[object, ...]:
    """Whoever enrols has compared the key with its owner, where a test does not say otherwise."""
    if arguments[:2] != ("operator", "add") or "--fingerprint" in arguments:
        return arguments
    public = Path(str(arguments[arguments.index("--public-key") + 1]))
    try:
        return (*arguments, "--fingerprint", read_person_key(public).sha256)
    except KeyUnavailable:
        return (*arguments, "--fingerprint", "0" * 16)


def start(*arguments: object, program: str = PROGRAM) -> subprocess.Popen[str]:
    """A command in a process of its own; `program` is what it runs."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def at_a_terminal(arguments: list[str], answers: list[str], folder: Path = ROOT) -> tuple[int, str]:
    """A command in a process whose terminal this is; each answer is given to one question.

    Its exit code, and what its screen showed.
    """
    line, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", f"{_TAKE_TERMINAL}; {PROGRAM}", *arguments],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    asked = 0
    # Reading fails when the other side has ended.
    with contextlib.suppress(OSError):
        while block := os.read(line, 4096):
            shown += block
            if asked < len(answers) and shown.rstrip(b" ").endswith(b":"):
                os.write(line, f"{answers[asked]}\n".encode())
                asked += 1
                shown += b"\n"
    os.close(line)
    return process.wait(), shown.decode()

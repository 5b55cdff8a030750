"""Starts `bankgate` processes and holds the line to each: go on, stop, kill.

with Launcher() as launcher:
    process = launcher.start(["run", "--config", path], at=now)
    while (step := process.next_step()) is not None:
        process.go_on()
    ended = process.end()
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from tests.kills.process import Order, Request, Start, Wait

_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 60.0
"""No step of a small history takes as long: a process that says nothing hangs, and the test fails."""


class Ended(Struct, frozen=True):
    """How a process ended: its exit code, or minus the signal that killed it; and what it said."""

    code: int
    output: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Process:
    """One started command. `next_step` until it gives None, then `end`."""

    def __init__(self, launcher: Launcher, order: Order) -> None:
        self._launcher = launcher
        # A file, so that a process that says much never waits for a reader.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `end`
        ours, theirs = socket.socketpair()
        self._line = ours
        self._line.settimeout(_PATIENCE_SECONDS)
        self._heard = b""
        launcher.started.append(self)
        with theirs:
            self.pid = launcher.ask(Start(order=order), [self._output.fileno(), theirs.fileno()])

    def next_step(self) -> str | None:
        """What the process is about to do, or has just done; None when it has ended."""
        while b"\n" not in self._heard:
            try:
                block = self._line.recv(256)
            except ConnectionResetError:
                block = b""
            if not block:
                return None
            self._heard += block
        step, _, self._heard = self._heard.partition(b"\n")
        return step.decode()

    def go_on(self) -> None:
        self._line.sendall(b".")

    def steps_within(self, seconds: float) -> bool:
        """Whether another step, or the end, came within this time."""
        return bool(self._heard or select.select([self._line], [], [], seconds)[0])

    def has_ended(self) -> bool:
        """Whether a process without steps is gone: then nobody holds the other end of its line."""
        return self.steps_within(0)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def wake(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def run_out(self) -> Ended:
        """Let it do everything that it wants to do."""
        while self.next_step() is not None:
            self.go_on()
        return self.end()

    def end(self) -> Ended:
        """Wait until the process is gone."""
        status = self._launcher.ask(Wait(pid=self.pid))
        self._launcher.started.remove(self)
        self._line.close()
        with self._output as output:
            output.seek(0)
            return Ended(os.waitstatus_to_exitcode(status), output.read().decode())


class Launcher:
    """Has loaded everything once, so that a command starts at once."""

    def __init__(self) -> None:
        self.started: list[Process] = []
        """Those that nobody has seen end; a failed test leaves some."""

    def __enter__(self) -> Self:
        self._orders, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kills.process", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"LC_ALL": "C.UTF-8", "LANGUAGE": "en", "COLUMNS": "200"},
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in list(self.started):
            process.kill()
            process.end()
        self._orders.close()
        self._process.wait(_PATIENCE_SECONDS)

    def ask(self, request: Request, handles: list[int] | None = None) -> int:
        """Send a request with open files; its answer. One at a time."""
        socket.send_fds(self._orders, [msgspec.json.encode(request)], handles or [])
        answer = b""
        while not answer.endswith(b"\n"):
            block = self._orders.recv(64)
            if not block:
                raise RuntimeError("the launcher's process has ended")
            answer += block
        return int(answer)

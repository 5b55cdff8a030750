"""`bankgate` as a process of its own that asks at every step whether it may go on.

A step is just before or just after a commit of the ledger, an operation on the spool's disk
or an operation on a bank's server, and each block of an upload or download. At a step the
process says what it is about to do and waits for one byte; whoever started it may let it
go on, stop it, kill it, or look at the world first. The product has no such switch: what is
wrapped here is wrapped in this process only.

    python -m tests.kills.process NUMBER       waits for orders on socket NUMBER, forks each

Starting Python and loading the libraries takes longer than a whole run, so one process does
it once and forks itself for each command; every fork is a process with its own id, files,
locks and connections, and dies alone. With one order and no fork it is a plain process.
"""

from __future__ import annotations

import array
import contextlib
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO, NoReturn

import alembic.command  # noqa: F401 - loaded once, for the ledger's first start
import msgspec
from msgspec import Struct

import gateway.sending.connect
from channels.channel import ByteSink
from channels.sftp import SftpChannel
from formats.registry import shipped
from gateway.cli import root as cli
from gateway.installation import Installation
from gateway.ledger.database import Ledger, Transaction
from gateway.ledger.files import FileRow
from gateway.ports import FolderDisk, SystemClock
from gateway.sending import transmit

ORDER_BYTES = 1 << 16
_BLOCK_BYTES = 512
_SMALL_BLOCKS = 3
"""The first blocks of an upload are small, so that a small file can be cut in its middle too."""
_DISK = ("create", "sync", "publish", "remove")
_CHANNEL = ("list", "stat", "rename", "remove")


class Order(Struct, frozen=True, kw_only=True):
    """One command to start. The order's file numbers: output, and where it is `stepped`, the line."""

    arguments: list[str]
    at: datetime | None
    """What the process's clock says, which stands still; None is the machine's own clock."""
    stepped: bool = True
    largest_file_bytes: int | None = None
    """The operating system's limit for any file that the process writes."""
    bug: str = ""
    """A mistake to put into this process, to see that it is found; a key of `BUGS`."""


class Wait(Struct, frozen=True, kw_only=True, tag=True):
    """Report how a started process ended; the answer is the status of `waitpid`."""

    pid: int


class Start(Struct, frozen=True, kw_only=True, tag=True):
    """Start a process; the answer is its id."""

    order: Order


Request = Start | Wait


class Line:
    """Says each step and waits until it may go on; a line that was hung up ends the process."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def step(self, kind: str) -> None:
        self._connection.sendall(kind.encode() + b"\n")
        if not self._connection.recv(1):
            os.kill(os.getpid(), signal.SIGKILL)


def wrap(line: Line) -> None:
    """Put steps around everything that this process does to the world."""
    for name in _DISK:
        _wrap(FolderDisk, name, f"disk {name}", line)
    for name in _CHANNEL:
        _wrap(SftpChannel, name, f"channel {name}", line)
    _wrap(Ledger, "_migrate", "ledger migrate", line)
    _wrap(gateway.sending.connect, "open_sftp", "channel open", line)
    _wrap_commit(line)
    _wrap_put(line)
    _wrap_get(line)


def _wrap(owner: object, name: str, kind: str, line: Line) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def stepping(*given: Any, **named: Any) -> Any:
        line.step(f"before {kind}")
        result = original(*given, **named)
        line.step(f"after {kind}")
        return result

    setattr(owner, name, stepping)


def _wrap_commit(line: Line) -> None:
    original = Ledger.write

    @contextlib.contextmanager
    def stepping(ledger: Ledger, *connection: Any) -> Iterator[Transaction]:
        with original(ledger, *connection) as transaction:
            yield transaction
            line.step("before ledger commit")
        line.step("after ledger commit")

    setattr(Ledger, "write", stepping)  # noqa: B010 - mypy takes no assignment to a method


def _wrap_put(line: Line) -> None:
    original = SftpChannel.put

    def stepping(channel: SftpChannel, path: str, source: BinaryIO, size_bytes: int) -> Any:
        line.step("before channel put")
        result = original(channel, path, _SteppingSource(source, line), size_bytes)  # type: ignore[arg-type]
        line.step("after channel put")
        return result

    setattr(SftpChannel, "put", stepping)  # noqa: B010


def _wrap_get(line: Line) -> None:
    original = SftpChannel.get

    def stepping(channel: SftpChannel, path: str, sink: ByteSink, limit_bytes: int) -> Any:
        line.step("before channel get")
        result = original(channel, path, _SteppingSink(sink, line), limit_bytes)
        line.step("after channel get")
        return result

    setattr(SftpChannel, "get", stepping)  # noqa: B010


class _SteppingSource:
    """A file on its way up, a step before each block."""

    def __init__(self, source: BinaryIO, line: Line) -> None:
        self._source = source
        self._line = line
        self._blocks = 0

    def read(self, count: int) -> bytes:
        self._blocks += 1
        self._line.step("during channel put")
        return self._source.read(min(count, _BLOCK_BYTES) if self._blocks <= _SMALL_BLOCKS else count)


class _SteppingSink:
    """A file on its way down, a step after each block."""

    def __init__(self, sink: ByteSink, line: Line) -> None:
        self._sink = sink
        self._line = line

    def write(self, block: bytes, /) -> None:
        self._sink.write(block)
        self._line.step("during channel get")


def run_command(order: Order, line: Line | None) -> NoReturn:
    """Be `bankgate` with these arguments, to the end of this process."""
    if order.at is not None:
        setattr(SystemClock, "now", lambda _clock: order.at)  # noqa: B010
    if order.largest_file_bytes is not None:
        # Python ignores SIGXFSZ: a write beyond the limit fails as one to a full disk does.
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest_file_bytes, resource.RLIM_INFINITY))
    if order.bug:
        BUGS[order.bug]()
    if line is not None:
        wrap(line)
    sys.argv = ["bankgate", *order.arguments]
    cli.main()


def _send_again() -> None:
    """After a crash in the middle of a release, send the file once more."""

    def again(_installation: Installation, transaction: Transaction, file: FileRow, _why: str) -> None:
        transaction.run(
            "UPDATE file SET state = 'sealed' WHERE file_pk = :pk AND state = 'releasing'", pk=file.file_pk
        )

    setattr(transmit, "_make_uncertain", again)  # noqa: B010


BUGS: dict[str, Callable[[], None]] = {"send-again": _send_again}


def _serve(orders: socket.socket) -> None:
    """Carry out requests until the other side hangs up."""
    # Loads every library that a layout needs.
    shipped()
    while True:
        message, ancillary, _, _ = orders.recvmsg(ORDER_BYTES, socket.CMSG_LEN(8 * 4))
        if not message:
            return
        request = msgspec.json.decode(message, type=Request)
        if isinstance(request, Wait):
            answer = os.waitpid(request.pid, 0)[1]
        else:
            handles = array.array("i")
            for _, _, content in ancillary:
                handles.frombytes(content)
            answer = _fork(orders, request.order, list(handles))
        orders.sendall(str(answer).encode() + b"\n")


def _fork(orders: socket.socket, order: Order, handles: list[int]) -> int:
    pid = os.fork()
    if pid:
        for handle in handles:
            os.close(handle)
        return pid
    orders.close()
    code = 1
    try:
        os.dup2(handles[0], 1)
        os.dup2(handles[0], 2)
        os.close(handles[0])
        line = Line(socket.socket(fileno=handles[1])) if order.stepped else None
        run_command(order, line)
    except SystemExit as ending:
        code = int(ending.code or 0)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _orders:
        _serve(_orders)

"""A loopback TCP proxy that cuts, stalls or delays a connection at an exact byte, for fault tests.

with Proxy(server.host, server.port) as proxy:
    proxy.arm(Direction.TO_SERVER, after_bytes=100_000, fault=Fault.CUT)
    ... talk to proxy.host, proxy.port ...
    proxy.struck.wait(10)
"""

from __future__ import annotations

import contextlib
import socket
import threading
from enum import Enum
from types import TracebackType
from typing import Self

_BLOCK_BYTES = 64 * 1024


class Direction(Enum):
    TO_SERVER = "to server"
    TO_CLIENT = "to client"


class Fault(Enum):
    CUT = "cut"
    """Both connections end at once, without the bytes beyond."""
    STALL = "stall"
    """Both stay open; nothing is carried in that direction any longer."""
    DELAY = "delay"
    """The same, until `resume`: then what was held arrives after all, whoever still waits for it."""


class Proxy:
    """Forwards to one address. Starts in `__enter__`; `__exit__` ends every connection."""

    host = "127.0.0.1"

    def __init__(self, target_host: str, target_port: int) -> None:
        self._target = (target_host, target_port)
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self.struck = threading.Event()
        """Set when the armed fault happened."""
        self.connections = 0
        self.carried = dict.fromkeys(Direction, 0)
        """Bytes carried so far, all connections together."""
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._resumed = threading.Event()
        self._fault: tuple[Direction, int, Fault] | None = None

    def arm(self, direction: Direction, after_bytes: int, fault: Fault) -> None:
        """Strike once `after_bytes` more bytes went in that direction; they still arrive."""
        with self._lock:
            self.struck.clear()
            self._resumed.clear()
            self._fault = (direction, self.carried[direction] + after_bytes, fault)

    def resume(self) -> None:
        """Carry what a delay held, and go on."""
        self._resumed.set()

    def sever(self) -> None:
        """Cut every connection now; new ones are taken as before."""
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for one in sockets:
            _end(one)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._resumed.set()
        _end(self._listener)
        self._listener.close()
        self.sever()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            with self._lock:
                self.connections += 1
                self._sockets += [client, server]
            ended = threading.Barrier(2)
            self._start(self._carry, client, server, Direction.TO_SERVER, ended)
            self._start(self._carry, server, client, Direction.TO_CLIENT, ended)

    def _carry(
        self, source: socket.socket, sink: socket.socket, direction: Direction, ended: threading.Barrier
    ) -> None:
        try:
            while block := source.recv(_BLOCK_BYTES):
                allowed, fault = self._allow(direction, len(block))
                sink.sendall(block[:allowed])
                if fault is Fault.CUT:
                    self._strike()
                    break
                if fault is Fault.STALL:
                    self._strike()
                    self._closing.wait()
                    break
                if fault is Fault.DELAY:
                    self._strike()
                    self._resumed.wait()
                    sink.sendall(block[allowed:])
        except OSError:
            pass
        for one in (source, sink):
            _end(one)
        # Closed when both directions are done, so that neither uses the other's number.
        if ended.wait() == 0:
            source.close()
            sink.close()

    def _allow(self, direction: Direction, count: int) -> tuple[int, Fault | None]:
        with self._lock:
            if self._fault is not None and self._fault[0] is direction:
                rest = self._fault[1] - self.carried[direction]
                if rest <= count:
                    fault = self._fault[2]
                    self._fault = None
                    self.carried[direction] += count if fault is Fault.DELAY else rest
                    return rest, fault
            self.carried[direction] += count
            return count, None

    def _strike(self) -> None:
        self.struck.set()


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)

"""The line to a server, and everything that can break between."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, NoReturn, Self

from channels.channel import ByteSink, Entry, Traits, Upload
from channels.errors import (
    AlreadyExists,
    AuthenticationRefused,
    ConnectionLost,
    HostKeyRefused,
    NoSpace,
    NotFound,
    PermissionRefused,
    ServerFault,
    TimedOut,
    TooLarge,
    Unreachable,
    UnsafeName,
    Vanished,
)
from tests.simulation.faults import Fault, Faults
from tests.simulation.server import Folders

_PART = frozenset({Fault.CRASH_DURING, Fault.LOST_DURING, Fault.NO_SPACE})


class SimulatedChannel:
    """Implements `channels.channel.Channel`. A broken line stays broken.

    `side` is `bank` or `anchor`, as in the names of points. `meanwhile` lets somebody else act.
    Names below `hidden` may be listed and written, not read.
    """

    traits = Traits(rename_refuses_existing=True, exclusive_create=True, sync=True)

    def __init__(
        self,
        server: Folders,
        faults: Faults,
        side: str,
        meanwhile: Callable[[float], None],
        hidden: str = "",
    ) -> None:
        self._server = server
        self._faults = faults
        self._side = side
        self._meanwhile = meanwhile
        self._hidden = hidden
        self._broken = False
        fault = faults.at(f"{side} open")
        if fault is Fault.UNREACHABLE:
            raise Unreachable("simulated: no route")
        if fault is Fault.TIMED_OUT_BEFORE:
            raise TimedOut("simulated: no answer to the connection")
        if fault is Fault.LOGIN_REFUSED:
            raise AuthenticationRefused("simulated: login refused")
        if fault is Fault.HOST_KEY_CHANGED:
            raise HostKeyRefused("simulated: another host key")
        self._end(fault)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._broken = True

    def list(self, folder: str) -> list[Entry]:
        fault = self._begin("list")
        if fault is Fault.UNSAFE_NAME:
            raise UnsafeName("simulated: a name that leaves the folder")
        self._server.look()
        prefix = f"{folder}/" if folder else ""
        found = [
            Entry(path.removeprefix(prefix), len(content), version)
            for path, (content, version) in sorted(self._server.files.items())
            if path.startswith(prefix) and "/" not in path.removeprefix(prefix)
        ]
        self._end(fault)
        return found

    def stat(self, path: str) -> Entry | None:
        fault = self._begin("stat")
        found = self._server.files.get(path)
        self._end(fault)
        return None if found is None else Entry(path.rpartition("/")[2], len(found[0]), found[1])

    def put(self, path: str, source: BinaryIO, size_bytes: int) -> Upload:
        fault = self._begin("put")
        content = source.read()
        if len(content) != size_bytes:
            raise ValueError(f"{path}: {len(content)} bytes, announced were {size_bytes}")
        if path in self._server.files:
            raise AlreadyExists(f"simulated: {path} exists")
        if fault in _PART:
            self._server.write(path, content[: int(len(content) * self._faults.dice)])
            self._server.notice()
            self._break_off(fault)
        self._server.write(path, content)
        self._server.notice()
        self._end(fault)
        if path not in self._server.files:
            raise Vanished(f"simulated: {path} is gone right after it was written")
        return Upload(path, size_bytes, hashlib.sha256(content).hexdigest(), True, 0.0)

    def rename(self, old: str, new: str) -> None:
        fault = self._begin("rename")
        if new in self._server.files:
            raise AlreadyExists(f"simulated: {new} exists")
        if old not in self._server.files:
            raise NotFound(f"simulated: no {old}")
        self._server.write(new, self._server.files.pop(old)[0])
        self._server.notice()
        self._end(fault)

    def remove(self, path: str) -> None:
        fault = self._begin("remove")
        self._server.files.pop(path, None)
        self._end(fault)

    def get(self, path: str, sink: ByteSink, limit_bytes: int) -> int:
        fault = self._begin("get")
        if path not in self._server.files:
            raise NotFound(f"simulated: no {path}")
        if self._hidden and path.startswith(self._hidden):
            raise PermissionRefused(f"simulated: {path} may not be read")
        content = self._server.files[path][0]
        if len(content) > limit_bytes:
            raise TooLarge(f"simulated: {path} has {len(content)} bytes")
        if fault in _PART:
            sink.write(content[: int(len(content) * self._faults.dice)])
            self._break_off(fault)
        sink.write(content)
        self._end(fault)
        return len(content)

    def _begin(self, operation: str) -> Fault | None:
        if self._broken:
            raise ConnectionLost("simulated: the line is down")
        fault = self._faults.at(f"{self._side} {operation}")
        if fault is Fault.LOST_BEFORE:
            self._break("the line broke")
        if fault is Fault.TIMED_OUT_BEFORE:
            self._time_out()
        if fault is Fault.SERVER_FAULT:
            raise ServerFault("simulated: failure")
        if fault is Fault.REFUSED:
            raise PermissionRefused("simulated: permission denied")
        if fault is Fault.SWEPT:
            self._server.sweep()
        if fault is Fault.MEANWHILE:
            self._meanwhile(self._faults.dice)
        return fault

    def _end(self, fault: Fault | None) -> None:
        if fault is Fault.CRASH_AFTER:
            self._faults.die()
        if fault is Fault.TIMED_OUT_AFTER:
            self._time_out()
        if fault is Fault.LOST_AFTER:
            self._break("the line broke")

    def _break_off(self, fault: Fault | None) -> NoReturn:
        """Some of the bytes went over; then it ended so."""
        if fault is Fault.CRASH_DURING:
            self._faults.die()
        if fault is Fault.NO_SPACE:
            raise NoSpace("simulated: the server's disk is full")
        self._break("the line broke")

    def _time_out(self) -> NoReturn:
        self._broken = True
        raise TimedOut("simulated: no answer")

    def _break(self, how: str) -> NoReturn:
        self._broken = True
        raise ConnectionLost(f"simulated: {how}")

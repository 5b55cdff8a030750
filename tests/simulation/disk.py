"""A disk that forgets what was not synced, and can be full."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO, cast

from tests.simulation.faults import Fault, Faults


class SimulatedDisk:
    """Implements `gateway.ports.Disk` in memory. `crash` keeps what was synced and published."""

    def __init__(self, faults: Faults) -> None:
        self.durable: dict[str, bytes] = {}
        self._faults = faults
        self._written: dict[str, _OpenFile] = {}

    def create(self, path: str) -> BinaryIO:
        fault = self._ask("disk create")
        file = self._written[path] = _OpenFile()
        self._finish(fault)
        return cast(BinaryIO, file)

    def sync(self, file: BinaryIO) -> None:
        fault = self._ask("disk sync")
        opened = cast(_OpenFile, file)
        opened.synced = opened.getvalue()
        self._finish(fault)

    def publish(self, temporary: str, final: str) -> None:
        fault = self._ask("disk publish")
        # What was never synced is not there after a crash, whatever its name: publish it empty.
        self.durable[final] = self._written.pop(temporary).synced
        self._finish(fault)

    def open(self, path: str) -> BinaryIO:
        fault = self._ask("disk open")
        self._finish(fault)
        if path not in self.durable:
            raise FileNotFoundError(errno.ENOENT, "no such file", path)
        return BytesIO(self.durable[path])

    def exists(self, path: str) -> bool:
        return path in self.durable or any(name.startswith(path + "/") for name in self.durable)

    def remove(self, path: str) -> None:
        fault = self._ask("disk remove")
        self.durable.pop(path, None)
        self._written.pop(path, None)
        self._finish(fault)

    def destroy(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.remove(path)

    def walk(self) -> Iterator[str]:
        yield from sorted({*self.durable, *self._written})

    def crash(self) -> None:
        """Some unfinished files survive in part under their temporary names, some do not."""
        for path, file in self._written.items():
            if self._faults.random.random() < 0.5:
                content = file.synced or file.content()
                self.durable[path] = content[: self._faults.random.randint(0, len(content))]
        self._written.clear()

    def _ask(self, point: str) -> Fault | None:
        fault = self._faults.at(point)
        if fault is Fault.NO_SPACE:
            raise OSError(errno.ENOSPC, "no space left on device")
        return fault

    def _finish(self, fault: Fault | None) -> None:
        if fault is Fault.CRASH_AFTER:
            self._faults.die()


class _OpenFile(BytesIO):
    """Keeps its bytes readable after it was closed: a crash may find them."""

    synced = b""
    _last = b""

    def close(self) -> None:
        if not self.closed:
            self._last = self.getvalue()
        super().close()

    def content(self) -> bytes:
        return self._last if self.closed else self.getvalue()

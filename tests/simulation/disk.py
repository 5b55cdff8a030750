"""A disk that forgets what was not synced, tears what was half written, and can be full.

Names and contents are apart, as in a file system: a name is durable once it was published, a
content once it was synced, each without the other. `crash` leaves what a real disk may leave.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from io import BytesIO
from random import Random
from typing import BinaryIO, cast

from tests.simulation.faults import Fault, Faults

_COMES_BACK = 0.5
"""How often a crash undoes a removal whose folder was not synced."""


class SimulatedDisk:
    """Implements `gateway.ports.Disk` in memory."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._names: dict[str, _Content] = {}
        self._durable: dict[str, _Content] = {}
        self._removed: dict[str, _Content] = {}
        """Names that went since their folder was synced: a crash may bring them back."""

    def create(self, path: str) -> BinaryIO:
        fault = self._ask("disk create")
        content = self._names[path] = _Content()
        self._end(fault)
        return cast(BinaryIO, _Writer(content, self._faults))

    def sync(self, file: BinaryIO) -> None:
        fault = self._ask("disk sync")
        content = cast(_Writer, file).content
        if fault is Fault.CRASH_DURING:
            content.synced = bytes(content.live[: int(len(content.live) * self._faults.dice)])
            self._faults.die()
        content.synced = bytes(content.live)
        self._end(fault)

    def publish(self, temporary: str, final: str) -> None:
        fault = self._ask("disk publish")
        content = self._names.pop(temporary)
        self._names[final] = content
        if fault is not Fault.CRASH_DURING or self._faults.dice < _COMES_BACK:
            self._durable[final] = content
            # The folder was synced: what was removed from it stays away.
            folder = final.rpartition("/")[0]
            self._removed = {
                path: gone for path, gone in self._removed.items() if path.rpartition("/")[0] != folder
            }
        if fault is Fault.CRASH_DURING:
            self._faults.die()
        self._end(fault)

    def open(self, path: str) -> BinaryIO:
        fault = self._ask("disk open")
        self._end(fault)
        if path not in self._names:
            raise FileNotFoundError(errno.ENOENT, "no such file", path)
        return cast(BinaryIO, _Reader(bytes(self._names[path].live), self._faults))

    def exists(self, path: str) -> bool:
        return path in self._names or any(name.startswith(path + "/") for name in self._names)

    def remove(self, path: str) -> None:
        fault = self._ask("disk remove")
        if fault is Fault.CRASH_DURING:
            if self._faults.dice < _COMES_BACK:
                self._forget(path)
            self._faults.die()
        self._forget(path)
        self._end(fault)

    def destroy(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.remove(path)

    def walk(self) -> Iterator[str]:
        self._end(self._ask("disk walk"))
        yield from sorted(self._names)

    def crash(self, random: Random) -> None:
        """Durable names keep what was synced of them; of all else there may be a part."""
        left = {path: content.after_crash(random) for path, content in self._durable.items()}
        for path, content in sorted({**self._removed, **self._names}.items(), key=lambda item: item[0]):
            if path not in left and random.random() < _COMES_BACK:
                left[path] = content.after_crash(random)
        self._names, self._durable, self._removed = left, dict(left), {}

    def copy(self) -> dict[str, bytes]:
        """Every finished file, as a backup has it."""
        return {path: bytes(content.live) for path, content in self._durable.items()}

    def put(self, files: dict[str, bytes]) -> None:
        """The disk is another one, with these files."""
        self._names, self._removed = {}, {}
        for path, live in files.items():
            content = self._names[path] = _Content(live)
            content.synced = live
        self._durable = dict(self._names)

    def _forget(self, path: str) -> None:
        self._names.pop(path, None)
        content = self._durable.pop(path, None)
        if content is not None:
            self._removed[path] = content

    def _ask(self, point: str) -> Fault | None:
        fault = self._faults.at(point)
        _raise_error(fault)
        return fault

    def _end(self, fault: Fault | None) -> None:
        if fault is Fault.CRASH_AFTER:
            self._faults.die()


class _Content:
    """Bytes as the process sees them, and as they are on the disk."""

    def __init__(self, live: bytes = b"") -> None:
        self.live = bytearray(live)
        self.synced: bytes | None = None

    def after_crash(self, random: Random) -> _Content:
        """What was synced; of what was not, some first part may be there."""
        kept = bytes(self.live) if self.synced is None else self.synced
        if self.synced is None or len(self.synced) < len(self.live):
            least = 0 if self.synced is None else len(self.synced)
            kept = bytes(self.live[: random.randint(least, max(least, len(self.live) - 1))])
        content = _Content(kept)
        content.synced = kept
        return content


class _Writer:
    """An open file that is being written."""

    def __init__(self, content: _Content, faults: Faults) -> None:
        self.content = content
        self._faults = faults

    def write(self, block: bytes) -> int:
        fault = self._faults.at("disk write")
        if fault in (Fault.CRASH_DURING, Fault.NO_SPACE):
            self.content.live += bytes(block)[: int(len(block) * self._faults.dice)]
        else:
            self.content.live += block
        if fault in (Fault.CRASH_DURING, Fault.CRASH_AFTER):
            self._faults.die()
        _raise_error(fault)
        return len(block)

    def flush(self) -> None:
        """Writes are not buffered here."""

    def close(self) -> None:
        """Nothing is held."""

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class _Reader(BytesIO):
    """An open file that is being read; a disk may fail at any block."""

    def __init__(self, content: bytes, faults: Faults) -> None:
        super().__init__(content)
        self._faults = faults

    def read(self, size: int | None = -1, /) -> bytes:
        _raise_error(self._faults.at("disk read"))
        return super().read(size)


def _raise_error(fault: Fault | None) -> None:
    if fault is Fault.NO_SPACE:
        raise OSError(errno.ENOSPC, "no space left on device")
    if fault is Fault.DISK_FAULT:
        raise OSError(errno.EIO, "input/output error")

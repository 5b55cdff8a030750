"""The channel protocol on a folder of this machine: a shared mount, a gap of air, a test.

Done means on the disk: files and the folders that name them are synced. Not here: who
carries the files on from there.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from channels.channel import ByteSink, Entry, Traits, Upload
from channels.errors import ConnectionLost, NotFound, ServerFault, TooLarge, UnsafeName
from channels.faults import Boundary, make
from channels.names import check_folder, check_name, check_path
from channels.settings import FolderSettings

BLOCK_BYTES = 1024 * 1024
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK opening a pipe would wait for a writer.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MODE = 0o660

_WORKING_FOLDER = -100
_NO_REPLACE = 1
_NOT_HERE = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})


def open_folder(settings: FolderSettings) -> FolderChannel:
    """Raises `NotFound` where the root is no folder."""
    return FolderChannel(settings.root)


class FolderChannel:
    """A folder. See `channels.channel.Channel` for what each method promises."""

    traits = Traits(rename_refuses_existing=True, exclusive_create=True, sync=True)

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise make(NotFound, f"folder {self.root}: does not exist or is no folder")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open between calls."""

    def list(self, folder: str) -> list[Entry]:
        where = self._where(f"list {folder or '.'}")
        place = self.root / check_folder(folder)
        with Boundary(where):
            names = sorted(os.listdir(place))
        try:
            looks = [(check_name(name), self._look(place / name, where)) for name in names]
        except UnsafeName as error:
            raise UnsafeName(f"{where}: {error}", error.hint) from error
        return [_entry(name, status) for name, status in looks if status and stat.S_ISREG(status.st_mode)]

    def stat(self, path: str) -> Entry | None:
        place = self.root / check_path(path)
        status = self._look(place, self._where(f"stat {path}"))
        return None if status is None else _entry(place.name, status)

    def put(self, path: str, source: BinaryIO, size_bytes: int) -> Upload:
        place = self.root / check_path(path)
        where = self._where(f"put {path}")
        started = time.monotonic()
        with Boundary(where):
            descriptor = os.open(place, _CREATE, _MODE)
        try:
            digest, count = _write_all(descriptor, source, where)
            if count != size_bytes:
                raise ValueError(f"the source of put {path} holds {count} bytes, announced were {size_bytes}")
            with Boundary(where):
                os.fsync(descriptor)
                found = os.fstat(descriptor).st_size
        finally:
            with Boundary(where):
                os.close(descriptor)
        with Boundary(where):
            _sync_folder(place.parent)
        if found != size_bytes:
            raise make(ServerFault, f"{where}: the file holds {found} bytes of {size_bytes}")
        return Upload(
            path=path, size_bytes=count, sha256=digest, synced=True, seconds=time.monotonic() - started
        )

    def rename(self, old: str, new: str) -> None:
        source, target = self.root / check_path(old), self.root / check_path(new)
        where = self._where(f"rename {old} to {new}")
        with Boundary(where):
            move_without_replacing(source, target)
        try:
            for parent in {source.parent, target.parent}:
                _sync_folder(parent)
        except OSError as error:
            # It has happened; whether it outlives a power cut is not known.
            raise make(ConnectionLost, f"{where}: done, but not synced: {error.strerror}") from error

    def remove(self, path: str) -> None:
        place = self.root / check_path(path)
        with Boundary(self._where(f"remove {path}")):
            try:
                os.unlink(place)
            except FileNotFoundError:
                return
            _sync_folder(place.parent)

    def get(self, path: str, sink: ByteSink, limit_bytes: int) -> int:
        place = self.root / check_path(path)
        where = self._where(f"get {path}")
        with Boundary(where):
            descriptor = os.open(place, _READ)
        try:
            with Boundary(where):
                status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise make(NotFound, f"{where}: no such file")
            if status.st_size > limit_bytes:
                raise TooLarge(
                    f"{where}: {status.st_size} bytes, the limit is {limit_bytes}",
                    "raise the limit or ask the bank",
                )
            return _read_all(descriptor, sink, status.st_size, where)
        finally:
            os.close(descriptor)

    def try_create(self, path: str) -> bool:
        """For `channels.probe`: exclusive creation; whether it was done."""
        try:
            os.close(os.open(self.root / check_path(path), _CREATE, _MODE))
        except OSError:
            return False
        return True

    def try_rename(self, old: str, new: str) -> bool:
        """For `channels.probe`: rename that refuses an existing target; whether it was done."""
        try:
            move_without_replacing(self.root / check_path(old), self.root / check_path(new))
        except OSError:
            return False
        return True

    def _look(self, place: Path, where: str) -> os.stat_result | None:
        with Boundary(where):
            try:
                return os.lstat(place)
            except FileNotFoundError:
                return None

    def _where(self, doing: str) -> str:
        return f"folder {self.root}: {doing}"


def move_without_replacing(source: Path, target: Path) -> None:
    """Rename that fails with EEXIST where the target exists, without a moment between look and deed.

    By `renameat2` where kernel and file system have it, else by a second name and removal
    of the first; a crash between the two leaves both names, never neither. Raises `OSError`.
    """
    rename = _find_rename()
    if rename is not None:
        number = rename(os.fsencode(source), os.fsencode(target))
        if number == 0:
            return
        if number not in _NOT_HERE:
            raise OSError(number, os.strerror(number), str(target))
    move_by_link(source, target)


def move_by_link(source: Path, target: Path) -> None:
    """As `move_without_replacing`, for plain files on file systems with hard links."""
    os.link(source, target, follow_symlinks=False)
    os.unlink(source)


def _find_rename() -> Callable[[bytes, bytes], int] | None:
    """`renameat2` without replacing, as a function to an error number; None where there is none."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return None

    def rename(source: bytes, target: bytes) -> int:
        done: int = library.renameat2(
            ctypes.c_int(_WORKING_FOLDER),
            ctypes.c_char_p(source),
            ctypes.c_int(_WORKING_FOLDER),
            ctypes.c_char_p(target),
            ctypes.c_uint(_NO_REPLACE),
        )
        return 0 if done == 0 else ctypes.get_errno()

    return rename


def _write_all(descriptor: int, source: BinaryIO, where: str) -> tuple[str, int]:
    digest, count = hashlib.sha256(), 0
    while block := source.read(BLOCK_BYTES):
        digest.update(block)
        count += len(block)
        rest = memoryview(block)
        while rest:
            with Boundary(where):
                rest = rest[os.write(descriptor, rest) :]
    return digest.hexdigest(), count


def _read_all(descriptor: int, sink: ByteSink, size_bytes: int, where: str) -> int:
    count = 0
    while True:
        with Boundary(where):
            block = os.read(descriptor, BLOCK_BYTES)
        if not block:
            break
        count += len(block)
        if count > size_bytes:
            raise ServerFault(f"{where}: the file grew while it was read", "fetch it when it is complete")
        sink.write(block)
    if count < size_bytes:
        raise make(ConnectionLost, f"{where}: the bytes end at {count} of {size_bytes}")
    return count


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entry(name: str, status: os.stat_result) -> Entry:
    return Entry(name=name, size_bytes=status.st_size, modified=int(status.st_mtime))

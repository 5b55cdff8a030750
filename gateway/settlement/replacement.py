"""New content in the place of a file's old one: beside it first, looked at, then renamed.

Whoever opens the file meets the old content or the new, whole. Mode and owner stay.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.errors import Conflict, Locked, Refused, StorageFailed
from gateway.store.folders import sync_folder


class Replacement:
    """A draft beside a file. `publish` puts it into the file's place, `discard` removes it."""

    def __init__(self, path: Path, before: bytes, after: bytes) -> None:
        """Write the draft, durable. Raises `Refused` where the file is not one of its own."""
        self.path = path
        self.draft = path.with_name(f".{path.name}.new")
        self._before = before
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{path} is not a file by itself", hint="change the file that it leads to, by hand")
        try:
            self.draft.unlink(missing_ok=True)
            handle = os.open(self.draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "wb") as draft:
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(handle, status.st_uid, status.st_gid)
                os.fchmod(handle, stat.S_IMODE(status.st_mode))
                draft.write(after)
                draft.flush()
                os.fsync(handle)
        except OSError as error:
            self.discard()
            raise _not_kept(path, error) from error

    def publish(self) -> None:
        """Raises `Conflict` where the file has changed since it was read."""
        if self.path.read_bytes() != self._before:
            raise Conflict(f"{self.path} was changed by somebody else meanwhile", hint="try again")
        try:
            os.replace(self.draft, self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise _not_kept(self.path, error) from error

    def discard(self) -> None:
        with suppress(OSError):
            self.draft.unlink(missing_ok=True)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold while files of a folder are changed. Raises `Locked` where another process does."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Locked(f"another process changes files in {folder}", hint="wait for it") from error
    finally:
        os.close(handle)


def _not_kept(path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        f"{path} cannot be changed: {error.strerror or error}", hint="nothing was changed in it"
    )

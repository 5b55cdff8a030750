"""A file that a person asked for: beside its place first, made durable, then named; all of it or nothing.

Whoever opens the name meets what was there before or the whole new content, also where the disk
is full, the process dies, or the power goes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gateway.errors import FolderUnusable, StorageFailed
from gateway.store.folders import sync_folder

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
"""What the disk did, not whoever named the file."""


@contextmanager
def output_file(path: Path, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """A stream to a file of its owner only, which has its name when the block ends without an error.

    Raises `FolderUnusable` where it cannot be there, as where something is and `overwrite` is not
    given, and `StorageFailed` where the disk cannot take it.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _require_free(path, overwrite)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        _require_free(path, overwrite)
        os.replace(draft, path)
        sync_folder(path.parent)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _require_free(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise FolderUnusable(f"{path} is a folder", hint="name a file in it")
    if not overwrite and os.path.lexists(path):
        raise FolderUnusable(f"{path} is there already and is not overwritten", hint="name a new file")


def _not_written(path: Path, error: OSError) -> FolderUnusable | StorageFailed:
    reason = (error.strerror or str(error)).lower()
    if error.errno in _DISK:
        return StorageFailed(f"{path} cannot be written: {reason}", hint="nothing of it was kept: make room")
    return FolderUnusable(f"{path} cannot be written: {reason}", hint="name a file in a folder of yours")

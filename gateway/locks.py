"""Who may do what beside whom: lock files in the spool's folder, given up by any crash.

Only one `run` works an instance. Submissions may go on beside it; unfinished spool files
are swept only while nobody writes any.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import Locked
from gateway.installation import Installation


@contextmanager
def writing_spool(installation: Installation) -> Iterator[None]:
    """Hold while new files are being written; any number of holders."""
    with _lock(_path(installation, "spool"), fcntl.LOCK_SH):
        yield


@contextmanager
def running(installation: Installation) -> Iterator[None]:
    """Hold while doing what is due. Raises `Locked` where another process does."""
    path = _path(installation, "run")
    try:
        with _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError as error:
        raise Locked(
            f"another process is running this instance ({path})", hint="wait for it, or stop it"
        ) from error


def sweep_if_idle(installation: Installation) -> int:
    """Remove unfinished spool files if nobody is writing; how many."""
    try:
        with _lock(_path(installation, "spool"), fcntl.LOCK_EX | fcntl.LOCK_NB):
            return installation.spool.sweep()
    except BlockingIOError:
        return 0


def _path(installation: Installation, name: str) -> Path:
    ledger = installation.ledger.path
    return ledger.with_name(f"{ledger.name}.{name}.lock")


@contextmanager
def _lock(path: Path, mode: int) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, mode)
        yield
    finally:
        os.close(handle)

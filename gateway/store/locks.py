"""Who may do what beside whom: lock files beside the ledger, given up by any crash.

Only one `run` works an instance. Submissions may go on beside it; unfinished spool files
are swept only while nobody writes any, and stored files destroyed only while nobody copies them.
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
    with _lock(_path(installation.ledger.path, "spool"), fcntl.LOCK_SH):
        yield


@contextmanager
def running(installation: Installation) -> Iterator[None]:
    """Hold while doing what is due. Raises `Locked` where another process does."""
    with running_at(installation.ledger.path):
        yield


@contextmanager
def running_at(ledger: Path) -> Iterator[None]:
    """The same, for a ledger that is perhaps not there yet."""
    path = _path(ledger, "run")
    with _lock_now(path, fcntl.LOCK_EX, f"another process is running this instance ({path})"):
        yield


@contextmanager
def keeping_files(installation: Installation) -> Iterator[None]:
    """Hold while stored files are read one after another; any number of holders. Raises `Locked`."""
    path = _path(installation.ledger.path, "files")
    with _lock_now(path, fcntl.LOCK_SH, "personal data is being destroyed by another process"):
        yield


@contextmanager
def destroying_files(installation: Installation) -> Iterator[None]:
    """Hold while stored files are destroyed. Raises `Locked` where another process reads or destroys them."""
    path = _path(installation.ledger.path, "files")
    with _lock_now(path, fcntl.LOCK_EX, "a backup or an export is being made by another process"):
        yield


@contextmanager
def if_spool_is_idle(installation: Installation) -> Iterator[bool]:
    """Whether nobody is writing new files, and nobody begins to until the block ends."""
    try:
        handle = _acquire(_path(installation.ledger.path, "spool"), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        os.close(handle)


def sweep_if_idle(installation: Installation) -> int:
    """Remove unfinished spool files if nobody is writing; how many."""
    with if_spool_is_idle(installation) as idle:
        return installation.spool.sweep() if idle else 0


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold while writing into a folder. Raises `Locked` where another process does."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _become_alone(handle, folder)
        yield
    finally:
        os.close(handle)


def _become_alone(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had the lock before may have given the folder its final name since.
        still_there = os.path.samestat(os.fstat(handle), folder.stat())
    except (BlockingIOError, FileNotFoundError):
        still_there = False
    if not still_there:
        raise Locked(f"another process is writing {folder}", hint="wait for it, or name another")


def _path(ledger: Path, name: str) -> Path:
    return ledger.with_name(f"{ledger.name}.{name}.lock")


@contextmanager
def _lock_now(path: Path, mode: int, taken: str) -> Iterator[None]:
    try:
        handle = _acquire(path, mode | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Locked(taken, hint="wait for it, or stop it") from error
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def _lock(path: Path, mode: int) -> Iterator[None]:
    handle = _acquire(path, mode)
    try:
        yield
    finally:
        os.close(handle)


def _acquire(path: Path, mode: int) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, mode)
    except BaseException:
        os.close(handle)
        raise
    return handle

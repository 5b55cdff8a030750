"""Where the outside world enters the gateway: clock, randomness and disk.

Everything else in this package is a function of these, the ledger, the keys and the
channels, so that a simulation can drive the very same code with a virtual clock, one seed
and a disk that forgets what was not synced.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from gateway.store.folders import make_private, sync_folder

_OVERWRITTEN_BYTES = 4096


class Clock(Protocol):
    """The time of day. Never used for ordering: the ledger's keys order."""

    def now(self) -> datetime:
        """An aware UTC instant."""
        ...


class Randomness(Protocol):
    """Names and identifiers that must not repeat. Keys and nonces are the keys package's."""

    def token(self) -> str:
        """Sixteen random bytes as lower-case hex."""
        ...


class Disk(Protocol):
    """A folder tree that survives crashes once synced. Paths are relative, with `/`."""

    def create(self, path: str) -> BinaryIO:
        """A new file, truncated if it exists, folders made as needed; mode 0600."""
        ...

    def sync(self, file: BinaryIO) -> None:
        """Flush and make the file's bytes durable."""
        ...

    def publish(self, temporary: str, final: str) -> None:
        """Rename and make the rename durable, the folders on the way included."""
        ...

    def open(self, path: str) -> BinaryIO: ...

    def exists(self, path: str) -> bool:
        """Whether there is a file, or a folder, of that path."""
        ...

    def remove(self, path: str) -> None:
        """Remove; no error where it does not exist."""
        ...

    def destroy(self, paths: Iterable[str]) -> None:
        """Overwrite the beginning of each, remove it, make that durable; no error where it is not there."""
        ...

    def walk(self) -> Iterator[str]:
        """Every file's path."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SystemRandomness:
    """The operating system's randomness."""

    def token(self) -> str:
        return secrets.token_hex(16)


class FolderDisk:
    """A real folder, private to its owner."""

    def __init__(self, root: Path) -> None:
        self._root = root
        make_private(root)

    def create(self, path: str) -> BinaryIO:
        target = self._root / path
        make_private(target.parent)
        return os.fdopen(os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b", 1 << 20)

    def sync(self, file: BinaryIO) -> None:
        file.flush()
        os.fsync(file.fileno())

    def publish(self, temporary: str, final: str) -> None:
        target = self._root / final
        new_folders = [folder for folder in target.parents if not folder.exists()]
        make_private(target.parent)
        os.replace(self._root / temporary, target)
        sync_folder(target.parent)
        for folder in new_folders:
            sync_folder(folder.parent)

    def open(self, path: str) -> BinaryIO:
        return (self._root / path).open("rb")

    def exists(self, path: str) -> bool:
        return (self._root / path).exists()

    def remove(self, path: str) -> None:
        (self._root / path).unlink(missing_ok=True)

    def destroy(self, paths: Iterable[str]) -> None:
        folders = set()
        for path in paths:
            target = self._root / path
            try:
                with target.open("r+b") as file:
                    # Of a sealed file the header, without which nobody opens the rest.
                    file.write(bytes(min(_OVERWRITTEN_BYTES, os.fstat(file.fileno()).st_size)))
                    self.sync(file)
            except FileNotFoundError:
                continue
            target.unlink()
            folders.add(target.parent)
        for folder in sorted(folders):
            sync_folder(folder)

    def walk(self) -> Iterator[str]:
        for found in sorted(self._root.rglob("*")):
            if found.is_file():
                yield found.relative_to(self._root).as_posix()

"""Folders that only their owner may enter, and whose names outlast a loss of power; who may write what."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_OWNER_ONLY = 0o700
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_private(folder: Path) -> None:
    """Make the folder and those above it that are missing, all of mode 0700.

    `Path.mkdir` gives that mode to the last one only. Folders that are there stay as they are.
    """
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    # Raises where something else stands there.
    folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)


def writable_by_others(path: Path) -> list[Path]:
    """The file, its folder, or both, as far as somebody else than the owner may change what is read there.

    A folder in which only a file's owner may replace it (the sticky bit) is none of them. What cannot be
    looked at is not either: who reads it is told so.
    """
    found = []
    for place in (path, path.parent):
        with suppress(OSError):
            mode = place.stat().st_mode
            if mode & _OTHERS_WRITE and not (stat.S_ISDIR(mode) and mode & stat.S_ISVTX):
                found.append(place)
    return found


def sync_folder(folder: Path) -> None:
    """Make durable what was named and removed in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

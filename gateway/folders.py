"""Folders that only their owner may enter, and whose names outlast a loss of power."""

from __future__ import annotations

import os
from pathlib import Path

_OWNER_ONLY = 0o700


def make_private(folder: Path) -> None:
    """Make the folder and those above it that are missing, all of mode 0700.

    `Path.mkdir` gives that mode to the last one only. Folders that are there stay as they are.
    """
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    # Raises where something else stands there.
    folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Make durable what was named and removed in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

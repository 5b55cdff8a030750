"""Folders that only their owner may enter."""

from __future__ import annotations

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

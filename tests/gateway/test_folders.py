"""Folders that are made on the way are as private as the one that was asked for."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.store.folders import make_private


def test_every_folder_that_is_made_is_private_and_the_others_stay(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    made = there / "one" / "two" / "three"
    make_private(made)
    make_private(made)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (there, made.parents[1], made.parent, made)]
    assert modes == [0o755, 0o700, 0o700, 0o700]


def test_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(FileExistsError):
        make_private(tmp_path / "taken")

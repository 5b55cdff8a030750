"""A disk that becomes full, for the spool and for the ledger: nothing half done, then it goes on.

With the right to mount, a small file system is filled up to so many bytes; a limit on the
size of files, which needs no right, stands for it as well, and is always tested.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.gateway.sites import CITY, edit
from tests.kills.histories import COMMANDS, Theatre
from tests.kills.mounts import may_mount, small_disk
from tests.kills.scene import Scene

PAGE_BYTES = 4096
FREE_PAGES = {"spool": (0, 1, 2, 4), "ledger": (0, 2, 12)}
QUICK_FREE_PAGES = {"ledger": 5}
FILE_LIMITS_BYTES = (16 << 10, 48 << 10, 96 << 10)
FULL = 5


def _fill(folder: Path, free_pages: int) -> Path:
    """A file that leaves so many pages of the disk free."""
    ballast = folder / "ballast"
    space = os.statvfs(folder)
    with ballast.open("wb") as file:
        file.write(b"\0" * (space.f_bavail * space.f_frsize - free_pages * PAGE_BYTES))
    return ballast


def _scene(theatre: Theatre, name: str) -> Scene:
    return theatre.scene(name, banks=[CITY], payments=6, per_file=3)


def _play_with_little_space(theatre: Theatre, what: str, free_pages: int) -> None:
    """Each command meets the full disk first, then finds space; the end is as if nothing had been."""
    scene = _scene(theatre, f"full-{what}-{free_pages}")
    folder = scene.gateway_folder / "small"
    with small_disk(folder):
        path = "spool" if what == "spool" else "ledger.sqlite"
        edit(scene.configuration, "[intake]", f'{what} = "small/{path}"\n\n[intake]')
        if what == "ledger":
            scene.ledger_path = folder / path
        scene.use_migrated_ledger()
        codes = []
        for command in COMMANDS:
            ballast = _fill(folder, free_pages)
            codes.append(scene.command(command).code)
            scene.banks_work()
            ballast.unlink()
            again = scene.command(command)
            assert again.code == 0, again.output
            scene.pass_time()
        assert FULL in codes, codes
        assert set(codes) <= {0, FULL}
        scene.finish()
    assert scene.decided == {}


def _cases() -> list[tuple[str, int]]:
    return [(what, pages) for what, numbers in FREE_PAGES.items() for pages in numbers]


if may_mount():

    @pytest.mark.parametrize(("what", "free_pages"), QUICK_FREE_PAGES.items())
    def test_full_disk(theatre: Theatre, what: str, free_pages: int) -> None:
        _play_with_little_space(theatre, what, free_pages)

    @pytest.mark.heavy
    @pytest.mark.parametrize(("what", "free_pages"), _cases())
    def test_full_disk_to_the_page(theatre: Theatre, what: str, free_pages: int) -> None:
        _play_with_little_space(theatre, what, free_pages)


@pytest.mark.heavy
@pytest.mark.parametrize("limit_bytes", FILE_LIMITS_BYTES)
def test_files_may_not_grow(theatre: Theatre, limit_bytes: int) -> None:
    """The ledger's own files meet the limit first: its log is the largest that is written."""
    scene = _scene(theatre, f"limit-{limit_bytes}")
    scene.use_migrated_ledger()
    codes = []
    for command in COMMANDS:
        codes.append(scene.command(command, largest_file_bytes=limit_bytes).code)
        scene.banks_work()
        again = scene.command(command)
        assert again.code == 0, again.output
        scene.pass_time()
    assert FULL in codes, codes
    assert set(codes) <= {0, FULL}
    scene.finish()
    assert scene.decided == {}

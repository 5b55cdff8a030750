"""Killed anywhere, a backup is not there, a restore goes on; others who work beside it lose nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway import Gateway, IntegrityError
from gateway.demonstration.site import Site
from gateway.errors import ExitCode
from gateway.store.backup_folder import check_backup, read_manifest
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, RURAL, Ground, edit, payments_of
from tests.kills.test_full_disk import _fill, may_mount, small_disk
from tests.store.killed import is_killed_at
from tests.store.test_restore import lose, restore

QUICK = (0, 3, 9, 17)
MANY = 1000


@pytest.fixture(scope="module")
def site(master_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Three batches: one paid, one made into files, one submitted."""
    ground = Ground(master_site, tmp_path_factory.mktemp("killed") / "site")
    ground.bank(CITY)
    with ground.open() as gateway:
        for turn in range(3):
            ground.submit(gateway, payments_of(CITY, 3, prefix=f"T{turn}"))
            if turn < 2:
                gateway.run()
                ground.banks_look()
    return ground


def _steps(chosen: tuple[int, ...] | None) -> range | tuple[int, ...]:
    return range(MANY) if chosen is None else chosen


def _play_backups(ground: Ground, folder: Path, chosen: tuple[int, ...] | None) -> int:
    """Kill a backup at steps; after each only whole backups are there. How many kills there were."""
    kills = 0
    for step in _steps(chosen):
        target = folder / f"backup-{step}"

        def deed(target: Path = target) -> None:
            with ground.open() as gateway:
                gateway.backup(target)

        if not is_killed_at(step, deed):
            assert check_backup(target).holds
            break
        kills += 1
        assert not target.exists() or check_backup(target).holds
        if not target.exists():
            deed()
            assert check_backup(target).findings == []
        assert [
            path for path in folder.glob("*.unfinished") if path.name != f"{target.name}.unfinished"
        ] == []
        shutil.rmtree(target)
    return kills


def test_a_killed_backup_is_not_there(site: Ground, tmp_path: Path) -> None:
    assert _play_backups(site, tmp_path, QUICK) == len(QUICK)


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_a_backup_killed_at_every_step_is_not_there(site: Ground, tmp_path: Path) -> None:
    assert 40 < _play_backups(site, tmp_path, None) < MANY


def _play_restores(ground: Ground, backup: Path, chosen: tuple[int, ...] | None) -> int:
    kills = 0
    for step in _steps(chosen):
        lose(ground)
        killed = is_killed_at(step, lambda: restore(ground, backup))
        kills += killed
        if killed:
            _nothing_leaves(ground)
            if not _is_in_place(ground):
                report = restore(ground, backup)
                assert report.files == len(read_manifest(backup).files)
        _check_restored(ground, backup)
        if not killed:
            break
    return kills


def _is_in_place(ground: Ground) -> bool:
    """The ledger has its name, and no marker lies beside it."""
    return (
        ground.ledger_path.exists() and not ground.ledger_path.with_name("ledger.sqlite.restoring").exists()
    )


def _nothing_leaves(ground: Ground) -> None:
    """Whatever the killed restore left: nobody works on half of it."""
    marker = ground.ledger_path.with_name("ledger.sqlite.restoring")
    if marker.exists():
        with pytest.raises(IntegrityError, match="has not ended"):
            ground.open().__enter__()
    elif ground.ledger_path.exists():
        _check_held(ground)


def _check_held(ground: Ground) -> None:
    assert len(ground.rows("SELECT * FROM bank_hold WHERE cause = 'behind'")) == 3


def _check_restored(ground: Ground, backup: Path) -> None:
    _check_held(ground)
    assert len(ground.rows("SELECT * FROM event WHERE kind = 'ledger restored'")) == 1
    with ground.open() as gateway:
        for name in read_manifest(backup).files:
            if name.startswith("spool/"):
                stored = name.removeprefix("spool/")
                with gateway.installation.spool.open_sealed(stored) as sealed:
                    gateway.installation.spool.verify(stored, sealed)
        assert all(batch.adds_up for batch in gateway.status())
    left = {path.name for path in ground.ledger_path.parent.glob("ledger.sqlite.*")}
    assert {name for name in left if not name.endswith(".lock")} == set()


@pytest.fixture
def kept(site: Ground, tmp_path: Path) -> tuple[Ground, Path]:
    """A copy of the site whose disk may be lost, and its backup."""
    with site.open() as gateway:
        gateway.backup(tmp_path / "backup")
    ground = Ground(site.site, tmp_path / "site")
    ground.clock = site.clock
    return ground, tmp_path / "backup"


def test_a_killed_restore_goes_on(kept: tuple[Ground, Path]) -> None:
    assert _play_restores(*kept, (2, 12, 21, 40)) == 4


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_a_restore_killed_at_every_step_goes_on(kept: tuple[Ground, Path]) -> None:
    assert 40 < _play_restores(*kept, None) < MANY


def test_others_work_meanwhile(ground: Ground, tmp_path: Path) -> None:
    """Another process submits, sends and settles; each backup is of one moment and can be put back."""
    ground.bank(CITY)
    worker = os.fork()
    if not worker:
        code = 1
        try:
            with ground.open() as gateway:
                for number in range(8):
                    ground.submit(gateway, payments_of(CITY, 40, prefix=f"B{number}"))
                    gateway.run()
                    ground.banks_look()
            code = 0
        finally:
            os._exit(code)
    backups = []
    ended = 0
    while not ended:
        backups.append(tmp_path / f"backup-{len(backups)}")
        with ground.open() as gateway:
            gateway.backup(backups[-1], earlier=backups[-2] if len(backups) > 1 else None)
        ended, status = os.waitpid(worker, os.WNOHANG)
    assert status == 0
    assert [folder.name for folder in backups if not check_backup(folder).holds] == []
    events = [read_manifest(folder).event for folder in backups]
    assert len(set(events)) > 3
    middle = backups[len(backups) // 2]
    lose(ground)
    restore(ground, middle)
    _check_restored(ground, middle)


if may_mount():

    def test_a_full_disk_leaves_no_backup(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
        with ground.open() as gateway:
            ground.submit(gateway, payments_of(CITY, 3))
        with small_disk(tmp_path / "small"):
            for pages in (0, 2, 40):
                ballast = _fill(tmp_path / "small", pages)
                ended = bankgate("backup", tmp_path / "small" / "backup")
                assert ended.code == ExitCode.INTEGRITY, pages
                assert ended.err.startswith("error: ")
                assert "hint: " in ended.err
                assert [path.name for path in (tmp_path / "small").iterdir()] == ["ballast"]
                ballast.unlink()
            assert bankgate("backup", tmp_path / "small" / "backup").code == ExitCode.DONE
            assert check_backup(tmp_path / "small" / "backup").holds

    @pytest.mark.parametrize(("what", "free_pages"), [("spool", (0, 1, 2)), ("ledger", (1, 9, 40))])
    def test_a_restore_to_a_full_disk_goes_on_with_space(
        what: str, free_pages: tuple[int, ...], ground: Ground, bankgate: Commands, tmp_path: Path
    ) -> None:
        backup = tmp_path / "backup"
        with ground.open() as gateway:
            ground.submit(gateway, payments_of(CITY, 3))
            gateway.run()
            gateway.backup(backup)
        lose(ground)
        small = ground.site.configuration.parent / "small"
        name = "spool" if what == "spool" else "ledger.sqlite"
        edit(ground.site.configuration, "[intake]", f'{what} = "small/{name}"\n\n[intake]')
        codes = []
        with small_disk(small):
            for pages in free_pages:
                ballast = _fill(small, pages)
                codes.append(bankgate("restore", backup).code)
                ballast.unlink()
            assert codes == [ExitCode.INTEGRITY] * 3
            assert bankgate("restore", backup).code == ExitCode.NEEDS_PERSON
            with ground.open() as gateway:
                assert len(gateway.held()) >= 3
                gateway.backup(small / "again")


def test_a_database_copied_back_by_hand_is_told_by_the_anchor(ground: Ground, bankgate: Commands) -> None:
    ground.bank(RURAL)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(RURAL, 2))
        ground.run_to_the_end(gateway)
    with closing(sqlite3.connect(ground.ledger_path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(ground.ledger_path, ground.ledger_path.with_name("copy"))
    with Gateway.open(ground.site.configuration, clock=ground.clock) as gateway:
        ground.submit(gateway, payments_of(RURAL, 2, prefix="L"))
        ground.run_to_the_end(gateway)
    shutil.copyfile(ground.ledger_path.with_name("copy"), ground.ledger_path)
    ended = bankgate("run")
    assert ended.code == ExitCode.INTEGRITY
    assert ended.out.count("nothing leaves: the anchor knows event") == 3

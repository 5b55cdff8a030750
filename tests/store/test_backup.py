"""A backup is whole or not there; whatever is changed in it is found; what it cannot have is told."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway import Gateway
from gateway.demonstration.site import Site
from gateway.errors import ExitCode, IntegrityError
from gateway.store.backup_folder import (
    LEDGER,
    MANIFEST,
    SIGNATURE,
    SPOOL,
    SUM,
    Copied,
    Manifest,
    check_backup,
    read_manifest,
    sum_line,
)
from gateway.store.locks import destroying_files
from gateway.store.spool import Spool
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, RURAL, Ground, payments_of
from tests.gateway.test_rewrap import add_master, remove_old_master


def spool_of(ground: Ground) -> Path:
    return ground.site.configuration.parent / "spool"


def certificate_of(ground: Ground) -> Path:
    return ground.site.configuration.parent / "keys" / "journal-1.crt"


def paid(ground: Ground) -> None:
    """A batch that two banks have paid."""
    ground.bank(CITY)
    ground.bank(RURAL)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3, prefix="C") + payments_of(RURAL, 3, prefix="R"))
        ground.run_to_the_end(gateway)


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def saved(master_site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, Path]:
    """A site with some history, and its backup; never changed."""
    folder = tmp_path_factory.mktemp("saved")
    ground = Ground(master_site, folder / "site")
    paid(ground)
    with ground.open() as gateway:
        gateway.backup(folder / "backup")
    return ground, folder / "backup"


@pytest.fixture
def backup(saved: tuple[Ground, Path], tmp_path: Path) -> Path:
    """A copy of the backup to be spoilt."""
    return shutil.copytree(saved[1], tmp_path / "backup")


def test_a_backup_has_the_ledger_and_every_file_that_it_refers_to(saved: tuple[Ground, Path]) -> None:
    ground, folder = saved
    manifest = read_manifest(folder)
    stored = {f"{SPOOL}{name}" for name in files_of(spool_of(ground))}
    assert set(manifest.files) == {LEDGER, *stored}
    assert files_of(folder) == sorted({*manifest.files, MANIFEST, SUM, SIGNATURE})
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    ((event,),) = ground.rows("SELECT event_pk FROM event WHERE kind = 'backup made'")
    assert isinstance(event, int)
    assert (manifest.event, manifest.instance, manifest.environment) == (event - 1, "demo", "test")
    assert manifest.sequences == {CITY: 1, RURAL: 1}
    report = check_backup(folder, certificate_of(ground))
    assert (report.findings, report.files) == ([], len(manifest.files))


def test_the_journal_names_the_backup(saved: tuple[Ground, Path]) -> None:
    ground, folder = saved
    ((body,),) = ground.rows("SELECT body FROM event WHERE kind = 'backup made'")
    assert f'"manifest_sha256":"{read_manifest(folder).sha256}"' in str(body)


def test_keys_and_configuration_are_not_in_it(saved: tuple[Ground, Path]) -> None:
    ground, folder = saved
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    secret = (ground.site.configuration.parent / "keys").glob("*.key")
    lines = [line for path in secret for line in path.read_bytes().split() if len(line) > 30]
    assert lines != []
    assert [line for line in lines if line in content] == []
    assert not any(name.endswith(".toml") for name in files_of(folder))


def test_no_byte_can_be_changed_unseen(backup: Path, saved: tuple[Ground, Path]) -> None:
    """Each file, at its first, middle and last byte; of the small ones every byte."""
    trust = certificate_of(saved[0])
    unseen = []
    for name in files_of(backup):
        path = backup / name
        content = path.read_bytes()
        last = len(content) - 1
        small = name in (SUM, SIGNATURE)
        places = range(len(content)) if small else sorted({0, last // 3, last // 2, last})
        for place in places:
            path.write_bytes(content[:place] + bytes([content[place] ^ 0x20]) + content[place + 1 :])
            if check_backup(backup, trust).holds:
                unseen.append((name, place))
        path.write_bytes(content)
    assert unseen == []
    assert check_backup(backup, trust).holds


def test_no_byte_of_an_unsigned_backup_can_be_changed_unseen(ground: Ground, tmp_path: Path) -> None:
    _without_journal_key(ground)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        report = gateway.backup(tmp_path / "backup")
    assert "not signed" in report.warning
    assert check_backup(tmp_path / "backup").findings == []
    path = tmp_path / "backup" / MANIFEST
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert not check_backup(tmp_path / "backup").holds, place


def _without_journal_key(ground: Ground) -> None:
    ring = ground.site.configuration.with_name("keys.toml")
    entries = ring.read_text("utf-8").split("[[key]]")
    ring.write_text("[[key]]".join(one for one in entries if "journal-sign" not in one), "utf-8")


@pytest.mark.parametrize("what", ["removed", "added", "linked", "cut", "another ledger", "another signer"])
def test_what_is_wrong_with_a_backup_is_named(backup: Path, saved: tuple[Ground, Path], what: str) -> None:
    lane = next(name for name in files_of(backup) if name.startswith("spool/lane/"))
    trust = certificate_of(saved[0])
    if what == "removed":
        (backup / lane).unlink()
        expected = [(lane, "is missing")]
    elif what == "added":
        (backup / "spool" / "more").write_bytes(b"")
        expected = [("spool/more", "is not in the manifest")]
    elif what == "linked":
        (backup / lane).rename(backup.parent / "elsewhere")
        (backup / lane).symlink_to(backup.parent / "elsewhere")
        expected = [(lane, "is missing")]
    elif what == "cut":
        (backup / lane).write_bytes((backup / lane).read_bytes()[:-1])
        expected = [(lane, "is not what was copied: its digest or its size differs")]
    elif what == "another ledger":
        with closing(sqlite3.connect(backup / LEDGER)) as database, database:
            database.execute("UPDATE payment SET amount_minor = amount_minor + 1")
        expected = [(LEDGER, "is not what was copied: its digest or its size differs")]
    else:
        trust = saved[0].site.batch.parent / "platform.crt"
        expected = [(SIGNATURE, check_backup(backup, trust).findings[0].message)]
        assert "platform" not in expected[0][1]
    assert [(one.place, one.message) for one in check_backup(backup, trust).findings] == expected


def test_an_insiders_ledger_does_not_fit_its_manifest(backup: Path) -> None:
    """Digests made anew, without a signature: the ledger's own chain tells."""
    with closing(sqlite3.connect(backup / LEDGER)) as database, database:
        database.execute("UPDATE event SET body = replace(body, 'CNY', 'USD'), kind = kind || '!'")
        database.execute("DELETE FROM bank_sequence")
        database.execute("INSERT INTO bank_sequence VALUES ('x', 1)")
    manifest = read_manifest(backup)
    content = (backup / LEDGER).read_bytes()
    files = {**manifest.files, LEDGER: Copied(hashlib.sha256(content).hexdigest(), len(content))}
    del files[next(name for name in files if name.startswith("spool/lane/"))]
    plain = {name: getattr(manifest, name) for name in Manifest.__struct_fields__}
    forged = Manifest(**{**plain, "files": files, "certificate": "", "algorithm": "", "key_id": ""})
    (backup / MANIFEST).write_bytes(forged.to_bytes())
    (backup / SUM).write_bytes(sum_line(forged))
    (backup / SIGNATURE).unlink()
    told = [one.message for one in check_backup(backup).findings]
    assert "event 1 of the journal does not follow from the one before" in told
    assert "has other sequences than the manifest says" in told
    assert any(message.startswith("refers to lane/") for message in told)


def test_the_second_backup_links_what_the_first_has(
    saved: tuple[Ground, Path], ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    paid(ground)
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    assert bankgate("backup", first).code == ExitCode.DONE
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2, prefix="L"))
    spoilt = next(path for path in (first / "spool" / "lane").iterdir())
    spoilt.write_bytes(spoilt.read_bytes()[:-1] + b"!")
    told = bankgate("backup", second, "--earlier", first, "--json")
    assert told.code == ExitCode.DONE
    same = [name for name in files_of(first) if (first / name).samefile(second / name)]
    spool = [name for name in files_of(first) if name.startswith(SPOOL)]
    assert same == sorted(set(spool) - {f"spool/lane/{spoilt.name}"})
    assert f'"linked":{len(same)}' in told.out
    assert check_backup(second, certificate_of(ground)).holds
    shutil.rmtree(first)
    assert check_backup(second, certificate_of(ground)).holds
    assert bankgate("backup", third, "--earlier", tmp_path / "site").code == ExitCode.INTEGRITY


def test_a_damaged_stored_file_is_named_and_nothing_is_left(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    paid(ground)
    lanes = sorted((spool_of(ground) / "lane").iterdir())
    lanes[0].write_bytes(lanes[0].read_bytes()[:-30] + bytes(30))
    lanes[1].rename(tmp_path / "away")
    ended = bankgate("backup", tmp_path / "backup")
    assert ended.code == ExitCode.INTEGRITY
    assert "2 stored files are missing or damaged" in ended.err
    assert f"lane/{lanes[0].name} is damaged; lane/{lanes[1].name} is missing" in ended.err
    assert "hint: put them back from an earlier backup" in ended.err
    assert list(tmp_path.glob("backup*")) == []


def test_folders_that_cannot_be_taken(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    (tmp_path / "file").touch()
    cases = {
        tmp_path / "full": (ExitCode.BAD_USAGE, "full exists already", "name a new folder"),
        tmp_path / "file": (ExitCode.BAD_USAGE, "file exists already", "name a new folder"),
        tmp_path / "file" / "below": (ExitCode.BAD_USAGE, "cannot be made", "that may be written"),
        spool_of(ground) / "backup": (ExitCode.BAD_USAGE, "lies in the spool", "another disk"),
    }
    for folder, (code, message, hint) in cases.items():
        ended = bankgate("backup", folder)
        assert ended.code == code, folder
        assert message in ended.err
        assert hint in ended.err
        assert ended.err.startswith("error: ")
    assert bankgate("backup", tmp_path / "none", "--check").code == ExitCode.BAD_USAGE
    assert bankgate("backup", tmp_path / "full", "--check").code == ExitCode.INTEGRITY
    (tmp_path / "empty").mkdir()
    assert bankgate("backup", tmp_path / "empty").code == ExitCode.DONE
    ended = bankgate("backup", tmp_path / "empty", "--check")
    assert (ended.code, "holds; " in ended.out) == (ExitCode.DONE, True)
    assert bankgate("backup", "--check", tmp_path / "empty", "--json").out.startswith('{"holds":true')


def test_what_a_killed_backup_left_is_thrown_away(ground: Ground, tmp_path: Path) -> None:
    left = tmp_path / "backup.unfinished"
    (left / "spool").mkdir(parents=True)
    (left / "spool" / "half").write_bytes(b"half")
    (left / LEDGER).write_bytes(b"half")
    with ground.open() as gateway:
        gateway.backup(tmp_path / "backup")
    assert check_backup(tmp_path / "backup").holds
    assert not left.exists()


def test_nobody_destroys_what_a_backup_copies(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    with ground.open() as gateway, destroying_files(gateway.installation):
        ended = bankgate("backup", tmp_path / "backup")
    assert (ended.code, "being destroyed" in ended.err) == (ExitCode.BAD_USAGE, True)


def test_two_backups_do_not_write_one_folder(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    (tmp_path / "backup.unfinished").mkdir()
    handle = os.open(tmp_path / "backup.unfinished", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    ended = bankgate("backup", tmp_path / "backup")
    os.close(handle)
    assert (ended.code, "another process is writing" in ended.err) == (ExitCode.BAD_USAGE, True)
    assert (tmp_path / "backup.unfinished").exists()


def test_a_gateway_that_has_nothing_yet_can_be_backed_up(ground: Ground, tmp_path: Path) -> None:
    with Gateway.open(ground.site.configuration) as gateway:
        report = gateway.backup(tmp_path / "backup")
    assert (report.files, report.event) == (1, 0)
    assert check_backup(tmp_path / "backup").holds


def test_a_backup_of_another_schema_is_checked_by_its_digests(
    backup: Path, saved: tuple[Ground, Path]
) -> None:
    manifest = read_manifest(backup)
    plain = {name: getattr(manifest, name) for name in Manifest.__struct_fields__}
    older = Manifest(**{**plain, "schema": "0001", "certificate": "", "algorithm": "", "key_id": ""})
    (backup / MANIFEST).write_bytes(older.to_bytes())
    (backup / SUM).write_bytes(sum_line(older))
    (backup / SIGNATURE).unlink()
    report = check_backup(backup)
    assert report.holds
    assert any("the ledger has schema 0001" in note for note in report.notes)


def test_an_interrupted_backup_leaves_nothing(
    ground: Ground, bankgate: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2))

    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Spool, "verify", interrupt)
    ended = bankgate("backup", tmp_path / "backup")
    assert (ended.code, "error: interrupted" in ended.err) == (130, True)
    assert list(tmp_path.glob("backup*")) == []


def test_letters_and_noted_changes_are_in_it(ground: Ground, tmp_path: Path) -> None:
    """Of what was written otherwise than handed over the ledger has no row: it lies beside the items."""
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2))
        gateway.run()
        (tmp_path / "letter").write_text("paid", "utf-8")
        gateway.attach(tmp_path / "letter")
        (items,) = [name for (name,) in ground.rows("SELECT items_name FROM file")]
        changes = str(items).replace("items", "changes")
        with gateway.installation.spool.create(changes) as sink:
            sink.write(b"{}")
        gateway.backup(tmp_path / "backup")
    names = set(read_manifest(tmp_path / "backup").files)
    assert f"{SPOOL}{changes}" in names
    assert len([name for name in names if name.startswith("spool/exhibits/")]) == 1
    assert names == {LEDGER, *(SPOOL + name for name in files_of(spool_of(ground)))}
    assert check_backup(tmp_path / "backup").holds


def test_what_is_under_another_master_now_is_copied_anew(ground: Ground, tmp_path: Path) -> None:
    """A link to the earlier copy would want a key that may be gone when it is needed."""
    paid(ground)
    with ground.open() as gateway:
        gateway.backup(tmp_path / "first")
    add_master(ground)
    with ground.open() as gateway:
        gateway.rewrap()
    remove_old_master(ground)
    with ground.open() as gateway:
        report = gateway.backup(tmp_path / "second", earlier=tmp_path / "first")
    assert report.linked == 0
    assert check_backup(tmp_path / "second").holds


@pytest.mark.parametrize(
    "name", ["spool/../../keys.toml", "/etc/passwd", "spool//x", "spool/./x", "spool/a\nb", "other", "spool/"]
)
def test_a_manifest_names_files_of_a_backup_only(backup: Path, name: str) -> None:
    """Where nothing is signed anybody may have written it: no name leads out of the spool."""
    manifest = read_manifest(backup)
    plain = {each: getattr(manifest, each) for each in Manifest.__struct_fields__}
    forged = Manifest(**{**plain, "files": {**manifest.files, name: Copied("0" * 64, 1)}})
    (backup / MANIFEST).write_bytes(forged.to_bytes())
    (backup / SUM).write_bytes(sum_line(forged))
    with pytest.raises(IntegrityError, match="is no file of a backup"):
        read_manifest(backup)

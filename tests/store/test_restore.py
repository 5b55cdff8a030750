"""A restored gateway sends nothing, takes answers, uses no number again; a spoilt backup is not put back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import Gateway, NotPermitted
from gateway.demonstration.site import Site
from gateway.errors import ExitCode
from gateway.evidence import first_broken_event
from gateway.sending.dispatch import dispatch
from gateway.store.backup_folder import MANIFEST, SIGNATURE, SUM, Manifest, read_manifest, sum_line
from gateway.store.behind import SEQUENCE_MARGIN
from gateway.store.restore import RestoreReport
from keys.master import new_master_key_file
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, credited, current, edit, payments_of


def spool_of(ground: Ground) -> Path:
    return ground.site.configuration.parent / "spool"


def lose(ground: Ground, where: Path | None = None) -> None:
    """The disk with ledger and spool is gone; keys, configuration and the anchor are not."""
    for path in ground.ledger_path.parent.glob("ledger.sqlite*"):
        path.unlink()
    if where is None:
        shutil.rmtree(spool_of(ground))
    else:
        spool_of(ground).rename(where)


def restore(ground: Ground, folder: Path, margin: int | None = None) -> RestoreReport:
    return Gateway.restore(ground.site.configuration, folder, margin=margin, clock=ground.clock)


@pytest.fixture(scope="module")
def saved(master_site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, Path]:
    """A site with some history, and its backup; never changed."""
    folder = tmp_path_factory.mktemp("saved")
    ground = Ground(master_site, folder / "site")
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3, prefix="C"))
        ground.run_to_the_end(gateway)
        ground.submit(gateway, payments_of(CITY, 2, prefix="W"))
        gateway.backup(folder / "backup")
    return ground, folder / "backup"


@pytest.fixture
def backup(saved: tuple[Ground, Path], tmp_path: Path) -> Path:
    return shutil.copytree(saved[1], tmp_path / "backup")


def test_what_was_copied_is_back_and_nothing_leaves(
    saved: tuple[Ground, Path], ground: Ground, bankgate: Commands
) -> None:
    lose(ground)
    with saved[0].open() as before:
        identity = before.identity
    ended = bankgate("restore", saved[1])
    assert ended.code == ExitCode.NEEDS_PERSON
    next_number = 1 + SEQUENCE_MARGIN + 1
    assert f"city-bank: its last number was 1, the next will be {next_number}" in ended.out
    assert f"rural-credit: it had no file, the next will be {SEQUENCE_MARGIN + 1}" in ended.out
    with ground.open() as gateway:
        assert gateway.identity == identity
        assert current(gateway) == credited(payments_of(CITY, 3, prefix="C"))
        report = gateway.run()
        assert report.exit_code == ExitCode.INTEGRITY
        assert (report.files_made, report.files_sent) == (0, 0)
        assert sorted(item.object for item in gateway.held()) == [
            f"bank:{bank}" for bank in (CITY, ISO, RURAL)
        ]
        assert all("behind: restored from the backup of" in item.message for item in gateway.held())
        ground.decide(gateway, "bank:city-bank", "reconciled", *PERSONS)
        gateway.run()
        assert [file.name[-12:-4] for file in gateway.files()] == ["00000001", f"{next_number:08d}"]
        with gateway.installation.ledger.read() as transaction:
            assert first_broken_event(transaction) is None
    ((body,),) = ground.rows("SELECT body FROM event WHERE kind = 'ledger restored'")
    assert f'"manifest_sha256":"{read_manifest(saved[1]).sha256}"' in str(body)
    assert f'"margin":{SEQUENCE_MARGIN}' in str(body)
    assert list(ground.ledger_path.parent.glob("*.rest*")) == []


def test_the_same_restore_again_changes_nothing(saved: tuple[Ground, Path], ground: Ground) -> None:
    lose(ground)
    restore(ground, saved[1])
    with ground.open() as gateway:
        ground.decide(gateway, f"bank:{CITY}", "reconciled", *PERSONS)
    before = ground.rows("SELECT * FROM event")
    # As after a crash at its very end, when only the report got lost.
    assert restore(ground, saved[1]).again
    assert ground.rows("SELECT * FROM event") == before


def test_another_ledger_is_never_restored_over(saved: tuple[Ground, Path], ground: Ground) -> None:
    before = ground.rows("SELECT * FROM event")
    with pytest.raises(NotPermitted, match="exists: a ledger is never restored over another"):
        restore(ground, saved[1])
    assert ground.rows("SELECT * FROM event") == before


# A ledger that is not there.


@pytest.mark.parametrize("command", [["status"], ["run"], ["held"], ["operator", "list"]])
def test_a_lost_ledger_is_not_taken_for_a_new_one(
    saved: tuple[Ground, Path], ground: Ground, bankgate: Commands, command: list[str]
) -> None:
    ground.ledger_path.unlink()
    spool_of(ground).joinpath("lane").mkdir(parents=True, exist_ok=True)
    spool_of(ground).joinpath("lane", "x").write_bytes(b"x")
    said = bankgate(*command)
    assert (said.code, f"error: there is no ledger at {ground.ledger_path}" in said.err) == (5, True), (
        said.err
    )
    assert not ground.ledger_path.exists()
    begun = bankgate("begin")
    assert (begun.code, "has files: it was lost" in begun.err) == (ExitCode.REFUSED_INPUT, True)


def test_a_new_installation_is_begun_once(ground: Ground, bankgate: Commands) -> None:
    ground.ledger_path.unlink()
    assert "an empty ledger was made" in bankgate("begin").out
    assert bankgate("status").code == ExitCode.DONE
    again = bankgate("begin")
    assert (again.code, "there is a ledger already" in again.out) == (ExitCode.DONE, True)


def test_an_older_ledger_that_was_put_back_is_told_by_status(ground: Ground, bankgate: Commands) -> None:
    older = ground.site.folder / "older.sqlite"
    with ground.open() as gateway:
        gateway.installation.ledger.snapshot(older)
        ground.submit(gateway, payments_of(CITY, 1))
        gateway.run()
    assert "older than the spool" not in bankgate("status").out
    older.replace(ground.ledger_path)
    assert "the ledger is older than the spool" in bankgate("status").out


def _other_spool(ground: Ground, _backup: Path) -> None:
    spool_of(ground).joinpath("lane").mkdir(parents=True)
    spool_of(ground).joinpath("lane", "x").write_bytes(b"x")


def _flip(ground: Ground, backup: Path) -> None:
    path = next(path for path in (backup / "spool" / "lane").iterdir())
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])


def _other_master(ground: Ground, _backup: Path) -> None:
    ring = ground.site.configuration.with_name("keys.toml").read_text("utf-8")
    entry = next(one for one in ring.split("[[key]]") if "spool-master" in one)
    name = entry.partition('id = "')[2].partition('"')[0]
    file = ground.site.configuration.parent / entry.partition('file = "')[2].partition('"')[0]
    file.unlink()
    new_master_key_file(file, name)


def _master_of_another_name(ground: Ground, _backup: Path) -> None:
    ring = ground.site.configuration.with_name("keys.toml")
    entry = next(one for one in ring.read_text("utf-8").split("[[key]]") if "spool-master" in one)
    name = entry.partition('id = "')[2].partition('"')[0]
    file = ground.site.configuration.parent / entry.partition('file = "')[2].partition('"')[0]
    file.unlink()
    new_master_key_file(file, "another")
    edit(ring, f'id = "{name}"', 'id = "another"')


def _other_instance(ground: Ground, _backup: Path) -> None:
    edit(ground.site.configuration, 'instance    = "demo"', 'instance    = "other"')


def _forge(backup: Path, **changes: object) -> None:
    manifest = read_manifest(backup)
    plain = {name: getattr(manifest, name) for name in Manifest.__struct_fields__}
    forged = Manifest(**{**plain, **changes})
    (backup / MANIFEST).write_bytes(forged.to_bytes())
    (backup / SUM).write_bytes(sum_line(forged))


def _newer(_ground: Ground, backup: Path) -> None:
    _forge(backup, schema="9999")


def _unsigned(_ground: Ground, backup: Path) -> None:
    _forge(backup, certificate="", algorithm="", key_id="")
    (backup / SIGNATURE).unlink()


def _no_manifest(_ground: Ground, backup: Path) -> None:
    (backup / MANIFEST).unlink()


REFUSED: dict[str, tuple[Callable[[Ground, Path], None], ExitCode, str, str]] = {
    "a spool": (_other_spool, ExitCode.REFUSED_INPUT, "spool has files", "mv "),
    "a flipped byte": (_flip, ExitCode.INTEGRITY, "is not what was copied", "nothing was touched"),
    "another master": (_other_master, ExitCode.INTEGRITY, "does not open with the ring's keys", "key ring"),
    "no master": (_master_of_another_name, ExitCode.BAD_USAGE, "spool", ""),
    "another instance": (_other_instance, ExitCode.REFUSED_INPUT, "is of instance demo", "configuration"),
    "a newer schema": (_newer, ExitCode.REFUSED_INPUT, "newer schema 9999", "install the version"),
    "not signed": (_unsigned, ExitCode.INTEGRITY, "the backup is not signed", "--check"),
    "no manifest": (_no_manifest, ExitCode.INTEGRITY, "backup.json cannot be used", "another backup"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_put_back_touches_nothing(
    what: str, backup: Path, ground: Ground, bankgate: Commands
) -> None:
    spoil, code, message, hint = REFUSED[what]
    lose(ground)
    spoil(ground, backup)
    before = sorted(path for path in ground.ledger_path.parent.rglob("*") if path.is_file())
    ended = bankgate("restore", backup)
    assert (ended.code, ended.err.count("error: ")) == (code, 1), ended.err
    assert message in ended.err
    assert hint in ended.err
    after = sorted(path for path in ground.ledger_path.parent.rglob("*") if path.is_file())
    assert [path.name for path in after if path not in before] == ["ledger.sqlite.run.lock"] * (
        what not in ("another instance", "a newer schema", "no manifest")
    )


def test_a_folder_that_is_not_there(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    assert bankgate("restore", tmp_path / "none").code == ExitCode.BAD_USAGE


def test_numbers_that_do_not_fit_are_refused_with_the_way_out(
    saved: tuple[Ground, Path], ground: Ground, bankgate: Commands
) -> None:
    """The names of this bank's files have room for three digits."""
    profile = ground.profile_path(CITY)
    edit(profile, "{sequence:08d}", "{sequence:03d}")
    lose(ground)
    ended = bankgate("restore", saved[1])
    assert ended.code == ExitCode.REFUSED_INPUT
    assert (
        "bank city-bank: after number 1 its names of files and references have room for 998 more" in ended.err
    )
    assert "give --margin so that none of them comes again" in ended.err
    assert not ground.ledger_path.exists()
    assert bankgate("restore", saved[1], "--margin", "998").code == ExitCode.REFUSED_INPUT
    assert bankgate("restore", saved[1], "--margin", "997").code == ExitCode.NEEDS_PERSON
    assert ("city-bank", 998) in ground.rows("SELECT bank, last FROM bank_sequence")


def test_nobody_opens_a_half_restored_installation(
    saved: tuple[Ground, Path], ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    lose(ground)
    marker = ground.ledger_path.with_name("ledger.sqlite.restoring")
    marker.write_text(read_manifest(saved[1]).sha256)
    for command in ("run", "status"):
        ended = bankgate(command)
        assert (ended.code, "has not ended" in ended.err) == (ExitCode.INTEGRITY, True)
        assert "hint: start it again with the same backup" in ended.err
    marker.write_text("0" * 64)
    ended = bankgate("restore", saved[1])
    assert (ended.code, "restore of another backup was begun" in ended.err) == (ExitCode.REFUSED_INPUT, True)
    marker.unlink()
    assert bankgate("restore", saved[1]).code == ExitCode.NEEDS_PERSON


def test_a_marker_that_was_only_begun_to_be_written_stops_nothing(
    saved: tuple[Ground, Path], ground: Ground, bankgate: Commands
) -> None:
    lose(ground)
    marker = ground.ledger_path.with_name("ledger.sqlite.restoring")
    marker.touch()
    assert bankgate("status").code == ExitCode.INTEGRITY
    assert bankgate("restore", saved[1]).code == ExitCode.NEEDS_PERSON
    assert not marker.exists()


def test_another_file_under_a_stored_name_is_not_written_over(
    saved: tuple[Ground, Path], ground: Ground, bankgate: Commands
) -> None:
    lose(ground)
    lane = next(path for path in (saved[1] / "spool" / "lane").iterdir()).name
    ground.ledger_path.with_name("ledger.sqlite.restoring").write_text(read_manifest(saved[1]).sha256)
    (spool_of(ground) / "lane").mkdir(parents=True)
    (spool_of(ground) / "lane" / lane).write_bytes(b"another")
    ended = bankgate("restore", saved[1])
    assert (ended.code, "is another file than the backup's" in ended.err) == (ExitCode.REFUSED_INPUT, True)
    assert (spool_of(ground) / "lane" / lane).read_bytes() == b"another"


def test_an_unsigned_backup_is_put_back_where_no_key_could_sign(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    ring = ground.site.configuration.with_name("keys.toml")
    entries = ring.read_text("utf-8").split("[[key]]")
    ring.write_text("[[key]]".join(one for one in entries if "journal-sign" not in one), "utf-8")
    assert bankgate("backup", tmp_path / "backup").code == ExitCode.NEEDS_PERSON
    lose(ground)
    ended = bankgate("restore", tmp_path / "backup")
    assert ended.code == ExitCode.NEEDS_PERSON
    assert "the backup is not signed: only its digests were compared" in ended.out


def test_a_file_that_may_have_left_meanwhile_is_uncertain(ground: Ground, tmp_path: Path) -> None:
    """Sealed in the backup, sent after it: never sent a second time by itself."""
    bank = ground.bank(CITY)
    payments = payments_of(CITY, 3)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        assert len(list(dispatch(gateway.installation, gateway.installation.profile(CITY)))) == 1
        assert [file.state for file in gateway.files()] == ["sealed"]
        gateway.backup(tmp_path / "backup")
        gateway.run()
        (name,) = [file.name for file in gateway.files()]
    assert (ground.outbox(CITY) / name).exists()
    ground.banks_look()
    lose(ground)
    (restored,) = [one for one in restore(ground, tmp_path / "backup").banks if one.bank == CITY]
    assert restored.doubtful == [name]
    with ground.open() as gateway:
        assert [file.state for file in gateway.files()] == ["uncertain"]
        ground.run_to_the_end(gateway)
        # Its answer came and settled it, while nothing may leave.
        assert current(gateway) == credited(payments)
        assert [file.state for file in gateway.files()] == ["settled"]
        for bank_name in (CITY, ISO, RURAL):
            ground.decide(gateway, f"bank:{bank_name}", "reconciled", *PERSONS)
        ground.run_to_the_end(gateway)
        ground.check_sound(gateway)
    assert len(list(bank.paid())) == 3


def test_what_an_older_file_gives_back_after_the_reconciliation_waits_for_the_banks_word(
    ground: Ground, tmp_path: Path
) -> None:
    """Voided in the lost time, its payments paid by another file: nobody knows of that here."""
    bank = ground.bank(CITY)
    payments = payments_of(CITY, 3)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        list(dispatch(gateway.installation, gateway.installation.profile(CITY)))
        (name,) = [file.name for file in gateway.files()]
        gateway.backup(tmp_path / "backup")
        ground.decide(gateway, f"file:{CITY}/{name}", "void", PERSONS[0])
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
    lose(ground)
    restore(ground, tmp_path / "backup")
    with ground.open() as gateway:
        gateway.run()
        for bank_name in (CITY, ISO, RURAL):
            ground.decide(gateway, f"bank:{bank_name}", "reconciled", *PERSONS)
        assert ground.decide(gateway, f"file:{CITY}/{name}", "not-received", *PERSONS) == [False, True]
        gateway.run()
        assert [file.state for file in gateway.files()] == ["rejected"]
        about = [f"payment:yikatong/{payment.payment_id}" for payment in payments]
        assert [[(way.decision, way.persons_needed) for way in gateway.ways(one)] for one in about] == [
            [("accept", 2), ("withdraw", 2), ("credited", 2)]
        ] * 3
        # All that is stopped may go again at once, on one letter.
        assert "resend" in [way.decision for way in gateway.ways(f"file:{CITY}/{name}")]
        for one in about:
            assert ground.decide(gateway, one, "credited", *PERSONS) == [False, True]
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
        assert [file.state for file in gateway.files()] == ["rejected"]
        assert [item.object for item in gateway.held() if item.object.startswith("payment:")] == []
        assert [status.adds_up for status in gateway.status()] == [True]
    assert len(list(bank.paid())) == 3


def test_the_margin_grows_with_the_backups_age(ground: Ground, tmp_path: Path) -> None:
    edit(ground.profile_path(CITY), "records_per_file = 100000", "records_per_file = 1")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 12))
        gateway.run()
        gateway.backup(tmp_path / "backup")
    lose(ground)
    ground.clock.turn(days=99)
    (restored,) = [one for one in restore(ground, tmp_path / "backup").banks if one.bank == CITY]
    assert restored.next_number == 12 + 2 * 100 * 12 + 1


def test_the_anchor_raises_numbers_above_what_it_knows(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        gateway.backup(tmp_path / "backup")
        edit(ground.profile_path(CITY), "records_per_file = 100000", "records_per_file = 1")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 5))
        gateway.run()
    lose(ground)
    report = restore(ground, tmp_path / "backup", margin=2)
    assert ["the anchor knows event" in warning for warning in report.warnings] == [True]
    assert ("city-bank", 5 + SEQUENCE_MARGIN) in ground.rows("SELECT bank, last FROM bank_sequence")

"""Rotation of the spool's master key: everything comes under the new one, and the old one can go."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.errors import ExitCode, Locked, StorageFailed
from gateway.ledger.texts import SEALED_TEXTS
from gateway.ports import FolderDisk, SystemRandomness
from gateway.store.locks import running
from gateway.store.spool import Spool
from keys.errors import KeyUnavailable
from keys.master import MasterKey, Masters, new_master_key_file
from keys.sealed_header import HEADER_BYTES, master_of
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, Ground, payments_of
from tests.simulation.disk import SimulatedDisk
from tests.simulation.faults import Faults

OLD, NEW = "spool-1", "spool-2"


def spool(ground: Ground) -> list[Path]:
    folder = ground.site.configuration.parent / "spool"
    return sorted(path for path in folder.rglob("*") if path.is_file())


def masters(ground: Ground) -> set[str]:
    found = set()
    for path in spool(ground):
        with path.open("rb") as source:
            found.add(master_of(source.read(HEADER_BYTES)))
    return found


def ring(ground: Ground) -> Path:
    return ground.site.configuration.with_name("keys.toml")


def add_master(ground: Ground, cipher: str = "sm4-gcm") -> None:
    """The new master begins later than the old one, so it is the one for writing."""
    new_master_key_file(ring(ground).parent / "keys" / f"{NEW}.key", NEW, cipher)
    entry = (
        f'\n[[key]]\nid = "{NEW}"\nrole = "spool-master"\nenvironment = "test"\n'
        f'valid_from = 2026-01-01\nkey = {{ file = "keys/{NEW}.key" }}\n'
    )
    ring(ground).write_text(ring(ground).read_text("utf-8") + entry, "utf-8")


def remove_old_master(ground: Ground) -> None:
    text = ring(ground).read_text("utf-8")
    cut = re.sub(rf'\[\[key\]\]\nid = "{OLD}"\n(?:[^\[\n].*\n|\n)*', "", text)
    assert cut != text
    ring(ground).write_text(cut, "utf-8")


@pytest.fixture
def settled(ground: Ground) -> Ground:
    """A batch that went its way, with words of the bank about failed payments."""
    with ground.open() as gateway:
        ground.bank(CITY, "failures")
        ground.submit(gateway, payments_of(CITY, 12))
        ground.run_to_the_end(gateway)
        assert any(outcome.bank_text for outcome in gateway.outcomes())
    assert masters(ground) == {OLD}
    return ground


def told(ground: Ground) -> list[tuple[object, ...]]:
    """All that a person can see of the outcomes, the banks' words in clear."""
    with ground.open() as gateway:
        return [
            (replace(outcome, bank_text=None), outcome.bank_text and gateway.bank_text(outcome.bank_text))
            for outcome in gateway.outcomes()
        ]


@pytest.mark.parametrize("cipher", ["aes-256-gcm", "sm4-gcm"])
def test_the_old_master_can_go(settled: Ground, cipher: str) -> None:
    before = told(settled)
    add_master(settled, cipher)
    with settled.open() as gateway:
        done = gateway.rewrap()
        assert (done.files, done.left, done.damaged) == (len(spool(settled)), {}, [])
        assert done.texts > 0
        again = gateway.rewrap()
        assert (again.files, again.texts) == (0, 0)
    assert masters(settled) == {NEW}
    remove_old_master(settled)
    assert told(settled) == before
    with settled.open() as gateway:
        # New files, old lanes and results still work together.
        settled.submit(gateway, payments_of(CITY, 3), "B-LATER")
        settled.run_to_the_end(gateway)
        settled.check_sound(gateway)
        assert gateway.status("B-LATER")[0].open_count == 0


def test_without_rewrapping_the_old_master_must_stay(settled: Ground) -> None:
    """The test above could not pass by itself."""
    add_master(settled)
    remove_old_master(settled)
    with pytest.raises(KeyUnavailable, match=f"no master key '{OLD}'"):
        told(settled)


def test_in_pieces(settled: Ground) -> None:
    add_master(settled)
    count = len(spool(settled))
    with settled.open() as gateway:
        first = gateway.rewrap(1)
        assert (first.files, first.left) == (1, {OLD: count - 1})
        assert masters(settled) == {OLD, NEW}
        settled.run_to_the_end(gateway)
        assert gateway.rewrap().files == count - 1


class FailingDisk(FolderDisk):
    """Dies at one of its steps, as a machine does: nothing is cleaned up."""

    step = 0
    dies_at = 0

    def _count(self) -> None:
        FailingDisk.step += 1
        if FailingDisk.step == FailingDisk.dies_at:
            raise OSError(28, "No space left on device")

    def create(self, path: str):  # type: ignore[no-untyped-def]
        self._count()
        return super().create(path)

    def sync(self, file) -> None:  # type: ignore[no-untyped-def]
        self._count()
        super().sync(file)

    def publish(self, temporary: str, final: str) -> None:
        self._count()
        super().publish(temporary, final)

    def remove(self, path: str) -> None:
        pass


@pytest.mark.parametrize("dies_at", range(1, 8))
def test_a_crash_at_any_step_loses_nothing(
    settled: Ground, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    before = told(settled)
    add_master(settled)
    with settled.open() as gateway:
        disk = FailingDisk(ring(settled).parent / "spool")
        FailingDisk.step, FailingDisk.dies_at = 0, dies_at
        monkeypatch.setattr(gateway.installation.spool, "_disk", disk)
        with pytest.raises(StorageFailed):
            gateway.rewrap()
    assert told(settled) == before
    with settled.open() as gateway:
        gateway.run()
        assert gateway.rewrap().left == {}
    assert masters(settled) == {NEW}
    remove_old_master(settled)
    assert told(settled) == before


def test_nothing_takes_the_place_of_a_file_before_it_is_durable() -> None:
    """On a disk that forgets what was not synced."""
    disk = SimulatedDisk(Faults(1))
    old, new = MasterKey(OLD, bytes(32)), MasterKey(NEW, bytes(range(32)))
    with Spool(disk, Masters(old), SystemRandomness()).create("lane/1") as sink:
        sink.write(b"content")
    spool = Spool(disk, Masters(new, [old]), SystemRandomness())
    spool.rewrap("lane/1")
    disk.crash(random.Random(1))
    assert spool.sealed_under("lane/1")[1] == NEW
    with Spool(disk, Masters(new), SystemRandomness()).open("lane/1") as source:
        assert source.read() == b"content"


def test_not_beside_a_run(settled: Ground) -> None:
    add_master(settled)
    with settled.open() as gateway, running(gateway.installation), pytest.raises(Locked):
        gateway.rewrap()


def test_a_damaged_file_is_named_and_left_as_it_is(settled: Ground, bankgate: Commands) -> None:
    add_master(settled)
    damaged, strange = spool(settled)[0], spool(settled)[0].with_name("strange")
    content = damaged.read_bytes()
    spoiled = content[:100] + bytes([content[100] ^ 1]) + content[101:]
    damaged.write_bytes(spoiled)
    strange.write_bytes(b"not sealed")
    with settled.open() as gateway:
        done = gateway.rewrap()
    folder = ring(settled).parent / "spool"
    assert sorted(done.damaged) == sorted(path.relative_to(folder).as_posix() for path in (damaged, strange))
    assert damaged.read_bytes() == spoiled
    shown = bankgate("key", "rewrap")
    assert shown.code == ExitCode.INTEGRITY
    assert "does not open, or is no sealed file: " in shown.out


def test_the_command(settled: Ground, bankgate: Commands) -> None:
    add_master(settled)
    count = len(spool(settled))
    shown = bankgate("key", "rewrap")
    assert (shown.code, shown.err) == (ExitCode.DONE, "")
    assert re.fullmatch(rf"{count} files and \d+ texts are under {NEW} now\n", shown.out)
    assert masters(settled) == {NEW}


def test_the_command_stops_where_it_is_told(settled: Ground, bankgate: Commands) -> None:
    with settled.open() as gateway, gateway.installation.spool.create("large") as sink:
        sink.write(bytes(2 << 20))
    add_master(settled)
    shown = bankgate("key", "rewrap", "--mebibytes", 1)
    assert shown.code == ExitCode.NEEDS_PERSON
    assert shown.out.endswith(f"1 files are left under {OLD}\n")


def test_every_sealed_text_of_the_schema_is_known(ground: Ground) -> None:
    """A column that were left out would keep the old master in use for ever, unseen."""
    others = {("fingerprint", "value"), ("decision", "statement"), ("decision", "signature")}
    others |= {("journal_head", "statement"), ("journal_head", "signature")}
    # Fingerprints, like the first.
    others |= {("household", "value"), ("repeat_key", "value")}
    blobs = {
        (table, column)
        for table, column in ground.rows(
            "SELECT tables.name, columns.name FROM sqlite_master AS tables"
            " JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'"
            " AND columns.type = 'BLOB'"
        )
    }
    assert blobs == others | {(each.table, each.column) for each in SEALED_TEXTS}

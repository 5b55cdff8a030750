"""Card lists at rest: their end, backups, a new master key, and what is proved without names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway import Gateway, Unknown
from gateway.audit.verify import verify
from gateway.rules import card_lists
from keys.errors import SealedFileDamaged
from keys.master import new_master_key_file
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, payments_of
from tests.rules.card_lists import by_passbook, cells, listed, stored, taken
from tests.rules.sheets import sheet

A = PERSONS[0]
DAYS, VALID_DAYS = 1095, 366


def two_lists(ground: Ground, gateway: Gateway, folder: Path) -> None:
    """The first one ended today by the second."""
    (one,) = payments_of(CITY, 1)
    taken(ground, gateway, listed(folder, [cells(one, 1)]))
    taken(ground, gateway, listed(folder, [cells(one, 2)], drawn_on="2026-09-01"))


def test_a_list_that_ended_goes_after_its_term_and_the_one_that_counts_stays(
    ground: Ground, tmp_path: Path
) -> None:
    with ground.open() as gateway:
        two_lists(ground, gateway, tmp_path)
        before = stored(ground)
        ground.clock.turn(days=DAYS - 1)
        assert gateway.retain().destroyed == []
        assert stored(ground) == before
        ground.clock.turn(days=1)
        (gone,) = gateway.retain().destroyed
        assert (gone.object, gone.files) == ("card-list:1", 2)
        assert len(stored(ground)) == 2
        assert [one.persons for one in gateway.plan.card_lists()] == [1, 1]


def test_a_list_that_is_too_old_to_count_goes_a_term_after_that(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        (one,) = payments_of(CITY, 1)
        taken(ground, gateway, listed(tmp_path, [cells(one, 1)], drawn_on="2026-09-01"))
        ground.clock.turn(days=VALID_DAYS + DAYS)
        assert gateway.retain().destroyed == []
        ground.clock.turn(days=3)
        assert [gone.object for gone in gateway.retain().destroyed] == ["card-list:1"]
        assert stored(ground) == []
        (ended,) = gateway.plan.card_lists()
        assert (str(ended.state), gateway.ways("card-list:1")) == ("ended", [])
        assert gateway.retain().destroyed == []


def test_a_list_that_nobody_took_waits_for_a_person(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    (one,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        gateway.bring_card_list(listed(tmp_path, [cells(one, 1)]))
        ground.clock.turn(days=DAYS)
    told = bankgate("retain")
    assert (told.code, "nobody has taken or dropped it" in told.out) == (1, True)
    with ground.open() as gateway:
        ground.decide(gateway, "card-list:1", "drop-list", A)
        ground.clock.turn(days=DAYS)
        assert [gone.object for gone in gateway.retain().destroyed] == ["card-list:1"]


def test_a_backup_brings_lists_back(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook(payments_of(CITY, 1)))
        two_lists(ground, gateway, tmp_path)
        gateway.backup(tmp_path / "backup")
    folder = ground.site.configuration.parent
    for path in folder.glob("ledger.sqlite*"):
        path.unlink()
    shutil.rmtree(folder / "spool")
    Gateway.restore(ground.site.configuration, tmp_path / "backup", clock=ground.clock)
    with ground.open() as gateway:
        assert [one.payment_id for one in gateway.plan.movable()] == ["P-00001"]
        assert [one.counts for one in gateway.plan.card_lists()] == [False, True]


def test_a_workbook_is_kept_as_it_was_brought(ground: Ground, tmp_path: Path) -> None:
    (one,) = payments_of(CITY, 1)
    head: list[list[object]] = [["来源平台", "yikatong"], ["导出日期", "2026-08-20"], ["总行数", "1"], []]
    path = sheet(tmp_path / "cards.xlsx", [*head, [*cells(one, 1)], [*cells(one, 1).values()]])
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook([one]))
        taken(ground, gateway, path)
        assert len(list(gateway.plan.movable())) == 1
        with gateway.installation.spool.open(f"cards/{stored(ground)[0]}") as kept:
            assert kept.read() == path.read_bytes()


def test_what_a_crash_left_of_a_list_goes_after_a_term(ground: Ground, tmp_path: Path) -> None:
    """Killed between the sealed files and the ledger, a list is files that nothing refers to."""
    (one,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        path = listed(tmp_path, [cells(one, 1)])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(card_lists, "_keep", _killed)
            with pytest.raises(_KilledHere):
                gateway.bring_card_list(path)
        assert len(stored(ground)) == 2
        gateway.retain()
        ground.clock.turn(days=DAYS)
        assert [gone.files for gone in gateway.retain().destroyed] == [1, 1]
        assert stored(ground) == []
        assert gateway.bring_card_list(listed(tmp_path, [cells(one, 1)], drawn_on="2029-08-01")).object


class _KilledHere(BaseException):
    pass


def _killed(*_: object) -> None:
    raise _KilledHere


def test_lists_come_under_a_new_master_key(ground: Ground, tmp_path: Path) -> None:
    home = ground.site.configuration.parent
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook(payments_of(CITY, 1)))
        two_lists(ground, gateway, tmp_path)
    new_master_key_file(home / "keys" / "master-2.key", "master-2")
    entry = (
        '\n[[key]]\nid = "master-2"\nrole = "spool-master"\nenvironment = "test"\n'
        'valid_from = 2026-08-31T00:00:00Z\nkey = { file = "keys/master-2.key" }\n'
    )
    ring = home / "keys.toml"
    ring.write_text(ring.read_text("utf-8") + entry, "utf-8")
    with ground.open() as gateway:
        gateway.rewrap()
        spool = gateway.installation.spool
        assert {spool.sealed_under(f"cards/{name}")[1] for name in stored(ground)} == {"master-2"}
        assert len(list(gateway.plan.movable())) == 1


def test_two_lists_cannot_be_swapped_on_the_disk(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook(payments_of(CITY, 1)))
        two_lists(ground, gateway, tmp_path)
        root = ground.site.configuration.parent / "spool" / "cards"
        first, second = (root / name for name in stored(ground) if name.endswith("-rows"))
        shutil.copyfile(first, tmp_path / "kept")
        shutil.copyfile(second, first)
        shutil.copyfile(tmp_path / "kept", second)
        with pytest.raises(SealedFileDamaged):
            list(gateway.plan.movable())


def test_an_export_proves_who_took_a_list_and_names_nobody(ground: Ground, tmp_path: Path) -> None:
    (one,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook([one]))
        two_lists(ground, gateway, tmp_path)
        ground.decide(gateway, "card-list:2", "drop-list", A)
        gateway.audit_export(tmp_path / "bundle")
        report = verify(tmp_path / "bundle")
        assert report.findings == []
        with pytest.raises(Unknown):
            list(gateway.plan.movable())
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "bundle").glob("*.jsonl"))
    assert text.count('"kind":"card list taken"') == 2
    assert "card-list:2#" in text
    for secret in (one.beneficiary_name, one.beneficiary_id, cells(one, 1)["社保卡银行账号"]):
        assert secret not in text

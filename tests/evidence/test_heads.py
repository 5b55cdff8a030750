"""Heads are signed and anchored; a ledger behind its anchor sends nothing; faults stop nothing."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.audit.heads import read_head
from gateway.errors import ExitCode
from gateway.local_time import local
from gateway.store.behind import SEQUENCE_MARGIN
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, credited, current, edit, payments_of


def anchor_of(ground: Ground) -> Path:
    return ground.site.folder / "anchor"


def heads_of(ground: Ground) -> list[str]:
    return sorted(path.name for path in anchor_of(ground).iterdir())


def backup(ground: Ground, name: str) -> Path:
    """A copy of the ledger as it is, as a backup tool would make it."""
    target = ground.site.folder / name
    with sqlite3.connect(ground.ledger_path) as source, sqlite3.connect(target) as sink:
        source.backup(sink)
    source.close()
    sink.close()
    return target


def restore(ground: Ground, saved: Path) -> None:
    for leftover in ground.ledger_path.parent.glob("ledger.sqlite-*"):
        leftover.unlink()
    shutil.copyfile(saved, ground.ledger_path)


def test_a_run_that_wrote_events_anchors_them(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        gateway.run()
        status = gateway.anchor_status()
    ((event, digest),) = ground.rows("SELECT event_pk, hash FROM event ORDER BY event_pk DESC LIMIT 1")
    assert (status.event, status.signed_event, status.delivered_event) == (event, event, event)
    (name,) = heads_of(ground)
    head, _, _ = read_head((anchor_of(ground) / name).read_bytes())
    assert (head.instance, head.environment, head.event, head.hash) == ("demo", "test", event, digest)
    assert (head.sequences, head.key_id) == ({CITY: 1}, "journal-1")


def test_a_run_that_wrote_nothing_anchors_nothing(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        for _ in range(3):
            gateway.run()
    assert len(heads_of(ground)) == 1


def test_a_restored_backup_is_held_until_each_bank_is_cleared(ground: Ground, bankgate: Commands) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        ground.run_to_the_end(gateway)
    saved = backup(ground, "old")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2, prefix="L"))
        ground.run_to_the_end(gateway)
    restore(ground, saved)
    shutil.rmtree(ground.site.configuration.parent / "spool" / "files", ignore_errors=True)
    later = payments_of(CITY, 2, prefix="N") + payments_of(RURAL, 2, prefix="R")
    with ground.open() as gateway:
        ground.submit(gateway, later)
    before = sorted(path.name for path in ground.outbox(CITY).iterdir())
    ended = bankgate("run")
    assert ended.code == ExitCode.INTEGRITY
    assert ended.out.count("nothing leaves: the anchor knows event") == 3
    assert bankgate("run").code == ExitCode.INTEGRITY
    assert sorted(path.name for path in ground.outbox(CITY).iterdir()) == before
    assert list(ground.outbox(RURAL).iterdir()) == []
    with ground.open() as gateway:
        assert [item.object for item in gateway.held()] == [
            "bank:city-bank",
            "bank:iso-bank",
            "bank:rural-credit",
        ]
        assert ground.decide(gateway, "bank:city-bank", "reconciled", *PERSONS) == [False, True]
        gateway.run()
        assert [(file.bank, file.name[-12:-4]) for file in gateway.files()][1:] == [(CITY, "00001003")]
        assert list(ground.outbox(RURAL).iterdir()) == []
        for bank in ("iso-bank", RURAL):
            ground.decide(gateway, f"bank:{bank}", "reconciled", *PERSONS)
        report = gateway.run()
        assert (report.files_sent, report.exit_code) == (1, ExitCode.DONE)
        assert gateway.anchor_status().delivered_event == gateway.anchor_status().event


def test_behind_its_anchor_a_gateway_still_fetches_and_settles(ground: Ground) -> None:
    bank = ground.bank(CITY)
    payments = payments_of(CITY, 3)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        gateway.run()
        name = heads_of(ground)[0]
        # The ledger forgets a sequence: what the anchor knows is more than it.
        with sqlite3.connect(ground.ledger_path) as database:
            database.execute("UPDATE bank_sequence SET last = 0")
        database.close()
        ground.submit(gateway, payments_of(CITY, 2, prefix="L"))
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
        assert len(gateway.files()) == 1
        messages = [item.message for item in gateway.held()]
        assert messages == ["behind: the anchor knows higher sequences than the ledger: city-bank 1"] * 3
        # Above what the anchor knows, and above what left after its last head.
        assert ground.rows("SELECT bank, last FROM bank_sequence ORDER BY bank") == [
            (CITY, 1 + SEQUENCE_MARGIN),
            (ISO, SEQUENCE_MARGIN),
            (RURAL, SEQUENCE_MARGIN),
        ]
    assert ground.rows("SELECT name FROM anchor_difference") == [(name,)]
    assert bank is not None


@pytest.mark.parametrize("what", ["exchanged", "garbage", "foreign key"])
def test_a_head_that_is_not_ours_holds(ground: Ground, what: str) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        gateway.run()
    (name,) = heads_of(ground)
    content = (anchor_of(ground) / name).read_bytes()
    if what == "exchanged":
        with sqlite3.connect(ground.ledger_path) as database:
            # A digit that it does not have, whichever that is.
            database.execute("UPDATE event SET hash = iif(hash LIKE 'f%', '0', 'f') || substr(hash, 2)")
            database.execute("DELETE FROM journal_head")
        database.close()
        expected = "is another than the one the anchor knows"
    elif what == "garbage":
        (anchor_of(ground) / "demo-000000009999-0123456789abcdef.head").write_bytes(b"nothing")
        expected = "cannot be verified: not two lines"
    else:
        statement, signature, _ = content.split(b"\n")
        changed = statement.replace(b'"at":"2026', b'"at":"2027')
        (anchor_of(ground) / "demo-000000009999-0123456789abcdef.head").write_bytes(
            changed + b"\n" + signature + b"\n"
        )
        expected = "cannot be verified: "
    with ground.open() as gateway:
        report = gateway.run()
        assert report.exit_code == ExitCode.INTEGRITY
        assert [expected in item.message for item in report.attention] == [True] * 3


def test_a_head_of_another_key_holds(ground: Ground) -> None:
    """A site of the same name, with its own keys, writes to our anchor."""
    keys = ground.site.configuration.parent / "keys"
    for suffix in ("pem", "crt"):
        shutil.copyfile(keys / f"journal-1.{suffix}", keys / f"kept.{suffix}")
        (keys / f"journal-1.{suffix}").write_bytes((keys / f"city-bank-signing.{suffix}").read_bytes())
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        gateway.run()
    for suffix in ("pem", "crt"):
        (keys / f"journal-1.{suffix}").write_bytes((keys / f"kept.{suffix}").read_bytes())
    with ground.open() as gateway:
        report = gateway.run()
    assert {item.code for item in report.attention} == {ExitCode.INTEGRITY}
    assert ["may not sign for the journal" in item.message for item in report.attention] == [True] * 3


def test_an_anchor_that_fails_stops_nothing_and_gets_the_head_later(ground: Ground) -> None:
    anchor_of(ground).rmdir()
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        report = gateway.run()
        assert (report.files_sent, report.exit_code) == (1, ExitCode.NEEDS_PERSON)
        assert [item.about for item in report.attention] == ["anchor"]
        assert "does not exist" in gateway.anchor_status().fault
        anchor_of(ground).mkdir()
        turn = gateway.anchor()
        assert (turn.fault, turn.delivered) == ("", heads_of(ground)[0])
        assert gateway.run().attention == []
        assert gateway.anchor_status().fault == ""


def test_an_anchor_that_refused_is_not_asked_again_by_itself(ground: Ground) -> None:
    anchor_of(ground).rmdir()
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        gateway.run()
        anchor_of(ground).mkdir()
        report = gateway.run()
        assert [item.hint for item in report.attention] == ["mend the cause, then: bankgate audit anchor"]
        assert heads_of(ground) == []


@pytest.mark.parametrize("crash", ["before the rename", "after the rename"])
def test_a_delivery_that_was_interrupted_is_finished(ground: Ground, crash: str) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        gateway.run()
        (name,) = heads_of(ground)
        content = (anchor_of(ground) / name).read_bytes()
        if crash == "before the rename":
            (anchor_of(ground) / name).unlink()
            (anchor_of(ground) / f"{name}.part").write_bytes(content[:100])
        with sqlite3.connect(ground.ledger_path) as database:
            database.execute("UPDATE journal_head SET delivered_at = NULL")
        database.close()
        report = gateway.run()
        assert report.attention == []
        assert heads_of(ground) == [name]
        assert (anchor_of(ground) / name).read_bytes() == content
        assert gateway.anchor_status().delivered_event == gateway.anchor_status().signed_event


def test_another_file_under_a_heads_name_is_told_of_and_left_alone(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        anchor_of(ground).rmdir()
        gateway.run()
        anchor_of(ground).mkdir()
        ((name,),) = ground.rows("SELECT name FROM journal_head")
        (anchor_of(ground) / str(name)).write_bytes(b"other")
        turn = gateway.anchor()
        assert turn.found == [f"head {name} at the anchor cannot be verified: not two lines"]
        assert (anchor_of(ground) / str(name)).read_bytes() == b"other"


def test_without_a_key_it_warns_and_pays(ground: Ground, bankgate: Commands) -> None:
    ring = ground.site.configuration.parent / "keys.toml"
    blocks = ring.read_text("utf-8").split("[[key]]")
    ring.write_text("[[key]]".join(block for block in blocks if "journal-sign" not in block), "utf-8")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
    ended = bankgate("run")
    assert ended.code == ExitCode.DONE
    assert "warning: the journal's head is not signed: no key of role journal-sign" in ended.out
    assert "sent 1" in ended.out
    exported = bankgate("audit", "export", "--output", ground.site.folder / "bundle")
    assert exported.code == ExitCode.NEEDS_PERSON
    assert bankgate("audit", "verify", ground.site.folder / "bundle").code == ExitCode.INTEGRITY


def test_without_an_anchor_status_says_so(ground: Ground, bankgate: Commands) -> None:
    edit(ground.site.configuration, '[anchor]\nkind = "folder"\nroot = "../anchor"\n', "")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
    assert bankgate("run").code == ExitCode.DONE
    said = bankgate("status").out
    assert "signed to event 9; anchor: none is configured: a cut or restored ledger" in " ".join(said.split())
    assert heads_of(ground) == []


def said_by(text: str) -> str:
    return " ".join(text.split())


def test_status_says_what_it_knows_of_the_anchor_without_asking(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        gateway.run()
        known = gateway.anchor_status()
        assert (known.unknown_events, known.unknown_since, known.hint) == (0, "", "")
        ground.clock.turn(hours=1)
        ground.submit(gateway, payments_of(CITY, 2, prefix="Q"))
        anchor_of(ground).rename(anchor_of(ground).with_name("away"))
        status = gateway.anchor_status()
        assert status.unknown_events == status.event - known.event > 0
        assert status.unknown_since == ground.clock.now().isoformat()
        assert (status.fault, "anchor is not there" in status.warning) == ("", True)
        gateway.run()
        status = gateway.anchor_status()
        assert (status.refused, status.fault_at) == (True, ground.clock.now().isoformat())
    said = said_by(bankgate("status").out)
    assert (
        f"{status.unknown_events} events since {local(status.unknown_since)} are not known to the anchor"
        in said
    )
    assert "hint: nobody asks it again by itself: mend the cause, then: bankgate audit anchor" in said


def test_a_login_of_the_anchor_that_has_ended_is_said_before_it_fails(ground: Ground) -> None:
    settings = '[anchor]\nkind = "sftp"\nhost = "127.0.0.1"\nuser = "anchor"\n'
    edit(ground.site.configuration, '[anchor]\nkind = "folder"\nroot = "../anchor"\n', settings)
    with ground.open() as gateway:
        assert "the anchor cannot be reached: no key of role ssh-login" in gateway.anchor_status().warning


def test_the_command_says_what_it_came_to(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
    put = bankgate("audit", "anchor")
    assert (put.code, f"put to the anchor: {heads_of(ground)[0]}" in said_by(put.out)) == (
        ExitCode.DONE,
        True,
    )
    assert "the anchor knows all: nothing new to put there" in said_by(bankgate("audit", "anchor").out)
    anchor_of(ground).rename(anchor_of(ground).with_name("away"))
    failed = bankgate("audit", "anchor")
    assert failed.code == ExitCode.NEEDS_PERSON
    assert said_by(failed.err).startswith("error: anchor ../anchor: ")
    assert "does not exist" in failed.err


def test_without_an_anchor_the_command_says_what_to_enter(ground: Ground, bankgate: Commands) -> None:
    edit(ground.site.configuration, '[anchor]\nkind = "folder"\nroot = "../anchor"\n', "")
    ended = bankgate("audit", "anchor")
    assert ended.code == ExitCode.BAD_USAGE
    assert "error: no anchor is configured" in ended.err
    assert "enter [anchor] in bankgate.toml" in ended.err


def test_the_commands(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        batch = ground.submit(gateway, payments_of(CITY, 3))
        gateway.run()
    folder = ground.site.folder
    assert bankgate("audit", "anchor").code == ExitCode.DONE
    for name, options in (
        ("all", []),
        ("one", ["--batch", batch]),
        ("days", ["--from", "2026-09-01", "--to", "2026-09-01"]),
        ("none", ["--from", "2026-09-02"]),
    ):
        assert bankgate("audit", "export", "--output", folder / name, *options).code == ExitCode.DONE
        ended = bankgate("audit", "verify", folder / name, "--anchor", folder / "anchor")
        assert (ended.code, "holds; batches" in ended.out) == (ExitCode.DONE, True)
        assert (folder / name / "payments.jsonl").read_text("utf-8").count("\n") == (
            0 if name == "none" else 3
        )
    assert bankgate("audit", "export", "--output", folder / "all").code == ExitCode.REFUSED_INPUT
    (folder / "all" / "files.csv").write_bytes(b"")
    ended = bankgate("audit", "verify", folder / "all")
    assert ended.code == ExitCode.INTEGRITY
    assert "finding files.csv: is not what was signed: its digest or its size differs" in ended.out

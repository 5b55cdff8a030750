"""Personal data goes when its term is over and nothing needs it; what it proved stays provable."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from formats import Payment
from gateway import Gateway
from gateway.audit.verify import verify
from gateway.errors import ExitCode
from gateway.ledger import database as ledger
from gateway.ledger.oddities import OddityKind, note_oddity
from gateway.ledger.retention import destroy_texts
from gateway.store.backup_folder import check_backup, read_manifest
from gateway.store.locks import keeping_files, running
from keys.authority import Authority
from keys.certificate_make import RECEIVING
from keys.cms import sign_attached
from keys.cms_verify import verify_attached, verify_detached
from keys.envelope import Recipient
from keys.xmldsig import verify_stripped
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, ISO, NOW, PERSONS, RURAL, Ground, current, edit, payments_of
from tests.store.killed import is_killed_at
from tests.store.test_backup import certificate_of, spool_of

DAYS = 1095
FAILING = "failures,fee-lines"


def stored(ground: Ground) -> list[str]:
    root = spool_of(ground)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def pay(ground: Ground, gateway: Gateway, payments: list[Payment]) -> str:
    batch_id = ground.submit(gateway, payments)
    ground.run_to_the_end(gateway)
    return batch_id


def sealed_texts(ground: Ground) -> list[bytes]:
    """Every sealed text in the ledger."""
    rows = ground.rows(
        "SELECT bank_text FROM outcome WHERE bank_text IS NOT NULL"
        " UNION ALL SELECT label FROM fee_finding WHERE label IS NOT NULL"
        " UNION ALL SELECT bank_text FROM acknowledgement WHERE bank_text IS NOT NULL"
        " UNION ALL SELECT text FROM notice WHERE text IS NOT NULL"
    )
    return [bytes(blob) for (blob,) in rows if isinstance(blob, bytes)]


@pytest.fixture
def paid(ground: Ground) -> tuple[Ground, str]:
    """A batch at two banks that both answered in full, some of it failed, with charges and bank texts."""
    ground.bank(CITY, "failures,fee-column", 400)
    ground.bank(RURAL, FAILING, 400)
    with ground.open() as gateway:
        batch_id = pay(ground, gateway, payments_of(CITY, 8, prefix="C") + payments_of(RURAL, 8, prefix="R"))
        assert {status for status, _, _ in current(gateway).values()} == {"credited", "failed"}
    assert len(sealed_texts(ground)) > 4
    return ground, batch_id


def test_nothing_goes_before_its_term(paid: tuple[Ground, str], bankgate: Commands) -> None:
    ground, _ = paid
    before = stored(ground)
    ground.clock.turn(days=DAYS - 1)
    ended = bankgate("retain")
    assert ended.code == ExitCode.DONE
    assert "destroyed 0, paused 0, waiting 1, the next on 2029-08-31" in ended.out
    assert stored(ground) == before


def test_a_dry_run_says_what_would_go(paid: tuple[Ground, str], bankgate: Commands) -> None:
    ground, batch_id = paid
    before = stored(ground), ground.rows("SELECT COUNT(*) FROM event")
    ground.clock.turn(days=DAYS)
    ended = bankgate("retain", "--dry-run")
    assert ended.code == ExitCode.DONE
    assert f"would be destroyed: batch:yikatong/{batch_id}, {DAYS} days after 2026-09-01" in ended.out
    assert (stored(ground), ground.rows("SELECT COUNT(*) FROM event")) == before


def test_after_its_term_only_evidence_is_left(paid: tuple[Ground, str], bankgate: Commands) -> None:
    ground, batch_id = paid
    before = {name: (spool_of(ground) / name).read_bytes() for name in stored(ground)}
    outcomes = ground.rows("SELECT outcome_pk, payment_pk, status, reason, code, credited_minor FROM outcome")
    ground.clock.turn(days=DAYS)
    ended = bankgate("retain")
    assert ended.code == ExitCode.DONE, ended.out
    assert f"destroyed: batch:yikatong/{batch_id}, " in ended.out
    left = stored(ground)
    assert left != []
    assert {name.rpartition("/")[2].rpartition("-")[2] for name in left} == {"signature", "flag"}
    assert sealed_texts(ground) == []
    assert named(ground, left) == set()
    assert ground.rows("SELECT problems FROM batch UNION SELECT problems FROM received") == [("[]",)]
    assert (
        ground.rows("SELECT outcome_pk, payment_pk, status, reason, code, credited_minor FROM outcome")
        == outcomes
    )
    bodies = [
        json.loads(str(body))
        for (body,) in ground.rows(
            "SELECT body FROM event WHERE kind LIKE 'personal data%' ORDER BY event_pk"
        )
    ]
    gone = sorted(set(before) - set(left))
    lines = "".join(f"{hashlib.sha256(before[name]).hexdigest()}  {name}\n" for name in gone)
    assert [body["files_sha256"] for body in bodies] == [hashlib.sha256(lines.encode()).hexdigest()] * 2
    assert {body["batch"] for body in bodies} == {batch_id}
    assert ground.rows("SELECT spool_name, sha256 FROM destroyed_file ORDER BY 1") == [
        (name, hashlib.sha256(before[name]).hexdigest()) for name in gone
    ]
    with ground.open() as gateway:
        assert [status.adds_up for status in gateway.status()] == [True]
        assert gateway.trace("C-00001").payment_id == "C-00001"
        assert gateway.retain().destroyed == []


def named(ground: Ground, names: list[str]) -> set[str]:
    """Who can still be read, with all keys, in these stored files."""
    words = {
        word
        for one in payments_of(CITY, 8, prefix="C") + payments_of(RURAL, 8, prefix="R")
        for word in (one.account, one.beneficiary_name, one.beneficiary_id)
    }
    with ground.open() as gateway:
        texts = []
        for name in names:
            with gateway.installation.spool.open(name) as stream:
                content = stream.read()
            texts += [content.decode("gb18030", "replace"), content.decode("utf-8", "replace")]
    return {word for word in words if any(word in text for text in texts)}


def test_the_ledgers_files_forget_the_texts(paid: tuple[Ground, str]) -> None:
    """Searched for in the raw bytes of database and log: each text by a piece of its own."""
    ground, _ = paid
    texts = {blob[-24:] for blob in sealed_texts(ground)}
    ground.clock.turn(days=DAYS)
    with ground.open() as gateway:
        assert raw(ground, texts) == texts
        report = gateway.retain()
        assert report.is_forgotten
        assert raw(ground, texts) == set()


def test_pages_that_were_moved_about_forget_too(ground: Ground) -> None:
    """Many texts of all lengths, written in turns for many batches, changed again and again."""
    random = Random(7)
    blobs: list[bytes] = []
    with ground.open() as gateway:
        for number in range(6):
            ground.submit(gateway, payments_of(CITY, 30, prefix=f"B{number}"))
        ledger = gateway.installation.ledger
        keys = [key for (key,) in ground.rows("SELECT payment_pk FROM payment")]
        for _ in range(40):
            with ledger.write() as transaction:
                for key in random.sample(keys, 60):
                    blobs.append(random.randbytes(random.choice((60, 200, 900, 5000, 9000))))
                    transaction.run(
                        "INSERT INTO outcome (payment_pk, stated, status, reason, code, serial, bank_text,"
                        " recorded_at) VALUES (:pk, 'failed', 'failed', '', '', '', :text, '2026')",
                        pk=key,
                        text=blobs[-1],
                    )
            with ledger.write() as transaction:
                transaction.run(
                    "UPDATE outcome SET code = :code WHERE outcome_pk % 3 = :rest",
                    code="0" * random.randint(1, 80),
                    rest=random.randint(0, 2),
                )
        pieces = {blob[place : place + 24] for blob in blobs for place in (0, len(blob) - 24)}
        before = raw(ground, pieces)
        assert len(before) > 0.9 * len(pieces)
        for batch in range(1, 7):
            with ledger.write() as transaction:
                destroy_texts(transaction, batch)
        assert ledger.forget()
        assert raw(ground, pieces) == set()


def raw(ground: Ground, texts: set[bytes]) -> set[bytes]:
    content = b"".join(path.read_bytes() for path in ground.ledger_path.parent.glob("ledger.sqlite*"))
    return {text for text in texts if text in content}


def test_a_reader_of_the_log_is_told(
    paid: tuple[Ground, str], bankgate: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground, _ = paid
    # This reader stays whatever time it is given: nothing is learned by waiting for it.
    monkeypatch.setattr(ledger, "BUSY_TIMEOUT_SECONDS", 0)
    ground.clock.turn(days=DAYS)
    with closing(sqlite3.connect(ground.ledger_path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM payment").fetchone()
        ended = bankgate("retain")
        assert (ended.code, "run it again" in ended.out) == (ExitCode.NEEDS_PERSON, True)
        reader.execute("ROLLBACK")
    assert bankgate("retain").code == ExitCode.DONE


def test_the_term_begins_with_the_last_word(paid: tuple[Ground, str]) -> None:
    """A return, a year later: the term begins anew."""
    ground, _ = paid
    with closing(sqlite3.connect(ground.ledger_path)) as database, database:
        database.execute("UPDATE fee_finding SET recorded_at = '2027-09-01T00:00:00+00:00' WHERE fee_pk = 1")
    ground.clock.turn(days=DAYS)
    with ground.open() as gateway:
        assert gateway.retain().destroyed == []
        ground.clock.turn(days=365)
        assert len(gateway.retain().destroyed) == 1


def test_the_longest_agreement_counts(paid: tuple[Ground, str]) -> None:
    ground, _ = paid
    edit(ground.site.configuration, "[intake]", "[retention]\ndays = 100\n\n[intake]")
    agreements = ground.site.configuration.parent / "agreements"
    for bank, days in ((CITY, 40), (RURAL, 60)):
        (path,) = agreements.glob(f"{bank}-*.toml")
        path.write_text(f"retention_days = {days}\n" + path.read_text("utf-8"), "utf-8")
    with ground.open() as gateway:
        for turned, destroyed in ((59, 0), (2, 1)):
            ground.clock.turn(days=turned)
            assert len(gateway.retain().destroyed) == destroyed


def test_terms_are_bounded(ground: Ground, bankgate: Commands) -> None:
    edit(ground.site.configuration, "[intake]", "[retention]\ndays = 29\n\n[intake]")
    ended = bankgate("retain")
    assert (ended.code, "30 to 36500 days" in ended.err) == (ExitCode.BAD_USAGE, True)


# What pauses.


def reasons_of(ground: Ground, gateway: Gateway) -> list[str]:
    """Of the only batch that is paused, years later."""
    ground.clock.turn(days=2 * DAYS)
    report = gateway.retain()
    assert report.destroyed == []
    (paused,) = report.paused
    return paused.reasons


def test_a_batch_that_is_not_released_pauses(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 2)
    with ground.open() as gateway:
        gateway.submit(ground.write(ground.batch(payments), payments))
        assert reasons_of(ground, gateway) == ["the batch is submitted", "payments that are accepted: 2"]
    ended = bankgate("retain")
    assert ended.code == ExitCode.NEEDS_PERSON
    assert "paused: batch:yikatong/B-0001" in ended.out
    assert "    the batch is submitted\n" in ended.out


def test_a_file_without_an_answer_pauses(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2))
        gateway.run()
        (file,) = gateway.files()
        assert reasons_of(ground, gateway) == [
            "payments that are dispatched: 2",
            f"file {file.name} for {CITY} is sent",
        ]


def test_an_unknown_payment_pauses(ground: Ground) -> None:
    ground.bank(CITY, "unknown-code", 300)
    with ground.open() as gateway:
        pay(ground, gateway, payments_of(CITY, 6))
        unknown = sum(status == "unknown" for status, _, _ in current(gateway).values())
        assert unknown > 0
        assert f"payments that are unknown: {unknown}" in reasons_of(ground, gateway)


def test_a_discrepant_payment_pauses(ground: Ground) -> None:
    ground.bank(CITY, "short-credit", 300)
    with ground.open() as gateway:
        pay(ground, gateway, payments_of(CITY, 6))
        discrepant = sum(status == "discrepant" for status, _, _ in current(gateway).values())
        assert discrepant > 0
        assert f"payments that are discrepant: {discrepant}" in reasons_of(ground, gateway)


def test_an_answer_that_nobody_closed_pauses(paid: tuple[Ground, str]) -> None:
    """It names no file of ours: it may be about any of the bank's."""
    ground, _ = paid
    name = "TS000002_20260901_00000009_R1.bxt"
    ground.post(CITY, name, b"nonsense\n")
    with ground.open() as gateway:
        ground.take(gateway)
        (held,) = gateway.held()
        assert reasons_of(ground, gateway) == [f"{name} of {CITY} is held"]
        before = stored(ground)
        ground.decide(gateway, held.object, "refuse", PERSONS[0])
        # The batch goes at once, the answer a term after it was closed.
        assert [ended.object.partition(":")[0] for ended in gateway.retain().destroyed] == ["batch"]
        ground.clock.turn(days=DAYS)
        assert [ended.object for ended in gateway.retain().destroyed] == [held.object]
        assert len([name for name in before if name.startswith("in/") and name in stored(ground)]) == 5
        assert gateway.ways(held.object) == []


def test_a_file_with_attention_pauses(paid: tuple[Ground, str]) -> None:
    ground, _ = paid
    with ground.open() as gateway:
        with gateway.installation.ledger.write() as transaction:
            transaction.run("UPDATE file SET attention = 'odd' WHERE file_pk = 1")
        (reason,) = reasons_of(ground, gateway)
        assert reason.endswith("is settled")


def test_a_successor_without_its_end_pauses(paid: tuple[Ground, str]) -> None:
    ground, _ = paid
    with ground.open() as gateway:
        failed = next(name for name, told in current(gateway).items() if told[0] == "failed")
        old = next(
            one
            for one in payments_of(CITY, 8, prefix="C") + payments_of(RURAL, 8, prefix="R")
            if one.payment_id == failed
        )
        bank = CITY if failed.startswith("C") else RURAL
        new = payments_of(bank, 1, prefix="S", start=50, amount_minor=old.amount_minor, reissue_of=failed)
        ground.submit(gateway, new)
        ground.clock.turn(days=2 * DAYS)
        report = gateway.retain()
        assert ["payments in the chains of some of it are open: 1"] in [one.reasons for one in report.paused]
        assert len(report.paused) == 2


def test_a_bank_that_is_not_reconciled_pauses_everything(paid: tuple[Ground, str]) -> None:
    ground, _ = paid
    with ground.open() as gateway:
        with gateway.installation.ledger.write() as transaction:
            transaction.run(
                "INSERT INTO bank_hold (bank, cause, message, recorded_at) VALUES (:bank, 'behind', '', '')",
                bank=ISO,
            )
        assert reasons_of(ground, gateway) == [f"bank {ISO} is not reconciled"]


def test_letters_go_when_all_that_they_are_about_is_gone(ground: Ground) -> None:
    """One letter about payments of two batches, one about the bank as a whole."""
    ground.bank(CITY, "unknown-code", 1000)
    letter = ground.site.folder / "one.txt"
    letter.write_text("both were paid", "utf-8")
    with ground.open() as gateway:
        digest = gateway.attach(letter)
        for prefix, start, name in (("A", 0, "A-00001"), ("B", 5, "B-00006")):
            pay(ground, gateway, payments_of(CITY, 1, prefix=prefix, start=start))
            for person in PERSONS:
                statement = gateway.statement(f"payment:yikatong/{name}", "credited", person, exhibit=digest)
                gateway.decide(statement, ground.signature(statement))
            ground.clock.turn(days=10)
        assert len([name for name in stored(ground) if name.startswith("exhibits/")]) == 1
        ground.clock.turn(days=DAYS - 20)
        assert [ended.object for ended in gateway.retain().destroyed] == ["batch:yikatong/B-0001"]
        ground.clock.turn(days=10)
        assert [ended.object for ended in gateway.retain().destroyed] == [
            "batch:yikatong/B-0002",
            f"exhibit:{digest}",
        ]
        assert [name for name in stored(ground) if name.startswith("exhibits/")] == []
        assert digest in str(ground.rows("SELECT CAST(statement AS TEXT) FROM decision"))
        # The same letter may be needed once more.
        assert gateway.attach(letter) == digest
        gateway.exhibit(digest, ground.site.folder / "again.txt")
        assert (ground.site.folder / "again.txt").read_text("utf-8") == "both were paid"


def test_an_oddity_about_a_file_pauses(paid: tuple[Ground, str]) -> None:
    ground, _ = paid
    with ground.open() as gateway:
        (name,) = [file.name for file in gateway.files() if file.bank == CITY]
        with gateway.installation.ledger.write() as transaction:
            note_oddity(
                transaction, ground.clock.now(), OddityKind.PAID_TWICE, CITY, name, "somebody twice perhaps"
            )
        assert reasons_of(ground, gateway) == [f"paid-twice-perhaps of {CITY}: {name}"]


# What comes later.


def test_a_late_answer_is_held_and_nothing_is_believed(paid: tuple[Ground, str], bankgate: Commands) -> None:
    ground, _ = paid
    with ground.open() as gateway:
        (result,) = [one for one in gateway.received() if one.kind == "result" and one.bank == RURAL]
    content = next(
        path.read_bytes()
        for path in ground.site.bank(RURAL).rglob(result.name)
        if path.is_file() and path.parent.name in ("from-bank", "archive")
    )
    outcomes = ground.rows("SELECT COUNT(*) FROM outcome")
    before = ground.rows("SELECT payment_pk, status FROM outcome ORDER BY outcome_pk")
    ground.clock.turn(days=DAYS)
    assert bankgate("retain").code == ExitCode.DONE
    # The same bytes, signed anew: another file.
    ground.post(RURAL, result.name, content)
    (ground.inbox(RURAL) / f"{result.name}.ok").touch()
    with ground.open() as gateway:
        ground.take(gateway)
        assert ground.rows("SELECT COUNT(*) FROM outcome") == outcomes
        assert ground.rows("SELECT payment_pk, status FROM outcome ORDER BY outcome_pk") == before
        problems = [problem.code for item in gateway.held() for problem in item.problems]
        assert problems == ["personal-data-destroyed"]
        held = gateway.held()[0]
        assert "was destroyed on 2029-08-31" in held.problems[0].message
        assert "accept" not in {way.decision for way in held.ways}


def test_the_same_batch_again_is_known(paid: tuple[Ground, str]) -> None:
    ground, batch_id = paid
    ground.clock.turn(days=DAYS)
    path = next(ground.site.batch.parent.glob(f"{batch_id}.*"))
    with ground.open() as gateway:
        gateway.retain()
        before = stored(ground)
        receipt = gateway.submit(path, signature=ground.sign(path.read_bytes()))
        assert (receipt.taken_before, receipt.problems) == (True, [])
        assert stored(ground) == before


def test_an_export_still_verifies_and_says_whose_identities_are_gone(
    paid: tuple[Ground, str], tmp_path: Path, bankgate: Commands
) -> None:
    ground, batch_id = paid
    valid = NOW, ground.clock.now().replace(year=2040)
    auditor = Authority.create("CN=Auditors", *valid).issue(
        "CN=Auditor", *valid, kind="rsa-2048", use=RECEIVING
    )
    auditor.write_pem(tmp_path / "auditor.pem", tmp_path / "auditor.crt")
    ground.clock.turn(days=DAYS)
    with ground.open() as gateway:
        gateway.retain()
        second = ground.submit(gateway, payments_of(RURAL, 2, prefix="Z"))
        exported = gateway.audit_export(tmp_path / "all", recipient=Recipient(tmp_path / "auditor.crt"))
        assert exported.notes == [
            "identities of 1 batches were destroyed when their term was over, and are not in the bundle:"
            f" yikatong/{batch_id}"
        ]
        for name in (batch_id, second):
            gateway.audit_export(tmp_path / name, batch_id=name)
    for name, told in (("all", True), (batch_id, True), (second, False)):
        report = verify(tmp_path / name, None, certificate_of(ground))
        assert report.findings == []
        assert any("personal data of 1 batches was destroyed" in note for note in report.notes) == told
    ended = bankgate(
        "audit", "export", "--output", tmp_path / "again", "--recipient", tmp_path / "auditor.crt"
    )
    assert "note: identities of 1 batches were destroyed" in ended.out


def test_a_bank_signature_still_proves_the_digest(paid: tuple[Ground, str]) -> None:
    """The kept signature verifies over the digest that the ledger has of the content that is gone."""
    ground, _ = paid
    with ground.open() as gateway:
        ((spool_name, sha256),) = ground.rows(
            "SELECT signature_spool_name, sha256 FROM received WHERE bank = ? AND kind = 'result'", RURAL
        )
        ground.clock.turn(days=DAYS)
        gateway.retain()
        with gateway.installation.spool.open(str(spool_name)) as stream:
            signature = stream.read()
    assert bytes.fromhex(str(sha256)) in signature


def test_of_a_signature_around_its_content_the_proof_stays(ground: Ground, tmp_path: Path) -> None:
    """As of a bank that signs so: its answers are stored with their content inside."""
    ground.bank(RURAL)
    with ground.open() as gateway:
        pay(ground, gateway, payments_of(RURAL, 3))
        spool = gateway.installation.spool
        rows = ground.rows("SELECT received_pk, spool_name, received_at FROM received ORDER BY received_pk")
        signed = {}
        for key, name, _ in rows:
            with spool.open(str(name)) as stream:
                content = stream.read()
            whole = io.BytesIO()
            sign_attached(io.BytesIO(content), len(content), ground.bank_signer(RURAL), NOW, whole)
            signed[key] = whole.getvalue()
            with spool.create(str(name)) as sink:
                sink.write(signed[key])
        with gateway.installation.ledger.write() as transaction:
            transaction.run("UPDATE received SET signature_spool_name = NULL")
        ground.clock.turn(days=DAYS)
        gateway.retain()
        kept = ground.rows("SELECT received_pk, spool_name FROM kept_signature ORDER BY received_pk")
        assert [key for key, _ in kept] == [key for key, _, _ in rows]
        trust = gateway.installation.keyring.trust(RURAL)
        for (key, name), (_, _, at) in zip(kept, rows, strict=True):
            clear = io.BytesIO()
            moment = datetime.fromisoformat(str(at))
            verdict = verify_attached(io.BytesIO(signed[key]), trust, moment, clear)
            with spool.open(str(name)) as stream:
                proof = stream.read()
            assert clear.getvalue() not in proof
            clear.seek(0)
            assert verify_detached(clear, proof, trust, moment) == verdict
        gateway.backup(tmp_path / "backup")
    assert check_backup(tmp_path / "backup").holds


def test_of_a_signed_document_the_signature_stays(ground: Ground) -> None:
    ground.bank(ISO)
    with ground.open() as gateway:
        pay(ground, gateway, payments_of(ISO, 3))
        verdicts = ground.rows("SELECT verdict, received_at FROM received ORDER BY received_pk")
        ground.clock.turn(days=DAYS)
        gateway.retain()
        kept = [name for (name,) in ground.rows("SELECT spool_name FROM kept_signature ORDER BY received_pk")]
        assert len(kept) == len(verdicts) == 2
        trust = gateway.installation.keyring.trust(ISO)
        for name, (verdict, at) in zip(kept, verdicts, strict=True):
            with gateway.installation.spool.open(str(name)) as stream:
                found = verify_stripped(stream.read(), trust, datetime.fromisoformat(str(at)))
            assert f'"digest":"{found.digest}"' in str(verdict)


# Backups.


def test_a_backup_afterwards_is_whole_and_one_of_before_is_named(
    paid: tuple[Ground, str], tmp_path: Path
) -> None:
    ground, _ = paid
    with ground.open() as gateway:
        gateway.backup(tmp_path / "before")
        ground.clock.turn(days=DAYS)
        gateway.retain()
        gateway.backup(tmp_path / "after", earlier=tmp_path / "before")
    assert check_backup(tmp_path / "after").holds
    gone = dict(ground.rows("SELECT spool_name, sha256 FROM destroyed_file"))
    before, after = (read_manifest(tmp_path / name).files for name in ("before", "after"))
    assert {name: before[f"spool/{name}"].sha256 for name in map(str, gone)} == gone
    assert not {f"spool/{name}" for name in gone} & set(after)
    assert check_backup(tmp_path / "before").holds


def test_others_are_waited_for(paid: tuple[Ground, str], bankgate: Commands) -> None:
    ground, _ = paid
    with ground.open() as gateway:
        with running(gateway.installation):
            assert bankgate("retain").code == ExitCode.BAD_USAGE
        with keeping_files(gateway.installation):
            ended = bankgate("retain")
            assert (ended.code, "is being made" in ended.err) == (ExitCode.BAD_USAGE, True)


# Strays.


def test_what_a_crash_left_unreferred_goes_too(ground: Ground) -> None:
    with ground.open() as gateway:
        for name in ("batch/stray", "in/city-bank/stray", "out/city-bank/0000000099/plain"):
            with gateway.installation.spool.create(name) as sink:
                sink.write(b"somebody")
        gateway.retain()
        ground.clock.turn(days=DAYS)
        gateway.run()
        report = gateway.retain()
        assert [ended.object for ended in report.destroyed] == [
            "stray:batch/stray",
            "stray:in/city-bank/stray",
        ]
        assert gateway.retain().destroyed == []
    # A number that the ledger does not know is how it learns that it is behind.
    assert stored(ground) == ["out/city-bank/0000000099/plain"]


def test_leftovers_of_a_file_that_was_never_sealed_go_with_its_batch(paid: tuple[Ground, str]) -> None:
    ground, _ = paid
    folder = next((spool_of(ground) / "out" / CITY).iterdir())
    shutil.copyfile(folder / "items", folder / "half")
    ground.clock.turn(days=DAYS)
    with ground.open() as gateway:
        gateway.retain()
    assert not (folder / "half").exists()


# Kills.


def _retain_killed(paid: tuple[Ground, str], steps: range) -> int:
    ground, _ = paid
    ground.clock.turn(days=DAYS)
    kills = 0
    for step in steps:

        def deed() -> None:
            with ground.open() as gateway:
                gateway.retain()

        if not is_killed_at(step, deed):
            break
        kills += 1
        with ground.open() as gateway:
            # Nothing that is asked of it in between fails.
            gateway.run()
            gateway.trace("C-00001")
            gateway.backup(ground.site.folder / f"backup-{step}")
            assert check_backup(ground.site.folder / f"backup-{step}").holds
    with ground.open() as gateway:
        gateway.retain()
    assert {name.rpartition("/")[2].rpartition("-")[2] for name in stored(ground)} == {"signature", "flag"}
    assert sealed_texts(ground) == []
    kinds = ground.rows(
        "SELECT kind, COUNT(*) FROM event WHERE kind LIKE 'personal data%' GROUP BY kind ORDER BY kind"
    )
    assert kinds == [("personal data destroyed", 1), ("personal data to be destroyed", 1)]
    return kills


def test_a_killed_retention_goes_on(paid: tuple[Ground, str]) -> None:
    assert _retain_killed(paid, range(8, 60, 9)) > 2


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_a_retention_killed_at_every_step_goes_on(paid: tuple[Ground, str]) -> None:
    assert _retain_killed(paid, range(1000)) > 15


def test_no_file_opens_without_its_header(paid: tuple[Ground, str]) -> None:
    """Bytes that the disk still has are unreadable: a second name of the same file shows it."""
    ground, _ = paid
    lane = next((spool_of(ground) / "lane").iterdir())
    (ground.site.folder / "second-name").hardlink_to(lane)
    ground.clock.turn(days=DAYS)
    with ground.open() as gateway:
        gateway.retain()
    assert not lane.exists()
    assert (ground.site.folder / "second-name").read_bytes()[:140] == bytes(140)

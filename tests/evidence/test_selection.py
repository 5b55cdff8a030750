"""Bundles of what a programme, department, period or time chooses: whole batches, proved as such."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from gateway import Gateway
from gateway.audit.verify import verify
from keys.authority import Authority
from keys.certificate_make import RECEIVING
from keys.envelope import Recipient
from tests.evidence.conftest import Audited
from tests.evidence.forger import Forger
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, DEPARTMENT, NOW, PERIOD, PERSONS, PROGRAMME, RURAL, Ground, payments_of

LATE = "2027-T1"


class Chosen:
    """Three batches: one period and another of a programme, and a mixed one."""

    def __init__(self, ground: Ground, gateway: Gateway) -> None:
        self.ground, self.gateway = ground, gateway
        first, mixed = payments_of(CITY, 2, prefix="A"), payments_of(CITY, 2, prefix="M", start=20)
        mixed[1] = msgspec.structs.replace(mixed[1], period=LATE)
        later = payments_of(RURAL, 2, prefix="L", start=40, period=LATE)
        ground.submit(gateway, first, "FIRST")
        ground.clock.turn(days=3)
        ground.submit(gateway, later, "LATER")
        ground.submit(gateway, mixed, "MIXED")

    def export(self, name: str, **said: object) -> list[str]:
        """Ids of the batches in a bundle of that selection, which holds."""
        folder = self.ground.site.folder / name
        exported = self.gateway.audit_export(folder, **said)  # type: ignore[arg-type]
        report = verify(folder)
        assert report.findings == []
        lines = (folder / "batches.jsonl").read_text("utf-8").splitlines()
        batches = [str(json.loads(line)["batch_id"]) for line in lines]
        assert bool(exported.notes) is not bool(batches)
        return batches


@pytest.fixture
def chosen(ground: Ground) -> object:
    with ground.open() as gateway:
        yield Chosen(ground, gateway)


def test_batches_are_chosen_by_all_that_is_said(chosen: Chosen) -> None:
    both = {"programme": PROGRAMME, "department": DEPARTMENT}
    assert chosen.export("programme", **both) == ["FIRST", "LATER", "MIXED"]
    assert chosen.export("early", period=PERIOD) == ["FIRST", "MIXED"]
    assert chosen.export("late", period=LATE, **both) == ["LATER", "MIXED"]
    day = chosen.ground.clock.now().date()
    assert chosen.export("late-days", period=PERIOD, first=day) == ["MIXED"]
    assert chosen.export("nobody", department="区水利局") == []
    assert chosen.export("other", programme="没有的项目") == []


def test_identities_are_of_what_was_asked_for_alone(chosen: Chosen, tmp_path: Path) -> None:
    valid = NOW - timedelta(days=1), NOW + timedelta(days=9)
    auditor = Authority.create("CN=Auditors", *valid).issue(
        "CN=Auditor", *valid, kind="rsa-2048", use=RECEIVING
    )
    key, certificate = tmp_path / "auditor.pem", tmp_path / "auditor.crt"
    auditor.write_pem(key, certificate)
    folder = tmp_path / "late"
    chosen.gateway.audit_export(folder, period=LATE, recipient=Recipient(certificate))
    opened = subprocess.run(
        [
            "openssl",
            "cms",
            "-decrypt",
            "-inform",
            "DER",
            "-inkey",
            key,
            "-in",
            folder / "identities-00001.p7m",
        ],
        capture_output=True,
        check=True,
    ).stdout
    assert sorted(json.loads(line)["payment_id"] for line in opened.splitlines()) == [
        "L-00041",
        "L-00042",
        "M-00022",
    ]
    assert len((folder / "payments.jsonl").read_text("utf-8").splitlines()) == 4


def test_who_closed_the_books_is_in_the_selection(chosen: Chosen) -> None:
    chosen.ground.decide(chosen.gateway, "books:yikatong/FIRST", "close-books", PERSONS[0], reason="待发")
    folder = chosen.ground.site.folder / "closed"
    chosen.gateway.audit_export(folder, batch_id="FIRST")
    assert verify(folder).findings == []
    assert '"decision":"close-books"' in (folder / "decisions.jsonl").read_text("utf-8")


def test_a_batch_that_is_not_of_the_selection_is_found(
    forger: Forger, bundle: Path, audited: Audited
) -> None:
    for selection in ({"department": "区水利局"}, {"period": "1999-01"}, {"to": "1999-12-31"}):
        forger.sign({**forger.manifest(), "selection": selection})
        found = [one.message for one in verify(bundle).findings]
        assert [message for message in found if "is not of the selection" in message] != []
    assert audited.batch_id in " ".join(found)


def test_verify_says_what_a_selection_does_not_prove(audited: Audited) -> None:
    assert [note for note in verify(audited.one_batch).notes if "no other batch fits" in note] == []


def test_the_command_takes_them_together_but_not_with_a_batch(
    chosen: Chosen, bankgate: Commands, tmp_path: Path
) -> None:
    told = bankgate(
        "audit", "export", "--output", tmp_path / "one", "--period", LATE, "--programme", PROGRAMME
    )
    assert told.code == 0
    shown = bankgate("audit", "verify", tmp_path / "one")
    assert (shown.code, "no other batch fits the selection" in shown.out) == (0, True)
    refused = bankgate("audit", "export", "--output", tmp_path / "two", "--batch", "FIRST", "--period", LATE)
    assert (refused.code, (tmp_path / "two").exists()) == (2, False)

"""A bundle holds as it is, and no byte of it can be changed by whoever has not the key."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from gateway.audit.bundle import TABLES
from gateway.audit.verify import verify
from tests.evidence.conftest import Audited
from tests.evidence.forger import Forger


def findings(folder: Path, **where: Path) -> list[tuple[str, str]]:
    return [(finding.place, finding.message) for finding in verify(folder, **where).findings]


def rows_of(folder: Path, table: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / f"{table}.jsonl").read_text("utf-8").splitlines()]


def test_the_bundle_of_everything_holds(audited: Audited) -> None:
    report = verify(audited.everything, audited.anchor, audited.certificate)
    assert report.findings == []
    assert report.rows["payments"] == report.rows["outcomes"] == 28
    # Two of the release, thirteen about recoveries.
    assert report.rows["decisions"] == 15
    assert (report.rows["recoveries"], report.rows["receipts"]) == (3, 3)
    assert report.rows["fees"] > 0
    assert report.shown_events == report.events == report.rows["events"]
    assert [note for note in report.notes if "anchor" in note] == [
        f"the anchor confirms events 1 to {report.events};"
        " 0 after them rest on the signature of the bundle alone"
    ]


def test_the_bundle_of_one_batch_holds_and_shows_no_other_event(audited: Audited) -> None:
    report = verify(audited.one_batch, audited.anchor, audited.certificate)
    assert report.findings == []
    assert (report.rows["payments"], report.rows["batches"], report.rows["outcomes"]) == (4, 1, 4)
    lines = (audited.one_batch / "events.jsonl").read_text("utf-8").splitlines()
    shown = [event["body"] for event in map(json.loads, lines) if event["body"] is not None]
    assert len(lines) == report.events > len(shown) == report.shown_events
    others = [row["batch_id"] for row in rows_of(audited.everything, "batches")]
    others.remove(audited.batch_id)
    foreign = [row["name"] for row in rows_of(audited.everything, "files") if row["batch"] == 1]
    assert [name for name in others + foreign if any(name in body for body in shown)] == []


def test_without_anchor_and_certificate_it_says_what_is_not_known(audited: Audited) -> None:
    notes = verify(audited.everything).notes
    assert [note.partition(":")[0].partition(",")[0] for note in notes] == [
        "signed by CN=bankgate journal",
        "without --anchor it cannot be seen whether the journal's tail was cut before the export",
    ]
    assert "compare it, or give it with --trust" in notes[0]


NAMES = [f"{table}.{form}" for table in TABLES for form in ("jsonl", "csv")]


@pytest.mark.parametrize("name", [*NAMES, "manifest.json", "manifest.sig"])
def test_one_changed_byte_anywhere_is_found(bundle: Path, name: str) -> None:
    path = bundle / name
    content = path.read_bytes()
    for place in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert not verify(bundle).holds, (name, place)
    path.write_bytes(content)
    assert verify(bundle).holds


@pytest.mark.parametrize("name", [*NAMES, "manifest.json", "manifest.sig"])
def test_a_file_that_is_missing_cut_or_longer_is_found(bundle: Path, name: str) -> None:
    path = bundle / name
    content = path.read_bytes()
    for changed in (content[:-1], content + b"\n", content + content):
        path.write_bytes(changed)
        assert not verify(bundle).holds
    path.unlink()
    assert not verify(bundle).holds


def test_a_file_too_many_is_found(bundle: Path) -> None:
    (bundle / "notes.txt").write_text("see", "utf-8")
    assert findings(bundle) == [("notes.txt", "is not in the manifest")]


def test_every_byte_of_the_signature_counts(bundle: Path) -> None:
    path = bundle / "manifest.sig"
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert [where for where, _ in findings(bundle)] == ["manifest.sig"]


def test_another_key_is_found_where_the_certificate_is_given(
    forger: Forger, audited: Audited, bundle: Path
) -> None:
    keys = audited.ground.site.configuration.parent / "keys"
    other = Forger(bundle, keys / "city-bank-signing.pem", keys / "city-bank-signing.crt")
    other.sign(other.manifest())
    assert verify(bundle).holds
    assert [place for place, _ in findings(bundle, trust=audited.certificate)] == ["manifest.sig"]
    forger.sign(forger.manifest())
    assert findings(bundle, trust=audited.certificate) == []
    # The key that is trusted is another: then no head is either.
    places = {place.split()[0] for place, _ in findings(bundle, trust=keys / "city-bank-signing.crt")}
    assert places == {"manifest.sig", "heads.jsonl"}


def test_a_bundle_without_signature_does_not_hold(forger: Forger, bundle: Path) -> None:
    manifest = {**forger.manifest(), "certificate": "", "algorithm": "", "key_id": ""}
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    (bundle / "manifest.json").write_text(text, "utf-8")
    (bundle / "manifest.sig").unlink()
    assert findings(bundle) == [("manifest.sig", "the bundle is not signed")]


def test_what_is_no_bundle_is_one_finding(tmp_path: Path) -> None:
    assert [place for place, _ in findings(tmp_path)] == ["manifest.json"]
    (tmp_path / "manifest.json").write_bytes(b"[1]")
    assert [place for place, _ in findings(tmp_path)] == ["manifest.json"]


def test_only_the_owner_reads_a_bundle(audited: Audited) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in audited.everything.iterdir()}
    assert (modes, stat.S_IMODE(audited.everything.stat().st_mode)) == ({0o600}, 0o700)


def test_the_same_state_gives_the_same_tables(audited: Audited, tmp_path: Path) -> None:
    with audited.ground.open() as gateway:
        gateway.audit_export(tmp_path / "again")
    same = [
        name
        for name in NAMES
        if (tmp_path / "again" / name).read_bytes() == (audited.everything / name).read_bytes()
    ]
    assert same == NAMES


def test_an_anchor_without_heads_confirms_nothing(audited: Audited, tmp_path: Path) -> None:
    assert findings(audited.everything, anchor=tmp_path) == [("anchor", "has no head of demo")]


def test_a_head_at_the_anchor_that_was_changed_is_found(audited: Audited, tmp_path: Path) -> None:
    anchor = shutil.copytree(audited.anchor, tmp_path / "anchor")
    path = sorted(anchor.iterdir())[0]
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert [where for where, _ in findings(audited.everything, anchor=anchor)] == [f"anchor {path.name}"]

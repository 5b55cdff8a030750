"""Whoever has the journal's key signs what he likes; the chain still tells, and the anchor the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.audit.verify import verify
from tests.evidence.conftest import Audited
from tests.evidence.forger import Forger, Row

Act = Callable[[list[Row]], object]


def change(place: int, **values: object) -> Act:
    return lambda rows: rows[place].update(values)


def remove(place: int) -> Act:
    return lambda rows: rows.pop(place)


def repeat(place: int) -> Act:
    return lambda rows: rows.insert(place, dict(rows[place]))


def swap(first: int, second: int) -> Act:
    def act(rows: list[Row]) -> None:
        rows[first], rows[second] = rows[second], rows[first]

    return act


def exchange(name: str, first: int, second: int) -> Act:
    """The values of one column of two rows."""

    def act(rows: list[Row]) -> None:
        rows[first][name], rows[second][name] = rows[second][name], rows[first][name]

    return act


CHANGED = {
    "batches": [
        change(0, declared_total_minor=1),
        change(0, content_sha256="0" * 64),
        change(1, release='{"by":"persons","persons":["reviewer-a","somebody"]}'),
        change(0, state="released", release='{"by":"platform","verdict":null}'),
        change(0, state="withdrawn"),
    ],
    "payments": [
        change(3, disposition="withdrawn"),
        change(3, amount_minor=1),
        change(3, payment_id="OTHER"),
        exchange("payment_id", 3, 4),
    ],
    "files": [
        change(0, total_minor=1),
        change(0, payment_count=1),
        change(0, sequence=9),
        change(0, bank="iso-bank"),
        change(0, name="OTHER"),
        change(0, state="acknowledged"),
    ],
    "file_parts": [change(0, sha256="0" * 64), change(0, name="OTHER")],
    "attempts": [
        change(0, live=0),
        exchange("payment", 0, 1),
        change(0, payment=5),
        change(2, item=9),
    ],
    "received": [
        change(0, sha256="0" * 64),
        change(0, size_bytes=1),
        change(0, verdict="null"),
        change(0, file=None),
        change(0, state="refused"),
    ],
    "acknowledgements": [change(0, verdict="rejected"), change(0, code="OTHER")],
    "outcomes": [
        change(0, status="credited", reason="NONE"),
        change(1, credited_minor=1),
        exchange("payment", 0, 1),
        change(0, serial="OTHER"),
        change(0, received=None),
        change(0, recorded_at="2026-09-01T00:00:00+00:00"),
    ],
    "fees": [change(0, received=999)],
    "notices": [change(0, code="OTHER"), change(0, payment=1), change(0, about="")],
    "entries": [change(0, amount_minor=1), change(0, kind="other"), change(0, account="1234")],
    "recoveries": [
        change(0, amount_minor=901),
        change(0, ground="not-entitled"),
        change(0, payment=5),
        change(0, exhibit="0" * 64),
        change(0, ending="", closed_at=None),
        change(1, ending="whole", closed_at="2026-09-01T00:00:00+00:00", amount_minor=899),
        change(1, ending="given_up", closed_at="2026-09-01T00:00:00+00:00"),
        change(2, ending="", closed_at=None),
        change(2, ending="whole"),
    ],
    "receipts": [
        change(0, amount_minor=401),
        change(0, voucher_sha256="0" * 64),
        change(0, recovery=2),
        change(0, struck_at="2026-09-01T00:00:00+00:00"),
        change(2, struck_at=None),
    ],
    "decisions": [
        change(0, person="reviewer-b"),
        change(0, decision="withdraw"),
        change(0, object="batch:x/y#0"),
        change(0, statement="{}"),
        exchange("signature", 0, 1),
        exchange("statement", 0, 1),
    ],
    "persons": [exchange("public_key", 0, 1), change(0, key_id="other"), change(0, person="other")],
    "events": [
        change(4, kind="other"),
        change(4, recorded_at="2026-09-01T00:00:00+00:00"),
        change(4, body="{}"),
        change(4, body_sha256="0" * 64),
        change(4, hash="0" * 64),
        change(4, body=None),
    ],
    "heads": [
        change(0, signature="AAAA"),
        change(0, event=3),
        change(0, name="other"),
        exchange("statement", 0, 1),
        exchange("signature", 0, 1),
    ],
}
SHUFFLED = [
    *[(table, act) for table in CHANGED for act in (repeat(0), remove(0), remove(-1))],
    *[(table, swap(0, 1)) for table in CHANGED if table != "persons"],
]


@pytest.mark.parametrize(
    ("table", "act"), [pytest.param(table, act, id=table) for table, acts in CHANGED.items() for act in acts]
)
def test_a_changed_row_is_found(forger: Forger, bundle: Path, table: str, act: Act) -> None:
    forger.change(table, act)
    assert not verify(bundle).holds


@pytest.mark.parametrize(("table", "act"), [pytest.param(*case, id=case[0]) for case in SHUFFLED])
def test_rows_removed_repeated_or_exchanged_are_found(
    forger: Forger, bundle: Path, table: str, act: Act
) -> None:
    before = forger.rows(table)
    forger.change(table, act)
    harmless = table == "heads" and len(forger.rows(table)) < len(before)
    assert verify(bundle).holds is harmless


def test_a_row_out_of_nothing_is_found(forger: Forger, bundle: Path) -> None:
    last = forger.rows("outcomes")[-1]
    forger.change("outcomes", lambda rows: rows.append({**last, "outcome": last["outcome"] + 1}))
    assert [(one.place, one.message) for one in verify(bundle).findings] == [
        ("outcomes.jsonl", f"outcome {last['outcome'] + 1} is in no event of the journal")
    ]


def test_csv_and_json_tell_the_same(forger: Forger, bundle: Path) -> None:
    path = bundle / "payments.csv"
    path.write_text(path.read_text("utf-8").replace(",CNY", ",USD").replace("T-00001", "T-99999"), "utf-8")
    manifest = forger.manifest()
    manifest["files"]["payments.csv"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    forger.sign(manifest)
    assert [(one.place, one.message) for one in verify(bundle).findings] == [
        ("payments.csv", "tells something else than payments.jsonl")
    ]


def test_another_history_with_every_hash_made_anew_is_found_by_the_anchor_alone(
    forger: Forger, bundle: Path, audited: Audited
) -> None:
    events = forger.rows("events")
    verified = next(row for row in events if row["kind"] == "received file verified")
    verified["recorded_at"] = "2026-09-01T02:00:01+00:00"
    forger.write_history(events)
    report = verify(bundle, trust=audited.certificate)
    assert report.holds
    assert [note for note in report.notes if "whole journal exchanged" in note] != []
    found = verify(bundle, audited.anchor, audited.certificate).findings
    last = max(path.name for path in audited.anchor.iterdir())
    assert (f"anchor {last}", True) in [
        (one.place, "this is not the journal that it anchored" in one.message) for one in found
    ]


def test_a_cut_tail_is_found_by_the_anchor_alone(forger: Forger, bundle: Path, audited: Audited) -> None:
    """The last event and the rows that only it tells of are gone, and everything is signed anew."""
    events, rows = forger.rows("events"), forger.rows("outcomes")
    while events[-1]["kind"] != "batch released":
        told = events.pop()
    assert told
    for table in (
        "files",
        "file_parts",
        "attempts",
        "received",
        "acknowledgements",
        "outcomes",
        "fees",
        "notices",
        "entries",
        "recoveries",
        "receipts",
        "heads",
    ):
        forger.write(table, [])
    # What was decided later than the release goes with it.
    forger.write("decisions", [row for row in forger.rows("decisions") if row["decision"] == "release"])
    assert rows
    forger.write("events", events)
    forger.sign({**forger.manifest(), "event": len(events), "hash": events[-1]["hash"], "sequences": {}})
    assert verify(bundle, trust=audited.certificate).findings == []
    found = verify(bundle, audited.anchor, audited.certificate).findings
    assert len(found) == len(list(audited.anchor.iterdir()))
    assert {one.message.rpartition(": ")[2] for one in found} == {"the tail of the journal is missing"}


def test_an_older_bundle_holds_against_a_newer_anchor(forger: Forger, bundle: Path, audited: Audited) -> None:
    """What the anchor learned after the export is no fault of the export."""
    heads = forger.rows("heads")
    first = json.loads(heads[0]["statement"])
    events = forger.rows("events")[: first["event"]]
    for table in (
        "files",
        "file_parts",
        "attempts",
        "received",
        "acknowledgements",
        "outcomes",
        "fees",
        "notices",
    ):
        forger.write(table, [])
    forger.write("heads", heads[:1])
    forger.write("events", events)
    forger.sign(
        {
            **forger.manifest(),
            "event": first["event"],
            "hash": first["hash"],
            "sequences": first["sequences"],
            "exported_at": first["at"],
        }
    )
    report = verify(bundle, audited.anchor, audited.certificate)
    assert {one.place for one in report.findings if one.place.startswith("anchor")} == set()
    assert report.notes[-1].startswith("the anchor knows ")


def test_a_sequence_that_the_anchor_knows_is_not_forgotten(
    forger: Forger, bundle: Path, audited: Audited
) -> None:
    manifest = forger.manifest()
    forger.sign({**manifest, "sequences": {**manifest["sequences"], "city-bank": 1}})
    found = verify(bundle, audited.anchor).findings
    assert [
        one for one in found if one.message == "knows sequence 2 of bank city-bank, the bundle less"
    ] != []


@pytest.mark.parametrize("value", ["[]", "{}", "null", "true", '"x"', "1.5"])
def test_events_that_tell_nonsense_are_found_and_break_nothing(
    forger: Forger, bundle: Path, value: str
) -> None:
    """Every value of every body is exchanged, and the chain made anew."""
    events = forger.rows("events")
    for event in events:
        names = ",".join(json.dumps(name) + f":{value}" for name in sorted(json.loads(event["body"])))
        event["body"] = f"{{{names}}}"
    for kind in ("payments set aside", "payments withdrawn", "file reopened", "payment resolved", "other"):
        for body in (f'{{"payments":{value},"count":{value},"live":{value},"object":{value}}}', "{}"):
            events.append({**events[-1], "kind": kind, "body": body})
    forger.write_history(events)
    assert not verify(bundle).holds


@pytest.mark.parametrize(
    ("table", "kind", "decision", "place"),
    [("recoveries", "recovery marked", "recover", 0), ("receipts", "recovery received", "recovered", 0)],
)
def test_recovered_money_that_nobody_signed_is_found(
    forger: Forger, bundle: Path, table: str, kind: str, decision: str, place: int
) -> None:
    """Row and event tell of another amount, and the chain is made anew: what persons signed is left."""
    forger.change(table, change(place, amount_minor=399))
    events = forger.rows("events")
    told = [event for event in events if event["kind"] == kind][place]
    told["body"] = json.dumps(
        json.loads(told["body"]) | {"amount_minor": 399}, sort_keys=True, separators=(",", ":")
    )
    forger.write_history(events)
    found = [one.message for one in verify(bundle).findings]
    assert [
        line for line in found if line.startswith(f"{decision} of recovery:") and "by nobody" in line
    ] != []

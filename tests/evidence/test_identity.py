"""For which installation a decision was signed: the journal tells which, and a bundle is held to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.audit.verify import verify
from keys.private import load_signer
from keys.statement import sign_statement
from tests.evidence.conftest import Audited
from tests.evidence.forger import Forger, Row

NAMED = "ledger named"


def found(folder: Path) -> list[str]:
    return [f"{finding.place}: {finding.message}" for finding in verify(folder).findings]


def rewritten(forger: Forger, act: Callable[[list[Row]], object]) -> None:
    rows = forger.rows("events")
    act(rows)
    forger.write_history(rows)


def named(rows: list[Row]) -> int:
    (place,) = [number for number, row in enumerate(rows) if row["kind"] == NAMED]
    return place


def sign_anew(audited: Audited, forger: Forger, installation: str | None) -> None:
    """The persons themselves sign for another ledger, or none; the journal tells of what they signed."""
    decisions, events = forger.rows("decisions"), forger.rows("events")
    told = [row for row in events if row["kind"] == "decision"]
    subjects = {}
    for line, event in zip(decisions, told, strict=True):
        statement = json.loads(line["statement"])
        del statement["about"]["installation"]
        if installation is not None:
            statement["about"]["installation"] = installation
        signer = load_signer(line["person"], audited.ground.person_key(line["person"]))
        seen = json.dumps(statement["about"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        before, subject = line["object"], hashlib.sha256(seen.encode()).hexdigest()[:32]
        line["object"] = subjects[before] = f"{statement['object']}#{subject}"
        line["statement"] = json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        line["signature"] = sign_statement(signer, line["statement"].encode()).decode()
        body = json.loads(event["body"])
        body["object"] = line["object"]
        for name in ("statement", "signature"):
            body[f"{name}_sha256"] = hashlib.sha256(line[name].encode()).hexdigest()
        event["body"] = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for event in events:
        body = json.loads(event["body"])
        if event["kind"] != "decision" and body.get("object") in subjects:
            body["object"] = subjects[body["object"]]
            event["body"] = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for table in ("recoveries", "receipts"):
        rows = forger.rows(table)
        forger.write(table, [{**row, "decided": subjects[row["decided"]]} for row in rows])
    forger.write("decisions", decisions)
    forger.write_history(events)


def test_it_is_told_once_before_the_first_decision_and_in_every_selection(
    audited: Audited, forger: Forger
) -> None:
    kinds = [row["kind"] for row in forger.rows("events")]
    assert kinds.count(NAMED) == 1
    assert kinds.index(NAMED) < kinds.index("decision")
    lines = (audited.one_batch / "events.jsonl").read_text("utf-8").splitlines()
    with audited.ground.open() as gateway:
        identity = gateway.identity
    assert [json.loads(row["body"]) for row in map(json.loads, lines) if row["kind"] == NAMED] == [
        {"identity": identity}
    ]


@pytest.mark.parametrize(
    ("installation", "shown"), [("0" * 32, "was signed for " + "0" * 32), (None, "for no installation")]
)
def test_decisions_for_another_ledger_are_found(
    audited: Audited, forger: Forger, bundle: Path, installation: str | None, shown: str
) -> None:
    sign_anew(audited, forger, installation)
    complaints = found(bundle)
    assert len(complaints) == len(forger.rows("decisions"))
    assert all(shown in line for line in complaints)


def test_decisions_of_before_the_identity_need_not_name_it(
    audited: Audited, forger: Forger, bundle: Path
) -> None:
    sign_anew(audited, forger, None)
    rewritten(forger, lambda rows: rows.append(rows.pop(named(rows))))
    assert found(bundle) == []


def test_an_identity_that_is_told_after_the_decisions_is_found(forger: Forger, bundle: Path) -> None:
    rewritten(forger, lambda rows: rows.append(rows.pop(named(rows))))
    assert [line for line in found(bundle) if "is that of a ledger without identity then" in line]


def test_a_second_identity_is_found(forger: Forger, bundle: Path) -> None:
    rewritten(forger, lambda rows: rows.append({**rows[named(rows)], "body": f'{{"identity":"{"1" * 32}"}}'}))
    assert [line for line in found(bundle) if "tells the ledger's identity a second time" in line]


@pytest.mark.parametrize("body", ["{}", '{"identity":7}'])
def test_an_event_that_tells_none_is_found(forger: Forger, bundle: Path, body: str) -> None:
    rewritten(forger, lambda rows: rows[named(rows)].update(body=body))
    assert [line for line in found(bundle) if "does not tell the ledger's identity" in line]

"""Who could decide when: the journal tells it, and whoever changes that in a bundle is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.verify import verify
from tests.evidence.conftest import Audited
from tests.evidence.forger import Forger, Row
from tests.gateway.sites import PERSONS

A, B = PERSONS
ENROLLED = "persons enrolled"


def told(rows: list[Row]) -> list[dict[str, Any]]:
    """Bodies of the events that tell who is enrolled."""
    return [json.loads(row["body"]) for row in rows if row["kind"] == ENROLLED]


def rewritten(forger: Forger, act: Callable[[list[dict[str, Any]]], object]) -> None:
    """Another body of that event, every hash after it made anew."""
    rows = forger.rows("events")
    for row in rows:
        if row["kind"] == ENROLLED:
            body = json.loads(row["body"])
            act(body["persons"])
            row["body"] = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    forger.write_history(rows)


def found(folder: Path) -> list[str]:
    return [f"{finding.place}: {finding.message}" for finding in verify(folder).findings]


def test_everybody_is_told_before_the_first_decision(forger: Forger) -> None:
    rows = forger.rows("events")
    kinds = [row["kind"] for row in rows]
    assert kinds.index(ENROLLED) < kinds.index("decision")
    (body,) = told(rows)
    keys = {row["key_id"]: row for row in forger.rows("persons")}
    assert [(key["person"], key["key_id"], key["algorithm"]) for key in body["persons"]] == [
        (name, name, keys[name]["algorithm"]) for name in (A, B)
    ]


def test_a_selection_shows_who_could_decide(audited: Audited) -> None:
    lines = (audited.one_batch / "events.jsonl").read_text("utf-8").splitlines()
    shown = [row for row in map(json.loads, lines) if row["body"] is not None]
    assert len(told(shown)) == 1
    assert verify(audited.one_batch).holds


@pytest.mark.parametrize(
    ("act", "complaint"),
    [
        (lambda keys: keys.pop(0), f"{A} was not enrolled with the key {A}"),
        (lambda keys: keys[0].update(person=B), f"{A} was not enrolled with the key {A}"),
        (lambda keys: keys[0].update(key_id="other"), f"{A} was not enrolled with the key {A}"),
        (lambda keys: keys[0].update(key_sha256="0" * 64), f"{A} was not enrolled with the key {A}"),
        (lambda keys: keys[0].update(algorithm="ecdsa-sha384"), f"no event of the journal enrols {A}"),
        (lambda keys: keys[0].update(valid_until="2026-01-01T00:00:00Z"), "was not in force at 2026-09-01"),
        (lambda keys: keys[0].update(valid_from="2027-01-01T00:00:00Z"), "was not in force at 2026-09-01"),
        (lambda keys: keys[0].update(valid_from="2026-01-01T00:00:00"), "an instant without a zone"),
        (lambda keys: keys[0].update(title="李"), "does not tell who is enrolled"),
        (lambda keys: keys[0].pop("key_id"), "does not tell who is enrolled"),
    ],
)
def test_another_enrolment_than_the_decisions_had_is_found(
    forger: Forger, bundle: Path, act: Callable[[list[dict[str, Any]]], object], complaint: str
) -> None:
    rewritten(forger, act)
    assert [line for line in found(bundle) if complaint in line]


def test_a_decision_before_its_enrolment_is_found(forger: Forger, bundle: Path) -> None:
    """One who was enrolled only afterwards: the order of the events tells."""
    rows = forger.rows("events")
    (place,) = [number for number, row in enumerate(rows) if row["kind"] == ENROLLED]
    nobody = {**rows[place], "body": '{"persons":[]}'}
    late = rows.pop(place)
    rows.insert(place, nobody)
    rows.append(late)
    forger.write_history(rows)
    assert [line for line in found(bundle) if f"{B} was not enrolled" in line]


def test_a_journal_that_does_not_tell_is_said(forger: Forger, bundle: Path) -> None:
    """As journals are that are older than these events."""
    rows = [row for row in forger.rows("events") if row["kind"] != ENROLLED]
    forger.write_history(rows)
    report = verify(bundle)
    assert (found(bundle), [note for note in report.notes if "15 decisions are older" in note] != []) == (
        [],
        True,
    )

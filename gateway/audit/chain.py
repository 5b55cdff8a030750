"""The journal of a bundle: its chain, its signed heads, and what an anchor knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from gateway.audit.bundle import EventLine, HeadLine, Manifest
from gateway.audit.heads import HEAD_LIMIT_BYTES, Head, instant, parse_head, read_head
from gateway.audit.report import Bundle, Verification
from gateway.evidence import FIRST_HASH, body_digest, chain_hash
from keys.certificates import Trust
from keys.certified import verify_certified
from keys.errors import SealError


class Told(Struct, frozen=True):
    """An event whose body is shown."""

    place: str
    event: int
    recorded_at: str
    body: dict[str, Any]


class Journal(Struct):
    """What the shown events tell, by kind, in their order; `hashes` of the events asked for."""

    told: dict[str, list[Told]] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[Told]:
        return self.told.get(kind, [])


class AnchoredHead(Struct, frozen=True):
    """A head at the anchor whose signature held."""

    place: str
    head: Head


def walk_journal(bundle: Bundle, asked: set[int], trust: Trust | None) -> Journal:
    """Check the chain from the first event to the last, and every head of the bundle on the way."""
    report, manifest = bundle.report, bundle.manifest
    journal, walk = Journal(), _Heads(bundle, trust)
    previous, number = FIRST_HASH, 0
    for place, line in bundle.lines("events", EventLine):
        number += 1
        if line.event != number:
            report.add(place, f"event {line.event} stands where event {number} is due")
            number = line.event
        if chain_hash(previous, line.recorded_at, line.kind, line.body_sha256) != line.hash:
            report.add(place, f"event {line.event} does not follow from the event before it")
        _hear(journal, place, line, report)
        previous = line.hash
        walk.pass_event(line.event, line.hash)
        if line.event in asked:
            journal.hashes[line.event] = line.hash
    report.events, report.shown_events = number, sum(map(len, journal.told.values()))
    if (number, previous) != (manifest.event, manifest.hash):
        report.add(
            "events.jsonl",
            f"ends with event {number} {previous[:16]},"
            f" the manifest with {manifest.event} {manifest.hash[:16]}",
        )
    if not manifest.selection and report.shown_events != number:
        report.add("events.jsonl", "an export of everything shows the body of every event")
    walk.finish()
    return journal


def read_anchor(
    folder: Path, manifest: Manifest, trust: Trust | None, report: Verification
) -> list[AnchoredHead]:
    """The heads of this instance at an anchor, oldest event first; each must be signed."""
    found = []
    for path in sorted(folder.glob(f"{_glob_escape(manifest.instance)}-*.head")):
        place = f"anchor {path.name}"
        try:
            if path.stat().st_size > HEAD_LIMIT_BYTES:
                raise ValueError(f"more than {HEAD_LIMIT_BYTES} bytes")
            head, statement, signature = read_head(path.read_bytes())
            _verify(head, statement, signature, trust)
            if head.instance != manifest.instance:
                continue
            if head.name != path.name:
                raise ValueError(f"it is the head {head.name}")
        except (OSError, ValueError, SealError) as error:
            report.add(place, f"is no head that can be trusted: {error}")
            continue
        found.append(AnchoredHead(place, head))
    return sorted(found, key=lambda anchored: anchored.head.event)


def _glob_escape(text: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)


def compare_with_anchor(
    manifest: Manifest, journal: Journal, anchored: list[AnchoredHead], report: Verification
) -> None:
    """A cut tail, another history, or a reused sequence, as far as the anchor knows."""
    exported_at = datetime.fromisoformat(manifest.exported_at)
    confirmed, later = 0, 0
    for each in anchored:
        head = each.head
        if head.event > manifest.event:
            if datetime.fromisoformat(head.at) <= exported_at:
                report.add(
                    each.place,
                    f"knew event {head.event} on {head.at[:19]}, before the export of"
                    f" {manifest.exported_at[:19]}, which ends with event {manifest.event}:"
                    " the tail of the journal is missing",
                )
            later = max(later, head.event)
            continue
        if journal.hashes.get(head.event) != head.hash:
            report.add(
                each.place, f"knows another event {head.event}: this is not the journal that it anchored"
            )
            continue
        for bank, sequence in head.sequences.items():
            if manifest.sequences.get(bank, 0) < sequence:
                report.add(each.place, f"knows sequence {sequence} of bank {bank}, the bundle less")
        confirmed = head.event
    if not anchored:
        report.add("anchor", f"has no head of {manifest.instance}")
    report.notes.append(
        f"the anchor confirms events 1 to {confirmed}; {manifest.event - confirmed} after them rest on the"
        " signature of the bundle alone"
    )
    if later:
        report.notes.append(
            f"the anchor knows {later - manifest.event} later events, which are not in this bundle"
        )


class _Heads:
    """The bundle's own heads, walked in step with its events."""

    def __init__(self, bundle: Bundle, trust: Trust | None) -> None:
        self._bundle = bundle
        self._trust = trust
        self._lines: Iterator[tuple[str, HeadLine]] = bundle.lines("heads", HeadLine)
        self._next = next(self._lines, None)
        self._sequences: dict[str, int] = {}
        self._before = 0

    def pass_event(self, event: int, event_hash: str) -> None:
        while self._next is not None and self._next[1].event <= event:
            place, line = self._next
            self._check(place, line, event, event_hash)
            self._next = next(self._lines, None)

    def finish(self) -> None:
        while self._next is not None:
            place, line = self._next
            self._bundle.report.add(place, f"is of event {line.event}, which the journal does not have")
            self._next = next(self._lines, None)
        behind = [
            bank
            for bank, number in self._sequences.items()
            if self._bundle.manifest.sequences.get(bank, 0) < number
        ]
        for bank in behind:
            self._bundle.report.add("manifest.json", f"the sequence of bank {bank} is lower than a head says")

    def _check(self, place: str, line: HeadLine, event: int, event_hash: str) -> None:
        report, manifest = self._bundle.report, self._bundle.manifest
        if line.event <= self._before:
            report.add(place, f"the head of event {line.event} stands after that of event {self._before}")
        self._before = line.event
        try:
            head = parse_head(line.statement.encode())
            _verify(head, line.statement.encode(), line.signature.encode(), self._trust)
        except (ValueError, SealError) as error:
            report.add(place, f"is no head that can be trusted: {error}")
            return
        if (head.event, head.name) != (line.event, line.name):
            report.add(place, f"is the head {head.name}")
        if (head.instance, head.environment) != (manifest.instance, manifest.environment):
            report.add(place, "is of another instance or environment")
        if (head.event, head.hash) != (event, event_hash):
            report.add(place, f"signs another event {head.event} than the journal has")
        for bank, number in head.sequences.items():
            if number < self._sequences.get(bank, 0):
                report.add(place, f"the sequence of bank {bank} goes back to {number}")
            self._sequences[bank] = max(number, self._sequences.get(bank, 0))


def _hear(journal: Journal, place: str, line: EventLine, report: Verification) -> None:
    if line.body is None:
        return
    if body_digest(line.body) != line.body_sha256:
        report.add(place, f"the body of event {line.event} is not the one that the chain covers")
    try:
        body = msgspec.json.decode(line.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        report.add(place, f"the body of event {line.event} cannot be read: {error}")
        body = {}
    journal.told.setdefault(line.kind, []).append(Told(place, line.event, line.recorded_at, body))


def _verify(head: Head, statement: bytes, signature: bytes, trust: Trust | None) -> None:
    at = instant(head.at)
    verify_certified(statement, signature, head.certificate, head.algorithm, trust, at)

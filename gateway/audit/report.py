"""What a verification found, and the bundle that it reads: lines with their places."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from gateway.audit.bundle import MANIFEST, SIGNATURE, TABLES, Manifest, csv_line, digest_of
from gateway.audit.heads import instant
from keys.certificates import Trust
from keys.certified import verify_certified
from keys.errors import SealError

Line = TypeVar("Line", bound=Struct)

_MOST_FINDINGS = 1000
_ENVELOPE_SUFFIX = ".p7m"


class Finding(Struct, frozen=True):
    """Something that is not as it must be. `place` is a file of the bundle with its line, or an anchor's."""

    place: str
    message: str


class Verification(Struct, kw_only=True):
    """The verdict. `notes` say what was proved how far, and what cannot be known from this alone."""

    findings: list[Finding] = []
    more_findings: int = 0
    notes: list[str] = []
    events: int = 0
    shown_events: int = 0
    rows: dict[str, int] = {}

    @property
    def holds(self) -> bool:
        return not self.findings

    def add(self, place: str, message: str) -> None:
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(place, message))
        else:
            self.more_findings += 1


def check_signature(
    report: Verification,
    path: Path,
    content: bytes,
    signed_by: tuple[str, str],
    trust: Trust | None,
    at: str,
) -> None:
    """The signature in a file over `content`, by the certificate and algorithm that `content` names.

    `at` is when the certificate had to be valid, an instant of ISO 8601 with its zone.
    """
    certificate, algorithm = signed_by
    try:
        moment = instant(at)
        signer = verify_certified(content, path.read_bytes(), certificate, algorithm, trust, moment)
    except (FileNotFoundError, ValueError, SealError) as error:
        report.add(path.name, str(error))
        return
    who = f"signed by {signer.subject}, certificate sha256 {signer.certificate_sha256}"
    unknown = "" if trust is not None else ": compare it, or give it with --trust; anybody can make one"
    report.notes.append(who + unknown)


class Bundle:
    """A folder with its manifest. Whatever cannot be read is a finding, and the rest goes on."""

    def __init__(self, folder: Path, manifest: Manifest, report: Verification) -> None:
        self.folder = folder
        self.manifest = manifest
        self.report = report

    def check_files(self) -> None:
        """Every file is listed, every listed file is there, with its size and digest."""
        listed = set(self.manifest.files)
        expected = {f"{name}{suffix}" for name in TABLES for suffix in (".jsonl", ".csv")}
        for name in sorted(expected - listed):
            self.report.add(MANIFEST, f"{name} is not listed")
        for name in sorted(listed - expected):
            if not (name.startswith("identities-") and name.endswith(_ENVELOPE_SUFFIX)):
                self.report.add(MANIFEST, f"{name[:80]!r} is no file of a bundle")
        present = {path.name for path in self.folder.iterdir()}
        known = {MANIFEST, *([SIGNATURE] if self.manifest.certificate else [])}
        for name in sorted(present - listed - known):
            self.report.add(name, "is not in the manifest")
        for name in sorted(listed & expected | {name for name in listed if name in present}):
            self._check_file(name)

    def check_tables(self) -> None:
        """Every table has its number of rows, and its CSV tells the same."""
        for name in TABLES:
            plain = self.manifest.files.get(f"{name}.jsonl")
            commas = self.manifest.files.get(f"{name}.csv")
            digest = hashlib.sha256(csv_line(TABLES[name].__struct_fields__))
            rows = 0
            for _, line in self.lines(name, TABLES[name]):
                digest.update(csv_line(msgspec.structs.astuple(line)))
                rows += 1
            self.report.rows[name] = rows
            if plain is not None and plain.rows != rows:
                self.report.add(f"{name}.jsonl", f"has {rows} rows, the manifest says {plain.rows}")
            if commas is not None and commas.sha256 != digest.hexdigest():
                self.report.add(f"{name}.csv", f"tells something else than {name}.jsonl")

    def lines(self, name: str, kind: type[Line]) -> Iterator[tuple[str, Line]]:
        """(place, line) of a table. What cannot be read was told by `check_tables`."""
        decoder = msgspec.json.Decoder(kind)
        first_time = name not in self.report.rows
        try:
            with (self.folder / f"{name}.jsonl").open("rb") as source:
                for number, raw in enumerate(source, start=1):
                    place = f"{name}.jsonl line {number}"
                    try:
                        yield place, decoder.decode(raw)
                    except (msgspec.DecodeError, UnicodeDecodeError) as error:
                        if first_time:
                            self.report.add(place, f"cannot be read: {error}")
        except OSError as error:
            if first_time:
                self.report.add(f"{name}.jsonl", f"cannot be read: {error.strerror}")

    def _check_file(self, name: str) -> None:
        listed = self.manifest.files[name]
        path = self.folder / name
        if path.is_symlink() or not path.is_file():
            self.report.add(name, "is missing")
            return
        if digest_of(path) != (listed.sha256, listed.size_bytes):
            self.report.add(name, "is not what was signed: its digest or its size differs")

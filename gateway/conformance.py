"""The conformance kit on one bank: every format that its profile names, and the bank's own values.

What came of it is recorded as the bank's verdict (`verdict.py`). Nothing that serves payments
imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
from msgspec import Struct

from formats.choice import is_choice, named_in
from formats.codec import Purpose
from formats.conformance import Effort, FormatReport, Part, PartReport, all_passed
from formats.conformance.kit import check_subject
from formats.conformance.subjects import Subject, load_subject
from formats.conformance.vectors import VECTORS
from formats.conformance.writing import as_given, write
from formats.registry import SHIPPED_FOLDER, Registry
from gateway.configuration.agreement import Agreement
from gateway.configuration.config import Configuration
from gateway.configuration.profile import Profile
from gateway.verdict import Verdict, layouts_of, record_verdict


class BankCheck(Struct, frozen=True, kw_only=True):
    """The formats of one bank, each with its report, and the verdict that was recorded."""

    reports: list[FormatReport]
    verdict: Verdict
    path: Path


def check_bank(configuration: Configuration, profile: Profile, at: datetime, effort: Effort) -> BankCheck:
    """Run the kit for a bank and record the verdict; one that failed ends an earlier one."""
    registry = Registry(configuration.layout_folders)
    agreements = [
        agreement
        for own in configuration.agreements.values()
        for agreement in own
        if agreement.bank == profile.bank
    ]
    reports = []
    for name in _with_choices(layouts_of(profile), registry):
        folder = _folder_of(name, configuration.layout_folders)
        subject = load_subject(name, folder, configuration.layout_folders)
        report = check_subject(subject, effort)
        if isinstance(subject, Subject) and subject.codec.purpose is Purpose.REQUEST:
            report.parts.append(_with_values(subject, profile, agreements))
        reports.append(report)
    problems = [problem for report in reports for problem in report.problems]
    verdict = Verdict(
        bank=profile.bank,
        passed=all_passed(reports),
        checked_at=at,
        bankgate=version("bankgate"),
        profile=profile.checked_digest,
        layouts={report.name: registry.get(report.name).digest for report in reports if report.digest},
        cases=sum(report.cases for report in reports),
        warnings=sum(problem.severity.value == "warns" for problem in problems),
        problems=sum(problem.severity.value != "warns" for problem in problems),
    )
    return BankCheck(reports=reports, verdict=verdict, path=record_verdict(configuration, verdict))


def _with_choices(names: Sequence[str], registry: Registry) -> list[str]:
    """The formats, and those that a choice among them names; what cannot be read is told by the kit."""
    found = list(names)
    for name in names:
        try:
            text = registry.source_text(name)
        except (KeyError, OSError, UnicodeDecodeError):
            continue
        found += named_in(text) if is_choice(text) else []
    return list(dict.fromkeys(found))


def _folder_of(name: str, folders: Sequence[Path]) -> Path:
    """Where a format and its vectors lie; what is found nowhere is told by the kit."""
    for folder in (*folders, SHIPPED_FOLDER):
        if (folder / f"{name}.toml").is_file() or (folder / VECTORS / name).is_dir():
            return folder
    return SHIPPED_FOLDER


def _with_values(subject: Subject, profile: Profile, agreements: Sequence[Agreement]) -> PartReport:
    """Golden payments written with this bank's own values: what is missing or too long shows here."""
    report = PartReport(part=Part.PROFILE)
    if not agreements:
        report.notes.append(f"{profile.bank} has no agreement: its values were not tried")
    for agreement in agreements:
        for vector in subject.clean:
            assert vector.content is not None, "only files that were read"
            identity = msgspec.structs.replace(
                vector.identity,
                bank=profile.bank,
                profile=dict(profile.values),
                agreement=agreement.texts(),
            )
            written = write(subject.codec, identity, as_given(subject.codec, vector.content.chunks))
            report.cases += 1
            if not isinstance(written, bytes):
                why = written[0].message if isinstance(written, list) else written.kind
                hint = "mend [values] of the profile, or the agreement"
                report.add("values", f"{profile.bank}, agreement {agreement.number}: {why}", hint=hint)
    return report

"""`bankgate audit verify`: whether a bundle is whole and true, without ledger or configuration.

What it proves, and against what, is in `docs/audit.md`, by which anybody can write another.
"""

from __future__ import annotations

from pathlib import Path

from gateway.audit.bundle import MANIFEST, SIGNATURE, Manifest, parse_manifest
from gateway.audit.chain import compare_with_anchor, read_anchor, walk_journal
from gateway.audit.checks import check_tables
from gateway.audit.heads import instant
from gateway.audit.report import Bundle, Verification, check_signature
from keys.certificates import Trust
from keys.certified import pin_certificates
from keys.private import load_certificates


def verify(folder: Path, anchor: Path | None = None, trust: Path | None = None) -> Verification:
    """Check a bundle; `trust` is a file with certificates. Nothing about the bundle raises.

    Raises `keys.errors.KeyUnavailable` where `trust` cannot be read, `OSError` where there is
    no folder.
    """
    report = Verification()
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest = parse_manifest(content)
        instant(manifest.exported_at)
    except (FileNotFoundError, ValueError) as error:
        report.add(MANIFEST, f"cannot be used: {error}")
        return report
    trusted = None
    if trust is not None:
        trusted = pin_certificates("the journal", manifest.environment, load_certificates(trust))
    bundle = Bundle(folder, manifest, report)
    _check_signature(folder, content, manifest, trusted, report)
    bundle.check_files()
    bundle.check_tables()
    anchored = [] if anchor is None else read_anchor(anchor, manifest, trusted, report)
    journal = walk_journal(bundle, {each.head.event for each in anchored}, trusted)
    if anchor is not None:
        compare_with_anchor(manifest, journal, anchored, report)
    else:
        report.notes.append(
            "without --anchor it cannot be seen whether the journal's tail was cut before the export,"
            " or the whole journal exchanged by somebody who has its key"
        )
    check_tables(bundle, journal)
    if destroyed := sum("batch" in told.body for told in journal.of("personal data destroyed")):
        report.notes.append(
            f"the personal data of {destroyed} batches was destroyed when its term was over, as the journal"
            " tells: their identities cannot be asked for"
        )
    if manifest.selection:
        told = ", ".join(f"{name} {value}" for name, value in sorted(manifest.selection.items()))
        report.notes.append(
            f"a selection ({told}): {report.shown_events} of {report.events} events are shown;"
            " of the others only that they are links of the chain"
        )
    if manifest.selection and "batch" not in manifest.selection:
        report.notes.append(
            "that no other batch fits the selection rests on the signature of the bundle alone: a bundle of"
            " everything tells"
        )
    return report


def _check_signature(
    folder: Path, content: bytes, manifest: Manifest, trust: Trust | None, report: Verification
) -> None:
    if not manifest.certificate:
        report.add(SIGNATURE, "the bundle is not signed")
        return
    signed_by = manifest.certificate, manifest.algorithm
    check_signature(report, folder / SIGNATURE, content, signed_by, trust, manifest.exported_at)

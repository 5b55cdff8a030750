"""`bankgate audit`: the journal's heads, exports for auditors, and their verification."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from gateway.audit import verify as audit_verify
from gateway.cli.options import CONFIGURATION, JSON, opened
from gateway.errors import ExitCode
from gateway.screens import screen
from keys.envelope import Recipient

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def audit() -> None:
    """Evidence: anchor the journal, export it, verify an export."""


@audit.command()
@CONFIGURATION
@JSON
def anchor(config: Path, as_json: bool) -> None:
    """Sign the journal's head, and put it to the anchor, now; tries again after a refusal."""
    with opened(config) as gateway:
        turn = gateway.anchor()
        if as_json:
            screen.as_json(turn)
        else:
            screen.show_anchored(turn)
            screen.show_anchor(gateway.anchor_status())
        if turn.found:
            sys.exit(ExitCode.INTEGRITY)
        sys.exit(ExitCode.NEEDS_PERSON if turn.fault or turn.warning else ExitCode.DONE)


@audit.command()
@click.option("--output", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.option("--batch", "batch_id", help="Only this batch, and all that became of it.")
@click.option("--from", "first", type=_DAY, help="Only batches submitted on this UTC day or later.")
@click.option("--to", "last", type=_DAY, help="Only batches submitted on this UTC day or earlier.")
@click.option("--programme", default="", help="Only batches with payments of this programme.")
@click.option("--department", default="", help="Only batches with payments of this department.")
@click.option("--period", default="", help="Only batches with payments for this period, as 2026-09.")
@click.option(
    "--recipient",
    type=click.Path(path_type=Path),
    help="Certificate of who may read the identities; without it they are left out.",
)
@CONFIGURATION
@JSON
def export(
    output: Path,
    batch_id: str | None,
    first: datetime | None,
    last: datetime | None,
    programme: str,
    department: str,
    period: str,
    recipient: Path | None,
    config: Path,
    as_json: bool,
) -> None:
    """Write a signed, pseudonymous bundle of everything, a batch, or the batches that all options fit."""
    if batch_id is not None and (first, last, programme, department, period) != (None, None, "", "", ""):
        raise click.UsageError("--batch does not go with other selections")
    with opened(config) as gateway:
        exported = gateway.audit_export(
            output,
            batch_id=batch_id,
            first=None if first is None else first.date(),
            last=None if last is None else last.date(),
            programme=programme,
            department=department,
            period=period,
            recipient=None if recipient is None else Recipient(recipient),
        )
        screen.show_exported(exported, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if exported.warning else ExitCode.DONE)


@audit.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--anchor",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with the anchor's heads: finds a cut tail and an exchanged journal.",
)
@click.option("--trust", type=click.Path(path_type=Path), help="Certificates that may sign it (PEM).")
@JSON
def verify(folder: Path, anchor: Path | None, trust: Path | None, as_json: bool) -> None:
    """Check an export, offline: exit code 0 where it holds, 5 where it does not."""
    report = audit_verify.verify(folder, anchor, trust)
    screen.show_verification(report, as_json)
    sys.exit(ExitCode.DONE if report.holds else ExitCode.INTEGRITY)

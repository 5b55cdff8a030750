"""`bankgate backup`, `restore` and `retain`: what is stored, to a folder and back, and its end."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.api import Gateway
from gateway.cli.options import CONFIGURATION, JSON, opened
from gateway.errors import ExitCode
from gateway.screens import store as screen_store
from gateway.store.backup_folder import check_backup

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--earlier", type=_FOLDER, help="An earlier backup: files that it has are linked, not copied.")
@click.option("--check", "only_check", is_flag=True, help="Look at every byte of the backup FOLDER, offline.")
@click.option(
    "--trust", type=click.Path(path_type=Path), help="With --check: certificates that may sign it (PEM)."
)
@CONFIGURATION
@JSON
def backup(
    folder: Path, earlier: Path | None, only_check: bool, trust: Path | None, config: Path, as_json: bool
) -> None:
    """Copy ledger and spool to a new FOLDER while others work. Keys and configuration are not in it."""
    if only_check:
        if earlier is not None:
            raise click.UsageError("--check does not go with --earlier")
        if not folder.is_dir():
            raise click.BadParameter(f"Directory {str(folder)!r} does not exist.", param_hint="FOLDER")
        report = check_backup(folder, trust)
        screen_store.show_backup_check(report, as_json)
        sys.exit(ExitCode.DONE if report.holds else ExitCode.INTEGRITY)
    if trust is not None:
        raise click.UsageError("--trust goes with --check only")
    with opened(config) as gateway:
        made = gateway.backup(folder, earlier=earlier)
        screen_store.show_backup(made, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if made.warning else ExitCode.DONE)


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be destroyed, and what is paused.")
@CONFIGURATION
@JSON
def retain(dry_run: bool, config: Path, as_json: bool) -> None:
    """Destroy personal data whose term is over and that nothing needs; evidence stays."""
    with opened(config) as gateway:
        report = gateway.retain(dry_run=dry_run)
        screen_store.show_retention(report, as_json)
        sys.exit(ExitCode.DONE if report.is_forgotten and not report.paused else ExitCode.NEEDS_PERSON)


@click.command()
@CONFIGURATION
def begin(config: Path) -> None:
    """Make the empty ledger of a new installation. A lost one is put back with `restore` instead."""
    made = Gateway.begin(config)
    with opened(config) as gateway:
        screen_store.show_begun(gateway.configuration.ledger, made)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--margin",
    type=click.IntRange(0),
    help="How many numbers of each bank are left out; more than files left since the backup.",
)
@CONFIGURATION
@JSON
def restore(folder: Path, margin: int | None, config: Path, as_json: bool) -> None:
    """Put the backup FOLDER back where there is no ledger and no spool; then every bank is on hold."""
    report = Gateway.restore(config, folder, margin=margin)
    screen_store.show_restored(report, as_json)
    sys.exit(ExitCode.NEEDS_PERSON)

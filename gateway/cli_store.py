"""`bankgate backup` and `restore`: ledger and spool to a folder, and back."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway import screen, screen_store
from gateway.api import Gateway
from gateway.backup_folder import check_backup
from gateway.errors import ExitCode

_CONFIGURATION = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=Path("bankgate.toml"),
    envvar="BANKGATE_CONFIG",
    show_default=True,
    help="The installation's bankgate.toml.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of tables, for programs.")
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--earlier", type=_FOLDER, help="An earlier backup: files that it has are linked, not copied.")
@click.option("--check", "only_check", is_flag=True, help="Look at every byte of the backup FOLDER, offline.")
@click.option(
    "--trust", type=click.Path(path_type=Path), help="With --check: certificates that may sign it (PEM)."
)
@_CONFIGURATION
@_JSON
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
    with Gateway.open(config) as gateway:
        screen.speak(gateway.configuration.language)
        made = gateway.backup(folder, earlier=earlier)
        screen_store.show_backup(made, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if made.warning else ExitCode.DONE)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--margin",
    type=click.IntRange(0),
    help="How many numbers of each bank are left out; more than files left since the backup.",
)
@_CONFIGURATION
@_JSON
def restore(folder: Path, margin: int | None, config: Path, as_json: bool) -> None:
    """Put the backup FOLDER back where there is no ledger and no spool; then every bank is on hold."""
    report = Gateway.restore(config, folder, margin=margin)
    screen_store.show_restored(report, as_json)
    sys.exit(ExitCode.NEEDS_PERSON)

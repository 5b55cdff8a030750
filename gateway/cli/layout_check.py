"""`bankgate layout check`: the conformance kit on the layouts of a folder, or on those that ship."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from formats.registry import SHIPPED_FOLDER
from gateway.cli.options import CONFIGURATION, JSON


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--all", "shipped", is_flag=True, help="The layouts that ship with Bankgate.")
@click.option("--bank", help="Those of a bank's profile, with its values; the verdict is recorded.")
@click.option("--only", multiple=True, help="One format of the folder; may be given several times.")
@click.option(
    "--changes",
    type=click.IntRange(1, 6),
    default=2,
    show_default=True,
    help="Values that each byte of a golden file is changed to.",
)
@click.option("--draft", is_flag=True, help="Write a JSON to begin with beside golden files that have none.")
@CONFIGURATION
@JSON
def check(
    folder: Path | None,
    shipped: bool,
    bank: str | None,
    only: tuple[str, ...],
    changes: int,
    draft: bool,
    config: Path,
    as_json: bool,
) -> None:
    """Find everything that is wrong with the layouts in FOLDER. Exit code 3 where there is something."""
    if shipped + (folder is not None) + (bank is not None) != 1:
        raise click.UsageError("wanted one of FOLDER, --all and --bank")
    if bank is not None and (only or draft):
        raise click.UsageError("--only and --draft go with FOLDER and --all")
    # Imported here: commands that serve payments do not need the kit.
    from gateway.layout_check import run_bank_check, run_check

    if bank is not None:
        sys.exit(run_bank_check(bank, config, changes, as_json))
    sys.exit(run_check(SHIPPED_FOLDER if folder is None else folder, only, changes, draft, as_json))

"""`bankgate layout check`: every mistake of the layouts in a folder, or of those that ship."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from formats.registry import SHIPPED_FOLDER, load_folder
from gateway import screen
from gateway.cli_options import JSON
from gateway.errors import ExitCode


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--all", "shipped", is_flag=True, help="The layouts that ship with Bankgate.")
@JSON
def check(folder: Path | None, shipped: bool, as_json: bool) -> None:
    """Find every mistake of the layouts in FOLDER. Exit code 3 where there is one."""
    if shipped == (folder is not None):
        raise click.UsageError("wanted either FOLDER or --all")
    codecs = load_folder(SHIPPED_FOLDER if folder is None else folder)
    if as_json:
        screen.as_json({"layouts": sorted(codecs)})
    else:
        screen.say(f"{len(codecs)} layouts, no mistake")
    sys.exit(ExitCode.DONE)

"""`bankgate layout check`: the conformance kit on the layouts of a folder, or on those that ship."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from formats.conformance import Effort, all_passed, check_format
from formats.conformance.mutation import CHANGES
from formats.conformance.speed import ROWS
from formats.conformance.subjects import names_in
from formats.conformance.vectors import VECTORS, draft_of
from formats.registry import SHIPPED_FOLDER, Registry
from gateway import screen, screen_layout_check
from gateway.cli_options import JSON
from gateway.errors import ExitCode, Unknown


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--all", "shipped", is_flag=True, help="The layouts that ship with Bankgate.")
@click.option("--only", multiple=True, help="One format of the folder; may be given several times.")
@click.option(
    "--changes",
    type=click.IntRange(1, 6),
    default=CHANGES,
    show_default=True,
    help="Values that each byte of a golden file is changed to.",
)
@click.option("--draft", is_flag=True, help="Write a JSON to begin with beside golden files that have none.")
@JSON
def check(
    folder: Path | None, shipped: bool, only: tuple[str, ...], changes: int, draft: bool, as_json: bool
) -> None:
    """Find everything that is wrong with the layouts in FOLDER. Exit code 3 where there is something."""
    if shipped == (folder is not None):
        raise click.UsageError("wanted either FOLDER or --all")
    place = SHIPPED_FOLDER if folder is None else folder
    names = names_in(place)
    if unknown := sorted(set(only) - set(names)):
        raise Unknown(
            f"{place} has no format {', '.join(unknown)}", hint=f"it has {', '.join(names) or 'none'}"
        )
    if not names:
        raise Unknown(f"{place} has neither layouts nor {VECTORS}", hint="a layout is a file NAME.toml in it")
    chosen = [name for name in names if not only or name in only]
    if draft:
        for path in _write_drafts(place, chosen):
            screen_layout_check.show_draft(path)
    reports = []
    for name in chosen:
        report = check_format(name, place, Effort(changes=changes, speed_rows=ROWS))
        reports.append(report)
        if not as_json:
            screen_layout_check.show_format(report)
    if as_json:
        screen.as_json(screen_layout_check.plain_reports(reports))
    else:
        screen_layout_check.show_verdict(reports)
    sys.exit(ExitCode.DONE if all_passed(reports) else ExitCode.REFUSED_INPUT)


def _write_drafts(folder: Path, names: list[str]) -> list[Path]:
    """A JSON for each golden file without one; what it says counts when a person took the mark away."""
    registry = Registry([folder])
    made = []
    for name in names:
        files = sorted(path for path in (folder / VECTORS / name).glob("*") if path.is_file())
        for path in files:
            text = path.with_suffix(".json")
            if path.suffix == ".json" or text.exists():
                continue
            drafted = msgspec.json.encode(draft_of(registry.get(name), path.read_bytes()))
            text.write_bytes(msgspec.json.format(drafted, indent=2) + b"\n")
            made.append(text)
    return made

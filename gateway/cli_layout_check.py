"""`bankgate layout check`: the conformance kit on the layouts of a folder, or on those that ship."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from formats.conformance import Effort, all_passed, check_format
from formats.conformance.mutation import CHANGES
from formats.conformance.subjects import names_in
from formats.conformance.vectors import VECTORS, draft_of
from formats.registry import SHIPPED_FOLDER, Registry
from gateway import screen, screen_layout_check
from gateway.cli_options import CONFIGURATION, JSON
from gateway.config import load_configuration
from gateway.conformance import check_bank
from gateway.errors import ExitCode, Unknown
from gateway.ports import SystemClock


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--all", "shipped", is_flag=True, help="The layouts that ship with Bankgate.")
@click.option("--bank", help="Those of a bank's profile, with its values; the verdict is recorded.")
@click.option("--only", multiple=True, help="One format of the folder; may be given several times.")
@click.option(
    "--changes",
    type=click.IntRange(1, 6),
    default=CHANGES,
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
    if bank is not None:
        if only or draft:
            raise click.UsageError("--only and --draft go with FOLDER and --all")
        sys.exit(_check_bank(bank, config, changes, as_json))
    place = SHIPPED_FOLDER if folder is None else folder
    names = _chosen(place, only)
    for path in _write_drafts(place, names) if draft else ():
        screen_layout_check.show_draft(path)
    reports = []
    for name in names:
        report = check_format(name, place, Effort(changes=changes))
        reports.append(report)
        if not as_json:
            screen_layout_check.show_format(report)
    screen_layout_check.show_verdict(reports, as_json)
    sys.exit(ExitCode.DONE if all_passed(reports) else ExitCode.REFUSED_INPUT)


def _check_bank(bank: str, config: Path, changes: int, as_json: bool) -> ExitCode:
    """A verdict for one bank of an installation."""
    configuration = load_configuration(config)
    screen.speak(configuration.language)
    profile = configuration.profiles.get(bank)
    if profile is None:
        known = ", ".join(sorted(configuration.profiles)) or "none"
        raise Unknown(f"bank {bank!r} has no profile", hint=f"banks with a profile: {known}")
    done = check_bank(configuration, profile, SystemClock().now(), Effort(changes=changes, speed_rows=0))
    screen_layout_check.show_bank_check(done, as_json)
    return ExitCode.DONE if done.verdict.passed else ExitCode.REFUSED_INPUT


def _chosen(folder: Path, only: tuple[str, ...]) -> list[str]:
    """The formats to look at. Raises `Unknown` where there are none."""
    names = names_in(folder)
    if unknown := sorted(set(only) - set(names)):
        known = ", ".join(names) or "none"
        raise Unknown(f"{folder} has no format {', '.join(unknown)}", hint=f"it has {known}")
    if not names:
        raise Unknown(
            f"{folder} has neither layouts nor {VECTORS}", hint="a layout is a file NAME.toml in it"
        )
    return [name for name in names if not only or name in only]


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

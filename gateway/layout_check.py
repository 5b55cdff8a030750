"""What `bankgate layout check` does: the kit on a folder or for a bank, shown as it goes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from formats.conformance import Effort, all_passed, check_format
from formats.conformance.subjects import names_in
from formats.conformance.vectors import VECTORS, draft_of
from formats.registry import Registry
from gateway.configuration.config import load_configuration
from gateway.conformance import check_bank
from gateway.errors import ExitCode, Unknown
from gateway.output import output_file
from gateway.ports import SystemClock
from gateway.screens import layout_check as screen_layout_check
from gateway.screens import screen


def run_check(folder: Path, only: tuple[str, ...], changes: int, draft: bool, as_json: bool) -> ExitCode:
    """All formats of a folder, or those of `only`; `draft` begins the JSON of golden files before."""
    names = _chosen(folder, only)
    for path in _write_drafts(folder, names) if draft else ():
        screen_layout_check.show_draft(path, as_json)
    reports = []
    for name in names:
        report = check_format(name, folder, Effort(changes=changes))
        reports.append(report)
        if not as_json:
            screen_layout_check.show_format(report)
    screen_layout_check.show_verdict(reports, as_json)
    return ExitCode.DONE if all_passed(reports) else ExitCode.REFUSED_INPUT


def run_bank_check(bank: str, config: Path, changes: int, as_json: bool) -> ExitCode:
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
            with output_file(text) as sink:
                sink.write(msgspec.json.format(drafted, indent=2) + b"\n")
            made.append(text)
    return made

"""`bankgate layout diff`: two versions of a layout, field by field, money first."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.markup import escape

from formats.tools.compare import Weight, compare_layouts
from gateway.cli.layout_options import LAYOUT_FOLDERS, one_layout
from gateway.cli.options import JSON
from gateway.errors import ExitCode
from gateway.screens import screen

_COLOURS = {Weight.MONEY: "bold red", Weight.BYTES: "yellow", Weight.WORDS: "dim"}


@click.command()
@click.argument("before")
@click.argument("after")
@LAYOUT_FOLDERS
@JSON
def diff(before: str, after: str, folders: tuple[Path, ...], as_json: bool) -> None:
    """Compare two versions of a layout, each a name or a file.

    `money`: the same bytes would mean another amount, payee, outcome or payment. `bytes`: other bytes
    for the same meaning. `words`: names, remarks, sources. Exit code 1 where money is touched.
    """
    found = compare_layouts(one_layout(before, folders), one_layout(after, folders))
    if as_json:
        screen.as_json({"differences": found})
    for difference in () if as_json else found:
        colour = _COLOURS[difference.weight]
        screen.say(f"[{colour}]{difference.weight.value}[/]  {escape(str(difference))}")
    touched = sum(difference.weight is Weight.MONEY for difference in found)
    if not as_json:
        screen.say(f"{len(found)} differences, {touched} touch money")
    sys.exit(ExitCode.NEEDS_PERSON if touched else ExitCode.DONE)

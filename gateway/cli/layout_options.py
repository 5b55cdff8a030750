"""What the commands under `bankgate layout` have in common: how a layout is named, where it is looked for."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from formats.language.model import Layout
from formats.tools.files import find_layouts
from gateway.errors import Refused
from gateway.output import output_file

LAYOUT_FOLDERS = click.option(
    "--folder",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where layouts of your own lie; they come before those that ship.",
)


def named_layouts(name: str, folders: tuple[Path, ...]) -> list[Layout]:
    """The layout of a name or a file; those that a choice names. Raises `Refused`, `LayoutError`."""
    try:
        return find_layouts(name, folders)
    except KeyError as error:
        raise Refused(
            f"there is no layout {error.args[0]}",
            hint="a file, or a name in --folder or among those that ship; a format in code has no table",
        ) from error


def one_layout(name: str, folders: tuple[Path, ...]) -> Layout:
    """As `named_layouts`, where it is one. Raises `Refused` for a choice of several."""
    found = named_layouts(name, folders)
    if len(found) != 1:
        names = ", ".join(layout.name for layout in found)
        raise Refused(f"{name} is a choice of several layouts", hint=f"name one of {names}")
    return found[0]


def write_output(content: bytes, output: Path | None) -> None:
    """To a file, which is overwritten, or to standard output."""
    if output is not None:
        with output_file(output, overwrite=True) as sink:
            sink.write(content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()

"""`bankgate layout show`: a layout as the table of the paper, with offsets, to lay beside it."""

from __future__ import annotations

from pathlib import Path

import click

from formats.tools.documents import Form, render
from formats.tools.layout_document import layout_document
from gateway.cli.layout_options import LAYOUT_FOLDERS, named_layouts, write_output


@click.command()
@click.argument("layout")
@click.option(
    "--as",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.TEXT.value,
    show_default=True,
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="A file instead of the screen; xlsx wants one."
)
@LAYOUT_FOLDERS
def show(layout: str, form: str, output: Path | None, folders: tuple[Path, ...]) -> None:
    """Print the table of LAYOUT, a name or a file, with the offsets that a paper prints."""
    chosen = Form(form)
    if chosen is Form.XLSX and output is None:
        raise click.UsageError("--as xlsx wants --output FILE")
    found = named_layouts(layout, folders)
    if chosen is Form.XLSX and len(found) > 1:
        raise click.UsageError(f"{layout} is a choice: name one of {', '.join(one.name for one in found)}")
    write_output(b"\n".join(render(layout_document(one), chosen) for one in found), output)

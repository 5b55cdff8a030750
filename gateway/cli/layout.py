"""`bankgate layout`: the bench of who brings a bank's paper into a layout. One module a command."""

from __future__ import annotations

import click

from gateway.cli.layout_check import check
from gateway.cli.layout_diff import diff
from gateway.cli.layout_dump import dump_file
from gateway.cli.layout_new import new
from gateway.cli.layout_show import show


@click.group()
def layout() -> None:
    """Layouts: is what the bank's paper says written down without a mistake?"""


layout.add_command(check)
layout.add_command(diff)
layout.add_command(dump_file)
layout.add_command(new)
layout.add_command(show)

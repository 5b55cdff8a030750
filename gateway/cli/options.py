"""What the commands have in common: options, and the opened installation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway.api import Gateway
from gateway.screens import screen

CONFIGURATION = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=Path("bankgate.toml"),
    envvar="BANKGATE_CONFIG",
    show_default=True,
    help="The installation's bankgate.toml.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of tables, for programs.")

OUTPUT = click.option("--output", type=click.Path(path_type=Path), help="Write to a new file: .csv or .xlsx.")


@contextmanager
def opened(config: Path) -> Iterator[Gateway]:
    """The installation, in the language that it is configured to speak."""
    with Gateway.open(config) as gateway:
        screen.speak(gateway.configuration.language)
        yield gateway

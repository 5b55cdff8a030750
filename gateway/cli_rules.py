"""Commands for the rules of the plan: the catalogue, and what was found against it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway import screen, screen_rules
from gateway.cli_options import CONFIGURATION, JSON, opened
from gateway.errors import ExitCode
from gateway.rules.catalogue import shipped_text


@click.group()
def catalogue() -> None:
    """Programmes that may be paid: by whom, to whom, how often."""


@catalogue.command("new")
@click.argument("output", type=click.Path(path_type=Path))
def new_catalogue(output: Path) -> None:
    """Write the plan's catalogue to the new file OUTPUT, to be edited and named in bankgate.toml."""
    with output.open("x", encoding="utf-8") as sink:
        sink.write(shipped_text())
    screen.say(f"{screen.word('written')}: {output}")


@catalogue.command("list")
@click.option("--field", type=int, help="Only this field of the plan, by its number.")
@CONFIGURATION
@JSON
def list_catalogue(field: int | None, config: Path, as_json: bool) -> None:
    """The programmes of this gateway's catalogue."""
    with opened(config) as gateway:
        screen_rules.show_programmes(gateway.plan.programmes(field), as_json)


@catalogue.command("show")
@click.argument("programme")
@CONFIGURATION
@JSON
def show_catalogue(programme: str, config: Path, as_json: bool) -> None:
    """All that the catalogue says of one programme, by name, code or other spelling."""
    with opened(config) as gateway:
        screen_rules.show_programme(gateway.plan.programme(programme), as_json)


@click.command()
@click.option("--bank", help="Only this bank.")
@CONFIGURATION
@JSON
def breaches(bank: str | None, config: Path, as_json: bool) -> None:
    """Deadlines of feedback that banks missed, by their agreements."""
    with opened(config) as gateway:
        found = gateway.plan.breaches(bank)
        screen_rules.show_breaches(found, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if found else ExitCode.DONE)


@click.command()
@CONFIGURATION
@JSON
def overdue(config: Path, as_json: bool) -> None:
    """Payments after the due date of their programme: owed still, or credited late."""
    with opened(config) as gateway:
        found = gateway.plan.overdue()
        screen_rules.show_overdue(found, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if found else ExitCode.DONE)


@click.command()
@CONFIGURATION
@JSON
def spread(config: Path, as_json: bool) -> None:
    """When each programme and period was credited, by bank: first day, last day, days apart."""
    with opened(config) as gateway:
        screen_rules.show_spreads(gateway.plan.spreads(), as_json)


COMMANDS: tuple[click.Command, ...] = (catalogue, breaches, overdue, spread)

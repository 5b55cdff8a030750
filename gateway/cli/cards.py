"""`bankgate cards`: card lists of platforms, and whom they let move from passbook to card."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.cli.decisions import Grounds, decide, signed
from gateway.cli.options import CONFIGURATION, JSON, OUTPUT, opened
from gateway.errors import ExitCode
from gateway.ledger.card_lists import CardListState
from gateway.screens import cards as screen_cards
from keys.signer import Signer

_LIST = click.argument("path", metavar="LIST", type=click.Path(path_type=Path))


@click.group()
def cards() -> None:
    """Whose card is known: a platform's lists of passbooks and cards. Nothing is paid by them."""


@cards.command()
@_LIST
@CONFIGURATION
@JSON
def check(path: Path, config: Path, as_json: bool) -> None:
    """Find every problem of a card LIST (CSV or .xlsx); nothing is stored."""
    with opened(config) as gateway:
        found = gateway.plan.check_card_list(path)
        screen_cards.show_check(found, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if found.total else ExitCode.DONE)


@cards.command()
@_LIST
@signed
def take(path: Path, signer: Signer, grounds: Grounds, config: Path) -> None:
    """Bring in a platform's card list and sign that it counts, in place of the one before."""
    with opened(config) as gateway:
        brought = gateway.bring_card_list(path)
        waits = brought.state is CardListState.BROUGHT
        # A program reads one document: what the decision came to, where there is one.
        if not (waits and grounds.as_json):
            screen_cards.show_brought(brought, grounds.as_json)
        if waits:
            decide(gateway, brought.object, "take-list", signer, grounds)


@cards.command("list")
@CONFIGURATION
@JSON
def list_(config: Path, as_json: bool) -> None:
    """The lists that were brought: whose, of which day, how many persons, until when they count."""
    with opened(config) as gateway:
        screen_cards.show_lists(gateway.plan.card_lists(), as_json)


@cards.command()
@click.option("--department", default="", help="Only of this department.")
@OUTPUT
@CONFIGURATION
@JSON
def movable(department: str, output: Path | None, config: Path, as_json: bool) -> None:
    """Who is still paid by passbook though the card is known: to be paid there from the next batch."""
    with opened(config) as gateway:
        screen_cards.show_offers(gateway.plan.movable(department), output, as_json)


@cards.command()
@click.option("--batch", "batch_id", help="Only of this batch.")
@click.option("--bank", help="Only what was to go to this bank.")
@OUTPUT
@CONFIGURATION
@JSON
def offers(batch_id: str | None, bank: str | None, output: Path | None, config: Path, as_json: bool) -> None:
    """Payments that did not arrive on their account, and the known card: to be verified, then reissued."""
    with opened(config) as gateway:
        found = gateway.plan.card_offers(batch_id=batch_id, bank=bank)
        shown = screen_cards.show_offers(found, output, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if shown else ExitCode.DONE)

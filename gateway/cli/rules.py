"""Commands for the rules of the plan: the catalogue, and what was found against it."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import click

from gateway.cli.options import CONFIGURATION, JSON, OUTPUT, opened
from gateway.errors import ExitCode
from gateway.output import output_file
from gateway.rules.books import By
from gateway.rules.catalogue import shipped_text
from gateway.rules.lists import WorkList
from gateway.rules.publication import Published
from gateway.screens import books as screen_books
from gateway.screens import recoveries as screen_recoveries
from gateway.screens import rules as screen_rules
from gateway.screens import screen
from gateway.screens import shares as screen_shares


@click.group()
def catalogue() -> None:
    """Programmes that may be paid: by whom, to whom, how often."""


@catalogue.command("new")
@click.argument("output", type=click.Path(path_type=Path))
def new_catalogue(output: Path) -> None:
    """Write the plan's catalogue to the new file OUTPUT, to be edited and named in bankgate.toml."""
    with output_file(output) as sink:
        sink.write(shipped_text().encode())
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
@OUTPUT
@CONFIGURATION
@JSON
def breaches(bank: str | None, output: Path | None, config: Path, as_json: bool) -> None:
    """Deadlines of feedback that banks missed, by their agreements."""
    with opened(config) as gateway:
        found = gateway.plan.breaches(bank)
        screen_rules.show_breaches(found, output, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if found else ExitCode.DONE)


@click.command()
@OUTPUT
@CONFIGURATION
@JSON
def overdue(output: Path | None, config: Path, as_json: bool) -> None:
    """Payments after the due date of their programme: owed still, or credited late."""
    with opened(config) as gateway:
        found = gateway.plan.overdue()
        screen_rules.show_overdue(found, output, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if found else ExitCode.DONE)


@click.command()
@OUTPUT
@CONFIGURATION
@JSON
def spread(output: Path | None, config: Path, as_json: bool) -> None:
    """When each programme and period was credited, by bank: first day, last day, days apart."""
    with opened(config) as gateway:
        screen_rules.show_spreads(gateway.plan.spreads(), output, as_json)


@click.command("lists")
@click.argument("kind", type=click.Choice([kind.value for kind in WorkList]))
@click.option("--batch", "batch_id", help="Only of this batch.")
@click.option("--bank", help="Only of this bank.")
@OUTPUT
@CONFIGURATION
@JSON
def lists(
    kind: str, batch_id: str | None, bank: str | None, output: Path | None, config: Path, as_json: bool
) -> None:
    """Payments that wait for a card, an activation or another bank; masked."""
    with opened(config) as gateway:
        found = gateway.plan.work_list(kind, batch_id=batch_id, bank=bank)
        shown = screen_rules.show_work_list(found, output, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if shown else ExitCode.DONE)


@click.command()
@click.argument("batch_id")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="A new file: .csv or .xlsx.")
@click.option("--credited", is_flag=True, help="Only what was credited; else all that is to be paid.")
@CONFIGURATION
def publish(batch_id: str, output: Path, credited: bool, config: Path) -> None:
    """Write a batch's public list: name, masked ID, programme, standard, amount, village."""
    with opened(config) as gateway:
        which = Published.CREDITED if credited else Published.INTENDED
        count = gateway.plan.publish(batch_id, output, which)
        screen.say(f"{output}: {count} {screen.pick('行', 'rows')}")


@click.command("publish-check")
@click.argument("batch_id")
@click.argument("published", type=click.Path(path_type=Path))
@OUTPUT
@CONFIGURATION
@JSON
def publish_check(batch_id: str, published: Path, output: Path | None, config: Path, as_json: bool) -> None:
    """Compare a PUBLISHED list (.csv or .xlsx) with what was credited, both ways."""
    with opened(config) as gateway:
        check = gateway.plan.check_list(batch_id, published)
        screen_rules.show_list_check(check, output, as_json)
        sys.exit(ExitCode.DONE if check.agrees else ExitCode.NEEDS_PERSON)


@click.command()
@click.option("--year", type=int, help="Only this year.")
@OUTPUT
@CONFIGURATION
@JSON
def share(year: int | None, output: Path | None, config: Path, as_json: bool) -> None:
    """How much is carried by card, by programme and year, against the plan's targets."""
    with opened(config) as gateway:
        screen_shares.show_shares(gateway.plan.shares(year), output, as_json)


@click.command()
@click.argument("corrections", type=click.Path(path_type=Path))
@click.option("--batch", "batch_id", required=True, help="The id of the new batch.")
@click.option("--platform", default="", help="Whose payments they are, where there are several platforms.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write the batch to a new .csv, .jsonl or .xlsx."
)
@click.option("--submit", is_flag=True, help="Hand it over at once; it then waits for two persons.")
@CONFIGURATION
@JSON
def reissue(
    corrections: Path,
    batch_id: str,
    platform: str,
    output: Path | None,
    submit: bool,
    config: Path,
    as_json: bool,
) -> None:
    """Pay failed payments again, as the table CORRECTIONS (.csv or .xlsx) says what was verified."""
    if (output is None) == (not submit):
        raise click.UsageError("either --output FILE or --submit")
    with opened(config) as gateway:
        made = gateway.plan.reissue(corrections, batch_id, platform)
        receipt = gateway.submit(made.batch, made.payments) if submit and made.payments else None
        screen_rules.show_reissue(made, output, receipt, as_json)
        if not made.payments:
            sys.exit(ExitCode.REFUSED_INPUT)
        sys.exit(ExitCode.NEEDS_PERSON if made.refused or submit else ExitCode.DONE)


@click.command()
@click.argument("batch_id", required=False)
@click.option("--by", type=click.Choice([by.value for by in By]), default=By.BATCH.value, show_default=True)
@click.option("--ageing", is_flag=True, help="Instead: everything without a final state, the oldest first.")
@click.option("--differences", is_flag=True, help="Instead: payments that statements book otherwise.")
@click.option(
    "--due", is_flag=True, help="Instead: open books that agreements have a rule for, by their day."
)
@OUTPUT
@CONFIGURATION
@JSON
def reconcile(
    batch_id: str | None,
    by: str,
    ageing: bool,
    differences: bool,
    due: bool,
    output: Path | None,
    config: Path,
    as_json: bool,
) -> None:
    """Instructed, sent, credited, failed, returned, unknown and charged: in count and yuan."""
    with opened(config) as gateway:
        if ageing:
            aged = gateway.plan.ageing(batch_id)
            screen_books.show_ageing(aged, output, as_json)
            sys.exit(ExitCode.NEEDS_PERSON if aged else ExitCode.DONE)
        if differences:
            shown = screen_books.show_differences(gateway.plan.differences(batch_id), output, as_json)
            sys.exit(ExitCode.NEEDS_PERSON if shown else ExitCode.DONE)
        if due:
            standing = gateway.plan.standings(batch_id)
            screen_books.show_standings(standing, as_json)
            sys.exit(ExitCode.NEEDS_PERSON if any(one.is_overdue for one in standing) else ExitCode.DONE)
        found = gateway.plan.books(by, batch_id)
        rules = [] if batch_id is None else gateway.plan.standings(batch_id)
        closed = None if batch_id is None else gateway.plan.closed(batch_id)
        points = [] if batch_id is None else [point.said for point in gateway.plan.open_points(batch_id)]
        screen_books.show_books(By(by), found, closed, rules, points, output, as_json)
        if not all(book.adds_up for book in found):
            sys.exit(ExitCode.INTEGRITY)
        unequal = any(book.open.count or book.gap_minor or book.to_recover.count for book in found)
        ruled = any(not one.agrees or one.is_overdue for one in rules)
        sys.exit(ExitCode.NEEDS_PERSON if unequal or ruled else ExitCode.DONE)


@click.command()
@click.argument("batch_id", required=False)
@click.option("--open", "only_open", is_flag=True, help="Only what is outstanding still.")
@OUTPUT
@CONFIGURATION
@JSON
def recoveries(
    batch_id: str | None, only_open: bool, output: Path | None, config: Path, as_json: bool
) -> None:
    """What was wrongly paid and asked back: what came back of it, what is outstanding since when."""
    with opened(config) as gateway:
        found = gateway.plan.recoveries(batch_id, only_open=only_open)
        screen_recoveries.show_recoveries(found, output, as_json)
        waits = any(one.outstanding_minor or one.excess_minor for one in found)
        sys.exit(ExitCode.NEEDS_PERSON if waits else ExitCode.DONE)


@click.command()
@click.option("--bank", help="Only this bank.")
@OUTPUT
@CONFIGURATION
@JSON
def charges(bank: str | None, output: Path | None, config: Path, as_json: bool) -> None:
    """What banks charged, by bank and month: for the bank and for the supervisor."""
    with opened(config) as gateway:
        found = gateway.plan.charges(bank)
        screen_books.show_charges(found, output, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if found else ExitCode.DONE)


@click.command()
@click.argument("batch_id", required=False)
@click.option("--month", default="", help="Instead of a batch: all that was handed over in it, as 2026-09.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="A new file: .html or .xlsx.")
@CONFIGURATION
def report(batch_id: str | None, month: str, output: Path, config: Path) -> None:
    """One page for a department head: what was paid, what failed and why, what is open since when."""
    if (batch_id is None) == (not month):
        raise click.UsageError("either BATCH_ID or --month")
    with opened(config) as gateway:
        batches = gateway.plan.report(output, batch_id=batch_id, month=month)
        screen.say(f"{screen.word('written')}: {output}")
        if not batches:
            screen.warn(f"{month}: {screen.word('empty_report')}")


@click.command("messages")
@click.option("--since", type=int, default=0, help="Only after this cursor.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@CONFIGURATION
def messages_(since: int, limit: int | None, config: Path) -> None:
    """What the free SMS sender tells people, a line of JSON each; no names, numbers or whole accounts."""
    with opened(config) as gateway:
        for message in islice(gateway.plan.messages(since), limit):
            screen.as_json(message)


@click.command()
@click.argument("batch_id")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="A new file: .csv or .xlsx.")
@CONFIGURATION
def booklet(batch_id: str, output: Path, config: Path) -> None:
    """Write the lines that a batch adds to statement booklets, masked."""
    with opened(config) as gateway:
        screen_rules.write_booklet(gateway.plan.booklet(batch_id), output)


@click.command()
@click.argument("batch_id")
@OUTPUT
@CONFIGURATION
@JSON
def warnings(batch_id: str, output: Path | None, config: Path, as_json: bool) -> None:
    """What somebody should look at in a batch: amounts, shared accounts, changes, failures."""
    with opened(config) as gateway:
        found = gateway.plan.early_warnings(batch_id)
        screen_rules.show_warnings(found, output, as_json)
        sys.exit(ExitCode.NEEDS_PERSON if found else ExitCode.DONE)


COMMANDS: tuple[click.Command, ...] = (
    catalogue,
    breaches,
    overdue,
    spread,
    lists,
    publish,
    publish_check,
    reconcile,
    charges,
    recoveries,
    reissue,
    report,
    share,
    messages_,
    booklet,
    warnings,
)

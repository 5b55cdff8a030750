"""`bankgate demo` and `bankgate simulate`: a month of a district on one machine, with simulated banks.

The demonstration may be killed at any moment and started again with the same folder: it
goes on where it was, its books end as the banks' own, and each payment comes to the outcome
that it would have had. Where only a bank knows what became of a file, the demonstration's
two persons ask it (`reviewers`).
"""

from __future__ import annotations

import errno
import functools
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console

from gateway.api import Gateway
from gateway.configuration.config import Configuration, load_configuration
from gateway.demonstration.days import BEGINS
from gateway.demonstration.month import Month, Size
from gateway.demonstration.month_clock import MonthClock
from gateway.demonstration.month_files import write_month, write_reports
from gateway.demonstration.site import Site, create_site, run_banks
from gateway.demonstration.site_keys import validity
from gateway.demonstration.story import Story
from gateway.demonstration.summary import sum_up, tell_sums
from gateway.demonstration.token import BANK as TOKEN_BANK
from gateway.demonstration.token import (
    environment_line,
    put_key_into_token,
    softhsm_library,
    use_tokens_of,
)
from gateway.demonstration.tour import tell_what_to_try
from gateway.demonstration.watch import Watch
from gateway.errors import ExitCode, Refused
from gateway.ledger.anchor import last_recorded_at
from gateway.screens import screen
from gateway.simulator.scenario import make_scenario

_UNFINISHED = ".unfinished"


def run_demo(folder: Path, payments: int, seed: int, as_json: bool) -> ExitCode:
    """Make a district, play its month to the end, print. A finished or interrupted folder is gone on with."""
    console = Console(highlight=False, quiet=as_json)
    watch, clock = Watch(), MonthClock(BEGINS)
    with watch.stage("prepare"):
        site, month = _prepare(folder, Size(payments, seed), console)
    in_token = use_tokens_of(site.configuration.parent)
    _tell_seals(console, in_token)
    with Gateway.open(site.configuration, clock=clock) as gateway:
        screen.speak(gateway.configuration.language)
        _go_on_at(clock, gateway)
        with run_banks(site, gateway.configuration, clock=clock.now) as banks:
            tell = functools.partial(console.print, soft_wrap=True, markup=False)
            story = Story(site, month, gateway, banks, clock, watch, tell)
            last = story.play()
            truths = [bank.bank.truth() for bank in banks.values()]
        with watch.stage("report"):
            reports = write_reports(site, gateway, month.published.batch_id)
            really_paid_minor = sum(truth.credited_minor - truth.returned_minor for truth in truths)
            result = sum_up(gateway, really_paid_minor, watch)
    if as_json:
        screen.as_json(result)
    else:
        tell_sums(gateway, result, console)
        if last.attention:
            screen.show_run(last, json=False)
        tell_what_to_try(site, month, reports, console)
        if in_token:
            line = environment_line(site.configuration.parent)
            console.print(f"Before another run, for the token: {line}", soft_wrap=True)
    return last.exit_code if result.adds_up else ExitCode.INTEGRITY


def _go_on_at(clock: MonthClock, gateway: Gateway) -> None:
    """Not before what the journal knows: a process that died was there already."""
    with gateway.installation.ledger.read() as transaction:
        last = last_recorded_at(transaction)
    if last is not None:
        clock.go_to(last)


def run_simulation(folder: Path, bank: str, scenario: list[str], layouts: Path | None = None) -> ExitCode:
    """Serve one simulated bank of a site until Ctrl-C; with `layouts` one that it lacks is added."""
    from gateway.demonstration.new_bank import add_bank
    from gateway.simulator.server import serve
    from gateway.simulator.settings import open_bank

    site = Site(folder.absolute())
    if not site.configuration.exists():
        raise Refused(
            f"{folder} holds no demonstration site", hint=f"bankgate demo --folder {folder} makes one"
        )
    console = Console(highlight=False)
    if bank not in site.banks and layouts is not None:
        add_bank(site, bank, layouts, datetime.now(UTC))
        console.print(
            f"{bank} is set up in {site.folder}: its profile, agreements, keys and its simulated side"
        )
    if bank not in site.banks:
        hint = f"there are {', '.join(site.banks)}; one of your own is added with --layouts FOLDER"
        raise Refused(f"{folder} has no bank {bank!r}", hint=hint)
    configuration: Configuration = load_configuration(site.configuration)
    chosen = make_scenario(",".join(scenario)) if scenario else None
    server = open_bank(site.bank(bank), configuration, chosen, announce=console.print)
    try:
        serve(server, lambda ready: console.print(f"{bank} listens on 127.0.0.1:{ready}; Ctrl-C ends it"))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        port = configuration.profiles[bank].channel.port
        raise Refused(f"port {port} is taken", hint=f"{bank} is simulated already: use that one") from error
    return ExitCode.DONE


def _prepare(folder: Path, size: Size, console: Console) -> tuple[Site, Month]:
    """The site with its signed batches; made beside and renamed, so that it is whole or absent.

    Where there is one, its month is gone on with, whatever the size asked for.
    """
    folder = folder.absolute()
    site = Site(folder)
    if site.month_size.exists():
        console.print(f"Going on in {folder}")
        return site, Month(msgspec.json.decode(site.month_size.read_bytes(), type=Size))
    month = Month(size)
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"{folder} is not empty and no demonstration", hint="choose another with --folder")
    draft = folder.with_name(folder.name + _UNFINISHED)
    shutil.rmtree(draft, ignore_errors=True)
    now = datetime.now(UTC)
    made = create_site(draft, now, judged=True, setting=month.setting())
    write_month(made, month)
    library = softhsm_library()
    if library is not None:
        put_key_into_token(draft, folder, library, validity(now, BEGINS))
    if folder.exists():
        folder.rmdir()
    draft.rename(folder)
    count = sum(batch.order.count for batch in month.batches)
    told = f"keys, 3 banks, agreements, {len(month.batches)} batches with {count} payments"
    console.print(f"Made {folder}: {told}", soft_wrap=True)
    return site, month


def _tell_seals(console: Console, in_token: bool) -> None:
    where = "in a SoftHSM token" if in_token else "in a file (SoftHSM is not installed)"
    console.print(f"   {TOKEN_BANK}: CMS signatures with RSA, our key {where}")
    console.print("   city-bank: SM2 signatures and SM4 envelopes, both ways (GM/T 0010)")
    console.print("   iso-bank: XML signatures inside the files, both ways")

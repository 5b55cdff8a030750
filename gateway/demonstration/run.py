"""`bankgate demo` and `bankgate simulate`: the whole job on one machine, with simulated banks.

The demonstration may be killed at any moment and started again with the same folder: it
goes on where it was, its books end as the banks' own, and each payment comes to the outcome
that it would have had. Where only a bank knows what became of a file, the demonstration's
two persons ask it (`reviewers`).
"""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.console import Console

from gateway import screen
from gateway.api import Gateway
from gateway.config import Configuration, load_configuration
from gateway.demonstration.payments import Order
from gateway.demonstration.reviewers import Reviewers
from gateway.demonstration.site import Site, create_site, run_banks, sign_batch, write_demo_batch
from gateway.demonstration.site_keys import validity
from gateway.demonstration.token import BANK as TOKEN_BANK
from gateway.demonstration.token import (
    environment_line,
    put_key_into_token,
    softhsm_library,
    use_tokens_of,
)
from gateway.errors import ExitCode, Refused
from gateway.money import money
from gateway.runner import RunReport
from gateway.simulator.scenario import make_scenario

if TYPE_CHECKING:
    from gateway.simulator.server import BankServer

_IDLE_TURNS = 3
"""Turns in a row in which nothing happened before the demonstration is over."""
_MOST_TURNS = 200
_LONGEST_WAIT_SECONDS = 10.0
_UNFINISHED = ".unfinished"


class DemoResult(Struct, frozen=True, kw_only=True):
    """What a demonstration came to. Amounts are minor units, seconds by stage."""

    batch_id: str
    payments: int
    files: int
    credited_minor: int
    really_paid_minor: int
    adds_up: bool
    findings: int
    finding_minor: int
    seconds: dict[str, float]


def run_demo(folder: Path, payments: int, seed: int, as_json: bool) -> ExitCode:
    """Generate, submit, run to the end, print. A finished or interrupted folder is gone on with."""
    console = Console(highlight=False, quiet=as_json)
    watch = _Watch()
    with watch.stage("prepare"):
        site = _prepare(folder, Order(count=payments, seed=seed, defects=max(3, payments // 500)), console)
    in_token = use_tokens_of(site.configuration.parent)
    _tell_seals(console, in_token)
    with Gateway.open(site.configuration) as gateway:
        screen.speak(gateway.configuration.language)
        with run_banks(site, gateway.configuration) as banks:
            with watch.stage("submit"):
                receipt = gateway.submit(site.batch, signature=site.signature.read_bytes())
            console.print(
                f"1. {site.batch}: {receipt.payments} payments, {money(receipt.total_minor)} submitted;"
                f" {receipt.set_aside} set aside, {receipt.held} held"
            )
            reviewers = Reviewers(site, gateway, banks, console.print)
            last = _run_to_the_end(gateway, banks, reviewers, watch)
            truth = sum(bank.bank.truth().credited_minor for bank in banks.values())
        with watch.stage("report"):
            result = _show(gateway, receipt.batch_id, truth, watch, console)
    if as_json:
        screen.as_json(result)
    else:
        if last.attention:
            screen.show_run(last, json=False)
        console.print(f"Everything lies in {site.folder}: look at gateway/, department/ and banks/.")
        console.print(f"Go on with: bankgate status --config {site.configuration}")
        if in_token:
            line = environment_line(site.configuration.parent)
            console.print(f"Before another run, for the token: {line}", soft_wrap=True)
    return last.exit_code if result.adds_up else ExitCode.INTEGRITY


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


def _prepare(folder: Path, order: Order, console: Console) -> Site:
    """The site with its signed batch; made beside and renamed, so that it is whole or absent."""
    folder = folder.absolute()
    site = Site(folder)
    if site.signature.exists():
        console.print(f"0. going on in {folder}")
        return site
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"{folder} is not empty and no demonstration", hint="choose another with --folder")
    draft = folder.with_name(folder.name + _UNFINISHED)
    shutil.rmtree(draft, ignore_errors=True)
    now = datetime.now(UTC)
    made = create_site(draft, now, judged=True)
    write_demo_batch(made.batch, order)
    sign_batch(made, now)
    library = softhsm_library()
    if library is not None:
        put_key_into_token(draft, folder, library, validity(now))
    if folder.exists():
        folder.rmdir()
    draft.rename(folder)
    console.print(f"0. made {folder}: keys, 3 banks, agreements, a batch of {order.count} payments")
    return site


def _tell_seals(console: Console, in_token: bool) -> None:
    where = "in a SoftHSM token" if in_token else "in a file (SoftHSM is not installed)"
    console.print(f"   {TOKEN_BANK}: CMS signatures with RSA, our key {where}")
    console.print("   city-bank: SM2 signatures and SM4 envelopes, both ways (GM/T 0010)")
    console.print("   iso-bank: XML signatures inside the files, both ways")


def _run_to_the_end(
    gateway: Gateway, banks: dict[str, BankServer], reviewers: Reviewers, watch: _Watch
) -> RunReport:
    """Run as a scheduler would, until nothing is due any more; the banks work on their own meanwhile.

    The last run's report: what went wrong in it goes wrong still.
    """
    idle = 0
    report = RunReport()
    for _ in range(_MOST_TURNS):
        report = gateway.run()
        for stage, seconds in report.seconds.items():
            watch.add(stage, seconds)
        with watch.stage("wait"):
            for bank in banks.values():
                bank.wait()
            _wait_until(report.next_due)
        decided = reviewers.decide()
        idle = 0 if decided or report.did_something or report.next_due is not None else idle + 1
        if idle == _IDLE_TURNS:
            break
    return report


def _wait_until(due: datetime | None) -> None:
    """A file that must not change over two looks is looked at again when the gateway says so."""
    if due is not None:
        time.sleep(max(0.0, min(_LONGEST_WAIT_SECONDS, (due - datetime.now(UTC)).total_seconds())))


def _show(gateway: Gateway, batch_id: str, truth: int, watch: _Watch, console: Console) -> DemoResult:
    batch = gateway.status(batch_id)[0]
    findings = list(gateway.findings(batch_id))
    finding_minor = sum(finding.amount_minor for finding in findings)
    files = gateway.files()
    if not console.quiet:
        console.print("2. files to the banks, and what came back")
        screen.show_exchange(files, gateway.received())
        console.print("3. outcomes by reason")
        screen.show_reasons(batch)
        console.print("4. the sum: submitted = set aside + withdrawn + held + open + outcomes")
        screen.show_sum(batch)
        unknown = sum(total.instructed_minor for total in batch.states if total.state == "unknown")
        among = f"; {money(unknown)} of it may be unknown here still" if unknown else ""
        console.print(f"   the banks' own books say {money(truth)} credited{among}")
        console.print(f"5. fee findings: {len(findings)}, {money(finding_minor)}; none is in an outcome")
        held = gateway.held()
        console.print(f"6. for persons: {len(held)} items (bankgate held)")
        console.print("7. seconds by stage: " + ", ".join(f"{k} {v:.2f}" for k, v in watch.seconds.items()))
    return DemoResult(
        batch_id=batch_id,
        payments=batch.submitted_count,
        files=len(files),
        credited_minor=batch.credited_minor,
        really_paid_minor=truth,
        adds_up=batch.adds_up,
        findings=len(findings),
        finding_minor=finding_minor,
        seconds=watch.seconds,
    )


class _Watch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, stage: str, seconds: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

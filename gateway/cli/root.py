"""The command `bankgate`: what operators and schedulers call.

Exit codes: 0 done, 1 some payments need a person, 2 bad usage, 3 refused input, 4 bank
unreachable, 5 integrity. Tables for people, `--json` for programs. No command shows a
name, an ID or an account number in full.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import click
from click import ClickException
from sqlalchemy.exc import SQLAlchemyError

from channels.errors import ChannelError
from formats import FormatError, Problem, Status
from gateway._interrupt import end_quietly
from gateway.cli.audit import audit
from gateway.cli.cards import cards
from gateway.cli.decisions import COMMANDS as DECISIONS
from gateway.cli.keys import key
from gateway.cli.layout import layout
from gateway.cli.operator import operator
from gateway.cli.options import CONFIGURATION, JSON, OUTPUT, opened
from gateway.cli.rules import COMMANDS as RULES
from gateway.cli.store import backup, begin, restore, retain
from gateway.configuration.config import Policy
from gateway.errors import ConfigurationError, ExitCode, GatewayError, InputRefused
from gateway.intake import CheckReport
from gateway.screens import answers as screen_answers
from gateway.screens import screen
from gateway.screens import story as screen_story
from gateway.screens.findings import show_findings
from keys.errors import KeyUnavailable, SealError, SignatureInvalid, SignatureMalformed, SignerUntrusted

_INTERRUPTED = 130
_OWNER_ONLY = 0o077


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bankgate")
def cli() -> None:
    """Bank-side settlement adapter: batches in, banks' files out, outcomes back."""


cli.add_command(audit)
cli.add_command(cards)
cli.add_command(key)
cli.add_command(layout)
cli.add_command(operator)
cli.add_command(backup)
cli.add_command(begin)
cli.add_command(restore)
cli.add_command(retain)
for command in (*DECISIONS, *RULES):
    cli.add_command(command)


@cli.command()
@click.argument("batch", type=click.Path(path_type=Path))
@CONFIGURATION
@JSON
def check(batch: Path, config: Path, as_json: bool) -> None:
    """Find every problem of a batch; nothing is stored."""
    with opened(config) as gateway:
        report = gateway.check(batch)
        screen.show_check(report, as_json)
        sys.exit(_check_exit(report, gateway.configuration.intake.policy))


def _check_exit(report: CheckReport, policy: Policy) -> ExitCode:
    """What `submit` would come to: refused, taken without some payments, or taken."""
    if report.refused or (report.sets_aside and policy is Policy.REFUSE):
        return ExitCode.REFUSED_INPUT
    return ExitCode.NEEDS_PERSON if report.sets_aside or report.holds else ExitCode.DONE


@cli.command()
@click.argument("batch", type=click.Path(path_type=Path))
@click.option(
    "--signature",
    type=click.Path(path_type=Path),
    help="The platform's detached CMS signature; BATCH.p7s is taken by itself where it exists.",
)
@click.option(
    "--policy", type=click.Choice([policy.value for policy in Policy]), help="Overrides the configuration."
)
@CONFIGURATION
@JSON
def submit(batch: Path, signature: Path | None, policy: str | None, config: Path, as_json: bool) -> None:
    """Take a batch. The same batch twice is once."""
    with opened(config) as gateway:
        beside = batch.with_name(f"{batch.name}.p7s")
        if signature is None and beside.exists():
            signature = beside
        content = None if signature is None else _read(signature)
        receipt = gateway.submit(batch, signature=content, policy=None if policy is None else Policy(policy))
        platform = gateway.configuration.platforms[receipt.source_platform]
        screen.show_receipt(receipt, as_json, signed_only=platform.require_signature)
        if receipt.set_aside or receipt.held or receipt.left_out_count or not receipt.released:
            sys.exit(ExitCode.NEEDS_PERSON)


@cli.command()
@click.option("--bank", help="Only this bank.")
@CONFIGURATION
@JSON
def run(bank: str | None, config: Path, as_json: bool) -> None:
    """Do what is due: make, seal, send, fetch, settle."""
    with opened(config) as gateway:
        report = gateway.run(bank)
        needs_person = gateway.needs_person()
        screen.show_run(report, as_json, needs_person)
        waits = ExitCode.NEEDS_PERSON if needs_person else ExitCode.DONE
        sys.exit(max(report.exit_code, waits))


@cli.command()
@click.argument("batch_id", required=False)
@CONFIGURATION
@JSON
def status(batch_id: str | None, config: Path, as_json: bool) -> None:
    """Where batches and files stand."""
    with opened(config) as gateway:
        batches = gateway.status(batch_id)
        screen.show_status(
            batches,
            gateway.files(batch_id),
            gateway.received(batch_id),
            gateway.anchor_status(),
            gateway.identity,
            as_json,
        )
        if not all(batch.adds_up for batch in batches):
            sys.exit(ExitCode.INTEGRITY)


@cli.command()
@click.argument("batch_id", required=False)
@click.option("--since", type=int, default=0, help="Only outcomes after this cursor.")
@click.option("--all", "everything", is_flag=True, help="Earlier outcomes of a payment too.")
@click.option("--output", type=click.Path(path_type=Path), help="Write to a file: .csv, .jsonl or .xlsx.")
@CONFIGURATION
@JSON
def outcomes(
    batch_id: str | None, since: int, everything: bool, output: Path | None, config: Path, as_json: bool
) -> None:
    """What became of the payments."""
    with opened(config) as gateway:
        found = gateway.outcomes(batch_id, since=since, only_current=not everything)
        screen.show_outcomes(found, output, as_json)


@cli.command()
@click.argument("batch_id", required=False)
@click.option("--output", type=click.Path(path_type=Path), help="Write to a file: .csv, .jsonl or .xlsx.")
@CONFIGURATION
@JSON
def failures(batch_id: str | None, output: Path | None, config: Path, as_json: bool) -> None:
    """Payments that did not arrive as instructed, with their reasons."""
    statuses = tuple(status for status in Status if status is not Status.CREDITED)
    with opened(config) as gateway:
        found = gateway.outcomes(batch_id, only_current=True, statuses=statuses)
        shown = screen.show_outcomes(found, output, as_json)
        if shown:
            sys.exit(ExitCode.NEEDS_PERSON)


@cli.command()
@click.argument("batch_id", required=False)
@OUTPUT
@CONFIGURATION
@JSON
def findings(batch_id: str | None, output: Path | None, config: Path, as_json: bool) -> None:
    """Charges that banks made, with their evidence."""
    with opened(config) as gateway:
        shown = show_findings(gateway.findings(batch_id), output, as_json)
        if shown:
            sys.exit(ExitCode.NEEDS_PERSON)


@cli.command()
@click.argument("batch_id", required=False)
@click.option("--since", type=int, default=0, help="Only notices after this cursor.")
@CONFIGURATION
@JSON
def notices(batch_id: str | None, since: int, config: Path, as_json: bool) -> None:
    """What banks told that is no outcome: another account number, a changed order. Masked."""
    with opened(config) as gateway:
        found = gateway.notices(batch_id, since=since)
        screen_answers.show_notices(((notice, gateway.notice_values(notice)) for notice in found), as_json)


@cli.command()
@click.argument("bank", required=False)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day of booking.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day of booking.")
@OUTPUT
@CONFIGURATION
@JSON
def statements(
    bank: str | None,
    first: datetime | None,
    last: datetime | None,
    output: Path | None,
    config: Path,
    as_json: bool,
) -> None:
    """What banks' statements say was booked: payments, returns, charges, the rest."""
    with opened(config) as gateway:
        found = gateway.statement_entries(
            bank, first=None if first is None else first.date(), last=None if last is None else last.date()
        )
        screen_answers.show_entries(found, output, as_json)


@cli.command()
@click.argument("payment_id")
@click.option("--platform", help="Where two platforms use the same id.")
@CONFIGURATION
@JSON
def trace(payment_id: str, platform: str | None, config: Path, as_json: bool) -> None:
    """One payment's whole story."""
    with opened(config) as gateway:
        screen_story.show_story(gateway.trace(payment_id, platform), as_json)


@cli.command(context_settings={"ignore_unknown_options": True})
@click.option("--payments", type=click.IntRange(120, 5_000_000), default=10_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("demo"), show_default=True)
@click.option("--seed", type=int, default=20211117, show_default=True)
@JSON
def demo(payments: int, folder: Path, seed: int, as_json: bool) -> None:
    """A month of a district against three simulated banks over real SFTP, on this machine."""
    from gateway.demonstration.run import run_demo

    # A site's files decide who is paid by what: others may not write them, whatever the shell is used to.
    before = os.umask(_OWNER_ONLY)
    try:
        code = run_demo(folder, payments, seed, as_json)
    finally:
        os.umask(before)
    sys.exit(code)


@cli.command()
@click.argument("bank")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("."),
    help="A folder that `bankgate demo` set up.",
)
@click.option("--scenario", multiple=True, help="How the bank behaves; may be given several times.")
@click.option(
    "--layouts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where BANK-request and BANK-result lie: a bank that the folder has not yet is set up.",
)
def simulate(bank: str, folder: Path, scenario: tuple[str, ...], layouts: Path | None) -> None:
    """A simulated bank to develop against; Ctrl-C ends it."""
    from gateway.demonstration.run import run_simulation

    sys.exit(run_simulation(folder, bank, list(scenario), layouts))


def main() -> NoReturn:
    """Entry point: every error of ours becomes `error:` and `hint:` lines and its exit code."""
    if signal.getsignal(signal.SIGINT) is end_quietly:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        cli(standalone_mode=False)
    except ClickException as error:
        if _wants_json():
            screen.error_as_json(error.format_message(), "", [], ExitCode.BAD_USAGE)
        else:
            error.show()
        sys.exit(ExitCode.BAD_USAGE)
    except (KeyboardInterrupt, click.Abort):
        screen.error("interrupted", "nothing is lost: start the command again")
        sys.exit(_INTERRUPTED)
    except tuple(_EXITS) as error:
        code = next(code for kind, code in _EXITS.items() if isinstance(error, kind))
        if isinstance(error, GatewayError):
            code = error.exit_code
        _complain(error, code)
        sys.exit(code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(ExitCode.DONE)
    sys.exit(ExitCode.DONE)


_EXITS: dict[type[Exception], ExitCode] = {
    GatewayError: ExitCode.BAD_USAGE,
    KeyUnavailable: ExitCode.BAD_USAGE,
    SignatureInvalid: ExitCode.REFUSED_INPUT,
    SignerUntrusted: ExitCode.REFUSED_INPUT,
    SignatureMalformed: ExitCode.REFUSED_INPUT,
    SealError: ExitCode.INTEGRITY,
    ChannelError: ExitCode.BANK_UNREACHABLE,
    FormatError: ExitCode.REFUSED_INPUT,
    SQLAlchemyError: ExitCode.INTEGRITY,
    FileNotFoundError: ExitCode.BAD_USAGE,
    NotADirectoryError: ExitCode.BAD_USAGE,
    IsADirectoryError: ExitCode.BAD_USAGE,
    FileExistsError: ExitCode.BAD_USAGE,
    PermissionError: ExitCode.BAD_USAGE,
    OSError: ExitCode.INTEGRITY,
}
"""Errors of others by what they mean; an error of the gateway knows its own code."""


def _wants_json() -> bool:
    """As typed: also where the command line itself is wrong."""
    return "--json" in sys.argv[1:]


def _complain(error: Exception, code: ExitCode) -> None:
    problems: list[Problem] = []
    if isinstance(error, InputRefused | ConfigurationError | FormatError):
        problems = error.problems
    hint, message = getattr(error, "hint", ""), str(error)
    if isinstance(error, OSError):
        message = f"{error.filename or 'this machine'}: {(error.strerror or message).lower()}"
    if problems:
        message = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
    if _wants_json():
        screen.error_as_json(message, hint, problems, code)
        return
    screen.show_problems(problems)
    screen.error(message, hint)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputRefused(
            [Problem(code="unreadable", message=f"{path}: {error.strerror}", source=str(path))],
            hint="check the path",
        ) from error

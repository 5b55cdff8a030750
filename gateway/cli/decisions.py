"""Commands with which persons decide: `held` knows every decision, the others are its short forms."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from formats.standard.amounts import parse_yuan
from gateway.api import Gateway
from gateway.cli.operator import PASSPHRASE, person_signer
from gateway.cli.options import CONFIGURATION, JSON, opened
from gateway.errors import ExitCode
from gateway.screens import decisions as screen_decisions
from gateway.ways.recoveries import GROUNDS
from keys.secret_sources import SecretSource
from keys.signer import Signer
from keys.statement import sign_statement

_KEY_HELP = "Your private key: a PEM file, or pkcs11:token=LABEL;object=LABEL?module-path=LIBRARY in a token."
_PERSON = click.option("--as", "person", required=True, help="Your name as it is enrolled.")
_KEY = click.option("--key", type=click.Path(path_type=Path), required=True, help=_KEY_HELP)
_EVIDENCE = click.option(
    "--evidence",
    metavar="FILE|sha256:DIGEST",
    help="What the decision rests on, as a rule the bank's letter: its digest is signed, it is kept sealed."
    " The second person may name what the first one attached by its digest.",
)
_REASON = click.option(
    "--reason", metavar="TEXT", help="Why, in a line of your own; kept sealed, and shown by `held`."
)
_AMOUNT_HELP = "So many yuan, as 100.00."
_GROUND = click.Choice(GROUNDS)
_DIGEST = "sha256:"
_KINDS = (
    *("batch:", "payment:", "file:", "received:", "oddity:", "bank:", "funding:", "books:", "recovery:"),
    "card-list:",
)


@click.command()
@click.argument("decision", required=False)
@click.argument("about", metavar="[OBJECT]", required=False)
@click.option("--as", "person", help="Your name as it is enrolled.")
@click.option("--key", type=click.Path(path_type=Path), help=_KEY_HELP)
@PASSPHRASE
@_EVIDENCE
@_REASON
@click.option("--amount", metavar="YUAN", help=f"Where the decision says how much. {_AMOUNT_HELP}")
@click.option("--ground", type=_GROUND, help="Where the decision says on what ground.")
@CONFIGURATION
@JSON
def held(
    decision: str | None,
    about: str | None,
    person: str | None,
    key: Path | None,
    passphrase: SecretSource | None,
    evidence: str | None,
    reason: str | None,
    amount: str | None,
    ground: str | None,
    config: Path,
    as_json: bool,
) -> None:
    """What waits for a person; with DECISION and OBJECT, sign a way out of it."""
    with opened(config) as gateway:
        if decision is None:
            items = gateway.held()
            screen_decisions.show_held(items, as_json)
            sys.exit(ExitCode.NEEDS_PERSON if items else ExitCode.DONE)
        if about is None or person is None or key is None:
            raise click.UsageError("a decision needs DECISION OBJECT --as NAME --key FILE")
        grounds = Grounds(evidence, reason, as_json, _minor(amount), ground or "")
        decide(gateway, about, decision, person_signer(person, key, passphrase), grounds)


class Grounds(Struct, frozen=True):
    """What a decision rests on, the person's own words, how its effect is told, and its terms."""

    evidence: str | None
    reason: str | None
    as_json: bool
    amount_minor: int | None = None
    ground: str = ""


def signed(command: Callable[..., None]) -> Callable[..., None]:
    """A command that signs one decision: it gets the `signer` that `--as` and `--key` name."""

    @functools.wraps(command)
    def with_signer(
        person: str,
        key: Path,
        passphrase: SecretSource | None,
        evidence: str | None,
        as_json: bool,
        reason: str | None = None,
        amount: str | None = None,
        ground: str | None = None,
        **rest: Any,
    ) -> None:
        signer = person_signer(person, key, passphrase)
        grounds = Grounds(evidence, reason, as_json, _minor(amount), ground or "")
        command(signer=signer, grounds=grounds, **rest)

    for option in (JSON, CONFIGURATION, _EVIDENCE, PASSPHRASE, _KEY, _PERSON):
        with_signer = option(with_signer)
    return with_signer


@click.command()
@click.argument("batch_id")
@signed
def release(batch_id: str, signer: Signer, grounds: Grounds, config: Path) -> None:
    """Consent, as one of two persons, that a batch may leave."""
    with opened(config) as gateway:
        decide(gateway, gateway.batch_object(batch_id), "release", signer, grounds)


@click.command()
@click.argument("about", metavar="OBJECT")
@_REASON
@signed
def hold(about: str, signer: Signer, grounds: Grounds, config: Path) -> None:
    """Stop a bank, batch, payment or file: what has not left stays here. OBJECT may be a batch id."""
    with opened(config) as gateway:
        decide(gateway, _object(gateway, about), "hold", signer, grounds)


@click.command()
@click.argument("about", metavar="OBJECT")
@signed
def withdraw(about: str, signer: Signer, grounds: Grounds, config: Path) -> None:
    """Take back what has not left of a batch, a payment, or a rejected file. OBJECT may be a batch id."""
    with opened(config) as gateway:
        decide(gateway, _object(gateway, about), "withdraw", signer, grounds)


@click.command()
@click.argument("about", metavar="FILE")
@signed
def redispatch(about: str, signer: Signer, grounds: Grounds, config: Path) -> None:
    """Let the payments of a rejected file (file:BANK/NAME) go into a new one."""
    with opened(config) as gateway:
        decide(gateway, about, "redispatch", signer, grounds)


@click.command()
@click.argument("about", metavar="OBJECT")
@click.argument("outcome")
@signed
def resolve(about: str, outcome: str, signer: Signer, grounds: Grounds, config: Path) -> None:
    """Say what became of a payment or file in doubt, on the bank's word (--evidence FILE).

    OBJECT is payment:PLATFORM/ID with OUTCOME credited, failed, returned, or discrepant (it stays
    short), or file:BANK/NAME with arrived, not-received or reopen.
    """
    with opened(config) as gateway:
        decide(gateway, about, outcome, signer, grounds)


_AMOUNT = click.option("--amount", metavar="YUAN", required=True, help=_AMOUNT_HELP)
_PLATFORM = click.option("--platform", help="Whose payment it is, where several platforms have that id.")


@click.command()
@click.argument("payment_id")
@_PLATFORM
@_AMOUNT
@click.option("--ground", type=_GROUND, required=True, help="Why it is asked back.")
@signed
def recover(payment_id: str, platform: str | None, signer: Signer, grounds: Grounds, config: Path) -> None:
    """Ask back, as one of two persons, what was wrongly paid; --evidence FILE shows it."""
    with opened(config) as gateway:
        decide(gateway, gateway.recovery_object(payment_id, platform), "recover", signer, grounds)


@click.command()
@click.argument("payment_id")
@_PLATFORM
@_AMOUNT
@signed
def recovered(payment_id: str, platform: str | None, signer: Signer, grounds: Grounds, config: Path) -> None:
    """Note what came back of a payment that is being recovered; --evidence FILE is the voucher."""
    with opened(config) as gateway:
        decide(gateway, gateway.recovery_object(payment_id, platform), "recovered", signer, grounds)


@click.command()
@click.argument("digest")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="A new file.")
@CONFIGURATION
def exhibit(digest: str, output: Path, config: Path) -> None:
    """Read what a decision rests on, by its SHA-256. It may name people: keep it safe."""
    with opened(config) as gateway:
        gateway.exhibit(digest.removeprefix(_DIGEST), output)


COMMANDS = (exhibit, held, release, hold, withdraw, redispatch, resolve, recover, recovered)


def _attached(gateway: Gateway, evidence: str | None) -> str:
    """The digest of what the decision rests on, kept now or before."""
    if evidence is None:
        return ""
    if evidence.startswith(_DIGEST):
        return evidence.removeprefix(_DIGEST)
    return gateway.attach(evidence)


def _minor(amount: str | None) -> int | None:
    """Minor units of an amount in yuan, as standard batches write it."""
    if amount is None:
        return None
    minor = parse_yuan(amount)
    if minor is None:
        raise click.BadParameter(
            f"found {amount!r}, wanted yuan with two decimals, as 100.00", param_hint="--amount"
        )
    return minor


def _object(gateway: Gateway, about: str) -> str:
    """The object's full name; a bare word is a batch."""
    return about if about.startswith(_KINDS) else gateway.batch_object(about)


def decide(gateway: Gateway, about: str, decision: str, signer: Signer, grounds: Grounds) -> None:
    """Sign a decision and show what it came to. The signer has the person's name."""
    statement = gateway.statement(
        about,
        decision,
        signer.key_id,
        exhibit=_attached(gateway, grounds.evidence),
        reason=gateway.keep_reason(grounds.reason) if grounds.reason else "",
        amount_minor=grounds.amount_minor,
        ground=grounds.ground,
    )
    decided = gateway.sign(statement, sign_statement(signer, statement.to_bytes()))
    screen_decisions.show_decision(decided, statement.person, grounds.as_json)
    if not decided.carried_out:
        sys.exit(ExitCode.NEEDS_PERSON)

"""`bankgate key`: what the ring holds, what ends when, and new keys."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import click

from gateway.api import Gateway
from gateway.configuration.config import Configuration, load_configuration
from gateway.configuration.key_check import check_keys
from gateway.configuration.key_needs import key_needs
from gateway.errors import ExitCode
from gateway.ports import SystemClock
from gateway.screens import keys as screen_keys
from gateway.screens import screen
from keys.certificate_make import RECEIVING, SIGNING, SIGNING_AND_RECEIVING
from keys.keyring import Keyring
from keys.new_key import (
    MASTERS,
    NEW_KEY_KINDS,
    SSH,
    certification,
    new_key_in_token,
    new_login_key,
    new_master_key,
    new_signing_key,
)
from keys.secret_sources import SecretSource, parse_source

_CONFIGURATION = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=Path("bankgate.toml"),
    envvar="BANKGATE_CONFIG",
    show_default=True,
    help="The installation's bankgate.toml.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of tables, for programs.")
_HORIZON_DAYS = 30
_USES = {"sign": SIGNING, "receive": RECEIVING, "both": SIGNING_AND_RECEIVING}
_BACKDATED = timedelta(minutes=10)
"""Clocks differ: a certificate made now is valid a little before."""


def source(context: click.Context, parameter: click.Parameter, value: str | None) -> SecretSource | None:
    """Callback of options that name where a secret is."""
    try:
        return None if value is None else parse_source(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.group()
def key() -> None:
    """Keys: what there is, what ends when, new ones."""


@key.command("list")
@_CONFIGURATION
@_JSON
def list_(config: Path, as_json: bool) -> None:
    """Every key of the ring in this environment, and until when it is in force."""
    _, ring = _open(config)
    screen_keys.show_keys(ring.listed(), now(), as_json)


@key.command()
@click.option(
    "--days",
    type=click.IntRange(0, 3650),
    default=_HORIZON_DAYS,
    show_default=True,
    help="What ends within so many days is told.",
)
@click.option("--try", "tried", is_flag=True, help="Let every key to sign with sign once; tokens are opened.")
@_CONFIGURATION
@_JSON
def check(days: int, tried: bool, config: Path, as_json: bool) -> None:
    """What ends soon, what is missing, what nobody uses; exit code 6 or 7 for monitors."""
    configuration, ring = _open(config)
    if tried:
        ring.try_signers()
    report = check_keys(key_needs(configuration), ring.listed(), ring.environment, now(), days)
    screen_keys.show_check(report, as_json)
    sys.exit(report.exit_code)


@key.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(NEW_KEY_KINDS), required=True)
@click.option("--subject", help="Whom the certificate names, such as CN=settlement,O=District,C=CN.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("keys"),
    show_default=True,
    help="Where the files go.",
)
@click.option(
    "--password", callback=source, help="Encrypts the private file: file:PATH, env:NAME, credential:NAME."
)
@click.option(
    "--self-signed",
    "self_signed_days",
    type=click.IntRange(1, 3650),
    help="A certificate for so many days instead of a request, for a bank that pins it.",
)
@click.option(
    "--use",
    type=click.Choice(list(_USES)),
    default="sign",
    show_default=True,
    help="What the certificate is for; banks of the SM world want two, one for each.",
)
@click.option(
    "--pkcs11",
    "uri",
    help="Make it in a token instead: pkcs11:token=LABEL;object=LABEL?module-path=/path/of/the/library.so",
)
@click.option("--pin", callback=source, help="The token's PIN: file:PATH, env:NAME, credential:NAME.")
def new(
    name: str,
    kind: str,
    subject: str | None,
    use: str,
    folder: Path,
    password: SecretSource | None,
    self_signed_days: int | None,
    uri: str | None,
    pin: SecretSource | None,
) -> None:
    """A new key, and the request for its certificate; no file is overwritten."""
    if kind in (SSH, *MASTERS) and (subject is not None or self_signed_days is not None):
        raise click.UsageError(f"--subject and --self-signed do not go with a key of kind {kind}")
    if kind in MASTERS and password is not None:
        raise click.UsageError("a master key has no password: keep its file apart from the spool")
    if kind not in (SSH, *MASTERS) and subject is None:
        raise click.UsageError(f"--subject is wanted for a key of kind {kind}")
    if uri is None and pin is not None:
        raise click.UsageError("--pin opens a token: --pkcs11 names it")
    if uri is not None and (kind in (SSH, *MASTERS) or password is not None):
        raise click.UsageError("a token holds keys to sign and to receive with; its word is --pin")
    word = None if password is None else password.read()
    if kind in MASTERS:
        made = new_master_key(folder, name, kind)
    elif kind == SSH:
        made = new_login_key(folder, name, word)
    else:
        wanted = certification(subject or "", _validity(self_signed_days), _USES[use])
        if uri is None:
            made = new_signing_key(folder, name, kind, wanted, word)
        else:
            made = new_key_in_token(folder, name, kind, wanted, uri, pin)
    screen_keys.show_made(name, made)


@key.command(name="rewrap")
@click.option(
    "--mebibytes",
    type=click.IntRange(1),
    help="Stop after about so many MiB of files; started again, it goes on.",
)
@_CONFIGURATION
@_JSON
def rewrap_(mebibytes: int | None, config: Path, as_json: bool) -> None:
    """Bring stored files and texts under the current spool master, so that old ones can go.

    Exit code 1: files are left under old masters. No run goes beside it; submissions do.
    """
    with Gateway.open(config) as gateway:
        screen.speak(gateway.configuration.language)
        done = gateway.rewrap(None if mebibytes is None else mebibytes << 20)
    screen_keys.show_rewrapped(done, as_json)
    if done.damaged:
        sys.exit(ExitCode.INTEGRITY)
    sys.exit(ExitCode.NEEDS_PERSON if done.left else ExitCode.DONE)


def now() -> datetime:
    return SystemClock().now()


def _validity(days: int | None) -> tuple[datetime, datetime] | None:
    if days is None:
        return None
    begin = now() - _BACKDATED
    return begin, begin + timedelta(days=days)


def _open(config: Path) -> tuple[Configuration, Keyring]:
    """Configuration and ring alone: this works beside a run, and where the ledger does not."""
    configuration = load_configuration(config)
    screen.speak(configuration.language)
    return configuration, Keyring.load(configuration.keys, configuration.environment)

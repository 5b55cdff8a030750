"""`bankgate operator`: persons who may decide, and a person's own key.

`person_signer` is how every command with `--as` and `--key` opens the key of whoever decides.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.cli.keys import now, source
from gateway.cli.options import CONFIGURATION, JSON, opened
from gateway.errors import ExitCode
from gateway.persons.enrolment import EnrolmentChange, end_enrolment, enrol
from gateway.screens import operators as screen_operators
from keys.errors import KeyUnavailable
from keys.person_key import (
    PERSON_KEY_KINDS,
    is_protected,
    load_token_signer,
    new_person_key,
    require_both_absent,
)
from keys.pkcs11_uri import PKCS11_SCHEME
from keys.private import load_signer
from keys.secret_sources import SecretSource
from keys.signer import Signer

_SOURCES = "file:PATH, env:NAME, credential:NAME"
_NO_FINGERPRINT = "compare it with its owner first, then give it: --fingerprint DIGITS"
_REFUSED_PINS = ".bankgate-refused-pins"
"""In the person's home: PINs that a token refused, so that none is presented twice."""
PASSPHRASE = click.option(
    "--passphrase",
    callback=source,
    help=f"Where the passphrase of your key is: {_SOURCES}; without it a protected key asks for it.",
)


def person_signer(person: str, key: Path, passphrase: SecretSource | None) -> Signer:
    """The key of whoever decides; a protected one asks at the terminal where no source is named.

    `key` may be a PKCS#11 URI: then the passphrase is the token's PIN, and always wanted. Raises
    `KeyUnavailable`, also where nobody can be asked.
    """
    if str(key).startswith(PKCS11_SCHEME):
        return load_token_signer(person, str(key), passphrase or _Typed(), Path.home() / _REFUSED_PINS)
    word = None if passphrase is None else passphrase.read()
    if word is None and is_protected(key):
        word = _ask_secret(f"Passphrase of {key}")
    return load_signer(person, key, password=word)


class _Typed:
    """A PIN that is asked for when it is wanted."""

    def read(self) -> bytes:
        return _ask_secret("PIN of the token")

    def __str__(self) -> str:
        return "the terminal"


@click.group()
def operator() -> None:
    """Persons who may decide: enrol, end, list; and a person's own key."""


@operator.command("new-key")
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="The private file, such as li.pem."
)
@click.option("--kind", type=click.Choice(PERSON_KEY_KINDS), default="ec-p256", show_default=True)
@click.option(
    "--passphrase", callback=source, help=f"Where its passphrase is: {_SOURCES}; without it you are asked."
)
@click.option("--no-passphrase", is_flag=True, help="Unprotected: whoever has the file decides.")
def new_key(output: Path, kind: str, passphrase: SecretSource | None, no_passphrase: bool) -> None:
    """Make your own key, at home: a private file, and the public half to hand in."""
    if no_passphrase and passphrase is not None:
        raise click.UsageError("--passphrase does not go with --no-passphrase")
    # Nobody types a passphrase for nothing.
    require_both_absent(output)
    word: bytes | None = None
    if passphrase is not None:
        word = passphrase.read()
    elif not no_passphrase:
        word = _ask_secret(f"Passphrase for {output}", twice=True)
    made, public = new_person_key(output, kind, word)
    screen_operators.show_made(output, public, made)


@operator.command()
@click.argument("name")
@click.option("--title", default="", help="How people write the name, such as 李; wanted for somebody new.")
@click.option(
    "--public-key", type=click.Path(path_type=Path), required=True, help="What the person handed in (PEM)."
)
@click.option(
    "--fingerprint",
    help="What its owner reads out, face to face or by telephone: 16 digits of it or more; without it you are"
    " asked.",
)
@click.option("--renew", is_flag=True, help="Another key for somebody enrolled; the one before ends now.")
@CONFIGURATION
@JSON
def add(
    name: str,
    title: str,
    public_key: Path,
    fingerprint: str | None,
    renew: bool,
    config: Path,
    as_json: bool,
) -> None:
    """Enrol a person with a public key, from now on, by the fingerprint that its owner reads out."""
    told = fingerprint or _ask("Fingerprint, as its owner reads it out", hint=_NO_FINGERPRINT, shown=True)
    changed = enrol(config, name, public_key, now(), title=title, renew=renew, fingerprint=told)
    _tell(config, changed, as_json)


@operator.command()
@click.argument("name")
@CONFIGURATION
@JSON
def remove(name: str, config: Path, as_json: bool) -> None:
    """End a person's enrolment from now on. What was signed before stays valid."""
    _tell(config, end_enrolment(config, name, now()), as_json)


@operator.command("list")
@CONFIGURATION
@JSON
def list_(config: Path, as_json: bool) -> None:
    """Who may decide, with which key, since when, and how many decisions it signed."""
    with opened(config) as gateway:
        screen_operators.show_operators(gateway.operators(), as_json)


def _tell(config: Path, changed: EnrolmentChange, as_json: bool) -> None:
    """Show it, and have the journal tell of it at once."""
    with opened(config) as gateway:
        gateway.note_operators()
        screen_operators.show_changed(changed, as_json)
    sys.exit(ExitCode.DONE)


def _ask_secret(what: str, *, twice: bool = False) -> bytes:
    return _ask(what, hint=f"name where it is: --passphrase {_SOURCES}", twice=twice).encode()


def _ask(what: str, *, hint: str, twice: bool = False, shown: bool = False) -> str:
    if not sys.stdin.isatty():
        raise KeyUnavailable(f"{what} is wanted, and there is no terminal to ask at", hint)
    word: str = click.prompt(what, hide_input=not shown, confirmation_prompt=twice, err=True)
    return word

"""One signing key of the demonstration in a token of SoftHSM, where that is installed.

SoftHSM is software: it shows how a key in a device is used, and protects nothing by itself.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

from keys.authority import Authority, Identity, certificate_pem
from keys.certificate_make import SIGNING, Draft
from keys.new_key import certification
from keys.pkcs11 import Token
from keys.pkcs11_module import module_at
from keys.pkcs11_new import new_token_key
from keys.pkcs11_pins import RefusedPins
from keys.pkcs11_uri import parse_uri
from keys.private import load_certificates, load_private_key
from keys.secret_sources import SecretSource, SourceKind, write_private_file, write_public_file

BANK = "rural-credit"
"""Whose files are signed by the key in the token."""
_LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
_LABEL = "bankgate-demo"
_CONFIGURATION = "softhsm2.conf"
_VARIABLE = "SOFTHSM2_CONF"


def softhsm_library() -> Path | None:
    """SoftHSM's library, where it, its tool, and the extra `[hsm]` are installed."""
    if shutil.which("softhsm2-util") is None or importlib.util.find_spec("pkcs11") is None:
        return None
    return next((Path(path) for path in _LIBRARIES if Path(path).exists()), None)


def use_tokens_of(gateway: Path) -> bool:
    """Let this process, and those that it starts, find the tokens of a site; whether it has one."""
    configuration, library = gateway / _CONFIGURATION, softhsm_library()
    if not configuration.exists() or library is None:
        return False
    os.environ[_VARIABLE] = str(configuration)
    module = module_at(library)
    with module.lock:
        # It may have looked elsewhere before.
        module.restart(module.generation)
    return True


def environment_line(gateway: Path) -> str:
    """What a shell must be told before it signs with the token."""
    return f"export {_VARIABLE}={gateway / _CONFIGURATION}"


def put_key_into_token(draft: Path, folder: Path, library: Path, valid: tuple[datetime, datetime]) -> None:
    """In the site at `draft`, which will lie at `folder`: the key for `BANK`'s files moves into a token.

    A new key is made in the token and certified by the bank's CA; the one in a file is removed.
    """
    gateway = draft / "gateway"
    tokens, pin_file = gateway / "tokens", gateway / "keys" / "token.pin"
    tokens.mkdir()
    pin = secrets.token_hex(8)
    write_private_file(pin_file, pin.encode())
    _configure(gateway, tokens)
    _initialize(pin, gateway / _CONFIGURATION)
    use_tokens_of(gateway)
    uri = f"pkcs11:token={_LABEL};object={BANK}-signing?module-path={library}"
    name = parse_uri(uri)
    source = SecretSource(SourceKind.FILE, str(pin_file))
    token = Token(name.token, source, RefusedPins(gateway / "keys.toml.refused-pins"))
    key = new_token_key(token, name, "rsa-2048")
    subject = certification(f"CN=bankgate,O={BANK} client,C=CN").subject
    _certify(draft, Draft(subject, key.public_key, *valid, SIGNING))
    _enter(gateway / "keys.toml", uri)
    # The site is renamed when it is complete; the library is told where it will lie.
    _configure(gateway, folder / "gateway" / "tokens")


def _configure(gateway: Path, tokens: Path) -> None:
    text = f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    (gateway / _CONFIGURATION).write_text(text, "utf-8")


def _initialize(pin: str, configuration: Path) -> None:
    command = ["softhsm2-util", "--init-token", "--free", "--label", _LABEL]
    command += ["--so-pin", secrets.token_hex(8), "--pin", pin]
    environment = {**os.environ, _VARIABLE: str(configuration)}
    subprocess.run(command, env=environment, check=True, capture_output=True)


def _certify(draft: Path, wanted: Draft) -> None:
    """The bank's CA certifies the key; both sides get the certificate in place of the old one."""
    ours, theirs = draft / "gateway" / "keys", draft / "banks" / BANK / "keys"
    identity = Identity(load_private_key(theirs / "ca.pem"), load_certificates(ours / f"{BANK}-ca.crt")[0])
    content = certificate_pem(Authority(identity).certify(wanted))
    for name in ("pem", "crt"):
        (ours / f"{BANK}-signing.{name}").unlink()
    (theirs / "gateway.crt").unlink()
    for path in (ours / f"{BANK}-signing.crt", theirs / "gateway.crt"):
        write_public_file(path, content)


def _enter(ring: Path, uri: str) -> None:
    text = ring.read_text("utf-8")
    old = f'private_key = "keys/{BANK}-signing.pem"\n'
    assert text.count(old) == 1
    ring.write_text(text.replace(old, f'pkcs11 = "{uri}"\npin = {{ file = "keys/token.pin" }}\n'), "utf-8")

"""Tokens of SoftHSM, made by its own tool in a folder of the test run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from keys.pkcs11_module import module_at

PIN, WRONG_PIN = "4711-right", "4711-wrong"
_SECURITY_OFFICER_PIN = "0815-officer"
_LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
_CONFIGURATION = """directories.tokendir = {folder}
objectstore.backend = file
log.level = ERROR
slots.removable = false
"""


def softhsm() -> Path:
    return next(Path(path) for path in _LIBRARIES if Path(path).exists())


def pkcs11_spy() -> Path:
    """OpenSC's library that writes down every call to another one."""
    return next(Path("/usr/lib").rglob("pkcs11-spy.so"))


class SoftToken(Struct, frozen=True):
    """A token with a user PIN, and the file that the PIN is read from."""

    label: str
    pin_file: Path

    def uri(self, object_label: str, module: Path | None = None, **more: str) -> str:
        asked = "".join(f";{name}={value}" for name, value in more.items())
        return f"pkcs11:token={self.label};object={object_label}{asked}?module-path={module or softhsm()}"


@contextmanager
def token_folder(folder: Path) -> Iterator[None]:
    """For the whole of this process: SoftHSM keeps its tokens in `folder`."""
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder / "tokens"), "utf-8")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before


def make_token(folder: Path, label: str, pin: str = PIN) -> SoftToken:
    """A new token; the library looks for tokens anew."""
    command = ["softhsm2-util", "--init-token", "--free", "--label", label]
    command += ["--so-pin", _SECURITY_OFFICER_PIN, "--pin", pin]
    subprocess.run(command, check=True, capture_output=True)
    look_again()
    pin_file = folder / f"{label}.pin"
    pin_file.write_text(pin, "utf-8")
    pin_file.chmod(0o600)
    return SoftToken(label, pin_file)


def delete_token(label: str) -> None:
    subprocess.run(["softhsm2-util", "--delete-token", "--token", label], check=True, capture_output=True)


def look_again() -> None:
    """The library begins anew in this process: all sessions end, as when a device is restarted."""
    module = module_at(softhsm())
    with module.lock:
        module.restart(module.generation)

"""Where secrets come from: a file of ours alone, an environment variable, or systemd credentials.

A secret is written in configuration as `{ file = "path" }`, `{ env = "NAME" }` or
`{ credential = "NAME" }` (a file in `$CREDENTIALS_DIRECTORY`); never as itself.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from keys.errors import KeyUnavailable

LIMIT_BYTES = 1 << 20
"""Key files are small; more than this is a mistake."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class SourceKind(StrEnum):
    FILE = "file"
    ENVIRONMENT = "env"
    CREDENTIAL = "credential"


class SecretSource(Struct, frozen=True):
    """Names the place of a secret; holds no secret itself."""

    kind: SourceKind
    name: str
    """Path, variable, or name of the credential."""

    def read(self, environment: Mapping[str, str] | None = None) -> bytes:
        """The secret, without a final line break. Raises `KeyUnavailable`."""
        variables = os.environ if environment is None else environment
        if self.kind is SourceKind.ENVIRONMENT:
            if self.name not in variables:
                raise KeyUnavailable(f"environment variable {self.name} is not set")
            return variables[self.name].encode()
        if self.kind is SourceKind.CREDENTIAL:
            return _strip_line_break(_read_credential(self.name, variables))
        return _strip_line_break(read_private_file(Path(self.name)))


def read_private_file(path: Path) -> bytes:
    """Bytes of a file that only its owner may read; raises `KeyUnavailable`."""
    try:
        with path.open("rb") as source:
            mode = os.fstat(source.fileno()).st_mode
            if mode & _OTHERS:
                raise KeyUnavailable(
                    f"{path} may be read or written by others (mode {stat.S_IMODE(mode):04o}, wanted 0600)",
                    f"chmod 600 {path}, and consider the key known to others",
                )
            return _read_limited(source.read(LIMIT_BYTES + 1), path)
    except OSError as error:
        raise KeyUnavailable(f"{path} cannot be read: {error.strerror}") from error


def read_public_file(path: Path) -> bytes:
    """Bytes of a certificate or public key; raises `KeyUnavailable`."""
    try:
        with path.open("rb") as source:
            return _read_limited(source.read(LIMIT_BYTES + 1), path)
    except OSError as error:
        raise KeyUnavailable(f"{path} cannot be read: {error.strerror}") from error


def write_private_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read; raises `KeyUnavailable` when it is there."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as sink:
            sink.write(content)
    except OSError as error:
        raise KeyUnavailable(f"{path} cannot be written: {error.strerror}") from error


def _read_credential(name: str, variables: Mapping[str, str]) -> bytes:
    folder = variables.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        raise KeyUnavailable(
            f"credential {name} is wanted, but CREDENTIALS_DIRECTORY is not set",
            "start under systemd with LoadCredential=, or name a file",
        )
    if "/" in name or name in {"", ".", ".."}:
        raise KeyUnavailable(f"{name!r} is not the name of a credential")
    # The folder is private to the service; systemd itself gives the files mode 0440.
    return read_public_file(Path(folder) / name)


def _read_limited(content: bytes, path: Path) -> bytes:
    if len(content) > LIMIT_BYTES:
        raise KeyUnavailable(f"{path} is larger than {LIMIT_BYTES} bytes: not a key")
    return content


def _strip_line_break(content: bytes) -> bytes:
    return content.removesuffix(b"\n").removesuffix(b"\r")

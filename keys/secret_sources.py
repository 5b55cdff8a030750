"""Where secrets come from: a file of ours alone, an environment variable, or systemd credentials.

A secret is written in configuration as `{ file = "path" }`, `{ env = "NAME" }` or
`{ credential = "NAME" }` (a file in `$CREDENTIALS_DIRECTORY`), on the command line as
`file:PATH`, `env:NAME` or `credential:NAME`; never as itself.
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
_CREDENTIAL_OTHERS = stat.S_IRWXO | stat.S_IWGRP
"""systemd gives a credential mode 0440 in a folder that is the service's alone."""
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


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
        """The secret, at least one byte, without a final line break. Raises `KeyUnavailable`."""
        secret = _strip_line_break(self._content(os.environ if environment is None else environment))
        if not secret:
            raise KeyUnavailable(f"{self} is empty", "a secret that is not there yet is better left out")
        return secret

    def _content(self, variables: Mapping[str, str]) -> bytes:
        if self.kind is SourceKind.ENVIRONMENT:
            if self.name not in variables:
                raise KeyUnavailable(
                    f"{self} is not set", "set it where the service starts, or name a file of mode 0600"
                )
            return os.fsencode(variables[self.name])
        if self.kind is SourceKind.CREDENTIAL:
            return _read_credential(self.name, variables)
        return read_private_file(Path(self.name))

    def __str__(self) -> str:
        """For messages: where it is, never what it is."""
        return (
            f"environment variable {self.name}"
            if self.kind is SourceKind.ENVIRONMENT
            else (f"{self.kind.value} {self.name}")
        )


def parse_source(text: str) -> SecretSource:
    """A source as the command line has it, such as `file:PATH`; raises `ValueError`."""
    kind, colon, name = text.partition(":")
    if not colon or kind not in list(SourceKind) or not name:
        # What was found is not repeated: somebody may have typed the secret itself.
        raise ValueError("wanted file:PATH, env:NAME or credential:NAME")
    return SecretSource(SourceKind(kind), name)


def read_private_file(path: Path) -> bytes:
    """Bytes of a file that only its owner may read; raises `KeyUnavailable`."""
    return _read(path, _OTHERS, "may be read or written by others", "0600")


def read_pinned_file(path: Path, limit_bytes: int = LIMIT_BYTES) -> bytes:
    """Bytes of a certificate, public key or list that decides whose signatures count.

    Anybody may read it, only its owner may write it. Raises `KeyUnavailable`.
    """
    return _read(path, _WRITABLE_BY_OTHERS, "may be written by others", "0644", limit_bytes)


def read_public_file(path: Path) -> bytes:
    """Bytes of a certificate or public key; raises `KeyUnavailable`."""
    return _read(path, 0, "", "")


def write_private_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read; raises `KeyUnavailable` when it is there."""
    _write_new(path, content, 0o600)


def write_public_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may write; raises `KeyUnavailable` when it is there."""
    _write_new(path, content, 0o644)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        _fill(path, descriptor, content)
    except FileExistsError:
        raise KeyUnavailable(
            f"{path} is there already and is not overwritten", "take another name, or move it away"
        ) from None
    except OSError as error:
        raise KeyUnavailable(
            f"{path} cannot be written: {error.strerror}", "nothing of it was kept; is there room?"
        ) from error


def _fill(path: Path, descriptor: int, content: bytes) -> None:
    """What cannot be written whole is not left behind: the same command would be refused for it."""
    try:
        with open(descriptor, "wb") as sink:
            sink.write(content)
            sink.flush()
            # A key that a bank was told of must not be gone after a power cut.
            os.fsync(descriptor)
    except OSError:
        path.unlink()
        raise


def _read_credential(name: str, variables: Mapping[str, str]) -> bytes:
    folder = variables.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        raise KeyUnavailable(
            f"credential {name} is wanted, but CREDENTIALS_DIRECTORY is not set",
            "start under systemd with LoadCredential=, or name a file",
        )
    if "/" in name or name in {"", ".", ".."}:
        raise KeyUnavailable(f"{name!r} is not the name of a credential")
    return _read(
        Path(folder) / name, _CREDENTIAL_OTHERS, "may be read by everybody or written by others", "0400"
    )


def _read(path: Path, refused_bits: int, refusal: str, wanted: str, limit_bytes: int = LIMIT_BYTES) -> bytes:
    """A whole small file, judged and read through one descriptor."""
    try:
        # Without blocking: a pipe by that name would wait for somebody to write.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise KeyUnavailable(f"{path} is not a file")
            if mode & refused_bits:
                raise KeyUnavailable(
                    f"{path} {refusal} (mode {stat.S_IMODE(mode):04o}, wanted {wanted})",
                    _mode_hint(path, wanted),
                )
            content = os.read(descriptor, limit_bytes + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise KeyUnavailable(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > limit_bytes:
        raise KeyUnavailable(f"{path} is larger than {limit_bytes} bytes: not a key")
    return content


def _mode_hint(path: Path, wanted: str) -> str:
    if wanted == "0644":
        return f"chmod go-w {path}, and compare it with what its owner gave on paper"
    return f"chmod {wanted[1:]} {path}, and consider what is in it known to others"


def _strip_line_break(content: bytes) -> bytes:
    return content.removesuffix(b"\n").removesuffix(b"\r")

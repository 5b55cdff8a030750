"""PINs that a token refused: none of them is ever presented a second time, by no process.

A token locks after a few wrong tries, and a gateway is started every few minutes: without a
memory beside the ring a wrong PIN would lock the token within the hour. What is kept is the
scrypt of the PIN, never the PIN; whoever can read the file can read the PIN's own file too.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keys.errors import KeyUnavailable

_SALT_BYTES = 16
_COST = 1 << 14
"""Of scrypt: some hundredths of a second a try."""


class RefusedPins:
    """The memory, one line a refusal: serial of the token, salt, scrypt; all in hex."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def trying(self, serial: bytes, pin: bytes) -> Iterator[Attempt]:
        """For the time of one login; no other process logs in meanwhile.

        Raises `KeyUnavailable` where this PIN was refused before, and where a refusal could not
        be written down: then none is presented.
        """
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise KeyUnavailable(
                f"{self.path} cannot be written ({error.strerror}), so a refused PIN could not be remembered",
                "no PIN was presented; let the gateway's user write beside the ring",
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with open(descriptor, "rb", closefd=False) as lines:
                self._require_new(lines.read(), serial, pin)
            yield Attempt(descriptor, serial, pin)
        finally:
            os.close(descriptor)

    def _require_new(self, content: bytes, serial: bytes, pin: bytes) -> None:
        for line in content.splitlines():
            words = line.split()
            if len(words) == 3 and words[0] == serial.hex().encode():
                salt, kept = bytes.fromhex(words[1].decode("ascii")), words[2]
                if hmac.compare_digest(_stretched(pin, salt), kept):
                    raise KeyUnavailable(
                        "the token refused this PIN before, and it is not presented again",
                        f"put the right PIN where it is read from; if it is right by now, remove {self.path}",
                    )


class Attempt:
    """One login under way."""

    def __init__(self, descriptor: int, serial: bytes, pin: bytes) -> None:
        self._descriptor = descriptor
        self._serial = serial
        self._pin = pin

    def refused(self) -> None:
        """Write the refusal down, synced."""
        salt = secrets.token_bytes(_SALT_BYTES)
        line = b" ".join([self._serial.hex().encode(), salt.hex().encode(), _stretched(self._pin, salt)])
        os.write(self._descriptor, line + b"\n")
        os.fsync(self._descriptor)


def _stretched(pin: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(pin, salt=salt, n=_COST, r=8, p=1, dklen=32).hex().encode()

"""GnuPG with a home of its own: the other side of OpenPGP."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_MADE = "20260101T000000!"
"""When its keys are made."""


class GnuPg:
    """Keys under names such as `bank@rural`, without passwords."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self._environment = {**os.environ, "GNUPGHOME": str(home)}

    def run(self, *arguments: str, content: bytes = b"", fails: bool = False) -> bytes:
        """What it writes; a failure raises unless it is wanted."""
        command = ["gpg", "--batch", "--yes", "--trust-model", "always"]
        command += ["--pinentry-mode", "loopback", "--passphrase", "", *arguments]
        done = subprocess.run(command, input=content, env=self._environment, capture_output=True, check=False)
        assert (done.returncode != 0) is fails, done.stderr.decode()
        return done.stdout

    def make_key(self, name: str, kind: str = "rsa2048", until: str = "2028-01-01") -> None:
        """A primary key that signs and, where its kind can, a subkey to encrypt to."""
        clock = ("--faked-system-time", _MADE)
        self.run(*clock, "--quick-gen-key", name, kind, "sign", until)
        listed = self.run("--list-keys", "--with-colons", name).decode()
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        encrypts = "cv25519" if kind == "ed25519" else kind
        self.run(*clock, "--quick-add-key", fingerprint, encrypts, "encr", until)

    def certificate(self, name: str) -> bytes:
        return self.run("--armor", "--export", name)

    def secret(self, name: str, password: str = "") -> bytes:
        return self.run("--armor", "--export-secret-keys", name)

    def stop(self) -> None:
        """Its agent would stay behind."""
        subprocess.run(["gpgconf", "--kill", "all"], env=self._environment, check=True, capture_output=True)

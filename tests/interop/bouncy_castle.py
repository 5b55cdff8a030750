"""One Java process for a whole test run, that asks Bouncy Castle."""

from __future__ import annotations

import subprocess
from pathlib import Path

_CLASS_PATH = ":".join(f"/usr/share/java/{name}.jar" for name in ("bcprov", "bcpkix", "bcutil"))
_SOURCE = Path(__file__).with_name("GmJudge.java")


class Refused(Exception):
    """What Bouncy Castle said."""


class BouncyCastle:
    """`ask` runs one command of `GmJudge.java`."""

    def __init__(self) -> None:
        command = ["java", "-cp", _CLASS_PATH, str(_SOURCE)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, *words: str | Path) -> str:
        """What was found; raises `Refused`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the judge has ended: is the Java compiler there, and libbcpkix-java?"
        kind, _, said = answer.rstrip("\n").partition("\t")
        if kind != "ok":
            raise Refused(said)
        return said

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

"""One target under atheris (libFuzzer with the coverage of our own packages), in a process of its own.

The parent imports everything once, instrumented; each target is a fork of it, so that a
target that crashes or hangs takes nothing with it. What is new to a target's coverage is kept
in its corpus between runs.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import re
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from tests.fuzz.findings import FOLDER, keep
from tests.fuzz.mutation import TELLING
from tests.fuzz.shared_memory import owned
from tests.fuzz.target import MIB, Target, check

PACKAGES = ("formats", "keys", "channels", "gateway")
_GRACE_SECONDS = 60
"""For seeds, start and end of a target, beyond the seconds that it fuzzes."""
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
_COVERED = re.compile(r"cov: (\d+)")
_RESIDENT_LIMIT_MIB = 2048
_WORD = re.compile(rb"[A-Za-z0-9_.-]{3,40}")
_WORDS_LIMIT = 400


class Hunted(Struct, frozen=True):
    """How a target's turn ended. `found` is the kept input, None where there was no finding."""

    target: str
    executions: int
    covered: int
    found: Path | None
    log: Path


@contextlib.contextmanager
def instrumented() -> Iterator[None]:
    """Whatever is imported of ours in this block tells atheris which paths it takes."""
    import atheris

    told = io.StringIO()
    with (
        contextlib.redirect_stderr(told),
        atheris.instrument_imports(include=list(PACKAGES), enable_loader_override=False),
    ):
        yield


def hunt(target: Target, seconds: int, folder: Path, findings: Path = FOLDER) -> Hunted:
    """Fuzz one target for so many seconds; `folder` keeps its corpus and its log.

    The first finding ends it, and is kept below `findings`.
    """
    corpus, seeds = folder / target.name / "corpus", folder / target.name / "seeds"
    shutil.rmtree(seeds, ignore_errors=True)
    for each in (corpus, seeds):
        each.mkdir(parents=True, exist_ok=True)
    log, current = folder / target.name / "log", folder / target.name / "current"
    current.unlink(missing_ok=True)
    with owned():
        child = os.fork()
        if child == 0:
            _divert(log)
            _ended(lambda: _fuzz(target, seconds, corpus, seeds, _Current(current)))
        status = _wait(child, seconds + _GRACE_SECONDS)
    text = log.read_text("utf-8", "replace")
    last = _Current(current).content() if status else None
    found = None if last is None else keep(target.name, last, findings)
    executed, covered = _EXECUTED.search(text), _COVERED.findall(text)
    return Hunted(
        target=target.name,
        executions=int(executed[1]) if executed else 0,
        covered=int(covered[-1]) if covered else 0,
        found=found,
        log=log,
    )


class _Current:
    """The input under examination, where a process that dies of it leaves it: a mapped file."""

    _SIZE_BYTES = 8

    def __init__(self, path: Path) -> None:
        with path.open("a+b") as file:
            file.truncate(MIB)
            self._map = mmap.mmap(file.fileno(), MIB)

    def note(self, content: bytes) -> None:
        # One more than its length: zero means that nothing was examined yet.
        size = (len(content) + 1).to_bytes(self._SIZE_BYTES, "big")
        self._map[: self._SIZE_BYTES + len(content)] = size + content

    def content(self) -> bytes | None:
        """The last input; None where the process died before the first."""
        size = int.from_bytes(self._map[: self._SIZE_BYTES], "big") - 1
        return None if size < 0 else self._map[self._SIZE_BYTES : self._SIZE_BYTES + size]


def _fuzz(target: Target, seconds: int, corpus: Path, seeds: Path, current: _Current) -> None:
    import atheris

    def examine(content: bytes) -> None:
        current.note(content)
        check(target, content)

    # As in the tests: a warning is a mistake.
    warnings.simplefilter("error")
    contents = target.seeds()
    for number, content in enumerate(contents):
        (seeds / f"{number:03d}").write_bytes(content)
    words = seeds.with_name("words")
    words.write_text(_dictionary(contents), "ascii")
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={target.input_limit_bytes}",
        f"-timeout={int(target.seconds * 4)}",
        f"-rss_limit_mb={_RESIDENT_LIMIT_MIB}",
        f"-artifact_prefix={seeds.parent}/",
        f"-dict={words}",
        "-print_final_stats=1",
        "-use_value_profile=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus), str(seeds)], examine)
    atheris.Fuzz()


def _dictionary(contents: list[bytes]) -> str:
    """What libFuzzer may put in: the words of the seeds, and what readers have stumbled over."""
    words = {word for content in contents for word in _WORD.findall(content)}
    chosen = [*TELLING, *sorted(words)[:_WORDS_LIMIT]]
    return "".join('"' + "".join(f"\\x{octet:02x}" for octet in word) + '"\n' for word in chosen)


def _divert(log: Path) -> None:
    """Everything that this process and libFuzzer say goes to the log."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for standard in (1, 2):
        os.dup2(handle, standard)


def _ended(work: Callable[[], None]) -> None:
    """A forked process never goes back into its parent's work."""
    try:
        work()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def _wait(child: int, seconds: float) -> int:
    """Until the child ends, its status; one that does not end is ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended == child:
            return status
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]

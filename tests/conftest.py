"""What holds for all tests: public samples are optional, a skip in continuous integration is a failure."""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keys import private
from tests.kills.mounts import NOBODY_MOUNTS, may_mount

_SAMPLES = "BANKGATE_SAMPLES"
_MEMORY = Path("/dev/shm")
_MEMORY_LEAST_BYTES = 2 << 30
"""Of shared memory and of memory: sites of quick tests are small, and go when their test has passed."""
_MEMORY_PREFIX = "bankgate-tests-"

# Started in the background by a shell, this process ignores Ctrl-C, and so would every command that
# the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Where people share a group (umask 0002) others might change what the tests write: refused, as it should be.
os.umask(0o022)


# OpenSSL tries the primes of an RSA key each time that it is loaded, for 30 ms, and the tests open sites
# with the same keys some thousand times. Same bytes, same key; what does not open is tried each time.
setattr(private, "load_pem_private_key", functools.lru_cache(maxsize=512)(load_pem_private_key))  # noqa: B010


def _samples_folder() -> Path | None:
    value = os.environ.get(_SAMPLES, "")
    return Path(value) if value else None


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of public bank files; a test that asks for it is not collected where there is none."""
    folder = _samples_folder()
    assert folder is not None
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.basetemp is None and "not heavy" in (config.option.markexpr or ""):
        config.option.basetemp = _folder_in_memory()
    config.addinivalue_line("markers", f"samples: reads public bank files in ${_SAMPLES}")
    folder = _samples_folder()
    if folder is not None and not folder.is_dir():
        raise pytest.UsageError(f"{_SAMPLES}: there is no folder {folder}")


def _folder_in_memory() -> str | None:
    """Where a sync costs nothing: each test's gateways sync hundreds of times. None where there is no room.

    No test takes the power away; those that fill a disk mount one of their own.
    """
    try:
        room = os.statvfs(_MEMORY)
    except OSError:
        return None
    available = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text("ascii"))
    free_bytes = min(room.f_bavail * room.f_frsize, int(available[1]) << 10 if available else 0)
    if free_bytes < _MEMORY_LEAST_BYTES or room.f_flag & os.ST_NOEXEC or not os.access(_MEMORY, os.W_OK):
        return None
    for left in _MEMORY.glob(f"{_MEMORY_PREFIX}*"):
        if not Path("/proc", left.name.removeprefix(_MEMORY_PREFIX)).exists():
            shutil.rmtree(left, ignore_errors=True)
    return _own_folder()


def _own_folder() -> str:
    return str(_MEMORY / f"{_MEMORY_PREFIX}{os.getpid()}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _samples_folder() is not None:
        return
    left_out = [item for item in items if _needs_samples(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _needs_samples(item: pytest.Item) -> bool:
    return "samples" in getattr(item, "fixturenames", ()) or item.get_closest_marker("samples") is not None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _samples_folder() is None:
        terminalreporter.write_line(f"{_SAMPLES} is not set: tests that read public samples are left out")
    reports = [one for group in terminalreporter.stats.values() for one in group]
    kills = any("tests/kills/" in getattr(report, "nodeid", "") for report in reports)
    if kills and not may_mount():
        terminalreporter.write_line(f"tests/kills: {NOBODY_MOUNTS}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.option.basetemp == _own_folder() and not session.testsfailed:
        # What failed may be looked at until the next run.
        shutil.rmtree(_own_folder(), ignore_errors=True)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        reporter.ensure_newline()
        reporter.write_line("a test was skipped: in continuous integration a missing part is a failure")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

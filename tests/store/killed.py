"""A deed in a process of its own that dies at its n-th step: SIGKILL, as by `kill -9`.

A step is anything that changes files: opened for writing, made, named, linked, removed; and each
connection to a database. What lies between two steps is writing.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable

_STEPS = frozenset(
    {
        *("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.copyfile"),
        *("sqlite3.connect", "sqlite3.connect/handle", "fcntl.flock"),
    }
)


def is_killed_at(step: int, deed: Callable[[], object]) -> bool:
    """Whether the deed had so many steps and died at that one; False where it came to its end."""
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0, "the deed failed, see standard error"
        return False
    code = 1
    try:
        _die_at(step)
        deed()
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _die_at(step: int) -> None:
    seen = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in _STEPS or (event == "open" and _writes(arguments)):
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    sys.addaudithook(count)


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))

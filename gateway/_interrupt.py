"""Ctrl-C while the command is still importing: a line instead of a traceback.

Imports take a second, and that is when people notice that they typed the wrong thing. Only
the command itself is touched, never a program that imports the library; `cli.main` takes
the signal back to its usual meaning.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

COMMAND = "bankgate"
INTERRUPTED = 130
_ENGLISH = "error: interrupted\nhint: nothing was begun\n"
_CHINESE = "错误: 已中断\n提示: 尚未开始任何操作\n"


def end_quietly(_signal: int, _frame: FrameType | None) -> None:
    """Nothing was opened yet, so nothing has to be put away."""
    os.write(2, (_CHINESE if _is_chinese() else _ENGLISH).encode())
    os._exit(INTERRUPTED)


def _is_chinese() -> bool:
    """As `texts.language` says by the locale; that is not imported yet."""
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next(filter(None, named), "").lower().startswith("zh")


def is_command(program: str) -> bool:
    """Whether the process was started as the command, not as somebody's program."""
    return os.path.basename(program) == COMMAND


if is_command(sys.argv[0]) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, end_quietly)

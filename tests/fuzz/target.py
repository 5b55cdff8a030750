"""What is fuzzed: a target takes any bytes, and judges by itself what came of them.

A target returns for every input that ended as documented: a value, or an error of the type
that its room names. Any other exception, an assertion of the target among them, is a finding;
so is an input that takes more time or memory than the target allows.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from msgspec import Struct

MIB = 1 << 20
_PEAK_RESET = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_FORGET_PEAK = "5"
"""What the kernel wants to hear to begin a new high-water mark of resident memory."""


class Target(Struct, frozen=True, kw_only=True):
    """One reader of foreign bytes. `seeds` makes a corpus of generated, well-formed inputs.

    `seconds` and `memory_bytes` bound one input: processor time, and growth of resident memory.
    """

    name: str
    examine: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    seconds: float = 5.0
    memory_bytes: int = 64 * MIB
    input_limit_bytes: int = 16 * 1024
    changes: int = 1000
    """Changed inputs that the tests try: about a second of them."""


class TooSlow(AssertionError):
    """One input took more processor time than its target allows."""


class TooLarge(AssertionError):
    """One input took more memory than its target allows."""


def check(target: Target, content: bytes) -> None:
    """One input within the target's bounds; raises whatever is a finding."""
    with bounded(target.seconds, target.memory_bytes):
        target.examine(content)


@contextmanager
def bounded(seconds: float, memory_bytes: int) -> Iterator[None]:
    """Stops a block that takes more processor time, and refuses one that took more memory."""
    started = time.process_time()
    before = _status_bytes("VmRSS")
    _PEAK_RESET.write_text(_FORGET_PEAK)
    previous = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
    took = time.process_time() - started
    if took > seconds:
        raise TooSlow(f"{took:.1f} s of processor time, {seconds} are allowed")
    grew = _status_bytes("VmHWM") - before
    if grew > memory_bytes:
        raise TooLarge(f"{grew // MIB} MiB, {memory_bytes // MIB} are allowed")


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlow("stopped after the processor time that one input may take")


def _status_bytes(name: str) -> int:
    """A line of the process's status that is in kB, as bytes."""
    text = _STATUS.read_text("ascii")
    start = text.index(f"{name}:") + len(name) + 1
    return int(text[start : text.index("kB", start)]) * 1024

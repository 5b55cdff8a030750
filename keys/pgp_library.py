"""The OpenPGP package behind the extra `[pgp]` (Sequoia), at arm's length.

It works on files by name, holds Python's lock meanwhile, and tells errors as text with a back
trace. So contents are files in memory that have a name; what it writes is bounded by the
process' limit for files, which nobody else meets, since no other thread of Python runs; and its
errors become one of ours without their text.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from keys.errors import KeyUnavailable, SealError
from keys.tlv import BLOCK_BYTES, ByteSource

LIMIT_BYTES: Final = 128 << 20
"""Of a message, and of what is in it: both are in memory, together."""


class Failed(Exception):
    """The package refused; whoever called knows what that means."""


def library() -> ModuleType:
    """The package; raises `KeyUnavailable` where it is not installed."""
    try:
        import pysequoia
    except ImportError:
        raise KeyUnavailable(
            "OpenPGP needs a package that is not installed", "pip install 'bankgate[pgp]'"
        ) from None
    module: ModuleType = pysequoia
    return module


def attempt(call: Callable[[], Any]) -> Any:
    """What the call gives; raises `Failed` for whatever the package raises."""
    try:
        return call()
    except (RuntimeError, OSError, ValueError, TypeError):
        raise Failed from None


def read_limited(source: ByteSource, limit_bytes: int = LIMIT_BYTES) -> bytes:
    """All that is left in `source`; raises `SealError` beyond the limit."""
    blocks, size_bytes = [], 0
    while block := source.read(BLOCK_BYTES):
        size_bytes += len(block)
        if size_bytes > limit_bytes:
            raise SealError(
                f"more than {limit_bytes} bytes are not sealed or opened with OpenPGP",
                "agree on smaller files, or on CMS, which has no limit",
            )
        blocks.append(block)
    return b"".join(blocks)


@contextmanager
def in_memory(content: bytes = b"") -> Iterator[tuple[int, str]]:
    """A file in memory: its descriptor and its name."""
    descriptor = os.memfd_create("openpgp", os.MFD_CLOEXEC)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        yield descriptor, f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def content_of(descriptor: int) -> bytes:
    """All bytes of such a file."""
    size_bytes = os.fstat(descriptor).st_size
    blocks = [os.pread(descriptor, BLOCK_BYTES, start) for start in range(0, size_bytes, BLOCK_BYTES)]
    return b"".join(blocks)


@contextmanager
def bounded_output(limit_bytes: int = LIMIT_BYTES) -> Iterator[None]:
    """No file grows beyond the limit: a small message may say that it is a very large one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    bound = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bound, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

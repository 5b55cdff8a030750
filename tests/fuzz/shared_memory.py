"""Folders in shared memory: quick, and gone when the process ends, or when whoever forked it says so."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED_MEMORY = "/dev/shm"
_VARIABLE = "BANKGATE_FUZZ_FOLDER"


def make_folder(name: str) -> Path:
    """A new folder for the rest of this process."""
    made = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-", dir=os.environ.get(_VARIABLE, SHARED_MEMORY)))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@contextmanager
def owned() -> Iterator[None]:
    """Folders that processes make which are forked in this block: a fuzzer ends them without a word."""
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=SHARED_MEMORY) as folder:
        os.environ[_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[_VARIABLE]

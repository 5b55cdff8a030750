"""The log: one JSON line an event, in a private file; no payload, no name, no account.

Nothing global is configured: a platform that uses the library keeps its own logging.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger

from gateway.store.folders import make_private

FILE_NAME = "bankgate.log"


def open_log(folder: Path) -> tuple[FilteringBoundLogger, TextIO]:
    """A logger that appends to `folder`/bankgate.log (mode 0600), and the file to close."""
    make_private(folder)
    handle = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    stream = os.fdopen(handle, "a", encoding="utf-8", buffering=1)
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    )
    return logger, stream

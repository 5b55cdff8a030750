"""What one run did, what waits, and what a person must look at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from msgspec import Struct, field

from gateway.errors import ExitCode


class Attention(Struct, frozen=True, kw_only=True):
    """Something that a person must look at. `hint` says what can be done, `code` how grave it is."""

    bank: str
    about: str
    message: str
    hint: str = ""
    code: ExitCode = ExitCode.NEEDS_PERSON
    by_itself: bool = False
    """A later run tries again; nobody needs to do anything yet."""


class RunReport(Struct, kw_only=True):
    """What one run did. `next_due` is when a further run may find work; None: nothing waits by itself.

    `seconds` are by stage (make, send, fetch, settle), of this process's clock.
    """

    files_made: int = 0
    files_sent: int = 0
    files_received: int = 0
    results_settled: int = 0
    outcomes: int = 0
    findings: int = 0
    listed: int = 0
    """Payments that waited for their programme to be in the catalogue, and do not any more."""
    notices: int = 0
    entries: int = 0
    attention: list[Attention] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    next_due: datetime | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def did_something(self) -> bool:
        done = (self.files_made, self.files_sent, self.files_received, self.results_settled, self.listed)
        return any(done)

    @property
    def exit_code(self) -> ExitCode:
        """How a command that did this run ends: the gravest of what needs a person."""
        return max((item.code for item in self.attention), default=ExitCode.DONE)

    def wait_until(self, instant: datetime | None) -> None:
        if instant is not None and (self.next_due is None or instant < self.next_due):
            self.next_due = instant

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

"""Many histories on several processes, added up."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct, field

from tests.simulation.history import Ended, play_seed
from tests.simulation.observation import Visited
from tests.simulation.world import Base

_CHUNK = 20
"""Histories that a process plays before it reports: some seconds."""
_MEMORY = Path("/dev/shm")  # nothing of a simulation is worth a disk


class Tally(Struct, kw_only=True):
    """What histories came to, added up."""

    histories: int = 0
    steps: int = 0
    faults: int = 0
    crashes: int = 0
    violations: list[Ended] = field(default_factory=list)
    banks_own: Counter[str] = field(default_factory=Counter)
    visited: Visited = field(default_factory=Visited)

    def count(self, ended: Ended) -> None:
        self.histories += 1
        self.steps += ended.steps
        self.faults += ended.faults
        self.crashes += ended.crashes
        self.banks_own.update(ended.banks_own)
        self.visited.add(ended.visited)
        if ended.violation:
            self.violations.append(ended)

    def add(self, other: Tally) -> None:
        self.histories += other.histories
        self.steps += other.steps
        self.faults += other.faults
        self.crashes += other.crashes
        self.banks_own.update(other.banks_own)
        self.visited.add(other.visited)
        self.violations += other.violations


def play_many(first: int, count: int, rate: float, processes: int) -> Iterator[Tally]:
    """Play the seeds from `first` on; a tally of each chunk as it is done, in any order.

    Whoever stops iterating, by Ctrl-C too, ends the processes.
    """
    jobs = [
        (start, min(_CHUNK, first + count - start), rate) for start in range(first, first + count, _CHUNK)
    ]
    with scratch() as folder:
        context = multiprocessing.get_context("spawn")
        pool = context.Pool(processes, _begin, (folder,))
        try:
            yield from pool.imap_unordered(_play_chunk, jobs)
        finally:
            pool.terminate()
            pool.join()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory where the machine has one, gone at the end of the block."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="simulation-", dir=place) as folder:
        yield Path(folder)


_bases: list[Base] = []
"""The base of this process, made once: keys and configuration."""


def _begin(folder: Path) -> None:
    # Ctrl-C goes to everybody at the terminal: the one who waits decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A library for SM2 says there what it thinks of each signature that does not hold.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    _bases.append(Base(folder / str(os.getpid())))


def _play_chunk(job: tuple[int, int, float]) -> Tally:
    start, count, rate = job
    tally = Tally()
    for seed in range(start, start + count):
        tally.count(play_seed(_bases[0], seed, rate))
    return tally

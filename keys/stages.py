"""Seals made while bytes pass through: each stage writes its output into the next one.

A stage knows how long its output will be before it gets a byte, since lengths stand in front
in DER. So stages are made from the first to the last, each with the length that the one
before announces, and then started from the last to the first (`connect`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from keys.errors import SealError


class ByteSink(Protocol):
    """Anything to write to, in order."""

    def write(self, block: bytes, /) -> object: ...


class Stage(Protocol):
    """Makes one seal around, or over, what is written into it."""

    size_bytes: int
    """Length of all that it writes."""

    def start(self, sink: ByteSink) -> None:
        """Write what stands before the content."""
        ...

    def write(self, block: bytes, /) -> object: ...

    def finish(self) -> None:
        """Write what stands behind the content. Raises `SealError` for another length than announced."""
        ...


def connect(stages: Sequence[Stage], sink: ByteSink) -> ByteSink:
    """Start all stages, in the order in which content goes through them; where to write it."""
    for stage in reversed(stages):
        stage.start(sink)
        sink = stage
    return sink


def finish(stages: Sequence[Stage]) -> None:
    """After the last byte of the content."""
    for stage in stages:
        stage.finish()


class Measure:
    """Holds a stage to the length that was announced for its content."""

    def __init__(self, announced_bytes: int) -> None:
        self._announced_bytes = announced_bytes
        self._taken_bytes = 0

    def take(self, block: bytes) -> None:
        self._taken_bytes += len(block)
        if self._taken_bytes > self._announced_bytes:
            self.finish()

    def finish(self) -> None:
        if self._taken_bytes != self._announced_bytes:
            raise SealError(
                f"{self._taken_bytes} bytes or more to seal, {self._announced_bytes} were announced"
            )


class Tap:
    """A stage through which content passes unchanged; somebody sees all of it, for a signature beside it."""

    def __init__(self, content_bytes: int, observe: Callable[[bytes], object]) -> None:
        self.size_bytes = content_bytes
        self._observe = observe
        self._measure = Measure(content_bytes)

    def start(self, sink: ByteSink) -> None:
        self._sink = sink

    def write(self, block: bytes, /) -> None:
        self._measure.take(block)
        self._observe(block)
        self._sink.write(block)

    def finish(self) -> None:
        self._measure.finish()

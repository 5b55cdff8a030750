"""Sealed files, frames and texts that somebody changed on the disk."""

from __future__ import annotations

import io

from keys.errors import KeyUnavailable, SealedFileDamaged
from keys.sealed import (
    FrameReader,
    FrameWriter,
    SealedReader,
    SealedWriter,
    open_texts,
    rewrap_header,
    seal_texts,
)
from tests.fuzz.identities import masters
from tests.fuzz.pieces import Pieces, parts
from tests.fuzz.target import Target

CLEAR = b"0123456789" * 20_000
FRAMES = [b"first", b"", b"third" * 1000]
TEXTS = ["户名不符", "", "x" * 300]
_CONTEXT = b"fuzz"
_REFUSALS = (SealedFileDamaged, KeyUnavailable)


def files(content: bytes) -> None:
    """What opens is what was sealed, or the beginning of an error."""
    try:
        with SealedReader(io.BytesIO(content), masters(), _CONTEXT) as reader:
            assert reader.size_bytes in (0, len(CLEAR))
            read = reader.read()
    except _REFUSALS:
        return
    assert read in (b"", CLEAR)


def frames(content: bytes) -> None:
    """What opens is what was sealed."""
    try:
        assert list(FrameReader(io.BytesIO(content), masters(), _CONTEXT)) in (FRAMES, [])
    except _REFUSALS:
        return


def texts(content: bytes) -> None:
    """Each text that opens is one of those that were sealed."""
    pieces = Pieces(content)
    blobs = [pieces.part() for _ in range(3)]
    try:
        opened = open_texts(masters(), blobs, _CONTEXT)
    except _REFUSALS:
        return
    assert set(opened) <= set(TEXTS)


def headers(content: bytes) -> None:
    """A header under another master is another header, or refused."""
    try:
        again = rewrap_header(content, masters())
    except _REFUSALS:
        return
    assert len(again) == 140


def _sealed(clear: bytes, master: str = "fuzz-2") -> bytes:
    sink = io.BytesIO()
    with SealedWriter(sink, masters().find(master), _CONTEXT) as writer:
        writer.write(clear)
    return sink.getvalue()


def _framed(clear: list[bytes]) -> bytes:
    sink = io.BytesIO()
    with FrameWriter(sink, masters().current, _CONTEXT) as writer:
        for frame in clear:
            writer.append(frame)
    return sink.getvalue()


def _text_seeds() -> list[bytes]:
    first = seal_texts(masters().find("fuzz-1"), TEXTS, _CONTEXT)
    second = seal_texts(masters().current, TEXTS, _CONTEXT)
    return [parts(*first), parts(*second), parts(first[0], second[1], first[2])]


TARGETS = [
    Target(
        name="sealed-files",
        examine=files,
        seeds=lambda: [_sealed(CLEAR), _sealed(b""), _sealed(CLEAR, "fuzz-1")],
        input_limit_bytes=256 * 1024,
    ),
    Target(name="sealed-frames", examine=frames, seeds=lambda: [_framed(FRAMES), _framed([])]),
    Target(name="sealed-texts", examine=texts, seeds=_text_seeds),
    Target(name="sealed-headers", examine=headers, seeds=lambda: [_sealed(b"")[:140], _framed([])[:140]]),
]

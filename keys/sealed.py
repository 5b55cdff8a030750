"""Files at rest, sealed with AES-256-GCM: streams of bytes, sequences of frames, short texts.

A stream is cut into chunks of 64 KiB; each is sealed with its number and whether it is the
last, and `SealedReader` opens them in any order. Truncation, extension, reordering, a change
of any bit, and another file under this file's name are all `SealedFileDamaged`. `context`
names purpose and identity (`b"batch:..."`) and must be the same for writing and reading.

Frames are in `keys/sealed_frames.py`, texts in `keys/sealed_text.py`; both are offered here.
Syncing and closing the file underneath is the caller's work, always.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

from keys.errors import SealedFileDamaged
from keys.master import MasterKey, Masters, load_master_key, new_master_key_file
from keys.sealed_frames import FrameReader, FrameWriter
from keys.sealed_header import (
    HEADER_BYTES,
    TAG_BYTES,
    Kind,
    PieceCipher,
    Role,
    Sink,
    Source,
    make_header,
    open_header,
    rewrap_header,
)
from keys.sealed_text import open_text, open_texts, seal_text, seal_texts

__all__ = [
    "HEADER_BYTES",
    "FrameReader",
    "FrameWriter",
    "MasterKey",
    "Masters",
    "SealedReader",
    "SealedWriter",
    "load_master_key",
    "new_master_key_file",
    "open_text",
    "open_texts",
    "rewrap_header",
    "seal_text",
    "seal_texts",
    "verify_sealed",
]

CHUNK_BYTES: Final = 64 * 1024
"""AES-GCM gains nothing from larger chunks (measured: 16 KiB 0.6 of it, 1 MiB the same)."""
_CHUNK_LIMIT_BYTES = 16 << 20


class SealedWriter:
    """Seals what is written into `sink`.

    `close` writes the last chunk; without it the file is cut, and readers refuse it. So a
    `with` block that raises leaves nothing that could be taken for a whole file.
    """

    def __init__(self, sink: Sink, master: MasterKey, context: bytes = b"") -> None:
        header, self._cipher = make_header(Kind.STREAM, master, context, CHUNK_BYTES)
        self._sink = sink
        self._pending = bytearray()
        self._number = 0
        self.closed = False
        self.size_bytes = 0
        """Clear bytes written so far."""
        sink.write(header)

    def write(self, block: bytes | bytearray | memoryview, /) -> int:
        """Takes the whole block; returns its length."""
        if self.closed:
            raise ValueError("write to a closed sealed file")
        self._pending += block
        length = memoryview(block).nbytes
        self.size_bytes += length
        # One full chunk stays behind, since it may turn out to be the last.
        if len(self._pending) > CHUNK_BYTES:
            self._write_full_chunks()
        return length

    def close(self) -> None:
        """Write the last chunk. The sink stays open. A second call does nothing."""
        if not self.closed:
            self.closed = True
            self._sink.write(self._cipher.seal(Role.LAST_CHUNK, self._number, self._pending))
            self._pending.clear()

    def abandon(self) -> None:
        """Stop without a last chunk: what was written stays unreadable."""
        self.closed = True
        self._pending.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()

    def _write_full_chunks(self) -> None:
        count = (len(self._pending) - 1) // CHUNK_BYTES
        with memoryview(self._pending) as view:
            for start in range(0, count * CHUNK_BYTES, CHUNK_BYTES):
                with view[start : start + CHUNK_BYTES] as chunk:
                    self._sink.write(self._cipher.seal(Role.CHUNK, self._number, chunk))
                self._number += 1
        del self._pending[: count * CHUNK_BYTES]


class SealedReader(io.BufferedReader):
    """The clear bytes of a sealed stream, as a seekable binary file.

    The header and the last chunk are verified when it is made, so `size_bytes` can be trusted
    at once; every other chunk is verified before a byte of it is given out. Raises
    `SealedFileDamaged`, or `KeyUnavailable` for a master that the ring does not have.
    Closing it leaves `source` open.
    """

    def __init__(self, source: Source, masters: Masters, context: bytes = b"") -> None:
        raw = _SealedChunks(source, masters, context)
        super().__init__(raw, buffer_size=raw.chunk_bytes)
        self.size_bytes = raw.size_bytes
        self._chunk_bytes = raw.chunk_bytes

    def blocks(self) -> Iterator[bytes]:
        """The rest of the file in blocks of about a chunk."""
        while block := self.read(self._chunk_bytes):
            yield block


def verify_sealed(source: Source, masters: Masters, context: bytes = b"") -> str:
    """Open every piece of a sealed file; lower-case hex SHA-256 of a stream's clear bytes, "" of frames.

    Returns where every bit is as it was written. Raises as the readers do.
    """
    source.seek(0)
    if source.read(HEADER_BYTES)[9:10] == Kind.FRAMES.value:
        for _ in FrameReader(source, masters, context):
            pass
        return ""
    digest = hashlib.sha256()
    for block in SealedReader(source, masters, context).blocks():
        digest.update(block)
    return digest.hexdigest()


class _SealedChunks(io.RawIOBase):
    """Opens one chunk at a time; `io.BufferedReader` above it does the rest."""

    def __init__(self, source: Source, masters: Masters, context: bytes) -> None:
        self._source = source
        source.seek(0)
        opened = open_header(source.read(HEADER_BYTES), Kind.STREAM, masters, context)
        self._cipher: PieceCipher = opened.cipher
        self.chunk_bytes = opened.chunk_bytes
        body_bytes = source.seek(0, io.SEEK_END) - HEADER_BYTES
        self._last, self.size_bytes = _measure(body_bytes, self.chunk_bytes)
        self._position = 0
        self._number = -1
        self._chunk = b""
        self._open_chunk(self._last)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size_bytes}[whence]
        if start + offset < 0:
            raise ValueError("seek before the start of the file")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        if self._position >= self.size_bytes:
            return 0
        number, offset = divmod(self._position, self.chunk_bytes)
        self._open_chunk(number)
        view = memoryview(buffer).cast("B")
        part = memoryview(self._chunk)[offset : offset + len(view)]
        view[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _open_chunk(self, number: int) -> None:
        if number == self._number:
            return
        stride = self.chunk_bytes + TAG_BYTES
        self._source.seek(HEADER_BYTES + number * stride)
        role = Role.LAST_CHUNK if number == self._last else Role.CHUNK
        self._number, self._chunk = number, self._cipher.open(role, number, self._source.read(stride))


def _measure(body_bytes: int, chunk_bytes: int) -> tuple[int, int]:
    """(number of the last chunk, clear bytes) of a body; raises `SealedFileDamaged`."""
    if not 0 < chunk_bytes <= _CHUNK_LIMIT_BYTES or body_bytes < TAG_BYTES:
        raise SealedFileDamaged("the sealed file is cut: it has no last chunk")
    last = (body_bytes - 1) // (chunk_bytes + TAG_BYTES)
    return last, body_bytes - (last + 1) * TAG_BYTES

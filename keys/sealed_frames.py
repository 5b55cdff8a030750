"""Sealed files made of frames: byte strings that are found again by their number.

After the header come the sealed frames, then the sealed index (the clear length of each
frame, four bytes), then the length of the sealed index in eight bytes. The index is
verified, and must account for every byte of the file, before a frame is read.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from itertools import accumulate
from types import TracebackType
from typing import Final, Self

from keys.errors import SealedFileDamaged
from keys.master import MasterKey, Masters
from keys.sealed_header import HEADER_BYTES, TAG_BYTES, Kind, Role, Sink, Source, make_header, open_header

FRAME_LIMIT_BYTES: Final = 256 << 20
_FOOTER_BYTES = 8


class FrameWriter:
    """Appends sealed frames to `sink`; `close` writes the index, without which no reader opens it."""

    def __init__(self, sink: Sink, master: MasterKey, context: bytes = b"") -> None:
        header, self._cipher = make_header(Kind.FRAMES, master, context, 0)
        self._sink = sink
        self._lengths: list[int] = []
        self.closed = False
        sink.write(header)

    def append(self, frame: bytes) -> int:
        """Seal one frame of at most 256 MiB; returns its number, from 0."""
        if self.closed:
            raise ValueError("append to a closed sealed file")
        if len(frame) > FRAME_LIMIT_BYTES:
            raise ValueError(f"a frame of {len(frame)} bytes; at most {FRAME_LIMIT_BYTES} fit")
        number = len(self._lengths)
        self._sink.write(self._cipher.seal(Role.FRAME, number, frame))
        self._lengths.append(len(frame))
        return number

    def close(self) -> None:
        """Write the index. The sink stays open. A second call does nothing."""
        if not self.closed:
            self.closed = True
            count = len(self._lengths)
            index = self._cipher.seal(Role.INDEX, count, struct.pack(f">{count}I", *self._lengths))
            self._sink.write(index + len(index).to_bytes(_FOOTER_BYTES, "big"))

    def abandon(self) -> None:
        """Stop without an index: what was written stays unreadable."""
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()


class FrameReader:
    """Frames of a sealed file by number, and in order.

    Raises `SealedFileDamaged`, or `KeyUnavailable` for a master that the ring does not have.
    `source` stays open.
    """

    def __init__(self, source: Source, masters: Masters, context: bytes = b"") -> None:
        self._source = source
        source.seek(0)
        self._cipher = open_header(source.read(HEADER_BYTES), Kind.FRAMES, masters, context).cipher
        end = source.seek(0, io.SEEK_END) - _FOOTER_BYTES
        self._lengths = self._read_index(end)
        strides = (length + TAG_BYTES for length in self._lengths)
        *self._offsets, self._index_start = accumulate(strides, initial=HEADER_BYTES)
        if self._index_start + len(self._lengths) * 4 + TAG_BYTES != end:
            raise SealedFileDamaged("frames of the sealed file are missing, or foreign bytes are in it")

    @property
    def count(self) -> int:
        return len(self._lengths)

    def __len__(self) -> int:
        return len(self._lengths)

    def __getitem__(self, number: int) -> bytes:
        """Frame `number`, from 0; raises `IndexError` past the end."""
        if not 0 <= number < len(self._lengths):
            raise IndexError(f"frame {number} of {len(self._lengths)}")
        self._source.seek(self._offsets[number])
        piece = self._source.read(self._lengths[number] + TAG_BYTES)
        return self._cipher.open(Role.FRAME, number, piece)

    def __iter__(self) -> Iterator[bytes]:
        for number in range(len(self._lengths)):
            yield self[number]

    def _read_index(self, end: int) -> tuple[int, ...]:
        if end < HEADER_BYTES + TAG_BYTES:
            raise SealedFileDamaged("the sealed file is cut: it has no index")
        self._source.seek(end)
        index_bytes = int.from_bytes(self._source.read(_FOOTER_BYTES), "big")
        count, rest = divmod(index_bytes - TAG_BYTES, 4)
        if count < 0 or rest or index_bytes > end - HEADER_BYTES:
            raise SealedFileDamaged("the sealed file is cut or extended: its index is not where it should be")
        self._source.seek(end - index_bytes)
        index = self._cipher.open(Role.INDEX, count, self._source.read(index_bytes))
        return struct.unpack(f">{count}I", index)

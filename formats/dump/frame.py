"""The header and signature blocks before a body, annotated; what is no block is left to the body."""

from __future__ import annotations

from typing import BinaryIO

from formats.behind import Behind
from formats.dump.fields import FieldAnnotator, stray
from formats.dump.model import Passage, Piece, Showing
from formats.dump.split import Cut
from formats.flat.compiler import compile_plan
from formats.flat.frames import (
    LINE_END,
    MAXIMUM_SIGNATURE_BYTES,
    RECORD,
    SIGNATURE_CLOSE,
    SIGNATURE_OPEN,
    frame_layout,
)
from formats.language.model import Layout


class FrameAnnotator:
    """Annotates the blocks of a layout with a frame. Immutable."""

    def __init__(self, layout: Layout, showing: Showing) -> None:
        assert layout.frame is not None, "only a layout with a frame"
        self._frame = layout.frame
        self._plan = compile_plan(frame_layout(layout))
        self._record = self._plan.records[RECORD][0]
        self._fields = FieldAnnotator(self._plan, showing)
        self._showing = showing

    def take(self, source: BinaryIO) -> tuple[list[Passage], int, BinaryIO]:
        """The blocks, where the body begins, and a stream that stands there."""
        raw = source.read(self._record.size_bytes + len(LINE_END) + MAXIMUM_SIGNATURE_BYTES)
        size = self._record.size_bytes
        passages = []
        if not raw.startswith(self._opening()):
            found = ("no header block here",)
            passages.append(Passage(line=1, start=0, end=0, name="header block", doubts=found))
            position = 0
        else:
            passages.append(self._header(raw[:size], raw[size : size + len(LINE_END)]))
            position = min(size, len(raw))
            position += len(LINE_END) * (raw[position : position + len(LINE_END)] == LINE_END)
        signature, position = self._signature(raw, position)
        passages += signature
        rest: BinaryIO = Behind(raw[position:], source)  # type: ignore[assignment]
        return passages, position, rest

    def _opening(self) -> bytes:
        """The constant by which a header block is told."""
        selectors = self._record.selectors()
        first = selectors[0] if selectors and selectors[0].start == 0 else None
        return b"" if first is None else next(iter(first.selecting)).encode("latin-1")

    def _header(self, body: bytes, line_end: bytes) -> Passage:
        cuts = [
            Cut(one.start, min(one.end, len(body))) for one in self._record.columns if one.start < len(body)
        ]
        is_whole = len(body) == self._record.size_bytes and line_end == LINE_END
        pieces = self._fields.pieces(self._record, body, cuts, 0, is_whole=is_whole)
        doubts = [] if is_whole else [f"not a header block of {self._record.size_bytes} bytes and CRLF"]
        return Passage(
            line=1,
            start=0,
            end=len(body),
            name="header block",
            pieces=tuple(pieces),
            doubts=tuple(doubts),
        )

    def _signature(self, raw: bytes, position: int) -> tuple[list[Passage], int]:
        if not raw.startswith(SIGNATURE_OPEN, position):
            doubt = self._frame.required and self._frame.signature != "absent"
            missing = Passage(
                line=2, start=position, end=position, name="signature block", doubts=("no signature block",)
            )
            return ([missing] if doubt else []), position
        end = raw.find(SIGNATURE_CLOSE, position)
        if end < 0:
            doubts: tuple[str, ...] = ("a signature block without end",)
            end = min(len(raw), position + len(SIGNATURE_OPEN))
        else:
            doubts, end = (), end + len(SIGNATURE_CLOSE)
        cut = Cut(position, end)
        piece: Piece = stray(raw, cut, 0, self._plan.charset, self._showing, "", "signature")
        end += len(LINE_END) * (raw[end : end + len(LINE_END)] == LINE_END)
        return [
            Passage(line=2, start=position, end=end, name="signature block", pieces=(piece,), doubts=doubts)
        ], end

"""Byte frames around a file: a header block of fixed width, and a signature block behind it.

    {H:02...}CRLF          the header: a fixed record, the table of `[frame]`
    {S:<base64>}CRLF       the signature, on one line, wrapped, or absent
    <?xml ...              the body, of any syntax

The header is written and checked here; a signature is only taken out, or put in, as text: it is made
and verified elsewhere, over the bytes that `signed` names. `describe` is the same header for
`construct`: a description for readers, and the second opinion of the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import construct
from msgspec import Struct

from formats.behind import Behind
from formats.codec import Codec, Decoder
from formats.errors import DecodeError, EncodeError
from formats.flat.compiler import Plan, RecordPlan, compile_plan, file_values
from formats.flat.faults import FaultMaker
from formats.flat.fixed import FixedReader
from formats.flat.record_reader import RecordReader
from formats.language.model import Constant, Frame, Layout, Syntax
from formats.records import FileIdentity, Problem, RecordChunk

RECORD = "frame"
LINE_END = b"\r\n"
SIGNATURE_OPEN, SIGNATURE_CLOSE = b"{S:", b"}"
MAXIMUM_SIGNATURE_BYTES = 1 << 16
WRAP_CHARACTERS = 76
"""Width of a wrapped signature's lines."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/=\r\n]*")


class Parts(Struct, frozen=True):
    """A framed file taken apart; offsets are those of the whole file, in bytes.

    `signature` is the base64 text without line ends, "" where there is no block.
    """

    header: bytes
    signature: str
    body_offset: int
    read_ahead: bytes
    """Bytes of the body that were read already."""


class FramedCodec:
    """A codec whose files stand behind a header block; see `formats.codec.Codec`."""

    def __init__(self, layout: Layout, inner: Codec) -> None:
        assert layout.frame is not None, "only a layout with a frame"
        self.name, self.version, self.purpose = inner.name, inner.version, inner.purpose
        self.digest, self.encoding = inner.digest, inner.encoding
        self.highest_sequence = min(inner.highest_sequence, layout.highest_sequence())
        self.frame: Frame = layout.frame
        self._inner = inner
        self._layout = layout
        self._plan, self._record = _compile(layout)
        self._reader = FixedReader(self._plan)

    def columns(self, record: str = "payment") -> frozenset[str]:
        """Those of the body."""
        return self._inner.columns(record)

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None = None) -> list[Problem]:
        """Those of the body."""
        return self._inner.problems(chunk, identity)

    def substitute(self, chunk: RecordChunk) -> tuple[RecordChunk, list[Problem]]:
        """As the body does."""
        return self._inner.substitute(chunk)

    def encode(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        """The header block, then the body: a file without signature. Raises `EncodeError`."""
        yield self.header(identity)
        yield from self._inner.encode(identity, chunks)

    def header(self, identity: FileIdentity) -> bytes:
        """The header block with its line end. Raises `EncodeError` where a value does not fit."""
        values = file_values(identity)
        parts: list[str] = []
        for column in self._record.columns:
            if column.cells is None:
                parts.append(column.text)
                continue
            value = values.get(column.name)
            cells = column.cells.write([value])
            if cells is None:
                fault = column.cells.fault(value)
                wanted = "a value that fits" if fault is None else fault.wanted
                message = f"{self.name} header {column.title}: nothing that can be written, wanted {wanted}"
                problem = Problem(code="frame", message=message, source=self.name, column=column.title)
                raise EncodeError([problem])
            parts.append(column.cells.template % tuple(cell[0] for cell in cells))
        return "".join(parts).encode("latin-1") + LINE_END

    def signed(self, unsigned_header: bytes, signature: str) -> bytes:
        """What stands before the body of a signed file: the header block and the signature block."""
        text = signature
        if self.frame.signature == "wrapped":
            lines = [text[start : start + WRAP_CHARACTERS] for start in range(0, len(text), WRAP_CHARACTERS)]
            text = "\r\n".join(lines)
        return unsigned_header + SIGNATURE_OPEN + text.encode("ascii") + SIGNATURE_CLOSE + LINE_END

    def split(self, source: BinaryIO) -> Parts:
        """Read the blocks before the body; the source then stands at the body. Raises `DecodeError`."""
        size = self._record.size_bytes
        header = source.read(size + len(LINE_END))
        if len(header) < size + len(LINE_END) or not header.endswith(LINE_END):
            found = f"{len(header)} bytes" if len(header) < size else "no CRLF behind the header block"
            raise self._refuse("frame-header", found, f"a header block of {size} bytes and CRLF")
        start = source.read(len(SIGNATURE_OPEN))
        if start != SIGNATURE_OPEN:
            if self.frame.signature != "absent" and self.frame.required:
                raise self._refuse("frame-signature", "no signature block", "{S:...} behind the header block")
            return Parts(header, "", len(header), start)
        raw, rest = self._read_signature(source)
        size = len(header) + len(SIGNATURE_OPEN) + len(raw) + len(SIGNATURE_CLOSE) + len(LINE_END)
        return Parts(header, raw.replace(b"\r\n", b"").decode("ascii"), size, rest)

    def _read_signature(self, source: BinaryIO) -> tuple[bytes, bytes]:
        """The text of a signature block, and what was read behind it."""
        buffer = b""
        while SIGNATURE_CLOSE not in buffer:
            part = source.read(4096)
            buffer += part
            if not part or len(buffer) > MAXIMUM_SIGNATURE_BYTES:
                raise self._refuse("frame-signature", "a signature block without end", "} behind it")
        raw, _, rest = buffer.partition(SIGNATURE_CLOSE)
        rest += source.read(len(LINE_END)) if len(rest) < len(LINE_END) else b""
        if not rest.startswith(LINE_END) or _BASE64.fullmatch(raw) is None:
            raise self._refuse("frame-signature", "a signature block that is none", "base64, then } and CRLF")
        return raw, rest[len(LINE_END) :]

    def decode(self, source: BinaryIO, identity: FileIdentity | None = None) -> Decoder:
        """Read the blocks, then the body. A signature is told in `facts["frame.signature"]`, not judged."""
        return _FramedDecoder(self, source, identity)

    def read_header(
        self, header: bytes, identity: FileIdentity | None
    ) -> tuple[dict[str, Any], list[Problem]]:
        """What the header says of the file, and what is not as it should be. Raises `DecodeError`."""
        facts: dict[str, Any] = {}
        problems: list[Problem] = []
        faults = FaultMaker(self.name, identity.name if identity else "", lambda name, line: None)
        reader = RecordReader(self._plan, self._reader, faults, identity, facts, problems)
        body = header[: self._record.size_bytes]
        if not self._reader.matches(self._record, body):
            raise self._refuse("frame-header", "another block", "the header block of this message")
        reader.once(self._record, body, 1)
        return facts, problems

    def body(self, source: BinaryIO, identity: FileIdentity | None) -> Decoder:
        """Read a body."""
        return self._inner.decode(source, identity)

    def _refuse(self, code: str, found: str, wanted: str) -> DecodeError:
        message = f"{self.name} line 1: found {found}, wanted {wanted}"
        return DecodeError(
            [Problem(code=code, message=message, source=self.name, line=1, found=found, wanted=wanted)]
        )


class _FramedDecoder:
    """One framed file being read; see `formats.codec.Decoder`."""

    def __init__(self, codec: FramedCodec, source: BinaryIO, identity: FileIdentity | None) -> None:
        self.facts: dict[str, Any] = {"declared": {}}
        self.problems: list[Problem] = []
        self._codec, self._source, self._identity = codec, source, identity

    def __iter__(self) -> Iterator[RecordChunk]:
        parts = self._codec.split(self._source)
        facts, problems = self._codec.read_header(parts.header, self._identity)
        body = self._codec.body(Behind(parts.read_ahead, self._source), self._identity)  # type: ignore[arg-type]
        self.facts = body.facts
        self.facts["frame.signature"] = parts.signature
        self.facts["frame.body_offset"] = parts.body_offset
        # An instant is a date and a clock in the header, and one value in the body, which says it better.
        for name, value in facts.items():
            if hasattr(value, "isoformat"):
                self.facts[f"frame.{name.partition('.')[2]}"] = value
            else:
                self.facts.setdefault(name, value)
        self.problems = body.problems
        self.problems += problems
        yield from body
        self._check_agreement(facts)

    def _check_agreement(self, facts: dict[str, Any]) -> None:
        """What header and body both say must be the same."""
        for name, value in facts.items():
            known = self.facts.get(name)
            if known not in (None, "", value) and not hasattr(value, "isoformat"):
                message = f"{self._codec.name}: header and body differ in {name}"
                self.problems.append(Problem(code="fact-differs", message=message, source=self._codec.name))


def describe(layout: Layout) -> construct.Construct:
    """The header block as `construct` sees it: bytes by title, constants checked, CRLF behind."""
    assert layout.frame is not None, "only a layout with a frame"
    fields = []
    for field in layout.frame.record.fields:
        width = field.width
        assert width is not None, "a header block is fixed"
        part = construct.Bytes(width.bytes_)
        if isinstance(field.meaning, Constant):
            part = construct.Const(field.meaning.text.encode("ascii").ljust(width.bytes_))
        fields.append(field.title / part)
    return construct.Struct(*fields, "line_end" / construct.Const(LINE_END))


def frame_layout(layout: Layout) -> Layout:
    """The header block alone, as a fixed layout of one record."""
    assert layout.frame is not None, "only a layout with a frame"
    return Layout(
        name=layout.name,
        version=layout.version,
        purpose=layout.purpose,
        syntax=Syntax.FIXED,
        framing=layout.frame.framing,
        source_name=layout.source_name,
        digest=layout.digest,
        records=(layout.frame.record,),
        file_codes=layout.file_codes,
    )


def _compile(layout: Layout) -> tuple[Plan, RecordPlan]:
    plan = compile_plan(frame_layout(layout))
    return plan, plan.records[RECORD][0]

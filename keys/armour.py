"""Bytes as text and back: PEM and Base64 around DER, streamed both ways; hex for small things.

What is around the bytes carries nothing: lines and white space may differ, the bytes may not.
Anything that is not white space, the alphabet, or one matching pair of lines is refused.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from enum import StrEnum
from typing import Final

from keys import tlv
from keys.errors import SignatureMalformed
from keys.stages import ByteSink
from keys.tlv import BLOCK_BYTES, ByteSource, SeekableSource

LINE_BYTES: Final = 64
SIGNATURE_LIMIT_BYTES: Final = 8 << 20
"""A detached signature with its certificates, in any armour."""
_CLEAR_LINE_BYTES = LINE_BYTES // 4 * 3
_HEAD_LIMIT_BYTES = 256
_BEGIN = re.compile(rb"\s*-----BEGIN (CMS|PKCS7|PKCS #7 SIGNED DATA|SIGNATURE|MESSAGE)-----\r?\n")
_WHITE_SPACE = b" \t\r\n\v\f"


class Armour(StrEnum):
    DER = "der"
    PEM = "pem"
    BASE64 = "base64"
    """Lines of 64 characters."""
    BASE64_LINE = "base64-line"
    """One line, with a line break at its end."""


class ArmourWriter:
    """A stage that writes DER as PEM or Base64."""

    def __init__(self, content_bytes: int, armour: Armour, label: str = "CMS") -> None:
        if armour is Armour.DER:
            raise ValueError("DER has no armour")
        self._line_bytes = max(content_bytes, 1) if armour is Armour.BASE64_LINE else _CLEAR_LINE_BYTES
        pem = armour is Armour.PEM
        self._before = f"-----BEGIN {label}-----\n".encode() if pem else b""
        self._after = f"-----END {label}-----\n".encode() if pem else b""
        lines = -(-content_bytes // self._line_bytes)
        self.size_bytes = len(self._before) + 4 * -(-content_bytes // 3) + lines + len(self._after)
        self._one_line = armour is Armour.BASE64_LINE
        self._pending = b""

    def start(self, sink: ByteSink) -> None:
        self._sink = sink
        sink.write(self._before)

    def write(self, block: bytes, /) -> None:
        content = self._pending + block
        step = 3 if self._one_line else _CLEAR_LINE_BYTES
        whole = len(content) // step * step
        self._pending = content[whole:]
        self._sink.write(self._encode(content[:whole]))

    def finish(self) -> None:
        self._sink.write(self._encode(self._pending))
        self._sink.write((b"\n" if self._one_line else b"") + self._after)

    def _encode(self, content: bytes) -> bytes:
        text = base64.b64encode(content)
        if self._one_line:
            return text
        lines = [text[start : start + LINE_BYTES] for start in range(0, len(text), LINE_BYTES)]
        return b"".join(line + b"\n" for line in lines)


def apply_armour(der: bytes, armour: Armour, label: str = "CMS") -> bytes:
    """A small structure in its armour."""
    if armour is Armour.DER:
        return der
    if armour is Armour.PEM:
        return tlv.wrap_pem(der, label)
    if armour is Armour.BASE64_LINE:
        return base64.b64encode(der) + b"\n"
    return b"".join(tlv.wrap_pem(der, label).splitlines(keepends=True)[1:-1])


def remove_armour(signature: bytes) -> bytes:
    """DER or BER out of itself, PEM, or bare Base64; raises `SignatureMalformed`."""
    if len(signature) > SIGNATURE_LIMIT_BYTES:
        raise SignatureMalformed(f"a signature of {len(signature)} bytes; at most {SIGNATURE_LIMIT_BYTES}")
    source = open_armour(io.BytesIO(signature))
    parts = []
    while part := source.read(BLOCK_BYTES):
        parts.append(part)
    return b"".join(parts)


def open_armour(source: SeekableSource) -> ByteSource:
    """DER or BER out of itself, PEM, or bare Base64, from where `source` stands.

    Reading raises `SignatureMalformed` where the text is none of them.
    """
    start = source.tell()
    head = source.read(1)
    source.seek(start)
    return _PlainSource(source) if head in {b"", bytes([tlv.SEQUENCE])} else _TextSource(source)


class _PlainSource:
    """A structure without armour, parts of which can be left out."""

    def __init__(self, source: SeekableSource) -> None:
        self._source = source

    def read(self, size: int = -1, /) -> bytes:
        return self._source.read(size)

    def skip(self, count: int, /) -> None:
        self._source.seek(count, io.SEEK_CUR)


class _TextSource:
    """The bytes of PEM or bare Base64, in blocks; read once, from front to back."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._head = _read_head(source)
        self._end = b""
        self._tail: bytes | None = None
        """What follows the text, once its end was seen."""
        self._quantum = b""
        self._padded = False
        self._ready = b""
        self._complete = False
        self._take_begin()

    def read(self, size: int = -1, /) -> bytes:
        """At most about `size` bytes; b"" at the end, which is then known to be right."""
        while not self._ready and not self._complete:
            self._decode_block(max(size, BLOCK_BYTES))
        ready, self._ready = self._ready, b""
        return ready

    def _take_begin(self) -> None:
        begin = _BEGIN.match(self._head)
        if begin:
            self._end = b"-----END " + begin[1] + b"-----"
            self._head = self._head[begin.end() :]

    def _decode_block(self, size: int) -> None:
        block = self._head or self._source.read(size)
        self._head = b""
        if not block:
            self._finish()
            return
        if self._tail is not None:
            self._tail += block
        else:
            text, dash, rest = block.partition(b"-")
            if dash:
                self._tail = dash + rest
            self._ready = self._decode(text)
        if self._tail is not None and len(self._tail) > _HEAD_LIMIT_BYTES:
            raise _malformed()

    def _decode(self, text: bytes) -> bytes:
        text = self._quantum + text.translate(None, _WHITE_SPACE)
        whole = len(text) // 4 * 4
        self._quantum = text[whole:]
        if whole and self._padded:
            raise _malformed()
        self._padded = text[:whole].endswith(b"=")
        try:
            return binascii.a2b_base64(text[:whole], strict_mode=True) if whole else b""
        except binascii.Error:
            raise _malformed() from None

    def _finish(self) -> None:
        tail = (self._tail or b"").strip(_WHITE_SPACE)
        if self._quantum or tail != self._end:
            raise _malformed()
        self._complete = True


def _read_head(source: ByteSource) -> bytes:
    """Enough bytes to tell what it is."""
    head = b""
    while len(head) < _HEAD_LIMIT_BYTES:
        block = source.read(BLOCK_BYTES)
        if not block:
            break
        head += block
    return head


def _malformed() -> SignatureMalformed:
    return SignatureMalformed("a structure that is neither DER nor PEM nor Base64")

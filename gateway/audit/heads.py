"""A head of the journal as it is signed and stored: values and bytes, nothing of the ledger.

The format is in `docs/audit.md`; a verifier needs nothing but this.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

HEAD_FORMAT = "bankgate-head-1"
HEAD_LIMIT_BYTES = 64 * 1024


class Head(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed: the journal up to `event`, and each bank's highest sequence.

    `certificate` (Base64 of DER) and `algorithm` are the signature's own.
    """

    format: str
    instance: str
    environment: str
    event: int
    hash: str
    sequences: dict[str, int]
    at: str
    key_id: str
    algorithm: str
    certificate: str

    def to_bytes(self) -> bytes:
        """The exact bytes that are signed: JSON with sorted keys, no line break."""
        return msgspec.json.encode(self, order="sorted")

    @property
    def name(self) -> str:
        """Of its file at the anchor. The hash in it keeps two histories of one event apart."""
        return f"{self.instance}-{self.event:012d}-{self.hash[:16]}.head"


def head_file(statement: bytes, signature: bytes) -> bytes:
    """The file at the anchor: two lines, the statement and its signature."""
    return statement + b"\n" + signature + b"\n"


def read_head(content: bytes) -> tuple[Head, bytes, bytes]:
    """(head, statement, signature) of such a file, nothing verified; raises `ValueError`."""
    lines = content.split(b"\n")
    if len(lines) != 3 or lines[2]:
        raise ValueError("not two lines")
    return parse_head(lines[0]), lines[0], lines[1]


def parse_head(statement: bytes) -> Head:
    """A head of its exact bytes; raises `ValueError` where it has another form."""
    try:
        head = msgspec.json.decode(statement, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a head: {error}") from None
    if head.to_bytes() != statement or head.format != HEAD_FORMAT:
        raise ValueError(f"not a head of format {HEAD_FORMAT}")
    return head


def instant(text: str) -> datetime:
    """A time as heads and bundles write it; raises `ValueError` where it has no zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return found

"""Packets of the SFTP protocol, version 3 (draft-ietf-secsh-filexfer-02): their parts, both ways.

Not here: sending them (`channels.session`).
"""

from __future__ import annotations

import stat
from enum import IntEnum
from struct import Struct as Packed

from msgspec import Struct

from channels.errors import ConnectionLost
from channels.faults import make

HEAD = Packed(">IBI")
"""Length of what follows, type, number of the request."""
INT = Packed(">I")
LONG = Packed(">Q")


class Kind(IntEnum):
    """Packet types that we send or understand."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    RENAME = 18
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Status(IntEnum):
    """The status codes that change what we do; all others are in `channels.faults.STATUSES`."""

    OK = 0
    END_OF_FILE = 1
    NO_SUCH_FILE = 2
    FAILURE = 4


class Open(IntEnum):
    """Flags of OPEN."""

    READ = 0x01
    WRITE = 0x02
    CREATE = 0x08
    EXCLUSIVE = 0x20


class Attributes(Struct, frozen=True):
    """What the server says about a file; None where it says nothing. Times in seconds."""

    size_bytes: int | None = None
    mode: int | None = None
    modified: int | None = None


class StatusError(Exception):
    """A status other than OK, before anybody knows what it means here."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


class Reader:
    """Reads the fields of one packet. Raises `ConnectionLost` where it ends early."""

    def __init__(self, packet: bytes, where: str) -> None:
        self._packet = packet
        self._at = 0
        self._where = where

    @property
    def ended(self) -> bool:
        return self._at >= len(self._packet)

    def byte(self) -> int:
        return self._bytes(1)[0]

    def integer(self) -> int:
        return int(INT.unpack(self._bytes(INT.size))[0])

    def long(self) -> int:
        return int(LONG.unpack(self._bytes(LONG.size))[0])

    def text(self) -> bytes:
        return self._bytes(self.integer())

    def status(self) -> StatusError:
        """Code and text; the text is missing in answers of some servers."""
        code = self.integer()
        return StatusError(code, "" if self.ended else self.text().decode("utf-8", "replace"))

    def attributes(self) -> Attributes:
        """ATTRS of version 3: each field stands where its flag is set."""
        flags = self.integer()
        size = self.long() if flags & 0x1 else None
        if flags & 0x2:
            self._bytes(8)
        mode = self.integer() if flags & 0x4 else None
        modified = None
        if flags & 0x8:
            self._bytes(4)
            modified = self.integer()
        if flags & 0x80000000:
            for _ in range(self.integer()):
                self.text()
                self.text()
        return Attributes(size_bytes=size, mode=mode, modified=modified)

    def _bytes(self, count: int) -> bytes:
        taken = self._packet[self._at : self._at + count]
        if len(taken) < count:
            raise make(ConnectionLost, f"{self._where}: the server sent a packet that ends early")
        self._at += count
        return taken


def pack_text(value: bytes) -> bytes:
    """A string of the protocol: length in four bytes, then the bytes."""
    return INT.pack(len(value)) + value


def is_plain(attributes: Attributes) -> bool:
    """Whether it is an ordinary file; a server that says no kind is believed to mean one."""
    return not attributes.mode or stat.S_IFMT(attributes.mode) in (0, stat.S_IFREG)


def with_mode(attributes: Attributes, long_name: bytes) -> Attributes:
    """The kind of an entry out of its `ls -l` line, where the attributes do not say it."""
    if attributes.mode is not None or long_name[:1] not in (b"d", b"l", b"b", b"c", b"p", b"s"):
        return attributes
    return Attributes(size_bytes=attributes.size_bytes, mode=stat.S_IFDIR, modified=attributes.modified)

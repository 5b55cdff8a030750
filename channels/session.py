"""The SFTP protocol, version 3 (draft-ietf-secsh-filexfer-02), over an open stream.

Written here because paramiko's own client loses what a payment file cannot do without: it
discards the answers to pipelined writes (a full disk goes unseen), swallows errors of
closing, hides the server's extensions, keeps two of the status codes, and fails on names
that are not UTF-8. One thread, bounded requests under way, every answer read and judged.

Not here: connecting, paths, what counts as success of an upload (`channels.sftp`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from channels.channel import ByteSink
from channels.connect import Stream
from channels.errors import ChannelError, ConnectionLost, ServerFault
from channels.faults import STATUSES, Boundary, make, printable
from channels.packets import (
    HEAD,
    INT,
    LONG,
    Attributes,
    Kind,
    Reader,
    Status,
    StatusError,
    pack_text,
    with_mode,
)

PROTOCOL_VERSION = 3
PACKET_LIMIT_BYTES = 1024 * 1024
"""A larger packet from the server is nonsense (others take 256 KiB at most)."""
READ_BYTES = 32 * 1024
WRITE_BYTES = 32 * 1024 - 512
"""With its header a write then fits one SSH packet."""
ENTRIES_LIMIT = 200_000
"""A folder with more entries is refused: somebody has to tidy it."""

_RECEIVE_BYTES = 256 * 1024


class Session:
    """Requests and answers. After a broken connection every call raises `ConnectionLost`."""

    def __init__(self, stream: Stream, place: str, requests: int) -> None:
        self.place = place
        self.extensions: dict[bytes, bytes] = {}
        self._stream = stream
        self._requests = requests
        self._received = bytearray()
        self._last_id = 0
        self._expected: set[int] = set()
        self._early: dict[int, tuple[int, Reader]] = {}
        self._abandoned: set[int] = set()
        self._whole = True
        self._greet()

    def call(self, kind: Kind, body: bytes, doing: str) -> tuple[int, Reader]:
        """One request and its answer. Raises `StatusError` for any status but OK."""
        return self._answer_to(self._send(kind, body, doing), doing)

    def open(self, path: bytes, flags: int, doing: str) -> bytes:
        """The handle of an opened file."""
        body = pack_text(path) + INT.pack(flags) + INT.pack(0)
        return self._handle(self.call(Kind.OPEN, body, doing), doing)

    def close(self, handle: bytes, doing: str) -> None:
        """Close a handle; a failure to do so is a failure."""
        self.call(Kind.CLOSE, pack_text(handle), doing)

    def attributes(self, kind: Kind, target: bytes, doing: str) -> Attributes:
        """By LSTAT of a path or FSTAT of a handle."""
        answer, reader = self.call(kind, pack_text(target), doing)
        self._expect(answer, Kind.ATTRS, doing)
        return reader.attributes()

    def entries(self, path: bytes, doing: str) -> Iterator[tuple[bytes, Attributes]]:
        """Names and attributes of everything in a folder, in the server's order."""
        handle = self._handle(self.call(Kind.OPENDIR, pack_text(path), doing), doing)
        count = 0
        while True:
            try:
                answer, reader = self.call(Kind.READDIR, pack_text(handle), doing)
            except StatusError as status:
                if status.code != Status.END_OF_FILE:
                    raise
                break
            self._expect(answer, Kind.NAME, doing)
            for _ in range(reader.integer()):
                count += 1
                if count > ENTRIES_LIMIT:
                    raise make(ServerFault, f"{self.place}: {doing}: more than {ENTRIES_LIMIT} entries")
                name, long_name = reader.text(), reader.text()
                yield name, with_mode(reader.attributes(), long_name)
        self.close(handle, doing)

    def write(self, handle: bytes, offset: int, block: bytes, doing: str) -> int:
        """Send one write of at most `WRITE_BYTES`; the number of its answer."""
        body = pack_text(handle) + LONG.pack(offset) + pack_text(block)
        return self._send(Kind.WRITE, body, doing)

    def settle_write(self, number: int, doing: str) -> None:
        """Wait for the answer to a write. Raises `StatusError`."""
        self._answer_to(number, doing)

    def abandon(self, numbers: Iterable[int]) -> None:
        """Answers that nobody waits for any longer are dropped when they come."""
        for number in numbers:
            if self._early.pop(number, None) is None:
                self._abandoned.add(number)

    def read_into(self, handle: bytes, size_bytes: int, sink: ByteSink, doing: str) -> int:
        """Read `size_bytes` from the start into `sink`; the bytes written to it.

        Fewer than asked for when the file ends before. Answers may come in any order and
        may be short. Raises `StatusError`.
        """
        pending: dict[int, tuple[int, int]] = {}
        try:
            return self._read_pipelined(handle, size_bytes, sink, pending, doing)
        finally:
            self.abandon(pending)

    def _read_pipelined(
        self, handle: bytes, end: int, sink: ByteSink, pending: dict[int, tuple[int, int]], doing: str
    ) -> int:
        ready: dict[int, bytes] = {}
        asked = written = 0

        def ask(offset: int, length: int) -> None:
            body = pack_text(handle) + LONG.pack(offset) + INT.pack(length)
            pending[self._send(Kind.READ, body, doing)] = (offset, length)

        while written < end:
            while asked < end and len(pending) + len(ready) < self._requests:
                length = min(READ_BYTES, end - asked)
                ask(asked, length)
                asked += length
            if not pending:
                break
            number, offset, block = self._next_block(pending, doing)
            length = pending.pop(number)[1]
            if block is None:
                end = asked = min(end, offset)
                continue
            ready[offset] = block
            if len(block) < length and offset + len(block) < end:
                ask(offset + len(block), length - len(block))
            while written in ready:
                block = ready.pop(written)
                sink.write(block)
                written += len(block)
        return written

    def _next_block(self, pending: dict[int, tuple[int, int]], doing: str) -> tuple[int, int, bytes | None]:
        """Number, offset and bytes of the next answer to a read; None at the end of the file."""
        number, kind, reader = self._receive(doing)
        offset, length = pending[number]
        if kind == Kind.STATUS:
            status = reader.status()
            if status.code == Status.END_OF_FILE:
                return number, offset, None
            del pending[number]
            raise status
        self._expect(kind, Kind.DATA, doing)
        block = reader.text()
        if not 0 < len(block) <= length:
            raise self._nonsense(doing, f"{len(block)} bytes where {length} were asked for")
        return number, offset, block

    def _greet(self) -> None:
        doing = "opening SFTP"
        self._transmit(HEAD.pack(5, Kind.INIT, PROTOCOL_VERSION), doing)
        reader = Reader(self._packet(doing), f"{self.place}: {doing}")
        if reader.byte() != Kind.VERSION:
            raise self._nonsense(doing, "no SFTP version")
        if reader.integer() < PROTOCOL_VERSION:
            raise self._nonsense(doing, f"an SFTP version before {PROTOCOL_VERSION}")
        while not reader.ended:
            name = reader.text()
            self.extensions[name] = reader.text()

    def _send(self, kind: Kind, body: bytes, doing: str) -> int:
        self._last_id = self._last_id % 0xFFFFFFFF + 1
        self._transmit(HEAD.pack(5 + len(body), kind, self._last_id) + body, doing)
        self._expected.add(self._last_id)
        return self._last_id

    def _answer_to(self, number: int, doing: str) -> tuple[int, Reader]:
        while number not in self._early:
            found, kind, reader = self._receive(doing)
            self._early[found] = kind, reader
        kind, reader = self._early.pop(number)
        if kind == Kind.STATUS:
            status = reader.status()
            if status.code != Status.OK:
                raise status
        return kind, reader

    def _receive(self, doing: str) -> tuple[int, int, Reader]:
        """The next answer, whichever it is: servers need not keep the order of requests."""
        while True:
            reader = Reader(self._packet(doing), f"{self.place}: {doing}")
            kind, number = reader.byte(), reader.integer()
            if number not in self._expected:
                raise self._nonsense(doing, f"an answer to request {number}, which was not asked")
            self._expected.remove(number)
            if number not in self._abandoned:
                return number, kind, reader
            self._abandoned.remove(number)

    def _packet(self, doing: str) -> bytes:
        (length,) = INT.unpack(self._take(INT.size, doing))
        if not 1 <= length <= PACKET_LIMIT_BYTES:
            raise self._nonsense(doing, f"a packet of {length} bytes")
        return self._take(length, doing)

    def _take(self, count: int, doing: str) -> bytes:
        self._require_whole(doing)
        self._whole = False
        while len(self._received) < count:
            with Boundary(f"{self.place}: {doing}"):
                block = self._stream.recv(_RECEIVE_BYTES)
            if not block:
                raise make(ConnectionLost, f"{self.place}: {doing}: the server closed the connection")
            self._received += block
        taken = bytes(self._received[:count])
        del self._received[:count]
        self._whole = True
        return taken

    def _transmit(self, packet: bytes, doing: str) -> None:
        self._require_whole(doing)
        # Stays False when the call does not return: half a packet leaves nothing to go on with.
        self._whole = False
        with Boundary(f"{self.place}: {doing}"):
            self._stream.sendall(packet)
        self._whole = True

    def _require_whole(self, doing: str) -> None:
        if not self._whole:
            raise make(ConnectionLost, f"{self.place}: {doing}: the connection broke before")

    def _handle(self, answer: tuple[int, Reader], doing: str) -> bytes:
        self._expect(answer[0], Kind.HANDLE, doing)
        return answer[1].text()

    def _expect(self, found: int, wanted: Kind, doing: str) -> None:
        if found != wanted:
            raise self._nonsense(doing, f"packet type {found}, wanted {wanted.name}")

    def _nonsense(self, doing: str, what: str) -> ChannelError:
        self._whole = False
        return make(ConnectionLost, f"{self.place}: {doing}: the server sent {what}")

    def fault(self, status: StatusError, doing: str) -> ChannelError:
        """What a status means where nothing more is known about it."""
        said = f"the server said {status.code} {printable(status.text)}".rstrip()
        return make(STATUSES.get(status.code, ServerFault), f"{self.place}: {doing}: {said}")

"""What a bank's server says: names, attributes, packets, and host keys as they stand on paper."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any, cast

from channels.channel import Entry
from channels.connect import Connection
from channels.errors import ChannelError, UnsafeName
from channels.faults import printable
from channels.hostkeys import parse_pin
from channels.names import check_folder, check_name, check_path, escaped
from channels.packets import Kind, Reader, StatusError, pack_text
from channels.probe import probe
from channels.settings import SftpSettings
from channels.sftp import SftpChannel
from keys.keyring_file import parse_host_keys
from tests.fuzz.pieces import Pieces
from tests.fuzz.target import Target

_ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "latin-1")
_GET_LIMIT_BYTES = 1 << 20
_VERSION = struct.pack(">BI", Kind.VERSION, 3)


def names(content: bytes) -> None:
    """A name out of a listing is one plain component of a path, or refused."""
    pieces = Pieces(content)
    encoding = pieces.choose(_ENCODINGS)
    name = pieces.rest().decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")
    assert printable(name).isprintable()
    assert escaped(name).isascii()
    for check in (check_name, check_path, check_folder):
        try:
            accepted = check(name)
        except UnsafeName as error:
            assert str(error).isprintable()
            continue
        accepted.encode()
        assert ".." not in accepted.split("/")
        assert not accepted.startswith("/")
        assert check is not check_name or "/" not in accepted


def packets(content: bytes) -> None:
    """The fields of a packet, in an order that the input chooses."""
    pieces = Pieces(content)
    order = pieces.part()
    reader = Reader(pieces.rest(), "server")
    fields: tuple[Callable[[], Any], ...] = (
        reader.byte,
        reader.integer,
        reader.long,
        reader.text,
        reader.status,
        reader.attributes,
    )
    try:
        for step in order:
            fields[step % len(fields)]()
    except (ChannelError, StatusError):
        return


class _Server:
    """Says what it was given, and listens to nothing. `connection` is what a channel is made of."""

    peer = None

    def __init__(self, said: Callable[[bytes], bytes]) -> None:
        self._said = said
        self._waiting = b""

    @property
    def stream(self) -> _Server:
        return self

    def recv(self, nbytes: int, /) -> bytes:
        taken, self._waiting = self._waiting[:nbytes], self._waiting[nbytes:]
        return taken

    def sendall(self, s: bytes, /) -> None:
        self._waiting += self._said(s)

    def close(self) -> None:
        return


def _use(channel: SftpChannel, pieces: Pieces) -> None:
    """One operation after another; each ends as the protocol `Channel` says."""
    operations: tuple[Callable[[], object], ...] = (
        lambda: channel.list("from-bank"),
        lambda: channel.stat("from-bank/R1.txt"),
        lambda: channel.get("from-bank/R1.txt", io.BytesIO(), _GET_LIMIT_BYTES),
        lambda: channel.put("to-bank/P1.part", io.BytesIO(b"x" * 70_000), 70_000),
        lambda: channel.rename("to-bank/P1.part", "to-bank/P1.txt"),
        lambda: channel.remove("to-bank/P1.part"),
        lambda: probe(channel, "to-bank", "token"),
    )
    for step in pieces.part()[:8]:
        try:
            found = operations[step % len(operations)]()
        except ChannelError as error:
            assert str(error).isprintable()
            continue
        for entry in found if isinstance(found, list) else ():
            assert isinstance(entry, Entry)
            assert check_name(entry.name) == entry.name


def _talk(pieces: Pieces, server: _Server) -> None:
    settings = SftpSettings(
        host="bank", user="gateway", host_keys=(), name_encoding=pieces.choose(_ENCODINGS), prefetch=4
    )
    try:
        channel = SftpChannel(cast(Connection, server), settings)
    except ChannelError:
        return
    _use(channel, pieces)


def stream(content: bytes) -> None:
    """Any bytes that a server sends over an open connection, whatever we ask."""
    pieces = Pieces(content)
    steering = Pieces(pieces.part())
    said = [pieces.rest()]
    _talk(steering, _Server(lambda _: said.pop() if said else b""))


def answers(content: bytes) -> None:
    """Well-framed answers to what was asked, of any kind, with any content."""
    pieces = Pieces(content)
    steering = Pieces(pieces.part())

    def answer(request: bytes) -> bytes:
        kind, number = struct.unpack(">xxxxBI", request[:9])
        if pieces.ended:
            return b""
        packet = pieces.part()
        if kind != Kind.INIT and packet:
            packet = packet[:1] + struct.pack(">I", number) + packet[1:]
        return struct.pack(">I", len(packet)) + packet

    _talk(steering, _Server(answer))


def host_keys(content: bytes) -> None:
    """A pin as somebody typed it, and a file of public keys."""
    text = content.decode("utf-8", "replace")
    for read in (parse_pin, parse_host_keys):
        try:
            read(text)
        except ValueError as error:
            assert type(error) is ValueError, error


def _attributes(size_bytes: int = 10, mode: int = 0o100600) -> bytes:
    return struct.pack(">IQIII", 0x1 | 0x4 | 0x8, size_bytes, mode, 1, 2)


def _status(code: int) -> bytes:
    return bytes([Kind.STATUS]) + struct.pack(">I", code) + pack_text(b"said") + pack_text(b"")


def _listing(*entries: bytes) -> bytes:
    body = b"".join(pack_text(name) + pack_text(b"-rw-r--r-- 1") + _attributes() for name in entries)
    return bytes([Kind.NAME]) + struct.pack(">I", len(entries)) + body


def _conversation(operations: bytes, *packets: bytes, encoding: int = 0) -> tuple[bytes, list[bytes]]:
    steering = bytes([encoding]) + struct.pack(">H", len(operations)) + operations
    extension = pack_text(b"fsync@openssh.com") + pack_text(b"1")
    return struct.pack(">H", len(steering)) + steering, [_VERSION + extension, *packets]


def _conversations() -> list[tuple[bytes, list[bytes]]]:
    handle = bytes([Kind.HANDLE]) + pack_text(b"h1")
    found = bytes([Kind.ATTRS]) + _attributes()
    block = bytes([Kind.DATA]) + pack_text(b"0123456789")
    listing = _listing(b"R1.txt", "回盘.txt".encode("gb18030"), b"..")
    return [
        _conversation(b"\0", handle, listing, _status(1), _status(0), encoding=1),
        _conversation(b"\1\4", found, found, _status(2), _status(4), found),
        _conversation(b"\2", found, handle, found, block, _status(1), _status(0)),
        _conversation(
            b"\3", _status(2), handle, *[_status(0)] * 5, bytes([Kind.ATTRS]) + _attributes(70_000)
        ),
        _conversation(b"\5\5", _status(0), _status(3), found),
        _conversation(b"\6", _status(2), handle, _status(0), _status(0), _status(0), found),
    ]


def _seeds_of_answers() -> list[bytes]:
    return [
        steering + b"".join(struct.pack(">H", len(packet)) + packet for packet in packets)
        for steering, packets in _conversations()
    ]


def _seeds_of_streams() -> list[bytes]:
    found = []
    for steering, packets in _conversations():
        framed = [packets[0], *(p[:1] + struct.pack(">I", n) + p[1:] for n, p in enumerate(packets[1:], 1))]
        found.append(steering + b"".join(struct.pack(">I", len(packet)) + packet for packet in framed))
    return found


def _seeds_of_names() -> list[bytes]:
    plain = ["DF20260901000001.txt", "回盘_1.bxt", "../x", "a/b", ".", "\u202etxt", "x" * 300]
    return [bytes([n]) + name.encode(_ENCODINGS[n]) for name in plain for n in range(3)]


def _seeds_of_packets() -> list[bytes]:
    body = struct.pack(">BIQ", 1, 2, 3) + pack_text(b"text") + _status(4)[1:] + _attributes()
    return [struct.pack(">H", 6) + bytes(range(6)) + body, b"\0\1\5" + struct.pack(">III", 1 << 31, 0, 0)]


def _seeds_of_host_keys() -> list[bytes]:
    public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f bank\n"
    return [
        public.encode(),
        f"# paper\n[10.0.0.1]:22 {public}".encode(),
        b"SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    ]


TARGETS = [
    Target(name="server-names", examine=names, seeds=_seeds_of_names, input_limit_bytes=2048),
    Target(name="server-packets", examine=packets, seeds=_seeds_of_packets, input_limit_bytes=4096),
    Target(name="server-stream", examine=stream, seeds=_seeds_of_streams),
    Target(name="server-answers", examine=answers, seeds=_seeds_of_answers),
    Target(name="host-keys", examine=host_keys, seeds=_seeds_of_host_keys, input_limit_bytes=4096),
]

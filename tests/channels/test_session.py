"""The packets: any bytes of a server give an answer or a `ChannelError`, never anything else."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.errors import ChannelError, ConnectionLost
from channels.packets import Attributes, Kind, Reader, StatusError, is_plain, pack_text, with_mode
from channels.session import Session

VERSION = struct.pack(">IBI", 5, Kind.VERSION, 3)


class Script:
    """A stream that plays what a server says, in pieces, and keeps what it is told."""

    def __init__(self, said: bytes, piece: int = 7) -> None:
        self._said = io.BytesIO(said)
        self._piece = piece
        self.heard = b""

    def recv(self, nbytes: int, /) -> bytes:
        return self._said.read(min(nbytes, self._piece))

    def sendall(self, s: bytes, /) -> None:
        self.heard += s


def packet(kind: int, number: int, body: bytes) -> bytes:
    return struct.pack(">IBI", 5 + len(body), kind, number) + body


def status(number: int, code: int) -> bytes:
    return packet(Kind.STATUS, number, struct.pack(">I", code) + pack_text(b"said") + pack_text(b""))


def session(said: bytes) -> Session:
    return Session(Script(VERSION + said), "h:22 u", requests=4)


def test_extensions_are_kept() -> None:
    pair = pack_text(b"fsync@openssh.com") + pack_text(b"1")
    said = struct.pack(">IBI", 5 + len(pair), Kind.VERSION, 3) + pair
    assert Session(Script(said), "h:22 u", 4).extensions == {b"fsync@openssh.com": b"1"}


def test_answers_in_another_order_find_their_requests() -> None:
    blocks = [b"a" * 32768, b"b" * 32768, b"c" * 10]
    answers = [packet(Kind.DATA, number, pack_text(block)) for number, block in enumerate(blocks, 1)]
    sink = io.BytesIO()
    count = session(b"".join(reversed(answers))).read_into(b"h", 65546, sink, "get x")
    assert (count, sink.getvalue()) == (65546, b"".join(blocks))


def test_answers_that_nobody_waits_for_are_dropped() -> None:
    one = session(status(1, 4) + status(2, 0) + status(3, 0))
    first = one.write(b"h", 0, b"x", "put x")
    second = one.write(b"h", 1, b"y", "put x")
    with pytest.raises(StatusError):
        one.settle_write(first, "put x")
    one.abandon([second])
    one.close(b"h", "put x")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        status(7, 0),
        struct.pack(">I", 0),
        struct.pack(">I", 0xFFFFFFFF) + b"x",
        packet(Kind.STATUS, 1, b"\0"),
        packet(Kind.DATA, 1, pack_text(b"x")),
        packet(99, 1, b""),
        packet(Kind.ATTRS, 1, struct.pack(">I", 0x1)),
    ],
)
def test_nonsense_is_a_lost_connection(said: bytes) -> None:
    with pytest.raises(ConnectionLost):
        session(said).attributes(Kind.LSTAT, b"x", "stat x")


def test_more_bytes_than_asked_for_are_nonsense() -> None:
    with pytest.raises(ConnectionLost):
        session(packet(Kind.DATA, 1, pack_text(b"xx"))).read_into(b"h", 1, io.BytesIO(), "get x")


def test_an_old_version_is_refused() -> None:
    with pytest.raises(ConnectionLost):
        Session(Script(struct.pack(">IBI", 5, Kind.VERSION, 2)), "h:22 u", 4)


@given(st.binary(max_size=400))
def test_any_bytes_give_an_answer_or_an_error_of_ours(said: bytes) -> None:
    for act in (
        lambda one: one.attributes(Kind.LSTAT, b"x", "stat x"),
        lambda one: list(one.entries(b"x", "list x")),
        lambda one: one.read_into(b"h", 100, io.BytesIO(), "get x"),
        lambda one: one.open(b"x", 1, "open x"),
    ):
        try:
            act(session(said))
        except (ChannelError, StatusError):
            continue


@given(
    st.integers(min_value=1, max_value=200),
    st.integers(min_value=101, max_value=105),
    st.binary(max_size=200),
)
def test_any_body_in_a_good_frame(number: int, kind: int, body: bytes) -> None:
    try:
        session(packet(kind, 1, body)).attributes(Kind.LSTAT, b"x", "stat x")
    except (ChannelError, StatusError):
        return


def test_attributes_of_every_field() -> None:
    body = (
        struct.pack(">IQIIIIII", 0x8000000F, 5, 1, 2, 0o100644, 3, 4, 1) + pack_text(b"a") + pack_text(b"b")
    )
    assert Reader(body, "x").attributes() == Attributes(size_bytes=5, mode=0o100644, modified=4)


@pytest.mark.parametrize(
    ("attributes", "long_name", "plain"),
    [
        (Attributes(mode=0o100644), b"", True),
        (Attributes(mode=0o040755), b"", False),
        (Attributes(mode=0o120777), b"", False),
        (Attributes(mode=0o644), b"", True),
        (Attributes(), b"drwxr-xr-x 2 u g 0 x", False),
        (Attributes(), b"lrwxrwxrwx 2 u g 0 x", False),
        (Attributes(), b"-rw-r--r-- 2 u g 0 x", True),
        (Attributes(), b"", True),
    ],
)
def test_what_is_a_plain_file(attributes: Attributes, long_name: bytes, plain: bool) -> None:
    assert is_plain(with_mode(attributes, long_name)) is plain

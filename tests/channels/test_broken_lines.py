"""Servers and lines that fail: silent, cut in the middle, full, lying. Nothing hangs, nothing lies on."""

from __future__ import annotations

import io
import os
import resource
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from channels import FolderChannel, SftpChannel, open_sftp, probe
from channels.errors import (
    ChannelError,
    ConnectionLost,
    NoSpace,
    PermissionRefused,
    ProtocolUnsupported,
    ServerFault,
    TimedOut,
    Unreachable,
    UnsafeName,
)
from tests.proxy import Direction, Fault, Proxy
from tests.servers import AsyncSshServer, OpenSshServer

CONTENT = bytes(range(251)) * 20_000
"""5 MB: more than fits what is on its way at a time."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_silent_server_times_out(openssh: OpenSshServer, silent: int) -> None:
    with pytest.raises(TimedOut) as caught:
        open_sftp(openssh.settings(port=silent, handshake_timeout_seconds=0.3))
    assert f"127.0.0.1:{silent} {openssh.user}: handshake: no answer in 0.3 seconds" in str(caught.value)


def test_no_server_at_all(openssh: OpenSshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable):
        open_sftp(openssh.settings(port=port))


def test_a_host_without_address(openssh: OpenSshServer) -> None:
    with pytest.raises(Unreachable):
        open_sftp(openssh.settings(host="bank.invalid"))


@pytest.mark.parametrize("at_byte", [0, 10, 500, 1500, 2200, 2600, 3000, 3400])
@pytest.mark.parametrize("direction", Direction)
def test_a_line_cut_anywhere_while_connecting(
    openssh: OpenSshServer, direction: Direction, at_byte: int
) -> None:
    """Only errors of ours, whichever step the cut falls into; or it came too late to matter."""
    with Proxy(openssh.host, openssh.port) as proxy:
        proxy.arm(direction, at_byte, Fault.CUT)
        try:
            with open_sftp(openssh.settings(port=proxy.port)) as channel:
                channel.list("")
        except ChannelError:
            assert proxy.struck.is_set()
        assert proxy.connections == 1


@pytest.mark.parametrize("at_byte", [0, 10, 500, 1500, 2200, 2600, 3000])
def test_a_line_stalled_anywhere_while_connecting(openssh: OpenSshServer, at_byte: int) -> None:
    settings: dict[str, Any] = dict.fromkeys(
        (f"{stage}_timeout_seconds" for stage in ("handshake", "login", "channel", "operation")), 0.5
    )
    with Proxy(openssh.host, openssh.port) as proxy:
        proxy.arm(Direction.TO_CLIENT, at_byte, Fault.STALL)
        with (
            pytest.raises(TimedOut),
            open_sftp(openssh.settings(port=proxy.port, **settings)) as channel,
        ):
            channel.list("")


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("after_bytes", [0, 1, 100_000, 3_000_001])
def test_put_over_a_line_that_is_cut(
    openssh: OpenSshServer, root: Path, after_bytes: int, direction: Direction
) -> None:
    with Proxy(openssh.host, openssh.port) as proxy:
        with open_sftp(openssh.settings(port=proxy.port, root=str(root))) as channel:
            # The answers to writes are few bytes; the cut there comes early enough.
            proxy.arm(
                direction, after_bytes if direction is Direction.TO_SERVER else after_bytes // 1000, Fault.CUT
            )
            with pytest.raises(ConnectionLost):
                channel.put("a.tmp", io.BytesIO(CONTENT), len(CONTENT))
            with pytest.raises(ConnectionLost):
                channel.list("")
        assert proxy.connections == 1
    assert (
        sum(path.stat().st_size for path in root.iterdir()) < len(CONTENT) or direction is Direction.TO_CLIENT
    )


@pytest.mark.parametrize("after_bytes", [0, 1, 100_000, 3_000_001])
def test_get_over_a_line_that_is_cut(openssh: OpenSshServer, root: Path, after_bytes: int) -> None:
    (root / "a").write_bytes(CONTENT)
    with (
        Proxy(openssh.host, openssh.port) as proxy,
        open_sftp(openssh.settings(port=proxy.port, root=str(root))) as channel,
    ):
        proxy.arm(Direction.TO_CLIENT, after_bytes, Fault.CUT)
        sink = io.BytesIO()
        with pytest.raises(ConnectionLost):
            channel.get("a", sink, len(CONTENT))
    assert CONTENT.startswith(sink.getvalue())
    assert len(sink.getvalue()) < len(CONTENT)


@pytest.mark.parametrize("direction", Direction)
def test_put_over_a_line_that_stalls(openssh: OpenSshServer, root: Path, direction: Direction) -> None:
    with Proxy(openssh.host, openssh.port) as proxy:
        settings = openssh.settings(port=proxy.port, root=str(root), operation_timeout_seconds=0.5)
        with open_sftp(settings) as channel:
            proxy.arm(direction, 1000, Fault.STALL)
            with pytest.raises((TimedOut, ConnectionLost)):
                channel.put("a.tmp", io.BytesIO(CONTENT), len(CONTENT))


def test_put_to_a_server_that_stops_reading_with_a_wide_window(tmp_path: Path) -> None:
    """The window never closes, so only the kernel can tell that nobody takes the bytes."""
    with AsyncSshServer(tmp_path, window=1 << 30) as server, Proxy(server.host, server.port) as proxy:
        settings = server.settings(port=proxy.port, operation_timeout_seconds=0.5, prefetch=1024)
        with open_sftp(settings) as channel:
            proxy.arm(Direction.TO_SERVER, 100_000, Fault.STALL)
            with pytest.raises((TimedOut, ConnectionLost)):
                channel.put("a.tmp", io.BytesIO(CONTENT * 6), len(CONTENT) * 6)


def test_rename_whose_answer_never_comes(openssh: OpenSshServer, root: Path) -> None:
    """It happened, and we cannot know: neither success nor refusal."""
    (root / "a.tmp").write_bytes(b"x")
    with (
        Proxy(openssh.host, openssh.port) as proxy,
        open_sftp(openssh.settings(port=proxy.port, root=str(root))) as channel,
    ):
        answer_to_the_look = _carried(proxy, lambda: channel.stat("a"))
        # One byte into the second answer: by then the server has renamed.
        proxy.arm(Direction.TO_CLIENT, answer_to_the_look + 1, Fault.CUT)
        with pytest.raises(ConnectionLost) as caught:
            channel.rename("a.tmp", "a")
    assert caught.value.transient
    assert [path.name for path in root.iterdir()] == ["a"]


def _carried(proxy: Proxy, act: Callable[[], object]) -> int:
    before = proxy.carried[Direction.TO_CLIENT]
    act()
    return proxy.carried[Direction.TO_CLIENT] - before


def served(tmp_path: Path, sftp: type[asyncssh.SFTPServer], **options: Any) -> AsyncSshServer:
    (tmp_path / "bank").mkdir()
    return AsyncSshServer(tmp_path, sftp=sftp, **options)


class FullAfterOneMegabyte(asyncssh.SFTPServer):
    """Refuses writes beyond one megabyte as a full disk does."""

    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        if offset > 1_000_000:
            raise asyncssh.SFTPNoSpaceOnFilesystem("disk is full")
        return super().write(file_obj, offset, data)


def test_a_full_disk_is_seen_although_writes_are_pipelined(tmp_path: Path) -> None:
    with served(tmp_path, FullAfterOneMegabyte) as server, open_sftp(server.settings()) as channel:
        # In version 3 of the protocol this server has no other word for it than "failure".
        with pytest.raises(ServerFault, match=r"put a\.tmp: the server said 4 disk is full"):
            channel.put("a.tmp", io.BytesIO(CONTENT), len(CONTENT))
        # The connection is still good.
        channel.remove("a.tmp")
        assert channel.list("") == []


class LastWriteFails(asyncssh.SFTPServer):
    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        if len(data) < 1000:
            raise asyncssh.SFTPFailure("quota")
        return super().write(file_obj, offset, data)

    def statvfs(self, path: bytes) -> Any:
        found = list(os.statvfs(self.map_path(path)))
        found[4] = 0  # f_bavail
        return os.statvfs_result(found)


def test_a_bare_failure_on_a_full_disk_is_no_space(tmp_path: Path) -> None:
    """OpenSSH says nothing but "failure"; the free space on the server tells the reason."""
    with (
        served(tmp_path, LastWriteFails) as server,
        open_sftp(server.settings()) as channel,
        pytest.raises(NoSpace),
    ):
        channel.put("a.tmp", io.BytesIO(b"x" * 500), 500)


class CannotSync(asyncssh.SFTPServer):
    def fsync(self, file_obj: object) -> Any:
        raise asyncssh.SFTPFailure("input/output error")


class CannotClose(asyncssh.SFTPServer):
    def close(self, file_obj: object) -> Any:
        super().close(file_obj)
        raise asyncssh.SFTPFailure("input/output error")


class KeepsHalf(asyncssh.SFTPServer):
    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        return super().write(file_obj, offset, data[: len(data) // 2])


class TakesFilesAway(asyncssh.SFTPServer):
    def close(self, file_obj: Any) -> Any:
        super().close(file_obj)
        os.unlink(file_obj.name)


@pytest.mark.parametrize(
    ("sftp", "said"),
    [
        (CannotSync, "input/output error"),
        (CannotClose, "input/output error"),
        (KeepsHalf, "the server holds 50 bytes of 100"),
        (TakesFilesAway, "the file is gone right after it was written"),
    ],
)
def test_an_upload_that_is_not_whole_is_no_success(
    tmp_path: Path, sftp: type[asyncssh.SFTPServer], said: str
) -> None:
    with (
        served(tmp_path, sftp) as server,
        open_sftp(server.settings()) as channel,
        pytest.raises(ServerFault) as caught,
    ):
        channel.put("a.tmp", io.BytesIO(b"x" * 100), 100)
    assert said in str(caught.value)


class Refuses(asyncssh.SFTPServer):
    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        raise asyncssh.SFTPPermissionDenied("read only on sundays\x1b[2J")


def test_a_refusal_names_who_what_and_why(tmp_path: Path) -> None:
    with (
        served(tmp_path, Refuses) as server,
        open_sftp(server.settings()) as channel,
        pytest.raises(PermissionRefused) as caught,
    ):
        channel.put("in/a.tmp", io.BytesIO(b""), 0)
    assert str(caught.value) == (
        f"127.0.0.1:{server.port} bankgate: put in/a.tmp: the server said 3 read only on sundays\\x1b[2J"
    )


class HidesFiles(asyncssh.SFTPServer):
    def lstat(self, path: bytes) -> Any:
        raise asyncssh.SFTPPermissionDenied("not for you")


def test_a_look_that_is_refused_is_not_an_absence(tmp_path: Path) -> None:
    """Taking it for one would send a file a second time."""
    with served(tmp_path, HidesFiles) as server, open_sftp(server.settings()) as channel:
        (server.root / "a.tmp").touch()
        for act in (
            lambda: channel.stat("a"),
            lambda: channel.rename("a.tmp", "a"),
            lambda: channel.put("b", io.BytesIO(b""), 0),
        ):
            with pytest.raises(PermissionRefused):
                act()
        assert [path.name for path in server.root.iterdir()] == ["a.tmp"]


class Truncates(asyncssh.SFTPServer):
    """Says a size and gives half of it."""

    def read(self, file_obj: object, offset: int, size: int) -> Any:
        return super().read(file_obj, offset, size) if offset + size < len(CONTENT) // 2 else b""


class ShortReads(asyncssh.SFTPServer):
    def read(self, file_obj: object, offset: int, size: int) -> Any:
        return super().read(file_obj, offset, min(size, 1 + offset % 20_000))


class Grows(asyncssh.SFTPServer):
    def fstat(self, file_obj: Any) -> Any:
        found = super().fstat(file_obj)
        with open(file_obj.name, "ab") as more:
            more.write(b"later")
        return found


class Empty(asyncssh.SFTPServer):
    def fstat(self, file_obj: Any) -> Any:
        return asyncssh.SFTPAttrs()


@pytest.mark.parametrize(
    ("sftp", "kind", "said"),
    [
        (Truncates, ConnectionLost, f"of {len(CONTENT)}"),
        (Grows, ServerFault, "the file grew while it was read"),
        (Empty, ProtocolUnsupported, "does not say the size"),
    ],
)
def test_a_file_that_is_not_what_was_announced(
    tmp_path: Path, sftp: type[asyncssh.SFTPServer], kind: type[ChannelError], said: str
) -> None:
    with served(tmp_path, sftp) as server, open_sftp(server.settings()) as channel:
        (server.root / "a").write_bytes(CONTENT)
        with pytest.raises(kind) as caught:
            channel.get("a", io.BytesIO(), 2 * len(CONTENT))
    assert said in str(caught.value)


def test_short_reads_are_put_together(tmp_path: Path) -> None:
    with served(tmp_path, ShortReads) as server, open_sftp(server.settings()) as channel:
        (server.root / "a").write_bytes(CONTENT)
        sink = io.BytesIO()
        assert channel.get("a", sink, len(CONTENT)) == len(CONTENT)
    assert sink.getvalue() == CONTENT


def liar(name: bytes) -> type[asyncssh.SFTPServer]:
    class Lies(asyncssh.SFTPServer):
        async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
            attributes = asyncssh.SFTPAttrs(size=1, permissions=0o100644)
            yield asyncssh.SFTPName(name, attrs=attributes)

    return Lies


@pytest.mark.parametrize(
    "name",
    [
        b"../../etc/passwd",
        b"/etc/passwd",
        b"..",
        b".",
        b"",
        b"a/b",
        b"a\x00b",
        b"a\nb",
        b"..\\x",
        b"\xff\xfe",
        b"x" * 300,
    ],
)
def test_names_of_a_lying_server_never_get_in(tmp_path: Path, name: bytes) -> None:
    with (
        served(tmp_path, liar(name)) as server,
        open_sftp(server.settings()) as channel,
        pytest.raises(UnsafeName) as caught,
    ):
        channel.list("")
    assert str(caught.value).isprintable()
    assert ascii(name[:120])[2:-1].replace(r"\xff\xfe", "**") in str(caught.value)


def test_names_in_the_encoding_of_the_bank(tmp_path: Path) -> None:
    name = "代发回盘.txt"
    with (
        served(tmp_path, liar(name.encode("gbk"))) as server,
        open_sftp(server.settings(name_encoding="gb18030")) as channel,
    ):
        assert [entry.name for entry in channel.list("")] == [name]


class Overwrites(asyncssh.SFTPServer):
    """A server without a single guard: rename and creation overwrite, nothing can be removed."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        if pflags & asyncssh.FXF_CREAT:
            pflags = pflags & ~asyncssh.FXF_EXCL | asyncssh.FXF_TRUNC
        return super().open(path, pflags, attrs)

    def rename(self, oldpath: bytes, newpath: bytes) -> Any:
        os.replace(self.map_path(oldpath), self.map_path(newpath))


def test_probe_finds_a_server_that_overwrites(tmp_path: Path) -> None:
    with served(tmp_path, Overwrites) as server, open_sftp(server.settings()) as channel:
        facts = probe(channel, token="t")
        assert (facts.rename_refuses_existing, facts.exclusive_create) == (False, False)
        assert (facts.sync, facts.sizes_kept, facts.left_behind) == (True, True, ())
        assert list(server.root.iterdir()) == []


def test_even_there_we_do_not_overwrite(tmp_path: Path) -> None:
    with served(tmp_path, Overwrites) as server, open_sftp(server.settings()) as channel:
        (server.root / "a").write_bytes(b"old")
        (server.root / "a.tmp").write_bytes(b"new")
        for act in (lambda: channel.rename("a.tmp", "a"), lambda: channel.put("a", io.BytesIO(b"new"), 3)):
            with pytest.raises(ChannelError):
                act()
        assert (server.root / "a").read_bytes() == b"old"


class KeepsForever(asyncssh.SFTPServer):
    def remove(self, path: bytes) -> Any:
        raise asyncssh.SFTPPermissionDenied("no")


def test_probe_tells_what_it_had_to_leave(tmp_path: Path) -> None:
    with served(tmp_path, KeepsForever) as server, open_sftp(server.settings()) as channel:
        facts = probe(channel, token="t")
    assert facts.left_behind == ("bankgate-probe-t-1.tmp", "bankgate-probe-t-2.tmp")


def test_a_server_that_cannot_sync_says_so_in_traits_and_upload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncssh.sftp.SFTPServerHandler, "_extensions", [])
    with served(tmp_path, asyncssh.SFTPServer) as server, open_sftp(server.settings()) as channel:
        assert not channel.traits.sync
        assert not channel.put("a", io.BytesIO(b"x"), 1).synced


def test_a_folder_whose_disk_takes_no_more(root: Path) -> None:
    """A real limit of the system, set on this process: writing beyond 64 KiB fails."""
    channel = FolderChannel(root)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    try:
        with pytest.raises(NoSpace):
            channel.put("a.tmp", io.BytesIO(CONTENT), len(CONTENT))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (root / "a.tmp").stat().st_size == 65536


def test_the_channel_is_an_sftp_channel(openssh: OpenSshServer) -> None:
    channel = open_sftp(openssh.settings())
    channel.close()
    channel.close()
    assert isinstance(channel, SftpChannel)
    with pytest.raises(ConnectionLost):
        channel.list("")

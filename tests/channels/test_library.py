"""What we know of paramiko and lean on, or had to work around: when one turns red, look again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from channels import open_sftp
from tests.servers import AsyncSshServer, OpenSshServer


class RefusesWrites(asyncssh.SFTPServer):
    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        raise asyncssh.SFTPNoSpaceOnFilesystem("disk is full")


@pytest.fixture
def plain_client(tmp_path: Path) -> Iterator[paramiko.SFTPClient]:
    """paramiko's own client at a server that refuses every write."""
    with AsyncSshServer(tmp_path, sftp=RefusesWrites) as server:
        transport = paramiko.Transport(socket.create_connection((server.host, server.port)))
        key = paramiko.Ed25519Key.from_private_key_file(str(server.client_key_path))
        transport.connect(username=server.user, pkey=key)
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        yield client
        transport.close()


def test_paramiko_loses_the_answers_to_pipelined_writes(
    plain_client: paramiko.SFTPClient, tmp_path: Path
) -> None:
    """The reason for `channels.session`: a full disk, and no error from write or close."""
    with plain_client.open(str(tmp_path / "a.tmp"), "wx") as file:
        file.set_pipelined(True)
        file.write(b"x" * 1000)
    assert (tmp_path / "a.tmp").read_bytes() == b""


def test_paramiko_hides_the_extensions_of_a_server(plain_client: paramiko.SFTPClient) -> None:
    assert [name for name in dir(plain_client) if "extension" in name.lower()] == []


def test_the_socket_is_tuned(openssh: OpenSshServer) -> None:
    with open_sftp(openssh.settings(operation_timeout_seconds=7.0)) as channel:
        endpoint = channel._connection._transport.sock
        assert endpoint.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert endpoint.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert endpoint.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7000


def test_only_modern_algorithms_are_offered(openssh: OpenSshServer) -> None:
    """What the server saw of us, as far as the library tells."""
    with open_sftp(openssh.settings()) as channel:
        offered = channel._connection._transport.get_security_options()
        names = [*offered.kex, *offered.ciphers, *offered.digests, *offered.key_types]
    old = ("sha1", "md5", "cbc", "ssh-rsa", "ssh-dss", "group1-", "arcfour")
    assert [name for name in names if any(mark in name for mark in old)] == []


def test_window_and_packets(openssh: OpenSshServer) -> None:
    with open_sftp(openssh.settings(window_bytes=8 << 20)) as channel:
        stream: Any = channel._connection.stream
        assert (stream.in_window_size, stream.in_max_packet_size) == (8 << 20, 32768)

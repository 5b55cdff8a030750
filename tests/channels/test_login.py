"""Who the server is and who we are: pins before login, each way of logging in once."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from channels import open_sftp
from channels.errors import (
    AuthenticationRefused,
    ConnectionLost,
    HostKeyRefused,
    ProtocolUnsupported,
    SettingsInvalid,
)
from tests.servers import AsyncSshServer, OpenSshServer, make_key

PASSWORD = "correct horse"


@pytest.fixture
def with_password(tmp_path: Path) -> Iterator[AsyncSshServer]:
    with AsyncSshServer(tmp_path, takes_key=False, password=PASSWORD) as server:
        yield server


def fingerprint_by_ssh_keygen(line: str) -> str:
    """OpenSSH's own tool as the judge."""
    shown = subprocess.run(["ssh-keygen", "-lf", "-"], input=line, capture_output=True, text=True, check=True)
    return shown.stdout.split()[1]


def test_current_and_next_key_are_both_pinned(openssh: OpenSshServer, tmp_path: Path) -> None:
    following = make_key(tmp_path / "next")
    for pins in ((openssh.host_key_line, following), (following, openssh.host_key_line)):
        with open_sftp(openssh.settings(host_keys=pins)) as channel:
            assert channel.list("") == []


def test_pin_by_fingerprint(openssh: OpenSshServer) -> None:
    pin = fingerprint_by_ssh_keygen(openssh.host_key_line)
    with open_sftp(openssh.settings(host_keys=(pin,))) as channel:
        assert channel.peer.host_key == f"ssh-ed25519 {pin}"
        assert channel.peer.software.startswith("SSH-2.0-OpenSSH_")


def test_a_server_with_several_keys_is_asked_for_the_pinned_one(openssh: OpenSshServer) -> None:
    with open_sftp(openssh.settings(host_keys=(openssh.second_host_key_line,))) as channel:
        assert channel.peer.host_key.startswith("ecdsa-sha2-nistp256 ")


@pytest.mark.parametrize("by_fingerprint", [False, True], ids=["key line", "fingerprint"])
def test_wrong_host_key_and_no_login_is_tried(
    asyncssh_server: AsyncSshServer, tmp_path: Path, by_fingerprint: bool
) -> None:
    line = make_key(tmp_path / "other")
    pin = fingerprint_by_ssh_keygen(line) if by_fingerprint else line
    before = vars(asyncssh_server.logins).copy()
    with pytest.raises(HostKeyRefused) as caught:
        open_sftp(asyncssh_server.settings(host_keys=(pin,)))
    assert vars(asyncssh_server.logins) == before
    assert fingerprint_by_ssh_keygen(asyncssh_server.host_key_line) in str(caught.value)
    assert not caught.value.transient


def test_wrong_host_key_in_the_log_of_openssh(tmp_path: Path) -> None:
    """sshd itself says that the connection ended before any user was named."""
    with OpenSshServer(tmp_path) as server:
        with pytest.raises(HostKeyRefused):
            open_sftp(server.settings(host_keys=(make_key(tmp_path / "other"),)))
        # A second, good login afterwards: its lines prove that the log was written by then.
        with open_sftp(server.settings()):
            log = server.log_path.read_text(errors="replace")
    assert log.count("Accepted publickey") == 1
    assert "Failed" not in log
    assert "Invalid user" not in log


def test_login_with_password(with_password: AsyncSshServer) -> None:
    with open_sftp(with_password.settings(key_path="", password=PASSWORD)) as channel:
        assert channel.list("") == []
    assert vars(with_password.logins) == {"begun": 1, "keys": 0, "passwords": 1, "prompts": 0}


def test_refused_password_is_tried_exactly_once(with_password: AsyncSshServer) -> None:
    with pytest.raises(AuthenticationRefused) as caught:
        open_sftp(with_password.settings(key_path="", password="wrong battery"))
    assert with_password.logins.passwords == 1
    assert not caught.value.transient
    assert "wrong battery" not in f"{caught.value!s} {caught.value.hint} {caught.value.__cause__!r}"


def test_password_by_hidden_prompt(tmp_path: Path) -> None:
    with AsyncSshServer(tmp_path, takes_key=False, password=PASSWORD, prompts=True) as server:
        with open_sftp(server.settings(key_path="", password=PASSWORD)) as channel:
            assert channel.list("") == []
        with pytest.raises(AuthenticationRefused):
            open_sftp(server.settings(key_path="", password="wrong"))
        assert server.logins.prompts == 2
        assert server.logins.passwords == 0


def test_refused_key_is_tried_exactly_once_and_no_password_after_it(tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    with AsyncSshServer(tmp_path, password=PASSWORD) as server:
        settings = server.settings(key_path=str(tmp_path / "stranger"), password=PASSWORD)
        with pytest.raises(AuthenticationRefused):
            open_sftp(settings)
        assert vars(server.logins) == {"begun": 1, "keys": 1, "passwords": 0, "prompts": 0}


def test_refused_key_at_openssh_is_tried_exactly_once(tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    with OpenSshServer(tmp_path) as server:
        with pytest.raises(AuthenticationRefused):
            open_sftp(server.settings(key_path=str(tmp_path / "stranger")))
        with open_sftp(server.settings()):
            log = server.log_path.read_text(errors="replace")
    assert log.count("Failed publickey") == 1


def test_a_server_that_hangs_up_on_a_bad_login_has_refused(tmp_path: Path) -> None:
    """With MaxAuthTries 1 sshd closes instead of answering; a retry would count against the account."""
    make_key(tmp_path / "stranger")
    server = OpenSshServer(tmp_path, extra_config="MaxAuthTries 1\n")
    with server, pytest.raises(AuthenticationRefused) as caught:
        open_sftp(server.settings(key_path=str(tmp_path / "stranger")))
    assert "closed the connection instead of answering" in str(caught.value)


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp384", "ssh-rsa"])
def test_each_kind_of_key_locked_by_a_passphrase(tmp_path: Path, kind: str) -> None:
    with OpenSshServer(tmp_path) as server:
        line = make_key(tmp_path / "locked", kind, passphrase="open sesame")
        (tmp_path / "sshd" / "authorized_keys").write_text(line + "\n")
        settings = server.settings(key_path=str(tmp_path / "locked"), key_passphrase="open sesame")
        with open_sftp(settings) as channel:
            assert channel.list("") == []


@pytest.mark.parametrize("passphrase", ["", "wrong"])
def test_a_key_that_cannot_be_opened(openssh: OpenSshServer, tmp_path: Path, passphrase: str) -> None:
    make_key(tmp_path / "locked", passphrase="open sesame")
    with pytest.raises(SettingsInvalid):
        open_sftp(openssh.settings(key_path=str(tmp_path / "locked"), key_passphrase=passphrase))


@pytest.mark.parametrize(
    "content",
    ["", "nonsense", "-----BEGIN RSA PRIVATE KEY-----\n!!\n-----END RSA PRIVATE KEY-----\n", "秘密"],
)
def test_a_key_file_that_is_none(openssh: OpenSshServer, tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(SettingsInvalid):
        open_sftp(openssh.settings(key_path=str(tmp_path / "key")))


def test_a_key_file_that_is_missing(openssh: OpenSshServer, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid):
        open_sftp(openssh.settings(key_path=str(tmp_path / "missing")))


class TwoSteps(paramiko.ServerInterface):
    """Wants a key and then a password, or the other way round."""

    def __init__(self, order: list[str]) -> None:
        self.order = order
        self.done: list[str] = []
        self.asked: list[str] = []

    def get_allowed_auths(self, username: str) -> str:
        return self.order[len(self.done)]

    def _judge(self, way: str, good: bool) -> int:
        self.asked.append(way)
        if self.order[len(self.done)] != way or not good:
            return paramiko.AUTH_FAILED
        self.done.append(way)
        return paramiko.AUTH_SUCCESSFUL if len(self.done) == 2 else paramiko.AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self._judge("publickey", True)

    def check_auth_password(self, username: str, password: str) -> int:
        return self._judge("password", password == PASSWORD)

    def check_auth_interactive(self, username: str, submethods: str) -> int:
        return self._judge("keyboard-interactive", True)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


@pytest.fixture
def two_steps(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[TwoSteps, int, str]]:
    """A server of paramiko that takes one connection; its port and host key line."""
    line = make_key(tmp_path / "host")
    rules = TwoSteps(request.param)
    listener = socket.create_server(("127.0.0.1", 0))
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        transport = paramiko.Transport(listener.accept()[0])
        transports.append(transport)
        transport.add_server_key(paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "host")))
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer)
        transport.start_server(event=threading.Event(), server=rules)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield rules, listener.getsockname()[1], line
    thread.join(10)
    for transport in transports:
        transport.close()
        transport.join(10)
    listener.close()


@pytest.mark.parametrize("two_steps", [["publickey", "password"], ["password", "publickey"]], indirect=True)
def test_key_and_password_where_a_server_wants_both(
    two_steps: tuple[TwoSteps, int, str], openssh: OpenSshServer
) -> None:
    rules, port, line = two_steps
    with open_sftp(openssh.settings(port=port, host_keys=(line,), password=PASSWORD)):
        assert rules.done == rules.order


@pytest.mark.parametrize("two_steps", [["publickey", "password"]], indirect=True)
def test_a_second_step_that_we_cannot_take(
    two_steps: tuple[TwoSteps, int, str], openssh: OpenSshServer
) -> None:
    rules, port, line = two_steps
    with pytest.raises(AuthenticationRefused) as caught:
        open_sftp(openssh.settings(port=port, host_keys=(line,)))
    assert rules.asked == ["publickey"]
    assert "also wants password" in str(caught.value)


@pytest.mark.parametrize("two_steps", [["publickey", "password"]], indirect=True)
def test_a_refused_second_step_is_not_repeated(
    two_steps: tuple[TwoSteps, int, str], openssh: OpenSshServer
) -> None:
    rules, port, line = two_steps
    with pytest.raises(AuthenticationRefused):
        open_sftp(openssh.settings(port=port, host_keys=(line,), password="wrong"))
    assert rules.asked == ["publickey", "password"]


@pytest.mark.parametrize("two_steps", [["password", "keyboard-interactive"]], indirect=True)
def test_a_password_is_never_given_as_the_answer_to_another_question(
    two_steps: tuple[TwoSteps, int, str], openssh: OpenSshServer
) -> None:
    """After the password a prompt asks for something else (a one-time code), which we do not have."""
    rules, port, line = two_steps
    with pytest.raises(AuthenticationRefused):
        open_sftp(openssh.settings(port=port, host_keys=(line,), key_path="", password=PASSWORD))
    assert rules.asked == ["password"]


@pytest.mark.parametrize(
    "config",
    [
        "KexAlgorithms diffie-hellman-group14-sha1\n",
        "MACs hmac-sha1\nCiphers aes128-ctr\n",
        "Ciphers aes128-cbc\n",
    ],
    ids=["key exchange", "mac", "cipher"],
)
def test_a_server_of_old_algorithms_is_named_as_such(tmp_path: Path, config: str) -> None:
    server = OpenSshServer(tmp_path, extra_config=config)
    with server, pytest.raises(ProtocolUnsupported) as caught:
        open_sftp(server.settings())
    assert "SHA-1" in caught.value.hint
    assert not caught.value.transient


def test_a_server_with_sha1_signatures_only(tmp_path: Path) -> None:
    make_key(tmp_path / "host_rsa", "ssh-rsa")
    config = f"HostKey {tmp_path}/host_rsa\nHostKeyAlgorithms ssh-rsa\n"
    with OpenSshServer(tmp_path, extra_config=config) as server, pytest.raises(ProtocolUnsupported):
        open_sftp(server.settings())


def test_a_server_without_sftp(tmp_path: Path) -> None:
    server = OpenSshServer(tmp_path, extra_config="ForceCommand /bin/true\n")
    with server, pytest.raises(ConnectionLost):
        open_sftp(server.settings())

"""Real SFTP servers on loopback for tests: OpenSSH's own, and asyncssh with hooks to misbehave.

    with OpenSshServer(tmp_path) as server:
        with open_sftp(server.settings()) as channel: ...

Both give `host`, `port`, `user`, `host_key_line`, `client_key_path`, `root` and
`settings(...)`. They run without root as well as with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncssh

from channels import SftpSettings

_START_SECONDS = 20.0
_PORTS_TRIED = 5

_SSHD_CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_ed25519
HostKey {folder}/host_ecdsa
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
PermitRootLogin yes
AllowUsers {user}
LogLevel VERBOSE
Subsystem sftp internal-sftp
"""


def make_key(path: Path, kind: str = "ssh-ed25519", passphrase: str | None = None) -> str:
    """A new private key in OpenSSH form, mode 0600; its public key line."""
    key = asyncssh.generate_private_key(kind)
    # Few rounds: the passphrase's cost is not under test.
    key.write_private_key(path, passphrase=passphrase, rounds=4, ignore_few_rounds=True)
    path.chmod(0o600)
    return key.export_public_key().decode("ascii").strip()


class _Server:
    """What both servers say about themselves."""

    host = "127.0.0.1"
    port: int
    user: str
    root: Path
    client_key_path: Path
    host_key_line: str

    def settings(self, **changes: Any) -> SftpSettings:
        """Settings that work, with short time-outs, changed by `changes`."""
        given: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "host_keys": (self.host_key_line,),
            "key_path": str(self.client_key_path),
            "root": str(self.root),
            "operation_timeout_seconds": 20.0,
        }
        return SftpSettings(**(given | changes))


class OpenSshServer(_Server):
    """sshd with `internal-sftp` on a free port, its files below `folder`, logged in to by key.

    `extra_config` is put in front of the configuration (sshd keeps the first value it reads).
    """

    def __init__(self, folder: Path, extra_config: str = "") -> None:
        self._folder = folder / "sshd"
        self._extra_config = extra_config
        self._process: subprocess.Popen[bytes] | None = None
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.root = folder / "bank"
        self.client_key_path = folder / "client_ed25519"
        self.log_path = self._folder / "log"

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self.root.mkdir(exist_ok=True)
        client_line = make_key(self.client_key_path)
        (self._folder / "authorized_keys").write_text(client_line + "\n")
        self.host_key_line = make_key(self._folder / "host_ed25519")
        self.second_host_key_line = make_key(self._folder / "host_ecdsa", "ecdsa-sha2-nistp256")
        if os.geteuid() == 0:
            # sshd, as root, does not start without this empty folder.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        for _ in range(_PORTS_TRIED):
            if self._start():
                return self
        raise RuntimeError(f"sshd does not start: {self.log_path.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _start(self) -> bool:
        with socket.create_server((self.host, 0)) as free:
            self.port = free.getsockname()[1]
        config = _SSHD_CONFIG.format(port=self.port, folder=self._folder, user=self.user)
        (self._folder / "config").write_text(self._extra_config + config)
        sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if sshd is None:
            raise RuntimeError("sshd is missing: install the package openssh-server")
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sshd, "-D", "-e", "-f", str(self._folder / "config")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if self._answers():
            return True
        self._stop()
        return False

    def _answers(self) -> bool:
        """Waits for the banner; False when sshd ended before (its port was taken)."""
        assert self._process is not None
        pause = threading.Event()
        for _ in range(int(_START_SECONDS / 0.05)):
            if self._process.poll() is not None:
                return False
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 1) as peer:
                return peer.recv(4) == b"SSH-"
            pause.wait(0.05)
        return False

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


class Logins:
    """How often somebody tried to log in, and how: the proof that a refusal is not repeated."""

    def __init__(self) -> None:
        self.begun = 0
        self.keys = 0
        self.passwords = 0
        self.prompts = 0


class AsyncSshServer(_Server):
    """asyncssh's SFTP server in a thread of its own.

    `sftp` makes the `SFTPServer` of each connection (subclass `asyncssh.SFTPServer` to
    misbehave). The login wants a key (`takes_key`), a password where one is given, both
    where both are; `prompts` asks for the password as PAM does. Counts go to `logins`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        sftp: Callable[[asyncssh.SSHServerChannel[bytes]], asyncssh.SFTPServer] | None = None,
        takes_key: bool = True,
        password: str = "",
        prompts: bool = False,
        **options: Any,
    ) -> None:
        self._folder = folder / "asyncssh"
        self._sftp = sftp
        self._takes_key = takes_key
        self._prompts = prompts
        self._options = options
        self.password = password
        self.user = "bankgate"
        self.root = folder / "bank"
        self.client_key_path = folder / "client_ed25519"
        self.logins = Logins()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: list[asyncssh.SSHServerConnection] = []

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self.root.mkdir(exist_ok=True)
        self.client_line = make_key(self.client_key_path)
        self.host_key_line = make_key(self._folder / "host_ed25519")
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)

    async def _listen(self) -> None:
        self._acceptor = await asyncssh.listen(
            self.host,
            0,
            server_factory=lambda: _Login(self),
            server_host_keys=[str(self._folder / "host_ed25519")],
            sftp_factory=self._sftp or True,
            **self._options,
        )
        self.port = self._acceptor.get_port()

    async def _end(self) -> None:
        assert self._acceptor is not None
        self._acceptor.close()
        for connection in self._connections:
            connection.abort()
        await asyncio.gather(*(one.wait_closed() for one in self._connections), return_exceptions=True)
        await self._acceptor.wait_closed()
        # The sockets themselves are closed one turn of the loop later.
        await asyncio.sleep(0)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Login(asyncssh.SSHServer):
    def __init__(self, server: AsyncSshServer) -> None:
        self._server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._server._connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        self._server.logins.begun += 1
        return True

    def public_key_auth_supported(self) -> bool:
        return self._server._takes_key

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._server.logins.keys += 1
        return key.export_public_key().decode().split()[1] == self._server.client_line.split()[1]

    def password_auth_supported(self) -> bool:
        return bool(self._server.password) and not self._server._prompts

    def validate_password(self, username: str, password: str) -> bool:
        self._server.logins.passwords += 1
        return password == self._server.password

    def kbdint_auth_supported(self) -> bool:
        return self._server._prompts

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return "", "", "", [("Password:", False)]

    def validate_kbdint_response(self, username: str, responses: Any) -> bool:
        self._server.logins.prompts += 1
        return list(responses) == [self._server.password]

"""A simulated bank behind a real SFTP server on loopback (extra `[simulator]`, asyncssh).

The server runs in a thread with an event loop of its own; the bank's work runs in a second
thread, one piece after the other. A listing of the folder of answers waits for the work
before it, so whoever puts a file and then lists sees the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from gateway.simulator.bank import SimulatedBank
from gateway.simulator.errors import SimulatorUnavailable
from gateway.simulator.front import Front

try:
    import asyncssh
except ModuleNotFoundError as error:
    raise SimulatorUnavailable(
        "the simulated bank needs asyncssh", hint="install it: pip install 'bankgate[simulator]'"
    ) from error

HOST = "127.0.0.1"
_START_SECONDS = 30
_WRITING = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND


class Login(Struct, frozen=True, kw_only=True):
    """Who may log in: by password, by one of the public keys (OpenSSH lines), or by either."""

    user: str
    password: str = ""
    public_keys: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Login({self.user})"


class ServerSettings(Struct, frozen=True, kw_only=True):
    """Where one bank listens. `port` 0 takes a free one; `host_key` is a private key file."""

    folder: Path
    host_key: Path
    logins: tuple[Login, ...]
    port: int = 0


class BankServer:
    """One bank's SFTP server. A context manager; `port` is known inside."""

    def __init__(
        self,
        bank: SimulatedBank,
        settings: ServerSettings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        announce: Callable[[str], None] | None = None,
    ) -> None:
        self.bank = bank
        self.front = Front(bank, settings.folder, clock, announce)
        self.port = 0
        self._settings = settings
        self._ready: Future[int] = Future()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._work: list[Future[None]] = []
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="simulated-bank-work")
        self._thread = threading.Thread(target=self._run, name="simulated-bank", daemon=True)

    def __enter__(self) -> Self:
        """Start. Raises `OSError` where the port is taken, `asyncssh.KeyImportError` for a bad key."""
        self._thread.start()
        try:
            self.port = self._ready.result(_START_SECONDS)
        except BaseException:
            self._end()
            raise
        # Whatever lies there since the last time is taken now.
        self._submit(self.front.notice)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        if kind is None:
            self._raise_failure()

    @property
    def host_key_line(self) -> str:
        """The public host key as an OpenSSH line, to be pinned."""
        return public_key_line(self._settings.host_key)

    def wait(self) -> None:
        """Until the bank's work so far is done. A mistake in the bank itself is raised here."""
        self._worker.submit(_nothing).result()
        self._raise_failure()

    def notice(self, writing: frozenset[Path] = frozenset()) -> None:
        """Something happened in the folders: the worker will look at them."""
        self._submit(self.front.notice, writing)

    async def look(self) -> None:
        """Returns when the work before it is done and what is due has appeared."""
        await asyncio.wrap_future(self._submit(self.front.look))

    def _submit(self, work: Callable[..., None], *arguments: frozenset[Path]) -> Future[None]:
        future = self._worker.submit(work, *arguments)
        self._work = [earlier for earlier in self._work if not earlier.done() or earlier.exception()]
        self._work.append(future)
        return future

    def _raise_failure(self) -> None:
        for future in self._work:
            if future.done():
                future.result()

    def _end(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed already: it could not start
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._worker.shutdown()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        try:
            server = await asyncssh.listen(
                HOST,
                self._settings.port,
                server_factory=lambda: _Door(self._settings.logins, self._connections),
                server_host_keys=[str(self._settings.host_key)],
                sftp_factory=lambda channel: _Files(channel, self),
                allow_scp=False,
                agent_forwarding=False,
                allow_pty=False,
                # A bank's own clients stay logged in; nobody here needs a login to time out.
                login_timeout=_START_SECONDS,
            )
        except (OSError, ValueError, asyncssh.Error) as error:
            self._ready.set_exception(error)
            return
        self._ready.set_result(server.get_port())
        await self._stop.wait()
        server.close()
        await server.wait_closed()
        for connection in list(self._connections):
            connection.abort()
            await connection.wait_closed()
        # A transport is closed in the turn of the loop after the one in which it was aborted.
        await asyncio.sleep(0)


class _Door(asyncssh.SSHServer):
    """Who may come in."""

    def __init__(self, logins: tuple[Login, ...], connections: set[asyncssh.SSHServerConnection]) -> None:
        self._logins = {login.user: login for login in logins}
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return any(login.password for login in self._logins.values())

    def validate_password(self, username: str, password: str) -> bool:
        login = self._logins.get(username)
        wanted = login.password if login else ""
        return bool(wanted) and hmac.compare_digest(wanted.encode(), password.encode())

    def public_key_auth_supported(self) -> bool:
        return any(login.public_keys for login in self._logins.values())

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        login = self._logins.get(username)
        lines = login.public_keys if login else ()
        return any(asyncssh.import_public_key(line).public_data == key.public_data for line in lines)


class _Files(asyncssh.SFTPServer):
    """The bank's folders. Nothing outside them can be named: no links, no way up."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], server: BankServer) -> None:
        super().__init__(channel, chroot=os.fsencode(server.front.root))
        self._server = server
        self._writing: dict[int, Path] = {}

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        file = super().open(path, pflags, attrs)
        if pflags & _WRITING:
            self._writing[id(file)] = self._local(path)
        return file

    def close(self, file_obj: object) -> None:
        super().close(file_obj)
        if self._writing.pop(id(file_obj), None) is not None:
            self._notice()

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        super().rename(oldpath, newpath)
        self._notice()

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        super().posix_rename(oldpath, newpath)
        self._notice()

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        if self._local(path) == self._server.front.answers:
            await self._server.look()
        async for name in super().scandir(path):
            yield name

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("this bank makes no links")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("this bank makes no links")

    def _local(self, path: bytes) -> Path:
        return Path(os.fsdecode(self.map_path(path)))

    def _notice(self) -> None:
        self._server.notice(frozenset(self._writing.values()))


def _nothing() -> None:
    pass


def public_key_line(path: Path) -> str:
    """The public half of a private key file as an OpenSSH line."""
    return asyncssh.read_private_key(path).export_public_key().decode().strip()


def serve(server: BankServer, ready: Callable[[int], None]) -> None:
    """Run in the foreground until Ctrl-C; `ready` gets the port once the bank listens."""
    with server, contextlib.suppress(KeyboardInterrupt):
        ready(server.port)
        threading.Event().wait()

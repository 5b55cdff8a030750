"""From an address to an open SFTP stream: socket, keys, host key, login, subsystem.

The order is the point: the server's key is compared with the pins before a user name is
sent, and each way of logging in is used at most once. No agent, no `~/.ssh`, no
known_hosts. Not here: the SFTP protocol (`channels.session`).
"""

from __future__ import annotations

import base64
import io
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import paramiko
from msgspec import Struct
from paramiko.auth_handler import AuthHandler
from paramiko.ssh_exception import PartialAuthentication

from channels.errors import (
    AuthenticationRefused,
    ChannelError,
    ConnectionLost,
    HostKeyRefused,
    SettingsInvalid,
    TimedOut,
    Unreachable,
)
from channels.faults import HINTS, Boundary, make, printable, translate
from channels.hostkeys import fingerprint, is_pinned, parse_pin, signature_order
from channels.settings import SftpSettings

PACKET_BYTES = 32 * 1024
"""What every server takes; only the window is raised."""

_KEY_EXCHANGES = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
_DIGESTS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
_HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_OLD_SIGNATURES = {"pubkeys": ["ssh-rsa", "ssh-rsa-cert-v01@openssh.com", "ssh-dss"]}
_PASSWORD_WAYS = frozenset({"password", "keyboard-interactive"})
_KEY_CLASSES: dict[bytes, type[paramiko.PKey]] = {
    b"ssh-ed25519": paramiko.Ed25519Key,
    b"ecdsa-sha2-": paramiko.ECDSAKey,
    b"ssh-rsa": paramiko.RSAKey,
}
_LIBRARY_PATIENCE_SECONDS = 3700.0
"""Longer than any time-out of ours: ours end every wait, so that a silence is told from a refusal."""

_LOG = "channels.ssh"
logging.getLogger(_LOG).addHandler(logging.NullHandler())


class Stream(Protocol):
    """The bytes of the SFTP subsystem, both ways."""

    def recv(self, nbytes: int, /) -> bytes: ...

    def sendall(self, s: bytes, /) -> None: ...


class Peer(Struct, frozen=True):
    """What the other side showed of itself, for a person who sets up a bank."""

    software: str
    host_key: str
    """Type and fingerprint of the key that it showed."""


class Connection:
    """A logged-in connection with the SFTP subsystem open; `stream` carries its packets."""

    def __init__(self, stream: Stream, transport: paramiko.Transport) -> None:
        self.stream = stream
        self._transport = transport
        shown = transport.get_remote_server_key()
        self.peer = Peer(
            software=printable(transport.remote_version),
            host_key=f"{shown.get_name()} {fingerprint(shown.asbytes())}",
        )

    def close(self) -> None:
        """Ends the connection without a word: a server that hangs cannot hold us up."""
        self._transport.close()


def connect(settings: SftpSettings) -> Connection:
    """Raises a `ChannelError`; never tries twice."""
    key = _load_key(settings)
    transport = _open_transport(settings)
    try:
        _agree_on_keys(transport, settings)
        _check_host_key(transport, settings)
        _log_in(transport, settings, key)
        stream = _open_subsystem(transport, settings)
        with Boundary(f"{settings.place}: opening SFTP"):
            return Connection(stream, transport)
    except BaseException:
        transport.close()
        raise


def _open_transport(settings: SftpSettings) -> paramiko.Transport:
    try:
        endpoint = socket.create_connection(
            (settings.host, settings.port), timeout=settings.connect_timeout_seconds
        )
    except OSError as error:
        raise _before_any_work(translate(error, f"{settings.place}: connecting")) from error
    try:
        with Boundary(f"{settings.place}: connecting"):
            _tune_socket(endpoint, settings.operation_timeout_seconds)
            return _make_transport(endpoint, settings)
    except BaseException:
        endpoint.close()
        raise


def _tune_socket(endpoint: socket.socket, silence_seconds: float) -> None:
    # Without TCP_NODELAY each small request waits for the answer to the one before.
    endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # The library repeats a blocked send for ever; the kernel ends it.
        endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(silence_seconds * 1000))


def _make_transport(endpoint: socket.socket, settings: SftpSettings) -> paramiko.Transport:
    transport = paramiko.Transport(
        endpoint,
        default_window_size=settings.window_bytes,
        default_max_packet_size=PACKET_BYTES,
        disabled_algorithms=_OLD_SIGNATURES,
    )
    transport.set_log_channel(_LOG)
    transport.banner_timeout = _LIBRARY_PATIENCE_SECONDS
    transport.handshake_timeout = _LIBRARY_PATIENCE_SECONDS
    transport.auth_timeout = _LIBRARY_PATIENCE_SECONDS
    options = transport.get_security_options()
    options.kex = _known(_KEY_EXCHANGES, options.kex)
    options.ciphers = _known(_CIPHERS, options.ciphers)
    options.digests = _known(_DIGESTS, options.digests)
    pins = [parse_pin(text) for text in settings.host_keys]
    options.key_types = signature_order(pins, _known(_HOST_KEYS, options.key_types))
    return transport


def _known(wanted: tuple[str, ...], available: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in wanted if name in available)


def _agree_on_keys(transport: paramiko.Transport, settings: SftpSettings) -> None:
    where = f"{settings.place}: handshake"
    finished = threading.Event()
    transport.start_client(event=finished)
    if not finished.wait(settings.handshake_timeout_seconds):
        raise _silent(where, settings.handshake_timeout_seconds)
    error = transport.get_exception()
    if error is not None:
        raise _before_any_work(translate(error, where)) from error
    if not transport.is_active():
        raise make(Unreachable, f"{where}: the server closed the connection")
    transport.set_keepalive(settings.keepalive_seconds)


def _check_host_key(transport: paramiko.Transport, settings: SftpSettings) -> None:
    with Boundary(f"{settings.place}: host key"):
        shown = transport.get_remote_server_key()
    pins = [parse_pin(text) for text in settings.host_keys]
    if not is_pinned(shown.asbytes(), pins):
        raise make(
            HostKeyRefused,
            f"{settings.place}: host key: found {shown.get_name()} {fingerprint(shown.asbytes())},"
            f" which is none of the {len(pins)} pinned; nothing was sent",
        )


def _log_in(transport: paramiko.Transport, settings: SftpSettings, key: paramiko.PKey | None) -> None:
    """Key first, then password where the server wants both or takes no key; each answered once."""
    ways: dict[str, Callable[[threading.Event], None]] = {}
    user, password = settings.user, settings.password
    handler = _LoginHandler(transport)
    transport.auth_handler = handler
    if key is not None:
        ways["publickey"] = lambda event: handler.auth_publickey(user, key, event)
    if password:
        ways["password"] = lambda event: handler.auth_password(user, password, event)
        # Servers behind PAM ask for the password as a hidden prompt.
        ways["keyboard-interactive"] = lambda event: handler.auth_interactive(
            user, lambda title, text, prompts: _answer(prompts, password), event
        )
    way = next(iter(ways))
    not_now: set[str] = set()
    while True:
        answer = _ask(transport, ways[way], f"{settings.place}: login with {way}", settings)
        if answer is None:
            return
        offered, judged = answer
        if judged:
            # Another form of the same password would be a second attempt.
            for used in {way} if way == "publickey" else _PASSWORD_WAYS:
                ways.pop(used, None)
            not_now.clear()
        else:
            not_now.add(way)
        following = next((name for name in ways if name in offered and name not in not_now), None)
        if following is None:
            raise make(
                AuthenticationRefused,
                f"{settings.place}: login: the server also wants {printable(', '.join(offered))},"
                f" which the settings do not hold or have used",
            )
        way = following


def _ask(
    transport: paramiko.Transport,
    request: Callable[[threading.Event], None],
    where: str,
    settings: SftpSettings,
) -> tuple[list[str], bool] | None:
    """One step of the login: None when logged in, else what the server wants to see besides.

    The flag says whether the server judged what was sent (and accepted it as a part), or
    does not take this way of logging in at all. Raises where it was refused.
    """
    answered = threading.Event()
    with Boundary(where):
        request(answered)
    if not answered.wait(settings.login_timeout_seconds):
        raise _silent(where, settings.login_timeout_seconds)
    if transport.is_authenticated():
        return None
    error = transport.get_exception()
    if isinstance(error, PartialAuthentication):
        return error.allowed_types, True
    if isinstance(error, paramiko.BadAuthenticationType):
        return error.allowed_types, False
    if error is None and transport.is_active():
        raise make(AuthenticationRefused, f"{where}: refused")
    # Servers that count failures often hang up instead of answering: a refusal, until a person looks.
    said = f": {printable(str(error))}" if error is not None and str(error) else ""
    raise make(AuthenticationRefused, f"{where}: the server closed the connection instead of answering{said}")


class _LoginHandler(AuthHandler):
    """Asks for the login service once: strict servers hang up when it is asked for again."""

    _asked = False

    def _request_auth(self) -> None:
        if self._asked:
            granted = paramiko.Message()
            granted.add_string("ssh-userauth")
            granted.rewind()
            self._parse_service_accept(granted)  # type: ignore[attr-defined]
            return
        self._asked = True
        super()._request_auth()  # type: ignore[misc]


def _answer(prompts: Sequence[tuple[str, bool]], password: str) -> list[str]:
    """The password to a single hidden prompt; nothing to any other."""
    return [password if not echoed and len(prompts) == 1 else "" for _, echoed in prompts]


def _open_subsystem(transport: paramiko.Transport, settings: SftpSettings) -> Stream:
    where = f"{settings.place}: opening SFTP"
    expired = threading.Event()

    def give_up() -> None:
        expired.set()
        transport.close()

    # The library waits for this answer without end; closing the connection ends the wait.
    watch = threading.Timer(settings.channel_timeout_seconds, give_up)
    watch.daemon = True
    watch.start()
    try:
        with Boundary(where):
            stream = transport.open_session(
                window_size=settings.window_bytes,
                max_packet_size=PACKET_BYTES,
                timeout=_LIBRARY_PATIENCE_SECONDS,
            )
            stream.invoke_subsystem("sftp")
            stream.settimeout(settings.operation_timeout_seconds)
    except ChannelError as error:
        if expired.is_set():
            raise _silent(where, settings.channel_timeout_seconds) from error
        raise
    finally:
        watch.cancel()
    return stream


def _load_key(settings: SftpSettings) -> paramiko.PKey | None:
    """The private key, whichever of the three kinds it is."""
    if not settings.key_path:
        return None
    where = f"{settings.place}: private key {settings.key_path}"
    try:
        text = Path(settings.key_path).read_text("ascii")
        return _key_class(text).from_private_key(io.StringIO(text), settings.key_passphrase or None)
    except paramiko.PasswordRequiredException as error:
        raise SettingsInvalid(f"{where}: is locked by a passphrase", "set key_passphrase") from error
    except OSError as error:
        raise SettingsInvalid(f"{where}: {error.strerror}", HINTS[SettingsInvalid]) from error
    except (paramiko.SSHException, ValueError, TypeError, IndexError) as error:
        raise SettingsInvalid(
            f"{where}: is no Ed25519, ECDSA or RSA key in OpenSSH form, or the passphrase is wrong",
            HINTS[SettingsInvalid],
        ) from error


def _key_class(text: str) -> type[paramiko.PKey]:
    """By the public half, which stands in clear before the locked one. Raises `ValueError`."""
    if "BEGIN OPENSSH PRIVATE KEY" not in text:
        return paramiko.ECDSAKey if "BEGIN EC PRIVATE KEY" in text else paramiko.RSAKey
    body = base64.b64decode("".join(line for line in text.splitlines() if "PRIVATE KEY" not in line))
    found = {body.find(mark): kind for mark, kind in _KEY_CLASSES.items() if mark in body}
    if not found:
        raise ValueError("a key of another kind")
    return found[min(found)]


def _silent(where: str, seconds: float) -> TimedOut:
    return TimedOut(f"{where}: no answer in {seconds:g} seconds", HINTS[Unreachable])


def _before_any_work(error: ChannelError) -> ChannelError:
    """A connection that breaks before the login is one that could not be made."""
    if isinstance(error, ConnectionLost):
        return Unreachable(str(error), "check that this is the bank's SFTP port; " + HINTS[Unreachable])
    if type(error) in (TimedOut, HostKeyRefused) or not error.transient:
        return error
    return Unreachable(str(error), HINTS[Unreachable])

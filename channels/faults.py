"""One table: what the outside world raises, and which `ChannelError` it is.

Most specific first: paramiko's refused login and wrong host key are subclasses of the
exception that it raises for broken connections, and mixing them up would retry a refusal.
Not here: deciding what to do about it.
"""

from __future__ import annotations

import errno
import socket
import unicodedata
from types import TracebackType

import paramiko
from paramiko.auth_strategy import AuthFailure
from paramiko.ber import BERException
from paramiko.buffered_pipe import PipeTimeout
from paramiko.hostkeys import InvalidHostKey
from paramiko.packet import NeedRekeyException
from paramiko.pkey import UnknownKeyType
from paramiko.sftp import SFTPError
from paramiko.ssh_exception import (
    CouldNotCanonicalize,
    IncompatiblePeer,
    MessageOrderError,
    NoValidConnectionsError,
    PartialAuthentication,
    UnableToAuthenticate,
)

from channels.errors import (
    AlreadyExists,
    AuthenticationRefused,
    ChannelError,
    ConnectionLost,
    HostKeyRefused,
    NoSpace,
    NotFound,
    PermissionRefused,
    ProtocolUnsupported,
    ServerFault,
    SettingsInvalid,
    TimedOut,
    Unreachable,
    UnsafeName,
    Vanished,
)

EXCEPTIONS: tuple[tuple[type[BaseException], type[ChannelError]], ...] = (
    # The login.
    (paramiko.PasswordRequiredException, SettingsInvalid),
    (paramiko.BadAuthenticationType, AuthenticationRefused),
    (PartialAuthentication, AuthenticationRefused),
    (AuthFailure, AuthenticationRefused),
    (UnableToAuthenticate, AuthenticationRefused),
    (paramiko.AuthenticationException, AuthenticationRefused),
    # Who the server is and what it can do.
    (paramiko.BadHostKeyException, HostKeyRefused),
    (InvalidHostKey, SettingsInvalid),
    (UnknownKeyType, SettingsInvalid),
    (IncompatiblePeer, ProtocolUnsupported),
    # Messages slipped into the handshake: a server (or somebody between) that is not to be used.
    (MessageOrderError, ProtocolUnsupported),
    (BERException, ConnectionLost),
    # What this package does not use, mapped so that nothing is left to chance.
    (CouldNotCanonicalize, Unreachable),
    (paramiko.ConfigParseError, SettingsInvalid),
    (paramiko.ProxyCommandFailure, Unreachable),
    # The connection. `ChannelException` goes by its code, see `OPEN_FAILURES`.
    (paramiko.ChannelException, ServerFault),
    (NeedRekeyException, ConnectionLost),
    (SFTPError, ConnectionLost),
    (paramiko.SSHException, ConnectionLost),
    (EOFError, ConnectionLost),
    (NoValidConnectionsError, Unreachable),
    (socket.gaierror, Unreachable),
    (PipeTimeout, TimedOut),
    (TimeoutError, TimedOut),
    (ConnectionRefusedError, Unreachable),
    (ConnectionError, ConnectionLost),
    # `OSError` goes by its number, see `NUMBERS`.
    (OSError, ServerFault),
    # The reader thread of the SSH library hands on whatever a malformed packet made it raise.
    (Exception, ConnectionLost),
)

NUMBERS: dict[int, type[ChannelError]] = {
    errno.ENOENT: NotFound,
    errno.ENOTDIR: NotFound,
    errno.EISDIR: NotFound,
    errno.EEXIST: AlreadyExists,
    errno.ENOTEMPTY: AlreadyExists,
    errno.EACCES: PermissionRefused,
    errno.EPERM: PermissionRefused,
    errno.EROFS: PermissionRefused,
    errno.ENOSPC: NoSpace,
    errno.EDQUOT: NoSpace,
    # A limit on the size of files, of the process or of the file system.
    errno.EFBIG: NoSpace,
    errno.ENAMETOOLONG: UnsafeName,
    errno.EILSEQ: UnsafeName,
    errno.ELOOP: UnsafeName,
    errno.EOPNOTSUPP: ProtocolUnsupported,
    errno.EHOSTUNREACH: Unreachable,
    errno.ENETUNREACH: Unreachable,
    errno.ENETDOWN: Unreachable,
    errno.EHOSTDOWN: Unreachable,
    errno.EADDRNOTAVAIL: Unreachable,
    errno.EBADF: ConnectionLost,
    errno.ENOTCONN: ConnectionLost,
    errno.ESTALE: ConnectionLost,
    errno.ETIMEDOUT: TimedOut,
}
"""By `OSError.errno`; one without a number is a closed socket, any other a `ServerFault`."""

OPEN_FAILURES: dict[int, type[ChannelError]] = {
    1: PermissionRefused,
    2: ServerFault,
    3: ProtocolUnsupported,
    4: ServerFault,
}
"""Why a server refuses a session, RFC 4254 section 5.1."""

STATUSES: dict[int, type[ChannelError]] = {
    1: ConnectionLost,  # end of file where data was due
    2: NotFound,
    3: PermissionRefused,
    4: ServerFault,
    5: ServerFault,
    6: ConnectionLost,
    7: ConnectionLost,
    8: ProtocolUnsupported,
    # Beyond version 3 of the protocol, yet sent by some servers all the same.
    9: ServerFault,
    10: NotFound,
    11: AlreadyExists,
    12: PermissionRefused,
    13: NoSpace,
    14: NoSpace,
    15: NoSpace,
    16: PermissionRefused,
    17: ServerFault,
    18: AlreadyExists,
    19: NotFound,
    20: UnsafeName,
    21: UnsafeName,
    22: PermissionRefused,
    23: ServerFault,
    24: NotFound,
    25: ServerFault,
    26: ServerFault,
    27: ServerFault,
    28: ServerFault,
    29: PermissionRefused,
    30: PermissionRefused,
    31: ServerFault,
}
"""Status codes of the SFTP drafts, 2 to 31; an unknown one is a `ServerFault`."""

HINTS: dict[type[ChannelError], str] = {
    Unreachable: "check the address, the line and the bank's firewall",
    ConnectionLost: "look at the server before repeating a step that makes a file visible",
    TimedOut: "look at the server before repeating a step that makes a file visible",
    ServerFault: "ask the bank what its server says about this",
    Vanished: "ask the bank whether it takes files away while they are being put there",
    AuthenticationRefused: "not tried again, which could lock the account: check user, key and password",
    HostKeyRefused: "ask the bank, by another way than this line, whether its host key changed",
    PermissionRefused: "ask the bank for the right to do this in that folder",
    AlreadyExists: "look at what stands there; nothing was overwritten",
    NotFound: "check the folder in the bank's profile",
    NoSpace: "ask the bank to make room on its server",
    UnsafeName: "ask the bank to remove the file of that name",
    SettingsInvalid: "correct the settings of the channel",
    ProtocolUnsupported: (
        "the server may know only SHA-1 or older algorithms, which are not used here:"
        " ask the bank for rsa-sha2 or ed25519 host keys, and a SHA-2 key exchange and MAC"
    ),
}


def class_of(error: BaseException) -> type[ChannelError]:
    """The `ChannelError` that an exception of the outside world stands for."""
    if isinstance(error, paramiko.ChannelException):
        return OPEN_FAILURES.get(error.code, ServerFault)
    named = next(ours for theirs, ours in EXCEPTIONS if isinstance(error, theirs))
    if named is ServerFault and isinstance(error, OSError):
        return ConnectionLost if error.errno is None else NUMBERS.get(error.errno, ServerFault)
    return named


def translate(error: BaseException, where: str) -> ChannelError:
    """A `ChannelError` with place, what was said, and a hint."""
    kind = class_of(error)
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return make(kind, f"{where}: {printable(said) or type(error).__name__}")


def make(kind: type[ChannelError], message: str) -> ChannelError:
    """An error of `kind` with the usual hint."""
    return kind(message, HINTS.get(kind, ""))


def printable(text: str, limit: int = 200) -> str:
    """Text of a server with control and formatting characters escaped, at most `limit` characters."""
    shown = "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char)[0] in "CZ" and char != " "
        else char
        for char in text[:limit].strip()
    )
    return shown + ("..." if len(text) > limit else "")


class Boundary:
    """Around calls of the outside world: only a `ChannelError` comes out.

    Keep it tight: a mistake of ours inside would be taken for the server's.
    """

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, ChannelError):
            raise translate(error, self.where) from error

"""What goes wrong between the gateway and a bank's server.

ChannelError
|-- transient (a later try may succeed)
|   |-- Unreachable           no connection could be made
|   |-- ConnectionLost        it broke; what was under way may or may not have happened
|   |-- TimedOut              no answer in time; the same
|   `-- ServerFault           the server reported a failure of its own
|       `-- Vanished          a file was written whole, and is gone: somebody took it at once
`-- refusal (never retried by itself: a retry can lock the account)
    |-- AuthenticationRefused
    |-- HostKeyRefused        the server is not the one whose key is pinned
    |-- PermissionRefused
    |-- AlreadyExists
    |-- NotFound
    |-- NoSpace
    |-- TooLarge
    |-- UnsafeName            the server names a file in a way that leaves the folder
    |-- ProtocolUnsupported   no common algorithm or subsystem
    `-- SettingsInvalid       our own settings cannot be used; nothing was sent
"""

from __future__ import annotations


class ChannelError(Exception):
    """`hint` says what a person can do; `transient` whether trying again makes sense."""

    transient = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Unreachable(ChannelError):
    transient = True


class ConnectionLost(ChannelError):
    transient = True


class TimedOut(ChannelError):
    transient = True


class ServerFault(ChannelError):
    transient = True


class Vanished(ServerFault):
    pass


class AuthenticationRefused(ChannelError):
    pass


class HostKeyRefused(ChannelError):
    pass


class PermissionRefused(ChannelError):
    pass


class AlreadyExists(ChannelError):
    pass


class NotFound(ChannelError):
    pass


class NoSpace(ChannelError):
    pass


class TooLarge(ChannelError):
    pass


class UnsafeName(ChannelError):
    pass


class ProtocolUnsupported(ChannelError):
    pass


class SettingsInvalid(ChannelError):
    pass

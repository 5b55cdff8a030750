"""Settings of a channel: what a bank's profile says about its server.

Pure values with a check of their own, so that a configuration can report every mistake at
start. Not here: opening anything.
"""

from __future__ import annotations

import codecs

from msgspec import Struct

from channels.hostkeys import parse_pin

MIB = 1024 * 1024
WINDOW_BYTES = (2 * MIB, 16 * MIB)
PREFETCH_REQUESTS = (1, 1024)
TIMEOUT_SECONDS = (0.05, 3600.0)


class FolderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder of this machine. `root` is an existing folder."""

    root: str


class SftpSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bank's SFTP server. Secrets in it are never printed."""

    host: str
    port: int = 22
    user: str
    host_keys: tuple[str, ...]
    """The current key and, while the bank changes it, the next; see `channels.hostkeys`."""
    key_path: str = ""
    """Private key file (OpenSSH or PEM; Ed25519, ECDSA, RSA). With a password too, both are
    ready and the server decides what it asks for."""
    key_passphrase: str = ""
    password: str = ""
    root: str = ""
    """The channel's root on the server; "" is the folder in which the login lands."""
    name_encoding: str = "utf-8"
    """Encoding of file names on the server."""

    connect_timeout_seconds: float = 15.0
    handshake_timeout_seconds: float = 20.0
    """From the connection to the agreed keys, the server's banner included."""
    login_timeout_seconds: float = 30.0
    """For each step of the login."""
    channel_timeout_seconds: float = 20.0
    """Until the SFTP subsystem answers."""
    operation_timeout_seconds: float = 60.0
    """Longest silence of the server in the middle of an operation."""
    keepalive_seconds: int = 30

    window_bytes: int = 4 * MIB
    prefetch: int = 64
    """Requests under way at a time, reading and writing, of 32 KiB at most each."""

    rename_refuses_existing: bool = True
    exclusive_create: bool = True
    """Declared traits, as `channels.probe` found them."""

    def __repr__(self) -> str:
        return f"SftpSettings({self.place}, host_keys={self.host_keys!r}, root={self.root!r})"

    __str__ = __repr__

    @property
    def place(self) -> str:
        """`host:port user`, the beginning of every message."""
        return f"{self.host}:{self.port} {self.user}"

    def problems(self) -> list[str]:
        """Every mistake in the settings, as `field: found, wanted`; [] when they can be used."""
        return [*self._login_problems(), *self._pin_problems(), *self._range_problems()]

    def _login_problems(self) -> list[str]:
        found = [f"{name}: empty" for name in ("host", "user") if not getattr(self, name)]
        if not self.key_path and not self.password:
            found.append("key_path, password: both empty, wanted at least one")
        if self.key_passphrase and not self.key_path:
            found.append("key_passphrase: given without key_path")
        try:
            codecs.lookup(self.name_encoding)
        except LookupError:
            found.append(f"name_encoding: {self.name_encoding!r} is not an encoding")
        return found

    def _pin_problems(self) -> list[str]:
        if not self.host_keys:
            return ["host_keys: empty, wanted the key that the bank gave on paper"]
        found = []
        for number, text in enumerate(self.host_keys, 1):
            try:
                parse_pin(text)
            except ValueError as error:
                found.append(f"host_keys {number}: {error}")
        return found

    def _range_problems(self) -> list[str]:
        limits: dict[str, tuple[float, float]] = {
            "port": (1, 65535),
            "keepalive_seconds": (0, 3600),
            "window_bytes": WINDOW_BYTES,
            "prefetch": PREFETCH_REQUESTS,
        }
        limits |= {
            name: TIMEOUT_SECONDS for name in self.__struct_fields__ if name.endswith("timeout_seconds")
        }
        return [
            f"{name}: {getattr(self, name)}, wanted {lowest} to {highest}"
            for name, (lowest, highest) in limits.items()
            if not lowest <= getattr(self, name) <= highest
        ]

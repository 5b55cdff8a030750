"""The narrow protocol between the gateway and a bank's server.

Paths are relative to the channel's root, with `/`, and never contain `..` or a leading
`/`; names that a server lists are checked the same way before anybody sees them. Every
method raises `channels.errors.ChannelError` and nothing else of the outside world; errors
of `source` and `sink` themselves come through unchanged, and leave the channel usable.
After `ConnectionLost` or `TimedOut` a channel is done with: every further call raises
`ConnectionLost`, and going on means opening a new one.
Not here: what a file means, retries, schedules.
"""

from __future__ import annotations

from types import TracebackType
from typing import BinaryIO, Protocol, Self

from msgspec import Struct


class Entry(Struct, frozen=True):
    """One file in a listing. `modified` is seconds of the server's clock, 0 where unknown."""

    name: str
    size_bytes: int
    modified: int = 0


class Traits(Struct, frozen=True):
    """What a server does; asked of the server where possible, declared otherwise."""

    rename_refuses_existing: bool
    exclusive_create: bool
    sync: bool
    """The server can be told to flush a file to its disk (fsync@openssh.com)."""


class Upload(Struct, frozen=True):
    """Evidence of one upload, as far as the server lets us see it."""

    path: str
    size_bytes: int
    sha256: str
    synced: bool
    seconds: float


class ByteSink(Protocol):
    """What takes bytes, and need do nothing else."""

    def write(self, block: bytes, /) -> object: ...


class Channel(Protocol):
    """An open connection to one bank's server. Not safe for use by several threads."""

    traits: Traits

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None:
        """End the connection; no error, twice is once."""
        ...

    def list(self, folder: str) -> list[Entry]:
        """Plain files in a folder ("" is the root), sorted by name; no folders, links or pipes.

        Raises `UnsafeName` where any entry has an unsafe name, `NotFound` where there is no
        such folder.
        """
        ...

    def stat(self, path: str) -> Entry | None:
        """The entry of whatever stands at the path, or None where nothing does.

        Never None because of a fault. A link is not followed.
        """
        ...

    def put(self, path: str, source: BinaryIO, size_bytes: int) -> Upload:
        """Create `path` exclusively, write all of `source`, sync if the server can, compare size.

        Raises `AlreadyExists` where the path exists, `ValueError` where `source` does not
        hold `size_bytes`. After any error the path may hold part of the bytes: give it a
        temporary name.
        """
        ...

    def rename(self, old: str, new: str) -> None:
        """Plain rename that refuses an existing target (`AlreadyExists`).

        Where the traits say that the server itself does not refuse, only a look beforehand
        stands between two writers. After `ConnectionLost` or `TimedOut` it is unknown whether
        the rename happened.
        """
        ...

    def remove(self, path: str) -> None:
        """Remove a file; no error where it does not exist."""
        ...

    def get(self, path: str, sink: ByteSink, limit_bytes: int) -> int:
        """Read a whole file into `sink`; its size in bytes.

        Raises `TooLarge` past the limit (before a byte is written), `ConnectionLost` where
        the bytes end early, `ServerFault` where the file grows meanwhile. After an error
        `sink` may hold part of the bytes.
        """
        ...

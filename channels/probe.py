"""Finds out by trying what a server does, with two small files that it takes away again.

The files are called `bankgate-probe-*.tmp`. Not here: judging what was found.
"""

from __future__ import annotations

import io
import secrets
from typing import Protocol

from msgspec import Struct

from channels.channel import Channel
from channels.errors import ChannelError, PermissionRefused

_FIRST = b"first\n"
_SECOND = b"the second, longer one\n"


class ServerFacts(Struct, frozen=True, kw_only=True):
    """What was seen of a server in one folder; compare with the traits that a profile declares."""

    folder: str
    rename_refuses_existing: bool
    """A plain rename onto an existing file failed, and left the file as it was."""
    exclusive_create: bool
    """A second exclusive creation of a file failed, and left the file as it was."""
    sync: bool
    """The file could be flushed to the server's disk."""
    sizes_kept: bool
    """Listing, look at the file and bytes fetched agree with what was written."""
    left_behind: tuple[str, ...] = ()
    """Probe files that the server does not let us remove."""


class ProbeChannel(Channel, Protocol):
    """A channel that can also act without looking first, to see what the server itself does."""

    def try_create(self, path: str) -> bool:
        """Exclusive creation as the server does it; whether it said yes. An empty file if so."""
        ...

    def try_rename(self, old: str, new: str) -> bool:
        """Plain rename as the server does it; whether it said yes."""
        ...


def probe(channel: ProbeChannel, folder: str = "", token: str = "") -> ServerFacts:
    """Try a server out in a folder where we may write. Raises a `ChannelError` where even that fails.

    `token` makes the names of the files unique; a random one is made where it is empty.
    """
    prefix = f"{folder}/" if folder else ""
    stem = f"{prefix}bankgate-probe-{token or secrets.token_hex(6)}"
    first, second = f"{stem}-1.tmp", f"{stem}-2.tmp"
    try:
        upload = channel.put(first, io.BytesIO(_FIRST), len(_FIRST))
        channel.put(second, io.BytesIO(_SECOND), len(_SECOND))
        sizes_kept = _keeps(channel, folder, first, _FIRST) and _keeps(channel, folder, second, _SECOND)
        exclusive = not channel.try_create(second) and _fetch(channel, second) == _SECOND
        if not exclusive:
            channel.remove(second)
            channel.put(second, io.BytesIO(_SECOND), len(_SECOND))
        refuses = not channel.try_rename(first, second) and _fetch(channel, second) == _SECOND
    except ChannelError as error:
        # A server that gave up on us has to be left alone; the files are then for the operator.
        if not error.transient:
            _clean(channel, (first, second))
        raise
    return ServerFacts(
        folder=folder,
        rename_refuses_existing=refuses,
        exclusive_create=exclusive,
        sync=upload.synced,
        sizes_kept=sizes_kept,
        left_behind=_clean(channel, (first, second)),
    )


def _keeps(channel: Channel, folder: str, path: str, written: bytes) -> bool:
    entry = channel.stat(path)
    name = path.rpartition("/")[2]
    listed = [found.size_bytes for found in channel.list(folder) if found.name == name]
    same_size = entry is not None and [entry.size_bytes] == listed == [len(written)]
    return same_size and _fetch(channel, path) == written


def _fetch(channel: Channel, path: str) -> bytes:
    sink = io.BytesIO()
    channel.get(path, sink, limit_bytes=2 * len(_SECOND))
    return sink.getvalue()


def _clean(channel: Channel, paths: tuple[str, ...]) -> tuple[str, ...]:
    left = []
    for path in paths:
        try:
            channel.remove(path)
        except PermissionRefused:
            left.append(path)
    return tuple(left)

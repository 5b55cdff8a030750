"""The channel protocol on one bank's SFTP server.

What counts as done is here: exclusive creation, every write answered, synced where the
server can, size compared; a rename that found nothing at its target. Not here: how to
connect (`channels.connect`), the packets (`channels.session`).
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from types import TracebackType
from typing import BinaryIO, NoReturn, Self

from channels.channel import ByteSink, Entry, Traits, Upload
from channels.connect import Connection, connect
from channels.errors import (
    AlreadyExists,
    ChannelError,
    ConnectionLost,
    NoSpace,
    NotFound,
    ProtocolUnsupported,
    ServerFault,
    SettingsInvalid,
    TooLarge,
    UnsafeName,
    Vanished,
)
from channels.faults import HINTS, make
from channels.names import check_folder, check_name, check_path, escaped
from channels.packets import Attributes, Kind, Open, Status, StatusError, is_plain, pack_text
from channels.session import WRITE_BYTES, Session
from channels.settings import SftpSettings

_CREATE = Open.WRITE | Open.CREATE | Open.EXCLUSIVE
_SYNC = b"fsync@openssh.com"
_FREE_SPACE = b"statvfs@openssh.com"


def open_sftp(settings: SftpSettings) -> SftpChannel:
    """Connect and log in, once. Raises a `ChannelError`; `SettingsInvalid` before anything is sent."""
    problems = settings.problems()
    if problems:
        raise SettingsInvalid("; ".join(problems), HINTS[SettingsInvalid])
    connection = connect(settings)
    try:
        return SftpChannel(connection, settings)
    except BaseException:
        connection.close()
        raise


class SftpChannel:
    """An open SFTP connection. See `channels.channel.Channel` for what each method promises."""

    def __init__(self, connection: Connection, settings: SftpSettings) -> None:
        self._connection = connection
        self._settings = settings
        self.peer = connection.peer
        self._session = Session(connection.stream, settings.place, settings.prefetch)
        self.traits = Traits(
            rename_refuses_existing=settings.rename_refuses_existing,
            exclusive_create=settings.exclusive_create,
            sync=_SYNC in self._session.extensions,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; no error, twice is once."""
        self._connection.close()

    def list(self, folder: str) -> list[Entry]:
        doing = f"list {folder or '.'}"
        found: list[Entry] = []
        try:
            for raw, attributes in self._session.entries(self._absolute(check_folder(folder)), doing):
                if raw in (b".", b"..") and not is_plain(attributes):
                    continue
                name = check_name(self._decode(raw))
                if is_plain(attributes):
                    found.append(_entry(name, attributes, f"{self._settings.place}: {doing}"))
        except StatusError as status:
            raise self._session.fault(status, doing) from status
        except UnsafeName as error:
            raise UnsafeName(f"{self._settings.place}: {doing}: {error}", error.hint) from error
        return sorted(found, key=lambda entry: entry.name)

    def stat(self, path: str) -> Entry | None:
        attributes = self._look(check_path(path), f"stat {path}")
        if attributes is None:
            return None
        return _entry(path.rpartition("/")[2], attributes, f"{self._settings.place}: stat {path}")

    def put(self, path: str, source: BinaryIO, size_bytes: int) -> Upload:
        doing = f"put {check_path(path)}"
        started = time.monotonic()
        if self._look(path, doing) is not None:
            raise self._exists(doing)
        handle = self._create(path, doing)
        digest = hashlib.sha256()
        try:
            self._write_all(handle, source, size_bytes, digest, doing)
            if self.traits.sync:
                self._session.call(Kind.EXTENDED, pack_text(_SYNC) + pack_text(handle), doing)
            self._session.close(handle, doing)
        except StatusError as status:
            self._raise_write_fault(status, path, handle, doing)
        self._compare_size(path, size_bytes, doing)
        seconds = time.monotonic() - started
        return Upload(
            path=path,
            size_bytes=size_bytes,
            sha256=digest.hexdigest(),
            synced=self.traits.sync,
            seconds=seconds,
        )

    def rename(self, old: str, new: str) -> None:
        doing = f"rename {check_path(old)} to {check_path(new)}"
        # Some servers overwrite; for those this look is all there is (`Traits`).
        if self._look(new, doing) is not None:
            raise self._exists(doing)
        body = pack_text(self._absolute(old)) + pack_text(self._absolute(new))
        try:
            self._session.call(Kind.RENAME, body, doing)
        except StatusError as status:
            if status.code == Status.FAILURE:
                self._raise_rename_fault(old, new, doing)
            raise self._session.fault(status, doing) from status

    def remove(self, path: str) -> None:
        doing = f"remove {check_path(path)}"
        try:
            self._session.call(Kind.REMOVE, pack_text(self._absolute(path)), doing)
        except StatusError as status:
            if status.code != Status.NO_SUCH_FILE and self._look(path, doing) is not None:
                raise self._session.fault(status, doing) from status

    def get(self, path: str, sink: ByteSink, limit_bytes: int) -> int:
        doing = f"get {check_path(path)}"
        where = f"{self._settings.place}: {doing}"
        before = self._look(path, doing)
        # Opening a pipe would hang the server.
        if before is None or not is_plain(before):
            raise make(NotFound, f"{where}: no such file")
        try:
            handle = self._session.open(self._absolute(path), Open.READ, doing)
            size_bytes = _size(self._session.attributes(Kind.FSTAT, handle, doing), where)
            if size_bytes > limit_bytes:
                self._session.close(handle, doing)
                raise TooLarge(
                    f"{where}: {size_bytes} bytes, the limit is {limit_bytes}",
                    "raise the limit or ask the bank",
                )
            # One byte more than announced, so that a file that is still growing shows.
            count = self._session.read_into(handle, size_bytes + 1, sink, doing)
            self._session.close(handle, doing)
        except StatusError as status:
            raise self._session.fault(status, doing) from status
        if count < size_bytes:
            raise make(ConnectionLost, f"{where}: the bytes end at {count} of {size_bytes}")
        if count > size_bytes:
            raise ServerFault(f"{where}: the file grew while it was read", "fetch it when it is complete")
        return count

    def try_create(self, path: str) -> bool:
        """For `channels.probe`: exclusive creation as the server does it; whether it said yes."""
        doing = f"create {check_path(path)}"
        try:
            handle = self._session.open(self._absolute(path), _CREATE, doing)
            self._session.close(handle, doing)
        except StatusError:
            return False
        return True

    def try_rename(self, old: str, new: str) -> bool:
        """For `channels.probe`: plain rename as the server does it; whether it said yes."""
        doing = f"rename {check_path(old)} to {check_path(new)}"
        try:
            self._session.call(
                Kind.RENAME, pack_text(self._absolute(old)) + pack_text(self._absolute(new)), doing
            )
        except StatusError:
            return False
        return True

    def _create(self, path: str, doing: str) -> bytes:
        try:
            return self._session.open(self._absolute(path), _CREATE, doing)
        except StatusError as status:
            # Version 3 has no code for "exists": most servers say "failure".
            if status.code == Status.FAILURE and self._look(path, doing) is not None:
                raise self._exists(doing) from status
            raise self._session.fault(status, doing) from status

    def _write_all(
        self, handle: bytes, source: BinaryIO, size_bytes: int, digest: hashlib._Hash, doing: str
    ) -> None:
        """Send everything with a bounded number of writes under way, and read each answer."""
        pending: deque[int] = deque()
        offset = 0
        try:
            while block := source.read(WRITE_BYTES):
                digest.update(block)
                pending.append(self._session.write(handle, offset, block, doing))
                offset += len(block)
                if len(pending) >= self._settings.prefetch:
                    self._session.settle_write(pending.popleft(), doing)
            while pending:
                self._session.settle_write(pending.popleft(), doing)
        finally:
            self._session.abandon(pending)
        if offset != size_bytes:
            raise ValueError(f"the source of {doing} holds {offset} bytes, announced were {size_bytes}")

    def _compare_size(self, path: str, size_bytes: int, doing: str) -> None:
        where = f"{self._settings.place}: {doing}"
        attributes = self._look(path, doing)
        if attributes is None:
            raise make(Vanished, f"{where}: the file is gone right after it was written")
        found = _size(attributes, where)
        if found != size_bytes:
            raise make(ServerFault, f"{where}: the server holds {found} bytes of {size_bytes}")

    def _raise_write_fault(self, status: StatusError, path: str, handle: bytes, doing: str) -> NoReturn:
        """OpenSSH says only "failure" when its disk is full; its free space tells."""
        if status.code == Status.FAILURE and self._is_full(path, doing):
            raise make(NoSpace, f"{self._settings.place}: {doing}: the server's disk is full") from status
        raise self._session.fault(status, doing) from status

    def _is_full(self, path: str, doing: str) -> bool:
        if _FREE_SPACE not in self._session.extensions:
            return False
        body = pack_text(_FREE_SPACE) + pack_text(self._absolute(path))
        try:
            _, reader = self._session.call(Kind.EXTENDED, body, doing)
        except StatusError:
            return False
        # f_bsize, f_frsize, f_blocks, f_bfree, f_bavail
        fields = [reader.long() for _ in range(5)]
        return fields[4] == 0

    def _raise_rename_fault(self, old: str, new: str, doing: str) -> NoReturn:
        """What a bare "failure" means, by what stands where afterwards."""
        before, after = self._look(old, doing), self._look(new, doing)
        if before is not None and after is not None:
            raise self._exists(doing)
        where = f"{self._settings.place}: {doing}"
        if before is None and after is None:
            raise make(NotFound, f"{where}: no such file")
        if before is None:
            raise make(ConnectionLost, f"{where}: the server said failure, yet the new name is there")
        raise make(ServerFault, f"{where}: the server said failure")

    def _look(self, path: str, doing: str) -> Attributes | None:
        try:
            return self._session.attributes(Kind.LSTAT, self._absolute(path), doing)
        except StatusError as status:
            if status.code == Status.NO_SUCH_FILE:
                return None
            raise self._session.fault(status, doing) from status

    def _exists(self, doing: str) -> ChannelError:
        return make(AlreadyExists, f"{self._settings.place}: {doing}: the name is taken")

    def _absolute(self, path: str) -> bytes:
        root = self._settings.root
        joined = f"{root.rstrip('/')}/{path}" if root else path
        try:
            return (joined or ".").encode(self._settings.name_encoding)
        except UnicodeEncodeError as error:
            raise UnsafeName(
                f"{self._settings.place}: path {escaped(path)}: not in {self._settings.name_encoding}",
                "choose another name",
            ) from error

    def _decode(self, raw: bytes) -> str:
        try:
            return raw.decode(self._settings.name_encoding)
        except UnicodeDecodeError as error:
            raise UnsafeName(
                f"file name {escaped(raw)}: is not {self._settings.name_encoding}",
                "set the encoding of names that the bank's server uses",
            ) from error


def _entry(name: str, attributes: Attributes, where: str) -> Entry:
    return Entry(name=name, size_bytes=_size(attributes, where), modified=attributes.modified or 0)


def _size(attributes: Attributes, where: str) -> int:
    if attributes.size_bytes is None:
        raise ProtocolUnsupported(
            f"{where}: the server does not say the size of files", "without sizes nothing can be checked"
        )
    return attributes.size_bytes

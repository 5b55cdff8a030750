"""The spool: sealed files, written once, synced, then named.

A name in the ledger always refers to a complete, durable file: the bytes are synced and
the file renamed into place before the transaction that mentions it. Files that a
crash left unfinished lie under `temporary/`, where `sweep` removes them.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

import msgspec

from gateway.errors import StorageFailed
from gateway.ports import Disk, Randomness
from keys.sealed import (
    HEADER_BYTES,
    FrameReader,
    FrameWriter,
    Masters,
    SealedReader,
    SealedWriter,
    rewrap_header,
    verify_sealed,
)
from keys.sealed_header import master_of

TEMPORARY = "temporary/"
_COPY_BYTES = 1 << 20

Columns = dict[str, list[Any]]


@contextmanager
def _kept(name: str) -> Iterator[None]:
    """What cannot be written is `StorageFailed`: nothing refers to it yet."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(
            f"spool file {name} cannot be kept: {error.strerror or error}",
            hint="free space on the disk, then start again: nothing refers to the file yet",
        ) from error


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """What cannot be read is `StorageFailed`, whatever the file may hold."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(
            f"spool file {name} cannot be read: {error.strerror or error}",
            hint="look at the disk; where the file is gone, restore spool and ledger from one backup",
        ) from error


class MeasuredSink:
    """Passes bytes on, counting and digesting the clear bytes on their way into the seal."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, block: bytes, /) -> int:
        self._digest.update(block)
        self.size_bytes += len(block)
        self._write(block)
        return len(block)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class ColumnsWriter:
    """A sealed file of column chunks. `commit` makes it durable and names it."""

    def __init__(self, disk: Disk, masters: Masters, temporary: str, name: str) -> None:
        self.name = name
        self.rows = 0
        self._disk = disk
        self._temporary = temporary
        with _kept(name):
            self._raw = disk.create(temporary)
        self._frames = FrameWriter(self._raw, masters.current, name.encode())

    def append(self, columns: Columns, count: int) -> None:
        with _kept(self.name):
            self._frames.append(msgspec.msgpack.encode(columns))
        self.rows += count

    def commit(self) -> None:
        with _kept(self.name):
            self._frames.close()
            self._disk.sync(self._raw)
            self._raw.close()
            self._disk.publish(self._temporary, self.name)

    def discard(self) -> None:
        with suppress(OSError):  # what a full disk did not take is not wanted any more
            self._raw.close()
        self._disk.remove(self._temporary)


class ColumnsReader:
    """The chunks of a sealed file of columns, in order or by index; only what is asked is decoded."""

    def __init__(self, raw: _Stored, masters: Masters, name: str) -> None:
        self._raw = raw
        self._frames = FrameReader(raw, masters, name.encode())
        self.count = self._frames.count

    def columns(self, index: int, wanted: Collection[str]) -> Columns:
        """Chunk `index`, with those of the wanted columns that it has."""
        return _wanted_columns(self._frames[index], wanted)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raw.close()


class Spool:
    """Sealed files under names. The name is sealed with the bytes: files cannot be swapped."""

    def __init__(self, disk: Disk, masters: Masters, randomness: Randomness) -> None:
        self._disk = disk
        self._masters = masters
        self._randomness = randomness

    @contextmanager
    def create(self, name: str) -> Iterator[MeasuredSink]:
        """Write one file of bytes; durable and named when the block ends, gone when it raises.

        Raises `StorageFailed` where the disk is full or faulty.
        """
        temporary = TEMPORARY + self._randomness.token()
        try:
            with _kept(name):
                with self._disk.create(temporary) as raw:
                    writer = SealedWriter(raw, self._masters.current, name.encode())
                    yield MeasuredSink(writer.write)
                    writer.close()
                    self._disk.sync(raw)
                self._disk.publish(temporary, name)
        except BaseException:
            self._disk.remove(temporary)
            raise

    def open(self, name: str) -> SealedReader:
        """The clear bytes of a file, as a seekable stream to be closed by the caller.

        What cannot be read is `StorageFailed`, now and while it is being read: a fault of the
        disk must not be taken for a mistake of the batch or bank file that lies there.
        """
        raw = _Stored(self._disk, name)
        try:
            return _OwningReader(raw, self._masters, name.encode())
        except BaseException:
            raw.close()
            raise

    def create_columns(self, name: str) -> ColumnsWriter:
        return ColumnsWriter(self._disk, self._masters, TEMPORARY + self._randomness.token(), name)

    def open_columns(self, name: str) -> ColumnsReader:
        raw = _Stored(self._disk, name)
        try:
            return ColumnsReader(raw, self._masters, name)
        except BaseException:
            raw.close()
            raise

    def open_sealed(self, name: str) -> BinaryIO:
        """A file's bytes as they lie on the disk."""
        return self._disk.open(name)

    def verify(self, name: str, sealed: BinaryIO) -> str:
        """Open every piece of these sealed bytes as the file `name`; SHA-256 of a stream's clear bytes.

        Raises `keys.errors.SealError` where anything is not as it was sealed.
        """
        return verify_sealed(sealed, self._masters, name.encode())

    def names(self) -> Iterator[str]:
        """Every file, unfinished ones too."""
        return self._disk.walk()

    def sealed_under(self, name: str) -> tuple[int, str]:
        """Size of a sealed file in bytes, and the key id of the master that its header names.

        Raises `keys.errors.SealedFileDamaged` where it has no such header.
        """
        with self._disk.open(name) as raw:
            master = master_of(raw.read(HEADER_BYTES))
            return raw.seek(0, io.SEEK_END), master

    def rewrap(self, name: str) -> None:
        """Put the same sealed file with its key under the current master in the place of `name`.

        Raises `keys.errors.SealError` where no master of the ring opens its header.
        """
        temporary = TEMPORARY + self._randomness.token()
        try:
            with _kept(name):
                with self._disk.open(name) as old, self._disk.create(temporary) as raw:
                    raw.write(rewrap_header(old.read(HEADER_BYTES), self._masters))
                    shutil.copyfileobj(old, raw, _COPY_BYTES)
                    self._disk.sync(raw)
                self._disk.publish(temporary, name)
        except BaseException:
            self._disk.remove(temporary)
            raise

    def exists(self, name: str) -> bool:
        return self._disk.exists(name)

    def remove(self, name: str) -> None:
        self._disk.remove(name)

    def destroy(self, names: Iterable[str]) -> None:
        """Make files unreadable for ever, durably; those that are gone already stay so.

        Each has a key of its own in its header, which is overwritten first. Raises `StorageFailed`.
        """
        try:
            self._disk.destroy(names)
        except OSError as error:
            raise StorageFailed(
                f"stored files cannot be destroyed: {error.strerror or error}",
                hint="mend the disk or the rights, then start again: it goes on",
            ) from error

    def sweep(self) -> int:
        """Remove unfinished files; how many. Call it only while nobody writes.

        Finished files are never removed here, even when the ledger does not mention them: a
        ledger that was restored from an old backup must find the evidence of what left since.
        """
        unfinished = [name for name in self._disk.walk() if name.startswith(TEMPORARY)]
        for name in unfinished:
            self._disk.remove(name)
        return len(unfinished)


class StoredFile:
    """A file of the spool under the name that its author knows, opened as often as wanted."""

    def __init__(self, spool: Spool, stored: str, name: str) -> None:
        self.name = name
        self._spool = spool
        self._stored = stored

    def open(self, mode: Literal["rb"], /) -> io.BufferedReader:
        return self._spool.open(self._stored)


class _Stored:
    """A file of the disk that is being read."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._name = name
        with _readable(name):
            self._raw = disk.open(name)

    def read(self, size: int = -1, /) -> bytes:
        with _readable(self._name):
            return self._raw.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        with _readable(self._name):
            return self._raw.seek(offset, whence)

    def close(self) -> None:
        self._raw.close()


class _OwningReader(SealedReader):
    """Closes the sealed file underneath with itself."""

    def __init__(self, raw: _Stored, masters: Masters, context: bytes) -> None:
        self._sealed_file = raw
        super().__init__(raw, masters, context)

    def close(self) -> None:
        super().close()
        self._sealed_file.close()


def select_rows(columns: Columns, rows: Sequence[int], count: int) -> Columns:
    """The given rows of each column; the columns themselves where that is all of them."""
    if len(rows) == count:
        return columns
    return {name: [values[row] for row in rows] for name, values in columns.items()}


def _wanted_columns(frame: bytes, wanted: Collection[str]) -> Columns:
    packed = msgspec.msgpack.decode(frame, type=dict[str, msgspec.Raw])
    return {
        name: msgspec.msgpack.decode(raw, type=list[Any]) for name, raw in packed.items() if name in wanted
    }

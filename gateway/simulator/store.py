"""Where a simulated bank keeps what it received and what it is about to say: memory or a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from keys.seal_parts import Blob

__all__ = [
    "Blob",
    "FileBlob",
    "FolderStore",
    "MemoryBlob",
    "MemoryStore",
    "Sink",
    "Store",
    "keep",
    "read_blocks",
]

BLOCK_BYTES = 1 << 20


class Sink(Protocol):
    """Something to write to, in order."""

    def write(self, block: bytes, /) -> object: ...


class Store(Protocol):
    """Keeps bytes. A name given twice keeps the later bytes; earlier blobs may change with it."""

    def fill(self, name: str, write: Callable[[Sink], object]) -> Blob:
        """Store what `write` writes; it need not fit into memory. Nothing is kept where it raises."""
        ...


def keep(store: Store, name: str, blocks: Iterable[bytes]) -> Blob:
    """Store all blocks, one after the other."""

    def write(sink: Sink) -> None:
        for block in blocks:
            sink.write(block)

    return store.fill(name, write)


def read_blocks(source: BinaryIO) -> Iterator[bytes]:
    """A stream's bytes to its end, in blocks of a mebibyte."""
    while block := source.read(BLOCK_BYTES):
        yield block


class MemoryBlob:
    """Bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size_bytes = len(content)
        self.sha256 = sha256(content).hexdigest()

    def open(self) -> BinaryIO:
        return BytesIO(self._content)


class MemoryStore:
    """For tests and simulations of small files."""

    def fill(self, name: str, write: Callable[[Sink], object]) -> Blob:
        sink = BytesIO()
        write(sink)
        return MemoryBlob(sink.getvalue())


class FileBlob:
    """A file that nobody changes any more. Hashes it once."""

    def __init__(self, path: Path, digest: str = "") -> None:
        self.path = path
        self.size_bytes = path.stat().st_size
        self.sha256 = digest or _digest(path)

    def open(self) -> BinaryIO:
        return self.path.open("rb")


class FolderStore:
    """Keeps each name as a file of a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def fill(self, name: str, write: Callable[[Sink], object]) -> Blob:
        path = self._folder / name
        temporary = path.with_name(f".{name}.part")
        with temporary.open("wb") as file:
            sink = _HashingSink(file)
            write(sink)
        temporary.replace(path)
        return FileBlob(path, sink.sha256.hexdigest())


class _HashingSink:
    """Writes on and keeps the digest."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = sha256()

    def write(self, block: bytes, /) -> None:
        self.sha256.update(block)
        self._file.write(block)


def _digest(path: Path) -> str:
    running = sha256()
    with path.open("rb") as source:
        for block in read_blocks(source):
            running.update(block)
    return running.hexdigest()

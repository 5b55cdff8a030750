"""Where a simulated bank keeps what it received and what it is about to say: memory or a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

BLOCK_BYTES = 1 << 20


class Blob(Protocol):
    """Bytes that can be read again and again."""

    size_bytes: int
    sha256: str
    """Digest of all bytes, lower-case hex."""

    def open(self) -> BinaryIO: ...


class Store(Protocol):
    """Keeps bytes. A name given twice keeps the later bytes; earlier blobs may change with it."""

    def keep(self, name: str, blocks: Iterable[bytes]) -> Blob:
        """Store all blocks; their sum need not fit into memory."""
        ...


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

    def keep(self, name: str, blocks: Iterable[bytes]) -> Blob:
        return MemoryBlob(b"".join(blocks))


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

    def keep(self, name: str, blocks: Iterable[bytes]) -> Blob:
        path = self._folder / name
        temporary = path.with_name(f".{name}.part")
        running = sha256()
        with temporary.open("wb") as sink:
            for block in blocks:
                running.update(block)
                sink.write(block)
        temporary.replace(path)
        return FileBlob(path, running.hexdigest())


def _digest(path: Path) -> str:
    running = sha256()
    with path.open("rb") as source:
        for block in read_blocks(source):
            running.update(block)
    return running.hexdigest()

"""Looks for marked values in bytes: in every encoding and spelling in which they may have got there."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import os
import stat
import urllib.parse
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from tests.canary.marks import ACCOUNT_CORE, CORES, ID_CORE, NAME_CORE, TEXT_CORE

_ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be", "utf-32-le")
_FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
_SHOWN_BYTES = 90
_WINDOW = 8
"""Digits in a row of an ID or account that are too many for chance: in text, not in sealed bytes."""


class Leak(Struct, frozen=True, order=True):
    """A marked value that was found in clear. `form` says how it was written, `around` what stands there."""

    place: str
    core: str
    form: str
    around: str


def leaks_in(place: str, content: bytes, *, text: bool = False) -> set[Leak]:
    """Every form of every core in `content`; of what is shown to people also smaller pieces."""
    found = {
        Leak(place, core, form, _around(content, pattern))
        for core, form, pattern in _found(_Hashed(content), text)
    }
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                found |= leaks_in(f"{place}!{info.filename}", archive.read(info), text=text)
    return found


def leaks_below(folder: Path, skip: Iterable[Path] = ()) -> set[Leak]:
    """The same for every file below a folder, and for the names of files and folders."""
    found: set[Leak] = set()
    for path in _walk(folder, tuple(skip)):
        place = path.relative_to(folder.parent).as_posix()
        found |= leaks_in(f"name of {place}", os.fsencode(path.name), text=True)
        if path.is_file():
            found |= leaks_in(place, path.read_bytes())
    return found


def open_to_others(folder: Path, skip: Iterable[Path] = ()) -> list[str]:
    """Files and folders below `folder` that others than the owner may read, write or enter."""
    return [
        f"{path.relative_to(folder.parent).as_posix()} {stat.S_IMODE(path.stat().st_mode):04o}"
        for path in _walk(folder, tuple(skip))
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


class _Hashed:
    """Bytes that are told apart by their digest: the same file is looked at many times."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._digest = hashlib.blake2b(content).digest()

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and self._digest == other._digest


@functools.lru_cache(maxsize=256)
def _found(content: _Hashed, text: bool) -> list[tuple[str, str, bytes]]:
    sought = _patterns() + (_pieces() if text else [])
    return [one for one in sought if one[2] in content.content]


def _walk(folder: Path, skip: tuple[Path, ...]) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if not any(path == one or one in path.parents for one in skip):
            yield path


@functools.cache
def _patterns() -> list[tuple[str, str, bytes]]:
    """(core, form, bytes)."""
    found = {}
    for core in CORES:
        for form, written in _spellings(core):
            found.setdefault(written, (core, form))
    return [(core, form, written) for written, (core, form) in found.items()]


def _spellings(core: str) -> Iterator[tuple[str, bytes]]:
    for encoding in _ENCODINGS:
        raw = core.encode(encoding)
        yield encoding, raw
        for form, spell in _TRANSPORTS.items():
            for written in spell(raw):
                yield f"{form} of {encoding}", written
    wide = core.translate(_FULL_WIDTH)
    if wide != core:
        for encoding in _ENCODINGS:
            yield f"full width {encoding}", wide.encode(encoding)
        return
    yield "JSON escapes", core.encode("unicode_escape")
    yield (
        "JSON escapes",
        core.encode("unicode_escape").replace(b"\\u", b"\\U").upper().replace(b"\\U", b"\\u"),
    )
    yield "XML references", "".join(f"&#{ord(character)};" for character in core).encode()
    yield "XML references", "".join(f"&#x{ord(character):x};" for character in core).encode()
    yield "XML references", "".join(f"&#x{ord(character):X};" for character in core).encode()


def _base64(raw: bytes) -> Iterator[bytes]:
    """What stays the same of the Base64 whatever stands before and after, at each of three offsets."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        yield whole[first:last]
        yield whole[first:last].replace(b"+", b"-").replace(b"/", b"_")


def _hex(raw: bytes) -> Iterator[bytes]:
    yield raw.hex().encode()
    yield raw.hex().upper().encode()


def _percent(raw: bytes) -> Iterator[bytes]:
    quoted = urllib.parse.quote_from_bytes(raw, safe="").encode()
    every = "".join(f"%{octet:02X}" for octet in raw).encode()
    for written in (quoted, every):
        yield written
        yield written.lower()
    yield every.replace(b"%", b"=")


def _python(raw: bytes) -> Iterator[bytes]:
    yield ascii(raw)[2:-1].encode()


_TRANSPORTS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "base64": _base64,
    "hex": _hex,
    "percent": _percent,
    "Python": _python,
}


@functools.cache
def _pieces() -> list[tuple[str, str, bytes]]:
    """Smaller than a core, and still more than a mask shows."""
    windows = [
        core[start : start + _WINDOW]
        for core in (ID_CORE, ACCOUNT_CORE)
        for start in range(len(core) - _WINDOW + 1)
    ]
    return [(piece, "piece", piece.encode()) for piece in (*NAME_CORE, *TEXT_CORE, *windows)]


def _around(content: bytes, pattern: bytes) -> str:
    place = content.index(pattern)
    return content[max(0, place - _SHOWN_BYTES) : place + len(pattern) + _SHOWN_BYTES].decode(
        "utf-8", "replace"
    )

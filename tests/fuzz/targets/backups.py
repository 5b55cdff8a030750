"""Backups: a folder in which somebody outside, or the disk, changed anything."""

from __future__ import annotations

import functools
from pathlib import Path

import msgspec

from gateway.audit.bundle import digest_of
from gateway.store.backup_folder import (
    MANIFEST,
    SIGNATURE,
    SUM,
    Copied,
    check_backup,
    parse_manifest,
    read_manifest,
    sum_line,
)
from tests.fuzz.pieces import Pieces
from tests.fuzz.scene import scene
from tests.fuzz.shared_memory import make_folder
from tests.fuzz.target import MIB, Target


def manifests(content: bytes) -> None:
    """A manifest has one spelling, or is none; no name in it leads out of the folder."""
    try:
        manifest = parse_manifest(content)
    except ValueError:
        return
    assert manifest.to_bytes() == content
    root = Path("/backup")
    for name in manifest.files:
        assert (root / name).is_relative_to(root)
        assert ".." not in name.split("/")


def backups(content: bytes) -> None:
    """One file changed; by an odd first byte the manifest too: digests agree then, and nothing is signed."""
    pieces = Pieces(content)
    how, path = pieces.byte(), pieces.choose(_files())
    before = path.read_bytes()
    place, count = pieces.number(3) % (len(before) + 1), pieces.number()
    after = before[:place] + pieces.rest() + before[place + count :]
    kept = {name: (_backup() / name).read_bytes() for name in (MANIFEST, SUM, SIGNATURE)}
    try:
        path.write_bytes(after)
        inside = bool(how & 1) and path.name not in kept
        if inside:
            _list_again(path)
        report = check_backup(_backup())
    finally:
        path.write_bytes(before)
        for name, text in kept.items():
            (_backup() / name).write_bytes(text)
    assert inside or after == before or not report.holds


def _list_again(path: Path) -> None:
    manifest = read_manifest(_backup())
    files = {**manifest.files, path.relative_to(_backup()).as_posix(): Copied(*digest_of(path))}
    forged = msgspec.structs.replace(manifest, files=files, certificate="", algorithm="", key_id="")
    (_backup() / MANIFEST).write_bytes(forged.to_bytes())
    (_backup() / SUM).write_bytes(sum_line(forged))
    (_backup() / SIGNATURE).unlink()


@functools.cache
def _backup() -> Path:
    made = make_folder("backup")
    with scene().copy() as gateway:
        gateway.backup(made / "backup")
    return made / "backup"


@functools.cache
def _files() -> list[Path]:
    return sorted(path for path in _backup().rglob("*") if path.is_file())


def _manifest_seeds() -> list[bytes]:
    real = (_backup() / MANIFEST).read_bytes()
    return [real[:8192], real.replace(b'"spool/', b'"spool/../', 1)]


def _backup_seeds() -> list[bytes]:
    found = []
    for number in range(len(_files())):
        start = bytes([number]) + b"\0\0\5\0\3"
        found += [b"\0" + start + b'"x"', b"\1" + start + b"\xff\xff\xff"]
    ledger = [path.name for path in _files()].index("ledger.sqlite")
    for place in (20, 100, 2000, 4100, 9000, 20_000, 60_000):
        found.append(b"\1" + bytes([ledger]) + place.to_bytes(3, "big") + b"\0\4" + b"\xff\0\x7f\1")
    return found


TARGETS = [
    Target(name="backup-manifests", examine=manifests, seeds=_manifest_seeds),
    Target(name="backups", examine=backups, seeds=_backup_seeds, memory_bytes=96 * MIB, changes=150),
]

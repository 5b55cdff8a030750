"""Make a backup of ledger and spool while others go on working.

First the ledger at one moment, then every stored file that this ledger refers to: a name in
the ledger always means a whole file that never changes, and the lock keeps `retain` away, so
ledger and files belong together. The folder has its final name only once everything in it
was read back and is durable. Keys and configuration are not in it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from gateway import evidence
from gateway.audit.bundle import BundleFile, digest_of
from gateway.errors import FolderUnusable, IntegrityError, StorageFailed
from gateway.evidence import FIRST_HASH
from gateway.installation import Installation
from gateway.ledger.anchor import last_event, sequences
from gateway.ledger.database import SCHEMA_REVISION, stored_ledger
from gateway.ledger.spool import Referred, referred_files
from gateway.store.backup_folder import (
    FORMAT,
    LEDGER,
    MANIFEST,
    SIGNATURE,
    SPOOL,
    SUM,
    Copied,
    Manifest,
    read_manifest,
    sum_line,
)
from gateway.store.folders import make_private, sync_folder
from gateway.store.locks import alone_in, keeping_files
from keys.certified import certificate_text
from keys.errors import KeyUnavailable, SealedFileDamaged
from keys.sealed import HEADER_BYTES
from keys.signer import Signer
from keys.statement import sign_statement

_UNFINISHED = ".unfinished"
_BLOCK_BYTES = 1 << 20
_TOLD_DAMAGES = 20


class BackupReport(Struct, frozen=True, kw_only=True):
    """What was copied. `linked` files are those of the earlier backup; `event` is the journal's last."""

    folder: Path
    made_at: str
    event: int
    files: int
    linked: int
    size_bytes: int
    warning: str = ""


def make_backup(installation: Installation, folder: Path, earlier: Path | None = None) -> BackupReport:
    """Write a backup to `folder`, which must not exist or be empty. All of it, or nothing.

    Files that `earlier`, a backup on the same file system, has already are linked from there.
    Raises `FolderUnusable`, `Locked`, `StorageFailed`, and `IntegrityError` with every stored
    file that is missing or damaged.
    """
    folder = folder.absolute()
    _refuse_taken(installation, folder)
    before = None if earlier is None else _Earlier(earlier.absolute())
    with keeping_files(installation), _draft(folder) as draft:
        copying = _Copying(installation, draft, before)
        installation.ledger.snapshot(draft / LEDGER)
        manifest, signer, warning = copying.manifest()
        _write_manifest(draft, manifest, signer)
        _sync_folders(draft)
        if folder.exists():
            folder.rmdir()
        os.rename(draft, folder)
        sync_folder(folder.parent)
    with installation.ledger.write() as transaction:
        evidence.record(
            transaction,
            installation.clock.now(),
            "backup made",
            manifest_sha256=manifest.sha256,
            event=manifest.event,
            files=len(manifest.files),
            size_bytes=manifest.size_bytes,
        )
    return BackupReport(
        folder=folder,
        made_at=manifest.made_at,
        event=manifest.event,
        files=len(manifest.files),
        linked=copying.linked,
        size_bytes=manifest.size_bytes,
        warning=warning,
    )


def _refuse_taken(installation: Installation, folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderUnusable(
            f"{folder} exists already", hint="name a new folder: a backup is never written over another"
        )
    if folder.resolve().is_relative_to(installation.configuration.spool.resolve()):
        raise FolderUnusable(
            f"{folder} lies in the spool", hint="name a folder on another disk, better on another machine"
        )


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A folder of this process alone, empty at first; gone when the block raises.

    What a killed process left there is thrown away.
    """
    draft = folder.with_name(folder.name + _UNFINISHED)
    try:
        make_private(draft)
    except OSError as error:
        raise FolderUnusable(
            f"folder {draft} cannot be made: {error.strerror}", hint="name a folder that may be written"
        ) from error
    with alone_in(draft):
        try:
            _empty(draft)
            yield draft
        except BaseException as error:
            shutil.rmtree(draft, ignore_errors=True)
            if isinstance(error, OSError):
                raise StorageFailed(
                    f"backup {folder} cannot be kept: {error.strerror or error}",
                    hint="free space, or name a folder on another disk; nothing of it was left there",
                ) from error
            raise


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


class _Earlier:
    """An earlier backup whose files need not be copied again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = read_manifest(folder).files

    def link(self, name: str, target: Path) -> Copied | None:
        """The file under a second name, where it is there unchanged; else None and no file."""
        copied = self._files.get(name)
        if copied is None:
            return None
        try:
            os.link(self._folder / name, target, follow_symlinks=False)
        except OSError:
            # Another file system, or the file is gone: it is copied like all others.
            return None
        if digest_of(target) == (copied.sha256, copied.size_bytes):
            return copied
        target.unlink()
        return None


class _Copying:
    """One backup on its way into its draft."""

    def __init__(self, installation: Installation, draft: Path, earlier: _Earlier | None) -> None:
        self.linked = 0
        self._installation = installation
        self._draft = draft
        self._earlier = earlier

    def manifest(self) -> tuple[Manifest, Signer | None, str]:
        """Copy what the ledger in the draft refers to; (manifest, its signer, a warning)."""
        installation = self._installation
        _sync_file(self._draft / LEDGER)
        files = {LEDGER: Copied(*digest_of(self._draft / LEDGER))}
        with stored_ledger(self._draft / LEDGER) as transaction:
            files |= self._copy_all(referred_files(transaction))
            event = last_event(transaction) or (0, FIRST_HASH)
            numbers = sequences(transaction)
        now = installation.clock.now()
        signer: Signer | None = None
        warning = ""
        try:
            signer = installation.keyring.journal_signer(now)
        except KeyUnavailable as error:
            warning = f"the backup is not signed: {error}"
        manifest = Manifest(
            format=FORMAT,
            instance=installation.configuration.instance,
            environment=installation.configuration.environment,
            made_at=now.isoformat(),
            schema=SCHEMA_REVISION,
            event=event[0],
            hash=event[1],
            sequences=numbers,
            files=dict(sorted(files.items())),
            key_id="" if signer is None else signer.key_id,
            algorithm="" if signer is None else signer.algorithm,
            certificate="" if signer is None else certificate_text(signer),
        )
        return manifest, signer, warning

    def _copy_all(self, referred: Iterator[Referred]) -> dict[str, Copied]:
        files: dict[str, Copied] = {}
        damages: list[str] = []
        for file in referred:
            if file.optional and not self._installation.spool.exists(file.name):
                continue
            try:
                files[SPOOL + file.name] = self._copy(file)
            except _Damaged as damage:
                damages.append(str(damage))
        if damages:
            told = "; ".join(damages[:_TOLD_DAMAGES])
            raise IntegrityError(
                f"{len(damages)} stored files are missing or damaged: {told}",
                hint="put them back from an earlier backup, out of its folder spool, then start again",
            )
        return files

    def _copy(self, file: Referred) -> Copied:
        target = self._draft / SPOOL / file.name
        make_private(target.parent)
        if self._earlier is not None:
            linked = self._earlier.link(SPOOL + file.name, target)
            if linked is not None and self._has_the_header(file, target) and self._is_whole(file, target):
                self.linked += 1
                return linked
            target.unlink(missing_ok=True)
        copied = self._copy_bytes(file, target)
        # Read back: whatever the disk made of it, only the very bytes that were sealed open.
        if not self._is_whole(file, target):
            raise _Damaged(f"{file.name} is damaged")
        return copied

    def _copy_bytes(self, file: Referred, target: Path) -> Copied:
        try:
            source = self._installation.spool.open_sealed(file.name)
        except FileNotFoundError:
            raise _Damaged(f"{file.name} is missing") from None
        sink = BundleFile(target)
        with source:
            while block := source.read(_BLOCK_BYTES):
                sink.write(block)
        listed = sink.close(None)
        return Copied(listed.sha256, listed.size_bytes)

    def _has_the_header(self, file: Referred, copy: Path) -> bool:
        """Whether the copy is under the same master key: an old one may leave the ring any day."""
        try:
            with self._installation.spool.open_sealed(file.name) as source, copy.open("rb") as sealed:
                return source.read(HEADER_BYTES) == sealed.read(HEADER_BYTES)
        except FileNotFoundError:
            raise _Damaged(f"{file.name} is missing") from None

    def _is_whole(self, file: Referred, copy: Path) -> bool:
        """Whether the copy opens as this file, to the bytes that the ledger knows."""
        try:
            with copy.open("rb") as sealed:
                digest = self._installation.spool.verify(file.name, sealed)
        except SealedFileDamaged:
            return False
        return file.sha256 in ("", digest)


class _Damaged(Exception):
    """One stored file that is not as it was stored."""


def _write_manifest(draft: Path, manifest: Manifest, signer: Signer | None) -> None:
    content = manifest.to_bytes()
    parts = {MANIFEST: content, SUM: sum_line(manifest)}
    if signer is not None:
        parts[SIGNATURE] = sign_statement(signer, content)
    for name, part in parts.items():
        file = BundleFile(draft / name)
        file.write(part)
        file.close(None)


def _sync_folders(root: Path) -> None:
    for folder, _, _ in os.walk(root):
        sync_folder(Path(folder))


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

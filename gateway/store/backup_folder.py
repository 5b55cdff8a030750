"""A backup as it lies in its folder: a manifest, a copy of the ledger, the spool's files; checked offline.

    backup.json     the manifest: every other file with its size and SHA-256; what was copied, and when
    backup.sum      the manifest's SHA-256, as `sha256sum` writes it
    backup.sig      the signature over the manifest by the journal's key, where the ring had one
    ledger.sqlite   the ledger at one moment
    spool/          every file of the spool that this ledger refers to, sealed as it is there

Nothing here opens a sealed file or needs a key: see `backup` and `restore` for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.bundle import digest_of
from gateway.audit.heads import instant
from gateway.audit.report import Verification, check_signature
from gateway.errors import IntegrityError
from gateway.evidence import FIRST_HASH, first_broken_event
from gateway.ledger.anchor import last_event, sequences
from gateway.ledger.database import SCHEMA_REVISION, Transaction, stored_ledger
from gateway.ledger.spool import referred_files
from keys.certificates import Trust
from keys.certified import pin_certificates
from keys.private import load_certificates

FORMAT = "bankgate-backup-1"
MANIFEST = "backup.json"
SUM = "backup.sum"
SIGNATURE = "backup.sig"
LEDGER = "ledger.sqlite"
SPOOL = "spool/"

_OTHER = "take another backup"

_STRANGE = (SQLAlchemyError, ArithmeticError, AttributeError, TypeError, ValueError)
"""What reading a database comes to that somebody made to look like a ledger: any value in any column."""


class Copied(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a backup, as it lies there."""

    sha256: str
    size_bytes: int


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds. `event` and `hash` are the last of its journal, `schema` its revision.

    `files` are named by their path in the folder. `algorithm`, `certificate` and `key_id` are
    the signature's own, "" where there is none.
    """

    format: str
    instance: str
    environment: str
    made_at: str
    schema: str
    event: int
    hash: str
    sequences: dict[str, int]
    files: dict[str, Copied]
    key_id: str
    algorithm: str
    certificate: str

    def to_bytes(self) -> bytes:
        """The exact bytes that are signed: JSON with sorted keys, no line break."""
        return msgspec.json.encode(self, order="sorted")

    @property
    def sha256(self) -> str:
        """Of these bytes: by this the backup is named in journals."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def size_bytes(self) -> int:
        return sum(copied.size_bytes for copied in self.files.values())


class BackupCheck(Verification, kw_only=True):
    """What a check found. `manifest` is None where it cannot be read at all."""

    manifest: Manifest | None = None
    files: int = 0
    size_bytes: int = 0


def sum_line(manifest: Manifest) -> bytes:
    """What stands in `backup.sum`."""
    return f"{manifest.sha256}  {MANIFEST}\n".encode()


def parse_manifest(content: bytes) -> Manifest:
    """Raises `ValueError` where it has another form than `to_bytes` gives."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    if manifest.to_bytes() != content or manifest.format != FORMAT:
        raise ValueError(f"not in the form of {FORMAT}")
    for name in manifest.files:
        if name != LEDGER and not _is_stored_name(name):
            raise ValueError(f"{name[:80]!r} is no file of a backup")
    return manifest


def _is_stored_name(name: str) -> bool:
    """Whether it is a place below the folder's `spool`, and nowhere else."""
    parts = name.removeprefix(SPOOL).split("/")
    return name.startswith(SPOOL) and not {"", ".", ".."} & set(parts) and name.isprintable()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup whose bytes are as they were written.

    Raises `IntegrityError`; whose signature is on it is for `check_signer`.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest = parse_manifest(content)
        instant(manifest.made_at)
        whole = (folder / SUM).read_bytes() == sum_line(manifest)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise IntegrityError(f"{folder / MANIFEST} cannot be used: {why}", hint=_OTHER) from None
    if not whole:
        raise IntegrityError(f"{folder / MANIFEST} is not what {SUM} says", hint=_OTHER)
    return manifest


def check_backup(folder: Path, trust: Path | None = None) -> BackupCheck:
    """Look at every byte of a backup; `trust` is a file with the certificates that may sign it.

    Nothing about the backup raises. Raises `keys.errors.KeyUnavailable` where `trust` cannot be read.
    """
    report = BackupCheck()
    try:
        manifest = read_manifest(folder)
    except IntegrityError as error:
        report.add(MANIFEST, str(error))
        return report
    trusted = None
    if trust is not None:
        trusted = pin_certificates("the journal", manifest.environment, load_certificates(trust))
    check_signer(folder, manifest, trusted, report)
    check_contents(folder, manifest, report)
    return report


def check_contents(folder: Path, manifest: Manifest, report: BackupCheck) -> None:
    """Every file is there as listed, none else, and the ledger is the one that the manifest tells of."""
    report.manifest = manifest
    report.files, report.size_bytes = len(manifest.files), manifest.size_bytes
    known = {MANIFEST, SUM, *([SIGNATURE] if manifest.certificate else [])}
    for name in sorted(_present(folder) - known - set(manifest.files)):
        report.add(name, "is not in the manifest")
    for name, copied in manifest.files.items():
        path = folder / name
        if path.is_symlink() or not path.is_file():
            report.add(name, "is missing")
        elif digest_of(path) != (copied.sha256, copied.size_bytes):
            report.add(name, "is not what was copied: its digest or its size differs")
    if manifest.schema != SCHEMA_REVISION:
        report.notes.append(
            f"the ledger has schema {manifest.schema}, this program {SCHEMA_REVISION}:"
            " what stands in it was not read"
        )
    elif not any(finding.place == LEDGER for finding in report.findings):
        _check_ledger(folder, manifest, report)


def check_signer(folder: Path, manifest: Manifest, trust: Trust | None, report: BackupCheck) -> None:
    """Where the manifest names a certificate its signature holds, and `trust` takes it."""
    if not manifest.certificate:
        if trust is not None:
            report.add(SIGNATURE, "the backup is not signed")
        report.notes.append("the backup is not signed: anybody who can write here could have changed it")
        return
    signed_by = manifest.certificate, manifest.algorithm
    path = folder / SIGNATURE
    check_signature(report, path, manifest.to_bytes(), signed_by, trust, manifest.made_at)


def _present(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in _files_in(folder)}


def _files_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path


def _check_ledger(folder: Path, manifest: Manifest, report: BackupCheck) -> None:
    try:
        with stored_ledger(folder / LEDGER) as transaction:
            for message in ledger_differences(transaction, manifest):
                report.add(LEDGER, message)
    except IntegrityError as error:
        report.add(LEDGER, str(error))
    except _STRANGE as error:
        report.add(LEDGER, f"cannot be read: {type(error).__name__}")


def ledger_differences(transaction: Transaction, manifest: Manifest) -> Iterator[str]:
    """What a ledger tells otherwise than its manifest."""
    broken = first_broken_event(transaction)
    if broken is not None:
        yield f"event {broken} of the journal does not follow from the one before"
    event = last_event(transaction) or (0, FIRST_HASH)
    if event != (manifest.event, manifest.hash):
        yield f"ends with event {event[0]} of another hash or number than the manifest's {manifest.event}"
    if sequences(transaction) != manifest.sequences:
        yield "has other sequences than the manifest says"
    for referred in referred_files(transaction):
        if SPOOL + referred.name not in manifest.files and not referred.optional:
            yield f"refers to {referred.name}, which is not in the backup"

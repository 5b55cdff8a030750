"""Put a backup back where nothing is: verified before, held afterwards.

The order makes a crash harmless. Everything is looked at; then the ledger is made under a name
of its own, in which every bank is held; then a marker says that a restore was begun, and nothing
opens the installation while it lies there; then come the spool's files; last the ledger gets its
name and the marker goes. Started again with the same backup it goes on, or says that it is done.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from gateway import evidence
from gateway.audit.bundle import digest_of
from gateway.configuration.config import Configuration
from gateway.errors import FolderUnusable, IntegrityError, NotPermitted, StorageFailed
from gateway.installation import Installation
from gateway.ledger.anchor import last_restored_from, raise_sequence
from gateway.ledger.database import SCHEMA_REVISION, Transaction, stored_ledger
from gateway.ledger.sequences import most_files_a_day
from gateway.ledger.spool import referred_files
from gateway.ports import FolderDisk
from gateway.store.backup_folder import (
    LEDGER,
    SPOOL,
    BackupCheck,
    Manifest,
    check_contents,
    check_signer,
    read_manifest,
)
from gateway.store.behind import (
    SEQUENCE_MARGIN,
    doubt_files,
    hold_every_bank,
    numbers_left,
    used_numbers,
)
from gateway.store.folders import make_private, sync_folder
from gateway.store.locks import running_at
from gateway.store.spool import TEMPORARY
from keys.errors import SealedFileDamaged
from keys.keyring import Keyring
from keys.sealed import verify_sealed

_BEGUN = ".restoring"
_DRAFT = ".restored"
_BLOCK_BYTES = 1 << 20
_LEFTOVERS = ("", "-wal", "-shm", "-journal")

InstallationOpener = Callable[[Path], AbstractContextManager[Installation]]
"""Opens this installation with its ledger in the given file, until the block ends."""


class RestoredBank(Struct, frozen=True, kw_only=True):
    """What a person reconciles: the last number of the backup, the next one, files that may have left."""

    bank: str
    last_number: int
    next_number: int
    doubtful: list[str]


class RestoreReport(Struct, frozen=True, kw_only=True):
    """What was put back. `again`: it was in place already, from the same backup."""

    backup: str
    made_at: str
    event: int
    files: int
    size_bytes: int
    banks: list[RestoredBank] = []
    again: bool = False
    warnings: list[str] = []


def refuse_begun_restore(configuration: Configuration) -> None:
    """Raise `IntegrityError` while a restore was begun here and has not ended."""
    marker = _Place(configuration).marker
    if marker.exists():
        raise IntegrityError(
            f"a restore was begun here and has not ended ({marker})",
            hint="start it again with the same backup: bankgate restore FOLDER",
        )


def restore_backup(
    folder: Path,
    configuration: Configuration,
    keyring: Keyring,
    open_with: InstallationOpener,
    margin: int | None = None,
) -> RestoreReport:
    """Put the backup in `folder` where the configuration has its ledger and spool.

    `margin` numbers of each bank are left out; None takes what the backup's age and its busiest
    day make likely, at least `SEQUENCE_MARGIN`. Raises `NotPermitted` where a ledger or a spool
    is there already, a bank has no room for the margin, or the backup is of another instance or
    a newer version, `IntegrityError` where the backup is not as it was made,
    `keys.errors.KeyUnavailable` where the ring lacks a master key, `Locked`, `StorageFailed`.
    """
    place = _Place(configuration)
    manifest = read_manifest(folder)
    _refuse_other(manifest, configuration)
    place.make_folder()
    with running_at(place.ledger):
        if place.is_done(manifest) or _is_restored_from(manifest, place, open_with):
            place.end()
            return _report(manifest, again=True)
        place.refuse_taken(manifest)
        digests = _verify(folder, manifest, keyring)
        with _kept(place):
            banks = _make_ledger(folder, manifest, place, open_with, digests, margin)
            place.begin(manifest)
            _put_files(folder, manifest, place)
            place.put_ledger()
            place.end()
    unsigned = [] if manifest.certificate else ["the backup is not signed: only its digests were compared"]
    return _report(manifest, banks=banks, warnings=unsigned)


def _report(
    manifest: Manifest,
    *,
    banks: list[RestoredBank] | None = None,
    again: bool = False,
    warnings: list[str] | None = None,
) -> RestoreReport:
    return RestoreReport(
        backup=manifest.sha256,
        made_at=manifest.made_at,
        event=manifest.event,
        files=len(manifest.files),
        size_bytes=manifest.size_bytes,
        banks=banks or [],
        again=again,
        warnings=warnings or [],
    )


# What is looked at before anything is touched.


def _refuse_other(manifest: Manifest, configuration: Configuration) -> None:
    theirs = manifest.instance, manifest.environment
    ours = configuration.instance, str(configuration.environment)
    if theirs != ours:
        raise NotPermitted(
            f"the backup is of instance {theirs[0]} ({theirs[1]}), not of {ours[0]} ({ours[1]})",
            hint="name the configuration that the backup belongs to",
        )
    if manifest.schema > SCHEMA_REVISION:
        raise NotPermitted(
            f"the backup's ledger has the newer schema {manifest.schema}",
            hint="install the version of this program that made it",
        )


def _verify(folder: Path, manifest: Manifest, keyring: Keyring) -> dict[str, str]:
    """Every byte of the backup, with the ring's keys; digests of the clear bytes by name in the spool."""
    report = BackupCheck()
    trust = keyring.journal_trust()
    check_signer(folder, manifest, None if trust.is_empty else trust, report)
    check_contents(folder, manifest, report)
    if report.findings:
        first = report.findings[0]
        more = len(report.findings) + report.more_findings - 1
        raise IntegrityError(
            f"backup {folder}: {first.place} {first.message}" + (f" (and {more} more)" if more else ""),
            hint="nothing was touched; see all of it: bankgate backup --check FOLDER",
        )
    digests = _open_all(folder, manifest, keyring)
    if manifest.schema == SCHEMA_REVISION:
        with stored_ledger(folder / LEDGER) as transaction:
            _compare(transaction, digests)
    return digests


def _open_all(folder: Path, manifest: Manifest, keyring: Keyring) -> dict[str, str]:
    masters = keyring.masters()
    digests = {}
    for name in _stored_names(manifest):
        try:
            with (folder / SPOOL / name).open("rb") as sealed:
                digests[name] = verify_sealed(sealed, masters, name.encode())
        except SealedFileDamaged as error:
            raise IntegrityError(
                f"backup {folder}: {name} does not open with the ring's keys: {error}",
                hint="put the key ring of that time back; nothing was touched",
            ) from error
    return digests


def _stored_names(manifest: Manifest) -> Iterator[str]:
    return (name.removeprefix(SPOOL) for name in manifest.files if name.startswith(SPOOL))


def _compare(transaction: Transaction, digests: dict[str, str]) -> None:
    """Every file that the ledger refers to is there with the bytes that the ledger knows."""
    for referred in referred_files(transaction):
        if referred.name not in digests:
            if referred.optional:
                continue
            raise IntegrityError(f"the backup lacks {referred.name}, to which its ledger refers")
        if referred.sha256 not in ("", digests[referred.name]):
            raise IntegrityError(f"{referred.name} of the backup is not what its ledger knows")


# Putting it in place.


class _Place:
    """Where the installation's ledger and spool are, and how far a restore into it has come."""

    def __init__(self, configuration: Configuration) -> None:
        self.ledger = configuration.ledger
        self.spool = configuration.spool
        self.marker = self.ledger.with_name(self.ledger.name + _BEGUN)
        self.draft = self.ledger.with_name(self.ledger.name + _DRAFT)

    def make_folder(self) -> None:
        folder = self.ledger.parent
        try:
            make_private(folder)
        except OSError as error:
            raise FolderUnusable(f"folder {folder} cannot be made: {error.strerror}") from error

    def is_done(self, manifest: Manifest) -> bool:
        """Whether only the marker of this very restore is left to be removed."""
        return self.ledger.exists() and self._begun() == manifest.sha256

    def is_free_of_marks(self) -> bool:
        """Whether there is a ledger, and no restore that has not ended."""
        return self.ledger.exists() and not self._begun()

    def refuse_taken(self, manifest: Manifest) -> None:
        if self.ledger.exists():
            raise NotPermitted(
                f"{self.ledger} exists: a ledger is never restored over another",
                hint=f"is it the right installation? Then: mv {self.ledger} {self.spool} ELSEWHERE",
            )
        begun = self._begun()
        if begun and begun != manifest.sha256:
            raise NotPermitted(
                f"a restore of another backup was begun here ({self.marker})",
                hint=f"go on with that backup, or: mv {self.spool} {self.marker} ELSEWHERE",
            )
        if not begun and self.spool.exists() and any(path.is_file() for path in self.spool.rglob("*")):
            raise NotPermitted(
                f"{self.spool} has files: a spool is never restored into another",
                hint=f"is it the right installation? Then: mv {self.spool} ELSEWHERE",
            )

    def begin(self, manifest: Manifest) -> None:
        """From here on nobody opens the installation until `end`."""
        if self._begun() != manifest.sha256:
            _write_durably(self.marker, manifest.sha256.encode())

    def put_ledger(self) -> None:
        """Give the draft its name; never over another file."""
        os.link(self.draft, self.ledger)
        sync_folder(self.ledger.parent)

    def end(self) -> None:
        self.clear_draft()
        self.marker.unlink(missing_ok=True)
        sync_folder(self.ledger.parent)

    def clear_draft(self) -> None:
        for suffix in _LEFTOVERS:
            self.draft.with_name(self.draft.name + suffix).unlink(missing_ok=True)

    def _begun(self) -> str:
        """Which backup a begun restore is of; "" where none was begun."""
        try:
            return self.marker.read_text("ascii")
        except FileNotFoundError:
            return ""


def _is_restored_from(manifest: Manifest, place: _Place, open_with: InstallationOpener) -> bool:
    """Whether the ledger that is there came from this very backup: only the report got lost."""
    if not place.is_free_of_marks():
        return False
    with open_with(place.ledger) as installation, installation.ledger.read() as transaction:
        return bool(last_restored_from(transaction) == manifest.sha256)


@contextmanager
def _kept(place: _Place) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(
            f"the backup cannot be put back at {place.ledger.parent}: {error.strerror or error}",
            hint="free space, or mend the rights, then start the restore again: it goes on",
        ) from error


def _put_files(folder: Path, manifest: Manifest, place: _Place) -> None:
    """Each file under a temporary name, synced, then named; one that is there already is compared."""
    disk = FolderDisk(place.spool)
    for name in _stored_names(manifest):
        copied = manifest.files[SPOOL + name]
        if disk.exists(name):
            if digest_of(place.spool / name) != (copied.sha256, copied.size_bytes):
                raise NotPermitted(
                    f"{place.spool / name} is another file than the backup's",
                    hint=f"move it away: mv {place.spool / name} ELSEWHERE",
                )
            continue
        temporary = f"{TEMPORARY}restore"
        with (folder / SPOOL / name).open("rb") as source, disk.create(temporary) as sink:
            while block := source.read(_BLOCK_BYTES):
                sink.write(block)
            disk.sync(sink)
        disk.publish(temporary, name)


def _make_ledger(
    folder: Path,
    manifest: Manifest,
    place: _Place,
    open_with: InstallationOpener,
    digests: dict[str, str],
    margin: int | None,
) -> list[RestoredBank]:
    """The ledger under its own name, in which nothing leaves and no lost number comes again."""
    place.clear_draft()
    os.close(os.open(place.draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    shutil.copyfile(folder / LEDGER, place.draft)
    try:
        with open_with(place.draft) as installation:
            with installation.ledger.write() as transaction:
                # Of an older schema it can be read only now.
                _compare(transaction, digests)
                banks = _hold(installation, transaction, manifest, margin)
            installation.ledger.checkpoint()
    except BaseException:
        place.clear_draft()
        raise
    with place.draft.open("rb") as written:
        os.fsync(written.fileno())
    return banks


def _hold(
    installation: Installation, transaction: Transaction, manifest: Manifest, margin: int | None
) -> list[RestoredBank]:
    now = installation.clock.now()
    used = used_numbers(installation, transaction)
    left_out = _likely_margin(transaction, manifest, now) if margin is None else margin
    _refuse_narrow(installation, used, left_out)
    message = f"restored from the backup of {manifest.made_at[:19]}: what left since is not known here"
    hold_every_bank(installation, transaction, message, now)
    doubtful = doubt_files(transaction, message, now)
    for bank, number in used.items():
        raise_sequence(transaction, bank, number + left_out)
    evidence.record(
        transaction,
        now,
        "ledger restored",
        manifest_sha256=manifest.sha256,
        made_at=manifest.made_at,
        backup_event=manifest.event,
        backup_hash=manifest.hash,
        sequences=used,
        margin=left_out,
        doubtful=[file.name for file in doubtful],
    )
    return [
        RestoredBank(
            bank=bank,
            last_number=number,
            next_number=number + left_out + 1,
            doubtful=[file.name for file in doubtful if file.bank == bank],
        )
        for bank, number in used.items()
    ]


def _likely_margin(transaction: Transaction, manifest: Manifest, now: datetime) -> int:
    """Twice what the busiest day so far would have made of the lost time."""
    days = max(0, (now - datetime.fromisoformat(manifest.made_at)).days) + 1
    return max(SEQUENCE_MARGIN, 2 * days * most_files_a_day(transaction))


def _refuse_narrow(installation: Installation, used: dict[str, int], margin: int) -> None:
    for bank, number in used.items():
        left = numbers_left(installation, bank, number)
        if left <= margin:
            raise NotPermitted(
                f"bank {bank}: after number {number} its names of files and references have room for {left}"
                f" more, wanted more than the {margin} that are left out",
                hint="ask each bank for the last number it has from us, and give --margin so that none of"
                " them comes again; or agree on wider names and references",
            )


def _write_durably(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)

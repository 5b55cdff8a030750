"""Put a file where the bank takes it, once.

    sealed -> uploading    parts go up under names that the bank ignores; a crash is harmless
    -> releasing           committed before the first step that the bank can see
    -> sent                every part released and answered for
    -> uncertain           anything else that happens after `releasing` was committed

Before each part's release its rank is committed too, so that after a crash it is known
which parts cannot have become visible. An uncertain file is only ever completed beside
released data of our own, never sent again whole.
Not here: connecting, back-off and holds (`runner`).
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import BinaryIO

from msgspec import Struct

from channels.channel import Channel, Entry, Upload
from channels.errors import ChannelError, ConnectionLost, PermissionRefused, TimedOut, Vanished
from gateway import evidence
from gateway.configuration.agreement import closed_window
from gateway.configuration.profile import Profile
from gateway.installation import Installation, canonical
from gateway.ledger.attempts import unfit_payments
from gateway.ledger.database import Transaction
from gateway.ledger.files import (
    FileRow,
    file_by_key,
    files_in,
    files_with_leftovers,
    forget_leftovers,
    mark_file,
    move_file,
    note_release_rank,
)
from gateway.ledger.holds import sending_stopped
from gateway.ledger.lanes import lane_by_key
from gateway.ledger.parts import PartRow, parts_of
from gateway.ledger.received import is_arriving
from gateway.ledger.reissues import has_second_chances, payments_to_stop, unbelieved_answer
from gateway.sending.give_back import give_back
from gateway.states import BatchState, FileState

_ARRIVING = timedelta(minutes=30)
"""So long something incomplete in the bank's folder delays payments that go a second time."""


class Transmission(StrEnum):
    """How one file's turn ended."""

    SENT = "sent"
    VOIDED = "voided"
    WAITS = "waits"
    UNCERTAIN = "uncertain"


class Delivery(Struct, frozen=True):
    """One file's turn: how it ended and, where it waits, until when or for what."""

    file: FileRow
    ended: Transmission
    cause: str = ""
    until: datetime | None = None


def recover(installation: Installation, profile: Profile) -> None:
    """What a dead process left: an upload starts again, a begun release is uncertain."""
    with installation.ledger.write() as transaction:
        for file in files_in(transaction, profile.bank, FileState.UPLOADING):
            _not_uploaded(installation, transaction, file, "the process ended while it was going up")
        for file in files_in(transaction, profile.bank, FileState.RELEASING):
            _make_uncertain(installation, transaction, file, "the process ended while it was being released")


def transmit(installation: Installation, profile: Profile, channel: Channel, file: FileRow) -> Delivery:
    """One sealed file's turn. Raises `ChannelError` only while the bank cannot have seen it."""
    taken = _taken_name(installation, profile, channel, file)
    if taken is not None:
        return _wait_for_person(installation, file, f"{taken} exists at the bank before it was sent")
    uploading = _begin_upload(installation, profile, file)
    if uploading is not None:
        return uploading
    try:
        uploads = _upload(installation, profile, channel, file)
    except ChannelError as error:
        with installation.ledger.write() as transaction:
            _not_uploaded(installation, transaction, file, str(error))
        raise
    waits = _begin_release(installation, profile, file)
    if waits is not None:
        return waits
    try:
        for part in _parts(installation, file):
            _release(installation, profile, channel, file, part)
    except ChannelError as error:
        return _uncertain(installation, file, error)
    return _sent(installation, file, FileState.RELEASING, {"uploads": uploads})


def probe(installation: Installation, profile: Profile, channel: Channel, file: FileRow) -> Delivery:
    """Look whether an uncertain file arrived; complete what is missing beside our released data."""
    parts = _parts(installation, file)
    seen = {part.rank: _look(profile, channel, part) for part in parts}
    if _Seen.OTHER in seen.values():
        return _needs_person(
            installation, file, "another file lies under its name at the bank: ask the bank what it took"
        )
    missing = [part for part in parts if seen[part.rank] is _Seen.NOTHING]
    data_seen = any(seen[part.rank] is _Seen.OURS for part in parts if part.part == "data")
    may_complete = data_seen and all(
        part.rank > file.releasing_rank or profile.channel.bank_keeps_files for part in missing
    )
    if missing and not may_complete:
        what = "parts" if data_seen else "data"
        return _needs_person(
            installation,
            file,
            f"its {what} cannot be found at the bank: ask the bank whether it took the file",
        )
    if missing:
        return _complete(installation, profile, channel, file, missing, seen)
    return _sent(installation, file, FileState.UNCERTAIN, {"probe": _told(seen)})


def remove_leftovers(installation: Installation, profile: Profile, channel: Channel) -> None:
    """Take away what lies at the bank of files that were given up, before their payments leave again.

    Raises `ChannelError`: then nothing may leave yet.
    """
    with installation.ledger.read() as transaction:
        files = files_with_leftovers(transaction, profile.bank)
    for file in files:
        # The flag first: without it the bank looks at nothing else.
        for part in reversed(_parts(installation, file)):
            for place in _places(profile, file, part):
                channel.remove(place)
        with installation.ledger.write() as transaction:
            forget_leftovers(transaction, file.file_pk)


def _places(profile: Profile, file: FileRow, part: PartRow) -> list[str]:
    """Where a part of a file that was given up may lie. A voided one was never released: what lies
    under the name that it would have had then is not ours.
    """
    staged = _staged(profile, part)
    places = [] if staged is None else [staged]
    return places if file.state is FileState.VOIDED else [_path(profile, part.name), *places]


class _Seen(StrEnum):
    OURS = "ours"
    OTHER = "other"
    NOTHING = "nothing"


def _told(seen: dict[int, _Seen]) -> dict[str, str]:
    return {str(rank): found for rank, found in seen.items()}


def _begin_upload(installation: Installation, profile: Profile, file: FileRow) -> Delivery | None:
    with installation.ledger.write() as transaction:
        obstacle = _obstacle(installation, transaction, profile, file)
        if obstacle is None:
            tries = file.tries + 1
            move_file(transaction, file.file_pk, FileState.SEALED, FileState.UPLOADING, tries=tries)
            now = installation.clock.now()
            evidence.record(transaction, now, "file uploading", bank=file.bank, file=file.name, tries=tries)
        elif obstacle.ended is Transmission.VOIDED:
            _void(installation, transaction, file, FileState.SEALED, obstacle.cause)
        return obstacle


def _begin_release(installation: Installation, profile: Profile, file: FileRow) -> Delivery | None:
    """Commit that the next step is visible; the conditions are looked at in the same transaction."""
    with installation.ledger.write() as transaction:
        obstacle = _obstacle(installation, transaction, profile, file)
        if obstacle is None:
            move_file(transaction, file.file_pk, FileState.UPLOADING, FileState.RELEASING, releasing_rank=0)
            evidence.record(
                transaction, installation.clock.now(), "file releasing", bank=file.bank, file=file.name
            )
        elif obstacle.ended is Transmission.VOIDED:
            _void(installation, transaction, file, FileState.UPLOADING, obstacle.cause)
        else:
            _not_uploaded(installation, transaction, file, obstacle.cause)
        return obstacle


def _obstacle(
    installation: Installation, transaction: Transaction, profile: Profile, file: FileRow
) -> Delivery | None:
    """Why the file may not leave now: expired or unfit (voided), on hold or outside its window (waits).

    All of it is looked at in the transaction that would let the file go on, so that what a
    person decided a moment ago counts.
    """
    attention = file_by_key(transaction, file.file_pk).attention
    if attention is not None:
        return Delivery(file, Transmission.WAITS, attention)
    stopped = sending_stopped(transaction, file.bank)
    if stopped is not None:
        return Delivery(file, Transmission.WAITS, stopped[1])
    if lane_by_key(transaction, file.lane_pk).batch_state is BatchState.HELD:
        return Delivery(file, Transmission.WAITS, "its batch is on hold")
    now = installation.clock.now()
    if is_arriving(transaction, file.bank, now - _ARRIVING) and has_second_chances(transaction, file.file_pk):
        # What is just arriving may say that the first attempt was paid.
        return Delivery(file, Transmission.WAITS, "an answer of the bank is just arriving", now)
    if lane_by_key(transaction, file.lane_pk).batch_state is BatchState.WITHDRAWN:
        return Delivery(file, Transmission.VOIDED, "its batch was withdrawn")
    if unfit_payments(transaction, file.file_pk):
        return Delivery(file, Transmission.VOIDED, "a payment in it was withdrawn or set aside")
    if payments_to_stop(transaction, file.file_pk):
        return Delivery(
            file,
            Transmission.VOIDED,
            "of a payment in it another may be paid already",
        )
    if (answer := unbelieved_answer(transaction, file.file_pk)) is not None:
        # It waits for its other half, or for a person, and may say that the first attempt was paid.
        message = f"{answer} speaks of what it would pay a second time, and is not believed yet"
        return Delivery(file, Transmission.WAITS, message)
    return _time_obstacle(installation, profile, file)


def _time_obstacle(installation: Installation, profile: Profile, file: FileRow) -> Delivery | None:
    now = installation.clock.now()
    if file.bank_day != installation.bank_day(profile, now).isoformat():
        return Delivery(file, Transmission.VOIDED, f"its bank day {file.bank_day} is over")
    with installation.ledger.read() as transaction:
        lane = lane_by_key(transaction, file.lane_pk)
    agreements = installation.configuration.agreements.get((lane.department, lane.bank), [])
    for agreement in agreements:
        if agreement.number == file.agreement:
            calendar = installation.configuration.calendar
            if agreement.window_open(now, profile.time_zone, calendar):
                return None
            opening = agreement.next_opening(now, profile.time_zone, calendar)
            return Delivery(file, Transmission.WAITS, closed_window(opening), opening)
    return Delivery(file, Transmission.VOIDED, f"agreement {file.agreement} is not configured any more")


def _upload(installation: Installation, profile: Profile, channel: Channel, file: FileRow) -> list[Upload]:
    """All parts under their staged names, none visible to the bank."""
    uploads = []
    for part in _parts(installation, file):
        staged = _staged(profile, part)
        if staged is not None:
            channel.remove(staged)
            with installation.spool.open(part.spool_name) as stream:
                uploads.append(_put(channel, staged, stream, part))
    return uploads


def _taken_name(installation: Installation, profile: Profile, channel: Channel, file: FileRow) -> str | None:
    """A final name of the file under which somebody else's file lies, or None.

    What lies under a staged name is ours only if this file's upload was begun before.
    """
    for part in _parts(installation, file):
        final = _path(profile, part.name)
        ours = file.tries > 0 and _staged(profile, part) == final
        if not ours and channel.stat(final) is not None:
            return final
    return None


def _put(channel: Channel, path: str, stream: BinaryIO, part: PartRow) -> Upload:
    return channel.put(path, stream, part.size_bytes)


def _release(
    installation: Installation, profile: Profile, channel: Channel, file: FileRow, part: PartRow
) -> None:
    """Make one part visible; that it is about to happen is committed first."""
    with installation.ledger.write() as transaction:
        note_release_rank(transaction, file.file_pk, part.rank)
    _show(installation, profile, channel, part)


def _show(installation: Installation, profile: Profile, channel: Channel, part: PartRow) -> None:
    final = _path(profile, part.name)
    staged = _staged(profile, part)
    if staged is None:
        with installation.spool.open(part.spool_name) as stream:
            try:
                _put(channel, final, stream, part)
            except Vanished:
                # Every byte was answered for and the file closed: a bank that sweeps its inbox has it.
                if profile.channel.bank_keeps_files:
                    raise
    elif staged != final:
        channel.rename(staged, final)


def _complete(
    installation: Installation,
    profile: Profile,
    channel: Channel,
    file: FileRow,
    missing: list[PartRow],
    seen: dict[int, _Seen],
) -> Delivery:
    """Release the missing parts. Meanwhile the file is `releasing`: no person can give it up."""
    with installation.ledger.write() as transaction:
        obstacle = _obstacle(installation, transaction, profile, file)
        if obstacle is not None:
            if obstacle.ended is Transmission.VOIDED:
                # It cannot be voided, data of it is visible: only the bank's word helps now.
                mark_file(transaction, file.file_pk, FileState.UNCERTAIN, obstacle.cause)
            return Delivery(file, Transmission.UNCERTAIN, obstacle.cause, obstacle.until)
        move_file(transaction, file.file_pk, FileState.UNCERTAIN, FileState.RELEASING)
        evidence.record(
            transaction, installation.clock.now(), "file releasing", bank=file.bank, file=file.name
        )
    try:
        for part in missing:
            staged = _staged(profile, part)
            if staged is not None:
                channel.remove(staged)
                with installation.spool.open(part.spool_name) as stream:
                    _put(channel, staged, stream, part)
            _release(installation, profile, channel, file, part)
    except ChannelError as error:
        return _uncertain(installation, file, error)
    return _sent(installation, file, FileState.RELEASING, {"probe": _told(seen)})


def _look(profile: Profile, channel: Channel, part: PartRow) -> _Seen:
    """Whether our part lies under its final name: by digest where we may read, else by size."""
    final = _path(profile, part.name)
    entry: Entry | None = channel.stat(final)
    if entry is None:
        return _Seen.NOTHING
    if entry.size_bytes != part.size_bytes:
        return _Seen.OTHER
    digest = _Digest()
    try:
        channel.get(final, digest, part.size_bytes)
    except PermissionRefused:
        staged = _staged(profile, part)
        gone = staged is None or channel.stat(staged) is None
        return _Seen.OURS if gone else _Seen.OTHER
    return _Seen.OURS if digest.sha256 == part.sha256 else _Seen.OTHER


class _Digest:
    def __init__(self) -> None:
        self._running = hashlib.sha256()

    def write(self, block: bytes) -> int:
        self._running.update(block)
        return len(block)

    @property
    def sha256(self) -> str:
        return self._running.hexdigest()


def _staged(profile: Profile, part: PartRow) -> str | None:
    """Where a part waits until it is released; None for a flag that is itself the release.

    With release by flag, data and signature lie under their final names: the bank looks at
    nothing before the flag.
    """
    if profile.channel.release == "flag":
        return None if part.part == "flag" else _path(profile, part.name)
    return _path(profile, profile.temporary_name(part.name))


def _path(profile: Profile, name: str) -> str:
    return f"{profile.channel.outbox}/{name}"


def _parts(installation: Installation, file: FileRow) -> list[PartRow]:
    with installation.ledger.read() as transaction:
        return parts_of(transaction, file.file_pk)


def _sent(installation: Installation, file: FileRow, before: FileState, proof: dict[str, object]) -> Delivery:
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        move_file(
            transaction,
            file.file_pk,
            before,
            FileState.SENT,
            attention=None,
            sent_at=now.isoformat(),
            evidence=canonical(proof),
        )
        evidence.record(transaction, now, "file sent", bank=file.bank, file=file.name)
    return Delivery(file, Transmission.SENT)


def _uncertain(installation: Installation, file: FileRow, error: ChannelError) -> Delivery:
    with installation.ledger.write() as transaction:
        _make_uncertain(installation, transaction, file, str(error))
        if not isinstance(error, ConnectionLost | TimedOut):
            mark_file(transaction, file.file_pk, FileState.UNCERTAIN, f"while it was being released: {error}")
    return Delivery(file, Transmission.UNCERTAIN, str(error))


def _not_uploaded(installation: Installation, transaction: Transaction, file: FileRow, why: str) -> None:
    """The bank has seen nothing of it: its upload starts again."""
    move_file(transaction, file.file_pk, FileState.UPLOADING, FileState.SEALED)
    now = installation.clock.now()
    evidence.record(transaction, now, "file not uploaded", bank=file.bank, file=file.name, why=why)


def _make_uncertain(installation: Installation, transaction: Transaction, file: FileRow, why: str) -> None:
    move_file(transaction, file.file_pk, FileState.RELEASING, FileState.UNCERTAIN)
    now = installation.clock.now()
    evidence.record(transaction, now, "file uncertain", bank=file.bank, file=file.name, why=why)


def _wait_for_person(installation: Installation, file: FileRow, why: str) -> Delivery:
    with installation.ledger.write() as transaction:
        mark_file(transaction, file.file_pk, FileState.SEALED, why)
    return Delivery(file, Transmission.WAITS, why)


def _needs_person(installation: Installation, file: FileRow, why: str) -> Delivery:
    with installation.ledger.write() as transaction:
        mark_file(transaction, file.file_pk, FileState.UNCERTAIN, why)
    return Delivery(file, Transmission.UNCERTAIN, why)


def was_uploaded(file: FileRow, state: FileState) -> bool:
    """Whether something of a file in this state may lie at the bank under a staged name."""
    return state is FileState.UPLOADING or file.tries > 0


def _void(
    installation: Installation, transaction: Transaction, file: FileRow, before: FileState, why: str
) -> None:
    now = installation.clock.now()
    move_file(transaction, file.file_pk, before, FileState.VOIDED, leftovers=int(was_uploaded(file, before)))
    give_back(transaction, file.file_pk, file.lane_pk, now)
    evidence.record(transaction, now, "file voided", bank=file.bank, file=file.name, why=why)

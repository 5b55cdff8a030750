"""Fetch what a bank put there, store it by content, verify it. Nothing is parsed here.

A file is taken when it is complete: its flag and its signature lie beside it, or it did
not change over two looks that are some time apart. Identity is the content together with
its signature, never the name. Only `verify` makes a `VerifiedFile`, and only that is parsed.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from channels.channel import Channel, Entry
from channels.errors import AlreadyExists, ChannelError, NotFound, PermissionRefused, TooLarge
from formats import Problem
from gateway import evidence
from gateway.configuration.profile import Inbound, Profile
from gateway.installation import Installation, canonical
from gateway.ledger.database import Transaction
from gateway.ledger.oddities import OddityKind, note_oddity
from gateway.ledger.received import (
    ReceivedRow,
    Sighting,
    find_received,
    forget_sighting,
    insert_received,
    is_our_own,
    move_received,
    note_sighting,
    received_in,
    received_under_name,
    sighting,
    unfetched_sightings,
)
from gateway.persons.exhibits import keep
from gateway.settlement.flags import FLAG_LIMIT_BYTES, Flag, read_flag
from gateway.states import ReceivedState
from gateway.store.sealing import SpoolBlob, open_file
from gateway.wording import Wording
from keys.errors import SealError

SIGNATURE_LIMIT_BYTES = 1 << 20
LOOKS_NEEDED = 2
INCOMPLETE = "not complete yet"
AGAIN = "look again"
SECOND_OVER_SECONDS = 2
"""After so long a second of the server's clock is over, whenever within it a file was changed."""
STABLE_SECONDS = 5
"""Least time between the two looks over which a file must not change."""
_UNSURE = 2
"""Of a sighting: fetched so early that other bytes could still come under the same size and time."""
_NEVER_COMPLETE = timedelta(days=1)
"""After so long a file without its flag or signature is no matter of waiting any more."""


class Fetched(Struct, frozen=True):
    """One name's turn: taken, seen before, or not complete yet."""

    name: str
    what: str


class VerifiedFile(Struct, frozen=True, kw_only=True):
    """A received file whose signature held (or whose profile says in words why it has none).

    `content_name` is the spool file with the bytes that were signed.
    """

    received: ReceivedRow
    inbound: Inbound
    content_name: str
    verdict: str


def collect(installation: Installation, profile: Profile, channel: Channel) -> Iterator[Fetched]:
    """Take every complete file of the bank's inbox; raises `ChannelError`."""
    folder = profile.channel.inbox
    entries = {entry.name: entry for entry in channel.list(folder)}
    companions = _companions(profile, entries)
    for name, entry in entries.items():
        recognised = profile.recognise(name)
        if recognised is None:
            if name not in companions:
                yield from _note_strange(installation, profile, channel, entry)
            continue
        inbound, said = recognised
        due = _due(installation, profile, inbound, entry, entries)
        if due is AGAIN:
            if not _is_other(installation, profile, channel, entry):
                continue
        elif due is not True:
            if due is INCOMPLETE:
                yield Fetched(name, INCOMPLETE)
            continue
        try:
            yield Fetched(name, _fetch(installation, profile, channel, inbound, entries, name, said.claim))
        except NotFound:
            # The bank took it away between the listing and the fetch; the next look tells.
            continue
        except (TooLarge, PermissionRefused) as error:
            yield Fetched(name, _note_unreadable(installation, profile, entry, str(error)))
    _tell_of_gone(installation, profile, entries)
    _archive(installation, profile, channel, entries)


def _note_unreadable(installation: Installation, profile: Profile, entry: Entry, why: str) -> str:
    """One file that cannot be fetched stops no other; it is not tried again before it changes."""
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        note_sighting(transaction, profile.bank, _seen(entry, now, LOOKS_NEEDED, 1))
        note_oddity(
            transaction,
            now,
            OddityKind.UNREADABLE,
            profile.bank,
            entry.name,
            f"it cannot be fetched: {why}",
            size_bytes=entry.size_bytes,
            modified=entry.modified,
        )
    return f"cannot be fetched: {why}"


def _tell_of_gone(installation: Installation, profile: Profile, entries: dict[str, Entry]) -> None:
    """Files that were seen and never fetched, and are not there any more."""
    with installation.ledger.write() as transaction:
        now = installation.clock.now()
        for seen in unfetched_sightings(transaction, profile.bank):
            if seen.name in entries:
                continue
            if profile.recognise(seen.name) is not None:
                note_oddity(
                    transaction,
                    now,
                    OddityKind.GONE,
                    profile.bank,
                    seen.name,
                    "it was taken away before it was complete and fetched: ask the bank for it",
                    size_bytes=seen.size_bytes,
                    first_seen_at=seen.first_seen_at,
                )
            forget_sighting(transaction, profile.bank, seen.name)


def verify(installation: Installation, profile: Profile, received: ReceivedRow) -> VerifiedFile | None:
    """Judge a received file's signature at its time of receipt; None where it is refused.

    A file that was verified before (`verified`, `held`) is judged again: what is parsed is
    always what the signature covers.
    """
    recognised = profile.recognise(received.name)
    if recognised is None:
        _refuse(installation, received, "the profile has no pattern for this name any more")
        return None
    inbound = recognised[0]
    with installation.ledger.read() as transaction:
        ours = is_our_own(transaction, received.sha256)
    if ours is not None:
        _refuse(installation, received, f"these are our own bytes, sent as {ours}")
        return None
    try:
        content_name, verdict = _check_signature(installation, profile, inbound, received)
    except SealError as error:
        _refuse(installation, received, str(error))
        return None
    if received.state is ReceivedState.RECEIVED:
        with installation.ledger.write() as transaction:
            move_received(
                transaction,
                received.received_pk,
                ReceivedState.RECEIVED,
                ReceivedState.VERIFIED,
                verdict=verdict,
            )
            evidence.record(
                transaction,
                installation.clock.now(),
                "received file verified",
                bank=received.bank,
                received=received.received_pk,
                sha256=received.sha256,
                verdict=verdict,
            )
    return VerifiedFile(received=received, inbound=inbound, content_name=content_name, verdict=verdict)


def next_look(installation: Installation, now: datetime) -> datetime:
    """When a file that was seen once may be looked at again."""
    return now + timedelta(seconds=STABLE_SECONDS)


def _companions(profile: Profile, entries: dict[str, Entry]) -> set[str]:
    found = set()
    for name in entries:
        recognised = profile.recognise(name)
        if recognised is not None:
            found |= {recognised[0].flag_name(name), recognised[0].detached_signature_name(name)}
    return found


def _note_strange(
    installation: Installation, profile: Profile, channel: Channel, entry: Entry
) -> Iterator[Fetched]:
    """Tell a person once of what lies under a name that nothing takes, when it has stopped changing.

    Its bytes are kept as an exhibit, as far as they are within the bank's limit; never read.
    """
    now = installation.clock.now()
    # Nobody agreed on this name: it may name a person, and is kept and told as it may be shown.
    shown = msgspec.structs.replace(entry, name=Wording(profile).file_name(entry.name))
    with installation.ledger.write() as transaction:
        before = sighting(transaction, profile.bank, shown.name)
        changed = before is None or not _is_as_seen(entry, before, now)
        if changed:
            note_sighting(transaction, profile.bank, _seen(shown, now, 1, 0))
    if before is None or changed:
        yield Fetched(shown.name, INCOMPLETE)
        return
    if before.fetched or not _is_stable(before, now):
        return
    exhibit, limit = "", profile.limits.inbound_bytes
    if entry.size_bytes <= limit:
        place = f"{profile.channel.inbox}/{entry.name}"
        try:
            exhibit = keep(installation, lambda sink: channel.get(place, sink, limit))
        except ChannelError as error:
            # Its message names the file, and is kept with the bank's hold.
            raise type(error)(str(error).replace(entry.name, shown.name), error.hint) from None
    with installation.ledger.write() as transaction:
        note_sighting(transaction, profile.bank, _seen(shown, now, LOOKS_NEEDED, 1))
        note_oddity(
            transaction,
            now,
            OddityKind.STRANGE_NAME,
            profile.bank,
            shown.name,
            "no pattern of the profile takes this name: it was not read",
            exhibit=exhibit,
            size_bytes=entry.size_bytes,
            modified=entry.modified,
        )
    yield Fetched(shown.name, "no pattern of the profile takes this name")


def _due(
    installation: Installation, profile: Profile, inbound: Inbound, entry: Entry, entries: dict[str, Entry]
) -> bool | str:
    """Whether a file is complete and not fetched before; `INCOMPLETE` where it may become so."""
    signature = inbound.detached_signature_name(entry.name)
    flag = inbound.flag_name(entry.name)
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        before = sighting(transaction, profile.bank, entry.name)
        same = before is not None and _is_as_seen(entry, before, now)
        if before is None or not same:
            before = _seen(entry, now, 1, 0)
            note_sighting(transaction, profile.bank, before)
        elif before.fetched:
            beside = (entries.get(signature), entries.get(flag))
            if not any(_changed_since(transaction, profile, part) for part in beside):
                return AGAIN if _may_be_another(before, now) else False
            # The same bytes may be signed rightly now: they are taken once more.
            before = _seen(entry, now, 1, 0)
            note_sighting(transaction, profile.bank, before)
        elif _is_stable(before, now):
            before = _seen(entry, datetime.fromisoformat(before.first_seen_at), before.looks + 1, 0)
            note_sighting(transaction, profile.bank, before)
        complete = flag in entries if flag else before.looks >= LOOKS_NEEDED
        if signature:
            complete = complete and signature in entries
        if not complete and now - datetime.fromisoformat(before.first_seen_at) >= _NEVER_COMPLETE:
            note_oddity(
                transaction,
                now,
                OddityKind.NEVER_COMPLETE,
                profile.bank,
                entry.name,
                "its flag or its signature does not come: ask the bank",
                once=True,
                flag=flag,
                signature=signature,
                first_seen_at=before.first_seen_at,
            )
    return complete or INCOMPLETE


def _changed_since(transaction: Transaction, profile: Profile, part: Entry | None) -> bool:
    """Whether another signature, or flag that did not fit, lies there than the one that was fetched."""
    if part is None:
        return False
    fetched = sighting(transaction, profile.bank, part.name)
    return fetched is not None and not _unchanged(part, fetched)


def _may_be_another(before: Sighting, now: datetime) -> bool:
    """Whether it was fetched within the second of its last change, and that second is over by now."""
    return before.fetched == _UNSURE and _is_second_over(before.first_seen_at, now)


def _is_second_over(since: str, now: datetime) -> bool:
    return now - datetime.fromisoformat(since) >= timedelta(seconds=SECOND_OVER_SECONDS)


def _is_other(installation: Installation, profile: Profile, channel: Channel, entry: Entry) -> bool:
    """Whether other bytes of the same size lie there, that came within the same second of the server.

    What lies there after that second is over is the last of that time of change: looked at once.
    """
    sink = _Digest()
    try:
        channel.get(f"{profile.channel.inbox}/{entry.name}", sink, profile.limits.inbound_bytes)
    except (NotFound, TooLarge, PermissionRefused):
        # Something else lies there by now, or nothing: the next listing tells.
        return False
    with installation.ledger.write() as transaction:
        known = received_under_name(transaction, profile.bank, entry.name)
        before = sighting(transaction, profile.bank, entry.name)
        if before is not None:
            # It stays as long in sight as it is: what is fetched now is not looked at a third time.
            note_sighting(transaction, profile.bank, msgspec.structs.replace(before, fetched=1))
    return known is not None and known.sha256 != sink.sha256


class _Digest:
    """Takes bytes and keeps their SHA-256 only."""

    def __init__(self) -> None:
        self._running = hashlib.sha256()

    def write(self, block: bytes, /) -> int:
        self._running.update(block)
        return len(block)

    @property
    def sha256(self) -> str:
        return self._running.hexdigest()


def _is_stable(before: Sighting, now: datetime) -> bool:
    """Whether long enough has passed since the first look at it."""
    return now - datetime.fromisoformat(before.first_seen_at) >= timedelta(seconds=STABLE_SECONDS)


def _is_as_seen(entry: Entry, seen: Sighting, now: datetime) -> bool:
    """Whether it is what was fetched, or has been watched without a change.

    A look that lies in the future was taken before the clock was set back: watching begins anew,
    else the file would wait until that time has come.
    """
    watched = seen.fetched or datetime.fromisoformat(seen.first_seen_at) <= now
    return bool(watched) and _unchanged(entry, seen)


def _unchanged(entry: Entry, seen: Sighting) -> bool:
    return (entry.size_bytes, entry.modified) == (seen.size_bytes, seen.modified)


def _seen(entry: Entry, first_seen_at: datetime, looks: int, fetched: int) -> Sighting:
    return Sighting(
        name=entry.name,
        size_bytes=entry.size_bytes,
        modified=entry.modified,
        first_seen_at=first_seen_at.isoformat(),
        looks=looks,
        fetched=fetched,
    )


def _fetch(
    installation: Installation,
    profile: Profile,
    channel: Channel,
    inbound: Inbound,
    entries: dict[str, Entry],
    name: str,
    claim: str,
) -> str:
    folder, entry = profile.channel.inbox, entries[name]
    with installation.ledger.read() as transaction:
        seen = sighting(transaction, profile.bank, name)
    begun = installation.clock.now()
    sure = seen is not None and _is_second_over(seen.first_seen_at, begun)
    flag = _read_flag(profile, channel, inbound, entry)
    signature = b""
    if signature_name := inbound.detached_signature_name(entry.name):
        buffer = io.BytesIO()
        channel.get(f"{folder}/{signature_name}", buffer, SIGNATURE_LIMIT_BYTES)
        signature = buffer.getvalue()
    stored = f"in/{profile.bank}/{installation.randomness.token()}"
    with installation.spool.create(stored) as sink:
        channel.get(f"{folder}/{entry.name}", sink, profile.limits.inbound_bytes)
    if inbound.flag_content and (
        differs := "the flag is not of the form that the profile says"
        if flag is None
        else flag.differs(entry.name, sink.size_bytes, sink.sha256)
    ):
        installation.spool.remove(stored)
        return _note_flag(installation, profile, entry, entries[inbound.flag_name(name)], differs)
    signature_sha256 = hashlib.sha256(signature).hexdigest()
    signature_stored = ""
    if signature:
        signature_stored = f"{stored}-signature"
        with installation.spool.create(signature_stored) as signature_sink:
            signature_sink.write(signature)
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        known = find_received(transaction, profile.bank, sink.sha256, signature_sha256, claim)
        before = received_under_name(transaction, profile.bank, entry.name)
        note_sighting(transaction, profile.bank, _seen(entry, now, LOOKS_NEEDED, 1 if sure else _UNSURE))
        if signature_name:
            note_sighting(transaction, profile.bank, _seen(entries[signature_name], now, LOOKS_NEEDED, 1))
        if known is None:
            received_pk = insert_received(
                transaction,
                now,
                bank=profile.bank,
                sha256=sink.sha256,
                signature_sha256=signature_sha256,
                claim=claim,
                name=entry.name,
                kind=inbound.kind,
                layout=inbound.layout or "",
                size_bytes=sink.size_bytes,
                spool_name=stored,
                signature_spool_name=signature_stored or None,
                flag="{}" if flag is None else canonical(Flag(count=flag.count, total=flag.total)),
            )
        evidence.record(
            transaction,
            now,
            "received" if known is None else "received again",
            bank=profile.bank,
            name=entry.name,
            received=received_pk if known is None else known.received_pk,
            sha256=sink.sha256,
            size_bytes=sink.size_bytes,
        )
        if before is not None and before.sha256 != sink.sha256:
            note_oddity(
                transaction,
                now,
                OddityKind.OTHER_CONTENT,
                profile.bank,
                entry.name,
                "other bytes than before lie under this name: both were taken, ask the bank why",
                sha256=sink.sha256,
                before_sha256=before.sha256,
            )
    if known is None:
        return "fetched"
    installation.spool.remove(stored)
    if signature_stored:
        installation.spool.remove(signature_stored)
    return f"seen before, as {known.name}"


def _read_flag(profile: Profile, channel: Channel, inbound: Inbound, entry: Entry) -> Flag | None:
    """What the flag says, where the profile says what it holds; None where it is not of that form."""
    if not inbound.flag_content:
        return None
    buffer = io.BytesIO()
    try:
        channel.get(f"{profile.channel.inbox}/{inbound.flag_name(entry.name)}", buffer, FLAG_LIMIT_BYTES)
    except TooLarge:
        return None
    return read_flag(buffer.getvalue(), inbound.flag_content)


def _note_flag(installation: Installation, profile: Profile, entry: Entry, flag: Entry, differs: str) -> str:
    """A file that its own flag contradicts is not taken before one of the two changes; a person is told."""
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        for part in (entry, flag):
            note_sighting(transaction, profile.bank, _seen(part, now, LOOKS_NEEDED, 1))
        note_oddity(
            transaction,
            now,
            OddityKind.FLAG_DIFFERS,
            profile.bank,
            entry.name,
            f"{differs}: it was not taken",
            size_bytes=entry.size_bytes,
            modified=entry.modified,
            flag_modified=flag.modified,
        )
    return differs


def _check_signature(
    installation: Installation, profile: Profile, inbound: Inbound, received: ReceivedRow
) -> tuple[str, str]:
    """(spool name of the signed content, verdict as JSON). Raises `SealError`."""
    signature = b""
    if received.signature_spool_name:
        with installation.spool.open(received.signature_spool_name) as stream:
            signature = stream.read()
    data = SpoolBlob(installation.spool, received.spool_name, received.size_bytes, received.sha256)
    at = datetime.fromisoformat(received.received_at)
    return open_file(installation, profile, inbound, data, signature, at)


def _refuse(installation: Installation, received: ReceivedRow, why: str) -> None:
    problem = Problem(
        code="refused",
        source=received.name,
        message=f"{received.name}: {why}",
        hint="ask the bank; nothing in the file was believed",
    )
    with installation.ledger.write() as transaction:
        move_received(
            transaction,
            received.received_pk,
            received.state,
            ReceivedState.REFUSED,
            problems=canonical([problem]),
        )
        evidence.record(
            transaction,
            installation.clock.now(),
            "received file refused",
            bank=received.bank,
            received=received.received_pk,
            sha256=received.sha256,
            why=why,
        )


def _archive(
    installation: Installation, profile: Profile, channel: Channel, entries: dict[str, Entry]
) -> None:
    """Move what is settled out of the bank's inbox, if the profile says so."""
    if profile.channel.archive is None:
        return
    with installation.ledger.read() as transaction:
        done = {row.name: row.state for row in received_in(transaction, profile.bank)}
        seen = {name: sighting(transaction, profile.bank, name) for name in entries}
    for name, entry in entries.items():
        recognised, before = profile.recognise(name), seen[name]
        if recognised is None or done.get(name) is not ReceivedState.SETTLED:
            continue
        if before is None or before.fetched != 1 or not _unchanged(entry, before):
            # Other bytes under a settled name: they are not stored here yet.
            continue
        inbound = recognised[0]
        # The file itself goes last: what a crash leaves behind is known by it, and moved at the next look.
        for part in (inbound.flag_name(name), inbound.detached_signature_name(name), name):
            if part in entries:
                now = channel.stat(f"{profile.channel.inbox}/{name}")
                if now is not None and not _unchanged(now, before):
                    # Replaced since it was listed: the next look fetches what lies there now.
                    break
                try:
                    channel.rename(f"{profile.channel.inbox}/{part}", f"{profile.channel.archive}/{part}")
                except (AlreadyExists, NotFound):
                    # Archived before, or taken away by the bank: either way it is stored here.
                    continue

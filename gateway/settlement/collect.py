"""Fetch what a bank put there, and store it by content. Nothing is verified or parsed here.

Identity is the content together with its signature, never the name.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import TypedDict, Unpack

from msgspec import Struct

from channels.channel import Channel, Entry
from channels.errors import AlreadyExists, NotFound, PermissionRefused, TooLarge
from gateway import evidence
from gateway.configuration.profile import Inbound, Profile
from gateway.installation import Installation, canonical
from gateway.ledger.oddities import OddityKind, note_oddity
from gateway.ledger.received import (
    ReceivedRow,
    find_received,
    forget_sighting,
    insert_received,
    note_sighting,
    received_in,
    received_under_name,
    sighting,
)
from gateway.settlement.flags import FLAG_LIMIT_BYTES, Flag, read_flag
from gateway.settlement.untaken import note_flag, note_strange, note_unreadable, tell_of_gone
from gateway.settlement.verify import reconsider
from gateway.settlement.watching import (
    AGAIN,
    INCOMPLETE,
    LOOKS_NEEDED,
    UNSURE,
    Fetched,
    is_other,
    is_second_over,
    seen_as,
    unchanged,
    watch,
)
from gateway.states import ReceivedState

SIGNATURE_LIMIT_BYTES = 1 << 20


class _Arrival(Struct, frozen=True):
    """A complete file of a listing, on its way here. `claim` is what its name says it is about."""

    installation: Installation
    profile: Profile
    channel: Channel
    inbound: Inbound
    entries: dict[str, Entry]
    entry: Entry
    claim: str

    def place(self, name: str) -> str:
        return f"{self.profile.channel.inbox}/{name}"


def collect(installation: Installation, profile: Profile, channel: Channel) -> Iterator[Fetched]:
    """Take every complete file of the bank's inbox; raises `ChannelError`."""
    folder = profile.channel.inbox
    entries = {entry.name: entry for entry in channel.list(folder)}
    companions = _companions(profile, entries)
    for name, entry in entries.items():
        recognised = profile.recognise(name)
        if recognised is None:
            if name not in companions:
                yield from note_strange(installation, profile, channel, entry)
            continue
        inbound, said = recognised
        due = watch(installation, profile, inbound, entry, entries)
        if due is AGAIN:
            if not is_other(installation, profile, channel, entry):
                continue
        elif due is not True:
            if due is INCOMPLETE:
                yield Fetched(name, INCOMPLETE)
            continue
        arrival = _Arrival(installation, profile, channel, inbound, entries, entry, said.claim)
        try:
            yield Fetched(name, _fetch(arrival))
        except NotFound:
            # The bank took it away between the listing and the fetch; the next look tells.
            continue
        except (TooLarge, PermissionRefused) as error:
            yield Fetched(name, note_unreadable(installation, profile, entry, str(error)))
    tell_of_gone(installation, profile, entries)
    _archive(installation, profile, channel, entries)


def _companions(profile: Profile, entries: dict[str, Entry]) -> set[str]:
    found = set()
    for name in entries:
        recognised = profile.recognise(name)
        if recognised is not None:
            found |= {recognised[0].flag_name(name), recognised[0].detached_signature_name(name)}
    return found


def _fetch(arrival: _Arrival) -> str:
    """Store one complete file; says what became of it. Raises `ChannelError`."""
    installation, profile, entry = arrival.installation, arrival.profile, arrival.entry
    with installation.ledger.read() as transaction:
        seen = sighting(transaction, profile.bank, entry.name)
    sure = seen is not None and is_second_over(seen.first_seen_at, installation.clock.now())
    flag = _read_flag(arrival)
    signature = _read_signature(arrival)
    stored = f"in/{profile.bank}/{installation.randomness.token()}"
    with installation.spool.create(stored) as sink:
        arrival.channel.get(arrival.place(entry.name), sink, profile.limits.inbound_bytes)
    if arrival.inbound.flag_content and (
        differs := "the flag is not of the form that the profile says"
        if flag is None
        else flag.differs(entry.name, sink.size_bytes, sink.sha256)
    ):
        installation.spool.remove(stored)
        return note_flag(
            installation, profile, entry, arrival.entries[arrival.inbound.flag_name(entry.name)], differs
        )
    signature_stored = f"{stored}-signature" if signature else None
    if signature_stored:
        with installation.spool.create(signature_stored) as signature_sink:
            signature_sink.write(signature)
    known = _record(
        arrival,
        sure,
        sha256=sink.sha256,
        signature_sha256=hashlib.sha256(signature).hexdigest(),
        size_bytes=sink.size_bytes,
        spool_name=stored,
        signature_spool_name=signature_stored,
        flag="{}" if flag is None else canonical(Flag(count=flag.count, total=flag.total)),
    )
    if known is None:
        return "fetched"
    installation.spool.remove(stored)
    if signature_stored:
        installation.spool.remove(signature_stored)
    return f"seen before, as {known.name}"


class _Stored(TypedDict):
    """Columns of `received` that fetching found out."""

    sha256: str
    signature_sha256: str
    size_bytes: int
    spool_name: str
    signature_spool_name: str | None
    flag: str


def _record(arrival: _Arrival, sure: bool, **stored: Unpack[_Stored]) -> ReceivedRow | None:
    """One commit: the file is stored, or was before: then as what."""
    installation, profile, entry = arrival.installation, arrival.profile, arrival.entry
    inbound, sha256 = arrival.inbound, stored["sha256"]
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        known = find_received(transaction, profile.bank, sha256, stored["signature_sha256"], arrival.claim)
        before = received_under_name(transaction, profile.bank, entry.name)
        note_sighting(transaction, profile.bank, seen_as(entry, now, LOOKS_NEEDED, 1 if sure else UNSURE))
        if signature_name := inbound.detached_signature_name(entry.name):
            signature = seen_as(arrival.entries[signature_name], now, LOOKS_NEEDED, 1)
            note_sighting(transaction, profile.bank, signature)
        # The flag fits: whatever it was when it lay there alone or did not fit, its changes are no news.
        forget_sighting(transaction, profile.bank, inbound.flag_name(entry.name))
        received_pk = (
            known.received_pk
            if known is not None
            else insert_received(
                transaction,
                now,
                bank=profile.bank,
                claim=arrival.claim,
                name=entry.name,
                kind=inbound.kind,
                layout=inbound.layout or "",
                **stored,
            )
        )
        evidence.record(
            transaction,
            now,
            "received" if known is None else "received again",
            bank=profile.bank,
            name=entry.name,
            received=received_pk,
            sha256=sha256,
            size_bytes=stored["size_bytes"],
        )
        if known is not None:
            reconsider(transaction, now, known, entry.name)
        if before is not None and before.sha256 != sha256:
            note_oddity(
                transaction,
                now,
                OddityKind.OTHER_CONTENT,
                profile.bank,
                entry.name,
                "other bytes than before lie under this name: both were taken, ask the bank why",
                sha256=sha256,
                before_sha256=before.sha256,
            )
    return known


def _read_signature(arrival: _Arrival) -> bytes:
    """The detached signature; empty where the profile knows none."""
    signature_name = arrival.inbound.detached_signature_name(arrival.entry.name)
    if not signature_name:
        return b""
    buffer = io.BytesIO()
    arrival.channel.get(arrival.place(signature_name), buffer, SIGNATURE_LIMIT_BYTES)
    return buffer.getvalue()


def _read_flag(arrival: _Arrival) -> Flag | None:
    """What the flag says, where the profile says what it holds; None where it is not of that form."""
    if not arrival.inbound.flag_content:
        return None
    buffer = io.BytesIO()
    try:
        arrival.channel.get(
            arrival.place(arrival.inbound.flag_name(arrival.entry.name)), buffer, FLAG_LIMIT_BYTES
        )
    except TooLarge:
        return None
    return read_flag(buffer.getvalue(), arrival.inbound.flag_content)


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
        if before is None or before.fetched != 1 or not unchanged(entry, before):
            # Other bytes under a settled name: they are not stored here yet.
            continue
        inbound = recognised[0]
        # The file itself goes last: what a crash leaves behind is known by it, and moved at the next look.
        for part in (inbound.flag_name(name), inbound.detached_signature_name(name), name):
            if part in entries:
                now = channel.stat(f"{profile.channel.inbox}/{name}")
                if now is not None and not unchanged(now, before):
                    # Replaced since it was listed: the next look fetches what lies there now.
                    break
                try:
                    channel.rename(f"{profile.channel.inbox}/{part}", f"{profile.channel.archive}/{part}")
                except (AlreadyExists, NotFound):
                    # Archived before, or taken away by the bank: either way it is stored here.
                    continue

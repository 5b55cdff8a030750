"""Watching what lies in a bank's inbox until it is complete: what a name looked like at each look.

A file is complete when its flag and its signature lie beside it, or it did not change over two looks
that are some time apart.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from channels.channel import Channel, Entry
from channels.errors import NotFound, PermissionRefused, TooLarge
from gateway.configuration.profile import Inbound, Profile
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.oddities import OddityKind, note_oddity
from gateway.ledger.received import Sighting, note_sighting, received_under_name, sighting

LOOKS_NEEDED = 2
INCOMPLETE = "not complete yet"
AGAIN = "look again"
SECOND_OVER_SECONDS = 2
"""After so long a second of the server's clock is over, whenever within it a file was changed."""
STABLE_SECONDS = 5
"""Least time between the two looks over which a file must not change."""
UNSURE = 2
"""Of a sighting: fetched so early that other bytes could still come under the same size and time."""
_NEVER_COMPLETE = timedelta(days=1)
"""After so long a file without its flag or signature is no matter of waiting any more."""


class Fetched(Struct, frozen=True):
    """One name's turn: taken, seen before, or not complete yet."""

    name: str
    what: str


def next_look(installation: Installation, now: datetime) -> datetime:
    """When a file that was seen once may be looked at again."""
    return now + timedelta(seconds=STABLE_SECONDS)


def watch(
    installation: Installation, profile: Profile, inbound: Inbound, entry: Entry, entries: dict[str, Entry]
) -> bool | str:
    """Whether a file is complete and not fetched before; `INCOMPLETE` where it may become so."""
    signature = inbound.detached_signature_name(entry.name)
    flag = inbound.flag_name(entry.name)
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        before = sighting(transaction, profile.bank, entry.name)
        same = before is not None and is_as_seen(entry, before, now)
        if before is None or not same:
            before = seen_as(entry, now, 1, 0)
            note_sighting(transaction, profile.bank, before)
        elif before.fetched:
            beside = (entries.get(signature), entries.get(flag))
            if not any(_changed_since(transaction, profile, part) for part in beside):
                return AGAIN if _may_be_another(before, now) else False
            # The same bytes may be signed rightly now: they are taken once more.
            before = seen_as(entry, now, 1, 0)
            note_sighting(transaction, profile.bank, before)
        elif is_stable(before, now):
            before = seen_as(entry, datetime.fromisoformat(before.first_seen_at), before.looks + 1, 0)
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


def is_other(installation: Installation, profile: Profile, channel: Channel, entry: Entry) -> bool:
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


def seen_as(entry: Entry, first_seen_at: datetime, looks: int, fetched: int) -> Sighting:
    return Sighting(
        name=entry.name,
        size_bytes=entry.size_bytes,
        modified=entry.modified,
        first_seen_at=first_seen_at.isoformat(),
        looks=looks,
        fetched=fetched,
    )


def unchanged(entry: Entry, seen: Sighting) -> bool:
    return (entry.size_bytes, entry.modified) == (seen.size_bytes, seen.modified)


def is_as_seen(entry: Entry, seen: Sighting, now: datetime) -> bool:
    """Whether it is what was fetched, or has been watched without a change.

    A look that lies in the future was taken before the clock was set back: watching begins anew,
    else the file would wait until that time has come.
    """
    watched = seen.fetched or datetime.fromisoformat(seen.first_seen_at) <= now
    return bool(watched) and unchanged(entry, seen)


def is_stable(before: Sighting, now: datetime) -> bool:
    """Whether long enough has passed since the first look at it."""
    return now - datetime.fromisoformat(before.first_seen_at) >= timedelta(seconds=STABLE_SECONDS)


def is_second_over(since: str, now: datetime) -> bool:
    return now - datetime.fromisoformat(since) >= timedelta(seconds=SECOND_OVER_SECONDS)


def _changed_since(transaction: Transaction, profile: Profile, part: Entry | None) -> bool:
    """Whether another signature, or flag that did not fit, lies there than the one that was fetched."""
    if part is None:
        return False
    fetched = sighting(transaction, profile.bank, part.name)
    return fetched is not None and not unchanged(part, fetched)


def _may_be_another(before: Sighting, now: datetime) -> bool:
    """Whether it was fetched within the second of its last change, and that second is over by now."""
    return before.fetched == UNSURE and is_second_over(before.first_seen_at, now)


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

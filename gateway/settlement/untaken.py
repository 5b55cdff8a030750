"""What lies in a bank's inbox and is not taken: each is an item for a person, told once."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from channels.channel import Channel, Entry
from channels.errors import ChannelError
from gateway.configuration.profile import Profile
from gateway.installation import Installation
from gateway.ledger.oddities import OddityKind, note_oddity
from gateway.ledger.received import forget_sighting, note_sighting, sighting, unfetched_sightings
from gateway.persons.exhibits import keep
from gateway.settlement.watching import INCOMPLETE, LOOKS_NEEDED, Fetched, is_as_seen, is_stable, seen_as
from gateway.wording import Wording


def note_strange(
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
        changed = before is None or not is_as_seen(entry, before, now)
        if changed:
            note_sighting(transaction, profile.bank, seen_as(shown, now, 1, 0))
    if before is None or changed:
        yield Fetched(shown.name, INCOMPLETE)
        return
    if before.fetched or not is_stable(before, now):
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
        note_sighting(transaction, profile.bank, seen_as(shown, now, LOOKS_NEEDED, 1))
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


def note_unreadable(installation: Installation, profile: Profile, entry: Entry, why: str) -> str:
    """One file that cannot be fetched stops no other; it is not tried again before it changes."""
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        note_sighting(transaction, profile.bank, seen_as(entry, now, LOOKS_NEEDED, 1))
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


def note_flag(installation: Installation, profile: Profile, entry: Entry, flag: Entry, differs: str) -> str:
    """A file that its own flag contradicts is not taken before one of the two changes; a person is told."""
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        for part in (entry, flag):
            note_sighting(transaction, profile.bank, seen_as(part, now, LOOKS_NEEDED, 1))
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


def tell_of_gone(installation: Installation, profile: Profile, entries: dict[str, Entry]) -> None:
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

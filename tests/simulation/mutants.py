"""Plausible bugs, each put into the running code: the laboratory must find every one of them.

A bug is a function that patches the product through pytest's `monkeypatch`. What the laboratory
does not find it cannot promise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

import pytest
from msgspec.structs import replace

from channels.channel import Channel
from formats import Reason, Status
from gateway import collect, settle, spool, transmit
from gateway.installation import Installation
from gateway.judge import Verdicts
from gateway.ledger import Transaction
from gateway.ledger_files import FileRow, move_file
from gateway.ledger_received import note_sighting
from gateway.profile import Profile
from gateway.states import FileState

Bug = Callable[[pytest.MonkeyPatch], None]


def sent_before_release(patch: pytest.MonkeyPatch) -> None:
    """A file counts as sent as soon as its release begins: a crash or a lost line changes nothing."""

    def sent(installation: Installation, transaction: Transaction, file: FileRow, _why: str) -> None:
        now = installation.clock.now().isoformat()
        move_file(transaction, file.file_pk, FileState.RELEASING, FileState.SENT, sent_at=now)

    patch.setattr(transmit, "_make_uncertain", sent)


def rename_before_sync(patch: pytest.MonkeyPatch) -> None:
    """Spool files get their names before their bytes are on the disk."""

    class Hasty:
        def __init__(self, disk: Any) -> None:
            self._disk = disk

        def __getattr__(self, name: str) -> Any:
            return getattr(self._disk, name)

        def sync(self, file: BinaryIO) -> None:
            file.flush()

    begin = spool.Spool.__init__

    def hastily(self: spool.Spool, disk: Any, *rest: Any) -> None:
        begin(self, Hasty(disk), *rest)

    patch.setattr(spool.Spool, "__init__", hastily)


def retry_of_uncertain(patch: pytest.MonkeyPatch) -> None:
    """A file whose release was interrupted is sent once more."""

    def again(_installation: Installation, transaction: Transaction, file: FileRow, _why: str) -> None:
        transaction.run(
            "UPDATE file SET state = 'sealed' WHERE file_pk = :pk AND state = 'releasing'", pk=file.file_pk
        )

    patch.setattr(transmit, "_make_uncertain", again)
    patch.setattr(transmit, "_taken_name", lambda *_arguments: None)


def identity_by_name(patch: pytest.MonkeyPatch) -> None:
    """A name that was fetched is never looked at again, whatever lies under it."""
    is_as_seen = collect._is_as_seen

    def by_name(entry: Any, seen: Any, *rest: Any) -> bool:
        return bool(seen.fetched) or is_as_seen(entry, seen, *rest)

    patch.setattr(collect, "_is_as_seen", by_name)


def lost_cursor(patch: pytest.MonkeyPatch) -> None:
    """A file counts as fetched before its bytes are here."""
    fetch = collect._fetch

    def mark_first(
        installation: Installation, profile: Profile, channel: Channel, inbound: Any, entries: Any, *rest: Any
    ) -> str:
        entry = entries[rest[0]]
        with installation.ledger.write() as transaction:
            seen = collect._seen(entry, installation.clock.now(), collect.LOOKS_NEEDED, 1)
            note_sighting(transaction, profile.bank, seen)
        return fetch(installation, profile, channel, inbound, entries, *rest)

    patch.setattr(collect, "_fetch", mark_first)


def resealed_file(patch: pytest.MonkeyPatch) -> None:
    """A file that goes up a second time is planned and sealed anew under its old name."""
    upload = transmit._upload

    def seal_again(installation: Installation, profile: Profile, channel: Channel, file: FileRow) -> Any:
        if file.tries > 0:
            _seal_again(installation, profile, file)
        return upload(installation, profile, channel, file)

    patch.setattr(transmit, "_upload", seal_again)


def _seal_again(installation: Installation, profile: Profile, file: FileRow) -> None:
    for part in transmit._parts(installation, file):
        with installation.spool.open(part.spool_name) as stream:
            content = stream.read()
        with installation.spool.create(part.spool_name) as sink:
            # Another file of the same size: signatures and nonces are random.
            sink.write(content[:-1] + bytes([content[-1] ^ 1]) if content else content)


def duplicate_is_failed(patch: pytest.MonkeyPatch) -> None:
    """A code that says "we have that already", or that no table lists, is read as "not paid"."""
    judged = settle.judge

    def failed(*arguments: Any) -> Verdicts:
        verdicts = judged(*arguments)
        doubtful = [reason in (Reason.DUPLICATE, Reason.UNMAPPED) for reason in verdicts.reasons]
        return replace(
            verdicts,
            statuses=_where(doubtful, Status.FAILED, verdicts.statuses),
            reasons=_where(doubtful, Reason.ACCOUNT_CLOSED, verdicts.reasons),
        )

    patch.setattr(settle, "judge", failed)


def _where(chosen: list[bool], value: Any, otherwise: list[Any]) -> list[Any]:
    return [value if one else other for one, other in zip(chosen, otherwise, strict=True)]


def padding_is_success(patch: pytest.MonkeyPatch) -> None:
    """A code that is not success is lost in the padding, and blank means paid."""
    judged = settle.judge

    def credited(columns: Any, expected: Any, foreign: Any) -> Verdicts:
        verdicts = judged(columns, expected, foreign)
        failed = [status is Status.FAILED for status in verdicts.statuses]
        amounts = [
            amount if lost else credited_minor
            for lost, amount, credited_minor in zip(
                failed, expected.amounts, verdicts.credited_minor, strict=True
            )
        ]
        return replace(
            verdicts,
            statuses=_where(failed, Status.CREDITED, verdicts.statuses),
            reasons=_where(failed, Reason.NONE, verdicts.reasons),
            credited_minor=amounts,
        )

    patch.setattr(settle, "judge", credited)


BUGS: dict[str, Bug] = {
    bug.__name__: bug
    for bug in (
        sent_before_release,
        rename_before_sync,
        retry_of_uncertain,
        identity_by_name,
        lost_cursor,
        resealed_file,
        duplicate_is_failed,
        padding_is_success,
    )
}

"""Ten plausible bugs, each put into the running code: the laboratory must find every one of them.

A bug is a function that patches the product through pytest's `monkeypatch`. What the laboratory
does not find it cannot promise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

import pytest
from msgspec.structs import replace

from channels.channel import Channel
from formats import AcknowledgementVerdict, Reason, Status
from gateway import evidence
from gateway.configuration.profile import Profile
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, move_file
from gateway.ledger.parts import PartRow
from gateway.ledger.received import note_sighting
from gateway.sending import dispatch, give_back, transmit
from gateway.settlement import collect, settle, watching
from gateway.settlement.judge import Verdicts
from gateway.states import FILE_MOVES, FileState
from gateway.store import behind, restore, spool
from gateway.store.sealing import SpoolBlob, seal_file

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
    """A file whose release was interrupted is sent once more, and the tables of states permit it."""

    def again(installation: Installation, transaction: Transaction, file: FileRow, why: str) -> None:
        move_file(transaction, file.file_pk, FileState.RELEASING, FileState.SEALED)
        now = installation.clock.now()
        evidence.record(transaction, now, "file not uploaded", bank=file.bank, file=file.name, why=why)

    permitted = (*FILE_MOVES[FileState.RELEASING], FileState.SEALED)
    patch.setitem(FILE_MOVES, FileState.RELEASING, permitted)
    patch.setattr(transmit, "_make_uncertain", again)
    patch.setattr(transmit, "_taken_name", lambda *_arguments: None)


def identity_by_name(patch: pytest.MonkeyPatch) -> None:
    """A name that was fetched is never looked at again, whatever lies under it."""
    is_as_seen = watching.is_as_seen

    def by_name(entry: Any, seen: Any, *rest: Any) -> bool:
        return bool(seen.fetched) or is_as_seen(entry, seen, *rest)

    patch.setattr(watching, "is_as_seen", by_name)


def lost_cursor(patch: pytest.MonkeyPatch) -> None:
    """A file counts as fetched before its bytes are here."""
    fetch = collect._fetch

    def mark_first(arrival: collect._Arrival) -> str:
        now = arrival.installation.clock.now()
        with arrival.installation.ledger.write() as transaction:
            seen = watching.seen_as(arrival.entry, now, watching.LOOKS_NEEDED, 1)
            note_sighting(transaction, arrival.profile.bank, seen)
        return fetch(arrival)

    patch.setattr(collect, "_fetch", mark_first)


def resealed_file(patch: pytest.MonkeyPatch) -> None:
    """A file that goes up a second time is signed a second time."""
    upload = transmit._upload

    def seal_again(installation: Installation, profile: Profile, channel: Channel, file: FileRow) -> Any:
        parts = {part.part: part for part in transmit._parts(installation, file)}
        if file.tries > 0 and "signature" in parts:
            _seal_again(installation, profile, file, parts["data"], parts["signature"])
        return upload(installation, profile, channel, file)

    patch.setattr(transmit, "_upload", seal_again)


def _seal_again(
    installation: Installation, profile: Profile, file: FileRow, data: PartRow, signature: PartRow
) -> None:
    source = SpoolBlob(installation.spool, data.spool_name, data.size_bytes, data.sha256)
    sealed = seal_file(installation, profile, source, data.spool_name.rpartition("/")[0] + "/")
    with installation.spool.create(signature.spool_name) as sink:
        sink.write(sealed.signature)
    with installation.ledger.write() as transaction:
        transaction.run(
            "UPDATE file_part SET sha256 = :sha256, size_bytes = :size"
            " WHERE file_pk = :file AND rank = :rank",
            sha256=sink.sha256,
            size=sink.size_bytes,
            file=file.file_pk,
            rank=signature.rank,
        )


def duplicate_is_failed(patch: pytest.MonkeyPatch) -> None:
    """A file or a payment that the bank "has already" was not paid."""
    judged, moved = settle.judge, settle.move_by_verdict

    def failed(*arguments: Any) -> Verdicts:
        verdicts = judged(*arguments)
        duplicates = [reason is Reason.DUPLICATE for reason in verdicts.reasons]
        return replace(
            verdicts,
            statuses=_where(duplicates, Status.FAILED, verdicts.statuses),
            reasons=_where(duplicates, Reason.ACCOUNT_CLOSED, verdicts.reasons),
        )

    def rejected(transaction: Transaction, file: FileRow, verdict: Any, *rest: Any) -> Any:
        duplicate = verdict is AcknowledgementVerdict.DUPLICATE
        return moved(transaction, file, AcknowledgementVerdict.REJECTED if duplicate else verdict, *rest)

    patch.setattr(settle, "judge", failed)
    patch.setattr(settle, "move_by_verdict", rejected)


def _where(chosen: list[bool], value: Any, otherwise: list[Any]) -> list[Any]:
    return [value if one else other for one, other in zip(chosen, otherwise, strict=True)]


def reissue_without_a_look_back(patch: pytest.MonkeyPatch) -> None:
    """A successor leaves without a look at what became of its predecessor."""
    for module in (transmit, give_back):
        patch.setattr(module, "payments_to_stop", lambda *_arguments: [])


def padding_is_success(patch: pytest.MonkeyPatch) -> None:
    """A field full of padding is read as the code of success, and nothing else has to prove it."""
    judged = settle.judge

    def credited(columns: Any, expected: Any, foreign: Any) -> Verdicts:
        verdicts = judged(columns, expected, foreign)
        blank = [code == "" for code in columns.codes]
        paired = zip(blank, expected.amounts, verdicts.credited_minor, strict=True)
        return replace(
            verdicts,
            statuses=_where(blank, Status.CREDITED, verdicts.statuses),
            reasons=_where(blank, Reason.NONE, verdicts.reasons),
            credited_minor=[whole if lost else amount for lost, whole, amount in paired],
        )

    patch.setattr(settle, "judge", credited)
    patch.setattr(settle._Settlement, "_check_blanks", lambda *_arguments: None)


def sequence_used_again(patch: pytest.MonkeyPatch) -> None:
    """After the ledger went back to a backup, numbers go on where the backup ends."""
    for module in (behind, restore):
        patch.setattr(module, "raise_sequence", lambda *_arguments: None)
    patch.setattr(dispatch, "_check_spool_is_not_ahead", lambda *_arguments: None)


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
        reissue_without_a_look_back,
        padding_is_success,
        sequence_used_again,
    )
}

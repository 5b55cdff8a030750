"""A bank that does not answer in time is told to a person: silence is no outcome."""

from __future__ import annotations

from datetime import datetime

from gateway.configuration.agreement import Agreement
from gateway.configuration.profile import Profile
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, unanswered_files
from gateway.ledger.lanes import lane_by_key
from gateway.ledger.oddities import OddityKind, note_oddity, was_told
from gateway.local_time import local


def tell_of_silence(installation: Installation, profile: Profile) -> None:
    """Note each file that was not answered for all its payments within the agreement's deadline, once."""
    now = installation.clock.now()
    with installation.ledger.read() as transaction:
        late = [
            (file, due)
            for file in unanswered_files(transaction, profile.bank)
            if file.sent_at is not None
            and (due := _due(installation, transaction, profile, file)) is not None
            and due < now
            and not was_told(transaction, profile.bank, file.name, OddityKind.NO_ANSWER)
        ]
    if not late:
        return
    with installation.ledger.write() as transaction:
        for file, due in late:
            note_oddity(
                transaction,
                now,
                OddityKind.NO_ANSWER,
                profile.bank,
                file.name,
                f"not answered for all its payments by {local(due)}: ask the bank",
                sent_at=file.sent_at,
                state=file.state,
            )


def _due(
    installation: Installation, transaction: Transaction, profile: Profile, file: FileRow
) -> datetime | None:
    """When the bank should have answered; None where the agreement is not configured any more."""
    assert file.sent_at is not None
    lane = lane_by_key(transaction, file.lane_pk)
    agreements: list[Agreement] = installation.configuration.agreements.get((lane.department, lane.bank), [])
    for agreement in agreements:
        if agreement.number == file.agreement:
            return agreement.feedback_due(
                datetime.fromisoformat(file.sent_at), profile.time_zone, installation.configuration.calendar
            )
    return None

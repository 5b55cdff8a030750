"""A ledger that does not know what left since: nothing leaves until persons have reconciled.

It was restored from a backup, or its anchor knows more than it. Every bank is held with the
cause `behind`; a file that may have left meanwhile counts as one that may have arrived; and
no number that may have been used meanwhile is given again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.anchor import raise_sequence, sequences
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, doubt_what_files_give_back, files_in, move_file, set_attention
from gateway.ledger.holds import BEHIND, hold_bank
from gateway.ledger.parts import parts_of
from gateway.sending.give_back import give_back
from gateway.sending.make import folder_of
from gateway.states import FileState

SEQUENCE_MARGIN = 1000
"""Numbers that are left out after the highest one that is known: more files than leave in one run."""

_MESSAGE_ID_SEQUENCE = 9_999_999_999
"""Ten digits: the room in a message id, and in the folders of the spool."""


def spool_ahead(installation: Installation, bank: str, sequence: int) -> str:
    """What says that the ledger, for which `sequence` comes next, is older than the spool; "" for nothing."""
    if not installation.spool.exists(folder_of(bank, sequence)):
        return ""
    return (
        f"the spool has file {sequence} of bank {bank}, which the ledger does not know:"
        " the ledger is older than the spool"
    )


def hold_every_bank(
    installation: Installation, transaction: Transaction, message: str, now: datetime
) -> list[str]:
    """Nothing leaves for any bank, whether it has a profile now or had one; their names.

    What the files of this ledger give back later, after a bank was reconciled too, is held: see `give_back`.
    """
    known = {*installation.configuration.profiles, *sequences(transaction)}
    doubt_what_files_give_back(transaction)
    for bank in sorted(known):
        hold_bank(transaction, bank, BEHIND, message, now)
    return sorted(known)


def doubt_files(transaction: Transaction, why: str, now: datetime) -> list[FileRow]:
    """Files that had not left, as far as this ledger knows, and may have: `uncertain`; they are returned.

    What was only planned has no bytes here that could be compared with: it is voided, and
    its payments wait like those of files that this ledger does not know at all.
    """
    for file in files_in(transaction, None, FileState.PLANNED):
        move_file(transaction, file.file_pk, FileState.PLANNED, FileState.VOIDED)
        give_back(transaction, file.file_pk, file.lane_pk, now)
        evidence.record(transaction, now, "file voided", bank=file.bank, file=file.name, why=why)
    doubtful = files_in(transaction, None, FileState.SEALED, FileState.UPLOADING, FileState.RELEASING)
    for file in doubtful:
        _doubt(transaction, file, why, now)
    return doubtful


def _doubt(transaction: Transaction, file: FileRow, why: str, now: datetime) -> None:
    path = [FileState.SEALED, FileState.UPLOADING, FileState.RELEASING, FileState.UNCERTAIN]
    steps = path[path.index(file.state) :]
    for before, after in pairwise(steps):
        # Any part may have become visible: none is completed beside the others without a look.
        last = len(parts_of(transaction, file.file_pk))
        move_file(transaction, file.file_pk, before, after, releasing_rank=last)
        if after is FileState.RELEASING:
            evidence.record(transaction, now, "file releasing", bank=file.bank, file=file.name, why=why)
    set_attention(transaction, file.file_pk, None)
    evidence.record(transaction, now, "file uncertain", bank=file.bank, file=file.name, why=why)


def used_numbers(installation: Installation, transaction: Transaction) -> dict[str, int]:
    """Each bank's highest sequence as far as this ledger knows; 0 for a bank that had none."""
    return dict.fromkeys(sorted(installation.configuration.profiles), 0) | sequences(transaction)


def numbers_left(installation: Installation, bank: str, used: int) -> int:
    """How many sequences above `used` the bank's names of files, references and layouts have room for."""
    profile = installation.configuration.profiles.get(bank)
    if profile is None:
        return _MESSAGE_ID_SEQUENCE - used
    layouts = [profile.layouts.request, *profile.layouts.result]
    if profile.layouts.acknowledgement is not None:
        layouts.append(profile.layouts.acknowledgement)
    rooms = [installation.codecs.get(name).highest_sequence for name in layouts]
    in_names = profile.highest_sequence
    highest = min([_MESSAGE_ID_SEQUENCE, *rooms, *([] if in_names is None else [in_names])])
    return max(0, highest - used)


def leave_out_numbers(
    installation: Installation, transaction: Transaction, known: Mapping[str, int]
) -> dict[str, int]:
    """Raise every bank's sequence above what somebody else knows; what each is then.

    `known` are the highest numbers of the last head. The margin is `SEQUENCE_MARGIN`, or half
    of what there is room for.
    """
    raised = {}
    for bank, number in used_numbers(installation, transaction).items():
        told = known.get(bank, 0)
        margin = min(SEQUENCE_MARGIN, numbers_left(installation, bank, told) // 2)
        raised[bank] = max(number, told + margin)
        raise_sequence(transaction, bank, raised[bank])
    return raised

"""When a file that the bank has is done with: every payment of it has a final word."""

from __future__ import annotations

from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, move_file
from gateway.states import FileState


def settle_if_complete(transaction: Transaction, file: FileRow, open_items: int) -> None:
    """Move the file to `settled` where none of its payments is open or unknown any more."""
    if open_items == 0 and file.state is not FileState.SETTLED:
        move_file(transaction, file.file_pk, file.state, FileState.SETTLED, attention=None)
    elif file.state is FileState.UNCERTAIN:
        # A word about its payments proves that the bank has it.
        move_file(transaction, file.file_pk, file.state, FileState.SENT, attention=None)

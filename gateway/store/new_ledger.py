"""The empty ledger with which an installation begins, and what says that a ledger was lost."""

from __future__ import annotations

from gateway.configuration.config import Configuration
from gateway.errors import NotPermitted
from gateway.ledger.database import Ledger


def begin_ledger(configuration: Configuration) -> bool:
    """Make an empty ledger; False where there is one. Raises `NotPermitted`, `Locked`, `StorageFailed`.

    A spool that has files belongs to a ledger: with an empty one in its place numbers and names
    would come again, and what was paid would be taken as new.
    """
    ledger, spool = configuration.ledger, configuration.spool
    if ledger.exists():
        return False
    if spool.exists() and any(path.is_file() for path in spool.rglob("*")):
        raise NotPermitted(
            f"there is no ledger at {ledger}, but {spool} has files: it was lost",
            hint="put a backup back: bankgate restore FOLDER",
        )
    Ledger(ledger).close()
    return True

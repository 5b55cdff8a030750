"""What a ledger is called, so that a signature given for another one does not count here.

The identity is drawn once, when the ledger is made (or brought to the schema that has one), and goes
into every backup: what was restored is the same installation.
"""

from __future__ import annotations

from datetime import datetime

from gateway import evidence
from gateway.ledger.database import Transaction

NAMED = "ledger named"
"""Kind of the event that tells the identity."""


def identity_of(transaction: Transaction) -> str:
    """32 lower-case hex digits."""
    row = transaction.one("SELECT identity FROM ledger_identity WHERE one = 1")
    assert row is not None, "every schema from 0016 on has one"
    return str(row.identity)


def tell_identity(transaction: Transaction, at: datetime) -> None:
    """Let the journal say it, once: what is signed from then on must name it."""
    told = transaction.run("UPDATE ledger_identity SET told = 1 WHERE one = 1 AND told = 0")
    if told:
        evidence.record(transaction, at, NAMED, identity=identity_of(transaction))

"""What persons decide about decisions that were begun: whoever does not agree ends them."""

from __future__ import annotations

from typing import Any

from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ways.way import Carried, Decision, Ways


def _drop(_installation: Installation, _transaction: Transaction, _target: Any, _carried: Carried) -> None:
    """Nothing changes: each decision that is carried out ends what was signed about its object before."""


BEGUN_WAYS: Ways = {"drop": Decision(1, "the signatures given so far count no more", _drop)}
"""Where somebody has signed what wants another signature still."""
TABLES: tuple[Ways, ...] = (BEGUN_WAYS,)

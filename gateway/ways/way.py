"""What a way out is: a decision's meaning, what it needs, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.persons.decisions import Terms
from gateway.texts import Said


class Carried(Struct, frozen=True, kw_only=True):
    """A decision that has all its signatures and is being carried out.

    `subject` names the object as the persons saw it, `exhibit` is the SHA-256 of what they
    rest it on, "" for none.
    """

    decision: str
    subject: str
    persons: list[str]
    exhibit: str
    at: datetime
    terms: Terms = Terms()


Act = Callable[[Installation, Transaction, Any, Carried], None]
"""Carries a decision out on the object, in the transaction that records the last signature."""


class Decision(Struct, frozen=True):
    """One way out of a state. Without its exhibit a decision that `needs_exhibit` is not taken.

    One that `needs_amount` says how much, from 1 to `most_minor` minor units; one with `grounds` says
    which of them. One with `exhibits` rests on one of those. One that `takes_reason` may say why in the
    person's own words, one that `needs_reason` must. An `obstacle` says why it cannot be taken yet;
    `open_points` what is not settled while it is taken, which the person is told.
    """

    persons_needed: int
    meaning: str
    act: Act
    needs_exhibit: bool = False
    needs_amount: bool = False
    most_minor: int = 0
    grounds: tuple[str, ...] = ()
    exhibits: tuple[str, ...] = ()
    takes_reason: bool = False
    needs_reason: bool = False
    open_points: tuple[Said, ...] = ()
    obstacle: str = ""


Ways = dict[str, Decision]

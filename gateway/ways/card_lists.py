"""What a person decides about a card list: that it counts, or that it does not.

One person is enough: nothing is paid by a list. What is paid by a corrected account, from a list or not,
waits for its platform's signature or for two persons.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.card_lists import (
    CardListRow,
    CardListState,
    card_list_in_force,
    end_card_list,
    take_card_list,
)
from gateway.ledger.database import Transaction
from gateway.ways.way import Carried, Decision, Ways


class BroughtList(Struct, frozen=True):
    """A list, and the one of its platform that counts now."""

    row: CardListRow
    current: CardListRow | None

    @property
    def is_newest(self) -> bool:
        """Whether nothing of a later day counts."""
        return self.current is None or self.current.drawn_on <= self.row.drawn_on


def brought_list(transaction: Transaction, row: CardListRow) -> BroughtList:
    return BroughtList(row, card_list_in_force(transaction, row.source_platform))


def card_list_ways(about: BroughtList) -> Ways:
    """A list that was brought is taken or dropped, one that counts is dropped; what ended stays ended."""
    if about.row.state == CardListState.ENDED:
        return {}
    if about.row.state == CardListState.IN_FORCE or not about.is_newest:
        return _DROPPED
    return _WAYS


def _take(
    _installation: Installation, transaction: Transaction, about: BroughtList, carried: Carried
) -> None:
    replaced = about.current
    if replaced is not None:
        end_card_list(transaction, replaced.list_pk, carried.at)
    take_card_list(transaction, about.row.list_pk, ", ".join(carried.persons), carried.at)
    _tell(
        transaction,
        about,
        carried,
        "card list taken",
        replaces=None if replaced is None else replaced.list_pk,
    )


def _drop(
    _installation: Installation, transaction: Transaction, about: BroughtList, carried: Carried
) -> None:
    end_card_list(transaction, about.row.list_pk, carried.at)
    _tell(transaction, about, carried, "card list dropped")


def _tell(transaction: Transaction, about: BroughtList, carried: Carried, kind: str, /, **body: Any) -> None:
    evidence.record(
        transaction,
        carried.at,
        kind,
        card_list=about.row.list_pk,
        platform=about.row.source_platform,
        content_sha256=about.row.content_sha256,
        object=carried.subject,
        by=carried.persons,
        **body,
    )


_DROP = Decision(1, "it does not count, or no more", _drop)
_DROPPED: Ways = {"drop-list": _DROP}
_WAYS: Ways = {
    "take-list": Decision(1, "the platform drew it, and it counts from now on", _take),
    "drop-list": _DROP,
}
TABLES: tuple[Ways, ...] = (_WAYS,)
"""Every decision about a card list."""

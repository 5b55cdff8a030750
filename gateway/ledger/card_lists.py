"""Card lists: what platforms say of the cards of passbook payees. Counts and digests; people are sealed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from gateway.ledger.database import Transaction


class CardListState(StrEnum):
    """Brought and not signed for yet; in force, one of a platform; ended, by a newer one or dropped."""

    BROUGHT = "brought"
    IN_FORCE = "in_force"
    ENDED = "ended"


class NewCardList(Struct, frozen=True, kw_only=True):
    """What is known of a list when it is brought.

    `drawn_on` is the platform's day, ISO. `row_count` rows of `person_count` persons are kept; of
    `doubted_count` of these the list contradicts itself; `left_out_count` rows were unreadable.
    """

    source_platform: str
    content_sha256: str
    stored_as: str
    spool_name: str
    drawn_on: str
    row_count: int
    person_count: int
    left_out_count: int
    doubted_count: int


class CardListRow(NewCardList, frozen=True, kw_only=True):
    """One list, as it stands."""

    list_pk: int
    state: str
    brought_at: str
    taken_at: str | None
    taken_by: str | None
    ended_at: str | None

    @property
    def object(self) -> str:
        """Under which name it is decided about."""
        return f"card-list:{self.list_pk}"


_COLUMNS = ", ".join(CardListRow.__struct_fields__)


def insert_card_list(transaction: Transaction, new: NewCardList, at: datetime) -> CardListRow:
    """As it is kept now."""
    names = NewCardList.__struct_fields__
    key = transaction.insert(
        f"INSERT INTO card_list ({', '.join(names)}, state, brought_at)"
        f" VALUES ({', '.join(f':{name}' for name in names)}, 'brought', :at)",
        at=at.isoformat(),
        **{name: getattr(new, name) for name in names},
    )
    return _rows(transaction, "list_pk = :pk", pk=key)[0]


def card_lists(transaction: Transaction) -> list[CardListRow]:
    """Every list that was ever brought, oldest first."""
    return _rows(transaction, "1")


def brought_card_lists(transaction: Transaction) -> list[CardListRow]:
    """Those that nobody has signed for."""
    return _rows(transaction, "state = 'brought'")


def card_lists_in_force(transaction: Transaction) -> list[CardListRow]:
    """One of each platform at most."""
    return _rows(transaction, "state = 'in_force'")


def card_list_in_force(transaction: Transaction, source_platform: str) -> CardListRow | None:
    found = _rows(transaction, "state = 'in_force' AND source_platform = :platform", platform=source_platform)
    return found[0] if found else None


def card_list_by_key(transaction: Transaction, list_pk: int) -> CardListRow | None:
    found = _rows(transaction, "list_pk = :pk", pk=list_pk)
    return found[0] if found else None


def find_alive(transaction: Transaction, source_platform: str, content_sha256: str) -> CardListRow | None:
    """The same list, brought before and not ended."""
    found = _rows(
        transaction,
        "state <> 'ended' AND source_platform = :platform AND content_sha256 = :sha256",
        platform=source_platform,
        sha256=content_sha256,
    )
    return found[0] if found else None


def take_card_list(transaction: Transaction, list_pk: int, persons: str, at: datetime) -> None:
    """From now on it counts. The one before must have ended."""
    _moved(
        transaction.run(
            "UPDATE card_list SET state = 'in_force', taken_at = :at, taken_by = :persons"
            " WHERE list_pk = :pk AND state = 'brought'",
            at=at.isoformat(),
            persons=persons,
            pk=list_pk,
        )
    )


def end_card_list(transaction: Transaction, list_pk: int, at: datetime) -> None:
    _moved(
        transaction.run(
            "UPDATE card_list SET state = 'ended', ended_at = :at WHERE list_pk = :pk AND state <> 'ended'",
            at=at.isoformat(),
            pk=list_pk,
        )
    )


def stored_card_lists(transaction: Transaction) -> list[CardListRow]:
    """Those whose personal data is there."""
    return _rows(transaction, "spool_name NOT IN (SELECT spool_name FROM destroyed_file)")


def _rows(transaction: Transaction, where: str, **values: object) -> list[CardListRow]:
    rows = transaction.all(f"SELECT {_COLUMNS} FROM card_list WHERE {where} ORDER BY list_pk", **values)
    return [CardListRow(**row._mapping) for row in rows]


def _moved(rows: int) -> None:
    # Both stand in the transaction that looked: another count is a mistake of this program.
    assert rows == 1

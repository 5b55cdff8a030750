"""Whose card is known, by the card lists that count: looked up by ID, with the account when it is wanted.

A list counts from the day on which it was drawn for so long as the configuration says; of a person of whom
lists say two things nothing is known. It is a hint: that the person has this card now is for whoever
verifies to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any, Self

from msgspec import Struct
from sqlalchemy import Connection

from formats import CHUNK_RECORDS
from formats.masking import HIDDEN, LONGEST_MASK, VISIBLE_ACCOUNT
from formats.names import normalize_name
from formats.records import PayeeRole
from gateway.errors import IntegrityError
from gateway.installation import Installation
from gateway.ledger.card_lists import CardListRow, CardListState, card_lists_in_force
from gateway.ledger.known_cards import Holder, HolderRow, HolderTable
from gateway.local_time import LOCAL
from keys.fingerprint import Fingerprinter

_DIGESTED = (
    *("line", "beneficiary_name", "beneficiary_id"),
    *("passbook_bank", "passbook_account", "card_bank", "card_account"),
)
_ACCOUNT = ("card_bank", "card_account", "social_card_number")
OWN_COLUMNS = ("beneficiary_name", "beneficiary_id", "payee_role", "payee_name", "payee_id")
"""What `holds_own_account` looks at, by column of a sealed row."""


class KnownCard(Struct, frozen=True, kw_only=True):
    """A person's card by a list; the account in full is asked for by itself."""

    card_list: str
    drawn_on: date
    holder: Holder

    @property
    def bank(self) -> str:
        return self.holder.bank

    @property
    def masked(self) -> str:
        """The account as people are shown it."""
        return f"{HIDDEN * LONGEST_MASK}{self.holder.ending}"


class CardAccount(Struct, frozen=True, kw_only=True):
    """The account of a known card, in full: for a payment, never for a screen."""

    bank: str
    account: str
    social_card_number: str


class KnownCards:
    """What the lists that count say, as they are now; use it in a `with` block.

    Rows are read once, in constant memory. `connection` lends one with other temporary tables.
    """

    def __init__(self, installation: Installation, connection: Connection | None = None) -> None:
        self._installation = installation
        with installation.ledger.read() as transaction:
            rows = card_lists_in_force(transaction)
        self._lists = {row.list_pk: row for row in rows if counts(installation, row)}
        self._digests = Digests(installation)
        self._fingerprinter = self._digests.present
        self.table = HolderTable(installation.ledger, connection)

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            opened.enter_context(self.table)
            for row in self._lists.values():
                add_list(self._installation, self.table, self._digests, row, row.list_pk)
            self.table.settle()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def any(self) -> bool:
        """Whether a list counts at all: else nothing is said, rather than that nobody is known."""
        return bool(self._lists)

    def of(self, person_id: str) -> KnownCard | None:
        """The card of whoever has the ID; None where none is known, or lists say two things."""
        if not self._lists:
            return None
        holder = self.table.find(self._fingerprinter.of([person_id])[0])
        if holder is None:
            return None
        row = self._lists[holder.list_pk]
        return KnownCard(card_list=row.object, drawn_on=date.fromisoformat(row.drawn_on), holder=holder)

    def account_of(self, known: KnownCard) -> CardAccount:
        """Read from the sealed list. Raises `IntegrityError` where it is not what was read before."""
        row = self._lists[known.holder.list_pk]
        with self._installation.spool.open_columns(row.spool_name) as stored:
            frame, place = divmod(known.holder.place, CHUNK_RECORDS)
            found = {name: column[place] for name, column in stored.columns(frame, _ACCOUNT).items()}
        account = CardAccount(
            bank=found["card_bank"],
            account=found["card_account"],
            social_card_number=found["social_card_number"],
        )
        if not self.is_card(known, account.bank, account.account):
            raise IntegrityError(
                f"{row.object} does not hold the rows that were read of it",
                hint="restore spool and ledger from the same backup",
            )
        return account

    def is_card(self, known: KnownCard, bank: str, account: str) -> bool:
        """Whether it is that card's account."""
        return self._fingerprinter.of_accounts([(bank, account)])[0] == known.holder.card

    def is_named(self, known: KnownCard, name: str) -> bool:
        """Whether the list calls the person so."""
        return self._fingerprinter.of_names([normalize_name(name)])[0] == known.holder.name


def holds_own_account(person: Mapping[str, str]) -> bool:
    """Whether a payment's account is the beneficiary's, by its row; that of a family or another is not.

    Nor is that of a household's head where somebody else of it is the beneficiary.
    """
    role = person.get("payee_role") or PayeeRole.SELF
    same = all(
        person.get(f"payee_{what}", "") in ("", person.get(f"beneficiary_{what}", ""))
        for what in ("name", "id")
    )
    return same and role in (PayeeRole.SELF, PayeeRole.HOUSEHOLD_HEAD)


def counts(installation: Installation, row: CardListRow) -> bool:
    """Whether a list is in force and not too old."""
    today = installation.clock.now().astimezone(LOCAL).date()
    return row.state == CardListState.IN_FORCE and today <= counts_until(installation, row)


def counts_until(installation: Installation, row: CardListRow) -> date:
    """The last day on which it counts, where nothing ends it before."""
    days = installation.configuration.card_lists.valid_days
    return date.fromisoformat(row.drawn_on) + timedelta(days=days)


class Digests:
    """The keys of fingerprints as somebody begins to ask: the present one, and those before."""

    def __init__(self, installation: Installation) -> None:
        self.present = installation.keyring.fingerprinter(installation.clock.now())
        self.older = [
            one for one in installation.keyring.fingerprinters() if one.version != self.present.version
        ]


def add_list(
    installation: Installation, table: HolderTable, digests: Digests, row: CardListRow, key: int
) -> None:
    """The rows of a stored list, under a key."""
    with installation.spool.open_columns(row.spool_name) as stored:
        place = 0
        for frame in range(stored.count):
            columns = stored.columns(frame, _DIGESTED)
            add_rows(table, digests, columns, key, place)
            place += len(columns["line"])


def add_rows(
    table: HolderTable, digests: Digests, columns: Mapping[str, list[Any]], key: int, place: int
) -> None:
    """Rows of a list as keyed digests; the first of them has this place in it."""
    present = digests.present
    persons = present.of(columns["beneficiary_id"])
    rows: list[HolderRow] = list(
        zip(
            [key] * len(persons),
            range(place, place + len(persons)),
            columns["line"],
            persons,
            present.of_names(columns["beneficiary_name"]),
            _accounts(present, columns, "passbook"),
            _accounts(present, columns, "card"),
            columns["card_bank"],
            [account[-VISIBLE_ACCOUNT:] for account in columns["card_account"]],
            strict=True,
        )
    )
    aliases = [alias for other in digests.older for alias in enumerate(other.of(columns["beneficiary_id"]))]
    table.add(rows, aliases)


def _accounts(digests: Fingerprinter, columns: Mapping[str, list[Any]], kind: str) -> list[bytes]:
    pairs = zip(columns[f"{kind}_bank"], columns[f"{kind}_account"], strict=True)
    return digests.of_accounts(pairs)

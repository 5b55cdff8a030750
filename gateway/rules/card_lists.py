"""Card lists (卡折对照清单): a platform says which card corresponds to a person's passbook.

Plan, section 四(四): card and passbook are paid side by side, then by card alone. A list is looked at
as a whole, kept sealed, and counts once a person has signed for it (`gateway.ways.card_lists`): one of
each platform, the last one taken, for so many days from the day on which it was drawn. Nothing is paid by
it: it tells departments who can be paid by card, and what an account might be corrected to.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from formats import Problem, Severity
from formats.errors import BatchError
from formats.standard import bytestream
from gateway import evidence
from gateway.errors import Conflict, InputRefused
from gateway.installation import Installation
from gateway.ledger.card_lists import (
    CardListRow,
    CardListState,
    NewCardList,
    card_list_in_force,
    card_lists,
    find_alive,
    insert_card_list,
)
from gateway.ledger.known_cards import HolderTable
from gateway.rules.card_list_file import ROW_COLUMNS, CardListFile, card_list_problem
from gateway.rules.known_cards import Digests, add_list, add_rows, counts, counts_until
from gateway.store.locks import writing_spool
from gateway.store.spool import ColumnsWriter, StoredFile

_COPY_BYTES = 1 << 20
_THIS, _BEFORE = -1, 0
"""Keys of the list that is looked at and of the one in force, while they are compared."""
_EAST = timedelta(hours=14)
"""So much further it may be tomorrow already."""
_SAYS = {
    "two_cards": ("the same person has another card in row {}", "one card a person"),
    "two_names": ("the same ID has another name in row {}", "one name a person"),
    "shared_account": ("another person of row {} has one of its accounts", "accounts of this person alone"),
    "both_kinds": ("its card is a passbook in row {}", "a card that is no passbook"),
    "repeated": ("the same person and passbook as row {}", "each once"),
}


class CardListCheck(Struct, frozen=True, kw_only=True):
    """What a list comes to.

    `rows` are kept, of `persons`; `left_out` rows are not. Of `doubted` persons it says two things:
    no card of theirs is known by it. `gone` and `moved` are persons of the platform's list in force whom it
    does not name, or to whom it gives another card. `total` counts problems beyond those listed too.
    """

    source_platform: str
    drawn_on: date
    rows: int
    persons: int
    left_out: int
    doubted: int
    gone: int
    moved: int
    problems: list[Problem]
    total: int


class BroughtCards(Struct, frozen=True, kw_only=True):
    """A list that is kept here; `object` is what a person decides about to take it.

    `brought_before`: the same bytes were brought before; `check` is of those.
    """

    object: str
    state: CardListState
    content_sha256: str
    check: CardListCheck
    brought_before: bool


class CardList(Struct, frozen=True, kw_only=True):
    """A list that was brought, as it stands. `counts_until`: the last day on which it counts."""

    object: str
    source_platform: str
    drawn_on: date
    content_sha256: str
    rows: int
    persons: int
    left_out: int
    doubted: int
    state: CardListState
    counts_until: date
    counts: bool
    brought_at: datetime
    taken_at: datetime | None
    taken_by: str
    ended_at: datetime | None


def check_card_list(installation: Installation, path: Path) -> CardListCheck:
    """Find every problem of a list; nothing is stored. Raises `InputRefused` where it would be refused."""
    return _examine(installation, path, None)


def bring_card_list(installation: Installation, path: Path) -> BroughtCards:
    """Keep a list, sealed; a person then signs for it. The same bytes of one platform are one list.

    Raises `InputRefused` with every problem, and `Conflict` where a later list of the platform counts.
    """
    spool = installation.spool
    token = installation.randomness.token()
    stored, rows_name = f"cards/{token}", f"cards/{token}-rows"
    with writing_spool(installation):
        with _opened(path) as raw, spool.create(stored) as sink:
            while block := raw.read(_COPY_BYTES):
                sink.write(block)
        writer = spool.create_columns(rows_name)
        kept = False
        try:
            # What is checked is what was digested, whatever happens to the file.
            check = _examine(installation, StoredFile(spool, stored, path.name), writer)
            writer.commit()
            new = NewCardList(
                source_platform=check.source_platform,
                content_sha256=sink.sha256,
                stored_as=stored,
                spool_name=rows_name,
                drawn_on=check.drawn_on.isoformat(),
                row_count=check.rows,
                person_count=check.persons,
                left_out_count=check.left_out,
                doubted_count=check.doubted,
            )
            # From here on the ledger may know them, whatever an interrupted commit reported.
            kept = True
            row, kept = _keep(installation, new)
        except (InputRefused, Conflict):
            kept = False
            raise
        finally:
            if not kept:
                writer.discard()
                spool.remove(rows_name)
                spool.remove(stored)
    return BroughtCards(
        object=row.object,
        state=CardListState(row.state),
        content_sha256=row.content_sha256,
        check=check,
        brought_before=not kept,
    )


def _keep(installation: Installation, new: NewCardList) -> tuple[CardListRow, bool]:
    """Into the ledger, where it is not there yet; (what is kept, whether it is new)."""
    with installation.ledger.write() as transaction:
        before = find_alive(transaction, new.source_platform, new.content_sha256)
        if before is not None:
            return before, False
        current = card_list_in_force(transaction, new.source_platform)
        if current is not None and current.drawn_on > new.drawn_on:
            raise Conflict(
                f"a list of {new.source_platform} of {current.drawn_on} counts already, this one is of"
                f" {new.drawn_on}",
                hint=f"bring a newer one; where that one is wrong: bankgate held drop-list {current.object}",
            )
        now = installation.clock.now()
        row = insert_card_list(transaction, new, now)
        evidence.record(
            transaction,
            now,
            "card list brought",
            card_list=row.list_pk,
            platform=row.source_platform,
            content_sha256=row.content_sha256,
            drawn_on=row.drawn_on,
            rows=row.row_count,
            persons=row.person_count,
            left_out=row.left_out_count,
            doubted=row.doubted_count,
        )
        return row, True


def _examine(
    installation: Installation, given: bytestream.BatchFile, writer: ColumnsWriter | None
) -> CardListCheck:
    """Read a list to its end and compare it with itself, and with what counts; rows go to the writer."""
    today = (installation.clock.now() + _EAST).date()
    file = CardListFile(given, installation.configuration, today)
    digests = Digests(installation)
    with HolderTable(installation.ledger) as table:
        rows = 0
        for block in file.blocks():
            cells = map(list, zip(*block, strict=True))
            columns = dict(zip(ROW_COLUMNS, cells, strict=True))
            add_rows(table, digests, columns, _THIS, rows)
            if writer is not None:
                writer.append(columns, len(block))
            rows += len(block)
        table.settle()
        file.problems.add(_contradictions(table))
        persons, doubted = table.counts()
        head = file.head
        with installation.ledger.read() as transaction:
            before = card_list_in_force(transaction, head.source_platform)
        if before is not None:
            add_list(installation, table, digests, before, _BEFORE)
        gone, moved = table.compared(_BEFORE, _THIS)
    return CardListCheck(
        source_platform=head.source_platform,
        drawn_on=head.drawn_on,
        rows=rows,
        persons=persons,
        left_out=file.left_out,
        doubted=doubted,
        gone=gone,
        moved=moved,
        problems=file.problems.sorted(),
        total=file.problems.total,
    )


def _contradictions(table: HolderTable) -> Iterator[Problem]:
    for kind, line, other in table.contradictions():
        said, wanted = _SAYS[kind]
        severity = Severity.WARNS if kind == "repeated" else Severity.SETS_ASIDE
        yield card_list_problem(f"row {line}: {said.format(other)}", wanted, line, severity=severity)


def _opened(path: Path) -> BinaryIO:
    try:
        return bytestream.open_file(path)
    except BatchError as error:
        raise InputRefused(error.problems, hint="nothing was stored") from error


def told_card_lists(installation: Installation) -> list[CardList]:
    """Every list that was ever brought, oldest first."""
    with installation.ledger.read() as transaction:
        rows = card_lists(transaction)
    return [
        CardList(
            object=row.object,
            source_platform=row.source_platform,
            drawn_on=date.fromisoformat(row.drawn_on),
            content_sha256=row.content_sha256,
            rows=row.row_count,
            persons=row.person_count,
            left_out=row.left_out_count,
            doubted=row.doubted_count,
            state=CardListState(row.state),
            counts_until=counts_until(installation, row),
            counts=counts(installation, row),
            brought_at=datetime.fromisoformat(row.brought_at),
            taken_at=None if row.taken_at is None else datetime.fromisoformat(row.taken_at),
            taken_by=row.taken_by or "",
            ended_at=None if row.ended_at is None else datetime.fromisoformat(row.ended_at),
        )
        for row in rows
    ]

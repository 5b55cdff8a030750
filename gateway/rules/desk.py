"""`gateway.plan`: the library's face for the rules of the plan. Nothing here changes a payment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from formats import Problem
from formats.standard import FileFormat, write_table
from gateway.errors import InputRefused, Unknown
from gateway.installation import Installation
from gateway.ledger.books import Gap
from gateway.ledger.decisions import last_decided
from gateway.ledger.intake import BatchRow
from gateway.output import output_file
from gateway.persons.exhibits import words_of
from gateway.reports.contents import batch_contents, month_contents
from gateway.reports.page import report_page
from gateway.reports.sheet import report_head, report_rows
from gateway.rules.books import (
    Aged,
    Book,
    By,
    Charge,
    Closed,
    ageing,
    books,
    charges,
    closing_of,
    differences,
)
from gateway.rules.card_lists import CardList, CardListCheck, check_card_list, told_card_lists
from gateway.rules.card_offers import CardOffer, card_offers, movable
from gateway.rules.catalogue import Catalogue, Programme
from gateway.rules.closing import OpenPoint, Standing, all_standings, open_points, standings
from gateway.rules.corrections import Correction, read_corrections
from gateway.rules.deadlines import Breach, Overdue, Spread, breaches, overdue, spreads
from gateway.rules.lists import ListedPerson, WorkList, work_list
from gateway.rules.messages import BookletEntry, Message, booklet, messages
from gateway.rules.periods import Frequency, last_day, wanted_form
from gateway.rules.publication import ListCheck, Published, check_list, head_of, public_rows
from gateway.rules.recoveries import Recovery, recoveries
from gateway.rules.reissue import Reissue, make_reissue
from gateway.rules.shares import Shares, card_shares
from gateway.rules.warnings import Warned, early_warnings

_TABLES = {".csv": FileFormat.CSV, ".xlsx": FileFormat.XLSX}


class ListedProgramme(Struct, frozen=True, kw_only=True):
    """One programme of the catalogue, as people ask for it."""

    code: str
    name: str
    also: list[str]
    field: int
    field_name: str
    departments: list[str]
    """The field's lead first."""
    payee: list[str]
    frequency: str
    due: str
    repeats: str
    classified: bool
    standard_minor: list[int]
    other_account: str


class PlanDesk:
    """What the plan's rules say about one installation."""

    def __init__(self, installation: Installation, find_batch: Callable[[str], BatchRow]) -> None:
        self._installation = installation
        self._find_batch = find_batch

    def programmes(self, field: int | None = None) -> list[ListedProgramme]:
        """The catalogue, in its order; of one field where `field` is its number. Raises `Unknown`."""
        catalogue = self._catalogue()
        if field is not None and field not in catalogue.fields:
            raise Unknown(f"the catalogue has no field {field}", hint=f"fields: {_numbers(catalogue)}")
        return [
            _listed(catalogue, programme)
            for programme in catalogue.content.programme
            if field in (None, programme.field)
        ]

    def programme(self, name: str) -> ListedProgramme:
        """A programme by name, code or other spelling. Raises `Unknown`."""
        catalogue = self._catalogue()
        found = catalogue.find(name)
        if found is None:
            raise Unknown(
                f"the catalogue has no programme {name!r}", hint="`bankgate catalogue list` shows what it has"
            )
        return _listed(catalogue, found)

    def breaches(self, bank: str | None = None) -> list[Breach]:
        """Deadlines of feedback that banks missed, oldest file first. Raises `Unknown`."""
        self._installation.require_bank(bank)
        return list(breaches(self._installation, bank))

    def overdue(self) -> list[Overdue]:
        """Payments after their programme's due date: owed still, or credited late. Raises `Unknown`."""
        return list(overdue(self._installation, self._catalogue()))

    def spreads(self) -> list[Spread]:
        """First and last day of credit by programme, period and bank; widest apart first."""
        return spreads(self._installation, self._installation.configuration.catalogue)

    def work_list(
        self, kind: WorkList | str, *, batch_id: str | None = None, bank: str | None = None
    ) -> Iterator[ListedPerson]:
        """People without a card, accounts to activate, cards that moved; masked. Raises `Unknown`."""
        self._installation.require_bank(bank)
        batch_pk = None if batch_id is None else self._find_batch(batch_id).batch_pk
        return work_list(self._installation, WorkList(kind), batch_pk, bank)

    def publish(self, batch_id: str, output: Path | str, which: Published | str = Published.INTENDED) -> int:
        """Write a batch's public list to a new file, .csv or .xlsx; how many payments. Raises `Unknown`."""
        batch, path = self._find_batch(batch_id), Path(output)
        rows = public_rows(self._installation, batch, Published(which))
        with output_file(path) as sink:
            return write_table(sink, head_of(batch), rows, table_format(path), "公示")

    def check_list(self, batch_id: str, path: Path | str) -> ListCheck:
        """A published list (CSV or a workbook) against the batch's credits, both ways.

        Raises `InputRefused` where it is no list, or another batch's.
        """
        return check_list(self._installation, self._find_batch(batch_id), Path(path))

    def reissue(
        self, corrections: Path | str | Sequence[Correction], batch_id: str, platform: str = ""
    ) -> Reissue:
        """A batch of new payments for failed ones that were verified again; `submit` takes it.

        `corrections` is a CSV file or a workbook, or the corrections themselves. What may not be paid
        again is in `refused`, each with its rule. Raises `InputRefused` for a file that is none, `Unknown`.
        """
        known = sorted(self._installation.configuration.platforms)
        if not platform and len(known) > 1:
            raise Unknown("several platforms hand payments over", hint=f"name one of {', '.join(known)}")
        platform = platform or known[0]
        self._installation.require_platform(platform)
        read: Sequence[Correction]
        problems: list[Problem] = []
        if isinstance(corrections, (str, Path)):
            read, problems = read_corrections(Path(corrections))
        else:
            read = corrections
        made = make_reissue(self._installation, read, platform, batch_id)
        return msgspec.structs.replace(made, refused=[*problems, *made.refused])

    def check_card_list(self, path: Path | str) -> CardListCheck:
        """Every problem of a card list (CSV or .xlsx); nothing is stored. Raises `InputRefused`."""
        return check_card_list(self._installation, Path(path))

    def card_lists(self) -> list[CardList]:
        """Every card list that was brought, and whether it counts; oldest first."""
        return told_card_lists(self._installation)

    def movable(self, department: str = "") -> Iterator[CardOffer]:
        """Who is still paid by passbook though the card is known, by department and programme; masked.

        Raises `Unknown`, also where no card list counts.
        """
        self._installation.require_department(department)
        return movable(self._installation, department)

    def card_offers(self, *, batch_id: str | None = None, bank: str | None = None) -> Iterator[CardOffer]:
        """Payments that did not arrive on their account, of persons whose card is known; masked.

        Raises `Unknown`, also where no card list counts.
        """
        self._installation.require_bank(bank)
        batch_pk = None if batch_id is None else self._find_batch(batch_id).batch_pk
        return card_offers(self._installation, batch_pk, bank)

    def books(self, by: By | str = By.BATCH, batch_id: str | None = None) -> list[Book]:
        """Instructed, sent, credited, failed, returned, unknown, in count and fen. Raises `Unknown`."""
        return books(self._installation, By(by), None if batch_id is None else self._find_batch(batch_id))

    def ageing(self, batch_id: str | None = None) -> list[Aged]:
        """Everything without a final state, the oldest first. Raises `Unknown`."""
        return ageing(self._installation, None if batch_id is None else self._find_batch(batch_id))

    def differences(self, batch_id: str | None = None) -> Iterator[Gap]:
        """Payments of which results and statements say different amounts. Raises `Unknown`."""
        return differences(self._installation, None if batch_id is None else self._find_batch(batch_id))

    def recoveries(self, batch_id: str | None = None, *, only_open: bool = False) -> list[Recovery]:
        """What was wrongly paid and asked back, what came back, what is outstanding. Raises `Unknown`."""
        batch = None if batch_id is None else self._find_batch(batch_id)
        return recoveries(self._installation, batch, only_open=only_open)

    def charges(self, bank: str | None = None) -> list[Charge]:
        """What banks charged, by bank, month, kind and batch. Raises `Unknown`."""
        self._installation.require_bank(bank)
        return charges(self._installation, bank)

    def closed(self, batch_id: str) -> Closed:
        """Whether a batch's reconciliation is closed by what is known now, and what was said then.

        Raises `Unknown`.
        """
        batch = self._find_batch(batch_id)
        with self._installation.ledger.read() as transaction:
            closed = closing_of(transaction, batch)
            name = f"books:{batch.source_platform}/{batch.batch_id}"
            last = last_decided(transaction, name, "close-books")
            words = "" if last is None else words_of(self._installation, transaction, last)
        return msgspec.structs.replace(closed, explanation=words)

    def open_points(self, batch_id: str) -> list[OpenPoint]:
        """What whoever closes a batch's books now closes them in spite of. Raises `Unknown`."""
        batch = self._find_batch(batch_id)
        with self._installation.ledger.read() as transaction:
            return open_points(transaction, batch)

    def standings(self, batch_id: str | None = None) -> list[Standing]:
        """What agreements' reconciliation rules want before books close: of a batch, or of all that are open.

        Raises `Unknown`.
        """
        if batch_id is None:
            return all_standings(self._installation)
        return standings(self._installation, self._find_batch(batch_id))

    def messages(self, since: int = 0) -> Iterator[Message]:
        """What the free SMS sender tells people; give the last `cursor` as `since` to go on from there."""
        return messages(self._installation, since)

    def booklet(self, batch_id: str) -> Iterator[BookletEntry]:
        """The lines that a batch adds to statement booklets. Raises `Unknown`."""
        return booklet(self._installation, self._find_batch(batch_id))

    def early_warnings(self, batch_id: str) -> list[Warned]:
        """What somebody should look at in a batch, each with its reason. Raises `Unknown`."""
        return list(early_warnings(self._installation, self._find_batch(batch_id)))

    def report(self, output: Path | str, *, batch_id: str | None = None, month: str = "") -> int:
        """Write a report of a batch, or of a month such as 2026-09, to a new file: .html or .xlsx.

        Returns how many batches it is of: 0 for a month in which none was handed over.

        Raises `Unknown`, and `InputRefused` for another ending or a month that is none.
        """
        path = Path(output)
        ending = _ending(path, (".html", ".xlsx"))
        if batch_id is not None:
            contents = batch_contents(self._installation, self._find_batch(batch_id))
        else:
            contents = month_contents(self._installation, *_month(month))
        with output_file(path) as sink:
            if ending == ".html":
                sink.write(report_page(contents).encode())
            else:
                write_table(sink, report_head(contents), report_rows(contents), FileFormat.XLSX, "报告")
        return len(contents.batches)

    def shares(self, year: int | None = None) -> Shares:
        """How much was credited by card, by year and programme, against the plan's targets."""
        return card_shares(self._installation, year)

    def _catalogue(self) -> Catalogue:
        catalogue = self._installation.configuration.catalogue
        if catalogue is None:
            raise Unknown(
                "this gateway has no catalogue",
                hint="bankgate catalogue new catalogue.toml, then [gateway] catalogue in bankgate.toml",
            )
        return catalogue


def table_format(path: Path) -> FileFormat:
    """By the file's name: CSV or XLSX. Raises `InputRefused` for another."""
    return _TABLES[_ending(path, tuple(_TABLES))]


def _ending(path: Path, wanted: tuple[str, ...]) -> str:
    ending = path.suffix.lower()
    if ending not in wanted:
        message = f"{path}: wanted a name in {', '.join(wanted)}"
        raise InputRefused([Problem(code="output-format", message=message)])
    return ending


def _month(text: str) -> tuple[int, int]:
    found = last_day(Frequency.MONTH, text)
    if found is None:
        message = f"{text!r} is no month, wanted {wanted_form(Frequency.MONTH)}"
        raise InputRefused([Problem(code="month", message=message)])
    return found.year, found.month


def _listed(catalogue: Catalogue, programme: Programme) -> ListedProgramme:
    due, standard = programme.due, programme.standard
    amounts = [] if standard is None else [*standard.amounts_minor, standard.least_minor, standard.most_minor]
    return ListedProgramme(
        code=programme.code,
        name=programme.name,
        also=programme.also,
        field=programme.field,
        field_name=catalogue.fields[programme.field].name,
        departments=list(catalogue.departments_of(programme)),
        payee=[str(kind) for kind in programme.payee],
        frequency=str(programme.frequency),
        due="" if due is None else f"day {due.day}, {due.months_after} months after",
        repeats=programme.repeats,
        classified=programme.classified,
        standard_minor=[amount for amount in amounts if amount is not None],
        other_account="" if programme.other_account is None else programme.other_account.rule,
    )


def _numbers(catalogue: Catalogue) -> str:
    return ", ".join(map(str, sorted(catalogue.fields)))

"""Public lists (公示): what is published of a batch, and whether it agrees with what was credited.

Plan, section 五(二): programme, standard and payments are published regularly, and the list and
the money that arrived are verified against one another, both ways. Published are name, programme,
standard, amount, masked ID and village; never an account or a telephone number.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from formats import Problem
from formats.errors import BatchError
from formats.masking import mask_published_id
from formats.standard import TableReader, TypedCell
from formats.standard.amounts import format_yuan, parse_yuan
from gateway.errors import InputRefused
from gateway.installation import Installation
from gateway.ledger.intake import BatchRow
from gateway.ledger.people import PlacedPayment, payments_of_batch
from gateway.ledger.publication import Compared, Comparison, PublishedRow
from gateway.problems import ProblemList
from gateway.rules.catalogue import Standard
from gateway.rules.people import Person, with_people
from gateway.rules.rule import by_rule
from gateway.wording import shown_id

_BATCH, _PLATFORM, _ID, _AMOUNT = "批次号", "来源平台", "明细编号", "金额(元)"
HEADERS = [_ID, "姓名", "身份证号", "补贴项目", "补贴期间", "补贴标准", _AMOUNT, "村(社区)"]
_WANTED = ("beneficiary_name", "beneficiary_id", "village")
_NOT_PUBLISHED = frozenset({"set_aside", "withdrawn"})
_NAMED_PER_KIND = 1000
_NAMED_PROBLEMS = 1000
_MOST_MINOR = 10**12
"""More is nobody's payment but a number out of another column; a million such can still be added up."""


class Published(StrEnum):
    """Which payments: those that will be paid, before they leave; or those that were credited."""

    INTENDED = "intended"
    CREDITED = "credited"


class ListCheck(Struct, frozen=True, kw_only=True):
    """A published list against the credits of its batch. `differences` names at most 1000 of each kind."""

    batch_id: str
    published_count: int
    published_minor: int
    credited_count: int
    credited_minor: int
    counts: dict[str, int]
    differences: list[Compared]

    @property
    def agrees(self) -> bool:
        return not self.counts


def head_of(batch: BatchRow) -> list[list[str]]:
    """The lines above a list: whose it is, then the headers."""
    return [[_BATCH, batch.batch_id], [_PLATFORM, batch.source_platform], [], HEADERS]


def public_rows(installation: Installation, batch: BatchRow, which: Published) -> Iterator[list[str]]:
    """What a list shows of each payment, in the order of the sealed rows."""
    with installation.ledger.read() as transaction:
        payments = (
            payment
            for payment in payments_of_batch(transaction, batch.batch_pk)
            if (payment.state == "credited" if which is Published.CREDITED else True)
            and payment.state not in _NOT_PUBLISHED
        )
        for payment, person in with_people(installation, payments, _WANTED):
            yield _public(installation, payment, person)


def check_list(installation: Installation, batch: BatchRow, path: Path) -> ListCheck:
    """Compare a list with the batch's credits, both ways; one amount a payment, by its id.

    Raises `InputRefused` where it is no list, or another batch's.
    """
    with Comparison(installation.ledger) as comparison:
        for block in _read(path, batch):
            comparison.add(block)
        result = comparison.result(batch.batch_pk, _NAMED_PER_KIND)
    # What stands in the place of an id may be anything: it is said again only where it names nobody.
    differences = [replace(one, payment_id=shown_id(one.payment_id)) for one in result.pop("differences")]
    return ListCheck(batch_id=batch.batch_id, differences=differences, **result)


def _public(installation: Installation, payment: PlacedPayment, person: Person) -> list[str]:
    catalogue = installation.configuration.catalogue
    programme = None if catalogue is None else catalogue.find(payment.programme)
    standard = None if programme is None else programme.standard
    return [
        payment.payment_id,
        person.get("beneficiary_name", ""),
        mask_published_id(person.get("beneficiary_id", "")),
        payment.programme if programme is None else programme.name,
        payment.period,
        "" if standard is None else _standard(standard),
        format_yuan(payment.amount_minor),
        person.get("village", ""),
    ]


def _standard(standard: Standard) -> str:
    amounts = [format_yuan(amount) for amount in standard.amounts_minor]
    if standard.least_minor is not None or standard.most_minor is not None:
        bounds = (standard.least_minor, standard.most_minor)
        amounts.append("-".join("" if bound is None else format_yuan(bound) for bound in bounds))
    return " / ".join(amounts)


def _read(path: Path, batch: BatchRow) -> Iterator[list[PublishedRow]]:
    """Blocks of a list's rows. A list is what `public_rows` makes, or another with the same headers.

    Raises `InputRefused` with all that is wrong: at once where it is no list of the batch, else at the end.
    """
    problems = ProblemList(_NAMED_PROBLEMS)
    try:
        with TableReader(path) as table:
            rows = iter(table)
            yield from _blocks(table, rows, _own_columns(table, rows, path, batch), problems)
    except BatchError as error:
        (unreadable,) = error.problems
        raise _refused([_problem(unreadable.message, source=str(path))], unreadable.hint) from error
    if problems.total:
        raise _refused(problems.kept, _more(problems))


def _own_columns(
    table: TableReader, rows: Iterator[tuple[int, list[str]]], path: Path, batch: BatchRow
) -> tuple[int, int]:
    """Where ids and amounts stand. Raises `InputRefused` where it is no list, or another batch's."""
    told: dict[str, str] = {}
    for line, cells in rows:
        if _ID in cells:
            problems = [*_other_headers(table, line, cells), *_other_batch(path, told, batch)]
            if problems:
                raise _refused(problems)
            return cells.index(_ID), cells.index(_AMOUNT)
        if len(cells) > 1 and cells[0]:
            told[cells[0]] = cells[1]
    message = f"{path}: has no headers, wanted a row with {_ID} and {_AMOUNT}"
    raise _refused([_problem(message, source=str(path))])


def _other_headers(table: TableReader, line: int, cells: list[str]) -> Iterator[Problem]:
    for name in (_ID, _AMOUNT):
        if cells.count(name) > 1:
            where = table.place(line, cells.index(name, cells.index(name) + 1), name)
            yield _problem(f"{where}: has this column twice, wanted it once", line, name, source=table.name)
    if _AMOUNT not in cells:
        told = f"{table.place(line)}: has no column {_AMOUNT}, wanted {_ID} and {_AMOUNT}"
        yield _problem(told, line, source=table.name)


def _other_batch(path: Path, told: dict[str, str], batch: BatchRow) -> Iterator[Problem]:
    found = (told.get(_PLATFORM, batch.source_platform), told.get(_BATCH, ""))
    if found != (batch.source_platform, batch.batch_id):
        named, wanted = "/".join(map(shown_id, found))[:130], f"{batch.source_platform}/{batch.batch_id}"
        message = f"{path}: is the list of batch {named}, wanted the list of batch {wanted}"
        yield _problem(message, source=str(path), found=named, wanted=wanted)


def _blocks(
    table: TableReader,
    rows: Iterator[tuple[int, list[str]]],
    columns: tuple[int, int],
    problems: ProblemList,
) -> Iterator[list[PublishedRow]]:
    at_id, at_amount = columns
    block: list[PublishedRow] = []
    for line, cells in rows:
        if not any(cells):
            continue
        cells += [""] * (max(columns) + 1 - len(cells))
        payment_id, minor = cells[at_id].removeprefix("'"), parse_yuan(cells[at_amount].replace(",", ""))
        if not payment_id or isinstance(cells[at_id], TypedCell) or minor is None or minor > _MOST_MINOR:
            problems.add(_mistakes(table, line, cells, columns))
            continue
        block.append(PublishedRow(payment_id, minor, line))
        if len(block) == io.DEFAULT_BUFFER_SIZE:
            yield block
            block = []
    yield block


def _mistakes(table: TableReader, line: int, cells: list[str], columns: tuple[int, int]) -> Iterator[Problem]:
    """What is wrong with a row, cell by cell."""
    at_id, at_amount = columns
    minor = parse_yuan(cells[at_amount].replace(",", ""))
    wrong = []
    if not cells[at_id].removeprefix("'"):
        wrong.append((at_id, _ID, "is empty", "the id of a payment"))
    elif isinstance(cells[at_id], TypedCell):
        wrong.append((at_id, _ID, "is a number, whose digits may be lost", "a cell formatted as text"))
    if minor is None or minor > _MOST_MINOR:
        wrong.append((at_amount, _AMOUNT, "is no amount", "yuan such as 1234.56"))
    for column, name, found, wanted in wrong:
        message = f"{table.place(line, column, name)}: {found}, wanted {wanted}"
        yield _problem(message, line, name, source=table.name, found=found, wanted=wanted)


def _more(problems: ProblemList) -> str:
    left = problems.total - len(problems.kept)
    return f"{left} more problems are not listed" if left else ""


def _problem(
    message: str,
    line: int | None = None,
    column: str = "",
    *,
    source: str = "",
    found: str = "",
    wanted: str = "",
) -> Problem:
    return Problem(
        code="published-list",
        message=by_rule(message, "published-list", "五(二)"),
        source=source,
        line=line,
        column=column,
        found=found,
        wanted=wanted,
    )


def _refused(problems: list[Problem], hint: str = "") -> InputRefused:
    return InputRefused(problems, hint="; ".join(filter(None, ("nothing was compared", hint))))

"""Public lists (公示): what is published of a batch, and whether it agrees with what was credited.

Plan, section 五(二): programme, standard and payments are published regularly, and the list and
the money that arrived are verified against one another, both ways. Published are name, programme,
standard, amount, masked ID and village; never an account or a telephone number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from formats import Problem
from formats.masking import mask_published_id
from formats.standard.amounts import format_yuan
from gateway.errors import InputRefused
from gateway.installation import Installation
from gateway.ledger.intake import BatchRow
from gateway.ledger.people import PlacedPayment, payments_of_batch
from gateway.ledger.publication import Compared, Comparison, PublishedRow
from gateway.rules.catalogue import Standard
from gateway.rules.people import Person, with_people
from gateway.wording import shown_id

_BATCH, _PLATFORM, _ID, _AMOUNT = "批次号", "来源平台", "明细编号", "金额(元)"
HEADERS = [_ID, "姓名", "身份证号", "补贴项目", "补贴期间", "补贴标准", _AMOUNT, "村(社区)"]
_WANTED = ("beneficiary_name", "beneficiary_id", "village")
_NOT_PUBLISHED = frozenset({"set_aside", "withdrawn"})
_NAMED_PER_KIND = 1000
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
    """Blocks of a list's rows. A list is what `public_rows` makes, or another with the same headers."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _rows(csv.reader(stream, strict=True), path, batch)
    except OSError as error:
        raise _refused(path, None, f"cannot be read: {error.strerror}", "a list in CSV") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _refused(
            path,
            None,
            "is no CSV in UTF-8",
            "a list as `bankgate publish` makes it as .csv; save others as CSV UTF-8",
        ) from error


def _rows(lines: Iterator[list[str]], path: Path, batch: BatchRow) -> Iterator[list[PublishedRow]]:
    told: dict[str, str] = {}
    headers: list[str] | None = None
    block: list[PublishedRow] = []
    for number, cells in enumerate(lines, 1):
        cells = [cell.strip() for cell in cells]
        if headers is None:
            if _ID in cells:
                headers = cells
                _require_own(path, told, batch, headers)
            elif len(cells) > 1 and cells[0]:
                told[cells[0]] = cells[1]
            continue
        if any(cells):
            block.append(_row(path, number, dict(zip(headers, cells, strict=False))))
        if len(block) == io.DEFAULT_BUFFER_SIZE:
            yield block
            block = []
    if headers is None:
        raise _refused(path, None, "has no headers", f"a row with {_ID} and {_AMOUNT}")
    yield block


def _require_own(path: Path, told: dict[str, str], batch: BatchRow, headers: list[str]) -> None:
    if _AMOUNT not in headers:
        raise _refused(path, None, f"has no column {_AMOUNT}", f"{_ID} and {_AMOUNT}")
    found = (told.get(_PLATFORM, batch.source_platform), told.get(_BATCH, ""))
    if found != (batch.source_platform, batch.batch_id):
        wanted = f"the list of batch {batch.source_platform}/{batch.batch_id}"
        raise _refused(path, None, f"is the list of batch {'/'.join(map(shown_id, found))[:130]}", wanted)


def _row(path: Path, number: int, cells: dict[str, str]) -> PublishedRow:
    amount = cells.get(_AMOUNT, "").replace(",", "")
    whole, _, cents = amount.partition(".")
    minor = None
    with suppress(ValueError):
        if amount.isascii() and whole.isdigit() and len(cents) <= 2:
            minor = int(whole) * 100 + int((cents or "0").ljust(2, "0"))
    if minor is None or minor > _MOST_MINOR or not cells.get(_ID):
        raise _refused(path, number, "an id or an amount is unreadable", "yuan such as 1234.56")
    return PublishedRow(cells[_ID].removeprefix("'"), minor, number)


def _refused(path: Path, line: int | None, found: str, wanted: str) -> InputRefused:
    place = str(path) if line is None else f"{path} row {line}"
    problem = Problem(
        code="published-list",
        message=f"{place}: {found}, wanted {wanted} (rule published-list, plan section 五(二))",
        source=str(path),
        line=line,
        found=found,
        wanted=wanted,
    )
    return InputRefused([problem], hint="nothing was compared")

"""What a department found when it verified failed payments again: one correction a payment (CSV).

Columns are those of the standard batch, in English or Chinese; an empty cell leaves the value as it
was. Wanted in each row: the payment that is paid again, who verified it, when, and on what ground.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from msgspec import Struct

from formats import Problem, Reason, Severity
from formats.standard.table import PAYMENT_BY_ATTRIBUTE
from gateway.errors import InputRefused
from gateway.wording import shown_id

CORRECTABLE = (
    *("bank", "account", "account_kind", "bank_code", "bank_name", "social_card_number"),
    *("beneficiary_name", "beneficiary_id", "payee_role", "payee_name", "payee_id", "payee_ground"),
    *("designation_reference", "custodian_name", "custodian_id", "custody_ground"),
)
"""What verification may change; never the amount, the programme or the period."""
_PAYMENT, _AMOUNT = "payment_id", "amount"
_OWN_HEADERS = {
    _PAYMENT: ("payment_id", "原明细编号", "明细编号"),
    _AMOUNT: ("amount", "金额", "金额(元)", "金额（元）"),
    "verified_by": ("verified_by", "核实人"),
    "verified_on": ("verified_on", "核实日期"),
    "ground": ("ground", "核实依据", "核实情况"),
}
_WANTED = (_PAYMENT, "verified_by", "verified_on", "ground")
_LONGEST_WORDS = 80
RULE = "reissue-verified"
SECTION = "四(五)"


class Correction(Struct, frozen=True, kw_only=True):
    """One payment to be paid again. `changes` are by attribute of `Payment`; amounts in minor units."""

    payment_id: str
    verified_by: str
    verified_on: date
    ground: str
    changes: dict[str, str] = {}
    amount_minor: int | None = None
    """What somebody believes is to be paid; refused where it is anything else than what is missing."""
    line: int | None = None


def read_corrections(path: Path) -> tuple[list[Correction], list[Problem]]:
    """The corrections of a file, and what is wrong with the other rows.

    Raises `InputRefused` where it is no such file.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.reader(stream, strict=True))
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _refused(path, "is no CSV in UTF-8 (a spreadsheet saves it as such)") from error
    if not lines:
        raise _refused(path, "is empty")
    names = [_attribute(header.strip()) for header in lines[0]]
    unknown = [
        f"{place} {shown_id(header)}"
        for place, (header, name) in enumerate(zip(lines[0], names, strict=True), 1)
        if not name
    ]
    missing = [name for name in _WANTED if name not in names]
    if unknown:
        raise _refused(path, f"has unknown columns: {', '.join(unknown)}")
    if missing:
        raise _refused(path, f"lacks {', '.join(missing)}")
    if len(set(names)) < len(names):
        raise _refused(path, "has a column twice")
    corrections, problems = [], []
    for number, cells in enumerate(lines[1:], 2):
        if any(cell.strip() for cell in cells):
            row = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
            found = list(_mistakes(row, number, len(cells) == len(names)))
            problems += found
            if not found:
                corrections.append(_correction(row, number))
    return corrections, problems


def problem(line: int | None, payment_id: str, found: str, wanted: str, rule: str = RULE) -> Problem:
    """Why one payment is not paid again; the others are. What is in the place of an id may be anything."""
    payment_id = shown_id(payment_id)
    place = "" if line is None else f"row {line} "
    return Problem(
        code=rule,
        severity=Severity.SETS_ASIDE,
        reason=Reason.REISSUE_REFUSED,
        line=line,
        found=found,
        wanted=wanted,
        message=f"{place}{payment_id[:64]}: {found}, wanted {wanted} (rule {rule}, plan section {SECTION})",
        payment_id=payment_id,
    )


def repeated(corrections: Iterable[Correction]) -> Iterator[Problem]:
    """A payment that two rows correct; neither is taken for the right one."""
    rows = list(corrections)
    times = Counter(one.payment_id for one in rows)
    for one in rows:
        if times[one.payment_id] > 1:
            yield problem(one.line, one.payment_id, "is in several rows", "one correction a payment")


def _attribute(header: str) -> str:
    for name, headers in _OWN_HEADERS.items():
        if header.lower() in headers:
            return name
    for attribute in CORRECTABLE:
        field = PAYMENT_BY_ATTRIBUTE[attribute]
        if header.lower() in (field.english.lower(), *field.chinese):
            return attribute
    return ""


def _mistakes(row: dict[str, str], number: int, is_whole: bool) -> Iterator[Problem]:
    payment_id = row.get(_PAYMENT, "")
    if not is_whole:
        yield problem(number, payment_id, "the row has too many or too few cells", "as many as headers")
        return
    for name in _WANTED:
        if not row[name] or len(row[name]) > _LONGEST_WORDS:
            yield problem(
                number, payment_id, f"{name} is empty or too long", "who verified it, when, on what ground"
            )
    if read_day(row["verified_on"]) is None:
        yield problem(number, payment_id, "verified_on is no date", "a date such as 2026-11-20")
    for name in CORRECTABLE:
        choices = PAYMENT_BY_ATTRIBUTE[name].choices
        if choices and row.get(name) and row[name] not in choices:
            yield problem(number, payment_id, f"{name} is none of its words", ", ".join(choices))
    if row.get(_AMOUNT) and _minor(row[_AMOUNT]) is None:
        yield problem(number, payment_id, "the amount is unreadable", "yuan such as 1234.56")


def _correction(row: dict[str, str], number: int) -> Correction:
    day = read_day(row["verified_on"])
    assert day is not None
    return Correction(
        payment_id=row[_PAYMENT],
        verified_by=row["verified_by"],
        verified_on=day,
        ground=row["ground"],
        changes={
            name: PAYMENT_BY_ATTRIBUTE[name].choices.get(row[name], row[name])
            for name in CORRECTABLE
            if row.get(name)
        },
        amount_minor=_minor(row[_AMOUNT]) if row.get(_AMOUNT) else None,
        line=number,
    )


def read_day(text: str) -> date | None:
    """A day as `2026-11-20`; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _minor(text: str) -> int | None:
    whole, point, cents = text.partition(".")
    if not (text.isascii() and whole.isdigit() and (cents.isdigit() or not point) and len(cents) <= 2):
        return None
    return int(whole) * 100 + int(cents.ljust(2, "0") if cents else 0)


def _refused(path: Path, found: str) -> InputRefused:
    wanted = "a CSV with payment_id, verified_by, verified_on, ground and what has changed"
    return InputRefused(
        [
            Problem(
                code=RULE,
                message=f"{path}: {found}, wanted {wanted} (plan section {SECTION})",
                source=str(path),
            )
        ],
        hint="nothing was made",
    )

"""What a department found when it verified failed payments again: one correction a payment.

A table in CSV, or the first sheet of a workbook.

Columns are those of the standard batch, in English or Chinese; an empty cell leaves the value as it
was. Wanted in each row: the payment that is paid again, who verified it, when, and on what ground.
Instead of an account a row may say how the beneficiary's card ends that a card list names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from msgspec import Struct

from formats import Problem, Reason, Severity
from formats.errors import BatchError
from formats.standard import TableReader, TypedCell
from formats.standard.amounts import parse_yuan
from formats.standard.table import PAYMENT_BY_ATTRIBUTE
from gateway.errors import InputRefused
from gateway.rules.rule import by_rule
from gateway.wording import shown_id

CORRECTABLE = (
    *("bank", "account", "account_kind", "bank_code", "bank_name", "social_card_number"),
    *("beneficiary_name", "beneficiary_id", "payee_role", "payee_name", "payee_id", "payee_ground"),
    *("designation_reference", "custodian_name", "custodian_id", "custody_ground"),
)
"""What verification may change; never the amount, the programme or the period."""
_PAYMENT, _AMOUNT, CARD_ENDING = "payment_id", "amount", "card_ending"
_OWN_HEADERS = {
    _PAYMENT: ("payment_id", "原明细编号", "明细编号"),
    _AMOUNT: ("amount", "金额", "金额(元)", "金额（元）"),
    CARD_ENDING: ("card_ending", "已知社保卡尾号"),
    "verified_by": ("verified_by", "核实人"),
    "verified_on": ("verified_on", "核实日期"),
    "ground": ("ground", "核实依据", "核实情况"),
}
_WANTED = (_PAYMENT, "verified_by", "verified_on", "ground")
_NUMBERS = (_AMOUNT, "verified_on")
"""What a sheet may have as a number or a day."""
_LONGEST_WORDS = 80
_FEWEST_DIGITS, _MOST_DIGITS = 4, 19
ENDING_WANTED = f"the last {_FEWEST_DIGITS} digits of the card, or more of them"
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
    card_ending: str = ""
    """Last digits, four or more, of the card that a card list names: it is paid there. Whoever verified
    it read them from the card."""
    line: int | None = None


def read_corrections(path: Path) -> tuple[list[Correction], list[Problem]]:
    """The corrections of a file, CSV or a workbook, and what is wrong with the other rows.

    Raises `InputRefused` where it is no such file, with all that is wrong with its headers.
    """
    corrections: list[Correction] = []
    problems: list[Problem] = []
    try:
        with TableReader(path) as table:
            rows = iter(table)
            names = _headers(table, *next(rows, (1, [])), path)
            for line, cells in rows:
                if any(cells):
                    row = _Row(table, line, names, cells)
                    found = list(_mistakes(row))
                    problems += found
                    if not found:
                        corrections.append(_correction(row))
    except BatchError as error:
        (unreadable,) = error.problems
        raise _refused(path, [unreadable.message], unreadable.hint) from error
    return corrections, problems


class _Row:
    """One row by the attributes of its headers; it knows where its cells are."""

    def __init__(self, table: TableReader, line: int, names: list[str], cells: list[str]) -> None:
        self.line = line
        # In a row that is too short, or goes on, cells may stand under other headers than they belong to.
        self.is_whole = len(cells) >= len(names) and not any(cells[len(names) :])
        self.cells = dict(zip(names, cells, strict=False))
        self._table = table
        self._names = names

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")

    def problem(self, name: str, found: str, wanted: str) -> Problem:
        """What is wrong with the cell of that attribute, or with the row where `name` is ""."""
        place = self._table.place(self.line, self._names.index(name) if name else None, name)
        return problem(self.line, self[_PAYMENT], found, wanted, place=place)


def _headers(table: TableReader, line: int, cells: list[str], path: Path) -> list[str]:
    """The attribute of each column. Raises `InputRefused` with all that are unknown, missing or twice."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    names = list(map(_attribute, cells))
    unknown = [
        f"{place} {shown_id(header)}"
        for place, (header, name) in enumerate(zip(cells, names, strict=True), 1)
        if not name
    ]
    missing = [name for name in _WANTED if name not in names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    found = [
        f"{table.place(line)}: {told}: {', '.join(listed)}"
        for told, listed in (
            ("has unknown columns", unknown),
            ("lacks", missing),
            ("has a column twice", twice),
        )
        if listed
    ]
    if found:
        raise _refused(path, found)
    return names


def problem(
    line: int | None, payment_id: str, found: str, wanted: str, rule: str = RULE, place: str = ""
) -> Problem:
    """Why one payment is not paid again; the others are. What is in the place of an id may be anything.

    `place` where it is known better than by its line.
    """
    payment_id = shown_id(payment_id)
    place = place or ("" if line is None else f"row {line}")
    return Problem(
        code=rule,
        severity=Severity.SETS_ASIDE,
        reason=Reason.REISSUE_REFUSED,
        line=line,
        found=found,
        wanted=wanted,
        message=f"{place} {payment_id[:64]}".strip() + by_rule(f": {found}, wanted {wanted}", rule, SECTION),
        payment_id=payment_id,
    )


def repeated(corrections: Iterable[Correction]) -> Iterator[Problem]:
    """A payment that two rows correct; neither is taken for the right one."""
    rows = list(corrections)
    times = Counter(one.payment_id for one in rows)
    for one in rows:
        if times[one.payment_id] > 1:
            yield problem(one.line, one.payment_id, "is in several rows", "one correction a payment")


def is_ending(text: str) -> bool:
    """Whether these are enough digits to tell a card by."""
    return text.isascii() and text.isdigit() and _FEWEST_DIGITS <= len(text) <= _MOST_DIGITS


def _attribute(header: str) -> str:
    for name, headers in _OWN_HEADERS.items():
        if header.lower() in headers:
            return name
    for attribute in CORRECTABLE:
        field = PAYMENT_BY_ATTRIBUTE[attribute]
        if header.lower() in (field.english.lower(), *field.chinese):
            return attribute
    return ""


def _mistakes(row: _Row) -> Iterator[Problem]:
    if not row.is_whole:
        yield row.problem("", "the row has too many or too few cells", "as many as headers")
        return
    for name in _WANTED:
        if not row[name] or len(row[name]) > _LONGEST_WORDS:
            found = f"{name} is empty or too long"
            yield row.problem(name, found, "who verified it, when, on what ground")
    if row["verified_on"] and read_day(row["verified_on"]) is None:
        yield row.problem("verified_on", "verified_on is no date", "a date such as 2026-11-20")
    for name, text in row.cells.items():
        if isinstance(text, TypedCell) and name not in _NUMBERS:
            found = f"{name} is a number, whose digits may be lost"
            yield row.problem(name, found, "a cell formatted as text")
    for name in CORRECTABLE:
        choices = PAYMENT_BY_ATTRIBUTE[name].choices
        if choices and row[name] and row[name] not in choices:
            yield row.problem(name, f"{name} is none of its words", ", ".join(choices))
    if row[CARD_ENDING] and not is_ending(row[CARD_ENDING]):
        yield row.problem(CARD_ENDING, f"{CARD_ENDING} is unreadable", ENDING_WANTED)
    if row[_AMOUNT] and parse_yuan(row[_AMOUNT]) is None:
        yield row.problem(_AMOUNT, "the amount is unreadable", "yuan such as 1234.56")


def _correction(row: _Row) -> Correction:
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
            if row[name]
        },
        amount_minor=parse_yuan(row[_AMOUNT]),
        card_ending=row[CARD_ENDING],
        line=row.line,
    )


def read_day(text: str) -> date | None:
    """A day as `2026-11-20`; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _refused(path: Path, found: Iterable[str], hint: str = "") -> InputRefused:
    wanted = "a table with payment_id, verified_by, verified_on, ground and what has changed"
    problems = [
        Problem(
            code=RULE,
            message=by_rule(f"{path}: {told}, wanted {wanted}", RULE, SECTION),
            source=str(path),
        )
        for told in found
    ]
    return InputRefused(problems, hint="; ".join(filter(None, ("nothing was made", hint))))

"""A card list (卡折对照清单) as CSV or a workbook: whose it is, of which day, a row for each passbook.

Above the headers stand the platform, the day on which it drew the list, and how many rows it has, so that
a list that was cut is noticed. A row that is wrong is left out and told; a list whose head is wrong is
refused. Nothing personal is said in full. Not here: whether rows contradict one another (`card_lists`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from msgspec import Struct

from formats import CHUNK_RECORDS, Problem, Severity
from formats.errors import BatchError
from formats.identity import birth_date, person_id_valid
from formats.masking import mask_account, mask_id, mask_name, mask_text
from formats.names import normalize_name
from formats.records import AccountKind
from formats.standard import TableReader, TypedCell, bytestream
from formats.standard.table import PAYMENT_BY_ATTRIBUTE
from gateway.configuration.config import Configuration
from gateway.errors import InputRefused
from gateway.problems import ProblemList
from gateway.rules.accounts import unlike
from gateway.rules.corrections import read_day
from gateway.rules.rule import by_rule
from gateway.wording import shown_id

RULE, SECTION = "card-list", "四(四)"
_PLATFORM, _DRAWN, _COUNT = "source_platform", "drawn_on", "declared_count"
_HEAD = {
    _PLATFORM: (_PLATFORM, "来源平台"),
    _DRAWN: (_DRAWN, "导出日期"),
    _COUNT: (_COUNT, "总行数"),
}
_NAME, _ID = "beneficiary_name", "beneficiary_id"
_BOOK_BANK, _BOOK, _CARD_BANK, _CARD = "passbook_bank", "passbook_account", "card_bank", "card_account"
_SOCIAL = "social_card_number"
_COLUMNS = {
    _NAME: (_NAME, *PAYMENT_BY_ATTRIBUTE[_NAME].chinese),
    _ID: (_ID, *PAYMENT_BY_ATTRIBUTE[_ID].chinese),
    _BOOK_BANK: (_BOOK_BANK, "一本通银行", "存折银行"),
    _BOOK: (_BOOK, "一本通账号", "存折账号"),
    _CARD_BANK: (_CARD_BANK, "社保卡银行"),
    _CARD: (_CARD, "社保卡银行账号"),
    _SOCIAL: (_SOCIAL, *PAYMENT_BY_ATTRIBUTE[_SOCIAL].chinese),
}
_WANTED = tuple(name for name in _COLUMNS if name != _SOCIAL)
ROW_COLUMNS = ("line", *_COLUMNS)
"""Of a row that is kept, as the sealed file has them."""

MOST_ROWS = 2_000_000
_DIGITS = re.compile(r"[0-9]{8,32}\Z")
_COUNTED = re.compile(r"[0-9]{1,9}\Z")
_LONGEST_NAME = 100


class CardListHead(Struct, frozen=True, kw_only=True):
    """Whose list it is, and of which day."""

    source_platform: str
    drawn_on: date


class CardListFile:
    """One list being read, once. `head`, `problems` and `left_out` are complete after `blocks`."""

    def __init__(self, file: bytestream.BatchFile, configuration: Configuration, today: date) -> None:
        """`today` is the latest day that it may be anywhere."""
        self.problems = ProblemList(configuration.intake.maximum_problems)
        self.left_out = 0
        self._file = file
        self._configuration = configuration
        self._today = today
        self._told: dict[str, tuple[int, str]] = {}
        self._count = 0

    @property
    def head(self) -> CardListHead:
        return CardListHead(
            source_platform=self._said(_PLATFORM), drawn_on=date.fromisoformat(self._said(_DRAWN))
        )

    def blocks(self) -> Iterator[list[tuple[object, ...]]]:
        """Rows that are in order, as `ROW_COLUMNS` names them, about a thousand at a time.

        Raises `InputRefused`, with what else was found until then, where it cannot be read to the end;
        and at the end where the head is wrong.
        """
        try:
            with TableReader(self._file) as table:
                rows = iter(table)
                yield from self._rows(table, self._read_head(table, rows), rows)
        except BatchError as error:
            (unreadable,) = error.problems
            told = card_list_problem(unreadable.message, "", None, severity=Severity.REFUSES)
            raise self._refused([told], unreadable.hint) from None
        if wrong := list(self._head_problems()):
            raise self._refused(wrong)

    def _read_head(self, table: TableReader, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
        """What stands above the headers, and the attribute of each column."""
        for line, cells in rows:
            first = cells[0].lower() if cells else ""
            name = next((name for name, keys in _HEAD.items() if first in keys), None)
            if name is not None and not any(cells[2:]):
                if name in self._told:
                    raise self._refused([self._whole(f"says {name} twice", "each once", line)])
                self._told[name] = line, cells[1] if len(cells) > 1 else ""
            elif any(cells):
                return self._headers(cells, line)
        raise self._refused([self._whole("has no headers", f"a row with {', '.join(_WANTED)}")])

    def _headers(self, cells: list[str], line: int) -> list[str]:
        while cells and not cells[-1]:
            cells = cells[:-1]
        names = list(map(_column, cells))
        missing = [name for name in _WANTED if name not in names]
        strange = [
            f"{place} {shown_id(cell)}"
            for place, (cell, name) in enumerate(zip(cells, names, strict=True), 1)
            if not name
        ]
        twice = sorted({name for name in names if name and names.count(name) > 1})
        told = {"lacks": missing, "has unknown columns": strange, "has twice": twice}
        if found := "; ".join(f"{what} {', '.join(which)}" for what, which in told.items() if which):
            raise self._refused([self._whole(found, f"the columns {', '.join(_COLUMNS)}", line)])
        return names

    def _rows(
        self, table: TableReader, names: list[str], rows: Iterator[tuple[int, list[str]]]
    ) -> Iterator[list[tuple[object, ...]]]:
        block: list[tuple[object, ...]] = []
        for line, cells in rows:
            if not any(cells):
                continue
            self._count += 1
            if self._count > MOST_ROWS:
                raise self._refused([self._whole(f"has over {MOST_ROWS} rows", "fewer", line)])
            row = _Row(table, line, names, cells)
            found = list(self._mistakes(row))
            if found:
                self.problems.add(found)
                self.left_out += 1
                continue
            block.append((line, *(row[name] for name in _COLUMNS)))
            if len(block) == CHUNK_RECORDS:
                yield block
                block = []
        if block:
            yield block

    def _mistakes(self, row: _Row) -> Iterator[Problem]:
        if not row.is_whole:
            yield row.problem("", "too many or too few cells", "as many as headers")
            return
        for column in _COLUMNS:
            if isinstance(row[column], TypedCell):
                yield row.problem(column, "a number, whose digits may be lost", "a cell formatted as text")
                return
        name, number, social = row[_NAME], row[_ID], row[_SOCIAL]
        if not name or len(name) > _LONGEST_NAME or not name.isprintable() or any(map(str.isdigit, name)):
            yield row.problem(_NAME, mask_name(name) if name else "nothing", "a person's name")
        born = birth_date(number)
        if not person_id_valid(number) or (born is not None and born > self._today):
            yield row.problem(_ID, mask_id(number) if number else "nothing", "an ID with its check digit")
        yield from self._account_mistakes(row, _BOOK_BANK, _BOOK, AccountKind.PASSBOOK)
        yield from self._account_mistakes(row, _CARD_BANK, _CARD, AccountKind.CARD)
        if row[_BOOK] == row[_CARD] and row[_BOOK_BANK] == row[_CARD_BANK]:
            yield row.problem(_CARD, "the passbook's account", "the account of the card")
        if len(social) > PAYMENT_BY_ATTRIBUTE[_SOCIAL].limit or not social.isprintable():
            yield row.problem(_SOCIAL, mask_text(social), "at most 20 characters")

    def _account_mistakes(
        self, row: _Row, bank_column: str, column: str, kind: AccountKind
    ) -> Iterator[Problem]:
        account = row[column]
        profile = self._configuration.profiles.get(row[bank_column])
        if profile is None:
            known = ", ".join(sorted(self._configuration.profiles)) or "none"
            # A cell moved into the wrong column may be a name, an ID or an account.
            yield row.problem(bank_column, mask_text(row[bank_column]), f"a bank with a profile: {known}")
        if not _DIGITS.match(account):
            yield row.problem(column, mask_account(account) if account else "nothing", "8 to 32 digits")
        elif profile is not None:
            for _, wanted in unlike(profile.accounts.rule(kind), [account], [0]):
                yield row.problem(column, mask_account(account), wanted)

    def _head_problems(self) -> Iterator[Problem]:
        platform, drawn, count = map(self._said, (_PLATFORM, _DRAWN, _COUNT))
        known = self._configuration.platforms
        if platform not in known:
            yield self._of_head(_PLATFORM, f"one of {', '.join(sorted(known)) or 'none'}")
        day = read_day(drawn)
        if day is None or day > self._today:
            yield self._of_head(_DRAWN, "the day on which the platform drew it, as 2026-11-20")
        if not _COUNTED.match(count):
            yield self._of_head(_COUNT, "how many rows it has")
        elif int(count) != self._count:
            yield self._whole(f"says {int(count)} rows and has {self._count}", "all of its rows: was it cut?")
        elif not self._count:
            yield self._whole("has no rows", "a row for each passbook")

    def _of_head(self, name: str, wanted: str) -> Problem:
        line, said = self._told.get(name, (1, ""))
        return self._whole(f"{name} is {mask_text(said)}", wanted, line)

    def _said(self, name: str) -> str:
        return self._told.get(name, (0, ""))[1]

    def _whole(self, found: str, wanted: str, line: int | None = None) -> Problem:
        place = self._file.name if line is None else f"{self._file.name} row {line}"
        return card_list_problem(f"{place}: {found}", wanted, line, severity=Severity.REFUSES)

    def _refused(self, problems: Iterable[Problem], hint: str = "") -> InputRefused:
        self.problems.add(problems)
        return InputRefused(
            self.problems.sorted(), hint="; ".join(filter(None, ("nothing was stored", hint)))
        )


class _Row:
    """One row by the names of its columns; it knows where its cells are."""

    def __init__(self, table: TableReader, line: int, names: list[str], cells: list[str]) -> None:
        # In a row that is too short, or goes on, cells may stand under other headers than they belong to.
        self.is_whole = len(cells) >= len(names) and not any(cells[len(names) :])
        self._cells = dict(zip(names, cells, strict=False))
        self._table, self._line, self._names = table, line, names

    def __getitem__(self, name: str) -> str:
        text = self._cells.get(name, "")
        if isinstance(text, TypedCell):
            return text
        return normalize_name(text) if name == _NAME else text.upper() if name == _ID else text

    def problem(self, name: str, found: str, wanted: str) -> Problem:
        """What is wrong with the cell of that column, or with the row where `name` is ""."""
        place = self._table.place(self._line, self._names.index(name) if name else None, name)
        return card_list_problem(f"{place}: found {found}", wanted, self._line, name)


def card_list_problem(
    said: str, wanted: str, line: int | None, column: str = "", severity: Severity = Severity.SETS_ASIDE
) -> Problem:
    """What is wrong with a list or a row of it; `said` must be masked. What is set aside is left out."""
    told = f"{said}, wanted {wanted}" if wanted else said
    return Problem(
        code=RULE,
        severity=severity,
        line=line,
        column=column,
        wanted=wanted,
        message=by_rule(told, RULE, SECTION),
    )


def _column(header: str) -> str:
    said = header.strip().lower()
    return next((name for name, headers in _COLUMNS.items() if said in headers), "")

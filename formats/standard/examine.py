"""From the raw columns of a source to checked chunks of payments, whatever the file format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import compress
from typing import Protocol

from msgspec import Struct, field

from formats.names import legacy_characters, normalize_names
from formats.records import Batch, Problem, RecordChunk, Severity
from formats.standard import numbers, texts
from formats.standard.amounts import format_yuan, parse_yuan_column
from formats.standard.findings import Fault, Finding, Places, masked
from formats.standard.payees import check_payees
from formats.standard.repeats import RepeatedIds
from formats.standard.table import PAYMENT_FIELDS, Kind, Presence

Columns = dict[str, list[str]]

_ORDER = {spec.attribute: place for place, spec in enumerate(PAYMENT_FIELDS)}
_CHOICES = [spec.attribute for spec in PAYMENT_FIELDS if spec.kind is Kind.CHOICE]
_NAMES = [spec.attribute for spec in PAYMENT_FIELDS if spec.kind is Kind.NAME]
_PERSONAL = (
    *("account", "beneficiary_id", "payee_id", "custodian_id"),
    *("beneficiary_name", "payee_name", "custodian_name"),
)
_SHORTEST_PERSONAL = 2
_MAY_NAME_SOMEBODY = re.compile(r"[0-9]{8}|[^\x00-\x7f]")
_INHERITED = [spec.attribute for spec in PAYMENT_FIELDS if spec.presence is Presence.ENVELOPE]
_CHECKED_WHOLE = frozenset(
    {Kind.IDENTIFIER, Kind.ACCOUNT, Kind.AMOUNT, Kind.ID_NUMBER, Kind.BANK_CODE, Kind.CHOICE}
)
"""Kinds whose own check leaves no room for a character that does not belong there."""
_TEXTS = frozenset(spec.attribute for spec in PAYMENT_FIELDS if spec.kind not in _CHECKED_WHOLE)
_NOT_INHERITED = Fault("value_missing", "a value here or in the envelope")
_LEGACY = Fault(
    "legacy_character",
    "standard characters only",
    Severity.WARNS,
    hint="the bank may not know this code point",
)


class RowBlock(Struct, kw_only=True):
    """Raw rows of a source as columns, of the fields that the source has.

    `problems` are of rows that could not even become columns; `rows` counts those too.
    `findings` are the source's own, by index. `amounts` only where the source has integers.
    """

    rows: int
    columns: Columns
    lines: list[int] | range
    problems: list[Problem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    amounts: list[int | None] | None = None


class RowSource(Protocol):
    """One kind of source: text file, sheet, objects."""

    places: Places
    problems: list[Problem]
    """Of the source as a whole; complete once `blocks` has ended."""
    whole: bool
    """Whether reading reached the end, so that count and total can be judged."""

    def blocks(self) -> Iterator[RowBlock]: ...

    def digest(self) -> str:
        """SHA-256 of all bytes, lower-case hex; reads what remains of them."""
        ...

    def close(self) -> None: ...


class BatchChunk(Struct, frozen=True):
    """Payments of about a thousand rows, and every problem of these rows by line.

    A row with a problem that REFUSES is not among the records.
    """

    records: RecordChunk
    problems: list[Problem]


class Examiner:
    """Checks block after block, and adds up what the envelope declares."""

    def __init__(self, batch: Batch, places: Places, today: date | None) -> None:
        self._batch = batch
        self._places = places
        self._today = today
        self._repeats = RepeatedIds()
        self._count = 0
        self._total_minor = 0
        self._amounts_readable = True
        self._names_somebody = False

    def examine(self, block: RowBlock) -> BatchChunk:
        """Every check on one block; fills what rows inherit."""
        self._count += block.rows
        if len(block.problems) > 0:
            self._amounts_readable = False
        if not block.lines:
            return BatchChunk(RecordChunk(record="payment", count=0, columns=_named({}, [])), block.problems)
        findings = list(block.findings)
        amounts = self._check_amounts(block, findings)
        columns = self._checked_columns(block, findings)
        self._look_into_batch_id(columns)
        problems = block.problems
        lines: list[int] | range = block.lines
        kept_amounts = amounts
        if findings:
            problems = sorted(problems + self._problems(findings, block), key=_place)
            refused = {finding.index for finding in findings if finding.fault.severity is Severity.REFUSES}
            if refused:
                keep = [index not in refused for index in range(len(lines))]
                columns = {name: list(compress(column, keep)) for name, column in columns.items()}
                lines, kept_amounts = list(compress(lines, keep)), list(compress(amounts, keep))
        self._repeats.add(columns["payment_id"], lines)
        records = RecordChunk(
            record="payment", count=len(lines), columns=_named(columns, kept_amounts), lines=lines
        )
        return BatchChunk(records, problems)

    def final_problems(self, whole: bool) -> list[Problem]:
        """Repeated ids, and count and total against the envelope where the source was whole."""
        place = self._places
        problems = [
            place.whole(
                "payment_id_repeated",
                f"{place.unit} {line} {place.label('payment_id')}: the same as in {place.unit} {earlier}",
                line=line,
            )
            for line, earlier in self._repeats.pairs()
        ]
        if self._names_somebody:
            wanted = "wanted an id without a name, ID or account number of its payments in it"
            problems.append(place.whole("batch_id_personal", f"batch_id: {wanted}"))
        if not whole:
            return problems
        if not self._count:
            problems.append(place.whole("batch_empty", "the batch has no payments"))
        declared_count, declared_total = self._batch.declared_count, self._batch.declared_total_minor
        if self._count != declared_count:
            message = f"declared count {declared_count}, but there are {self._count} payments"
            problems.append(place.whole("count_differs", message, "was the file cut, or a row lost?"))
        if self._amounts_readable and self._total_minor != declared_total:
            message = f"declared total {format_yuan(declared_total)}, but the payments add up to "
            problems.append(place.whole("total_differs", message + format_yuan(self._total_minor)))
        return problems

    def _look_into_batch_id(self, columns: Columns) -> None:
        """It stands in database, journal and logs in clear; only a long number or hanzi can be personal."""
        batch_id = self._batch.batch_id
        if self._names_somebody or not _MAY_NAME_SOMEBODY.search(batch_id):
            return
        self._names_somebody = any(
            len(value) >= _SHORTEST_PERSONAL and value in batch_id
            for attribute in _PERSONAL
            for value in columns[attribute]
        )

    def _check_amounts(self, block: RowBlock, findings: list[Finding]) -> list[int | None]:
        said = block.columns["amount_minor"]
        amounts = parse_yuan_column(said) if block.amounts is None else block.amounts
        numbers.check_amounts(amounts, said, findings)
        if None in amounts:
            self._amounts_readable = False
        else:
            self._total_minor += sum(filter(None, amounts))
        return amounts

    def _checked_columns(self, block: RowBlock, findings: list[Finding]) -> Columns:
        columns = block.columns
        for attribute, column in columns.items():
            if attribute in _TEXTS:
                texts.check_text(attribute, column, findings)
        size = len(block.lines)
        full = {spec.attribute: columns.get(spec.attribute) or [""] * size for spec in PAYMENT_FIELDS}
        del full["amount_minor"]
        accounts, always = full["account"], full["payment_id"]
        for attribute in _CHOICES:
            optional = accounts if attribute == "account_kind" else always
            full[attribute] = texts.canonical_choices(attribute, full[attribute], optional, findings)
        for attribute in _NAMES:
            if attribute in columns:
                full[attribute] = _names(attribute, full[attribute], findings)
        numbers.check_accounts(accounts, findings)
        texts.check_present("bank", full["bank"], accounts, findings)
        for attribute in ("beneficiary_name", "beneficiary_id"):
            # A row is there even where its id is empty.
            texts.check_present(attribute, full[attribute], ["row"] * size, findings)
        self._check_numbers(full, findings)
        check_payees(full, findings)
        self._inherit(full, findings)
        return full

    def _check_numbers(self, full: Columns, findings: list[Finding]) -> None:
        for attribute in ("beneficiary_id", "payee_id", "custodian_id"):
            full[attribute] = numbers.capital_check_letters(attribute, full[attribute], findings)
        numbers.check_beneficiary_ids(full["beneficiary_id"], full["payee_kind"], self._today, findings)
        for attribute in ("payee_id", "custodian_id"):
            if any(full[attribute]):
                numbers.check_other_ids(attribute, full[attribute], findings)
        numbers.check_bank_codes(full["bank_code"], findings)
        personal = [full[attribute] for attribute in ("account", "beneficiary_id")]
        personal = [_never_empty(column) for column in personal]
        personal += [_never_empty(full[name]) for name in ("payee_id", "custodian_id") if any(full[name])]
        names = [full[attribute] for attribute in _NAMES if any(full[attribute])]
        for attribute in ("payment_id", "reissue_of"):
            if any(full[attribute]) or attribute == "payment_id":
                texts.check_identifiers(attribute, full[attribute], findings)
                numbers.check_personal_ids(attribute, full[attribute], personal, names, findings)

    def _inherit(self, full: Columns, findings: list[Finding]) -> None:
        for attribute in (*_INHERITED, "summary"):
            column = full[attribute]
            inherited = getattr(self._batch, attribute)
            if "" in column:
                said = any(column)
                full[attribute] = (
                    [value or inherited for value in column] if said else [inherited] * len(column)
                )
                if not inherited and attribute in _INHERITED:
                    findings.extend(
                        Finding(index, attribute, _NOT_INHERITED, "nothing")
                        for index, value in enumerate(column)
                        if not value
                    )
        payees = full["payee_name"]
        if "" in payees:
            names = full["beneficiary_name"]
            full["payee_name"] = [payee or name for payee, name in zip(payees, names, strict=True)]

    def _problems(self, findings: list[Finding], block: RowBlock) -> list[Problem]:
        hidden = {item.index for item in findings if item.attribute == "payment_id"}
        identifiers = block.columns["payment_id"]
        return [
            self._places.problem(
                block.lines[item.index],
                item.attribute,
                item.fault,
                item.found,
                "" if item.index in hidden else identifiers[item.index],
            )
            for item in sorted(findings, key=_finding_place)
        ]


def _finding_place(finding: Finding) -> tuple[int, int]:
    return finding.index, _ORDER[finding.attribute]


def _place(problem: Problem) -> int:
    # The sort is stable: findings of one row stay in the order of the columns.
    return problem.line or 0


def _never_empty(column: list[str]) -> list[str]:
    """Empty values replaced by what occurs in no text, since "" is in every text."""
    return [value or "\0" for value in column] if "" in column else column


def _names(attribute: str, column: list[str], findings: list[Finding]) -> list[str]:
    normalized = normalize_names(column)
    if not "".join(normalized).isprintable():
        for index, name in enumerate(normalized):
            if legacy_characters(name):
                findings.append(Finding(index, attribute, _LEGACY, masked(attribute, name)))
    return normalized


def _named(columns: Columns, amounts: list[int | None]) -> dict[str, list[object]]:
    """Columns under the meanings of the layout language, in the order of the table."""
    named: dict[str, list[object]] = {}
    for spec in PAYMENT_FIELDS:
        if spec.attribute == "amount_minor":
            named["payment.amount"] = list(amounts)
        else:
            named[f"payment.{spec.attribute}"] = list(columns.get(spec.attribute, ()))
    return named

"""What banks say beside outcomes, on the screen: notices with masked values, entries of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
from rich.markup import escape

from formats import Notice
from formats.masking import mask_account, mask_name, mask_text
from gateway.ledger.statements import StatementEntry
from gateway.money import yuan
from gateway.reports.numbers import yuan_text
from gateway.screens import screen
from gateway.screens.listing import Column, Listing

_SHOWN_VALUES = frozenset({"bank_code", "transaction_code", "code"})
"""What names no person: shown as it is where it is short and plain."""
_LONGEST_SHOWN = 12


def show_notices(notices: Iterator[tuple[Notice, dict[str, str]]], json: bool) -> int:
    """What banks told, with masked values; how many."""
    table = screen.table("bank", "payment", "notice_code", "notice_says", "evidence")
    count = 0
    for notice, values in notices:
        count += 1
        masked = {name: _masked(name, value) for name, value in values.items()}
        if json:
            screen.as_json(
                {**msgspec.structs.asdict(msgspec.structs.replace(notice, text=None)), "values": masked}
            )
        elif count <= screen.SHOWN_ROWS:
            told = ", ".join(f"{name} {value}" for name, value in masked.items()) or ", ".join(notice.about)
            place = f"{notice.evidence_sha256[:16]} line {notice.evidence_line}"
            about = notice.payment_id or notice.file_name
            table.add_row(notice.bank, escape(about), escape(notice.code), escape(told), place)
    if not json:
        screen.show(table)
        screen.note_more(count)
    return count


def show_entries(entries: Iterator[StatementEntry], output: Path | None, json: bool) -> int:
    """Bookings, and what they come to, by kind; how many. No words of the bank."""
    if output is not None:
        return _ENTRIES.write(entries, output)
    table = screen.table("bank", "booked_on", "kind", "debit", "credit", "payment", "evidence")
    count = 0
    sums: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        count += 1
        if json:
            screen.as_json(msgspec.structs.replace(entry, text=None))
            continue
        amount = entry.entry_minor if entry.amount_minor is None else entry.amount_minor
        if entry.booked:
            sums[entry.kind, entry.direction] += amount or 0
        if count <= screen.SHOWN_ROWS:
            shown = "" if amount is None else yuan(amount)
            debit = entry.direction == "debit"
            about = entry.payment_id or entry.file_name
            place = f"{entry.evidence_sha256[:16]} line {entry.evidence_line}"
            day = "" if entry.booked_on is None else entry.booked_on.isoformat()
            kind = entry.kind if entry.booked else f"({entry.kind})"
            table.add_row(entry.bank, day, kind, shown * debit, shown * (not debit), escape(about), place)
    if not json:
        screen.show(table)
        screen.note_more(count)
        for (kind, direction), total in sorted(sums.items()):
            screen.say(f"{kind}, {screen.word(direction)}: {yuan(total)}")
    return count


def _masked(name: str, value: str) -> str:
    """A value that a bank told of a person, as far as a screen may show it."""
    if name in _SHOWN_VALUES:
        return value if len(value) <= _LONGEST_SHOWN and value.isascii() else mask_text(value)
    if "name" in name:
        return mask_name(value)
    return mask_account(value) if "account" in name else mask_text(value)


def _amount(one: StatementEntry, direction: str) -> str:
    """Of the row; where a booking of several payments does not say their amounts, of the booking."""
    if one.direction != direction:
        return ""
    return yuan_text(one.entry_minor if one.amount_minor is None else one.amount_minor)


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


_ENTRIES: Listing[StatementEntry] = Listing(
    "statements",
    Column(("银行", "bank"), lambda one: one.bank),
    Column(("对账单", "statement"), lambda one: one.statement),
    Column(("记账日期", "booked on"), lambda one: _day(one.booked_on)),
    Column(("起息日期", "value date"), lambda one: _day(one.value_date)),
    Column(
        ("已记账", "booked"), lambda one: screen.pick("是", "yes") if one.booked else screen.pick("否", "no")
    ),
    Column(("类别", "kind"), lambda one: one.kind),
    Column(("借方(元)", "debit (yuan)"), lambda one: _amount(one, "debit")),
    Column(("贷方(元)", "credit (yuan)"), lambda one: _amount(one, "credit")),
    Column(("银行流水号", "bank's serial"), lambda one: one.serial),
    Column(("明细编号", "payment"), lambda one: one.payment_id),
    Column(("代发文件", "file"), lambda one: one.file_name),
    Column(("证据文件摘要", "evidence SHA-256"), lambda one: one.evidence_sha256),
    Column(("证据行号", "evidence line"), lambda one: str(one.evidence_line)),
)
"""In a file: without the payer's account and the bank's own words."""

"""What banks say beside outcomes, on the screen: notices, with masked values."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich.markup import escape

from formats import Notice
from formats.masking import mask_account, mask_name, mask_text
from gateway import screen

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
        screen.print_table(table)
        screen.note_more(count)
    return count


def _masked(name: str, value: str) -> str:
    """A value that a bank told of a person, as far as a screen may show it."""
    if name in _SHOWN_VALUES:
        return value if len(value) <= _LONGEST_SHOWN and value.isascii() else mask_text(value)
    if "name" in name:
        return mask_name(value)
    return mask_account(value) if "account" in name else mask_text(value)

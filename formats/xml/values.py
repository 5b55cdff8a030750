"""Values of columns to the text of XML elements and back, a column at a time.

Writing never changes a value: what does not fit is a `Fault`. Reading is exact: an amount
is an integer of minor units or an error, never a float.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any

from msgspec import Struct

from formats.language.model import FieldKind, Kind
from formats.masking import mask_text
from formats.reasons import Reason

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 section 2.2 does not allow, and the 32 noncharacters that it only advises
against: the reader separates columns by two of those."""

MAXIMUM_AMOUNT_DIGITS = 18
"""ISO 20022 amounts and sums have at most 18 digits."""

_FEN = [f".{fen:02d}" for fen in range(100)]
_APART = "\0"
"""Between the texts of a column while they are looked at together; XML forbids it in a text."""

# In an attribute TAB and LF as they are would be read as blanks.
_REFERENCES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\r": "&#13;",
    "\n": "&#10;",
    "\t": "&#9;",
}
_ESCAPES = str.maketrans(_REFERENCES)
_BLANKS = " \t\r\n"
_PLAIN_AMOUNTS = re.compile(r"(?:(?:[0-9]{1,16}\.[0-9]{2})?,)+")
_AMOUNT = re.compile(r"\+?([0-9]{0,18})(?:\.([0-9]*))?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[TZ+-].*)?")
_INSTANT_PARTS = re.compile(r"YYYY|YY|MM|DD|HH|SS")
_CODE_OF_PART = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "HH": "%H", "SS": "%S"}


class Fault(Struct, frozen=True):
    """A value of a column that cannot be written. `row` is its 0-based place in the column."""

    row: int
    found: str
    wanted: str
    reason: Reason


class ValueFault(Exception):
    """A text that is not what its kind says: `found` is masked."""

    def __init__(self, row: int, found: str, wanted: str) -> None:
        super().__init__(f"found {found}, wanted {wanted}")
        self.row, self.found, self.wanted = row, found, wanted


def escape(text: str) -> str:
    """Text as it stands inside an element, or inside an attribute in double quotes."""
    return text.translate(_ESCAPES)


def write_column(kind: FieldKind, name: str, values: Sequence[Any]) -> tuple[list[str], list[Fault]]:
    """The escaped texts of a column, "" where a value is absent, and what cannot be written."""
    if kind.name in (Kind.TEXT, Kind.DIGITS):
        return _write_texts(kind, name, values)
    if kind.name in (Kind.YUAN, Kind.MONEY):
        return _write_amounts(kind, values)
    if kind.name is Kind.NUMBER:
        return _write_numbers(kind, values)
    return _write_instants(kind, values)


def read_column(kind: FieldKind, texts: list[str], *, lenient: bool = False) -> list[Any]:
    """The values of a column; "" or None where a text is absent. Raises `ValueFault`.

    `lenient` takes zeros beyond an amount's decimals, as declared sums have them.
    """
    if kind.name is Kind.TEXT:
        return texts
    if kind.name is Kind.DIGITS:
        return _read_each(texts, _read_digits, "")
    if kind.name is Kind.NUMBER:
        return _read_each(texts, _read_number, None)
    if kind.name in (Kind.YUAN, Kind.MONEY):
        return _read_amounts(kind, texts, lenient)
    if kind.name is Kind.DATE:
        return _read_each(texts, lambda text: _read_date(kind, text), None)
    return _read_each(texts, lambda text: _read_instant(kind, text), None)


def _write_texts(kind: FieldKind, name: str, values: Sequence[str | None]) -> tuple[list[str], list[Fault]]:
    texts = [value or "" for value in values]
    joined = _APART.join(texts)
    if joined.count(_APART) != max(len(texts) - 1, 0) or not joined.replace(_APART, "").isprintable():
        faults = _forbidden(name, texts)
    else:
        faults = []
    if kind.maximum is not None or kind.exact is not None:
        faults += _wrong_lengths(kind, name, texts)
    if kind.name is Kind.DIGITS:
        faults += _no_digits(texts)
    if faults:
        return texts, faults
    if any(character in joined for character in _REFERENCES):
        for character, reference in _REFERENCES.items():
            joined = joined.replace(character, reference)
        return joined.split(_APART), faults
    return texts, faults


def _wrong_lengths(kind: FieldKind, name: str, texts: list[str]) -> list[Fault]:
    """Widths are in characters. An absent value has none."""
    most = kind.maximum if kind.exact is None else kind.exact
    least = 1 if kind.exact is None else kind.exact
    lengths = list(map(len, texts))
    if most is None or (
        max(lengths, default=0) <= most and (kind.exact is None or min(lengths, default=0) >= least)
    ):
        return []
    wanted = f"at most {most}" if kind.exact is None else f"exactly {most}"
    reason = Reason.NAME_TOO_LONG if name == "payment.payee_name" else Reason.FIELD_INVALID
    return [
        Fault(row, f"{length} characters", wanted, reason)
        for row, length in enumerate(lengths)
        if length and not least <= length <= most
    ]


def _no_digits(texts: list[str]) -> list[Fault]:
    joined = "".join(texts)
    if not joined or (joined.isascii() and joined.isdigit()):
        return []
    return [
        Fault(row, mask_text(text), "digits", Reason.FIELD_INVALID)
        for row, text in enumerate(texts)
        if text and not (text.isascii() and text.isdigit())
    ]


def _forbidden(name: str, values: list[str]) -> list[Fault]:
    reason = Reason.NAME_NOT_ENCODABLE if name == "payment.payee_name" else Reason.FIELD_INVALID
    faults = []
    for row, value in enumerate(values):
        match = FORBIDDEN.search(value)
        if match:
            found = f"U+{ord(match[0]):04X} as character {match.start() + 1}"
            faults.append(Fault(row, found, "characters that XML 1.0 allows", reason))
    return faults


def _write_amounts(kind: FieldKind, values: Sequence[int | None]) -> tuple[list[str], list[Fault]]:
    limit = 10**MAXIMUM_AMOUNT_DIGITS
    present = [value for value in values if value is not None]
    faults: list[Fault] = []
    if present and not (min(present) >= 0 and max(present) < limit):
        faults = [
            Fault(row, f"{value}", f"0 to {limit - 1} minor units", Reason.AMOUNT_INVALID)
            for row, value in enumerate(values)
            if value is not None and not 0 <= value < limit
        ]
    if kind.name is Kind.MONEY:
        return ["" if value is None else f"{value}{kind.suffix}" for value in values], faults
    if kind.decimals == 2 and not kind.suffix and not faults and len(present) == len(values):
        return [f"{value // 100}{_FEN[value % 100]}" for value in present], faults
    return [
        "" if value is None else _yuan(value, kind, row, faults) for row, value in enumerate(values)
    ], faults


def _yuan(value: int, kind: FieldKind, row: int, faults: list[Fault]) -> str:
    if kind.decimals == 2:
        return f"{value // 100}.{value % 100:02d}{kind.suffix}"
    if value % 100:
        faults.append(Fault(row, f"{value % 100} fen", "whole yuan", Reason.AMOUNT_INVALID))
    return f"{value // 100}{kind.suffix}"


def _write_numbers(kind: FieldKind, values: Sequence[int | None]) -> tuple[list[str], list[Fault]]:
    texts = ["" if value is None else f"{value}" for value in values]
    limit = kind.maximum or kind.exact or 15
    faults = [
        Fault(row, text, f"0 to {limit} digits", Reason.FIELD_INVALID)
        for row, text in enumerate(texts)
        if len(text) > limit or text.startswith("-")
    ]
    return texts, faults


def _write_instants(
    kind: FieldKind, values: Sequence[date | datetime | None]
) -> tuple[list[str], list[Fault]]:
    pattern = _strftime(kind)
    return ["" if value is None else _padded_year(value, pattern) for value in values], []


def _padded_year(value: date | datetime, pattern: str) -> str:
    # strftime does not pad years before 1000 on every platform.
    return value.strftime(pattern.replace("%Y", f"{value.year:04d}"))


def _strftime(kind: FieldKind) -> str:
    """The pattern in Python's words: `MM` is the month, unless it follows `HH`."""
    pieces: list[str] = []
    position, hours_seen = 0, False
    for match in _INSTANT_PARTS.finditer(kind.pattern):
        pieces.append(kind.pattern[position : match.start()])
        minutes = match[0] == "MM" and hours_seen
        pieces.append("%M" if minutes else _CODE_OF_PART[match[0]])
        hours_seen = hours_seen or match[0] == "HH"
        position = match.end()
    pieces.append(kind.pattern[position:])
    return "".join(pieces)


def _read_each(texts: list[str], read: Callable[[str], Any], absent: object) -> list[Any]:
    """Each different text is read once: dates and counts repeat."""
    known: dict[str, Any] = {}
    for row, text in enumerate(texts):
        if text in known:
            continue
        stripped = text.strip(_BLANKS)
        try:
            known[text] = read(stripped) if stripped else absent
        except ValueError as error:
            raise ValueFault(row, mask_text(stripped), str(error)) from None
    return [known[text] for text in texts]


def _read_digits(text: str) -> str:
    if text.isascii() and text.isdigit():
        return text
    raise ValueError("digits")


def _read_number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= MAXIMUM_AMOUNT_DIGITS:
        return int(text)
    raise ValueError(f"a number of at most {MAXIMUM_AMOUNT_DIGITS} digits")


def _read_amounts(kind: FieldKind, texts: list[str], lenient: bool) -> list[int | None]:
    if kind.name is Kind.YUAN and kind.decimals == 2 and not kind.suffix and texts:
        joined = ",".join(texts) + ","
        if _PLAIN_AMOUNTS.fullmatch(joined):
            numbers = joined.replace(".", "").split(",")[:-1]
            if "" in numbers:
                return [int(number) if number else None for number in numbers]
            return list(map(int, numbers))
    return [_read_amount(kind, text.strip(_BLANKS), row, lenient) for row, text in enumerate(texts)]


def _read_amount(kind: FieldKind, text: str, row: int, lenient: bool) -> int | None:
    if not text:
        return None
    body = text.removesuffix(kind.suffix)
    match = _AMOUNT.fullmatch(body)
    decimals = kind.decimals
    if match is None or not (match[1] or match[2]) or (kind.name is Kind.MONEY and match[2] is not None):
        raise ValueFault(row, mask_text(text), "an amount")
    fraction = match[2] or ""
    if len(fraction) > decimals and (not lenient or fraction[decimals:].strip("0")):
        raise ValueFault(row, f"{len(fraction)} decimals", f"at most {decimals}")
    if kind.name is Kind.MONEY:
        return int(match[1])
    minor = int((match[1] + fraction[:decimals].ljust(decimals, "0")) or "0")
    minor = minor if decimals == 2 else minor * 100
    if minor >= 10**MAXIMUM_AMOUNT_DIGITS:
        raise ValueFault(row, mask_text(text), f"at most {MAXIMUM_AMOUNT_DIGITS} digits")
    return minor


def _read_date(kind: FieldKind, text: str) -> date:
    """A date by its pattern; an XML date may carry a zone, a date in ISO form a time."""
    try:
        if kind.pattern == "YYYY-MM-DD":
            if not _ISO_DATE.fullmatch(text):
                raise ValueError
            return date.fromisoformat(text[:10])
        return datetime.strptime(text, _strftime(kind)).date()  # noqa: DTZ007
    except ValueError:
        raise ValueError(f"a date {kind.pattern}") from None


def _read_instant(kind: FieldKind, text: str) -> datetime | time:
    """A point in time; aware only where the text names its zone."""
    try:
        if kind.pattern == "YYYY-MM-DDTHH:MM:SS":
            if text[10:11] != "T":
                # Python takes any sign there, and a date alone; XML takes neither.
                raise ValueError
            return datetime.fromisoformat(text)
        instant = datetime.strptime(text, _strftime(kind))  # noqa: DTZ007
        return instant.time() if kind.name is Kind.TIME else instant
    except ValueError:
        raise ValueError(f"a time {kind.pattern}") from None

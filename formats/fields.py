"""The kinds of fields in fixed and delimited files: text, digits, dates; numbers by delegation.

`cells_for` gives the `Cells` of a field. XML has its own, since its texts are characters,
not bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from formats.charset import UNWRITABLE, Charset
from formats.field_cells import CellError, Cells, Fault, pad, pad_template, unpad
from formats.field_numbers import NumberCells, YuanCells
from formats.layout_model import Binding, Field, Kind, Width
from formats.reasons import Reason

_NAMES = ("payment.payee_name", "payment.beneficiary_name")
_VERBATIM = ("outcome.code", "file.code", "notice.code")
_PART = re.compile(r"YYYY|YY|MM|DD|HH|SS")


def cells_for(field: Field, charset: Charset, separator: str, required: bool) -> Cells:
    """The cells of a field that holds a value. `required`: a text may not be empty.

    `separator` is what may not occur in a text: the delimiter, or "".
    """
    kind = field.kind
    assert kind is not None, "a field of a fixed or delimited record has a kind"
    if kind.name in (Kind.NUMBER, Kind.MONEY, Kind.YUAN):
        suffix = charset.encode(kind.suffix).decode("latin-1")
        numbers = YuanCells if kind.name is Kind.YUAN else NumberCells
        return numbers(kind, field.width, suffix, kind.suffix, field.optional)
    if kind.name in (Kind.DATE, Kind.TIME, Kind.DATETIME):
        return DateCells(kind.name, kind.pattern, field.width, field.optional)
    return TextCells(field, charset, separator, required)


class TextCells:
    """`text` and `digits`: widths in bytes, refused where they do not fit or would not come back."""

    def __init__(self, field: Field, charset: Charset, separator: str, required: bool) -> None:
        kind, width = field.kind, field.width
        assert kind is not None, "a text field has a kind"
        name = field.meaning.name if isinstance(field.meaning, Binding) else ""
        self._charset = charset
        self._forbidden = charset.alphabet.forbidden
        self._width = width
        self._separator = separator
        self._required = required
        self._digits = kind.name is Kind.DIGITS
        self._exact = kind.exact
        limits = [limit for limit in (kind.maximum, kind.exact, width and width.bytes_) if limit]
        self._maximum = min(limits) if limits else None
        self._zeros = width is not None and width.fill == "0"
        self._keeps_blanks = width is None and name in _VERBATIM
        self.template = "%s" if self._zeros else pad_template(width)
        self._is_name = name in _NAMES
        self._other_reason = Reason.INVALID_ACCOUNT if name == "payment.account" else Reason.FIELD_INVALID

    def write(self, values: Sequence[Any]) -> list[Sequence[Any]] | None:
        """See `Cells.write`."""
        cells = self._write_quickly(values)
        if cells is None:
            if any(map(self.fault, values)):
                return None
            cells = [self._charset.encode(value or "").decode("latin-1") for value in values]
        if self._zeros:
            cells = [pad(cell, self._width) for cell in cells]
        return [cells]

    def _write_quickly(self, values: Sequence[Any]) -> Sequence[str] | None:
        if None in values:
            return None
        joined = "".join(values)
        cells: Sequence[str] | None = values
        if self._forbidden is not None and self._forbidden.search(joined):
            return None
        if not joined.isascii() or not self._charset.ascii_as_is:
            cells = self._charset.encode_column(values)
        if cells is None or not cells or not joined.isprintable():
            return None
        lengths = set(map(len, cells))
        if self._maximum is not None and max(lengths) > self._maximum:
            return None
        if (self._required and 0 in lengths) or (self._exact is not None and lengths - {0, self._exact}):
            return None
        if " " in joined and [cell.strip(" ") for cell in cells] != list(cells):
            return None
        if (self._separator and self._separator in joined) or self._zeros:
            return None
        if self._digits and joined and not (joined.isascii() and joined.isdigit()):
            return None
        return cells

    def fault(self, value: Any) -> Fault | None:
        """See `Cells.fault`."""
        text = "" if value is None else value
        if not text:
            return self._fault("empty", "a value") if self._required else None
        if UNWRITABLE.search(text):
            return self._fault("character", "no control characters", Reason.NAME_NOT_ENCODABLE)
        if self._separator and self._separator in text:
            return self._fault("character", f"no {self._separator}", Reason.NAME_NOT_ENCODABLE)
        if self._forbidden is not None and self._forbidden.search(text):
            return self._fault("character", "characters that the bank permits", Reason.NAME_NOT_ENCODABLE)
        if text != text.strip(" "):
            return self._fault("blank-edge", "no blank at either end")
        if self._zeros and text.startswith("0"):
            return self._fault("zero-edge", "no zero in front of a value filled with zeros")
        if self._digits and not (text.isascii() and text.isdigit()):
            return self._fault("not-digits", "digits")
        return self._size_fault(text)

    def _size_fault(self, text: str) -> Fault | None:
        try:
            size_bytes = len(self._charset.encode(text))
        except UnicodeEncodeError:
            wanted = f"characters that {self._charset.label} can write"
            return self._fault("not-encodable", wanted, Reason.NAME_NOT_ENCODABLE)
        if self._maximum is not None and size_bytes > self._maximum:
            wanted = f"at most {self._maximum} bytes, not {size_bytes}"
            return self._fault("too-long", wanted, Reason.NAME_TOO_LONG)
        if self._exact is not None and size_bytes != self._exact:
            return self._fault("length", f"{self._exact} bytes, not {size_bytes}")
        return None

    def _fault(self, code: str, wanted: str, name_reason: Reason = Reason.FIELD_INVALID) -> Fault:
        return Fault(code, wanted, name_reason if self._is_name else self._other_reason)

    def read(self, joined: str, count: int) -> list[Any] | None:
        """See `Cells.read`."""
        cells = joined.split("\n")
        if len(cells) != count:
            return None
        if self._zeros or (" " in joined and not self._keeps_blanks):
            width = self._width
            if width is not None and not width.right:
                cells = [cell.rstrip(" ") for cell in cells]
            else:
                cells = [unpad(cell, width) for cell in cells]
        if self._required and "" in cells:
            return None
        if self._digits:
            digits = joined.replace("\n", "").replace(" ", "")
            if digits and not (digits.isascii() and digits.isdigit() and " " not in "".join(cells)):
                return None
        return cells

    def parse(self, cell: str) -> str:
        """See `Cells.parse`."""
        if UNWRITABLE.search(cell):
            raise CellError("no control characters")
        text = cell if self._keeps_blanks else unpad(cell, self._width)
        if self._required and not text:
            raise CellError("a value")
        if self._digits and text and not (text.isascii() and text.isdigit()):
            raise CellError("digits")
        return text


class DateCells:
    """`date`, `time` and `datetime` by a pattern; blank or zeros are no date where optional.

    A two-digit year is of this century.
    """

    def __init__(self, kind: Kind, pattern: str, width: Width | None, optional: bool) -> None:
        self.template = pad_template(width)
        self._kind = kind
        self._pattern = pattern
        self._width = width
        self._optional = optional
        self._format, self._regex, self._parts = _read_pattern(pattern)
        self._fits = width is None or len(pattern) <= width.bytes_

    def write(self, values: Sequence[Any]) -> list[Sequence[Any]] | None:
        """See `Cells.write`."""
        texts: dict[Any, str] = {}
        for value in set(values):
            if self.fault(value) is not None:
                return None
            texts[value] = "" if value is None else self._format_one(value)
        return [[texts[value] for value in values]]

    def _format_one(self, value: Any) -> str:
        parts = {
            "YYYY": f"{getattr(value, 'year', 0):04d}",
            "YY": f"{getattr(value, 'year', 0) % 100:02d}",
            "MM": f"{getattr(value, 'month', 0):02d}",
            "DD": f"{getattr(value, 'day', 0):02d}",
            "HH": f"{getattr(value, 'hour', 0):02d}",
            "mm": f"{getattr(value, 'minute', 0):02d}",
            "SS": f"{getattr(value, 'second', 0):02d}",
        }
        return self._format % tuple(parts[part] for part in self._parts)

    def fault(self, value: Any) -> Fault | None:
        """See `Cells.fault`."""
        if value is None and self._optional:
            return None
        wanted = {Kind.DATE: (date,), Kind.TIME: (time, datetime), Kind.DATETIME: (datetime,)}[self._kind]
        if not isinstance(value, wanted):
            return Fault("date-invalid", f"a {self._kind.value}")
        return None if self._fits else Fault("too-long", f"room for {self._pattern}")

    def read(self, joined: str, count: int) -> list[Any] | None:
        """See `Cells.read`."""
        cells = joined.split("\n")
        if len(cells) != count:
            return None
        try:
            values = {cell: self.parse(cell) for cell in set(cells)}
        except CellError:
            return None
        return [values[cell] for cell in cells]

    def parse(self, cell: str) -> Any:
        """See `Cells.parse`."""
        text = cell.strip(" ")
        if self._optional and not text.strip("0"):
            return None
        match = self._regex.fullmatch(text)
        if match is None:
            raise CellError(f"{self._kind.value} {self._pattern}")
        numbers = {part: int(digits) for part, digits in zip(self._parts, match.groups(), strict=True)}
        year = numbers.get("YYYY", 2000 + numbers.get("YY", 0))
        day = (year, numbers.get("MM", 1), numbers.get("DD", 1))
        clock = (numbers.get("HH", 0), numbers.get("mm", 0), numbers.get("SS", 0))
        try:
            if self._kind is Kind.DATE:
                return date(*day)
            return time(*clock) if self._kind is Kind.TIME else datetime(*day, *clock)  # noqa: DTZ001
        except ValueError as error:
            raise CellError(f"{self._kind.value} {self._pattern}") from error


def _read_pattern(pattern: str) -> tuple[str, re.Pattern[str], tuple[str, ...]]:
    """The `%`-format, the expression that reads it, and its parts; MM after HH is minutes."""
    parts: list[str] = []
    for match in _PART.finditer(pattern):
        part = match[0]
        parts.append("mm" if part == "MM" and "HH" in parts else part)
    literals = _PART.split(pattern)
    expression = re.escape(literals[0])
    for part, literal in zip(parts, literals[1:], strict=True):
        expression += f"([0-9]{{{len(part)}}})" + re.escape(literal)
    return _PART.sub("%s", pattern), re.compile(expression), tuple(parts)

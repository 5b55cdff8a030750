"""The kinds of fields in fixed and delimited files: text and digits; numbers and dates by delegation.

`cells_for` gives the `Cells` of a field. XML has its own, since its texts are characters,
not bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from formats.charset import UNWRITABLE, Charset
from formats.flat.field_cells import CellError, Cells, Fault, pad, pad_template, unpad
from formats.flat.field_dates import DateCells
from formats.flat.field_numbers import number_cells
from formats.language.model import Binding, Field, Kind
from formats.reasons import Reason

_NAMES = ("payment.payee_name", "payment.beneficiary_name")
_VERBATIM = ("outcome.code", "file.code", "notice.code")


def cells_for(
    field: Field,
    charset: Charset,
    separator: str,
    required: bool,
    minor_decimals: int,
    quote: str = "",
) -> Cells:
    """The cells of a field that holds a value. `required`: a text may not be empty.

    `separator` is what may not occur in a text: the delimiter, or "". With a `quote` it may, in quotes.
    """
    kind = field.kind
    assert kind is not None, "a field of a fixed or delimited record has a kind"
    name = field.meaning.name if isinstance(field.meaning, Binding) else ""
    if kind.name in (Kind.NUMBER, Kind.MONEY, Kind.YUAN):
        suffix = charset.encode(kind.suffix).decode("latin-1")
        ours = name == "payment.amount"
        return number_cells(kind, field.width, suffix, field.optional, minor_decimals, ours)
    if kind.name in (Kind.DATE, Kind.TIME, Kind.DATETIME):
        return DateCells(kind.name, kind.pattern, field.width, field.optional)
    return TextCells(field, charset, separator, required, quote)


class TextCells:
    """`text` and `digits`: widths in bytes, refused where they do not fit or would not come back."""

    def __init__(
        self, field: Field, charset: Charset, separator: str, required: bool, quote: str = ""
    ) -> None:
        kind, width = field.kind, field.width
        assert kind is not None, "a text field has a kind"
        name = field.meaning.name if isinstance(field.meaning, Binding) else ""
        self._charset = charset
        self._forbidden = charset.alphabet.forbidden
        self._width = width
        self._separator = separator
        self._quote = quote
        self._required = required
        self._digits = kind.name is Kind.DIGITS
        self._exact = kind.exact
        limits = [limit for limit in (kind.maximum, kind.exact, width and width.bytes_) if limit]
        self._maximum = min(limits) if limits else None
        self._zeros = width is not None and width.fill == "0"
        self._keeps_blanks = width is None and name in _VERBATIM
        self.template = "%s" if self._zeros else pad_template(width)
        self._values = frozenset(field.values)
        self._is_name = name in _NAMES
        self._other_reason = Reason.INVALID_ACCOUNT if name == "payment.account" else Reason.FIELD_INVALID

    def write(self, values: Sequence[Any]) -> list[Sequence[Any]] | None:
        """See `Cells.write`."""
        cells = self._write_quickly(values)
        if cells is None:
            if any(map(self.fault, values)):
                return None
            cells = [self._cell(value or "") for value in values]
        if self._zeros:
            cells = [pad(cell, self._width) for cell in cells]
        return [cells]

    def _cell(self, text: str) -> str:
        """One text as bytes in Latin-1, in quotes where it could not stand without."""
        quote = self._quote
        if quote and (quote in text or self._separator in text):
            text = quote + text.replace(quote, quote * 2) + quote
        return self._charset.encode(text).decode("latin-1")

    def _write_quickly(self, values: Sequence[Any]) -> Sequence[str] | None:
        if None in values:
            values = ["" if value is None else value for value in values]
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
        if self._quote and self._quote in joined:
            return None
        if self._digits and joined and not (joined.isascii() and joined.isdigit()):
            return None
        if self._values and not self._values.issuperset(values):
            return None
        return cells

    def fault(self, value: Any) -> Fault | None:
        """See `Cells.fault`."""
        text = "" if value is None else value
        if not text:
            return self._fault("empty", "a value") if self._required else None
        if UNWRITABLE.search(text):
            return self._fault("character", "no control characters", Reason.NAME_NOT_ENCODABLE)
        if self._separator and self._separator in text and not self._quote:
            return self._fault("character", f"no {self._separator}", Reason.NAME_NOT_ENCODABLE)
        if self._forbidden is not None and self._forbidden.search(text):
            return self._fault("character", "characters that the bank permits", Reason.NAME_NOT_ENCODABLE)
        if text != text.strip(" "):
            return self._fault("blank-edge", "no blank at either end")
        if self._values and text not in self._values:
            return self._fault("not-selecting", f"one of {', '.join(sorted(self._values))}")
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
                # Whoever takes lines apart has mostly taken the padding off.
                if " \n" in joined or joined.endswith(" "):
                    cells = [cell.rstrip(" ") for cell in cells]
            else:
                cells = [unpad(cell, width) for cell in cells]
        if self._required and "" in cells:
            return None
        if self._digits:
            if not joined.isascii() or (" " in joined and " " in "".join(cells)):
                return None
            digits = joined.encode("ascii").translate(None, b"\n ")
            if digits and not digits.isdigit():
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

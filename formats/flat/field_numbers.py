"""Numbers and amounts in fields. Amounts are integers in fen; no float anywhere.

Written exactly one way. Read: digits only, with the declared suffix or without it; an amount
with a point (or comma) also with thousands separators in their right places and as `.50`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from formats.flat.field_cells import CellError, Fault, pad_template
from formats.language.model import FieldKind, Kind, Width
from formats.reasons import Reason

MAXIMUM_DIGITS = 18
"""Digits of a number where the field itself sets no limit: fits 64 bits."""

_SHAPE = bytes.maketrans(b"123456789", b"0" * 9)
"""Makes every digit a nought, so that the shape of a whole column is one count."""

_OVERPUNCH_PLUS = "{ABCDEFGHI"
_OVERPUNCH_MINUS = "}JKLMNOPQR"
"""The last digit, 0 to 9, with its sign."""

_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+")


def number_cells(
    kind: FieldKind, width: Width | None, suffix: str, optional: bool, minor_decimals: int, payment: bool
) -> NumberCells | YuanCells | AmountCells:
    """The cells of a number or an amount. `suffix` is given as bytes in Latin-1.

    `minor_decimals` are those of the currency; `payment`: what we pay, which is never negative.
    """
    plain = not (kind.sign or kind.comma or kind.thousands)
    if plain and (kind.name is Kind.NUMBER or (kind.name is Kind.MONEY and kind.decimals == minor_decimals)):
        return NumberCells(kind, width, suffix, optional)
    if plain and kind.name is Kind.YUAN and kind.decimals in (0, 2) and minor_decimals == 2:
        return YuanCells(kind, width, suffix, optional)
    return AmountCells(kind, width, suffix, optional, minor_decimals, payment)


class NumberCells:
    """`number`, and `money.N` where the paper implies the currency's own decimals: the integer itself."""

    def __init__(self, kind: FieldKind, width: Width | None, suffix: str, optional: bool) -> None:
        self._width = width
        self._suffix = suffix
        self._read_suffix = kind.suffix
        self._optional = optional
        self._is_amount = kind.name is not Kind.NUMBER
        room = MAXIMUM_DIGITS if width is None else width.bytes_ - len(suffix)
        if kind.maximum is not None:
            room = min(room, kind.maximum)
        self._digits = max(min(room, MAXIMUM_DIGITS), 0)
        self._limit = 10**self._digits
        self._as_text = optional or bool(suffix)
        zeros = width is not None and width.fill == "0"
        self._format = f"%0{width.bytes_ - len(suffix)}d" if width and zeros else "%d"
        if self._as_text:
            self.template = pad_template(width)
        else:
            self.template = self._format if zeros else pad_template(width, "d")

    def write(self, values: Sequence[Any]) -> list[Sequence[Any]] | None:
        """See `Cells.write`."""
        if not whole_below(values, self._limit) and any(map(self.fault, values)):
            return None
        if not self._as_text:
            return [values]
        written = self._format + self._suffix.replace("%", "%%")
        return [["" if value is None else written % value for value in values]]

    def fault(self, value: Any) -> Fault | None:
        """See `Cells.fault`."""
        return number_fault(
            value, self._limit, f"at most {self._digits} digits", self._optional, self._is_amount
        )

    def read(self, joined: str, count: int) -> list[Any] | None:
        """See `Cells.read`."""
        if self._read_suffix:
            joined = f"{joined}\n".replace(f"{self._read_suffix}\n", "\n")[:-1]
        return read_integers(joined, count, self._optional)

    def parse(self, cell: str) -> int | None:
        """See `Cells.parse`."""
        text = cell.strip(" ").removesuffix(self._read_suffix)
        if not text and self._optional:
            return None
        if not (text.isascii() and text.isdigit() and len(text.lstrip("0")) <= MAXIMUM_DIGITS):
            raise CellError("digits")
        return int(text)


class YuanCells:
    """`yuan.2` and `yuan.0` of a currency with two decimals: with an explicit point, or whole yuan."""

    def __init__(self, kind: FieldKind, width: Width | None, suffix: str, optional: bool) -> None:
        self._width = width
        self._suffix = suffix
        self._read_suffix = kind.suffix
        self._optional = optional
        self._cents = kind.decimals == 2
        room = MAXIMUM_DIGITS if width is None else width.bytes_ - len(suffix) - 3 * self._cents
        self._digits = max(min(room, MAXIMUM_DIGITS - 2), 0)
        self._limit = 10 ** (self._digits + 2)
        right = width is None or width.right
        self._as_text = optional or bool(suffix) or not right or not self._cents
        zeros = width is not None and width.fill == "0"
        self._yuan_format = f"%0{room}d" if zeros else "%d"
        if self._as_text:
            self.template = pad_template(width)
        else:
            self.template = ("%d" if width is None else f"%{'0' if zeros else ''}{room}d") + ".%02d"

    def write(self, values: Sequence[Any]) -> list[Sequence[Any]] | None:
        """See `Cells.write`."""
        plain = self._cents and whole_below(values, self._limit)
        if not plain and any(map(self.fault, values)):
            return None
        if self._as_text:
            return [[self._text(value) for value in values]]
        return [[value // 100 for value in values], [value % 100 for value in values]]

    def _text(self, value: int | None) -> str:
        if value is None:
            return ""
        yuan, fen = divmod(value, 100)
        return self._yuan_format % yuan + (f".{fen:02d}" if self._cents else "") + self._suffix

    def fault(self, value: Any) -> Fault | None:
        """See `Cells.fault`."""
        wanted = f"at most {self._digits} digits of yuan"
        fault = number_fault(value, self._limit, wanted, self._optional, is_amount=True)
        if fault is None and not self._cents and value is not None and value % 100:
            return Fault("amount-invalid", "whole yuan", Reason.AMOUNT_INVALID)
        return fault

    def read(self, joined: str, count: int) -> list[Any] | None:
        """See `Cells.read`."""
        if not self._cents:
            return None
        if self._read_suffix:
            joined = f"{joined}\n".replace(f"{self._read_suffix}\n", "\n")[:-1]
        if self._optional and not joined.strip(" \n"):
            return [None] * count
        if not joined.isascii():
            return None
        shape = joined.encode("ascii").translate(_SHAPE) + b"\n"
        if shape.translate(None, b"0 ") != b".\n" * count or shape.count(b".00\n") != count:
            return None
        if b" " in shape:
            return read_integers(joined.replace(".", ""), count, optional=False)
        # Digits with a point where it belongs, and nothing else.
        values = list(map(int, joined.replace(".", "").split("\n")))
        return values if max(values) < 10**MAXIMUM_DIGITS else None

    def parse(self, cell: str) -> int | None:
        """See `Cells.parse`."""
        text = cell.strip(" ").removesuffix(self._read_suffix)
        if not text and self._optional:
            return None
        yuan, point, fen = text.partition(".")
        wanted = "yuan with a point and two decimals" if self._cents else "whole yuan"
        if bool(point) != self._cents or len(fen) != 2 * self._cents:
            raise CellError(wanted)
        if (yuan and not _THOUSANDS.fullmatch(yuan)) or not (yuan or self._cents):
            raise CellError(wanted)
        digits = yuan.replace(",", "") + (fen or "00")
        if not (digits.isascii() and digits.isdigit() and len(digits.lstrip("0")) <= MAXIMUM_DIGITS):
            raise CellError(wanted)
        return int(digits)


class AmountCells:
    """Every other form: implied decimals, point or comma, thousands, a sign before, behind or overpunched.

    One value at a time; the usual forms have quicker classes above.
    """

    def __init__(
        self,
        kind: FieldKind,
        width: Width | None,
        suffix: str,
        optional: bool,
        minor_decimals: int,
        payment: bool,
    ) -> None:
        self.template = pad_template(width)
        self._kind = kind
        self._width = width
        self._suffix = suffix
        self._optional = optional
        self._zeros = width is not None and width.fill == "0"
        self._negative = bool(kind.sign) and not payment
        is_amount = kind.name is not Kind.NUMBER
        self._is_amount = is_amount
        self._shift = kind.decimals - minor_decimals if is_amount else 0
        self._decimals = kind.decimals if kind.name is Kind.YUAN else 0
        self._point, self._comma = (",", ".") if kind.comma else (".", ",")
        grouped = rf"[0-9]{{1,3}}(?:{re.escape(self._comma)}[0-9]{{3}})+|" if kind.name is Kind.YUAN else ""
        fraction = rf"{re.escape(self._point)}([0-9]{{{self._decimals}}})" if self._decimals else "()"
        self._shape = re.compile(rf"({grouped}[0-9]*){fraction}")

    def write(self, values: Sequence[Any]) -> list[Sequence[Any]] | None:
        """See `Cells.write`."""
        if any(map(self.fault, values)):
            return None
        return [["" if value is None else self._text(value) for value in values]]

    def _text(self, value: int) -> str:
        """With its sign, padded with zeros where the field is."""
        scaled = abs(value) * 10**self._shift if self._shift >= 0 else abs(value) // 10**-self._shift
        whole, fraction = divmod(scaled, 10**self._decimals)
        digits = f"{whole:,}".replace(",", self._comma) if self._kind.thousands else f"{whole}"
        if self._decimals:
            digits += f"{self._point}{fraction:0{self._decimals}d}"
        sign = self._kind.sign
        if sign == "overpunch":
            digits = digits[:-1] + (_OVERPUNCH_MINUS if value < 0 else _OVERPUNCH_PLUS)[int(digits[-1])]
        before = "-" if sign == "leading" and value < 0 else ""
        behind = ("-" if value < 0 else " " if self._width else "") if sign == "trailing" else ""
        if self._zeros and self._width is not None:
            digits = digits.rjust(self._width.bytes_ - len(before + behind + self._suffix), "0")
        return before + digits + behind + self._suffix

    def fault(self, value: Any) -> Fault | None:
        """See `Cells.fault`."""
        if value is None and self._optional:
            return None
        reason = _reason(self._is_amount, Reason.AMOUNT_INVALID)
        if type(value) is not int or (value < 0 and not self._negative):
            negative = "" if self._negative else ", not negative"
            return Fault("number-invalid", f"a whole number{negative}", reason)
        if self._shift < 0 and value % 10**-self._shift:
            return Fault("amount-invalid", f"a multiple of {10**-self._shift} minor units", reason)
        limit = _reason(self._is_amount, Reason.AMOUNT_LIMIT)
        if abs(value) >= 10**MAXIMUM_DIGITS:
            return Fault("number-too-long", f"at most {MAXIMUM_DIGITS} digits", limit)
        if self._width is not None and len(self._text(value)) > self._width.bytes_:
            return Fault("number-too-long", f"at most {self._width.bytes_} bytes", limit)
        return None

    def read(self, joined: str, count: int) -> list[Any] | None:
        """See `Cells.read`."""
        cells = joined.split("\n")
        if len(cells) != count:
            return None
        try:
            return list(map(self.parse, cells))
        except CellError:
            return None

    def parse(self, cell: str) -> int | None:
        """See `Cells.parse`."""
        text = cell.strip(" ").removesuffix(self._kind.suffix)
        if not text and self._optional:
            return None
        wanted = self._wanted()
        text, negative = self._unsigned(text, wanted)
        match = self._shape.fullmatch(text)
        if match is None or not (match[1] or match[2]):
            raise CellError(wanted)
        digits = match[1].replace(self._comma, "") + (match[2] or "")
        if not digits or len(digits.lstrip("0")) > MAXIMUM_DIGITS:
            raise CellError(wanted)
        scaled: int = int(digits)
        if self._shift > 0 and scaled % 10**self._shift:
            raise CellError(f"{wanted}, no part of a minor unit")
        value: int = scaled // 10**self._shift if self._shift >= 0 else scaled * 10**-self._shift
        if value >= 10**MAXIMUM_DIGITS:
            raise CellError(wanted)
        return -value if negative else value

    def _unsigned(self, text: str, wanted: str) -> tuple[str, bool]:
        sign = self._kind.sign
        if sign == "overpunch":
            last = text[-1:]
            if last in _OVERPUNCH_MINUS and last:
                return text[:-1] + str(_OVERPUNCH_MINUS.index(last)), True
            if last in _OVERPUNCH_PLUS and last:
                return text[:-1] + str(_OVERPUNCH_PLUS.index(last)), False
            if not last.isdigit():
                raise CellError(wanted)
            return text, False
        if sign == "leading" and text[:1] in ("-", "+"):
            return text[1:], text[0] == "-"
        if sign == "trailing" and text[-1:] in ("-", "+"):
            return text[:-1], text[-1] == "-"
        return text, False

    def _wanted(self) -> str:
        words = ["digits"]
        if self._decimals:
            words = [
                f"digits with a {'comma' if self._kind.comma else 'point'} and {self._decimals} decimals"
            ]
        if self._kind.sign:
            words.append(f"sign {self._kind.sign}")
        return ", ".join(words)


def whole_below(values: Sequence[Any], limit: int) -> bool:
    """Whether all are integers (no bool, no float) from 0 to under the limit."""
    if not values:
        return True
    return set(map(type, values)) == {int} and min(values) >= 0 and max(values) < limit


def number_fault(value: Any, limit: int, wanted: str, optional: bool, is_amount: bool) -> Fault | None:
    """What is wrong with one number or amount, or None."""
    if value is None and optional:
        return None
    if type(value) is not int or value < 0:
        return Fault(
            "number-invalid", "a whole number, not negative", _reason(is_amount, Reason.AMOUNT_INVALID)
        )
    if value >= limit:
        return Fault("number-too-long", wanted, _reason(is_amount, Reason.AMOUNT_LIMIT))
    return None


def read_integers(joined: str, count: int, optional: bool) -> list[Any] | None:
    """Integers of cells joined by line feeds; None where a cell is not digits between blanks."""
    if not joined.isascii():
        return None
    # Ten times as fast in bytes as in characters.
    digits = joined.encode("ascii").translate(None, b"\n ")
    if optional and not digits:
        return [None] * count if joined.count("\n") == count - 1 else None
    if not digits.isdigit():
        return None
    try:
        values = list(map(int, joined.split("\n")))
    except ValueError:
        return None
    return values if len(values) == count and max(values) < 10**MAXIMUM_DIGITS else None


def _reason(is_amount: bool, reason: Reason) -> Reason:
    return reason if is_amount else Reason.FIELD_INVALID

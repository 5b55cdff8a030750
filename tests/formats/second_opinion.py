"""Fixed layouts interpreted through `construct`: slowly, one field at a time, sharing no code with ours.

It knows the checked model of a layout and nothing of compiler, cells, readers or writers. A line is
parsed by the first record whose selecting values it has, values are made by adapters of its own,
and building the values again must give the line.
"""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import construct

from formats.language.model import Binding, Blank, Constant, Field, Kind, Layout, Record

_TEXTS = (Kind.TEXT, Kind.DIGITS, Kind.TIME)
_PLUS, _MINUS = "{ABCDEFGHI", "}JKLMNOPQR"
_CODECS = {"gb18030": "gb18030", "ascii": "ascii", "utf-8": "utf-8", "latin-1": "latin-1"}


class _Cell(construct.Adapter):
    """One field, by its kind."""

    def __init__(self, field: Field, layout: Layout) -> None:
        assert field.width is not None
        super().__init__(construct.Bytes(field.width.bytes_))
        self.field = field
        self.codec = _CODECS[layout.framing.encoding]
        self.decimals = layout.decimals

    def _decode(self, obj: bytes, context: Any, path: Any) -> Any:
        text = obj.decode(self.codec)
        kind, width = self.field.kind, self.field.width
        assert kind is not None
        assert width is not None
        if isinstance(self.field.meaning, Constant | Blank) or kind.name in _TEXTS:
            return text.lstrip(width.fill) if width.right else text.rstrip(width.fill)
        if kind.name is Kind.DATE:
            digits = text.strip()
            if not digits.strip("0"):
                return None
            form = {"YYYYMMDD": "%Y%m%d", "YYMMDD": "%y%m%d", "DDMMYY": "%d%m%y", "YYDDD": "%y%j"}[
                kind.pattern
            ]
            return datetime.datetime.strptime(digits, form).date()  # noqa: DTZ007
        if not text.strip():
            return None
        return self._number(text.strip())

    def _number(self, text: str) -> int:
        kind = self.field.kind
        assert kind is not None
        sign = 1
        if kind.sign == "overpunch":
            last = text[-1]
            sign = -1 if last in _MINUS else 1
            text = text[:-1] + str((_MINUS if last in _MINUS else _PLUS).index(last))
        elif text[0] == "-" or text[-1] == "-":
            sign, text = -1, text.strip("-")
        if kind.name is Kind.NUMBER:
            return sign * int(text)
        if kind.name is Kind.YUAN:
            amount = decimal.Decimal(
                text.translate(str.maketrans(",", ".", ".") if kind.comma else {44: None})
            )
        else:
            amount = decimal.Decimal(text) / 10**kind.decimals
        return sign * int(amount * 10**self.decimals)

    def _encode(self, obj: Any, context: Any, path: Any) -> bytes:
        kind, width = self.field.kind, self.field.width
        assert kind is not None
        assert width is not None
        meaning = self.field.meaning
        plain = isinstance(meaning, Blank) or obj is None
        if plain or kind.name in _TEXTS or isinstance(meaning, Constant):
            text = obj or ""
        elif kind.name is Kind.DATE:
            form = {"YYYYMMDD": "%Y%m%d", "YYMMDD": "%y%m%d", "DDMMYY": "%d%m%y", "YYDDD": "%y%j"}[
                kind.pattern
            ]
            text = obj.strftime(form)
        else:
            text = self._digits(obj)
        raw: bytes = text.encode(self.codec)
        fill = b" " if plain and kind.name is not Kind.DATE else width.fill.encode()
        if isinstance(meaning, Constant | Blank) and not text:
            fill = b" "
        if width.right and fill == b"0" and raw[:1] == b"-":
            return b"-" + raw[1:].rjust(width.bytes_ - 1, fill)
        return raw.rjust(width.bytes_, fill) if width.right else raw.ljust(width.bytes_)

    def _digits(self, value: int) -> str:
        kind = self.field.kind
        assert kind is not None
        size = abs(value)
        if kind.name is Kind.MONEY:
            text = str(size * 10**kind.decimals // 10**self.decimals)
        elif kind.name is Kind.YUAN:
            whole, part = divmod(size * 10**kind.decimals // 10**self.decimals, 10**kind.decimals)
            text = f"{whole:,}" if kind.thousands else str(whole)
            text += f".{part:0{kind.decimals}d}" if kind.decimals else ""
            if kind.comma:
                text = text.translate(str.maketrans(",.", ".,"))
        else:
            text = str(size)
        if kind.sign == "overpunch":
            return text[:-1] + (_MINUS if value < 0 else _PLUS)[int(text[-1])]
        if kind.sign == "trailing":
            return text + ("-" if value < 0 else " ")
        return f"-{text}" if value < 0 else text


class Opinion:
    """A fixed layout through `construct`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.structs = {
            record.label: construct.Struct(
                *(str(index) / _Cell(field, layout) for index, field in enumerate(record.fields))
            )
            for record in layout.records
        }

    def lines(self, raw: bytes) -> list[bytes]:
        end = self.layout.framing.line_end
        if end:
            return raw.split(end)[:-1]
        size = self.layout.records[0].bytes_
        return [raw[start : start + size] for start in range(0, len(raw), size)]

    def parse(self, raw: bytes) -> list[tuple[Record, list[Any]]]:
        """Every record of the file in its order, with the values of its fields; fill lines are left out."""
        fill = self.layout.framing.fill_line.encode()
        found = []
        for line in self.lines(raw):
            if fill and line == fill * len(line):
                continue
            record = next(record for record in self.layout.records if self._is(record, line))
            parsed = self.structs[record.label].parse(line)
            found.append((record, [parsed[str(index)] for index in range(len(record.fields))]))
        return found

    def build(self, records: list[tuple[Record, list[Any]]]) -> bytes:
        """The lines of the records again."""
        end = self.layout.framing.line_end
        return b"".join(
            self.structs[record.label].build({str(index): value for index, value in enumerate(values)}) + end
            for record, values in records
        )

    def _is(self, record: Record, line: bytes) -> bool:
        for field in record.fields:
            width = field.width
            assert width is not None
            wanted = set(field.values)
            if isinstance(field.meaning, Constant) and field.meaning.selects:
                wanted.add(field.meaning.text)
            cell = line[width.offset : width.offset + width.bytes_].decode("latin-1").strip()
            if wanted and cell not in wanted:
                return False
        return True


def rows(records: list[tuple[Record, list[Any]]], lead: str, children: set[str]) -> list[dict[str, Any]]:
    """What each row says, by meaning: that of its first record with those below it."""
    found: list[dict[str, Any]] = []
    for record, values in records:
        if record.name == lead:
            found.append({})
        if record.name == lead or record.name in children:
            for field, value in zip(record.fields, values, strict=True):
                if not isinstance(field.meaning, Binding):
                    continue
                name = field.meaning.name
                if field.meaning.is_slice:
                    found[-1][name] = found[-1].get(name, "") + value
                else:
                    found[-1][name] = value
    return found

"""A batch as JSON Lines: the envelope object on the first line, then one payment a line.

Keys are the English names of the table; every value is text, only `declared_count` may be
an integer. An absent key is an empty value. This is also the canonical form that is signed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import islice
from operator import attrgetter
from typing import Any

import msgspec

from formats.codec import CHUNK_RECORDS
from formats.errors import BatchError
from formats.masking import mask_text
from formats.records import Batch, Problem, Severity
from formats.standard import bytestream
from formats.standard.envelope import read_envelope
from formats.standard.examine import RowBlock
from formats.standard.findings import Fault, Places
from formats.standard.table import PAYMENT_FIELDS, Presence

PaymentLine: Any = msgspec.defstruct(
    "PaymentLine",
    [(field.english, str, "") for field in PAYMENT_FIELDS],
    omit_defaults=True,
    forbid_unknown_fields=True,
)
"""One payment as its line in the canonical form: text only, empty values left out."""

ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(PaymentLine)
_NAMES = [field.english for field in PAYMENT_FIELDS]
_GETTERS = {field.attribute: attrgetter(field.english) for field in PAYMENT_FIELDS}
_ALWAYS = [field.attribute for field in PAYMENT_FIELDS if field.presence is not Presence.OPTIONAL]
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_NO_OBJECT = Fault("line_unreadable", "one JSON object", Severity.REFUSES)
_CUT = Fault("file_cut", "a whole JSON object", Severity.REFUSES, hint="was the file cut?")
_UNKNOWN_KEY = Fault("column_unknown", "only keys of the standard batch", Severity.REFUSES)
_REPEATED_KEY = Fault("column_repeated", "every key once", Severity.REFUSES)
_NOT_TEXT = Fault("value_not_text", "text in quotes, also for amounts", Severity.REFUSES)


class _RowError(Exception):
    def __init__(self, fault: Fault, found: str) -> None:
        self.fault = fault
        self.found = found
        super().__init__(fault.code)


class JsonLinesSource:
    """Implements `RowSource` over one file."""

    def __init__(self, path: bytestream.BatchFile) -> None:
        self.problems: list[Problem] = []
        self.whole = False
        self.places = Places(path.name, "line", {field.attribute: field.english for field in PAYMENT_FIELDS})
        self._path = path
        self._raw = bytestream.DigestingFile(bytestream.open_file(path))
        self._file = io.BufferedReader(self._raw, bytestream.BLOCK_BYTES)
        self._line = 1
        try:
            self.batch = self._read_envelope()
        except BaseException:
            self.close()
            raise

    def blocks(self) -> Iterator[RowBlock]:
        while lines := self._read_lines():
            yield self._block(lines)
            self._line += len(lines)
        if self._raw.has_nul:
            self.problems.append(bytestream.nul_problem(self._path))
        elif self.whole and self._raw.last_byte != b"\n":
            self.problems.append(bytestream.cut_warning(self._path.name))

    def digest(self) -> str:
        return self._raw.hexdigest()

    def close(self) -> None:
        self._file.close()

    def _read_lines(self) -> list[bytes]:
        try:
            lines = list(islice(self._file, CHUNK_RECORDS))
        except bytestream.LineTooLong:
            self.problems.append(bytestream.long_line_problem(self._path.name))
            return []
        self.whole = not lines
        return lines

    def _block(self, lines: list[bytes]) -> RowBlock:
        joined = b"".join(lines)
        numbers: list[int] | range = range(self._line + 1, self._line + 1 + len(lines))
        problems: list[Problem] = []
        try:
            rows = _DECODER.decode_lines(joined)
            # Written again it is the same: so no key was there twice, and no line was empty.
            canonical = len(rows) == len(lines) and ENCODER.encode_lines(rows) == joined
        except (msgspec.MsgspecError, UnicodeError):
            canonical = False
        if not canonical:
            rows, numbers, problems = self._line_by_line(lines)
        columns = {attribute: list(map(getter, rows)) for attribute, getter in _GETTERS.items()}
        present = {name: column for name, column in columns.items() if name in _ALWAYS or any(column)}
        return RowBlock(rows=len(rows) + len(problems), columns=present, lines=numbers, problems=problems)

    def _line_by_line(self, lines: list[bytes]) -> tuple[list[Any], list[int], list[Problem]]:
        rows, numbers, problems = [], [], []
        for offset, line in enumerate(lines):
            number = self._line + 1 + offset
            if not line.strip():
                continue
            try:
                rows.append(_payment_line(line))
                numbers.append(number)
            except _RowError as error:
                problems.append(self.places.problem(number, "", error.fault, error.found))
            except UnicodeDecodeError as error:
                message = f"line {number} byte {error.start + 1} of the line: found no UTF-8"
                problems.append(self.places.whole("encoding_invalid", message, line=number))
        return rows, numbers, problems

    def _read_envelope(self) -> Batch:
        source = self._path.name
        try:
            line = self._file.readline().removeprefix(_BYTE_ORDER_MARK)
            pairs = _pairs(line)
        except UnicodeDecodeError:
            raise BatchError([bytestream.encoding_problem(self._path)]) from None
        except bytestream.LineTooLong:
            raise BatchError([bytestream.long_line_problem(source)]) from None
        except _RowError as error:
            problem = self.places.problem(1, "", error.fault, error.found)
            hint = "the first line is the envelope, an object with batch_id and so on"
            raise BatchError([msgspec.structs.replace(problem, hint=hint)]) from None
        entries = []
        for key, value in pairs:
            counts = key == "declared_count" and type(value) is int and abs(value) < 10**18
            if not counts and not isinstance(value, str):
                raise BatchError([self.places.problem(1, "", _NOT_TEXT, "another value in the envelope")])
            entries.append((1, key, str(value)))
        return read_envelope(source, "line", entries)


def _payment_line(line: bytes) -> Any:
    pairs = _pairs(line)
    values = dict(pairs)
    if len(values) != len(pairs):
        raise _RowError(_REPEATED_KEY, "a key twice")
    unknown = values.keys() - set(_NAMES)
    if unknown:
        raise _RowError(_UNKNOWN_KEY, f"{len(unknown)} other" + (f" ({_shown(unknown)})"))
    wrong = [name for name in _NAMES if not isinstance(values.get(name, ""), str)]
    if wrong:
        raise _RowError(_NOT_TEXT, "another value in " + ", ".join(wrong))
    return PaymentLine(**values)


def _pairs(line: bytes) -> list[tuple[str, Any]]:
    text = line.decode("utf-8")
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        fault = _NO_OBJECT if line.endswith(b"\n") else _CUT
        raise _RowError(fault, mask_text(text[:1000].strip())) from None
    if not isinstance(pairs, _Pairs):
        raise _RowError(_NO_OBJECT, "another JSON value")
    return pairs


class _Pairs(list[tuple[str, Any]]):
    """An object's keys and values in order, repeated ones too."""


def _shown(keys: set[str]) -> str:
    return mask_text(min(keys))

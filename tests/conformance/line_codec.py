"""A codec in code, as a bank engineer would write one, and the same with one bug at a time.

request   REQ;count;total          then   P;reference;account;name;fen
result    RES;count;total          then   R;reference;account;fen;code;*
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from formats import (
    DecodeError,
    Decoder,
    EncodeError,
    FileIdentity,
    Problem,
    Purpose,
    Reason,
    RecordChunk,
    Status,
    make_references,
)

BUGS = ("cut", "default", "padded", "crash", "unseen", "wraps", "forgets", "replaces", "dedupes", "columns")
CODES = {"00": (Status.CREDITED, Reason.NONE), "41": (Status.FAILED, Reason.ACCOUNT_NOT_FOUND)}
_WIDTHS = {"payment.account": 20, "payment.payee_name": 10, "outcome.code": 4}


class LineCodec:
    """See `formats.codec.Codec`. `bug` is one of `BUGS`, or none."""

    version = "1"
    digest = "0" * 64
    encoding = "utf-8"
    highest_sequence = 10**12 - 1

    def __init__(self, name: str, purpose: Purpose, bug: str = "") -> None:
        self.name, self.purpose, self.bug = name, purpose, bug

    @property
    def names(self) -> tuple[str, ...]:
        if self.purpose is Purpose.REQUEST:
            return ("attempt.reference", "payment.account", "payment.payee_name", "payment.amount")
        return ("attempt.reference", "payment.account", "outcome.amount", "outcome.code")

    @property
    def amount(self) -> str:
        return "payment.amount" if self.purpose is Purpose.REQUEST else "outcome.amount"

    def columns(self, record: str = "payment") -> frozenset[str]:
        if self.bug == "columns":
            raise RuntimeError("not written yet")
        made = {"attempt.reference"} if self.purpose is Purpose.REQUEST else set()
        return frozenset(self.names) - made if record == "payment" else frozenset()

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None = None) -> list[Problem]:
        return [
            Problem(code="does-not-fit", message=f"{self.name} {row + 1} {name}: does not fit", line=row + 1)
            for name in self.names
            if name in chunk.columns
            for row, value in enumerate(chunk.columns[name])
            if not self._fits(name, value)
        ]

    def _fits(self, name: str, value: Any) -> bool:
        if name == self.amount:
            return isinstance(value, int) and 0 <= value < 10**6
        if not isinstance(value, str) or value != value.strip() or not (value or name == "outcome.code"):
            return False
        if not value.isprintable() or ";" in value:
            return False
        if not value.isascii() and self.bug != "replaces":
            return False
        return len(value) <= _WIDTHS.get(name, 20) or (self.bug == "cut" and name == "payment.payee_name")

    def substitute(self, chunk: RecordChunk) -> tuple[RecordChunk, list[Problem]]:
        return chunk, []

    def encode(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        chunks = list(chunks)
        problems = [problem for chunk in chunks for problem in self.problems(chunk, identity)]
        count = sum(chunk.count for chunk in chunks)
        total = sum(sum(chunk.columns[self.amount]) for chunk in chunks)
        if self.bug == "wraps":
            total %= 10**8
        elif total >= 10**8:
            problems.append(Problem(code="total", message=f"{self.name}: the total does not fit"))
        if problems:
            raise EncodeError(problems)
        mark = "REQ" if self.purpose is Purpose.REQUEST else "RES"
        yield f"{mark};{count};{total}\n".encode()
        before = 0
        for chunk in chunks:
            yield b"".join(self._line(identity, chunk, row, before + row) for row in range(chunk.count))
            before += chunk.count

    def _line(self, identity: FileIdentity, chunk: RecordChunk, row: int, item: int) -> bytes:
        cells = [
            make_references(identity.sequence, [item + 1], 20)[0]
            if name not in chunk.columns
            else str(chunk.columns[name][row])[: _WIDTHS.get(name, 20)]
            for name in self.names
        ]
        if self.purpose is Purpose.REQUEST:
            return ";".join(["P", *cells]).encode("ascii", "replace") + b"\n"
        return ";".join(["R", *cells, "*"]).encode("ascii", "replace") + b"\n"

    def decode(self, source: BinaryIO, identity: FileIdentity | None = None) -> Decoder:
        return _Lines(self, source.read())


class _Lines:
    """One file."""

    def __init__(self, codec: LineCodec, raw: bytes) -> None:
        self.facts: dict[str, Any] = {"declared": {}}
        self.problems: list[Problem] = []
        self._codec, self._raw = codec, raw

    def __iter__(self) -> Iterator[RecordChunk]:
        try:
            lines = io.TextIOWrapper(io.BytesIO(self._raw), "utf-8", newline="\n").read().split("\n")
        except UnicodeDecodeError as error:
            raise self._refused(1) from error
        if self._codec.bug != "padded" and lines[-1]:
            raise self._refused(len(lines))
        columns: dict[str, list[Any]] = {name: [] for name in self._codec.names}
        head = lines[0].split(";")
        if len(head) != 3 or head[0] != ("REQ" if self._codec.purpose is Purpose.REQUEST else "RES"):
            raise self._refused(1)
        for number, line in enumerate(lines[1:], start=2):
            if line and not (self._codec.bug == "dedupes" and line in lines[1 : number - 1]):
                self._take(line, number, columns)
        count = len(columns["attempt.reference"])
        if count:
            self._map(columns)
            yield RecordChunk(record="payment", count=count, columns=columns, lines=range(1, count + 1))
        declared = (self._number(head[1], 1), self._number(head[2], 1))
        if self._codec.bug != "forgets" and declared != (count, sum(columns[self._codec.amount])):
            self.problems.append(Problem(code="total-differs", message="totals differ"))

    def _take(self, line: str, number: int, columns: dict[str, list[Any]]) -> None:
        names = self._codec.names
        cells = line.split(";")
        ends = [] if self._codec.purpose is Purpose.REQUEST else ["*"]
        wanted = 1 + len(names) + len(ends)
        if self._codec.bug == "padded":
            cells += ["0"] * (wanted - len(cells))
        if len(cells) != wanted or cells[0] not in ("P", "R"):
            raise self._refused(number)
        if ends and cells[-1] != "*" and self._codec.bug not in ("unseen", "padded"):
            raise self._refused(number)
        for name, cell in zip(names, cells[1:], strict=False):
            columns[name].append(self._number(cell, number) if name == self._codec.amount else cell)

    def _number(self, cell: str, number: int) -> int:
        if self._codec.bug == "crash":
            return int(cell)
        if not (cell.isascii() and cell.isdigit()) or (len(cell) > 1 and cell[0] == "0"):
            raise self._refused(number)
        return int(cell)

    def _map(self, columns: dict[str, list[Any]]) -> None:
        if "outcome.code" not in columns:
            return
        other = (Status.FAILED, Reason.ACCOUNT_CLOSED) if self._codec.bug == "default" else _UNMAPPED
        words = [CODES.get(code, other) for code in columns["outcome.code"]]
        columns["outcome.status"] = [status for status, _ in words]
        columns["outcome.reason"] = [reason for _, reason in words]

    def _refused(self, line: int) -> DecodeError:
        message = f"{self._codec.name} line {line}: not understood"
        return DecodeError([Problem(code="not-understood", message=message, line=line)])


_UNMAPPED = (Status.UNKNOWN, Reason.UNMAPPED)

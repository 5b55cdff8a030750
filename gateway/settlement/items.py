"""The payments of one file in item order: read from the lane, kept sealed, compared with.

`LanePayments` is what a file is made from; `Items` is what was put into it, kept sealed
beside the file so that a bank's echo can be compared with what we wrote, without a look
into the database and without names or accounts in it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Struct

from formats import CHUNK_RECORDS, Codec, Problem, RecordChunk, Severity
from gateway.errors import IntegrityError
from gateway.ledger.lanes import DuePayment
from gateway.store.spool import Columns, ColumnsReader, Spool, select_rows

ITEM_COLUMNS = ("payment.account", "payment.payee_name", "payment.amount")

_CACHED_FRAMES = 256
"""Frames of a file kept open while results are compared: more than the largest file has."""


class LanePayments:
    """The chosen payments of a lane as chunks, re-iterable; item numbers count from 1.

    Each record is compared with the ledger's row (id and amount) on the way: a payment can
    never take its neighbour's account. Names with an alias are written by it, then the layout
    substitutes what it says; `changes` tells of both for the chunk given last.
    """

    def __init__(
        self,
        spool: Spool,
        lane_name: str,
        payments: list[DuePayment],
        codec: Codec,
        written_names: dict[str, str],
    ) -> None:
        self.changes: list[Problem] = []
        self._codec = codec
        self._spool = spool
        self._lane_name = lane_name
        self._payments = payments
        self._wanted = codec.columns("payment") | {"payment.payment_id", "payment.amount", *ITEM_COLUMNS}
        self._written_names = written_names

    def __iter__(self) -> Iterator[RecordChunk]:
        item = 1
        with self._spool.open_columns(self._lane_name) as lane:
            for frame, group in groupby(self._payments, key=_frame_of):
                payments = list(group)
                yield self._chunk(lane, frame, payments, item)
                item += len(payments)

    def _chunk(self, lane: ColumnsReader, frame: int, payments: list[DuePayment], item: int) -> RecordChunk:
        columns = lane.columns(frame, self._wanted)
        rows = [payment.position % CHUNK_RECORDS for payment in payments]
        columns = select_rows(columns, rows, len(columns["payment.amount"]))
        if columns["payment.payment_id"] != [payment.payment_id for payment in payments] or columns[
            "payment.amount"
        ] != [payment.amount_minor for payment in payments]:
            raise IntegrityError(
                f"lane {self._lane_name} does not hold the payments that the ledger says",
                hint="nothing was sent; restore spool and ledger from the same backup",
            )
        items = range(item, item + len(payments))
        aliased = self._write_aliases(columns, items)
        columns["attempt.item"] = list(items)
        chunk = RecordChunk(record="payment", count=len(payments), columns=columns, lines=items)
        chunk, substituted = self._codec.substitute(chunk)
        self.changes = aliased + substituted
        return chunk

    def _write_aliases(self, columns: Columns, items: range) -> list[Problem]:
        aliases = self._written_names
        names = columns["payment.payee_name"]
        if aliases.keys().isdisjoint(names):
            return []
        columns["payment.payee_name"] = [aliases.get(name, name) for name in names]
        return [
            Problem(
                code="alias",
                message=f"item {item}: written under its approved alias",
                severity=Severity.WARNS,
                line=item,
                column="payee_name",
                payment_id=payment_id,
            )
            for item, name, payment_id in zip(items, names, columns["payment.payment_id"], strict=True)
            if name in aliases
        ]


def _frame_of(payment: DuePayment) -> int:
    return payment.position // CHUNK_RECORDS


class Changes:
    """What was written otherwise than handed over: a sealed file of JSON lines, if there is any."""

    def __init__(self, spool: Spool, name: str) -> None:
        self.counts: Counter[str] = Counter()
        """By kind: `alias`, `substituted`."""
        self._spool = spool
        self._name = name

    @contextmanager
    def open(self) -> Iterator[Callable[[list[Problem]], None]]:
        """How to note changes; the file is kept when the context is left without an error."""
        with ExitStack() as stack:
            sink = None

            def note(changes: list[Problem]) -> None:
                nonlocal sink
                if changes and sink is None:
                    sink = stack.enter_context(self._spool.create(self._name))
                for change in changes:
                    self.counts[change.code] += 1
                    assert sink is not None, "opened for the first change"
                    sink.write(msgspec.json.encode(change) + b"\n")

            yield note


def write_items(spool: Spool, name: str, chunks: LanePayments, note: Callable[[list[Problem]], None]) -> None:
    """Keep what is about to be written, in frames of exactly `CHUNK_RECORDS` items; note what was changed."""
    writer = spool.create_columns(name)
    pending: Columns = {column: [] for column in ITEM_COLUMNS}
    try:
        for chunk in chunks:
            note(chunks.changes)
            for column in ITEM_COLUMNS:
                pending[column].extend(chunk.columns[column])
            while len(pending["payment.amount"]) >= CHUNK_RECORDS:
                writer.append({c: v[:CHUNK_RECORDS] for c, v in pending.items()}, CHUNK_RECORDS)
                pending = {c: v[CHUNK_RECORDS:] for c, v in pending.items()}
        if rest := len(pending["payment.amount"]):
            writer.append(pending, rest)
        writer.commit()
    except BaseException:
        writer.discard()
        raise


class Expected(Struct):
    """What we wrote for some items, in their order."""

    accounts: list[str]
    names: list[str]
    amounts: list[int]


class Items:
    """What was written, by item number. Bounded: a file has at most 200,000 items."""

    def __init__(self, reader: ColumnsReader, count: int) -> None:
        self.count = count
        self._reader = reader
        self._frames: OrderedDict[int, Columns] = OrderedDict()

    def expected(self, items: Sequence[int]) -> Expected:
        """Account, name and amount of each item; items must be within 1..count.

        A `range` is read in step with the file, anything else by look-ups.
        """
        if isinstance(items, range):
            return self._gather(lambda column: self._in_step(column, items.start - 1, items.stop - 1))
        places = [divmod(item - 1, CHUNK_RECORDS) for item in items]
        return self._gather(lambda column: [self._frame(number)[column][row] for number, row in places])

    def _in_step(self, column: str, start: int, stop: int) -> list[Any]:
        """A column's values from place `start` (0-based), before `stop`, over the frames' limits."""
        values: list[Any] = []
        while start < stop:
            number, row = divmod(start, CHUNK_RECORDS)
            values += self._frame(number)[column][row : row + stop - start]
            start = (number + 1) * CHUNK_RECORDS
        return values

    @staticmethod
    def _gather(column: Callable[[str], list[Any]]) -> Expected:
        accounts, names, amounts = (column(name) for name in ITEM_COLUMNS)
        return Expected(accounts, names, amounts)

    def _frame(self, number: int) -> Columns:
        frame = self._frames.get(number)
        if frame is None:
            frame = self._frames[number] = self._reader.columns(number, ITEM_COLUMNS)
            if len(self._frames) > _CACHED_FRAMES:
                self._frames.popitem(last=False)
        return frame

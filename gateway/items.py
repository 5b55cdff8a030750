"""The payments of one file in item order: read from the lane, kept sealed, compared with.

`LanePayments` is what a file is made from; `Items` is what was put into it, kept sealed
beside the file so that a bank's echo can be compared with what we wrote, without a look
into the database and without names or accounts in it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from msgspec import Struct

from formats import CHUNK_RECORDS, RecordChunk
from gateway.errors import IntegrityError
from gateway.ledger_files import DuePayment
from gateway.spool import Columns, ColumnsReader, Spool, select_rows

ITEM_COLUMNS = ("payment.account", "payment.payee_name", "payment.amount")

_CACHED_FRAMES = 256
"""Frames of a file kept open while results are compared: more than the largest file has."""


class LanePayments:
    """The chosen payments of a lane as chunks, re-iterable; item numbers count from 1.

    Each record is compared with the ledger's row (id and amount) on the way: a payment can
    never take its neighbour's account.
    """

    def __init__(
        self,
        spool: Spool,
        lane_name: str,
        payments: list[DuePayment],
        wanted: frozenset[str],
        written_names: dict[str, str],
    ) -> None:
        self._spool = spool
        self._lane_name = lane_name
        self._payments = payments
        self._wanted = wanted | {"payment.payment_id", "payment.amount", *ITEM_COLUMNS}
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
        if self._written_names:
            names = columns["payment.payee_name"]
            columns["payment.payee_name"] = [self._written_names.get(name, name) for name in names]
        items = range(item, item + len(payments))
        columns["attempt.item"] = list(items)
        return RecordChunk(record="payment", count=len(payments), columns=columns, lines=items)


def _frame_of(payment: DuePayment) -> int:
    return payment.position // CHUNK_RECORDS


def write_items(spool: Spool, name: str, chunks: LanePayments) -> None:
    """Keep what is about to be written, in frames of exactly `CHUNK_RECORDS` items."""
    writer = spool.create_columns(name)
    pending: Columns = {column: [] for column in ITEM_COLUMNS}
    try:
        for chunk in chunks:
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

    def expected(self, items: list[int]) -> Expected:
        """Account, name and amount of each item; items must be within 1..count."""
        if not items:
            return Expected([], [], [])
        if items == list(range(items[0], items[0] + len(items))):
            return self._gather(lambda column: self._in_step(column, items[0], items[-1]))
        return self._gather(
            lambda column: [
                self._frame((item - 1) // CHUNK_RECORDS)[column][(item - 1) % CHUNK_RECORDS] for item in items
            ]
        )

    def _in_step(self, column: str, first: int, last: int) -> list[Any]:
        """Items first..last, wherever the frames' limits are."""
        frames = range((first - 1) // CHUNK_RECORDS, (last - 1) // CHUNK_RECORDS + 1)
        values = [value for frame in frames for value in self._frame(frame)[column]]
        start = (first - 1) % CHUNK_RECORDS
        return values[start : start + last - first + 1]

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

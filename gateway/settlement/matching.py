"""Which of our payments a bank's records are about: by (file, item), never by payee and amount."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Self

from msgspec import Struct

from formats import RecordChunk, Status, items_of_sequence
from gateway.ledger.files import FileRow
from gateway.ledger.outcomes import LatestOutcome, Words
from gateway.settlement.items import Items
from gateway.settlement.partial_returns import Return

Mistake = tuple[str, str]
"""Code and message of a problem."""


class Book(Struct):
    """What settlement knows of one of our files while its answer is read.

    `written` is what we wrote, `keys` the payment_pk by item, `current` the outcome by
    payment_pk as it was before this answer, `again` the items that were named more than once.
    `said` is what the bank had said of payments about which persons decided since, by payment_pk.
    `seen` and `settled` have a byte for each item: 1 once it was named, 1 while its payment has
    an outcome other than unknown. `paired` are the payment_pk of which the other half of this
    answer tells. `returns` is what the answer's layout means by the amount of a return, and
    `returned` what was told of money that came back, by payment_pk.
    """

    file: FileRow
    written: Items
    keys: array[int]
    current: dict[int, LatestOutcome]
    said: dict[int, set[Words]]
    seen: bytearray
    settled: bytearray
    again: set[int]
    paired: Collection[int] = ()
    returns: str = ""
    returned: dict[int, list[Return]] = {}

    @classmethod
    def open(
        cls,
        file: FileRow,
        written: Items,
        keys: array[int],
        current: dict[int, LatestOutcome],
        said: dict[int, set[Words]],
    ) -> Self:
        """Nothing of the answer was read yet."""
        settled = bytearray(len(keys))
        if current:
            ended = {key for key, outcome in current.items() if outcome.status is not Status.UNKNOWN}
            settled = bytearray(key in ended for key in keys)
        return cls(file, written, keys, current, said, bytearray(len(keys)), settled, set())

    @property
    def open_items(self) -> int:
        """Items whose payment has no outcome yet, or an unknown one."""
        return self.file.payment_count - self.settled.count(1)

    def note(self, items: Sequence[int], statuses: Sequence[Status]) -> None:
        """Remember what the payments of these items are now."""
        if isinstance(items, range) and Status.UNKNOWN not in statuses:
            self.settled[items.start : items.stop] = b"\x01" * len(items)
            return
        for item, status in zip(items, statuses, strict=True):
            self.settled[item] = status is not Status.UNKNOWN

    def items_of(self, chunk: RecordChunk) -> list[int | None]:
        """Item numbers by reference or position; None where there is no key of this file's."""
        if "attempt.reference" in chunk.columns:
            return items_of_sequence(chunk.columns["attempt.reference"], self.file.sequence)
        return list(chunk.columns.get("attempt.item", [None] * chunk.count))

    def keys_of(self, items: Sequence[int]) -> list[int]:
        """The payment_pk of each item; items are those that `match` gave."""
        if isinstance(items, range):
            return self.keys[items.start : items.stop].tolist()
        return [self.keys[item] for item in items]

    def match(self, chunk: RecordChunk) -> tuple[RecordChunk, Sequence[int], list[Mistake]]:
        """The records that are items of the file, their numbers, and what is wrong with the others.

        An item named again is kept, so that its payment becomes unknown, and told. Where the
        items stand one after the other, as nearly always, their numbers are a `range`.
        """
        items = self.items_of(chunk)
        run = _run(items)
        if run is not None and self._takes(run):
            return chunk, run, []
        return self._match_one_by_one(chunk, items)

    def _takes(self, run: range) -> bool:
        """Note a run of items that are in the file and were not named before; False for others."""
        inside = run.start >= 1 and run.stop <= self.file.payment_count + 1
        if not inside or self.seen.find(1, run.start, run.stop) >= 0:
            return False
        self.seen[run.start : run.stop] = b"\x01" * len(run)
        return True

    def _match_one_by_one(
        self, chunk: RecordChunk, items: list[int | None]
    ) -> tuple[RecordChunk, list[int], list[Mistake]]:
        count = self.file.payment_count
        bad = {row for row, item in enumerate(items) if item is None or not 1 <= item <= count}
        mistakes = [
            ("unmatched", f"line {chunk.lines[row]} is no payment of file {self.file.name}")
            for row in sorted(bad)
        ]
        if bad:
            left = [row for row in range(chunk.count) if row not in bad]
            chunk = RecordChunk(
                record=chunk.record,
                count=len(left),
                columns={name: [values[row] for row in left] for name, values in chunk.columns.items()},
                lines=[chunk.lines[row] for row in left],
            )
            items = [items[row] for row in left]
        matched = [item for item in items if item is not None]
        for row, item in enumerate(matched):
            if self.seen[item]:
                mistakes.append(("twice", f"line {chunk.lines[row]} names item {item} a second time"))
                self.again.add(item)
            self.seen[item] = 1
        return chunk, matched, mistakes


def _run(items: list[int | None]) -> range | None:
    """Numbers that grow by one, as a range; None for anything else."""
    if not items or items[0] is None:
        return None
    run = range(items[0], items[0] + len(items))
    return run if items == list(run) else None

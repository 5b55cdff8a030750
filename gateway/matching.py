"""Which of our payments a bank's records are about: by (file, item), never by payee and amount."""

from __future__ import annotations

from array import array

from msgspec import Struct

from formats import RecordChunk, items_of_sequence
from gateway.items import Items
from gateway.ledger_files import FileRow
from gateway.ledger_outcomes import LatestOutcome

Mistake = tuple[str, str]
"""Code and message of a problem."""


class Book(Struct):
    """What settlement knows of one of our files while its answer is read.

    `written` is what we wrote, `keys` the payment_pk by item, `current` the outcome by
    payment_pk, `seen` how often an item was named.
    """

    file: FileRow
    written: Items
    keys: array[int]
    current: dict[int, LatestOutcome]
    seen: bytearray

    def items_of(self, chunk: RecordChunk) -> list[int | None]:
        """Item numbers by reference or position; None where there is no key of this file's."""
        if "attempt.reference" in chunk.columns:
            return items_of_sequence(chunk.columns["attempt.reference"], self.file.sequence)
        return list(chunk.columns.get("attempt.item", [None] * chunk.count))

    def match(self, chunk: RecordChunk) -> tuple[RecordChunk, list[int], list[Mistake]]:
        """The records that are items of the file, their numbers, and what is wrong with the others.

        An item named again is kept, so that its payment becomes unknown, and told.
        """
        items = self.items_of(chunk)
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
            self.seen[item] = min(255, self.seen[item] + 1)
        return chunk, matched, mistakes

"""What a simulated bank took and really paid: its accounts, by rule."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from formats.codec import Codec
from formats.records import RecordChunk
from formats.reference import parse_reference
from gateway.simulator.scenario import Deciders, DrawnBy, Fate, NamedPayment, Scenario, draw_text
from gateway.simulator.store import Blob

_BITS = 8
_FATES = tuple(Fate)


class Taken(Struct, kw_only=True):
    """One file that was taken and paid, by the scenario of that time. `ordinal` counts from 1.

    `decided` holds what was decided of each payment, five bytes apiece instead of a draw each
    time that somebody asks.
    """

    ordinal: int
    name: str
    content: Blob
    count: int
    total_minor: int
    facts: dict[str, Any]
    scenario: Scenario
    decided: Decisions

    @property
    def result_after_hours(self) -> int:
        """How late its result is for the sake of named payments."""
        return max((one.result_after_hours for one in self.decided.named), default=0)

    @property
    def returned_after_hours(self) -> int:
        """How long after the result the money of named payments comes back."""
        return max((one.returned_after_hours for one in self.decided.named), default=0)


class Decisions:
    """Fates and choices of a file's payments, in the order of items. Empty: all are credited."""

    def __init__(self, deciders: Deciders) -> None:
        self._deciders = deciders
        self.named: list[NamedPayment] = []
        """The payments of the file that the scenario names."""
        self._fates = bytearray()
        self._choices = array("i")

    def add(self, draws: list[str]) -> None:
        """Decide over the next payments of the file; see `draws_of`."""
        if self._deciders.pays_all:
            return
        self.named += self._deciders.named(draws)
        for fate, choice in self._deciders.fates(draws):
            self._fates.append(_FATES.index(fate))
            self._choices.append(choice)

    def of(self, first_item: int, count: int) -> tuple[list[Fate], list[int]]:
        """Fates and choices of `count` payments from `first_item` (1-based)."""
        if self._deciders.pays_all:
            return [Fate.CREDITED] * count, [0] * count
        start = first_item - 1
        fates = [_FATES[index] for index in self._fates[start : start + count]]
        return fates, self._choices[start : start + count].tolist()


class Booked(Struct, kw_only=True):
    """A chunk of payments as the bank booked them: columns of `chunk.count` values.

    Amounts are minor units. `choices` are numbers to choose reasons by, `draws` the texts that
    decide over each.
    """

    chunk: RecordChunk
    first_item: int
    references: list[str]
    draws: list[str]
    fates: list[Fate]
    choices: list[int]
    credited_minor: list[int]
    returned_minor: list[int]


class Paid(Struct, frozen=True, kw_only=True):
    """What really became of one payment. Amounts are minor units."""

    reference: str
    file_name: str
    item: int
    account: str
    payee_name: str
    fate: Fate
    instructed_minor: int
    credited_minor: int
    returned_minor: int


class Truth(Struct, kw_only=True):
    """Counts and sums (minor units) over everything taken, to compare with a ledger's."""

    files: int = 0
    instructed_count: int = 0
    instructed_minor: int = 0
    credited_count: int = 0
    credited_minor: int = 0
    returned_count: int = 0
    returned_minor: int = 0
    by_fate: dict[Fate, tuple[int, int]] = field(default_factory=dict)
    """Count and instructed sum of each fate."""


def book(taken: Taken, codec: Codec) -> Iterator[Booked]:
    """The file's payments as this bank books them; the same every time it is asked."""
    first_item = 1
    with taken.content.open() as source:
        for chunk in codec.decode(source):
            if chunk.record == "payment":
                yield _book_chunk(taken, chunk, first_item)
                first_item += chunk.count


def references_of(name: str, chunk: RecordChunk, first_item: int) -> list[str]:
    """References as the file writes them; where it only counts, its name and the item."""
    written = chunk.columns.get("attempt.reference")
    if written is not None:
        return written
    items = chunk.columns.get("attempt.item") or range(first_item, first_item + chunk.count)
    return [f"{name}/{item}" for item in items]


def draws_of(scenario: Scenario, chunk: RecordChunk, references: list[str]) -> list[str]:
    """What decides over each payment of a chunk, by the scenario."""
    accounts = chunk.columns.get("payment.account")
    if scenario.drawn_by is DrawnBy.REFERENCE or accounts is None:
        return references
    names = chunk.columns.get("payment.payee_name") or [""] * chunk.count
    return list(map(draw_text, accounts, chunk.columns["payment.amount"], names))


def paid_items(taken: Taken, codec: Codec) -> Iterator[Paid]:
    """The file's payments one by one."""
    for booked in book(taken, codec):
        columns = booked.chunk.columns
        blank = [""] * booked.chunk.count
        rows = zip(
            booked.references,
            columns.get("payment.account", blank),
            columns.get("payment.payee_name", blank),
            booked.fates,
            columns["payment.amount"],
            booked.credited_minor,
            booked.returned_minor,
            strict=True,
        )
        for item, (reference, account, name, fate, instructed, credited, returned) in enumerate(
            rows, booked.first_item
        ):
            yield Paid(
                reference=reference,
                file_name=taken.name,
                item=item,
                account=account,
                payee_name=name,
                fate=fate,
                instructed_minor=instructed,
                credited_minor=credited,
                returned_minor=returned,
            )


class References:
    """A set of references: a bit each for those of our make, text for all others."""

    def __init__(self) -> None:
        self._bits: dict[tuple[int, int], bytearray] = {}
        self._others: set[str] = set()

    def add(self, references: list[str]) -> int:
        """Add all; how many of them were in the set already."""
        return sum(map(self._add, references))

    def common(self, other: References) -> int:
        """How many references both sets hold."""
        shared = len(self._others & other._others)
        for key, theirs in other._bits.items():
            ours = self._bits.get(key, b"")
            shared += sum((one & two).bit_count() for one, two in zip(ours, theirs, strict=False))
        return shared

    def update(self, other: References) -> None:
        """Add everything that another set holds."""
        self._others |= other._others
        for key, theirs in other._bits.items():
            ours = self._bits.setdefault(key, bytearray())
            ours.extend(bytes(max(len(theirs) - len(ours), 0)))
            for offset, bits in enumerate(theirs):
                ours[offset] |= bits

    def _add(self, reference: str) -> bool:
        place = _place(reference)
        if place is None:
            known = reference in self._others
            self._others.add(reference)
            return known
        key, offset, mask = place
        bits = self._bits.setdefault(key, bytearray())
        if offset >= len(bits):
            bits.extend(bytes(offset + 1 - len(bits)))
        known = bool(bits[offset] & mask)
        bits[offset] |= mask
        return known


def _place(reference: str) -> tuple[tuple[int, int], int, int] | None:
    """Width and sequence, byte, and bit of a reference of our make; None for any other."""
    parsed = parse_reference(reference)
    if parsed is None:
        return None
    sequence, item = parsed
    offset, bit = divmod(item, _BITS)
    return (len(reference), sequence), offset, 1 << bit


def add_to_truth(truth: Truth, taken: Taken, codec: Codec) -> None:
    """Count one file's payments into the truth."""
    truth.files += 1
    for booked in book(taken, codec):
        instructed = booked.chunk.columns["payment.amount"]
        truth.instructed_count += booked.chunk.count
        truth.instructed_minor += sum(instructed)
        truth.credited_count += sum(1 for amount in booked.credited_minor if amount)
        truth.credited_minor += sum(booked.credited_minor)
        truth.returned_count += sum(1 for amount in booked.returned_minor if amount)
        truth.returned_minor += sum(booked.returned_minor)
        for fate, amount in zip(booked.fates, instructed, strict=True):
            count, total = truth.by_fate.get(fate, (0, 0))
            truth.by_fate[fate] = (count + 1, total + amount)


def _book_chunk(taken: Taken, chunk: RecordChunk, first_item: int) -> Booked:
    fates, choices = taken.decided.of(first_item, chunk.count)
    amounts = chunk.columns["payment.amount"]
    credited, returned = list(amounts), [0] * chunk.count
    for row, fate in enumerate(fates):
        if fate is Fate.FAILED:
            credited[row] = 0
        elif fate is Fate.SHORT:
            credited[row] = max(amounts[row] - taken.scenario.shortfall_minor, 1)
        elif fate is Fate.RETURNED:
            returned[row] = amounts[row]
    references = references_of(taken.name, chunk, first_item)
    return Booked(
        chunk=chunk,
        first_item=first_item,
        references=references,
        draws=draws_of(taken.scenario, chunk, references),
        fates=fates,
        choices=choices,
        credited_minor=credited,
        returned_minor=returned,
    )

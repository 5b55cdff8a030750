"""Rows of one kind: the record that begins each, with the records below it, many at a time.

Lines are told apart first, which gives a text of one letter a line. A pattern made of the row's
structure says how many whole rows it begins with; then the records of each kind are read
together, and their values put to their rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Protocol

from msgspec import Struct

from formats.codec import CHUNK_RECORDS
from formats.errors import DecodeError
from formats.flat.compiler import RecordPlan, RowPlan
from formats.flat.faults import FaultMaker
from formats.flat.lines import Window
from formats.flat.record_reader import Block, LineReader, RecordReader, Row, Taken
from formats.flat.row_columns import RowColumns
from formats.flat.running import RunningNumbers, counting_fields, own_numbers
from formats.language.model import Node

MAXIMUM_ROW_LINES = 20_000
MAXIMUM_ROW_BYTES = 8 << 20
"""Lines and bytes of one payment at most."""

_BLOCK_BYTES = 1 << 18
_FIRST_LINES = 32
_FIRST_LETTER = 0x100
_OTHER = "\0"
"""The letter of a line that is none of the row's."""


class RunReader(LineReader, Protocol):
    """A syntax's reader that also takes lines of one kind as they come."""

    def run(
        self, plan: RecordPlan, window: Window, limit: int, stops: Sequence[bytes], *, leave_last: bool
    ) -> Block | None:
        """As many records from the window as are plainly of this kind, at most `limit`.

        None where not even the first is: the line is then looked at by itself. `stops` are
        beginnings of lines that end the run. `leave_last`: all but the last of them.
        """
        ...

    def keys(self, plans: Sequence[RecordPlan], lines: Sequence[bytes]) -> Sequence[object]:
        """What tells the lines apart: lines with equal keys are of the same of these records."""
        ...


class Rows(Struct, frozen=True):
    """Some whole rows: columns by meaning, None or "" where a record is absent; the lines of each."""

    count: int
    size_bytes: int
    line_count: int
    lines: Sequence[int]
    columns: dict[str, list[Any]]
    present: frozenset[str]
    """Names of the records that occur."""
    record_counts: dict[str, int]
    hashes: dict[str, int]


class RowReader:
    """Reads the rows of one kind in one file."""

    def __init__(
        self, row: RowPlan, reader: RunReader, records: RecordReader, faults: FaultMaker, line_end: bytes
    ) -> None:
        self._row = row
        self._reader = reader
        self._records = records
        self._columns = RowColumns(row, records)
        self._faults = faults
        self._line_end = line_end
        self._plans = [plan for plans in row.records.values() for plan in plans]
        self._letters = {plan.label: chr(_FIRST_LETTER + place) for place, plan in enumerate(self._plans)}
        self._by_letter = {self._letters[plan.label]: plan for plan in self._plans}
        self._lead_letters = "".join(self._letters[plan.label] for plan in row.records[row.lead])
        self._pattern = re.compile(f"(?:{self._row_pattern()})*")
        self._counts = any(True for _ in counting_fields(self._plans))
        self._known: dict[object, str] = {}
        self._most_lines = _FIRST_LINES
        self._has_children = False
        self._limits = [
            node
            for child in row.children
            if child.any_order
            for node in child.children
            if node.minimum or node.maximum is not None
        ]

    def _row_pattern(self) -> str:
        """A regular expression over letters for one row."""
        return self._of(self._row.lead) + "".join(
            f"{self._of(*(node.name for node in child.children or (child,)))}{_times(child)}"
            for child in self._row.children
        )

    def _of(self, *names: str) -> str:
        letters = [self._letters[plan.label] for name in names for plan in self._row.records[name]]
        return f"[{''.join(letters)}]"

    def read(self, window: Window, room: int | None, stops: Sequence[bytes], numbers: RunningNumbers) -> Rows:
        """The next rows, at least one. Raises `DecodeError`."""
        limit = CHUNK_RECORDS if room is None else min(CHUNK_RECORDS, room)
        row = self._row
        lead = row.records[row.lead]
        if len(lead) == 1 and not self._has_children:
            # Where the last rows had children the next ones will: runs between them are short.
            block = self._reader.run(lead[0], window, limit, stops, leave_last=not row.is_single)
            if block is not None:
                return self._of_run(lead[0], block, window, numbers)
        if row.is_single:
            return self._of_line(lead[0], window, numbers)
        return self._mixed(window, limit, stops, numbers)

    def _of_run(self, plan: RecordPlan, block: Block, window: Window, numbers: RunningNumbers) -> Rows:
        lines = range(window.line, window.line + block.count)
        raw = memoryview(window.buffer)[window.position : window.position + block.size_bytes]
        taken = self._records.read(plan, block, lines, raw, numbers.of_run(plan, block.count))
        self._records.went_by({plan.name: block.count})
        return Rows(
            block.count,
            block.size_bytes,
            block.count,
            lines,
            self._columns.of([taken], [range(block.count)], block.count),
            frozenset({plan.name}),
            {plan.name: block.count},
            taken.hashes,
        )

    def _of_line(self, plan: RecordPlan, window: Window, numbers: RunningNumbers) -> Rows:
        line = window.peek_line()
        assert line is not None, "there is a line: it was looked at"
        block = self._one(plan, line, window.line)
        return self._of_run(plan, block, window, numbers)

    def _one(self, plan: RecordPlan, line: bytes, number: int) -> Block:
        body = line.removesuffix(self._line_end)
        row = self._reader.row(plan, body, number, self._faults)
        return Block(count=1, size_bytes=len(line), joined=dict(enumerate(row.cells)), lines=(line,))

    # Rows with records below them.

    def _mixed(self, window: Window, limit: int, stops: Sequence[bytes], numbers: RunningNumbers) -> Rows:
        most_lines, most_bytes = self._most_lines, _BLOCK_BYTES
        while True:
            lines = window.lines(most_lines, most_bytes)
            letters = self._classify(lines, stops)
            end = self._whole_rows(letters, at_end=self._is_whole(window, lines), limit=limit)
            if end:
                rows = self._assemble(lines[:end], letters[:end], window.line, numbers)
                self._expect(rows, is_last=letters[end : end + 1] == _OTHER)
                return rows
            known = next((place for place, letter in enumerate(letters) if letter == _OTHER), None)
            if known is not None or self._is_whole(window, lines):
                raise self._incomplete(window, letters)
            if len(lines) > MAXIMUM_ROW_LINES or most_bytes > MAXIMUM_ROW_BYTES:
                raise self._too_long(window)
            most_lines, most_bytes = min(2 * most_lines, MAXIMUM_ROW_LINES + 1), 2 * most_bytes

    def _expect(self, rows: Rows, *, is_last: bool) -> None:
        """How many lines to look at next: as many as make a chunk, few where a scope ended."""
        self._has_children = rows.line_count > rows.count
        if is_last:
            self._most_lines = max(2 * rows.line_count, _FIRST_LINES)
        else:
            lines = CHUNK_RECORDS * rows.line_count // rows.count
            self._most_lines = min(max(lines, _FIRST_LINES), MAXIMUM_ROW_LINES)

    def _is_whole(self, window: Window, lines: Sequence[bytes]) -> bool:
        """Whether nothing comes after these lines."""
        return window.ended and window.position + sum(map(len, lines)) >= len(window.buffer)

    def _classify(self, lines: Sequence[bytes], stops: Sequence[bytes]) -> str:
        known = self._known
        keys = self._reader.keys(self._plans, lines)
        if len(known) > MAXIMUM_ROW_LINES:
            known.clear()
        for key in set(keys) - known.keys():
            body = lines[keys.index(key)].removesuffix(self._line_end)
            plan = next((one for one in self._plans if self._reader.matches(one, body)), None)
            known[key] = _OTHER if plan is None else self._letters[plan.label]
        text = "".join(map(known.__getitem__, keys))
        if not self._line_end and lines and self._is_half(text[-1], lines[-1]):
            text = text[:-1] + _OTHER
        if stops:
            for place, line in enumerate(lines):
                if line.startswith(tuple(stops)):
                    return text[:place] + _OTHER * (len(text) - place)
        return text

    def _is_half(self, letter: str, line: bytes) -> bool:
        """Whether what stands at the end of a file without line ends is the half of a record."""
        return letter != _OTHER and len(line) < self._by_letter[letter].size_bytes

    def _whole_rows(self, letters: str, *, at_end: bool, limit: int) -> int:
        """How many lines the whole rows take that the lines begin with."""
        match = self._pattern.match(letters)
        end = 0 if match is None else match.end()
        leads = sum(letters.count(letter, 0, end) for letter in self._lead_letters)
        for _ in range(leads - limit):
            end = self._last_lead(letters, end)
        if leads <= limit and end == len(letters) and end and not at_end:
            # What comes next may still belong to the last row.
            return self._last_lead(letters, end)
        return end

    def _last_lead(self, letters: str, end: int) -> int:
        return max(letters.rfind(letter, 0, end) for letter in self._lead_letters)

    def _incomplete(self, window: Window, letters: str) -> DecodeError:
        """A row that is not what its structure says: told at the first line that does not fit."""
        place = 1
        for child in self._row.children:
            known = self._of(*(node.name for node in child.children or (child,)))
            times = 0
            while place < len(letters) and letters[place] in known and times != child.maximum:
                place, times = place + 1, times + 1
            if times < child.minimum:
                break
        found = "the end of the file"
        if place < len(letters):
            other = letters[place] == _OTHER
            found = "another line" if other else f"record {self._by_letter[letters[place]].name}"
        wanted = " or ".join(f"record {name}" for name in self._row.records if name != self._row.lead)
        line = window.line + place
        return self._faults.file("record-unexpected", line, found, f"{wanted} of {self._row.name}")

    def _too_long(self, window: Window) -> DecodeError:
        found = f"a {self._row.name} of more than {MAXIMUM_ROW_LINES} lines"
        return self._faults.file("row-too-long", window.line, found, "fewer")

    def _assemble(self, lines: list[bytes], letters: str, first: int, numbers: RunningNumbers) -> Rows:
        count, places = self._sorted(letters)
        wanted = numbers.of_lines([self._by_letter[letter] for letter in letters]) if self._counts else {}
        ranks = self._ranks(letters)
        takens, rows = [], []
        hashes: dict[str, int] = {}
        starts: list[int] = []
        for letter, (found, rows_of_found) in places.items():
            plan = self._by_letter[letter]
            line_numbers = [first + place for place in found]
            if letter in self._lead_letters:
                starts = sorted(starts + line_numbers) if starts else line_numbers
            taken = self._take(
                plan,
                lines if len(found) == len(lines) else [lines[place] for place in found],
                line_numbers,
                {
                    name: values if isinstance(values, int) else [values[place] for place in found]
                    for name, values in wanted.get(plan.label, {}).items()
                }
                | {name: [ranks[place] for place in found] for name in own_numbers(plan) if ranks},
            )
            takens.append(taken)
            rows.append(rows_of_found)
            for name, amount in taken.hashes.items():
                hashes[name] = hashes.get(name, 0) + amount
        self._check_limits(takens, rows)
        record_counts: dict[str, int] = {}
        for taken in takens:
            record_counts[taken.plan.name] = record_counts.get(taken.plan.name, 0) + taken.count
        self._records.went_by(record_counts)
        return Rows(
            count,
            sum(map(len, lines)),
            len(lines),
            starts,
            self._columns.of(takens, rows, count),
            frozenset(record_counts),
            record_counts,
            hashes,
        )

    def _ranks(self, letters: str) -> Sequence[int]:
        """By line: how many of the same record, of whatever form, stand before it; () for one form each."""
        forms = [self._by_letter[letter] for letter in set(letters)]
        if len({plan.name for plan in forms}) == len(forms):
            return ()
        seen: dict[str, int] = {}
        ranks = []
        for letter in letters:
            name = self._by_letter[letter].name
            ranks.append(seen.get(name, 0))
            seen[name] = ranks[-1] + 1
        return ranks

    def _sorted(self, letters: str) -> tuple[int, dict[str, tuple[Sequence[int], Sequence[int]]]]:
        """The number of rows; by letter the places of its lines, and the rows they are of, from 0."""
        several = set(letters)
        if len(several) == 1:
            every = range(len(letters))
            return len(letters), {letters[0]: (every, every)}
        lead = self._lead_letters
        if len(lead) == 1 and len(several) == 2:
            (child,) = several - {lead}
            leads = [place for place, letter in enumerate(letters) if letter == lead]
            children = [place for place, letter in enumerate(letters) if letter == child]
            # Before a child are its row's lead, those of earlier rows, and the children before it.
            rows = [place - before - 1 for before, place in enumerate(children)]
            return len(leads), {lead: (leads, range(len(leads))), child: (children, rows)}
        row_of_line = [row - 1 for row in accumulate(letter in lead for letter in letters)]
        places: dict[str, tuple[list[int], list[int]]] = {}
        for place, (letter, row) in enumerate(zip(letters, row_of_line, strict=True)):
            found, rows_of_found = places.setdefault(letter, ([], []))
            found.append(place)
            rows_of_found.append(row)
        return row_of_line[-1] + 1, dict(places)

    def _take(
        self, plan: RecordPlan, lines: list[bytes], numbers: list[int], wanted: Mapping[str, Any]
    ) -> Taken:
        block = self._reader.take(plan, lines)
        if block is None:
            cells: list[Row] = [
                self._reader.row(plan, line.removesuffix(self._line_end), number, self._faults)
                for line, number in zip(lines, numbers, strict=True)
            ]
            joined = {
                index: "\n".join(row.cells[index] for row in cells) for index in range(len(plan.columns))
            }
            block = Block(count=len(lines), size_bytes=sum(map(len, lines)), joined=joined, lines=lines)
        return self._records.read(plan, block, numbers, b"".join(lines), wanted)

    def _check_limits(self, takens: list[Taken], rows: Sequence[Sequence[int]]) -> None:
        """How often a record of `any` may come in one row."""
        for node in self._limits:
            counts: dict[int, int] = {}
            for taken, places in zip(takens, rows, strict=True):
                for row, line in zip(places, taken.lines, strict=True):
                    if taken.plan.name != node.name:
                        continue
                    counts[row] = counts.get(row, 0) + 1
                    if node.maximum is not None and counts[row] > node.maximum:
                        wanted = f"at most {node.maximum} of a {self._row.name}"
                        raise self._faults.file("record-unexpected", line, f"record {node.name}", wanted)
            total = max((row for places in rows for row in places), default=-1) + 1
            if node.minimum and any(counts.get(row, 0) < node.minimum for row in range(total)):
                line = min(taken.lines[0] for taken in takens)
                wanted = f"at least {node.minimum} of each {self._row.name}"
                raise self._faults.file("record-missing", line, f"too few of record {node.name}", wanted)


def _times(node: Node) -> str:
    return f"{{{node.minimum},{'' if node.maximum is None else node.maximum}}}"

"""What a file says, in plain values: read by a codec, kept as JSON, compared cell by cell.

A row is a dictionary of meanings; what is absent (None, or a text without characters) is left out,
so that two ways of saying nothing are one. A code is kept though it is blank: a blank may mean something.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from msgspec import Struct

from formats.codec import Codec
from formats.errors import DecodeError
from formats.flat.unwritable import mask_value
from formats.records import FileIdentity, Problem, RecordChunk

Row = dict[str, Any]

KEPT_BLANK = ("outcome.code",)
_WORDS = ("outcome.code", "outcome.status", "outcome.reason", "file.code", "file.verdict", "file.reason")
"""Shown as they stand: they are what a person compares with the bank's paper."""

TOLERATED = "tolerated"
"""The fact that says what was read over."""


class Content(Struct, frozen=True, kw_only=True):
    """A file that was read to its end: rows by record, facts, codes of problems in their order.

    `chunks` is the same as it was read, to be written again.
    """

    records: dict[str, list[Row]]
    facts: dict[str, Any]
    problems: list[str]
    tolerated: dict[str, Any]
    chunks: list[RecordChunk]


class Refusal(Struct, frozen=True, kw_only=True):
    """A file that the codec does not take: its first problem."""

    problem: Problem


class Crash(Struct, frozen=True, kw_only=True):
    """A file on which the codec fails with something that is no `DecodeError`: a bug of the codec."""

    kind: str


Reading = Content | Refusal | Crash


def read(codec: Codec, raw: bytes, identity: FileIdentity | None = None) -> Reading:
    """What the codec makes of these bytes. Never raises an error of the codec's."""
    try:
        decoder = codec.decode(io.BytesIO(raw), identity)
        chunks = list(decoder)
        facts = {name: plain(value) for name, value in decoder.facts.items() if name != TOLERATED}
        return Content(
            records=rows_of(chunks),
            facts={name: value for name, value in facts.items() if value not in (None, "")},
            problems=[problem.code for problem in decoder.problems],
            tolerated=plain(decoder.facts.get(TOLERATED, {})),
            chunks=chunks,
        )
    except DecodeError as error:
        return Refusal(problem=error.problems[0])
    except Exception as error:  # noqa: BLE001 - whatever a codec raises here is what is looked for
        return Crash(kind=type(error).__name__)


def rows_of(chunks: Iterable[RecordChunk]) -> dict[str, list[Row]]:
    """The rows of all chunks by record, in their order."""
    records: dict[str, list[Row]] = {}
    for chunk in chunks:
        rows = records.setdefault(chunk.record, [])
        for index in range(chunk.count):
            rows.append(
                {
                    name: plain(values[index])
                    for name, values in sorted(chunk.columns.items())
                    if values[index] not in (None, "") or (name in KEPT_BLANK and values[index] == "")
                }
            )
    return records


def plain(value: Any) -> Any:
    """As JSON has it: enums by value, dates and times in ISO form."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(plain(name)): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def differences(found: dict[str, list[Row]], wanted: dict[str, list[Row]]) -> Iterator[str]:
    """Each cell that differs, with its place; values are masked as anywhere."""
    for record in sorted(found.keys() | wanted.keys()):
        own, other = found.get(record, []), wanted.get(record, [])
        if len(own) != len(other):
            yield f"{record}: found {len(own)} rows, wanted {len(other)}"
        for number, (one, two) in enumerate(zip(own, other, strict=False), start=1):
            for place in changed_names(one, two):
                found_cell, wanted_cell = shown(place, one.get(place)), shown(place, two.get(place))
                yield f"{record} {number} {place}: found {found_cell}, wanted {wanted_cell}"


def changed_names(one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    """Names under which two dictionaries do not say the same."""
    return [name for name in sorted(one.keys() | two.keys()) if one.get(name) != two.get(name)]


def shown(name: str, value: Any) -> str:
    """A value as a message may show it."""
    if name in _WORDS and isinstance(value, str):
        return repr(value)
    return "nothing" if value is None else mask_value(name, value)

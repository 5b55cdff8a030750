"""Chunks as readers hand them on: outcomes apart from notices, and small ones put together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from formats.flat.compiler import Plan
from formats.records import RecordChunk

_CODE = "outcome.code"
_WORDS = (_CODE, "outcome.status", "outcome.reason")


def by_record(
    name: str, count: int, columns: dict[str, list[Any]], lines: Any, plan: Plan
) -> Iterator[RecordChunk]:
    """Chunks of the rows: outcomes, and apart from them what is a notice and no outcome."""
    notices = name == "payment" and any(column.startswith("notice.") for column in columns)
    codes = columns.get(_CODE)
    if codes is not None:
        if None in codes:
            columns[_CODE] = ["" if code is None else code for code in codes]
        columns["outcome.status"], columns["outcome.reason"] = plan.codes.read(columns[_CODE])
    if not notices:
        yield RecordChunk(record=name, count=count, columns=columns, lines=lines)
        return
    noticed = columns.get("notice.code") or [None] * count
    outcomes = [row for row in range(count) if (codes and codes[row] is not None) or not noticed[row]]
    others = [row for row in range(count) if noticed[row]]
    payment = {key: values for key, values in columns.items() if not key.startswith("notice.")}
    notice = {key: values for key, values in columns.items() if key not in _WORDS}
    for record, rows, chosen in (("payment", outcomes, payment), ("notice", others, notice)):
        if rows:
            yield RecordChunk(
                record=record,
                count=len(rows),
                columns={key: [values[row] for row in rows] for key, values in chosen.items()},
                lines=[lines[row] for row in rows],
            )


def joined(one: RecordChunk, other: RecordChunk) -> RecordChunk:
    return RecordChunk(
        record=one.record,
        count=one.count + other.count,
        columns={name: [*values, *other.columns[name]] for name, values in one.columns.items()},
        lines=[*one.lines, *other.lines],
    )

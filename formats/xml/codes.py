"""The bank's own codes: parts joined into one verbatim code, and codes mapped by the tables.

A code is a status and its reasons: `RJCT/AC01`, with several reasons `RJCT/AC01+NARR`. The
first reason decides, unless a later one that the table lists has another status: then the
one that is unknown is taken, since a wrong "failed" would be paid twice. A reason that is not
listed leaves a status alone that is listed as unknown (`ACCP/NARR` is as much in progress as
`ACCP`), or as no more than taken in; it never makes a credit or a failure of anything.
"""

from __future__ import annotations

from typing import Any

from formats.codes import CODES_JOIN, decide
from formats.language.model import Layout
from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict, RecordChunk

PART_SEPARATOR = "/"
REASON_SEPARATOR = CODES_JOIN


def join_parts(status: str, reasons: str) -> str:
    """`RJCT` and `AC01+NARR` as one code."""
    return f"{status}{PART_SEPARATOR}{reasons}" if reasons else status


def split_parts(code: str) -> tuple[str, str]:
    """The inverse of `join_parts`."""
    status, _, reasons = code.partition(PART_SEPARATOR)
    return status, reasons


def each_code(code: str) -> list[str]:
    """`RJCT/AC01+NARR` as `RJCT/AC01` and `RJCT/NARR`."""
    status, reasons = split_parts(code)
    return [join_parts(status, reason) for reason in reasons.split(REASON_SEPARATOR)]


class CodeTables:
    """`[codes.outcome]` and `[codes.file]` of one layout, both ways. Immutable."""

    def __init__(self, layout: Layout) -> None:
        self._outcomes = {code.code: (code.status, code.reason) for code in layout.outcome_codes}
        self._files = {code.code: (code.verdict, code.reason) for code in layout.file_codes}
        self._first: dict[tuple[Status, Reason], str] = {}
        for code in layout.outcome_codes:
            self._first.setdefault((code.status, code.reason), code.code)

    @property
    def maps_files(self) -> bool:
        return bool(self._files)

    def outcome(self, code: str) -> tuple[Status, Reason]:
        """What a code means; unknown and unmapped where the table does not list it."""
        found = self._outcomes.get(code)
        if found is not None:
            return found
        first, *others = [self._outcomes.get(each) for each in each_code(code)]
        if first is None:
            bare = self._outcomes.get(split_parts(code)[0])
            return bare if bare and bare[0] is Status.UNKNOWN else (Status.UNKNOWN, Reason.UNMAPPED)
        return decide(first, others)

    def file(self, code: str) -> tuple[AcknowledgementVerdict, Reason]:
        """What a code says of the file as a whole; `DUPLICATE` wins over any other reason."""
        unmapped = AcknowledgementVerdict.UNMAPPED, Reason.UNMAPPED
        found = [self._files.get(each) for each in (code, *each_code(code))]
        for verdict in found:
            if verdict is not None and verdict[0] is AcknowledgementVerdict.DUPLICATE:
                return verdict
        bare = self._files.get(split_parts(code)[0])
        if bare is not None and bare[0] is AcknowledgementVerdict.REJECTED:
            bare = None
        return found[0] or found[1] or bare or unmapped

    def written(self, chunk: RecordChunk) -> list[str | None]:
        """The code to write for each record: verbatim, else the first listed for its pair.

        None where the table has no code for a pair.
        """
        nothing: list[Any] = [None] * chunk.count
        codes = chunk.columns.get("outcome.code", nothing)
        statuses = chunk.columns.get("outcome.status", nothing)
        reasons = chunk.columns.get("outcome.reason", nothing)
        return [
            code or self._first.get((status, reason or Reason.NONE))
            for code, status, reason in zip(codes, statuses, reasons, strict=True)
        ]

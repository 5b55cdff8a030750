"""A bank's own codes to statuses and reasons, and back. What is not listed is unmapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from formats.layout_model import FileCode, OutcomeCode
from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict


class _StatusByCode(dict[str, Status]):
    def __missing__(self, code: str) -> Status:
        return Status.UNKNOWN


class _ReasonByCode(dict[str, Reason]):
    def __missing__(self, code: str) -> Reason:
        return Reason.UNMAPPED


class OutcomeCodes:
    """`[codes.outcome]`, both ways. The first code listed for a pair is the one written."""

    def __init__(self, lines: Sequence[OutcomeCode]) -> None:
        self.status_by_code = _StatusByCode((line.code, line.status) for line in lines)
        self.reason_by_code = _ReasonByCode((line.code, line.reason) for line in lines)
        self._code_by_pair: dict[tuple[str, str], str] = {}
        for line in lines:
            self._code_by_pair.setdefault((line.status.value, line.reason.value), line.code)

    def read(self, codes: Sequence[str]) -> tuple[list[Status], list[Reason]]:
        """Status and reason of each code."""
        known = set(codes)
        statuses = {code: self.status_by_code[code] for code in known}
        reasons = {code: self.reason_by_code[code] for code in known}
        return list(map(statuses.__getitem__, codes)), list(map(reasons.__getitem__, codes))

    def write(self, statuses: Sequence[str], reasons: Sequence[str]) -> list[str | None]:
        """The bank's code for each pair; None where the table has none."""
        pairs = {
            pair: self._code_by_pair.get((str(pair[0]), str(pair[1])))
            for pair in set(zip(statuses, reasons, strict=True))
        }
        return [pairs[pair] for pair in zip(statuses, reasons, strict=True)]


class FileCodes:
    """`[codes.file]`: what the bank says of a file as a whole."""

    def __init__(self, lines: Sequence[FileCode]) -> None:
        self._lines = {line.code: line for line in lines}

    def facts(self, code: str) -> dict[str, Any]:
        """`file.verdict` and `file.reason` for a code."""
        line = self._lines.get(code)
        if line is None:
            return {"file.verdict": AcknowledgementVerdict.UNMAPPED, "file.reason": Reason.UNMAPPED}
        return {"file.verdict": line.verdict, "file.reason": line.reason}

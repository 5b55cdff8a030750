"""A bank's own codes to statuses and reasons, and back. What is not listed is unmapped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from formats.language.model import FileCode, OutcomeCode
from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict

CODES_JOIN = "+"
"""Between the codes of one item where a record has several."""

Word = tuple[Status, Reason]
UNMAPPED: Word = (Status.UNKNOWN, Reason.UNMAPPED)


def decide(first: Word, others: Iterable[Word | None]) -> Word:
    """What several codes of one item mean together: the first, unless a later one has another status.

    Then the one that is unknown is taken, since a wrong "failed" would be paid twice; a credit
    and a failure side by side are unmapped.
    """
    for other in others:
        if other is not None and other[0] is not first[0]:
            if Status.UNKNOWN not in (first[0], other[0]):
                return UNMAPPED
            return other if other[0] is Status.UNKNOWN else first
    return first


class _WordByCode(dict[str, Word]):
    """Codes looked up once; a code that the table has not is unmapped."""

    def __init__(self, lines: Sequence[OutcomeCode], *, several: bool) -> None:
        super().__init__((line.code, (line.status, line.reason)) for line in lines)
        self._several = several

    def __missing__(self, code: str) -> Word:
        if not self._several or CODES_JOIN not in code:
            return UNMAPPED
        words = [self.get(part) for part in code.split(CODES_JOIN)]
        if None in words or words[0] is None:
            return UNMAPPED
        return decide(words[0], words[1:])


class OutcomeCodes:
    """`[codes.outcome]`, both ways. The first code listed for a pair is the one written.

    `several`: a record may have more than one code, joined by `CODES_JOIN`. Of those every one
    must be listed.
    """

    def __init__(self, lines: Sequence[OutcomeCode], *, several: bool = False) -> None:
        self._words = _WordByCode(lines, several=several)
        self._code_by_pair: dict[tuple[str, str], str] = {}
        for line in lines:
            self._code_by_pair.setdefault((line.status.value, line.reason.value), line.code)

    def word(self, code: str) -> Word:
        """Status and reason of one code."""
        return self._words[code]

    def chooser(self, name: str, accepts: Callable[[str], bool]) -> Callable[[Any], bool]:
        """Whether a code's status (`outcome.status`) or reason is accepted."""
        place = 0 if name == "outcome.status" else 1
        return lambda code: accepts(self._words[code or ""][place].value)

    def read(self, codes: Sequence[str]) -> tuple[list[Status], list[Reason]]:
        """Status and reason of each code."""
        known = {code: self._words[code] for code in set(codes)}
        statuses = {code: word[0] for code, word in known.items()}
        reasons = {code: word[1] for code, word in known.items()}
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

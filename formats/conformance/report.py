"""What the kit found of each format, part by part: problems to mend, and notes to know."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct, field

from formats.records import Problem, Severity

SHOWN_PROBLEMS = 20
"""Problems told of one part: more of the same help nobody."""


class Part(StrEnum):
    """What is looked at, in this order."""

    LOAD = "load"
    LINT = "lint"
    VECTORS = "vectors"
    ROUND_TRIP = "round-trip"
    LIMITS = "limits"
    TOTALS = "totals"
    CODES = "codes"
    MUTATION = "mutation"
    SPEED = "speed"
    PROFILE = "profile"
    """With the values of one bank: looked at by the gateway."""


class Meaningless(Struct, frozen=True):
    """Bytes that mean nothing, and why: `count` changes of them in golden files."""

    where: str
    why: str
    count: int


class PartReport(Struct, kw_only=True):
    """One part. `cases` are files that were made or changed and looked at."""

    part: Part
    cases: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more_problems: int = 0
    meaningless: list[Meaningless] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing has to be mended; warnings are for a person to know."""
        return all(problem.severity is Severity.WARNS for problem in self.problems)

    def add(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        source: str = "",
        line: int | None = None,
        warns: bool = False,
    ) -> None:
        """Note a problem; of very many only the first, and how many more."""
        if len(self.problems) >= SHOWN_PROBLEMS:
            self.more_problems += 1
            return
        severity = Severity.WARNS if warns else Severity.REFUSES
        self.problems.append(
            Problem(code=code, message=message, hint=hint, source=source, line=line, severity=severity)
        )


class FormatReport(Struct, kw_only=True):
    """One format. `digest` is that of the codec, "" where it could not be loaded; `kind` layout or code."""

    name: str
    kind: str
    parts: list[PartReport]
    version: str = ""
    purpose: str = ""
    digest: str = ""

    @property
    def passed(self) -> bool:
        return all(part.passed for part in self.parts)

    @property
    def problems(self) -> list[Problem]:
        """Of all parts, in their order."""
        return [problem for part in self.parts for problem in part.problems]

    @property
    def cases(self) -> int:
        return sum(part.cases for part in self.parts)


def all_passed(reports: Sequence[FormatReport]) -> bool:
    """Whether there is something, and all of it conforms."""
    return bool(reports) and all(report.passed for report in reports)

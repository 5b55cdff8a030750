"""Collecting problems: all of them counted, as many kept as a person will read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from formats import Problem, Severity


class ProblemList:
    """Problems in the order of their lines once `sorted` is asked."""

    def __init__(self, keep: int) -> None:
        self.kept: list[Problem] = []
        self.counts: Counter[Severity] = Counter()
        self._keep = keep

    def add(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.counts[problem.severity] += 1
            if len(self.kept) < self._keep:
                self.kept.append(problem)

    def sorted(self) -> list[Problem]:
        """Envelope first, then by line; problems of one line in the order found."""
        return sorted(self.kept, key=lambda problem: problem.line or 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

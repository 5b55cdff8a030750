"""Collecting problems: all of them counted, as many kept as a person will read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from formats import Problem, Reason, Severity

NEVER_PAID = frozenset(
    {Reason.INVALID_ID, Reason.INVALID_ACCOUNT, Reason.INVALID_PAYEE, Reason.FIELD_INVALID}
)
"""Reasons that lie in the row itself: what is refused for one was refused at any time, by any catalogue."""

_FIRST_TOLD = (Reason.PROGRAMME_CLASSIFIED,)
_LAST_TOLD = (Reason.UNKNOWN_BANK, Reason.NOT_ENTRUSTED)


def order_of_reason(reason: Reason) -> int:
    """Which of several reasons a payment is set aside for: the least, and of the same the first found.

    A classified programme stands before everything, else "correct it, then reissue" would be advised.
    That the bank does not know the payment stands last: an agreement mends nothing that a rule of the
    plan, or the row itself, forbids.
    """
    return -1 if reason in _FIRST_TOLD else int(reason in _LAST_TOLD)


class ProblemList:
    """Problems in the order of their lines once `sorted` is asked."""

    def __init__(self, keep: int, *, in_doubt: bool = False) -> None:
        """`in_doubt`: a bank may have paid what is refused here; see `gateway.sending.set_aside`."""
        self.kept: list[Problem] = []
        self.counts: Counter[Severity] = Counter()
        self._keep = keep
        self._in_doubt = in_doubt

    def add(self, problems: Iterable[Problem]) -> None:
        for problem in map(self._doubted, problems) if self._in_doubt else problems:
            self.counts[problem.severity] += 1
            if len(self.kept) < self._keep:
                self.kept.append(problem)

    def _doubted(self, problem: Problem) -> Problem:
        if problem.severity is not Severity.SETS_ASIDE or problem.reason in NEVER_PAID:
            return problem
        return msgspec.structs.replace(problem, severity=Severity.HOLDS)

    def sorted(self) -> list[Problem]:
        """Envelope first, then by line; problems of one line by their reasons, then in the order found."""
        return sorted(self.kept, key=lambda problem: (problem.line or 0, order_of_reason(problem.reason)))

    @property
    def total(self) -> int:
        return sum(self.counts.values())

"""The rules over the columns of a chunk: one look a subject, nothing a row that is in order.

A subject is what many payments share (department, programme, period, account kind, payee
kind). Payments with the same topic (programme and period) are repeats of one another where
they are for the same person: `repeats` looks for those when the batch is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from formats import Problem, RecordChunk, Severity
from gateway.rules.catalogue import Catalogue
from gateway.rules.rule import PlanRule
from gateway.rules.verdict import Verdict, judge

NO_TOPIC = -1
"""Of payments that are never a repeat: the catalogue allows them, or there is none."""

SubjectKey = tuple[str, ...]


class Subjects:
    """The verdicts of one batch. Without a catalogue only another person's account is judged.

    `shown` masks words that may be personal data in the wrong column.
    """

    def __init__(self, catalogue: Catalogue | None, shown: Callable[[str], str]) -> None:
        self.topic_numbers: dict[tuple[str, str], int] = {}
        self._catalogue = catalogue
        self._shown = shown
        self._verdicts: dict[SubjectKey, Verdict] = {}
        self._topics: dict[SubjectKey, int] = {}

    def problems(self, chunk: RecordChunk, keys: Sequence[SubjectKey]) -> list[Problem]:
        """What sets payments aside or holds them, placed, by row."""
        present = set(keys)
        for key in present - self._verdicts.keys():
            self._judge(key)
        found: list[Problem] = []
        if any(self._verdicts[key].problems for key in present):
            names = chunk.columns["payment.payment_id"]
            for row, key in enumerate(keys):
                found += self._verdicts[key].placed(chunk.lines[row], names[row])
        roles = chunk.columns["payment.payee_role"]
        if "other" in roles:
            found += [self._other(chunk, row, keys[row]) for row, role in enumerate(roles) if role == "other"]
        return found

    def topics(self, keys: Sequence[SubjectKey]) -> list[int]:
        """The topic of each row, by number."""
        return [self._topics[key] for key in keys]

    def _judge(self, key: SubjectKey) -> None:
        if self._catalogue is None:
            self._verdicts[key], self._topics[key] = Verdict(), NO_TOPIC
            return
        department, programme, period, _, payee_kind = key
        verdict = judge(self._catalogue, department, programme, period, payee_kind, self._shown)
        self._verdicts[key] = verdict
        self._topics[key] = (
            NO_TOPIC
            if verdict.topic is None
            else self.topic_numbers.setdefault(verdict.topic, len(self.topic_numbers))
        )

    def _other(self, chunk: RecordChunk, row: int, key: SubjectKey) -> Problem:
        """Another person's account: only by a rule that the catalogue cites, and after two persons' look."""
        programme = self._verdicts[key].programme
        refused = programme is not None and programme.other_account is None
        if programme is None or programme.other_account is None:
            rule = "a rule that permits it"
        else:
            rule = programme.other_account.rule
        return PlanRule.OTHER_ACCOUNT.problem(
            Severity.SETS_ASIDE if refused else Severity.HOLDS,
            "payee_role",
            "another person's account",
            f"the beneficiary's own, or {rule}" if refused else f"two persons who have looked: {rule}",
            line=chunk.lines[row],
            payment_id=chunk.columns["payment.payment_id"][row],
            hint="the catalogue cites no rule that lets another person's account be paid" if refused else "",
        )

"""The same beneficiary, programme and period again: held, unless the catalogue allows repeats.

In this batch or an earlier one, of this platform or another, by card or by passbook: the
passbook of one platform and the card of the other are the same subsidy. A household is paid once,
whichever member's ID the payment has, where the batch says which household it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from formats import Batch, Problem, Severity
from gateway.ledger.database import Transaction
from gateway.ledger.repeats import (
    Again,
    SamePerson,
    has_topics,
    hold_repeats,
    others_of_person,
    subject_of_payment,
    subjects_of_periods,
)
from gateway.rules.catalogue import Catalogue
from gateway.rules.rule import PlanRule
from gateway.rules.subjects import Subjects
from gateway.rules.verdict import topic_of


def find_repeats(
    transaction: Transaction, catalogue: Catalogue | None, batch: Batch, judged: Subjects
) -> Iterator[Problem]:
    """Hold what repeats another payment; one problem each. Call it once for a batch."""
    if catalogue is None or not has_topics(transaction):
        return
    rivals = rivals_of(transaction, catalogue, judged.topic_numbers)
    for again in hold_repeats(transaction, batch.source_platform, rivals):
        column, whom = (
            ("household_id", "household") if again.by_household else ("beneficiary_id", "beneficiary")
        )
        yield PlanRule.REPEAT.problem(
            Severity.HOLDS,
            column,
            f"the same {whom}, programme and period as {_other(again)}",
            f"one payment a {'household' if again.by_household else 'person'}, programme and period",
            line=again.line,
            payment_id=again.payment_id,
            hint="a payment that is paid again names the one that it replaces in reissue_of",
        )


def rivals_of(
    transaction: Transaction, catalogue: Catalogue, topics: dict[tuple[str, str], int]
) -> list[tuple[int, int]]:
    """(topic, subject of earlier payments of that programme and period, however it was spelled)."""
    rivals = []
    for subject_pk, name, period in subjects_of_periods(transaction, (period for _, period in topics)):
        programme = catalogue.find(name)
        topic = None if programme is None else topics.get(topic_of(programme, period))
        if topic is not None:
            rivals.append((topic, subject_pk))
    return rivals


def others_of_repeat(
    transaction: Transaction, catalogue: Catalogue | None, payment_pk: int
) -> list[SamePerson]:
    """What a payment that is held as a repeat would be paid beside, as it stands now.

    Without a catalogue nothing says any more what is the same programme: then those of its own subject.
    """
    subject_pk, name, period = subject_of_payment(transaction, payment_pk)
    programme = None if catalogue is None else catalogue.find(name)
    subjects = {subject_pk}
    if catalogue is not None and programme is not None:
        subjects |= {key for _, key in rivals_of(transaction, catalogue, {topic_of(programme, period): 0})}
    return others_of_person(transaction, payment_pk, sorted(subjects))


def _other(again: Again) -> str:
    if again.first_line is not None:
        return f"row {again.first_line}"
    return f"{again.other_id} of batch {again.other_platform}/{again.other_batch}"

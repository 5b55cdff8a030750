"""Who is paid a second time for the same programme and period: by fingerprints, in SQL.

A staged row is compared with the rows of its batch and with every earlier payment, of
whatever platform, that has not been taken back before it left. Which subjects belong together
is the caller's knowledge (`rules.repeats`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from formats import Reason
from gateway.ledger.database import Transaction
from gateway.ledger.payments import LATEST_OUTCOME, STATE_OF_PAYMENT

_TABLES = (
    "CREATE TEMP TABLE rival (topic INTEGER, subject_pk INTEGER, PRIMARY KEY (topic, subject_pk))"
    " WITHOUT ROWID",
    "CREATE TEMP TABLE again (place INTEGER PRIMARY KEY, first_line INTEGER, other_pk INTEGER,"
    " by_household INTEGER NOT NULL DEFAULT 0)",
    "CREATE INDEX staged_household_by_topic ON staged_household (topic, value) WHERE topic >= 0",
    "CREATE INDEX staged_by_topic ON staged (topic, fingerprint) WHERE topic >= 0",
)

PAID_OR_MAY_BE = (
    "(payment.disposition IN ('accepted', 'held') OR (SELECT status FROM outcome"
    " WHERE outcome.payment_pk = payment.payment_pk ORDER BY outcome_pk DESC LIMIT 1)"
    " NOT IN ('set_aside', 'withdrawn'))"
)
"""What was set aside or withdrawn can reach nobody, unless a bank has spoken of it all the same."""

_NOT_OF_ITS_CHAIN = (
    "NOT EXISTS (SELECT 1 FROM payment_key AS named WHERE staged.reissue_of <> ''"
    " AND named.source_platform = :platform AND named.payment_id = staged.reissue_of"
    " AND COALESCE((SELECT chain_pk FROM reissue WHERE successor_pk = named.payment_pk), named.payment_pk)"
    " = COALESCE((SELECT chain_pk FROM reissue WHERE successor_pk = payment.payment_pk), payment.payment_pk))"
)
"""A reissue is no repeat of what it replaces; its own rules have judged it."""


class Again(Struct, frozen=True):
    """A row that repeats another of its batch (`first_line`), or a payment of an earlier one.

    `by_household`: the same household, under the ID of another member.
    """

    payment_id: str
    line: int
    first_line: int | None
    other_id: str
    other_batch: str
    other_platform: str
    by_household: int


class SamePerson(Struct, frozen=True):
    """Another payment to the same person or household for the same programme and period."""

    payment_id: str
    batch: str
    """`platform/batch`."""
    state: str
    amount_minor: int
    recovered_minor: int
    """What persons recovered of it."""


def others_of_person(transaction: Transaction, payment_pk: int, subjects: Iterable[int]) -> list[SamePerson]:
    """All others that a held repeat repeats, those that have or may have money first.

    `subjects` are those of its programme and period. What was taken back, or set aside, and of its own
    chain is none. Of what was held before its fingerprints were kept only the newest is known.
    """
    chosen = ",".join(str(int(subject)) for subject in subjects) or "NULL"
    rows = transaction.all(
        "SELECT payment.payment_id, source_platform || '/' || batch_id AS batch,"
        f" {STATE_OF_PAYMENT} AS state, payment.amount_minor,"
        " (SELECT COALESCE(SUM(recovery_receipt.amount_minor), 0) FROM recovery"
        "  JOIN recovery_receipt USING (recovery_pk) WHERE recovery.payment_pk = payment.payment_pk"
        "  AND struck_at IS NULL) AS recovered FROM"
        " (SELECT fingerprint.payment_pk AS other_pk FROM repeat_key CROSS JOIN fingerprint"
        f"   ON fingerprint.subject_pk IN ({chosen}) AND fingerprint.value = repeat_key.value"
        "   WHERE repeat_key.payment_pk = :pk AND by_household = 0"
        "  UNION SELECT household.payment_pk FROM repeat_key CROSS JOIN household"
        f"   ON household.subject_pk IN ({chosen}) AND household.value = repeat_key.value"
        "   WHERE repeat_key.payment_pk = :pk AND by_household = 1"
        "  UNION SELECT other_pk FROM hold WHERE hold.payment_pk = :pk AND hold.reason = :reason) AS others"
        " CROSS JOIN payment ON payment.payment_pk = others.other_pk CROSS JOIN batch USING (batch_pk)"
        f" {LATEST_OUTCOME} WHERE payment.payment_pk <> :pk AND {PAID_OR_MAY_BE}"
        " AND NOT EXISTS (SELECT 1 FROM reissue AS ours WHERE ours.successor_pk = :pk"
        "  AND ours.chain_pk = COALESCE((SELECT chain_pk FROM reissue"
        "   WHERE successor_pk = payment.payment_pk), payment.payment_pk))"
        " ORDER BY state IN ('failed', 'returned'), state IN ('held', 'accepted'), payment.payment_pk",
        pk=payment_pk,
        reason=Reason.REPEAT_IN_PERIOD,
    )
    return [
        SamePerson(row.payment_id, row.batch, row.state, row.amount_minor, int(row.recovered)) for row in rows
    ]


def has_topics(transaction: Transaction) -> bool:
    """Whether any staged row may be a repeat at all."""
    return transaction.one("SELECT 1 FROM staged WHERE topic >= 0 LIMIT 1") is not None


def subjects_of_periods(transaction: Transaction, periods: Iterable[str]) -> list[tuple[int, str, str]]:
    """(subject, programme, period) of everything that was ever handed over for the periods."""
    wanted = {f"period{number}": period for number, period in enumerate(sorted(set(periods)))}
    rows = transaction.all(
        "SELECT subject_pk, programme, period FROM subject"
        f" WHERE period IN ({', '.join(f':{name}' for name in wanted)}) ORDER BY subject_pk",
        **wanted,
    )
    return [(row.subject_pk, row.programme, row.period) for row in rows]


def subject_of_payment(transaction: Transaction, payment_pk: int) -> tuple[int, str, str]:
    """(subject, programme, period) of one payment."""
    row = transaction.one(
        "SELECT subject_pk, programme, period FROM payment JOIN subject USING (subject_pk)"
        " WHERE payment_pk = :pk",
        pk=payment_pk,
    )
    assert row is not None
    return int(row.subject_pk), row.programme, row.period


def hold_repeats(
    transaction: Transaction, source_platform: str, rivals: list[tuple[int, int]]
) -> Iterator[Again]:
    """Hold the staged rows that repeat another payment, and give them by line.

    `rivals` are (topic, subject of an earlier payment). Of repeats within the batch the first
    that is not set aside stays.
    """
    for statement in _TABLES:
        transaction.run(statement)
    transaction.many("INSERT INTO rival VALUES (?,?)", rivals)
    _find_within_batch(transaction)
    if rivals:
        _find_earlier(transaction, source_platform)
    # After persons, so that who is the same person is told so.
    _find_households_within_batch(transaction)
    if rivals:
        _find_earlier_households(transaction, source_platform)
    transaction.run(
        "INSERT OR IGNORE INTO staged_hold SELECT source_line, :reason, other_pk"
        " FROM again JOIN staged ON staged.rowid = again.place",
        reason=Reason.REPEAT_IN_PERIOD,
    )
    # What is held for another reason already keeps it; `staged_hold` has both.
    transaction.run(
        "UPDATE staged SET disposition = 'held', reason = :reason"
        " WHERE disposition = 'accepted' AND rowid IN (SELECT place FROM again)",
        reason=Reason.REPEAT_IN_PERIOD,
    )
    rows = transaction.stream(
        "SELECT staged.payment_id, staged.source_line, first_line, COALESCE(payment.payment_id, ''),"
        " COALESCE(batch_id, ''), COALESCE(source_platform, ''), by_household FROM again"
        " JOIN staged ON staged.rowid = again.place LEFT JOIN payment ON payment.payment_pk = other_pk"
        " LEFT JOIN batch USING (batch_pk) ORDER BY staged.source_line"
    )
    for row in rows:
        yield Again(*row)


def _find_within_batch(transaction: Transaction) -> None:
    transaction.run(
        "INSERT INTO again SELECT place, first_line, NULL, 0 FROM (SELECT staged.rowid AS place,"
        " FIRST_VALUE(source_line) OVER same AS first_line, ROW_NUMBER() OVER same AS number"
        " FROM (SELECT topic, fingerprint FROM staged WHERE topic >= 0"
        "  GROUP BY topic, fingerprint HAVING COUNT(*) > 1) AS twice"
        " CROSS JOIN staged INDEXED BY staged_by_topic ON staged.topic >= 0"
        " AND staged.topic = twice.topic AND staged.fingerprint = twice.fingerprint"
        " WHERE disposition <> 'set_aside'"
        " WINDOW same AS (PARTITION BY staged.topic, staged.fingerprint ORDER BY source_line))"
        " WHERE number > 1"
    )


def _find_earlier(transaction: Transaction, source_platform: str) -> None:
    """The newest earlier payment stands for all that a row repeats."""
    now = (
        "staged INDEXED BY staged_by_topic ON staged.topic >= 0 AND staged.topic = rival.topic"
        " CROSS JOIN fingerprint ON fingerprint.value = staged.fingerprint"
    )
    by_older_keys = (
        "staged_alias ON staged_alias.topic = rival.topic"
        " CROSS JOIN staged ON staged.rowid = staged_alias.place"
        " CROSS JOIN fingerprint ON fingerprint.value = staged_alias.fingerprint"
    )
    for persons in (now, by_older_keys):
        transaction.run(
            "INSERT OR IGNORE INTO again SELECT staged.rowid, NULL, MAX(payment.payment_pk), 0"
            f" FROM rival CROSS JOIN {persons} AND fingerprint.subject_pk = rival.subject_pk"
            " CROSS JOIN payment ON payment.payment_pk = fingerprint.payment_pk"
            f" WHERE staged.disposition <> 'set_aside' AND {PAID_OR_MAY_BE} AND {_NOT_OF_ITS_CHAIN}"
            " GROUP BY staged.rowid",
            platform=source_platform,
        )


def _find_households_within_batch(transaction: Transaction) -> None:
    """The first row of a household that is not set aside goes; the others are held."""
    transaction.run(
        "INSERT OR IGNORE INTO again SELECT place, first_line, NULL, 1 FROM (SELECT staged.rowid AS place,"
        " FIRST_VALUE(source_line) OVER same AS first_line, ROW_NUMBER() OVER same AS number"
        " FROM (SELECT topic, value FROM staged_household WHERE topic >= 0 AND now = 1"
        "  GROUP BY topic, value HAVING COUNT(*) > 1) AS twice"
        " CROSS JOIN staged_household AS home ON home.topic >= 0 AND home.topic = twice.topic"
        "  AND home.value = twice.value AND home.now = 1"
        " CROSS JOIN staged ON staged.rowid = home.place WHERE disposition <> 'set_aside'"
        " WINDOW same AS (PARTITION BY home.topic, home.value ORDER BY source_line))"
        " WHERE number > 1"
    )


def _find_earlier_households(transaction: Transaction, source_platform: str) -> None:
    """By the present key and by older ones alike: the newest earlier payment stands for all."""
    transaction.run(
        "INSERT OR IGNORE INTO again SELECT staged.rowid, NULL, MAX(payment.payment_pk), 1 FROM rival"
        " CROSS JOIN staged_household AS home ON home.topic >= 0 AND home.topic = rival.topic"
        " CROSS JOIN staged ON staged.rowid = home.place"
        " CROSS JOIN household ON household.value = home.value AND household.subject_pk = rival.subject_pk"
        " CROSS JOIN payment ON payment.payment_pk = household.payment_pk"
        f" WHERE staged.disposition <> 'set_aside' AND {PAID_OR_MAY_BE} AND {_NOT_OF_ITS_CHAIN}"
        " GROUP BY staged.rowid",
        platform=source_platform,
    )

"""Chains of reissues: a payment, what replaced it, what replaced that.

Money may be with the payee once for a whole chain. A member is dead when nothing more of it can
reach the payee: set aside or withdrawn before it left, failed, given back, or credited in part
where the bank makes up nothing. At most one member may not be dead; the database itself refuses
a second live successor of one payment. A successor is of what the first was to pay, less what
such members were credited: so credited - returned of a chain is never above it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from msgspec import Struct

from formats import Problem, Reason, Severity, Status
from gateway.ledger.database import Transaction
from gateway.ledger.outcomes import latest_outcome
from gateway.ledger.payments import LATEST_OUTCOME, STATE_OF_PAYMENT, PaymentRow, find_payment
from gateway.ledger.staging import Staging
from gateway.money import money
from gateway.states import BEFORE_RELEASE, FileState, is_over

_BEFORE_RELEASE = ",".join(f"'{state.value}'" for state in sorted(BEFORE_RELEASE))

_LEFT = (
    "EXISTS (SELECT 1 FROM attempt JOIN file USING (file_pk) WHERE attempt.live = 1"
    f" AND attempt.payment_pk = payment.payment_pk AND file.state NOT IN ({_BEFORE_RELEASE}))"
)
"""A bank may have the payment."""

_MEMBERS = (
    f"SELECT payment.payment_pk, payment.payment_id FROM payment {LATEST_OUTCOME}"
    " WHERE payment.payment_pk IN"
    " (SELECT :chain UNION SELECT successor_pk FROM reissue WHERE chain_pk = :chain)"
    " AND payment.payment_pk <> :but"
)
_IS_ALIVE = (
    "NOT COALESCE(latest.status IN ('failed', 'returned') OR latest.reason = 'PAID_SHORT'"
    f" OR (latest.status IN ('set_aside', 'withdrawn') AND NOT {_LEFT}), 0)"
)
_ALIVE = f"{_MEMBERS} AND {_IS_ALIVE}"


class ChainMember(Struct, frozen=True):
    """One payment of a chain."""

    payment_id: str
    batch_id: str
    state: str


class ChainPayment(Struct, frozen=True, kw_only=True):
    """One payment of a chain with what became of it; amounts in minor units.

    `ours`: it is of the batches that were asked for. `alive`: something of it can reach the payee, or has.
    `status` is None, and `reason` what its batch says, while nothing is known of it.
    """

    payment_pk: int
    ours: bool
    amount_minor: int
    state: str
    status: Status | None
    reason: Reason
    kept_minor: int
    alive: bool


class Heir(Struct, frozen=True):
    """A payment that a bank may have, in which of our files."""

    bank: str
    file_name: str
    payment_id: str


def refuse_reissues(transaction: Transaction, source_platform: str, staging: Staging) -> list[Problem]:
    """Set aside each staged payment that may not replace the one it names.

    Permitted only after the predecessor was set aside, failed (and its file is settled) or
    was returned, with the same amount to the minor unit, or credited in part for good, with
    exactly what is missing; and while nothing else of its chain can reach the payee.
    """
    problems = []
    claimed: set[int] = set()
    for payment_id, predecessor_id, amount_minor, line in staging.reissues():
        found = find_payment(transaction, predecessor_id, source_platform)
        predecessor = found[0] if found else None
        obstacle = _obstacle(transaction, predecessor, amount_minor, claimed)
        if predecessor is None or obstacle:
            staging.set_aside(payment_id, line, Reason.REISSUE_REFUSED)
            problems.append(
                Problem(
                    code="reissue-refused",
                    severity=Severity.SETS_ASIDE,
                    reason=Reason.REISSUE_REFUSED,
                    line=line,
                    column="reissue_of",
                    found=predecessor_id[:40],
                    wanted="one that was set aside, failed or returned, with the missing amount",
                    message=f"row {line} reissue_of {predecessor_id[:40]}: {obstacle}"
                    " (rule reissue, plan section 四(五))",
                    payment_id=payment_id,
                )
            )
        else:
            claimed.add(_chain_of(transaction, predecessor.payment_pk))
    return problems


def chains_of(transaction: Transaction, batch_keys: Iterable[int]) -> list[list[ChainPayment]]:
    """Every chain that a payment of the batches is of, whole, the payment that began it first.

    A payment that was credited in part for good is one too, while nothing replaces it.
    """
    rows = transaction.all(
        "WITH chosen AS (SELECT value AS batch_pk FROM json_each(:batches)), chains AS ("
        " SELECT chain_pk FROM reissue JOIN payment ON payment.payment_pk = successor_pk"
        "  WHERE payment.batch_pk IN (SELECT batch_pk FROM chosen)"
        " UNION SELECT chain_pk FROM reissue JOIN payment ON payment.payment_pk = chain_pk"
        "  WHERE payment.batch_pk IN (SELECT batch_pk FROM chosen)"
        " UNION SELECT COALESCE((SELECT chain_pk FROM reissue WHERE successor_pk = payment.payment_pk),"
        f"  payment.payment_pk) FROM chosen JOIN payment USING (batch_pk) {LATEST_OUTCOME}"
        "  WHERE latest.reason = 'PAID_SHORT'),"
        " member AS (SELECT chain_pk, chain_pk AS payment_pk FROM chains"
        "  UNION SELECT chain_pk, successor_pk FROM chains JOIN reissue USING (chain_pk))"
        " SELECT chain_pk, payment.payment_pk, payment.amount_minor,"
        " payment.batch_pk IN (SELECT batch_pk FROM chosen) AS ours,"
        f" {STATE_OF_PAYMENT} AS state, latest.status, COALESCE(latest.reason, payment.reason) AS reason,"
        " CASE WHEN latest.status IN ('credited', 'discrepant', 'returned')"
        "  THEN COALESCE(latest.credited_minor, 0) - COALESCE(latest.returned_minor, 0) ELSE 0 END"
        f"  AS kept_minor, {_IS_ALIVE} AS alive"
        f" FROM member JOIN payment USING (payment_pk) {LATEST_OUTCOME}"
        " ORDER BY chain_pk, payment.payment_pk <> chain_pk, payment.payment_pk",
        batches=json.dumps(list(batch_keys)),
    )
    chains: dict[int, list[ChainPayment]] = {}
    for row in rows:
        chains.setdefault(row.chain_pk, []).append(
            ChainPayment(
                payment_pk=row.payment_pk,
                ours=bool(row.ours),
                amount_minor=row.amount_minor,
                state=row.state,
                status=None if row.status is None else Status(row.status),
                reason=Reason(row.reason),
                kept_minor=row.kept_minor,
                alive=bool(row.alive),
            )
        )
    return list(chains.values())


def link_reissues(transaction: Transaction, source_platform: str, staging: Staging) -> None:
    """Record who replaces whom. A dead successor makes room; its own place in the chain stays.

    One that was set aside at once, even since it may not replace the other, is of the chain
    too: else a reissue of the refused one would be a way around the refusal.
    """
    for payment_id, predecessor_id, fit in staging.named_predecessors():
        found = find_payment(transaction, predecessor_id, source_platform)
        if not found:
            continue
        predecessor = found[0].payment_pk
        successor = find_payment(transaction, payment_id, source_platform)[0].payment_pk
        chain = _chain_of(transaction, predecessor)
        if fit:
            transaction.run("UPDATE reissue SET live = 0 WHERE predecessor_pk = :pk", pk=predecessor)
        transaction.run(
            "INSERT INTO reissue (successor_pk, predecessor_pk, chain_pk, live)"
            " VALUES (:successor, :predecessor, :chain, :live)",
            successor=successor,
            predecessor=predecessor,
            chain=chain,
            live=fit,
        )
        # Those that named this one before it was linked itself.
        transaction.run(
            "UPDATE reissue SET chain_pk = :chain WHERE chain_pk = :pk", chain=chain, pk=successor
        )


def payments_to_stop(transaction: Transaction, file_pk: int) -> list[int]:
    """Accepted payments of a file that may not be paid: another of their chain may be, or not just so
    much is missing in it any more, since more of what was paid short has come meanwhile.

    The payment that began a chain is looked at like those that replaced it: a restored ledger may
    learn of these first. What became of some is known already, on a bank's letter: those do not
    leave in any case.
    """
    rows = transaction.all(
        "SELECT attempt.payment_pk, payment.amount_minor, COALESCE((SELECT chain_pk FROM reissue"
        "  WHERE successor_pk = attempt.payment_pk), attempt.payment_pk) AS chain_pk"
        " FROM attempt JOIN payment USING (payment_pk)"
        " WHERE attempt.file_pk = :file AND attempt.live = 1 AND payment.disposition = 'accepted'"
        " AND (EXISTS (SELECT 1 FROM reissue WHERE successor_pk = attempt.payment_pk)"
        "  OR EXISTS (SELECT 1 FROM reissue WHERE chain_pk = attempt.payment_pk))"
        " AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.payment_pk = attempt.payment_pk)",
        file=file_pk,
    )
    return [
        row.payment_pk
        for row in rows
        if transaction.one(f"{_ALIVE} LIMIT 1", chain=row.chain_pk, but=row.payment_pk) is not None
        or row.amount_minor != _missing_minor(transaction, row.chain_pk)
    ]


def has_second_chances(transaction: Transaction, file_pk: int) -> bool:
    """Whether a payment of the file was in another file before, or replaces another payment."""
    row = transaction.one(
        "SELECT 1 FROM attempt AS ours WHERE ours.file_pk = :file AND (EXISTS (SELECT 1 FROM reissue"
        " WHERE successor_pk = ours.payment_pk) OR EXISTS (SELECT 1 FROM attempt AS earlier"
        " WHERE earlier.payment_pk = ours.payment_pk AND earlier.file_pk < ours.file_pk)) LIMIT 1",
        file=file_pk,
    )
    return row is not None


def unbelieved_answer(transaction: Transaction, file_pk: int) -> str | None:
    """An answer that is kept and not believed yet, about a file in which a payment of this one was before, or
    another of its chain: it may say that it was paid. None where there is none.
    """
    row = transaction.one(
        "SELECT received.name FROM received JOIN attempt AS first ON first.file_pk = received.file_pk"
        " LEFT JOIN reissue AS own ON own.successor_pk = first.payment_pk"
        " WHERE received.state IN ('received', 'verified', 'held') AND received.kind = 'result'"
        " AND received.file_pk <> :file AND (EXISTS (SELECT 1 FROM attempt WHERE attempt.file_pk = :file"
        "  AND attempt.payment_pk = first.payment_pk) OR EXISTS (SELECT 1 FROM reissue JOIN attempt"
        "  ON attempt.payment_pk = reissue.successor_pk AND attempt.file_pk = :file"
        "  WHERE reissue.chain_pk = COALESCE(own.chain_pk, first.payment_pk))) LIMIT 1",
        file=file_pk,
    )
    return None if row is None else str(row.name)


def heirs_that_left(transaction: Transaction, payment_pk: int) -> list[Heir]:
    """Others of the payment's chain that a bank may have paid, or may still pay."""
    rows = transaction.all(
        "SELECT file.bank, file.name, alive.payment_id FROM"
        f" ({_ALIVE}) AS alive JOIN attempt ON attempt.payment_pk = alive.payment_pk AND attempt.live = 1"
        f" JOIN file USING (file_pk) WHERE file.state NOT IN ({_BEFORE_RELEASE}) ORDER BY file.file_pk",
        chain=_chain_of(transaction, payment_pk),
        but=payment_pk,
    )
    return [Heir(row.bank, row.name, row.payment_id) for row in rows]


def missing_minor(transaction: Transaction, payment: PaymentRow) -> int:
    """What a reissue of the payment has to be: all that its chain has not brought for good."""
    return _missing_minor(transaction, _chain_of(transaction, payment.payment_pk))


def reissue_obstacle(transaction: Transaction, predecessor: PaymentRow, amount_minor: int) -> str:
    """Why a payment of that amount may not replace this one now; "" where it may."""
    return _obstacle(transaction, predecessor, amount_minor, set())


def chain_members(transaction: Transaction, payment_pk: int) -> list[ChainMember]:
    """Every payment of the chain, the first one first; the payment itself where there is no other."""
    rows = transaction.all(
        f"SELECT payment.payment_id, batch_id, {STATE_OF_PAYMENT} AS state"
        " FROM payment JOIN batch USING (batch_pk)"
        f" {LATEST_OUTCOME} WHERE payment.payment_pk IN"
        " (SELECT :chain UNION SELECT successor_pk FROM reissue WHERE chain_pk = :chain)"
        " ORDER BY payment.payment_pk",
        chain=_chain_of(transaction, payment_pk),
    )
    return [ChainMember(row.payment_id, row.batch_id, row.state) for row in rows]


def links_of(transaction: Transaction, payment_pk: int) -> list[tuple[int, int]]:
    """(successor, predecessor) for each payment of the chain that replaces another, the oldest first."""
    rows = transaction.all(
        "SELECT successor_pk, predecessor_pk FROM reissue WHERE chain_pk = :chain ORDER BY successor_pk",
        chain=_chain_of(transaction, payment_pk),
    )
    return [(row.successor_pk, row.predecessor_pk) for row in rows]


def relatives_of(transaction: Transaction, payment_pk: int) -> tuple[str, str]:
    """(id of the payment that it replaces, id of the one that replaced it last); "" for none."""
    row = transaction.one(
        "SELECT (SELECT payment_id FROM reissue JOIN payment ON payment_pk = predecessor_pk"
        "  WHERE successor_pk = :pk) AS replaces,"
        " (SELECT payment_id FROM reissue JOIN payment ON payment_pk = successor_pk"
        "  WHERE predecessor_pk = :pk ORDER BY live DESC, successor_pk DESC LIMIT 1) AS replaced_by",
        pk=payment_pk,
    )
    assert row is not None
    return row.replaces or "", row.replaced_by or ""


def payment_names(transaction: Transaction, payment_keys: Iterable[int]) -> list[str]:
    """The ids of payments, in the order of the keys."""
    found = []
    for key in payment_keys:
        row = transaction.one("SELECT payment_id FROM payment WHERE payment_pk = :pk", pk=key)
        assert row is not None
        found.append(str(row.payment_id))
    return found


def _chain_of(transaction: Transaction, payment_pk: int) -> int:
    """The payment with which its chain began."""
    row = transaction.one("SELECT chain_pk FROM reissue WHERE successor_pk = :pk", pk=payment_pk)
    return payment_pk if row is None else int(row.chain_pk)


def _amount_of(transaction: Transaction, payment_pk: int) -> int:
    row = transaction.one("SELECT amount_minor FROM payment WHERE payment_pk = :pk", pk=payment_pk)
    assert row is not None
    return int(row.amount_minor)


def _missing_minor(transaction: Transaction, chain: int) -> int:
    """Minor units that a chain is still to get, once nothing of it is open.

    What was refused for its amount is no measure: the payment that began the chain is.
    """
    return _amount_of(transaction, chain) - _credited_for_good(transaction, chain)


def _credited_for_good(transaction: Transaction, chain: int) -> int:
    """Minor units that members of a chain have, which the bank credited too little and makes up nothing."""
    row = transaction.one(
        "SELECT COALESCE(SUM(latest.credited_minor - COALESCE(latest.returned_minor, 0)), 0) AS total"
        f" FROM payment {LATEST_OUTCOME} WHERE payment.payment_pk IN"
        " (SELECT :chain UNION SELECT successor_pk FROM reissue WHERE chain_pk = :chain)"
        " AND latest.reason = 'PAID_SHORT'",
        chain=chain,
    )
    assert row is not None
    return int(row.total)


def _obstacle(
    transaction: Transaction, predecessor: PaymentRow | None, amount_minor: int, claimed: set[int]
) -> str:
    if predecessor is None:
        return "no such payment of this platform"
    chain = _chain_of(transaction, predecessor.payment_pk)
    missing = _missing_minor(transaction, chain)
    if missing != amount_minor:
        return f"{money(missing)} was to be paid, this one is {money(amount_minor)}"
    outcome = latest_outcome(transaction, predecessor.payment_pk)
    if outcome is None or not is_over(outcome.status, outcome.reason):
        return f"it is {predecessor.state}, and only set aside, failed or returned payments are paid again"
    if outcome.status in (Status.FAILED, Status.DISCREPANT) and not _file_is_settled(
        transaction, predecessor.payment_pk
    ):
        return "its file is not settled yet"
    alive = transaction.one(f"{_ALIVE} LIMIT 1", chain=chain, but=0)
    if chain in claimed or alive is not None:
        return "another payment replaces it already" + (f": {alive.payment_id}" if alive is not None else "")
    return ""


def _file_is_settled(transaction: Transaction, payment_pk: int) -> bool:
    """Whether no file that a bank has waits for more words; one that was given up does not."""
    row = transaction.one(
        "SELECT file.state FROM attempt JOIN file USING (file_pk) WHERE payment_pk = :pk AND live = 1",
        pk=payment_pk,
    )
    return row is None or row.state == FileState.SETTLED
